// optional.of, optional.ofNonZeroValue, optional.none, value, hasValue, or, orValue, optional.unwrap, unwrapOpt.
#include "kube/cel/functions.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;

bool is_zero(const Value& v) {
    switch (v.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return !v.as_bool();
    case Kind::integer: return v.as_int() == 0;
    case Kind::unsigned_integer: return v.as_uint() == 0;
    case Kind::floating: return v.as_double() == 0;
    case Kind::string: return v.as_string().empty();
    case Kind::bytes: return v.as_bytes().empty();
    case Kind::list: return v.as_list().size() == 0;
    case Kind::map: return v.as_map().size() == 0;
    case Kind::duration: return v.as_duration().nanos == 0;
    case Kind::timestamp: return v.as_timestamp().seconds == kMinUnixSeconds && v.as_timestamp().nanos == 0;
    default: return false;
    }
}

Value of(Args args, Budget&) { return Value::optional_of(args[0]); }
Value of_non_zero(Args args, Budget&) { return is_zero(args[0]) ? Value::optional_none() : Value::optional_of(args[0]); }
Value none(Args, Budget&) { return Value::optional_none(); }
Value value(Args args, Budget&) { return args[0].as_optional() != nullptr ? *args[0].as_optional() : Value::error("optional.none() dereference"); }
Value has_value(Args args, Budget&) { return Value::boolean(args[0].as_optional() != nullptr); }

Value unwrap(Args args, Budget& budget) {
    const List& list = args[0].as_list();
    if (!budget.spend_elements(list.size())) return {};
    std::vector<Value> out;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Value item = list.at(i);
        if (!item.is(Kind::optional)) return Value::error("value " + display(item, budget) + " is not optional");
        if (item.as_optional() != nullptr) out.push_back(*item.as_optional());
    }
    return Value::list(std::move(out));
}

} // namespace

void add_optional_functions(std::vector<Function>& out) {
    using namespace types;
    const TypePtr k = param("K"), v = param("V");
    const TypePtr opt = optional(v);
    const TypePtr list_v = types::list(v), map_kv = types::map(k, v), list_opt = types::list(opt);
    out.push_back({.name = "optional.of", .overloads = {overload("optional_of", {v}, opt, of)}});
    out.push_back({.name = "optional.ofNonZeroValue", .overloads = {overload("optional_ofNonZeroValue", {v}, opt, of_non_zero)}});
    out.push_back({.name = "optional.none", .overloads = {overload("optional_none", {}, opt, none)}});
    out.push_back({.name = "value", .overloads = {member("optional_value", {opt}, v, value)}});
    out.push_back({.name = "hasValue", .overloads = {member("optional_hasValue", {opt}, boolean(), has_value)}});
    // The planner evaluates these four itself.
    out.push_back({.name = "or", .overloads = {member("optional_or_optional", {opt, opt}, opt)}});
    out.push_back({.name = "orValue", .overloads = {member("optional_orValue_value", {opt, v}, v)}});
    out.push_back({.name = "_?._", .overloads = {overload("select_optional_field", {dyn(), types::string()}, opt)}});
    out.push_back({.name = "_[?_]",
                   .overloads = {overload("list_optindex_optional_int", {list_v, integer()}, opt),
                                 overload("optional_list_optindex_optional_int", {optional(list_v), integer()}, opt),
                                 overload("map_optindex_optional_value", {map_kv, k}, opt),
                                 overload("optional_map_optindex_optional_value", {optional(map_kv), k}, opt)}});
    out.push_back({.name = "optional.unwrap", .overloads = {overload("optional_unwrap", {list_opt}, list_v, unwrap)}});
    out.push_back({.name = "unwrapOpt", .overloads = {member("optional_unwrapOpt", {list_opt}, list_v, unwrap)}});
}

} // namespace weber::cel
