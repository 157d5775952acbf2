#include "agent/flags.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "kube/base/clock.h"

namespace weber::agent {

std::optional<bool> parse_bool(std::string_view text) {
    for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"})
        if (text == yes) return true;
    for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"})
        if (text == no) return false;
    return std::nullopt;
}

namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

std::string title(const Flag& flag) {
    return flag.letter ? std::string("-") + flag.letter + ", --" + std::string(flag.name) : "--" + std::string(flag.name);
}

// Why `value` will not do for `flag`; "" when it will.
std::string objection(const Flag& flag, const std::string& value) {
    switch (flag.kind) {
    case FlagKind::boolean:
        return parse_bool(value) ? "" : "strconv.ParseBool: parsing \"" + value + "\": invalid syntax";
    case FlagKind::integer:
        return parse_integer(value) ? "" : "strconv.ParseInt: parsing \"" + value + "\": invalid syntax";
    case FlagKind::duration: {
        const auto parsed = kube::parse_go_duration(value);
        return parsed ? "" : parsed.error().message;
    }
    default:
        return "";
    }
}

void split_commas(const std::string& text, std::vector<std::string>& out) {
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
        }
    }
    return row[b.size()];
}

std::string_view value_word(const Flag& flag) {
    if (!flag.value.empty()) return flag.value;
    switch (flag.kind) {
    case FlagKind::boolean: return "";
    case FlagKind::text: return "string";
    case FlagKind::integer: return "int";
    case FlagKind::duration: return "duration";
    case FlagKind::list: return "stringArray";
    case FlagKind::comma_list: return "strings";
    }
    return "";
}

} // namespace

const Flag* Flags::find(std::string_view name) const {
    for (const Flag& flag : table_)
        if (flag.name == name) return &flag;
    return nullptr;
}

const Flag* Flags::find_letter(char letter) const {
    for (const Flag& flag : table_)
        if (flag.letter != 0 && flag.letter == letter) return &flag;
    return nullptr;
}

const Flag& Flags::must_find(std::string_view name) const {
    const Flag* flag = find(name);
    assert(flag && "a flag that is in no table");
    return *flag;
}

bool Flags::given(std::string_view name) const { return values_.contains(must_find(name).name); }

std::string Flags::text(std::string_view name) const {
    const Flag& flag = must_find(name);
    const auto it = values_.find(name);
    return it == values_.end() ? std::string(flag.default_text) : it->second.back();
}

bool Flags::on(std::string_view name) const { return parse_bool(text(name)).value_or(false); }

std::int64_t Flags::integer(std::string_view name) const { return parse_integer(text(name)).value_or(0); }

std::chrono::nanoseconds Flags::duration(std::string_view name) const {
    return kube::parse_go_duration(text(name)).value_or(std::chrono::nanoseconds(0));
}

std::vector<std::string> Flags::list(std::string_view name) const {
    const Flag& flag = must_find(name);
    const auto it = values_.find(name);
    std::vector<std::string> raw;
    if (it != values_.end()) raw = it->second;
    else if (!flag.default_text.empty()) raw.emplace_back(flag.default_text);
    if (flag.kind != FlagKind::comma_list) return raw;
    std::vector<std::string> out;
    for (const std::string& text : raw) split_commas(text, out);
    return out;
}

Result<void> Flags::assign(const Flag& flag, const std::string& value) {
    if (const std::string why = objection(flag, value); !why.empty())
        return fail(ErrorCode::invalid, "invalid argument \"" + value + "\" for \"" + title(flag) + "\" flag: " + why);
    values_[std::string(flag.name)].push_back(value);
    return {};
}

