// The difference of two texts, line by line, as diff-match-patch finds it: common ends first, then a large common middle, then the shortest edit, at last
// edits are joined and slid over equal lines. Several answers are as short; this one is what `flux diff` prints.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weber::agent {

enum class LineChange : std::uint8_t { same, removed, added };

struct LineRun {
    LineChange change;
    std::string text; // whole lines, newlines included
};

std::vector<LineRun> line_diff(std::string_view before, std::string_view after);

} // namespace weber::agent
