#include "gitops/substitute/expand.h"

#include "gitops/substitute/expression.h"
#include "gitops/substitute/functions.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kMaxOutput = 64u << 20; // bytes: what the YAML reader takes

bool has_default(std::string_view op) { return op == "=" || op == ":=" || op == ":-" || op == ":?" || op == ":+"; }

class Expander {
public:
    Expander(const Variables& variables, bool strict) : variables_(variables), strict_(strict) {}

    Result<void> append(const Expression& e, std::string& out) {
        std::vector<std::string> arguments(e.arguments.size()); // evaluated even where the value is not needed
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            arguments[i] = e.arguments[i].text;
            if (!e.arguments[i].expression) continue;
            TRY_VOID(append(*e.arguments[i].expression, arguments[i]));
        }
        const auto it = variables_.find(e.name);
        if (it == variables_.end() && strict_ && !has_default(e.op))
            return fail(ErrorCode::invalid, "variable not set (strict mode): \"" + std::string(e.name) + "\"");
        const std::string_view value = it == variables_.end() ? std::string_view() : std::string_view(it->second);
        if (e.op.empty()) return put(value, out);
        TRY(const std::string result, apply(e.op, value, arguments));
        return put(result, out);
    }

    Result<void> put(std::string_view text, std::string& out) const {
        if (out.size() + text.size() > kMaxOutput) return fail(ErrorCode::too_large, "the substituted text is longer than 64 MiB");
        out += text;
        return {};
    }

private:
    static Result<std::string> apply(std::string_view op, std::string_view value, const std::vector<std::string>& arguments) {
        switch (op.front()) {
        case '^': return op.size() == 1 ? to_upper_first(value) : op == "^^" ? to_upper(value) : std::string(value);
        case ',': return op.size() == 1 ? to_lower_first(value) : op == ",," ? to_lower(value) : std::string(value);
        case '#':
            if (arguments.empty()) return std::to_string(value.size());
            return trim_prefix(value, arguments[0], op.size() == 1 ? Extent::shortest : Extent::longest);
        case '%': return trim_suffix(value, arguments[0], op.size() == 1 ? Extent::shortest : Extent::longest);
        case '/': return replaced(op, value, arguments);
        default: break;
        }
        if (op == ":") return substring(value, arguments[0], arguments.size() > 1 ? std::optional<std::string_view>(arguments[1]) : std::nullopt);
        if (!value.empty()) return std::string(value);
        std::string word;
        for (const std::string& a : arguments) word += a;
        return word;
    }

    static Result<std::string> replaced(std::string_view op, std::string_view value, const std::vector<std::string>& arguments) {
        const Occurrence which = op == "//" ? Occurrence::all : op == "/#" ? Occurrence::prefix : op == "/%" ? Occurrence::suffix : Occurrence::first;
        const bool anchored = which == Occurrence::prefix || which == Occurrence::suffix;
        if (anchored && arguments.size() != 2) return std::string(value); // no replacement: unchanged
        return replace(value, arguments[0], arguments.size() > 1 ? std::string_view(arguments[1]) : std::string_view(), which, kMaxOutput);
    }

    const Variables& variables_;
    bool strict_;
};

} // namespace

Result<void> expand(std::string_view text, const Variables& variables, bool strict, std::string& out) {
    TRY(const std::vector<TemplatePart> parts, parse_template(text));
    Expander expander(variables, strict);
    for (const TemplatePart& part : parts) {
        TRY_VOID(part.expression ? expander.append(*part.expression, out) : expander.put(part.text, out));
    }
    return {};
}

Result<std::string> expand(std::string_view text, const Variables& variables, bool strict) {
    std::string out;
    TRY_VOID(expand(text, variables, strict, out));
    return out;
}

} // namespace weber::gitops
