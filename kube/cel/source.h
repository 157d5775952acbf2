// The text of an expression by code points, and what is wrong with it.
//
// Not thread-safe; lives for one compilation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weber::cel {

// A place in the text: a code point's index; kNowhere prints as "-1:0".
using Offset = std::int32_t;
inline constexpr Offset kNowhere = -1;
inline constexpr Offset kBeforeText = -2; // prints as "1:0", before the first character

class Source {
public:
    explicit Source(std::string_view text); // invalid UTF-8 reads as U+FFFD

    [[nodiscard]] const std::u32string& points() const { return points_; }
    [[nodiscard]] std::string text(Offset from, Offset to) const; // UTF-8 of [from, to)

    struct Position {
        std::int32_t line = -1;  // from 1
        std::int32_t column = -1; // code points, from 0
    };
    [[nodiscard]] Position position(Offset at) const;
    [[nodiscard]] std::u32string_view line(std::int32_t number) const; // from 1, without its end

private:
    std::u32string points_;
    std::vector<Offset> line_starts_;
};

// The problems of a compilation in cel-go's form:
//   ERROR: <input>:1:5: Syntax error: …
//    | source line
//    | ....^
class Issues {
public:
    explicit Issues(const Source& source) : source_(&source) {}
    void report(Offset at, std::string message);
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::size_t count() const { return count_; }
    // In the order of their places; at most 100 are printed.
    [[nodiscard]] std::string to_string() const;

private:
    struct Issue {
        Source::Position position;
        std::string message;
    };
    [[nodiscard]] std::string render(const Issue& issue) const;

    const Source* source_;
    std::vector<Issue> issues_;
    std::size_t count_ = 0;
};

} // namespace weber::cel
