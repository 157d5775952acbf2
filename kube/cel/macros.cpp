#include "kube/cel/macros.h"

namespace weber::cel {

ExprPtr NodeMaker::make(ExprKind kind, Offset at, std::int64_t id) {
    ++count_;
    auto e = std::make_unique<Expr>();
    e->kind = kind;
    e->at = at;
    e->id = id;
    return e;
}

ExprPtr NodeMaker::copy(const Expr& from, Offset macro_place) {
    ExprPtr e = make(from.kind, from.at);
    if (too_many()) return e;
    e->test_only = from.test_only;
    e->depth = from.depth;
    e->literal = from.literal;
    e->name = from.name;
    e->optional = from.optional;
    e->fields = from.fields;
    e->iter_var = from.iter_var;
    e->accu_var = from.accu_var;
    for (std::size_t i = 0; i < from.args.size(); ++i) {
        // Entries of maps and messages have a number of their own.
        if (from.kind == ExprKind::message || (from.kind == ExprKind::map && i % 2 == 0)) next_id();
        e->args.push_back(copy(*from.args[i], macro_place));
    }
    e->field_places.assign(from.field_places.size(), macro_place);
    if (from.target) e->target = copy(*from.target, macro_place);
    return e;
}

namespace {

// Builds the pieces of one expansion; every call numbers its node after its children, as cel-go's helper does.
class Expansion {
public:
    Expansion(NodeMaker& make, Offset at) : make_(make), at_(at) {}

