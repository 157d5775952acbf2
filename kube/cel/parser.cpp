#include "kube/cel/parser.h"

#include <array>
#include <optional>

#include "kube/cel/go_format.h"
#include "kube/cel/macros.h"
#include "kube/cel/recognizer.h"
#include "kube/cel/unescape.h"

namespace weber::cel {

namespace {

using enum Token;

constexpr Expected kLiteralStart{true_word, false_word, null_word, num_float, num_int, num_uint, string, bytes};
constexpr Expected kMemberStart = Expected{l_bracket, l_brace, l_paren, dot, minus, identifier} | kLiteralStart;
constexpr Expected kExprStart = kMemberStart | Expected{exclam};
constexpr Expected kOptExprStart = kExprStart | Expected{question};
constexpr Expected kFieldStart{question, identifier, esc_identifier};
constexpr Expected kMemberTail = Expected{dot, l_bracket}.or_end();
constexpr Expected kRelation{equals, not_equals, in, less, less_equals, greater_equals, greater};
constexpr Expected kMultiply{star, slash, percent};
constexpr Expected kAdd{plus, minus};
constexpr Expected kEnd = Expected{}.or_end();

std::string_view operator_name(Token t) {
    switch (t) {
    case equals: return "_==_";
    case not_equals: return "_!=_";
    case in: return "@in";
    case less: return "_<_";
    case less_equals: return "_<=_";
    case greater: return "_>_";
    case greater_equals: return "_>=_";
    case star: return "_*_";
    case slash: return "_/_";
    case percent: return "_%_";
    case plus: return "_+_";
    default: return "_-_";
    }
}

bool is_reserved(std::string_view word) {
    static constexpr std::array<std::string_view, 21> kWords{"as",     "break", "const",  "continue", "else",      "false", "for",    "function", "if",   "import", "in",
                                                             "let",    "loop",  "package", "namespace", "null", "return", "true",     "var",  "void",   "while"};
    return std::ranges::find(kWords, word) != kWords.end();
}

// The grammar CEL.g4 as a recursive descent. Numbers passed to match() and sync() name places in the grammar.
class Parser {
public:
    Parser(const Source& source, Issues& issues) : source_(source), issues_(issues), in_(source, issues) {}

    ExprPtr run() {
        if (in_.gave_up()) return nullptr;
        try {
            ExprPtr e = start();
            for (auto& [at, message] : late_) issues_.report(at, std::move(message));
            return issues_.empty() ? std::move(e) : nullptr;
        } catch (const GiveUp&) {
            return nullptr;
        }
    }

private:
    // Rules of the grammar that nest count their depth, each by itself, as cel-go's listener does.
    class Rule {
    public:
        Rule(Parser& p, int& depth, Expected follow) : parser_(p), depth_(depth) {
            if (++depth_ > kMaxNesting) parser_.give_up("expression recursion limit exceeded: " + std::to_string(kMaxNesting));
            parser_.in_.enter(follow);
        }
        Rule(const Rule&) = delete;
        ~Rule() {
            parser_.in_.leave();
            --depth_;
        }

    private:
        Parser& parser_;
        int& depth_;
    };

    [[noreturn]] void give_up(std::string message) {
        issues_.report(kNowhere, std::move(message));
        throw GiveUp{.internal = true};
    }

    // Problems of the tree rather than of the syntax; cel-go finds them after the syntax is read.
    void complain(Offset at, std::string message) { late_.emplace_back(at, std::move(message)); }

    ExprPtr broken(Offset at = kNowhere) { return make_.make(ExprKind::broken, at); }
    ExprPtr ensure(ExprPtr e) { return e ? std::move(e) : broken(); }

    [[nodiscard]] std::string text(const TokenAt& t) const { return source_.text(t.from, t.to); }

    // A node that counts as one level of nesting.
    ExprPtr deeper(ExprPtr e, int below) {
        if (below >= kMaxNesting) give_up("max recursion depth exceeded");
        e->depth = static_cast<std::uint16_t>(below + 1);
        return e;
    }
    static int depth_of(const std::vector<ExprPtr>& args) {
        int depth = 0;
        for (const ExprPtr& a : args) depth = std::max<int>(depth, a->depth);
        return depth;
    }

