// Command-line flags in the manner of pflag, which kubectl, flux and kustomize use: `--flag value`, `--flag=value`, `-n value`, `-nvalue`,
// `-abc` for three switches, `--` ends them, flags and arguments mix freely.
//
// Values; no global state.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::agent {

enum class FlagKind : std::uint8_t {
    boolean,    // `--flag` alone is true; `--flag=false`
    text,
    integer,
    duration,   // Go's: 5m0s
    list,       // repeatable, each value as it is
    comma_list, // repeatable, each value split at commas
};

// One row of a command's table of flags; the help text is made of it.
struct Flag {
    std::string_view name;
    FlagKind kind = FlagKind::text;
    std::string_view help;
    char letter = 0;                   // 0: no short form
    std::string_view value = {};       // what the help calls the value; "" = by kind
    std::string_view default_text = {};
    bool hidden = false;
};

// What a command line said about flags. Asking for a flag that is in no table is a programming error (assert).
class Flags {
public:
    explicit Flags(std::vector<Flag> table = {}) : table_(std::move(table)) {}

    [[nodiscard]] bool given(std::string_view name) const;
    [[nodiscard]] bool on(std::string_view name) const;                 // boolean
    [[nodiscard]] std::string text(std::string_view name) const;        // the last value, else the default
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    [[nodiscard]] std::chrono::nanoseconds duration(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const; // list and comma_list
    [[nodiscard]] bool knows(std::string_view name) const { return find(name) != nullptr; }
    [[nodiscard]] const std::vector<Flag>& table() const { return table_; }

    // Reads `words`; what is no flag goes to the result, in order. Errors: invalid, worded as pflag's, with a suggestion as hint.
    Result<std::vector<std::string>> parse(std::span<const std::string> words);

    // Does this word of a command line take the next word as its value?
    [[nodiscard]] bool takes_next(std::string_view word) const;

private:
    [[nodiscard]] const Flag* find(std::string_view name) const;
    [[nodiscard]] const Flag* find_letter(char letter) const;
    [[nodiscard]] const Flag& must_find(std::string_view name) const;
    Result<void> assign(const Flag& flag, const std::string& value);
    Result<std::size_t> parse_long(std::span<const std::string> words, std::size_t at);
    Result<std::size_t> parse_short(std::span<const std::string> words, std::size_t at);

    std::vector<Flag> table_;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// As Go's strconv.ParseBool: 1, t, true, True … and their opposites.
std::optional<bool> parse_bool(std::string_view text);

// "Flags:" lines: aligned, with defaults.
std::string describe(std::span<const Flag> table);

// The known word nearest to `word`, "" when none is near (edit distance of at most 2 and half of its length).
std::string nearest(std::string_view word, std::span<const std::string> known);

} // namespace weber::agent
