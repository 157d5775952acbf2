#include "gitops/substitute/functions.h"

#include <charconv>
#include <cstdint>
#include <vector>

#include "kube/base/utf8.h"

namespace weber::gitops {

namespace {

constexpr std::uint64_t kMaxMatchWork = 1ull << 31; // byte comparisons: seconds, not hours

// ---- globs: path.Match of Go with `*` and `?` matching slashes, too -----------------------------------------------

struct Chunk {
    bool star = false;
    std::string_view text = {};
};

// The next part of the pattern: stars, then anything up to the next star outside [].
Chunk take_chunk(std::string_view& pattern) {
    Chunk c;
    while (pattern.starts_with('*')) {
        pattern.remove_prefix(1);
        c.star = true;
    }
    bool in_range = false;
    std::size_t i = 0;
    for (; i < pattern.size(); ++i) {
        if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
        else if (pattern[i] == '[') in_range = true;
        else if (pattern[i] == ']') in_range = false;
        else if (pattern[i] == '*' && !in_range) break;
    }
    c.text = pattern.substr(0, i);
    pattern.remove_prefix(i);
    return c;
}

enum class Match : std::uint8_t { no, yes, malformed };

bool take_class_rune(std::string_view& chunk, std::uint32_t& rune) {
    if (chunk.empty() || chunk[0] == '-' || chunk[0] == ']') return false;
    if (chunk[0] == '\\') {
        chunk.remove_prefix(1);
        if (chunk.empty()) return false;
    }
    const kube::CodePoint c = kube::decode_utf8(chunk, 0);
    rune = c.value;
    chunk.remove_prefix(c.bytes);
    return c.valid && !chunk.empty();
}

// After "[": takes the class and one rune of `s`.
Match match_class(std::string_view& chunk, std::string_view& s) {
    const kube::CodePoint r = kube::decode_utf8(s, 0);
    s.remove_prefix(r.bytes);
    const bool negated = chunk.starts_with('^');
    if (negated) chunk.remove_prefix(1);
    bool match = false;
    for (bool first = true;; first = false) {
        if (!first && chunk.starts_with(']')) break;
        std::uint32_t low = 0;
        if (!take_class_rune(chunk, low)) return Match::malformed;
        std::uint32_t high = low;
        if (chunk[0] == '-') {
            chunk.remove_prefix(1);
            if (!take_class_rune(chunk, high)) return Match::malformed;
        }
        if (low <= r.value && r.value <= high) match = true;
    }
    chunk.remove_prefix(1);
    return match != negated ? Match::yes : Match::no;
}

// Does `s` begin with `chunk`? `s` becomes what follows.
Match match_chunk(std::string_view chunk, std::string_view& s) {
    while (!chunk.empty()) {
        if (s.empty()) return Match::no;
        if (chunk[0] == '[') {
            chunk.remove_prefix(1);
            if (const Match m = match_class(chunk, s); m != Match::yes) return m;
            continue;
        }
        if (chunk[0] == '?') {
            s.remove_prefix(kube::decode_utf8(s, 0).bytes);
            chunk.remove_prefix(1);
            continue;
        }
        if (chunk[0] == '\\') {
            chunk.remove_prefix(1);
            if (chunk.empty()) return Match::malformed;
        }
        if (chunk[0] != s[0]) return Match::no;
        s.remove_prefix(1);
        chunk.remove_prefix(1);
    }
    return Match::yes;
}

// Tries the chunk further and further into `text`; on success `text` becomes what follows.
Match match_after_star(const Chunk& chunk, bool last, std::string_view& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view rest = text.substr(i + 1);
        const Match m = match_chunk(chunk.text, rest);
        if (m == Match::malformed) return m;
        if (m == Match::no || (last && !rest.empty())) continue;
        text = rest;
        return Match::yes;
    }
    return Match::no;
}

} // namespace

std::optional<bool> pattern_match(std::string_view pattern, std::string_view text) {
    while (!pattern.empty()) {
        const Chunk chunk = take_chunk(pattern);
        if (chunk.star && chunk.text.empty()) return true;
        std::string_view rest = text;
        const Match here = match_chunk(chunk.text, rest);
        if (here == Match::yes && (rest.empty() || !pattern.empty())) {
            text = rest;
            continue;
        }
        if (here == Match::malformed) return std::nullopt;
        if (!chunk.star) return false;
        switch (match_after_star(chunk, pattern.empty(), text)) {
        case Match::yes: break;
        case Match::no: return false;
        case Match::malformed: return std::nullopt;
        }
    }
    return text.empty();
}