    ExprPtr call(std::int64_t id, Offset at, std::string_view function, std::vector<ExprPtr> args) {
        ExprPtr e = make_.make(ExprKind::call, at, id);
        e->name = function;
        e->depth = static_cast<std::uint16_t>(depth_of(args));
        e->args = std::move(args);
        return e;
    }
    template <class... E>
    static std::vector<ExprPtr> pack(E... e) {
        std::vector<ExprPtr> out;
        (out.push_back(std::move(e)), ...);
        return out;
    }

    // ---- rules ---------------------------------------------------------------------------------------

    ExprPtr start() {
        in_.enter({});
        ExprPtr e = expr(Expected{end});
        if (in_.match(35, end, kEnd) == nullptr) in_.recover();
        in_.leave();
        return e;
    }

    // conditionalOr ('?' conditionalOr ':' expr)?
    ExprPtr expr(Expected follow) {
        Rule rule(*this, expr_depth_, follow);
        ExprPtr condition = conditional_or(Expected{question}.or_end());
        if (in_.la() != question) return condition;
        const TokenAt op = *in_.accept();
        const std::int64_t id = make_.next_id();
        ExprPtr yes = conditional_or(Expected{colon});
        if (in_.match(40, colon, kExprStart) == nullptr) {
            in_.recover();
            return call(id, op.from, "_?_:_", pack(ensure(std::move(condition)), ensure(std::move(yes)), broken()));
        }
        ExprPtr no = expr(kEnd);
        const int below = std::max({condition->depth, yes->depth, no->depth});
        return deeper(call(id, op.from, "_?_:_", pack(std::move(condition), std::move(yes), std::move(no))), below);
    }

    ExprPtr conditional_or(Expected follow) {
        in_.enter(follow);
        std::vector<ExprPtr> terms = pack(conditional_and(Expected{logical_or}.or_end()));
        std::vector<std::pair<std::int64_t, Offset>> ops;
        while (in_.la() == logical_or) {
            const Offset at = in_.accept()->from;
            terms.push_back(conditional_and(Expected{logical_or}.or_end()));
            ops.emplace_back(make_.next_id(), at);
        }
        in_.leave();
        return balance("_||_", terms, ops);
    }

    ExprPtr conditional_and(Expected follow) {
        in_.enter(follow);
        std::vector<ExprPtr> terms = pack(relation(0, Expected{logical_and}.or_end()));
        std::vector<std::pair<std::int64_t, Offset>> ops;
        while (in_.la() == logical_and) {
            const Offset at = in_.accept()->from;
            terms.push_back(relation(0, Expected{logical_and}.or_end()));
            ops.emplace_back(make_.next_id(), at);
        }
        in_.leave();
        return balance("_&&_", terms, ops);
    }

    // a && b && c as a balanced tree: a long chain must not nest deeply.
    ExprPtr balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops) {
        if (ops.empty()) return std::move(terms[0]);
        return balance(function, terms, ops, 0, ops.size() - 1);
    }
    ExprPtr balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops, std::size_t lo,
                    std::size_t hi) {
        const std::size_t mid = (lo + hi + 1) / 2;
        ExprPtr left = mid == lo ? std::move(terms[mid]) : balance(function, terms, ops, lo, mid - 1);
        ExprPtr right = mid == hi ? std::move(terms[mid + 1]) : balance(function, terms, ops, mid + 1, hi);
        return call(ops[mid].first, ops[mid].second, function, pack(std::move(left), std::move(right)));
    }

    ExprPtr binary(Token op, Offset at, ExprPtr left, ExprPtr right, std::int64_t id) {
        const int below = std::max(left->depth, right->depth);
        return deeper(call(id, at, operator_name(op), pack(std::move(left), std::move(right))), below);
    }

    ExprPtr relation(int precedence, Expected follow) {
        Rule rule(*this, relation_depth_, follow);
        ExprPtr left = calc(0, kRelation.or_end());
        while (precedence <= 1 && kRelation.has(in_.la())) {
            const TokenAt op = *in_.accept();
            const std::int64_t id = make_.next_id();
            left = binary(op.token, op.from, std::move(left), relation(2, kRelation.or_end()), id);
        }
        return left;
    }

