#include "agent/flux/diff_report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "agent/flux/diff_changes.h"
#include "agent/flux/line_diff.h"
#include "agent/flux/neat_yaml.h"
#include "kube/base/utf8.h"

namespace weber::agent {

namespace {

// "one insert", "no deletions", "two map entries"
std::string counted(std::size_t n, std::string_view one, std::string_view many) {
    static constexpr std::array<std::string_view, 13> words = {"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"};
    return (n < words.size() ? std::string(words[n]) : std::to_string(n)) + " " + std::string(n == 1 ? one : many);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

std::size_t length(std::string_view line) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < line.size(); i += kube::decode_utf8(line, i).bytes) ++n;
    return n;
}

std::size_t longest_line(std::string_view text) {
    std::size_t most = 0;
    for (const std::string_view line : lines_of(text)) most = std::max(most, length(line));
    return most;
}

// Columns beside each other; no blanks and no newline at the end.
std::string side_by_side(const std::vector<std::string>& columns, std::size_t indent, std::string_view gap) {
    std::size_t rows = 0;
    for (const std::string& column : columns) rows = std::max(rows, lines_of(column).size());
    std::vector<std::string> out(rows);
    for (const std::string& column : columns) {
        const auto lines = lines_of(column);
        const std::size_t width = longest_line(column);
        for (std::size_t row = 0; row < rows; ++row) {
            const std::string_view line = row < lines.size() ? lines[row] : "";
            if (&column != &columns.front()) out[row] += gap;
            out[row] += std::string(indent, ' ') + std::string(line) + std::string(width - length(line), ' ');
        }
    }
    std::string text;
    for (std::string& row : out) {
        while (!row.empty() && row.back() == ' ') row.pop_back();
        text += row;
        if (&row != &out.back()) text += '\n';
    }
    return text;
}

// Every line after the first stands as far in as the text of the first.
std::string marked(std::string_view mark, std::string_view text) {
    std::string out;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i == 0 ? std::string(mark) : std::string(mark.size(), ' ')) + std::string(lines[i]) + "\n";
    return out;
}

std::string marked_each(std::string_view mark, std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    std::string out;
    for (const std::string_view line : lines_of(text)) out += std::string(mark) + std::string(line) + "\n";
    return out;
}

std::string_view without_ends(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \n");
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(" \n") - begin + 1);
}

std::string with_visible_blanks(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? "↵\n" : c == ' ' ? "·" : std::string(1, c);
    return out;
}

std::string_view type_word(const Node& n) {
    switch (n.kind()) {
    case NodeKind::null: return "<nil>";
    case NodeKind::boolean: return "bool";
    case NodeKind::integer: return "int";
    case NodeKind::floating: return "float";
    case NodeKind::string: return "string";
    case NodeKind::list: return "list";
    case NodeKind::map: return "map";
    }
    return "";
}

std::string value_text(const Node& n) {
    std::string text = n.is_null() ? "<nil>" : neat_yaml(n);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

class Report {
public:
    explicit Report(std::size_t width) : width_(width) {}

    std::string text_of(const Change& change) const {
        std::vector<std::string> details;
        for (const ChangeDetail& d : change.details) details.push_back(detail(d));
        return "\n" + (change.path.empty() ? "(root level)" : change.path) + "\n" + blocks(details, 0);
    }

private:
    // Beside each other when there is room, else one after the other, and then with an empty line after each.
    [[nodiscard]] std::string blocks(const std::vector<std::string>& texts, std::size_t indent) const {
        constexpr std::string_view kGap = "   ";
        std::size_t needed = indent + (texts.size() - 1) * kGap.size();
        for (const std::string& text : texts) needed += longest_line(text);
        if (needed <= width_) return side_by_side(texts, indent, kGap);
        std::string out;
        for (const std::string& text : texts)
            for (const std::string_view line : lines_of(text)) out += std::string(indent, ' ') + std::string(line) + "\n";
        return out;
    }

    [[nodiscard]] std::string detail(const ChangeDetail& d) const {
        switch (d.kind) {
        case ChangeKind::added: return entries("+", d.after, "added", 2);
        case ChangeKind::removed: return entries("-", d.before, "removed", 0); // not indented, unlike what came
        case ChangeKind::reordered: return order(d.before, d.after);
        case ChangeKind::changed: break;
        }
        if (d.before.is_string() && d.after.is_string()) return strings(d.before.text(), d.after.text());
        const std::string_view from = type_word(d.before), to = type_word(d.after);
        return "± " + (from == to ? "value change" : "type change from " + std::string(from) + " to " + std::string(to)) + "\n" +
               marked("- ", value_text(d.before)) + marked("+ ", value_text(d.after));
    }

    [[nodiscard]] std::string entries(std::string_view mark, const Node& those, std::string_view verb, std::size_t indent) const {
        const std::string what = those.is_map() ? counted(those.size(), "map entry", "map entries") : counted(those.size(), "list entry", "list entries");
        return std::string(mark) + " " + what + " " + std::string(verb) + ":\n" + blocks({neat_yaml(in_readable_order(those))}, indent);
    }

    [[nodiscard]] std::string order(const Node& before, const Node& after) const {
        const auto joined = [](const Node& list, std::string_view separator) {
            std::string out;
            for (const Node& e : list.items()) {
                if (&e != &list.items().front()) out += separator;
                out += e.is_null() ? "null" : e.text().empty() ? neat_yaml(e) : std::string(e.text());
            }
            return out;
        };
        const std::string from = joined(before, ", "), to = joined(after, ", ");
        if (std::max(length(from), length(to)) < width_ / 2) return "⇆ order changed\n- " + from + "\n+ " + to + "\n";
        return "⇆ order changed\n" + side_by_side({joined(before, "\n"), joined(after, "\n")}, 2, " ");
    }

    [[nodiscard]] std::string strings(std::string_view from, std::string_view to) const {
        if (without_ends(from) == without_ends(to))
            return "± whitespace only change\n" + blocks({marked("- ", with_visible_blanks(from)), marked("+ ", with_visible_blanks(to))}, 0);
        if (from.find('\n') == std::string_view::npos && to.find('\n') == std::string_view::npos)
            return "± value change\n" + marked("- ", from) + marked("+ ", to);
        std::size_t inserts = 0, deletions = 0;
        std::string changes;
        for (const LineRun& run : line_diff(from, to)) {
            if (run.change == LineChange::same) continue;
            ++(run.change == LineChange::added ? inserts : deletions);
            changes += marked_each(run.change == LineChange::added ? "+ " : "- ", run.text);
        }
        return "± value change in multiline text (" + counted(inserts, "insert", "inserts") + ", " + counted(deletions, "deletion", "deletions") + ")\n" + changes + "\n";
    }

    std::size_t width_;
};

} // namespace

std::string diff_report(const Node& before, const Node& after, std::size_t width) {
    const Report report(width);
    std::string out;
    for (const Change& change : changes_between(before, after)) out += report.text_of(change);
    return out;
}

} // namespace weber::agent