// ---- prefixes and suffixes ----------------------------------------------------------------------------------------

namespace {

// Length of the prefix to cut; 0 when none matches.
std::size_t matching_prefix(std::string_view value, std::string_view pattern, Extent extent) {
    std::size_t shortest = 0;
    for (std::size_t n = value.size(); n > 0; --n) {
        const auto match = pattern_match(pattern, value.substr(0, n));
        if (!match) return 0;
        if (!*match) continue;
        if (extent == Extent::longest) return n;
        shortest = n;
    }
    return shortest;
}

// Invalid bytes become U+FFFD.
std::string reversed(std::string_view text) {
    std::vector<std::uint32_t> runes;
    runes.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const kube::CodePoint c = kube::decode_utf8(text, i);
        runes.push_back(c.value);
        i += c.bytes;
    }
    std::string out;
    out.reserve(text.size());
    for (auto it = runes.rbegin(); it != runes.rend(); ++it) kube::append_utf8(out, *it);
    return out;
}

} // namespace

Result<std::string> trim_prefix(std::string_view value, std::string_view pattern, Extent extent) {
    const std::uint64_t work = static_cast<std::uint64_t>(value.size()) * value.size() * (pattern.size() + 1);
    if (value.size() > 0xFFFF || work > kMaxMatchWork) return fail(ErrorCode::too_large, "the value is too long for a pattern");
    return std::string(value.substr(matching_prefix(value, pattern, extent)));
}

Result<std::string> trim_suffix(std::string_view value, std::string_view pattern, Extent extent) {
    TRY(const std::string rest, trim_prefix(reversed(value), reversed(pattern), extent));
    return reversed(rest);
}

// ---- substrings ---------------------------------------------------------------------------------------------------

namespace {

// Go's strconv.Atoi.
std::optional<std::int64_t> to_number(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::nullopt;
    }
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

} // namespace

Result<std::string> substring(std::string_view value, std::string_view offset, std::optional<std::string_view> length) {
    const auto position = to_number(offset);
    if (!position) return std::string(value);
    const auto size = static_cast<std::int64_t>(value.size());
    std::int64_t from = *position;
    if (from < 0) from = from < -size ? 0 : size + from;
    const std::string rest(from < size ? value.substr(static_cast<std::size_t>(from)) : std::string_view());
    if (!length) return rest;
    const auto count = to_number(*length);
    if (!count) return std::string(value);
    if (*count < 0 && from + *count >= size) return std::string();
    if (*count < 0) return fail(ErrorCode::invalid, "the length of a substring must not be negative");
    return rest.substr(0, static_cast<std::size_t>(*count));
}

// ---- replacements -------------------------------------------------------------------------------------------------

namespace {

std::string replace_empty(std::string_view value, std::string_view to, bool all) {
    std::string out(to);
    if (!all) return out.append(value);
    for (std::size_t i = 0; i < value.size();) {
        const std::size_t n = kube::decode_utf8(value, i).bytes;
        out.append(value.substr(i, n)).append(to);
        i += n;
    }
    return out;
}

} // namespace

Result<std::string> replace(std::string_view value, std::string_view from, std::string_view to, Occurrence which, std::size_t limit) {
    if (which == Occurrence::prefix && !value.starts_with(from)) return std::string(value);
    if (which == Occurrence::suffix) {
        if (!value.ends_with(from)) return std::string(value);
        return std::string(value.substr(0, value.size() - from.size())).append(to);
    }
    const bool all = which == Occurrence::all;
    if (from.empty()) {
        if (all && (value.size() + 1) * to.size() > limit) return fail(ErrorCode::too_large, "the substituted text is longer than 64 MiB");
        return replace_empty(value, to, all);
    }
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = value.find(from); found != std::string_view::npos; found = value.find(from, at)) {
        out.append(value.substr(at, found - at)).append(to);
        at = found + from.size();
        if (out.size() > limit) return fail(ErrorCode::too_large, "the substituted text is longer than 64 MiB");
        if (!all) break;
    }
    return out.append(value.substr(at));
}

} // namespace weber::gitops
