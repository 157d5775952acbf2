#include "kube/base/selector.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace weber::kube {
namespace {

std::optional<std::int64_t> to_int64(std::string_view text) {
    if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
    std::int64_t value = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_lower_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }

// Letters and digits at both ends, also - _ . between.
bool is_name(std::string_view s) {
    if (s.empty() || !is_alnum(s.front()) || !is_alnum(s.back())) return false;
    return std::ranges::all_of(s, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

// Dot-separated labels of lower-case letters, digits and inner dashes.
bool is_dns_subdomain(std::string_view s) {
    if (s.empty()) return false;
    while (true) {
        const std::size_t dot = s.find('.');
        const std::string_view label = s.substr(0, dot);
        if (label.empty() || !is_lower_alnum(label.front()) || !is_lower_alnum(label.back())) return false;
        if (!std::ranges::all_of(label, [](char c) { return is_lower_alnum(c) || c == '-'; })) return false;
        if (dot == std::string_view::npos) return true;
        s.remove_prefix(dot + 1);
    }
}

constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

void add_problem(std::string& problems, std::string_view part, std::string_view text) {
    if (!problems.empty()) problems += "; ";
    problems.append(part).append(text);
}

std::string quoted(std::string_view s) {
    std::string out = "\"";
    for (const char c : s) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string too_long(int limit, SelectorWords words) {
    return "must be no more than " + std::to_string(limit) + (words == SelectorWords::kyaml ? " characters" : " bytes");
}

enum class Token : std::uint8_t { error, end, close, comma, bang, double_equals, equals, greater, identifier, in, less, not_equals, not_in, open };

struct Item {
    Token token = Token::end;
    std::string text;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_special(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

std::vector<Item> scan(std::string_view s) {
    static constexpr std::pair<std::string_view, Token> kSymbols[] = { // longest first
        {"==", Token::double_equals}, {"!=", Token::not_equals}, {")", Token::close}, {"(", Token::open}, {",", Token::comma},
        {"!", Token::bang},           {"=", Token::equals},      {">", Token::greater}, {"<", Token::less}};
    std::vector<Item> items;
    std::size_t at = 0;
    while (true) {
        while (at < s.size() && is_space(s[at])) ++at;
        if (at >= s.size() || s[at] == '\0') break;
        if (is_special(s[at])) {
            const auto* symbol = std::ranges::find_if(kSymbols, [&](const auto& k) { return s.substr(at).starts_with(k.first); });
            items.push_back({symbol->second, std::string(symbol->first)});
            at += symbol->first.size();
            continue;
        }
        const std::size_t begin = at;
        while (at < s.size() && s[at] != '\0' && !is_special(s[at]) && !is_space(s[at])) ++at;
        std::string word(s.substr(begin, at - begin));
        const Token token = word == "in" ? Token::in : word == "notin" ? Token::not_in : Token::identifier;
        items.push_back({token, std::move(word)});
    }
    items.push_back({Token::end, ""});
    return items;
}

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

// The grammar of label selectors. Every method consumes items; the last item is always `end` and never passed.
class Parser {
public:
    Parser(std::string_view text, SelectorWords words) : items_(scan(text)), words_(words) {}

    Result<std::vector<Requirement>> parse() {
        std::vector<Requirement> out;
        while (true) {
            const Item& item = peek();
            if (item.token == Token::end) return out;
            if (!starts_requirement(item.token))
                return bad("found '" + item.text + "', expected: !, identifier, or 'end of string'");
            Result<Requirement> r = requirement();
            if (!r) return fail(std::move(r).error().with_prefix("unable to parse requirement: "));
            out.push_back(std::move(*r));
            const Item& next = take();
            if (next.token == Token::end) return out;
            if (next.token != Token::comma) return bad("found '" + next.text + "', expected: ',' or 'end of string'");
            if (!starts_requirement(peek().token)) return bad("found '" + peek().text + "', expected: identifier after ','");
        }
    }

private:
    // `in` and `notin` are plain words where a key or value may stand.
    static bool is_word(Token t) { return t == Token::identifier || t == Token::in || t == Token::not_in; }
    static bool starts_requirement(Token t) { return is_word(t) || t == Token::bang; }

    [[nodiscard]] const Item& peek() const { return items_[position_]; }
    const Item& take() {
        const Item& item = items_[position_];
        if (position_ + 1 < items_.size()) ++position_;
        return item;
    }

    Result<Requirement> requirement() {
        Requirement r;
        bool negated = false;
        if (peek().token == Token::bang) {
            negated = true;
            take();
        }
        const Item& key = take();
        if (!is_word(key.token)) return bad("found '" + key.text + "', expected: identifier");
        if (std::string problem = label_key_problem(key.text, words_); !problem.empty())
            return bad((words_ == SelectorWords::kyaml ? "invalid label key " : "<nil>: Invalid value: ") + quoted(key.text) + ": " + problem);
        r.key = key.text;
        if (negated || peek().token == Token::end || peek().token == Token::comma) {
            r.op = negated ? SelectorOp::not_exists : SelectorOp::exists;
            return r;
        }
        TRY(r.op, comparison());
        if (r.op == SelectorOp::in || r.op == SelectorOp::not_in) {
            TRY(r.values, value_set());
        } else {
            TRY(r.values, single_value());
        }
        return checked(std::move(r));
    }

    [[nodiscard]] Result<Requirement> checked(Requirement r) const {
        std::vector<std::string> problems;
        const bool api = words_ == SelectorWords::api_server;
        if ((r.op == SelectorOp::greater || r.op == SelectorOp::less) && !to_int64(r.values.front()))
            problems.push_back((api ? "values[0]: Invalid value: " + quoted(r.values.front()) + ": " : "") + "for 'Gt', 'Lt' operators, the value must be an integer");
        for (std::size_t i = 0; i < r.values.size(); ++i) {
            const std::string& v = r.values[i];
            const std::string problem = label_value_problem(v, words_);
            if (!problem.empty())
                problems.push_back(api ? "values[" + std::to_string(i) + "][" + r.key + "]: Invalid value: " + quoted(v) + ": " + problem
                                       : "invalid label value: " + quoted(v) + ": at key: " + quoted(r.key) + ": " + problem);
        }
        if (problems.empty()) return r;
        if (!api || problems.size() == 1) return bad(problems.front());
        std::string all;
        for (const std::string& p : problems) all += (all.empty() ? "[" : ", ") + p;
        return bad(all + "]");
    }

    Result<SelectorOp> comparison() {
        const Item& item = take();
        switch (item.token) {
        case Token::in: return SelectorOp::in;
        case Token::not_in: return SelectorOp::not_in;
        case Token::equals:
        case Token::double_equals: return SelectorOp::equals;
        case Token::not_equals: return SelectorOp::not_equals;
        case Token::greater: return SelectorOp::greater;
        case Token::less: return SelectorOp::less;
        default: return bad("found '" + item.text + "', expected: in, notin, =, ==, !=, gt, lt");
        }
    }

    // "(a,,b)": an empty place between commas is the empty value.
    Result<std::vector<std::string>> value_set() {
        if (const Item& open = take(); open.token != Token::open) return bad("found '" + open.text + "' expected: '('");
        std::set<std::string> values;
        bool expect_value = true; // after ( and ,
        for (bool first = true;; first = false) {
            const Item& item = take();
            if (is_word(item.token) && expect_value) {
                values.insert(item.text);
                expect_value = false;
            } else if (item.token == Token::comma) {
                if (expect_value) values.insert("");
                expect_value = true;
            } else if (item.token == Token::close) {
                if (expect_value) values.insert("");
                return std::vector<std::string>(values.begin(), values.end());
            } else if (expect_value) {
                return bad("found '" + item.text + (first ? "', expected: ',', ')' or identifier" : "', expected: ',', or identifier"));
            } else {
                return bad("found '" + item.text + "', expected: ',' or ')'");
            }
        }
    }

    Result<std::vector<std::string>> single_value() {
        if (peek().token == Token::end || peek().token == Token::comma) return std::vector<std::string>{""};
        const Item& item = take();
        if (is_word(item.token)) return std::vector<std::string>{item.text};
        return bad("found '" + item.text + "', expected: identifier");
    }

    std::vector<Item> items_;
    std::size_t position_ = 0;
    SelectorWords words_;
};

// Splits at commas that no backslash escapes.
std::vector<std::string_view> split_terms(std::string_view s) {
    std::vector<std::string_view> terms;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '\\') {
            ++i;
        } else if (s[i] == ',') {
            terms.push_back(s.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    terms.push_back(s.substr(begin));
    return terms;
}

// Errors: a backslash before something that needs none, a bare `=` or `,` (which the message tells by its number, as Go's %v of a rune).
Result<std::string> unescape_value(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '=' || s[i] == ',') return bad("invalid field selector: unescaped character in value: " + std::to_string(static_cast<int>(s[i])));
        if (s[i] == '\\') {
            if (++i == s.size()) return bad("invalid field selector: invalid escape sequence: \\");
            if (std::string_view("\\,=").find(s[i]) == std::string_view::npos) {
                std::size_t end = i + 1; // of the character, which may have several bytes
                while (end < s.size() && (static_cast<unsigned char>(s[end]) & 0xc0U) == 0x80U) ++end;
                return bad("invalid field selector: invalid escape sequence: \\" + std::string(s.substr(i, end - i)));
            }
        }
        out += s[i];
    }
    return out;
}

Result<FieldSelector::Term> parse_term(std::string_view s, std::string_view whole) {
    for (std::size_t i = 0; i < s.size(); ++i) {
        const std::string_view rest = s.substr(i);
        const std::size_t length = rest.starts_with("!=") || rest.starts_with("==") ? 2 : rest.starts_with("=") ? 1 : 0;
        if (length == 0) continue;
        TRY(std::string value, unescape_value(rest.substr(length)));
        return FieldSelector::Term{std::string(s.substr(0, i)), std::move(value), rest[0] != '!'};
    }
    return bad("invalid selector: '" + std::string(whole) + "'; can't understand '" + std::string(s) + "'");
}

std::string_view field_text(const Node& object, std::string_view field) {
    const Node* at = &object;
    while (at != nullptr) {
        const std::size_t dot = field.find('.');
        at = at->find(field.substr(0, dot));
        if (dot == std::string_view::npos) break;
        field.remove_prefix(dot + 1);
    }
    return at != nullptr ? at->text() : std::string_view();
}

} // namespace

std::string label_key_problem(std::string_view key, SelectorWords words) {
    std::string problems;
    const std::size_t slash = key.find('/');
    if (slash != std::string_view::npos && key.find('/', slash + 1) != std::string_view::npos) {
        return std::string(words == SelectorWords::kyaml ? "a qualified name " : "a valid label key ") + std::string(kNameRule) + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    }
    std::string_view name = key;
    if (slash != std::string_view::npos) {
        const std::string_view prefix = key.substr(0, slash);
        name = key.substr(slash + 1);
        if (prefix.empty()) add_problem(problems, "prefix part ", "must be non-empty");
        else if (prefix.size() > 253) add_problem(problems, "prefix part ", too_long(253, words));
        if (!prefix.empty() && !is_dns_subdomain(prefix)) add_problem(problems, "prefix part ", kSubdomainRule);
    }
    if (name.empty()) add_problem(problems, "name part ", "must be non-empty");
    else if (name.size() > 63) add_problem(problems, "name part ", too_long(63, words));
    if (!is_name(name)) add_problem(problems, "name part ", kNameRule);
    return problems;
}

std::string label_value_problem(std::string_view value, SelectorWords words) {
    std::string problems;
    if (value.size() > 63) add_problem(problems, "", too_long(63, words));
    if (!value.empty() && !is_name(value)) add_problem(problems, "", kValueRule);
    return problems;
}

bool Requirement::matches(const std::string_view* value) const {
    const auto has = [&] { return std::ranges::find(values, *value) != values.end(); };
    switch (op) {
    case SelectorOp::in:
    case SelectorOp::equals: return value != nullptr && has();
    case SelectorOp::not_in:
    case SelectorOp::not_equals: return value == nullptr || !has();
    case SelectorOp::exists: return value != nullptr;
    case SelectorOp::not_exists: return value == nullptr;
    case SelectorOp::greater:
    case SelectorOp::less: break;
    }
    if (value == nullptr) return false;
    const std::optional<std::int64_t> ours = to_int64(*value), bound = to_int64(values.front());
    if (!ours || !bound) return false;
    return op == SelectorOp::greater ? *ours > *bound : *ours < *bound;
}

Result<LabelSelector> LabelSelector::parse(std::string_view text, SelectorWords words) {
    LabelSelector selector;
    TRY(selector.requirements_, Parser(text, words).parse());
    std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
    return selector;
}

bool LabelSelector::matches(const Node* labels) const {
    return std::ranges::all_of(requirements_, [&](const Requirement& r) {
        const Node* found = labels != nullptr ? labels->find(r.key) : nullptr;
        if (found == nullptr) return r.matches(nullptr);
        const std::string_view value = found->text();
        return r.matches(&value);
    });
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
    FieldSelector selector;
    std::vector<std::string_view> terms = split_terms(text);
    std::ranges::sort(terms); // the first wrong one in this order is told
    for (const std::string_view term : terms) {
        if (term.empty()) continue;
        TRY(Term parsed, parse_term(term, text));
        if (parsed.field.empty() && parsed.value.empty()) continue; // "=" asks for nothing
        selector.terms_.push_back(std::move(parsed));
    }
    return selector;
}

bool FieldSelector::matches(const Node& object) const {
    return std::ranges::all_of(terms_, [&](const Term& t) { return (field_text(object, t.field) == t.value) == t.equal; });
}

std::string selector_text(const Node& label_selector) {
    std::vector<std::pair<std::string, std::string>> terms; // by key
    if (const Node* labels = label_selector.find("matchLabels"))
        for (const auto& [key, value] : labels->entries()) terms.emplace_back(key.str(), key.str() + "=" + std::string(value.text()));
    const Node* expressions = label_selector.find("matchExpressions");
    for (const Node& e : expressions != nullptr ? expressions->items() : std::span<const Node>()) {
        const std::string key(e.text_at("key"));
        const std::string_view op = e.text_at("operator");
        if (op == "Exists" || op == "DoesNotExist") {
            terms.emplace_back(key, (op == "Exists" ? "" : "!") + key);
            continue;
        }
        std::vector<std::string> sorted;
        if (const Node* list = e.find("values"))
            for (const Node& v : list->items()) sorted.emplace_back(v.text());
        std::ranges::sort(sorted);
        std::string values;
        for (const std::string& v : sorted) values += (values.empty() ? "" : ",") + v;
        terms.emplace_back(key, key + (op == "NotIn" ? " notin (" : " in (") + values + ")");
    }
    std::ranges::stable_sort(terms, {}, &std::pair<std::string, std::string>::first);
    std::string out;
    for (const auto& [key, term] : terms) out += (out.empty() ? "" : ",") + term;
    return out;
}

} // namespace weber::kube
