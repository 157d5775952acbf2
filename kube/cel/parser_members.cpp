// Names, selections, calls and what stands in parentheses.
#include <array>

#include "kube/cel/parser_grammar.h"

namespace weber::cel {

using namespace expected;

namespace {

bool is_reserved(std::string_view word) {
    static constexpr std::array<std::string_view, 21> kWords{"as",     "break", "const",  "continue", "else",      "false", "for",    "function", "if",   "import", "in",
                                                             "let",    "loop",  "package", "namespace", "null", "return", "true",     "var",  "void",   "while"};
    return std::ranges::find(kWords, word) != kWords.end();
}

} // namespace

ExprPtr Parser::member(Expected follow) {
    Rule rule(*this, member_depth_, follow);
    ExprPtr e = primary(kMemberTail);
    while (in_.la() == dot || in_.la() == l_bracket) {
        bool ok = true;
        if (in_.la() == l_bracket) e = index(std::move(e), ok);
        else if (in_.la(2) == identifier && in_.la(3) == l_paren) e = member_call(std::move(e), ok);
        else if (in_.la(2) == identifier || in_.la(2) == esc_identifier || in_.la(2) == question) e = select(std::move(e));
        else {
            no_alternative(126, 2);
            return e;
        }
        if (!ok) {
            in_.recover();
            return e;
        }
    }
    return e;
}

ExprPtr Parser::select(ExprPtr operand) {
    const Offset at = in_.accept()->from;
    bool optional = false;
    if (in_.la() == question) {
        in_.accept();
        optional = true;
    }
    const Offset name_at = in_.at().from;
    const std::optional<std::string> name = escape_ident(kMemberTail);
    if (!name) {
        complain(name_at, "unsupported ident kind");
        return broken(at);
    }
    const int below = operand->depth;
    if (optional) {
        ExprPtr field = make_.make(ExprKind::literal, name_at);
        field->literal = Value::string(*name);
        const std::int64_t id = make_.next_id();
        return deeper(call(id, at, "_?._", pack(std::move(operand), std::move(field))), below);
    }
    ExprPtr e = make_.make(ExprKind::select, at);
    e->name = *name;
    e->target = std::move(operand);
    return deeper(std::move(e), below);
}

ExprPtr Parser::member_call(ExprPtr target, bool& ok) {
    in_.accept();
    const std::string name = text(*in_.accept());
    const TokenAt open = *in_.accept();
    const std::int64_t id = make_.next_id();
    std::vector<ExprPtr> args;
    ok = call_arguments(args, 115, 117, kMemberTail);
    return expand(id, open.from, name, std::move(target), std::move(args));
}

ExprPtr Parser::index(ExprPtr target, bool& ok) {
    const TokenAt open = *in_.accept();
    const std::int64_t id = make_.next_id();
    bool optional = false;
    ok = in_.sync(121, kOptExprStart);
    if (!ok) return broken(open.from);
    if (in_.la() == question) {
        in_.accept();
        optional = true;
    }
    ExprPtr at = expr(Expected{r_bracket});
    ok = in_.match(124, r_bracket, kMemberTail) != nullptr;
    const int below = std::max(target->depth, at->depth);
    return deeper(call(id, open.from, optional ? "_[?_]" : "_[_]", pack(std::move(target), std::move(at))), below);
}

bool Parser::call_arguments(std::vector<ExprPtr>& args, int sync_state, int match_state, Expected after) {
    if (!in_.sync(sync_state, kExprStart | Expected{r_paren})) return false;
    if (kExprStart.has(in_.la())) {
        in_.enter(Expected{r_paren});
        args.push_back(expr(Expected{comma}.or_end()));
        while (in_.la() == comma) {
            in_.accept();
            args.push_back(expr(Expected{comma}.or_end()));
        }
        in_.leave();
    }
    return in_.match(match_state, r_paren, after) != nullptr;
}

ExprPtr Parser::expand(std::int64_t id, Offset at, const std::string& name, ExprPtr target, std::vector<ExprPtr> args) {
    const bool member = target != nullptr;
    const int below = std::max(depth_of(args), member ? static_cast<int>(target->depth) : 0);
    MacroResult macro = expand_macro(make_, name, at, target, args);
    ExprPtr e;
    if (macro.error) {
        make_.drop_id(id);
        complain(macro.error->at, macro.error->message);
        e = broken(macro.error->at);
    } else if (macro.expr) {
        make_.drop_id(id);
        e = std::move(macro.expr);
    } else {
        e = call(id, at, name, std::move(args));
        e->target = std::move(target);
    }
    if (make_.too_many()) give_up("expression size exceeds limit after macro expansion");
    e->depth = static_cast<std::uint16_t>(below);
    return member ? deeper(std::move(e), below) : std::move(e);
}

ExprPtr Parser::primary(Expected follow) {
    in_.enter(follow);
    ExprPtr e = primary_body();
    in_.leave();
    return ensure(std::move(e));
}

ExprPtr Parser::primary_body() {
    if (!in_.sync(184, kMemberStart)) return failed();
    switch (in_.la()) {
    case l_paren: return nested();
    case l_bracket: return list();
    case l_brace: return map();
    case identifier: return named(0);
    case dot:
        if (in_.la(2) != identifier) return no_alternative(184, 2);
        return named(1);
    default: break;
    }
    if (!kMemberStart.has(in_.la())) return no_alternative(184, 1);
    return literal();
}

ExprPtr Parser::named(std::size_t leading) {
    if (in_.la(leading + 2) == l_paren) return global_call();
    std::size_t i = leading + 2;
    while (in_.la(i) == dot && in_.la(i + 1) == identifier) i += 2;
    if (in_.la(i) == l_brace) return message();
    const Offset at = in_.at().from;
    std::string name;
    if (leading != 0) {
        in_.accept();
        name = ".";
    }
    const TokenAt id = *in_.accept();
    const std::string word = text(id);
    if (is_reserved(word)) {
        complain(at, "reserved identifier: " + word);
        return broken(at);
    }
    ExprPtr e = make_.make(ExprKind::ident, id.from);
    e->name = name + word;
    return e;
}

ExprPtr Parser::global_call() {
    const Offset at = in_.at().from;
    std::string name;
    if (in_.la() == dot) {
        in_.accept();
        name = ".";
    }
    const std::string word = text(*in_.accept());
    const TokenAt open = *in_.accept();
    const bool reserved = is_reserved(word);
    if (reserved) complain(at, "reserved identifier: " + word);
    const std::int64_t id = make_.next_id();
    std::vector<ExprPtr> args;
    const std::size_t complaints = late_.size();
    if (!call_arguments(args, 141, 143, kEnd)) in_.recover();
    if (reserved) {
        late_.resize(complaints); // the arguments are not looked at
        return broken(at);
    }
    return expand(id, open.from, name + word, nullptr, std::move(args));
}

ExprPtr Parser::nested() {
    in_.accept();
    ExprPtr e = expr(Expected{r_paren});
    if (in_.match(146, r_paren, kEnd) == nullptr) in_.recover();
    return e;
}

} // namespace weber::cel
