// Scalars of the quick YAML reader (yaml_plain.h): quoted ones and block ones, over several lines. The text has no carriage returns and no control
// characters but tabs, and ends in a line break.
//
// Each function starts at `at` in line `line` and moves both behind what it read; false: left to libyaml, and nothing is known of both.
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weber::kube {

// Does a new document, or the end of one, begin at this start of a line?
[[nodiscard]] bool at_document_mark(std::string_view text, std::size_t line_start);

// At the opening quote; on return behind the closing one.
bool read_quoted(std::string_view text, std::size_t& at, std::uint32_t& line, std::string& out);

// At `|` or `>`, within a map or list at column `column`; on return at the start of the line below. No indentation indicator, no empty block.
bool read_block_scalar(std::string_view text, std::size_t& at, std::uint32_t& line, std::size_t column, std::string& out);

// From the line break behind the first line of a plain scalar: appends the lines that go on with it, those deeper than `column`. On return at the break
// behind the last one.
bool read_more_plain_lines(std::string_view text, std::size_t& at, std::uint32_t& line, std::size_t column, std::string& out);

} // namespace weber::kube