    ExprPtr calc(int precedence, Expected follow) {
        Rule rule(*this, calc_depth_, follow);
        const Expected tail = (kMultiply | kAdd).or_end();
        ExprPtr left = unary(tail);
        while ((precedence <= 2 && kMultiply.has(in_.la())) || (precedence <= 1 && kAdd.has(in_.la()))) {
            const TokenAt op = *in_.accept();
            const std::int64_t id = make_.next_id();
            left = binary(op.token, op.from, std::move(left), calc(kMultiply.has(op.token) ? 3 : 2, tail), id);
        }
        return left;
    }

    // member | '!'+ member | '-'+ member
    ExprPtr unary(Expected follow) {
        in_.enter(follow);
        ExprPtr e = unary_body();
        in_.leave();
        return ensure(std::move(e));
    }

    ExprPtr unary_body() {
        if (!in_.sync(99, kExprStart)) return failed();
        const Token first = in_.la();
        if (!kExprStart.has(first)) return no_alternative(99, 1);
        if (first == exclam) {
            const TokenAt op = in_.at();
            std::size_t count = 0;
            do {
                in_.accept();
                ++count;
                in_.sync_loop(kExprStart);
            } while (in_.la() == exclam);
            return negation("!_", op.from, count);
        }
        if (first == minus && !is_signed_number()) {
            if (!kMemberStart.has(in_.la(2))) return no_alternative(99, 2);
            const TokenAt op = in_.at();
            std::size_t count = 0;
            do {
                if (count != 0 && !is_signed_number() && !kMemberStart.has(in_.la(2))) return no_alternative(96, 2);
                in_.accept();
                ++count;
                in_.sync_loop(kMemberStart);
            } while (in_.la() == minus);
            return negation("-_", op.from, count);
        }
        return member(kEnd);
    }

    [[nodiscard]] bool is_signed_number() const { return in_.la() == minus && (in_.la(2) == num_int || in_.la(2) == num_float); }

    ExprPtr negation(std::string_view function, Offset at, std::size_t count) {
        if (count % 2 == 0) return member(kEnd);
        const std::int64_t id = make_.next_id();
        return call(id, at, function, pack(member(kEnd)));
    }

