// The grammar CEL.g4 as a recursive descent; only parser*.cpp includes this.
//
// Not thread-safe; lives for one parse.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kube/cel/macros.h"
#include "kube/cel/parser.h"
#include "kube/cel/recognizer.h"

namespace weber::cel {

// What may stand where.
namespace expected {
using enum Token;
inline constexpr Expected kLiteralStart{true_word, false_word, null_word, num_float, num_int, num_uint, string, bytes};
inline constexpr Expected kMemberStart = Expected{l_bracket, l_brace, l_paren, dot, minus, identifier} | kLiteralStart;
inline constexpr Expected kExprStart = kMemberStart | Expected{exclam};
inline constexpr Expected kOptExprStart = kExprStart | Expected{question};
inline constexpr Expected kFieldStart{question, identifier, esc_identifier};
inline constexpr Expected kMemberTail = Expected{dot, l_bracket}.or_end();
inline constexpr Expected kRelation{equals, not_equals, in, less, less_equals, greater_equals, greater};
inline constexpr Expected kMultiply{star, slash, percent};
inline constexpr Expected kAdd{plus, minus};
inline constexpr Expected kEnd = Expected{}.or_end();
} // namespace expected

// Numbers passed to match() and sync() name places in the grammar. Methods that read a rule bear its name.
class Parser {
public:
    Parser(const Source& source, Issues& issues, bool quoted_names) : source_(source), issues_(issues), quoted_names_(quoted_names), in_(source, issues) {}

    ExprPtr run();

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
        throw GiveUp{};
    }

    // Problems of the tree rather than of the syntax; cel-go finds them after the syntax is read.
    void complain(Offset at, std::string message) { late_.emplace_back(at, std::move(message)); }

    ExprPtr broken(Offset at = kNowhere) { return make_.make(ExprKind::broken, at); }
    ExprPtr ensure(ExprPtr e) { return e ? std::move(e) : broken(); }

    [[nodiscard]] std::string text(const TokenAt& t) const { return source_.text(t.from, t.to); }

    // A node that counts as one level of nesting.
    ExprPtr deeper(ExprPtr e, int below);
    static int depth_of(const std::vector<ExprPtr>& args) {
        int depth = 0;
        for (const ExprPtr& a : args) depth = std::max<int>(depth, a->depth);
        return depth;
    }

    ExprPtr call(std::int64_t id, Offset at, std::string_view function, std::vector<ExprPtr> args);
    template <class... E>
    static std::vector<ExprPtr> pack(E... e) {
        std::vector<ExprPtr> out;
        (out.push_back(std::move(e)), ...);
        return out;
    }

    // ---- rules ---------------------------------------------------------------------------------------

    ExprPtr start();

    // conditionalOr ('?' conditionalOr ':' expr)?
    ExprPtr expr(Expected follow);
    ExprPtr conditional_or(Expected follow);
    ExprPtr conditional_and(Expected follow);

    // a && b && c as a balanced tree: a long chain must not nest deeply.
    ExprPtr balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops);
    ExprPtr balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops, std::size_t lo,
                    std::size_t hi);
    ExprPtr binary(Token op, Offset at, ExprPtr left, ExprPtr right, std::int64_t id);
    ExprPtr relation(int precedence, Expected follow);
    ExprPtr calc(int precedence, Expected follow);

    // member | '!'+ member | '-'+ member
    ExprPtr unary(Expected follow);
    ExprPtr unary_body();

    [[nodiscard]] bool is_signed_number() const { return in_.la() == Token::minus && (in_.la(2) == Token::num_int || in_.la(2) == Token::num_float); }

    ExprPtr negation(std::string_view function, Offset at, std::size_t count);

    // primary ( '.' '?'? name | '.' name '(' args ')' | '[' '?'? expr ']' )*
    ExprPtr member(Expected follow);
    ExprPtr select(ExprPtr operand);
    ExprPtr member_call(ExprPtr target, bool& ok);
    ExprPtr index(ExprPtr target, bool& ok);

    // The arguments after '(' and the ')'.
    bool call_arguments(std::vector<ExprPtr>& args, int sync_state, int match_state, Expected after);
    ExprPtr expand(std::int64_t id, Offset at, const std::string& name, ExprPtr target, std::vector<ExprPtr> args);
    ExprPtr primary(Expected follow);
    ExprPtr primary_body();

    // An identifier, a call, or a message: the shape after a.b.c decides.
    ExprPtr named(std::size_t leading);
    ExprPtr global_call();
    ExprPtr nested();
    ExprPtr opt_expr(Expected follow, bool& optional);
    ExprPtr list();
    bool list_items(Expr& e);
    ExprPtr map();
    bool map_entries(Expr& e);
    bool map_entry(Expr& e);
    ExprPtr message();
    bool message_fields(Expr& e);
    bool message_field(Expr& e);

    // Names in backquotes are part of the grammar, but not of every environment.
    std::optional<std::string> escape_ident(Expected follow);
    ExprPtr literal();
    ExprPtr make_text(const std::string& written, Offset at, bool is_bytes);

    ExprPtr failed();
    ExprPtr no_alternative(int state, std::size_t upto);

    const Source& source_;
    Issues& issues_;
    bool quoted_names_;
    Recognizer in_;
    NodeMaker make_;
    std::vector<std::pair<Offset, std::string>> late_;
    int expr_depth_ = 0, relation_depth_ = 0, calc_depth_ = 0, member_depth_ = 0;
};

} // namespace weber::cel
