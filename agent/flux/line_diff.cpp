#include "agent/flux/line_diff.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>

namespace weber::agent {

namespace {

using Line = std::uint32_t; // numbers of distinct lines
using Lines = std::span<const Line>;

struct Run {
    LineChange change;
    std::vector<Line> lines;
};
using Runs = std::vector<Run>;

Run run(LineChange change, Lines lines) { return {change, {lines.begin(), lines.end()}}; }

void append(Runs& to, Runs from) { std::ranges::move(from, std::back_inserter(to)); }

std::size_t common_prefix(Lines a, Lines b) { return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin()); }

std::size_t common_suffix(Lines a, Lines b) {
    std::size_t n = 0;
    while (n < a.size() && n < b.size() && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
    return n;
}

Runs diff(Lines a, Lines b);

// ---- a common middle of at least half the longer text -------------------------------------------------------------

struct Split {
    Lines long_before, long_after, short_before, short_after, middle;
};

// Around the quarter of `l` that begins at `at`.
std::optional<Split> split_around(Lines l, Lines s, std::size_t at) {
    const Lines seed = l.subspan(at, l.size() / 4);
    Split best{};
    for (auto found = std::ranges::search(s, seed); !found.empty();) {
        const auto j = static_cast<std::size_t>(found.begin() - s.begin());
        const std::size_t right = common_prefix(l.subspan(at), s.subspan(j)), left = common_suffix(l.first(at), s.first(j));
        if (left + right > best.middle.size())
            best = {l.first(at - left), l.subspan(at + right), s.first(j - left), s.subspan(j + right), s.subspan(j - left, left + right)};
        found = std::ranges::search(found.begin() + 1, s.end(), seed.begin(), seed.end());
    }
    if (best.middle.size() * 2 < l.size()) return std::nullopt;
    return best;
}

std::optional<Split> half_match(Lines l, Lines s) {
    if (l.size() < 4 || s.size() * 2 < l.size()) return std::nullopt;
    const auto second = split_around(l, s, (l.size() + 3) / 4), third = split_around(l, s, (l.size() + 1) / 2);
    if (!second || !third) return second ? second : third;
    return second->middle.size() > third->middle.size() ? second : third;
}

// ---- the shortest edit, found from both ends (Myers 1986) ----------------------------------------------------------

struct Point {
    std::size_t x, y;
};

// One of the two searches: how far each diagonal has come. Diagonals that have run out of the grid are left out.
struct Search {
    Search(Lines a, Lines b, bool backward)
        : a(a), b(b), backward(backward), offset(static_cast<std::ptrdiff_t>(a.size() + b.size() + 1) / 2), reach(static_cast<std::size_t>(2 * offset), -1) {
        reach[static_cast<std::size_t>(offset + 1)] = 0;
    }
    [[nodiscard]] bool knows(std::ptrdiff_t diagonal) const {
        const std::ptrdiff_t i = offset + diagonal;
        return i >= 0 && i < std::ssize(reach) && reach[static_cast<std::size_t>(i)] != -1;
    }
    std::ptrdiff_t& at(std::ptrdiff_t diagonal) { return reach[static_cast<std::size_t>(offset + diagonal)]; }
    [[nodiscard]] bool same(std::ptrdiff_t x, std::ptrdiff_t y) const {
        const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
        return backward ? a[a.size() - 1 - i] == b[b.size() - 1 - j] : a[i] == b[j];
    }
    // The furthest point of diagonal k with d edits; false when it left the grid.
    bool walk(std::ptrdiff_t k, std::ptrdiff_t d) {
        const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
        x = down ? at(k + 1) : at(k - 1) + 1;
        y = x - k;
        while (x < std::ssize(a) && y < std::ssize(b) && same(x, y)) ++x, ++y;
        at(k) = x;
        if (x > std::ssize(a)) end += 2;
        else if (y > std::ssize(b)) start += 2;
        else return true;
        return false;
    }

    Lines a, b;
    bool backward;
    std::ptrdiff_t offset, start = 0, end = 0, x = 0, y = 0;
    std::vector<std::ptrdiff_t> reach;
};

// Where both searches meet; nothing when the texts have nothing in common.
std::optional<Point> middle_of(Lines a, Lines b) {
    Search forward(a, b, false), backward(a, b, true);
    const std::ptrdiff_t delta = std::ssize(a) - std::ssize(b);
    const bool odd = delta % 2 != 0;
    for (std::ptrdiff_t d = 0; d < forward.offset; ++d) {
        for (std::ptrdiff_t k = -d + forward.start; k <= d - forward.end; k += 2) {
            if (!forward.walk(k, d) || !odd || !backward.knows(delta - k)) continue;
            if (forward.x >= std::ssize(a) - backward.at(delta - k)) return Point{static_cast<std::size_t>(forward.x), static_cast<std::size_t>(forward.y)};
        }
        for (std::ptrdiff_t k = -d + backward.start; k <= d - backward.end; k += 2) {
            if (!backward.walk(k, d) || odd || !forward.knows(delta - k)) continue;
            const std::ptrdiff_t x = forward.at(delta - k);
            if (x >= std::ssize(a) - backward.x) return Point{static_cast<std::size_t>(x), static_cast<std::size_t>(x - (delta - k))};
        }
    }
    return std::nullopt;
}

// ---- tidying ------------------------------------------------------------------------------------------------------

bool ends_with(Lines text, Lines end) { return text.size() >= end.size() && std::ranges::equal(text.last(end.size()), end); }
bool begins_with(Lines text, Lines begin) { return text.size() >= begin.size() && std::ranges::equal(text.first(begin.size()), begin); }

// Equal runs are joined; between two of them there is at most one removal and one addition, in this order, without a common beginning or end.
Runs joined(const Runs& runs) {
    Runs out;
    std::vector<Line> removed, added;
    const auto keep = [&](Lines lines) {
        if (lines.empty()) return;
        if (!out.empty() && out.back().change == LineChange::same) out.back().lines.insert(out.back().lines.end(), lines.begin(), lines.end());
        else out.push_back(run(LineChange::same, lines));
    };
    const auto flush = [&] {
        const std::size_t prefix = common_prefix(removed, added);
        keep(Lines(removed).first(prefix));
        const Lines r = Lines(removed).subspan(prefix), a = Lines(added).subspan(prefix);
        const std::size_t suffix = common_suffix(r, a);
        if (r.size() > suffix) out.push_back(run(LineChange::removed, r.first(r.size() - suffix)));
        if (a.size() > suffix) out.push_back(run(LineChange::added, a.first(a.size() - suffix)));
        keep(r.last(suffix));
        removed.clear();
        added.clear();
    };
    for (const Run& r : runs) {
        if (r.change == LineChange::same && r.lines.empty()) continue;
        if (r.change == LineChange::same) flush(), keep(r.lines);
        else {
            auto& pending = r.change == LineChange::removed ? removed : added;
            pending.insert(pending.end(), r.lines.begin(), r.lines.end());
        }
    }
    flush();
    return out;
}

// A single edit between equal runs moves over one of them when that makes it vanish.
bool slide(Runs& runs) {
    bool moved = false;
    for (std::size_t i = 1; i + 1 < runs.size(); ++i) {
        auto &left = runs[i - 1], &edit = runs[i], &right = runs[i + 1];
        if (left.change != LineChange::same || right.change != LineChange::same || edit.change == LineChange::same) continue;
        if (ends_with(edit.lines, left.lines)) {
            std::ranges::rotate(edit.lines, edit.lines.end() - std::ssize(left.lines));
            right.lines.insert(right.lines.begin(), left.lines.begin(), left.lines.end());
            runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(i) - 1);
            moved = true;
        } else if (begins_with(edit.lines, right.lines)) {
            std::ranges::rotate(edit.lines, edit.lines.begin() + std::ssize(right.lines));
            left.lines.insert(left.lines.end(), right.lines.begin(), right.lines.end());
            runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            moved = true;
        }
    }
    return moved;
}

Runs tidy(Runs runs) {
    do runs = joined(runs);
    while (slide(runs));
    return runs;
}

// ---- all together -------------------------------------------------------------------------------------------------

// Of texts that have neither beginning nor end in common.
Runs core(Lines a, Lines b) {
    using enum LineChange;
    if (a.empty()) return {run(added, b)};
    if (b.empty()) return {run(removed, a)};
    const bool shrinks = a.size() > b.size();
    const Lines l = shrinks ? a : b, s = shrinks ? b : a;
    if (const auto inside = std::ranges::search(l, s); !inside.empty()) {
        const LineChange change = shrinks ? removed : added;
        const auto at = static_cast<std::size_t>(inside.begin() - l.begin());
        return {run(change, l.first(at)), run(same, s), run(change, l.subspan(at + s.size()))};
    }
    if (s.size() == 1) return {run(removed, a), run(added, b)};
    if (const auto split = half_match(l, s)) {
        Runs out = shrinks ? diff(split->long_before, split->short_before) : diff(split->short_before, split->long_before);
        out.push_back(run(same, split->middle));
        append(out, shrinks ? diff(split->long_after, split->short_after) : diff(split->short_after, split->long_after));
        return out;
    }
    const auto middle = middle_of(a, b);
    if (!middle) return {run(removed, a), run(added, b)};
    Runs out = diff(a.first(middle->x), b.first(middle->y));
    append(out, diff(a.subspan(middle->x), b.subspan(middle->y)));
    return out;
}

Runs diff(Lines a, Lines b) {
    const std::size_t prefix = common_prefix(a, b);
    const Lines begin = a.first(prefix);
    a = a.subspan(prefix), b = b.subspan(prefix);
    const std::size_t suffix = common_suffix(a, b);
    const Lines end = a.last(suffix);
    Runs out{run(LineChange::same, begin)};
    if (a.size() + b.size() > 2 * suffix) append(out, core(a.first(a.size() - suffix), b.first(b.size() - suffix)));
    out.push_back(run(LineChange::same, end));
    return tidy(std::move(out));
}

// Numbers for lines, so that each is compared as one thing.
class Numbers {
public:
    std::vector<Line> of(std::string_view text) {
        std::vector<Line> out;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t newline = text.find('\n', begin), end = newline == std::string_view::npos ? text.size() : newline + 1;
            const auto [it, fresh] = known_.emplace(text.substr(begin, end - begin), static_cast<Line>(texts_.size()));
            if (fresh) texts_.push_back(it->first);
            out.push_back(it->second);
            begin = end;
        }
        return out;
    }
    [[nodiscard]] std::string text(Lines lines) const {
        std::string out;
        for (const Line line : lines) out += texts_[line];
        return out;
    }

private:
    std::unordered_map<std::string_view, Line> known_;
    std::vector<std::string_view> texts_;
};

} // namespace

std::vector<LineRun> line_diff(std::string_view before, std::string_view after) {
    Numbers numbers;
    const std::vector<Line> a = numbers.of(before), b = numbers.of(after);
    std::vector<LineRun> out;
    for (const Run& r : diff(a, b)) out.push_back({r.change, numbers.text(r.lines)});
    return out;
}

} // namespace weber::agent
