// Tables and cells as Flux's CLI prints them (cli.md 1.3, 1.4).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/object.h"

namespace weber::agent {

using Row = std::vector<std::string>;

// Every cell padded to its column's widest; cells of the header joined by TABs with one blank at the end, cells of a row each followed by a
// TAB. An empty header leaves the header line out (its columns then count nothing).
std::string format_table(const Row& header, const std::vector<Row>& rows);

// Columns that `text` takes on a terminal.
std::size_t display_width(std::string_view text);

// Runs of 40 to 128 hexadecimal digits cut to 8.
std::string short_hashes(std::string_view text);

struct ReadyCells {
    std::string ready;   // True, False, Unknown
    std::string message; // hashes cut
};
ReadyCells ready_cells(const Object& object);
std::string suspended_cell(const Object& object); // True, False
std::string revision_of(const Object& object);    // whole hashes
std::string revision_cell(const Object& object);

// The condition of that type; null when there is none.
const Node* condition_of(const Object& object, std::string_view type);

} // namespace weber::agent
