#include "kube/cel/parser.h"

#include "kube/cel/parser_grammar.h"

namespace weber::cel {

using namespace expected;

namespace {

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

} // namespace

ExprPtr Parser::run() {
    if (in_.gave_up()) return nullptr;
    try {
        ExprPtr e = start();
        for (auto& [at, message] : late_) issues_.report(at, std::move(message));
        return issues_.empty() ? std::move(e) : nullptr;
    } catch (const GiveUp&) {
        return nullptr;
    }
}

ExprPtr Parser::deeper(ExprPtr e, int below) {
    if (below >= kMaxNesting) give_up("max recursion depth exceeded");
    e->depth = static_cast<std::uint16_t>(below + 1);
    return e;
}

ExprPtr Parser::call(std::int64_t id, Offset at, std::string_view function, std::vector<ExprPtr> args) {
    ExprPtr e = make_.make(ExprKind::call, at, id);
    e->name = function;
    e->depth = static_cast<std::uint16_t>(depth_of(args));
    e->args = std::move(args);
    return e;
}

ExprPtr Parser::start() {
    in_.enter({});
    ExprPtr e = expr(Expected{end});
    if (in_.match(35, end, kEnd) == nullptr) in_.recover();
    in_.leave();
    return e;
}

ExprPtr Parser::expr(Expected follow) {
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

ExprPtr Parser::conditional_or(Expected follow) {
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

ExprPtr Parser::conditional_and(Expected follow) {
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

ExprPtr Parser::balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops) {
    if (ops.empty()) return std::move(terms[0]);
    return balance(function, terms, ops, 0, ops.size() - 1);
}

ExprPtr Parser::balance(std::string_view function, std::vector<ExprPtr>& terms, const std::vector<std::pair<std::int64_t, Offset>>& ops, std::size_t lo,
                std::size_t hi) {
    const std::size_t mid = (lo + hi + 1) / 2;
    ExprPtr left = mid == lo ? std::move(terms[mid]) : balance(function, terms, ops, lo, mid - 1);
    ExprPtr right = mid == hi ? std::move(terms[mid + 1]) : balance(function, terms, ops, mid + 1, hi);
    return call(ops[mid].first, ops[mid].second, function, pack(std::move(left), std::move(right)));
}

ExprPtr Parser::binary(Token op, Offset at, ExprPtr left, ExprPtr right, std::int64_t id) {
    const int below = std::max(left->depth, right->depth);
    return deeper(call(id, at, operator_name(op), pack(std::move(left), std::move(right))), below);
}

ExprPtr Parser::relation(int precedence, Expected follow) {
    Rule rule(*this, relation_depth_, follow);
    ExprPtr left = calc(0, kRelation.or_end());
    while (precedence <= 1 && kRelation.has(in_.la())) {
        const TokenAt op = *in_.accept();
        const std::int64_t id = make_.next_id();
        left = binary(op.token, op.from, std::move(left), relation(2, kRelation.or_end()), id);
    }
    return left;
}

ExprPtr Parser::calc(int precedence, Expected follow) {
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

ExprPtr Parser::unary(Expected follow) {
    in_.enter(follow);
    ExprPtr e = unary_body();
    in_.leave();
    return ensure(std::move(e));
}

ExprPtr Parser::unary_body() {
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

ExprPtr Parser::negation(std::string_view function, Offset at, std::size_t count) {
    if (count % 2 == 0) return member(kEnd);
    const std::int64_t id = make_.next_id();
    return call(id, at, function, pack(member(kEnd)));
}

ExprPtr Parser::failed() {
    in_.recover();
    return nullptr;
}

ExprPtr Parser::no_alternative(int state, std::size_t upto) {
    in_.no_alternative(state, upto);
    in_.recover();
    return nullptr;
}

ExprPtr parse(const Source& source, Issues& issues, bool quoted_names) {
    if (source.points().size() > kMaxExpressionSize) {
        issues.report(kNowhere, "expression code point size exceeds limit: size: " + std::to_string(source.points().size()) +
                                    ", limit " + std::to_string(kMaxExpressionSize));
        return nullptr;
    }
    return Parser(source, issues, quoted_names).run();
}

} // namespace weber::cel
