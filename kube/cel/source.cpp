#include "kube/cel/source.h"

#include <algorithm>

#include "kube/base/utf8.h"

namespace weber::cel {

namespace {

constexpr std::size_t kMaxIssues = 100;
constexpr std::size_t kMaxSnippetBytes = 16'384;

} // namespace

Source::Source(std::string_view text) {
    points_.reserve(text.size());
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text.size();) {
        const kube::CodePoint p = kube::decode_utf8(text, i);
        points_.push_back(p.value);
        i += p.bytes;
        if (p.value == '\n') line_starts_.push_back(static_cast<Offset>(points_.size()));
    }
}

std::string Source::text(Offset from, Offset to) const {
    std::string out;
    for (Offset i = std::max(from, 0); i < to && i < static_cast<Offset>(points_.size()); ++i) kube::append_utf8(out, points_[static_cast<std::size_t>(i)]);
    return out;
}

Source::Position Source::position(Offset at) const {
    if (at == kBeforeText || points_.empty()) return {1, -1};
    if (at < 0) return {};
    const auto after = std::ranges::upper_bound(line_starts_, at);
    return {static_cast<std::int32_t>(after - line_starts_.begin()), at - *(after - 1)};
}

std::u32string_view Source::line(std::int32_t number) const {
    if (number < 1 || number > static_cast<std::int32_t>(line_starts_.size())) return {};
    const auto index = static_cast<std::size_t>(number - 1);
    const auto from = static_cast<std::size_t>(line_starts_[index]);
    const std::size_t to = index + 1 < line_starts_.size() ? static_cast<std::size_t>(line_starts_[index + 1]) - 1 : points_.size();
    return std::u32string_view(points_).substr(from, to - from);
}

void Issues::report(Offset at, std::string message) {
    if (++count_ <= kMaxIssues) issues_.push_back({source_->position(at), std::move(message)});
}

std::string Issues::to_string() const {
    std::vector<Issue> sorted = issues_;
    std::ranges::stable_sort(sorted, [](const Issue& a, const Issue& b) {
        return std::pair(a.position.line, a.position.column) < std::pair(b.position.line, b.position.column);
    });
    std::string out;
    for (const Issue& i : sorted) out += (out.empty() ? "" : "\n") + render(i);
    if (count_ > kMaxIssues) out += "\n" + std::to_string(count_ - kMaxIssues) + " more errors were truncated";
    return out;
}

std::string Issues::render(const Issue& issue) const {
    const auto [line, column] = issue.position;
    std::string out = "ERROR: <input>:" + std::to_string(line) + ":" + std::to_string(column + 1) + ": " + issue.message;
    if (line < 1 || source_->points().empty()) return out;
    const std::u32string_view points = source_->line(line);
    if (points.size() > kMaxSnippetBytes) return out;
    std::string snippet;
    for (const char32_t c : points) kube::append_utf8(snippet, c == '\t' ? ' ' : c);
    if (snippet.size() > kMaxSnippetBytes) return out;
    out += "\n | " + snippet + "\n | ";
    // Wide characters get wide dots, so that the mark stands under its place.
    const auto at = static_cast<std::size_t>(std::max(column, 0));
    for (std::size_t i = 0; i < at && i < points.size(); ++i) out += points[i] > 0x7F ? "\uff0e" : ".";
    return out + (at < points.size() && points[at] > 0x7F ? "\uff3e" : "^");
}

} // namespace weber::cel
