#include "kube/cel/functions.h"

#include <algorithm>
#include <unordered_map>

namespace weber::cel {

namespace {

struct Tables {
    std::vector<Function> functions;
    std::unordered_map<std::string_view, const Function*> by_name;
    std::unordered_map<std::string_view, BoundOverload> by_id;

    Tables() {
        add_operators(functions);
        add_conversions(functions);
        add_time_functions(functions);
        add_string_functions(functions);
        add_collection_functions(functions);
        add_optional_functions(functions);
        for (const Function& f : functions) {
            by_name.emplace(f.name, &f);
            if (f.impl != nullptr) continue;
            for (const Overload& o : f.overloads)
                if (o.impl != nullptr) by_id.emplace(o.id, BoundOverload{&f, &o});
        }
    }
};

const Tables& tables() {
    static const Tables t;
    return t;
}

Shape usual_shape(std::size_t args) { return args == 1 ? Shape::unary : args == 2 ? Shape::binary : Shape::any; }

} // namespace

const Function* find_function(std::string_view name) {
    const auto it = tables().by_name.find(name);
    return it == tables().by_name.end() ? nullptr : it->second;
}

BoundOverload find_overload(std::string_view id) {
    const auto it = tables().by_id.find(id);
    return it == tables().by_id.end() ? BoundOverload{} : it->second;
}

bool fits(const Overload& overload, std::span<const Value> args) {
    return std::ranges::equal(overload.args, args, [](const TypePtr& type, const Value& arg) { return accepts(*type, arg); });
}

Value no_such_overload(std::string_view function, std::span<const Value> args) {
    std::string text = "no such overload: " + std::string(function) + "(";
    for (std::size_t i = 0; i < args.size(); ++i) text += (i != 0 ? ", " : "") + std::string(type_name(args[i].kind()));
    return Value::error(text + ")");
}

Overload overload(std::string_view id, std::vector<TypePtr> args, TypePtr result, Implementation impl) {
    const Shape shape = usual_shape(args.size());
    return {id, false, std::move(args), std::move(result), impl, shape};
}

Overload member(std::string_view id, std::vector<TypePtr> args, TypePtr result, Implementation impl) {
    Overload o = overload(id, std::move(args), std::move(result), impl);
    o.member = true;
    return o;
}

} // namespace weber::cel
