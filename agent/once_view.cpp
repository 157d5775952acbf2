#include "agent/once_view.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace weber::agent {

using gitops::Phase;
using gitops::Progress;

namespace {

constexpr std::size_t kNamesShown = 3; // of what is waited for

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) out += (i ? ", " : "") + names[i];
    if (names.size() > kNamesShown) out += " and " + std::to_string(names.size() - kNamesShown) + " more";
    return out;
}

std::string counted(std::string word, const Progress& p) {
    if (p.total > 0) word += " " + std::to_string(p.done) + "/" + std::to_string(p.total);
    return word;
}

std::string seconds_text(std::chrono::nanoseconds d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1fs", std::chrono::duration<double>(d).count());
    return text.data();
}

std::string_view mark(const Progress& p, std::size_t frame) {
    static constexpr std::array<std::string_view, 4> spinner = {"◐", "◓", "◑", "◒"};
    switch (p.phase) {
    case Phase::ready: return "✔";
    case Phase::failed: return "✗";
    case Phase::blocked: return "✗";
    case Phase::suspended: return "‖";
    case Phase::removed: return "✔";
    case Phase::found:
    case Phase::waiting: return "◎";
    default: return spinner[frame % spinner.size()];
    }
}

// Cut to `width` columns; every code point of ours is one column wide.
std::string cut(const std::string& line, std::size_t width) {
    if (width == 0) return line;
    std::size_t columns = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
        if (begins && ++columns > width) return line.substr(0, i);
    }
    return line;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

struct Drawing {
    const std::vector<Progress>& rows;
    std::size_t frame, width;
    std::vector<std::string> lines = {};

    [[nodiscard]] bool is_child(const Progress& p, const gitops::NamespacedName& parent) const { return p.parent == parent && p.name != parent; }
    [[nodiscard]] bool has_row(const gitops::NamespacedName& name) const {
        return std::ranges::any_of(rows, [&](const Progress& p) { return p.name == name; });
    }

    void add(const Progress& p, const std::string& lead, const std::string& below) {
        std::string line = lead + std::string(mark(p, frame)) + " " + p.name.to_string() + "  " + phase_text(p);
        if (p.elapsed.count() > 0 && p.phase != Phase::waiting) line += "  " + seconds_text(p.elapsed);
        lines.push_back(cut(line, width));
        std::vector<const Progress*> children;
        for (const Progress& row : rows)
            if (is_child(row, p.name)) children.push_back(&row);
        for (const Progress* child : children) {
            const bool last = child == children.back();
            add(*child, below + (last ? "└── " : "├── "), below + (last ? "    " : "│   "));
        }
    }
};

// Columns and rows.
std::pair<std::size_t, std::size_t> terminal_size() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) size = {};
    return {size.ws_col == 0 ? 80 : size.ws_col, size.ws_row == 0 ? 24 : size.ws_row};
}

} // namespace

std::vector<std::string> fit_height(std::vector<std::string> lines, std::size_t height) {
    if (lines.size() <= height || height == 0) return lines;
    const std::size_t all = lines.size();
    std::vector<std::string> kept;
    for (std::string& line : lines)
        if (line.find("✔ ") == std::string::npos && kept.size() + 1 < height) kept.push_back(std::move(line));
    kept.push_back("… " + std::to_string(all - kept.size()) + " more");
    return kept;
}

std::string phase_text(const Progress& p) {
    switch (p.phase) {
    case Phase::found: return "found";
    case Phase::waiting: return "waiting for " + joined(p.waiting_for);
    case Phase::fetching: return "fetching";
    case Phase::building: return "building";
    case Phase::checking: return counted("checking", p);
    case Phase::applying: return counted("applying", p);
    case Phase::pruning: return counted("pruning", p);
    case Phase::health:
        return p.waiting_for.empty() ? counted("ready objects", p) : "waiting for " + joined(p.waiting_for) + " (" + counted("ready", p) + ")";
    case Phase::ready: return "ready";
    case Phase::failed: return "failed: " + first_line(p.message);
    case Phase::blocked: return "waits for " + joined(p.waiting_for);
    case Phase::suspended: return "suspended";
    case Phase::removed: return "removed";
    }
    return "";
}

LogView::LogView(std::ostream& out, std::chrono::milliseconds remind) : out_(out), began_(std::chrono::steady_clock::now()) {
    reminder_ = std::jthread([this, remind](const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, end, remind, [] { return false; }) && !end.stop_requested())
            for (const auto& [name, p] : last_)
                if (p.phase == Phase::health || p.phase == Phase::waiting) print(p, "still " + phase_text(p));
    });
}

LogView::~LogView() {
    reminder_.request_stop();
    reminder_.join();
}

void LogView::on_progress(const Progress& p) {
    const std::lock_guard lock(mutex_);
    const auto [it, is_new] = last_.try_emplace(p.name);
    const bool same_phase = !is_new && it->second.phase == p.phase;
    const bool same = same_phase && (p.phase != Phase::waiting || it->second.waiting_for == p.waiting_for);
    it->second = p;
    if (same || p.phase == Phase::found) return;
    print(p, p.phase == Phase::health ? "waiting until its objects are ready" : phase_text(p));
}

void LogView::print(const Progress& p, const std::string& text) {
    std::string at = seconds_text(std::chrono::steady_clock::now() - began_);
    at.insert(0, at.size() < 6 ? 6 - at.size() : 0, ' ');
    out_ << at << ' ' << p.name.to_string() << ": " << text << '\n';
    out_.flush();
}

std::vector<std::string> draw_tree(const std::vector<Progress>& rows, std::size_t frame, std::size_t width) {
    Drawing drawing{.rows = rows, .frame = frame, .width = width};
    for (const Progress& p : rows)
        if (p.parent.name.empty() || p.parent == p.name || !drawing.has_row(p.parent)) drawing.add(p, "", "");
    return std::move(drawing.lines);
}

TreeView::TreeView(std::ostream& out) : out_(out) {
    ticker_ = std::jthread([this](const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        for (std::size_t frame = 0; !end.stop_requested(); ++frame) {
            draw(frame);
            wake_.wait_for(lock, end, std::chrono::milliseconds(100), [] { return false; });
        }
    });
}

TreeView::~TreeView() { finish(); }

void TreeView::on_progress(const Progress& p) {
    const std::lock_guard lock(mutex_);
    const auto row = std::ranges::find(rows_, p.name, &Progress::name);
    if (row == rows_.end()) {
        rows_.push_back(p);
        return;
    }
    const gitops::NamespacedName parent = row->parent;
    *row = p;
    if (row->parent.name.empty()) row->parent = parent;
}

void TreeView::finish() {
    ticker_.request_stop();
    if (ticker_.joinable()) ticker_.join();
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
    draw(0);
}

void TreeView::draw(std::size_t frame) {
    std::string text;
    if (drawn_ > 0) text += "\x1b[" + std::to_string(drawn_) + "A";
    const auto [columns, rows] = terminal_size();
    std::vector<std::string> lines = draw_tree(rows_, frame, columns - 1);
    if (!finished_) lines = fit_height(std::move(lines), rows - 1); // the cursor cannot go back above the first row
    for (const std::string& line : lines) text += "\r" + line + "\x1b[K\n";
    text += "\x1b[J";
    drawn_ = lines.size();
    out_ << text;
    out_.flush();
}

} // namespace weber::agent