    // primary ( '.' '?'? name | '.' name '(' args ')' | '[' '?'? expr ']' )*
    ExprPtr member(Expected follow) {
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

    ExprPtr select(ExprPtr operand) {
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

    ExprPtr member_call(ExprPtr target, bool& ok) {
        in_.accept();
        const std::string name = text(*in_.accept());
        const TokenAt open = *in_.accept();
        const std::int64_t id = make_.next_id();
        std::vector<ExprPtr> args;
        ok = call_arguments(args, 115, 117, kMemberTail);
        return expand(id, open.from, name, std::move(target), std::move(args));
    }

    ExprPtr index(ExprPtr target, bool& ok) {
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

    // The arguments after '(' and the ')'.
    bool call_arguments(std::vector<ExprPtr>& args, int sync_state, int match_state, Expected after) {
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

    ExprPtr expand(std::int64_t id, Offset at, const std::string& name, ExprPtr target, std::vector<ExprPtr> args) {
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

    ExprPtr primary(Expected follow) {
        in_.enter(follow);
        ExprPtr e = primary_body();
        in_.leave();
        return ensure(std::move(e));
    }

    ExprPtr primary_body() {
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

    // An identifier, a call, or a message: the shape after a.b.c decides.
    ExprPtr named(std::size_t leading) {
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

    ExprPtr global_call() {
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

    ExprPtr nested() {
        in_.accept();
        ExprPtr e = expr(Expected{r_paren});
        if (in_.match(146, r_paren, kEnd) == nullptr) in_.recover();
        return e;
    }

    ExprPtr opt_expr(Expected follow, bool& optional) {
        in_.enter(follow);
        ExprPtr e;
        if (!in_.sync(211, kOptExprStart)) {
            e = failed();
        } else {
            optional = in_.la() == question;
            if (optional) in_.accept();
            e = expr(kEnd);
        }
        in_.leave();
        return ensure(std::move(e));
    }

    ExprPtr list() {
        const TokenAt open = *in_.accept();
        ExprPtr e = make_.make(ExprKind::list, open.from);
        if (!list_items(*e)) in_.recover();
        e->depth = static_cast<std::uint16_t>(depth_of(e->args));
        return e;
    }

    bool list_items(Expr& e) {
        if (!in_.sync(150, kOptExprStart | Expected{comma, r_bracket})) return false;
        if (kOptExprStart.has(in_.la())) {
            in_.enter(Expected{comma, r_bracket});
            const auto item = [&] {
                bool optional = false;
                e.args.push_back(opt_expr(Expected{comma}.or_end(), optional));
                e.optional.push_back(optional);
            };
            item();
            while (in_.la() == comma && kOptExprStart.has(in_.la(2))) {
                in_.accept();
                item();
            }
            in_.leave();
        }
        if (!in_.sync(153, Expected{comma, r_bracket})) return false;
        if (in_.la() == comma) in_.accept();
        return in_.match(155, r_bracket, kEnd) != nullptr;
    }

    ExprPtr map() {
        const TokenAt open = *in_.accept();
        ExprPtr e = make_.make(ExprKind::map, open.from);
        if (!map_entries(*e)) in_.recover();
        e->depth = static_cast<std::uint16_t>(depth_of(e->args));
        return e;
    }

    bool map_entries(Expr& e) {
        if (!in_.sync(158, kOptExprStart | Expected{comma, r_brace})) return false;
        if (kOptExprStart.has(in_.la())) {
            in_.enter(Expected{comma, r_brace});
            bool ok = map_entry(e);
            while (ok && in_.la() == comma && kOptExprStart.has(in_.la(2))) {
                in_.accept();
                ok = map_entry(e);
            }
            if (!ok) in_.recover();
            in_.leave();
        }
        if (!in_.sync(161, Expected{comma, r_brace})) return false;
        if (in_.la() == comma) in_.accept();
        return in_.match(163, r_brace, kEnd) != nullptr;
    }

    bool map_entry(Expr& e) {
        make_.next_id(); // the entry's own
        bool optional = false;
        const std::size_t complaints = late_.size();
        ExprPtr key = opt_expr(Expected{colon}, optional);
        if (in_.match(206, colon, kExprStart) == nullptr) {
            late_.resize(complaints); // a key without its colon is not looked at any further
            return false;
        }
        e.args.push_back(std::move(key));
        e.args.push_back(expr(Expected{comma}.or_end()));
        e.optional.push_back(optional);
        return true;
    }

    ExprPtr message() {
        std::string name;
        while (in_.la() != l_brace) name += text(*in_.accept());
        const TokenAt open = *in_.accept();
        ExprPtr e = make_.make(ExprKind::message, open.from);
        e->name = name;
        if (!message_fields(*e)) in_.recover();
        e->depth = static_cast<std::uint16_t>(depth_of(e->args));
        return e;
    }

    bool message_fields(Expr& e) {
        if (!in_.sync(177, kFieldStart | Expected{comma, r_brace})) return false;
        if (kFieldStart.has(in_.la())) {
            in_.enter(Expected{comma, r_brace});
            bool ok = message_field(e);
            while (ok && in_.la() == comma && kFieldStart.has(in_.la(2))) {
                in_.accept();
                ok = message_field(e);
            }
            if (!ok) in_.recover();
            in_.leave();
        }
        if (!in_.sync(180, Expected{comma, r_brace})) return false;
        if (in_.la() == comma) in_.accept();
        return in_.match(182, r_brace, kEnd) != nullptr;
    }

    bool message_field(Expr& e) {
        const Offset first = in_.at().from;
        in_.enter(Expected{colon});
        const bool optional = in_.la() == question;
        if (optional) in_.accept();
        const std::optional<std::string> name = escape_ident(kEnd);
        in_.leave();
        const TokenAt* at = in_.match(199, colon, kExprStart);
        if (at == nullptr) return false;
        if (!name) complain(e.fields.empty() ? first : e.field_places[0], "unsupported ident kind");
        make_.next_id(); // the field's own
        e.field_places.push_back(at->from);
        e.fields.push_back(name.value_or(""));
        e.args.push_back(expr(Expected{comma}.or_end()));
        e.optional.push_back(optional);
        return true;
    }

    // Names in backquotes are part of the grammar, but Flux's environment does not enable them.
    std::optional<std::string> escape_ident(Expected follow) {
        in_.enter(follow);
        std::optional<std::string> out;
        const Expected expected{identifier, esc_identifier};
        if (!in_.sync(209, expected)) {
            in_.recover();
        } else if (!expected.has(in_.la())) {
            no_alternative(209, 1);
        } else {
            const TokenAt t = *in_.accept();
            if (t.token == esc_identifier) complain(t.from, "unsupported syntax: '`'");
            out = text(t);
        }
        in_.leave();
        return out;
    }

    ExprPtr literal() {
        const TokenAt first = in_.at();
        if (first.token == minus && !is_signed_number()) return no_alternative(222, 2);
        std::string sign;
        if (first.token == minus) {
            in_.accept();
            sign = "-";
        }
        const TokenAt t = *in_.accept();
        const std::string written = text(t);
        const auto make = [&](std::optional<Value> v, const char* problem) {
            if (!v) {
                complain(first.from, problem);
                return broken(first.from);
            }
            ExprPtr e = make_.make(ExprKind::literal, first.from);
            e->literal = std::move(*v);
            return e;
        };
        switch (t.token) {
        case num_int: return make(read_int(sign, written), "invalid int literal");
        case num_uint: return make(read_uint(written), "invalid uint literal");
        case num_float: return make(read_double(sign + written), "invalid double literal");
        case string: return make_text(written, first.from, false);
        case bytes: return make_text(written.substr(1), first.from, true);
        case true_word: return make(Value::boolean(true), "");
        case false_word: return make(Value::boolean(false), "");
        default: return make(Value::null(), "");
        }
    }

    static std::optional<Value> read_int(const std::string& sign, const std::string& written) {
        const bool hex = written.starts_with("0x");
        const auto v = parse_go_int(sign + (hex ? written.substr(2) : written), hex ? 16 : 10);
        return v ? std::optional(Value::integer(*v)) : std::nullopt;
    }
    static std::optional<Value> read_uint(std::string written) {
        written.pop_back();
        const bool hex = written.starts_with("0x");
        const auto v = parse_go_uint(hex ? written.substr(2) : written, hex ? 16 : 10);
        return v ? std::optional(Value::unsigned_integer(*v)) : std::nullopt;
    }
    static std::optional<Value> read_double(const std::string& written) {
        const auto v = parse_go_float(written);
        return v ? std::optional(Value::floating(*v)) : std::nullopt;
    }

    ExprPtr make_text(const std::string& written, Offset at, bool is_bytes) {
        const auto text = unescape(written, is_bytes);
        if (!text) complain(at, text.error().message);
        ExprPtr e = make_.make(ExprKind::literal, at);
        if (text) e->literal = is_bytes ? Value::bytes(*text) : Value::string(*text);
        return e;
    }

    ExprPtr failed() {
        in_.recover();
        return nullptr;
    }
    ExprPtr no_alternative(int state, std::size_t upto) {
        in_.no_alternative(state, upto);
        in_.recover();
        return nullptr;
    }

    const Source& source_;
    Issues& issues_;
    Recognizer in_;
    NodeMaker make_;
    std::vector<std::pair<Offset, std::string>> late_;
    int expr_depth_ = 0, relation_depth_ = 0, calc_depth_ = 0, member_depth_ = 0;
};

} // namespace

ExprPtr parse(const Source& source, Issues& issues) {
    if (source.points().size() > kMaxExpressionSize) {
        issues.report(kNowhere, "expression code point size exceeds limit: size: " + std::to_string(source.points().size()) +
                                    ", limit " + std::to_string(kMaxExpressionSize));
        return nullptr;
    }
    return Parser(source, issues).run();
}

} // namespace weber::cel