    ExprPtr literal(Value v) {
        ExprPtr e = make_.make(ExprKind::literal, at_);
        e->literal = std::move(v);
        return e;
    }
    ExprPtr ident(std::string_view name) {
        ExprPtr e = make_.make(ExprKind::ident, at_);
        e->name = name;
        return e;
    }
    ExprPtr accu() { return ident(kAccumulator); }
    ExprPtr list(ExprPtr item = {}) {
        ExprPtr e = make_.make(ExprKind::list, at_);
        if (item) {
            e->args.push_back(std::move(item));
            e->optional.push_back(false);
        }
        return e;
    }
    ExprPtr call(std::string_view function, std::vector<ExprPtr> args) {
        ExprPtr e = make_.make(ExprKind::call, at_);
        e->name = function;
        e->args = std::move(args);
        return e;
    }
    ExprPtr call(std::string_view function, ExprPtr a) {
        std::vector<ExprPtr> args;
        args.push_back(std::move(a));
        return call(function, std::move(args));
    }
    ExprPtr call(std::string_view function, ExprPtr a, ExprPtr b) {
        std::vector<ExprPtr> args;
        args.push_back(std::move(a));
        args.push_back(std::move(b));
        return call(function, std::move(args));
    }
    ExprPtr call(std::string_view function, ExprPtr a, ExprPtr b, ExprPtr c) {
        std::vector<ExprPtr> args;
        args.push_back(std::move(a));
        args.push_back(std::move(b));
        args.push_back(std::move(c));
        return call(function, std::move(args));
    }
    ExprPtr member(std::string_view function, ExprPtr target) {
        ExprPtr e = call(function, std::vector<ExprPtr>{});
        e->target = std::move(target);
        return e;
    }
    ExprPtr comprehension(ExprPtr range, std::string_view var, std::string_view accu_var, ExprPtr init, ExprPtr condition, ExprPtr step, ExprPtr result) {
        ExprPtr e = make_.make(ExprKind::comprehension, at_);
        e->iter_var = var;
        e->accu_var = accu_var;
        for (ExprPtr* p : {&range, &init, &condition, &step, &result}) e->args.push_back(std::move(*p));
        return e;
    }

private:
    NodeMaker& make_;
    Offset at_;
};

MacroResult refuse(const Expr& at, std::string message) { return {nullptr, MacroError{at.at == kNowhere ? kBeforeText : at.at, std::move(message)}}; }

bool taken(const std::string& var) { return var == kAccumulator || var == "__result__"; }
constexpr const char* kOverwrites = "iteration variable overwrites accumulator variable";

MacroResult expand_has(NodeMaker& make, Offset at, std::vector<ExprPtr>& args) {
    if (args[0]->kind != ExprKind::select) return refuse(*args[0], "invalid argument to has() macro");
    ExprPtr e = make.make(ExprKind::select, at);
    e->test_only = true;
    e->name = args[0]->name;
    e->target = std::move(args[0]->target);
    return {std::move(e), {}};
}

MacroResult expand_all(Expansion x, ExprPtr& target, std::vector<ExprPtr>& args) {
    const std::string var = args[0]->name;
    ExprPtr init = x.literal(Value::boolean(true));
    ExprPtr condition = x.accu();
    condition = x.call("@not_strictly_false", std::move(condition));
    ExprPtr accu = x.accu();
    ExprPtr step = x.call("_&&_", std::move(accu), std::move(args[1]));
    ExprPtr result = x.accu();
    return {x.comprehension(std::move(target), var, kAccumulator, std::move(init), std::move(condition), std::move(step), std::move(result)), {}};
}

MacroResult expand_exists(Expansion x, ExprPtr& target, std::vector<ExprPtr>& args) {
    const std::string var = args[0]->name;
    ExprPtr init = x.literal(Value::boolean(false));
    ExprPtr condition = x.accu();
    condition = x.call("!_", std::move(condition));
    condition = x.call("@not_strictly_false", std::move(condition));
    ExprPtr accu = x.accu();
    ExprPtr step = x.call("_||_", std::move(accu), std::move(args[1]));
    ExprPtr result = x.accu();
    return {x.comprehension(std::move(target), var, kAccumulator, std::move(init), std::move(condition), std::move(step), std::move(result)), {}};
}

MacroResult expand_exists_one(Expansion x, ExprPtr& target, std::vector<ExprPtr>& args) {
    const std::string var = args[0]->name;
    ExprPtr init = x.literal(Value::integer(0));
    ExprPtr condition = x.literal(Value::boolean(true));
    ExprPtr accu = x.accu();
    ExprPtr one = x.literal(Value::integer(1));
    ExprPtr more = x.call("_+_", std::move(accu), std::move(one));
    ExprPtr same = x.accu();
    ExprPtr step = x.call("_?_:_", std::move(args[1]), std::move(more), std::move(same));
    accu = x.accu();
    one = x.literal(Value::integer(1));
    ExprPtr result = x.call("_==_", std::move(accu), std::move(one));
    return {x.comprehension(std::move(target), var, kAccumulator, std::move(init), std::move(condition), std::move(step), std::move(result)), {}};
}

// map(x, f), map(x, filter, f) and filter(x, filter): the accumulator grows by [f] where the filter is true.
MacroResult expand_collect(Expansion x, ExprPtr& target, const std::string& var, ExprPtr filter, ExprPtr value) {
    ExprPtr init = x.list();
    ExprPtr condition = x.literal(Value::boolean(true));
    ExprPtr accu = x.accu();
    ExprPtr item = x.list(std::move(value));
    ExprPtr step = x.call("_+_", std::move(accu), std::move(item));
    if (filter) {
        ExprPtr same = x.accu();
        step = x.call("_?_:_", std::move(filter), std::move(step), std::move(same));
    }
    ExprPtr result = x.accu();
    return {x.comprehension(std::move(target), var, kAccumulator, std::move(init), std::move(condition), std::move(step), std::move(result)), {}};
}

MacroResult expand_map(Expansion x, ExprPtr& target, std::vector<ExprPtr>& args) {
    ExprPtr filter = args.size() == 3 ? std::move(args[1]) : nullptr;
    return expand_collect(x, target, args[0]->name, std::move(filter), std::move(args.back()));
}

MacroResult expand_filter(Expansion x, ExprPtr& target, std::vector<ExprPtr>& args) {
    const std::string var = args[0]->name;
    return expand_collect(x, target, var, std::move(args[1]), std::move(args[0]));
}

// target.hasValue() ? optional.of(<f with var = target.value()>) : optional.none(); optFlatMap without optional.of.
MacroResult expand_optional(NodeMaker& make, Offset at, bool flat, ExprPtr& target, std::vector<ExprPtr>& args) {
    Expansion x(make, at);
    const std::string var = args[0]->name;
    ExprPtr copy;
    const Expr& original = *target;
    ExprPtr has = x.member("hasValue", std::move(target));
    ExprPtr range = x.list();
    copy = make.copy(original, at);
    ExprPtr init = x.member("value", std::move(copy));
    ExprPtr condition = x.literal(Value::boolean(false));
    ExprPtr step = x.ident(var);
    ExprPtr mapped = x.comprehension(std::move(range), "#unused", var, std::move(init), std::move(condition), std::move(step), std::move(args[1]));
    if (!flat) mapped = x.call("optional.of", std::move(mapped));
    ExprPtr none = x.call("optional.none", std::vector<ExprPtr>{});
    return {x.call("_?_:_", std::move(has), std::move(mapped), std::move(none)), {}};
}

} // namespace

MacroResult expand_macro(NodeMaker& make, const std::string& function, Offset at, ExprPtr& target, std::vector<ExprPtr>& args) {
    if (!target) return function == "has" && args.size() == 1 ? expand_has(make, at, args) : MacroResult{};
    const std::size_t n = args.size();
    const bool ident = n > 0 && args[0]->kind == ExprKind::ident;
    const Expansion x(make, at);
    if (n == 2 && (function == "optMap" || function == "optFlatMap")) {
        if (!ident) return refuse(*args[0], function + "() variable name must be a simple identifier");
        return expand_optional(make, at, function == "optFlatMap", target, args);
    }
    const bool quantifier = n == 2 && (function == "all" || function == "exists" || function == "exists_one");
    const bool collector = ((n == 2 || n == 3) && function == "map") || (n == 2 && function == "filter");
    if (!quantifier && !collector) return {};
    if (!ident) return refuse(*args[0], quantifier ? "argument must be a simple name" : "argument is not an identifier");
    if (taken(args[0]->name)) return refuse(*args[0], kOverwrites);
    if (function == "all") return expand_all(x, target, args);
    if (function == "exists") return expand_exists(x, target, args);
    if (function == "map") return expand_map(x, target, args);
    return function == "filter" ? expand_filter(x, target, args) : expand_exists_one(x, target, args);
}

} // namespace weber::cel