Result<std::size_t> Flags::parse_long(std::span<const std::string> words, std::size_t at) {
    const std::string_view word = std::string_view(words[at]).substr(2);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (name.empty() || name.front() == '-') return fail(ErrorCode::invalid, "bad flag syntax: " + words[at]);
    const Flag* flag = find(name);
    if (!flag) {
        std::vector<std::string> names;
        for (const Flag& f : table_)
            if (!f.hidden) names.emplace_back(f.name);
        const std::string near = nearest(name, names);
        return fail(Error{.code = ErrorCode::invalid, .message = "unknown flag: --" + std::string(name),
                          .hint = near.empty() ? "" : "did you mean --" + near + "?"});
    }
    if (equals != std::string_view::npos) {
        TRY_VOID(assign(*flag, std::string(word.substr(equals + 1))));
        return at + 1;
    }
    if (flag->kind == FlagKind::boolean) {
        TRY_VOID(assign(*flag, "true"));
        return at + 1;
    }
    if (at + 1 >= words.size()) return fail(ErrorCode::invalid, "flag needs an argument: --" + std::string(name));
    TRY_VOID(assign(*flag, words[at + 1]));
    return at + 2;
}

Result<std::size_t> Flags::parse_short(std::span<const std::string> words, std::size_t at) {
    const std::string& word = words[at];
    for (std::size_t i = 1; i < word.size(); ++i) {
        const Flag* flag = find_letter(word[i]);
        if (!flag)
            return fail(ErrorCode::invalid, std::string("unknown shorthand flag: '") + word[i] + "' in -" + word.substr(i));
        if (i + 2 < word.size() && word[i + 1] == '=') {
            TRY_VOID(assign(*flag, word.substr(i + 2)));
            return at + 1;
        }
        if (flag->kind == FlagKind::boolean) {
            TRY_VOID(assign(*flag, "true"));
            continue;
        }
        if (i + 1 < word.size()) {
            TRY_VOID(assign(*flag, word.substr(i + 1)));
            return at + 1;
        }
        if (at + 1 >= words.size())
            return fail(ErrorCode::invalid, std::string("flag needs an argument: '") + word[i] + "' in -" + word.substr(i));
        TRY_VOID(assign(*flag, words[at + 1]));
        return at + 2;
    }
    return at + 1;
}

Result<std::vector<std::string>> Flags::parse(std::span<const std::string> words) {
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < words.size();) {
        const std::string& word = words[at];
        if (word == "--") {
            arguments.insert(arguments.end(), words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            arguments.push_back(word);
            ++at;
            continue;
        }
        TRY(at, word[1] == '-' ? parse_long(words, at) : parse_short(words, at));
    }
    return arguments;
}

bool Flags::takes_next(std::string_view word) const {
    if (word.starts_with("--")) {
        if (word.find('=') != std::string_view::npos) return false;
        const Flag* flag = find(word.substr(2));
        return flag && flag->kind != FlagKind::boolean;
    }
    if (word.size() != 2 || word[0] != '-') return false;
    const Flag* flag = find_letter(word[1]);
    return flag && flag->kind != FlagKind::boolean;
}

std::string describe(std::span<const Flag> table) {
    std::vector<const Flag*> shown;
    for (const Flag& flag : table)
        if (!flag.hidden) shown.push_back(&flag);
    std::ranges::sort(shown, {}, [](const Flag* f) { return f->name; });
    std::vector<std::string> left;
    std::size_t width = 0;
    for (const Flag* flag : shown) {
        std::string text = flag->letter ? std::string("  -") + flag->letter + ", --" : std::string("      --");
        text += flag->name;
        if (const std::string_view word = value_word(*flag); !word.empty()) text += " " + std::string(word);
        width = std::max(width, text.size());
        left.push_back(std::move(text));
    }
    std::string out;
    for (std::size_t i = 0; i < shown.size(); ++i) {
        out += left[i] + std::string(width - left[i].size() + 3, ' ') + std::string(shown[i]->help);
        const std::string_view value = shown[i]->default_text;
        if (!value.empty() && value != "false") out += " (default " + std::string(value) + ")";
        out += '\n';
    }
    return out;
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
    std::string best;
    std::size_t least = 3;
    for (const std::string& candidate : known) {
        const bool begins = word.size() >= 2 && candidate.starts_with(word);
        const std::size_t d = begins ? 1 : distance(word, candidate);
        if (d < least && (begins || d * 2 <= candidate.size())) least = d, best = candidate;
    }
    return best;
}

} // namespace weber::agent
