#include "kube/cel/planner.h"

#include <algorithm>
#include <array>

namespace weber::cel {

namespace {

class NoNames final : public Frame {
public:
    [[nodiscard]] std::optional<Value> find(std::string_view) const override { return std::nullopt; }
};

Value run_constant(const Step& step) {
    const NoNames frame;
    Budget budget;
    return step.run({frame, budget});
}

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

// Source: cel-go interpreter/planner.go and decorators.go.
class Planner {
public:
    explicit Planner(const Environment& environment) : environment_(environment), language_(environment.rules == Rules::language) {}

    Result<StepPtr> plan(const Expr& e) {
        switch (e.kind) {
        case ExprKind::literal: return std::make_unique<ConstantStep>(e.literal);
        case ExprKind::ident: return plan_ident(e);
        case ExprKind::select: return plan_select(e);
        case ExprKind::call: return plan_call(e);
        case ExprKind::list: return plan_list(e);
        case ExprKind::map: return plan_map(e);
        case ExprKind::message: return plan_message(e);
        case ExprKind::comprehension: return plan_comprehension(e);
        case ExprKind::broken: break;
        }
        return refuse("unsupported expression");
    }

private:
    Result<StepPtr> plan_ident(const Expr& e) {
        if (!e.resolved.empty()) return plan_checked_ident(e);
        return std::make_unique<NameStep>(candidate_names(environment_.container, e.name), true);
    }

    static Result<StepPtr> plan_checked_ident(const Expr& e) {
        if (e.has_constant) return std::make_unique<ConstantStep>(e.constant);
        if (e.type->kind == TypeKind::type) {
            const TypePtr type = named_type(e.resolved);
            if (type == nullptr) return refuse("reference to undefined type: " + e.resolved);
            return std::make_unique<ConstantStep>(Value::type(type->name));
        }
        return std::make_unique<NameStep>(std::vector<std::string>{e.resolved}, false);
    }

    Result<StepPtr> plan_select(const Expr& e) {
        if (!e.resolved.empty()) return plan_checked_ident(e);
        TRY(StepPtr operand, plan(*e.target));
        std::unique_ptr<Attribute> attribute = as_attribute(std::move(operand));
        attribute->add({std::make_shared<ConstantStep>(Value::string(e.name)), false, e.test_only, language_});
        if (e.test_only) return std::make_unique<PresenceStep>(std::move(attribute));
        return attribute;
    }

    // ---- calls ---------------------------------------------------------------------------------------

    Result<StepPtr> plan_call(const Expr& e) {
        const Expr* target = e.target.get();
        const std::string name = resolve_function(e, target);
        std::vector<StepPtr> args;
        if (target != nullptr) {
            TRY(StepPtr receiver, plan(*target));
            args.push_back(std::move(receiver));
        }
        for (const ExprPtr& a : e.args) {
            TRY(StepPtr arg, plan(*a));
            args.push_back(std::move(arg));
        }
        if (args.size() == 3 && name == "_?_:_") return std::make_unique<ConditionalStep>(std::move(args[0]), std::move(args[1]), std::move(args[2]));
        if (args.size() == 2) {
            if (name == "_&&_" || name == "_||_") return std::make_unique<LogicStep>(name == "_||_", std::move(args[0]), std::move(args[1]));
            if (name == "_==_" || name == "_!=_") return std::make_unique<EqualStep>(name == "_==_", std::move(args[0]), std::move(args[1]));
            if (name == "_[_]" || name == "_[?_]" || name == "_?._") return plan_index(args, name != "_[_]");
            if (name == "or" || name == "orValue") return std::make_unique<OrStep>(name == "orValue", std::move(args[0]), std::move(args[1]));
        }
        return plan_function(e, name, std::move(args));
    }

    // Without a check, a.b.f(x) may be the function a.b.f or the function f with the receiver a.b.
    std::string resolve_function(const Expr& e, const Expr*& target) const {
        if (e.checked_call) return e.name;
        const auto known = [](const std::string& n) { return find_bound(n) || find_overload(n).overload != nullptr; };
        if (target == nullptr) {
            for (std::string& n : candidate_names(environment_.container, e.name))
                if (known(n)) return std::move(n);
            return e.name.starts_with('.') ? e.name.substr(1) : e.name;
        }
        const std::string prefix = qualified_name(*target);
        if (prefix.empty()) return e.name;
        for (std::string& n : candidate_names(environment_.container, prefix + "." + e.name)) {
            if (!known(n)) continue;
            target = nullptr;
            return std::move(n);
        }
        return e.name;
    }

    // A function with something to run; nullptr for unknown ones and for those that only the checker knows.
    static const Function* find_bound(const std::string& name) {
        const Function* f = find_function(name);
        if (f == nullptr) return nullptr;
        const bool bound = f->impl != nullptr || std::ranges::any_of(f->overloads, [](const Overload& o) { return o.impl != nullptr; });
        return bound ? f : nullptr;
    }

    Result<StepPtr> plan_index(std::vector<StepPtr>& args, bool optional) {
        if (const Value* key = args[1]->constant())
            if (const std::string_view bad = bad_qualifier(key->kind()); !bad.empty()) return refuse("invalid qualifier type: " + std::string(bad));
        if (dynamic_cast<PresenceStep*>(args[0].get()) != nullptr && args[1]->constant() == nullptr)
            return refuse("test only expressions must have constant qualifiers");
        std::unique_ptr<Attribute> attribute = as_attribute(std::move(args[0]));
        attribute->add({std::shared_ptr<const Step>(std::move(args[1])), optional, false, language_});
        return attribute;
    }

    // Calls that no overload can take are found here, as cel-go finds them.
    static Result<void> check_shape(const Callee& callee, std::size_t args) {
        const auto refused = [&](std::string_view form) { return refuse("no such overload: " + callee.name + std::string(form)); };
        if (callee.function == nullptr) return args == 0 ? Result<void>(refused("()")) : Result<void>();
        Shape shape = callee.function->shape;
        if (callee.overload != nullptr) shape = callee.overload->shape;
        if (args == 0 && shape != Shape::any) return refused("()");
        if (args == 1 && shape == Shape::binary) return refused("(arg)");
        if (args == 2 && shape == Shape::unary) return refused("(lhs, rhs)");
        if (args > 2 && shape != Shape::any) return refused("(...)");
        return {};
    }

    Result<StepPtr> plan_function(const Expr& e, const std::string& name, std::vector<StepPtr> args) {
        if (!language_ && e.checked_call && e.overloads.size() == 1 && e.overloads[0] == "in_list" && is_empty_list(args[1]->constant()))
            return std::make_unique<ConstantStep>(Value::boolean(false)); // whatever the left side is, an error too
        Callee callee{name, e.id, find_bound(name)};
        if (e.overloads.size() == 1 && e.checked_call) callee.overload = find_overload(e.overloads[0]).overload;
        if (callee.function == nullptr) {
            const BoundOverload by_id = find_overload(name);
            callee.function = by_id.function;
            callee.overload = by_id.overload;
        }
        if (callee.overload == nullptr && callee.function != nullptr && callee.function->impl == nullptr) {
            const auto& overloads = callee.function->overloads;
            if (overloads.size() == 1) callee.overload = &overloads[0];
        }
        TRY_VOID(check_shape(callee, args.size()));
        if (const Value* pattern = !language_ && name == "matches" && args.size() == 2 ? args[1]->constant() : nullptr; pattern != nullptr && pattern->is(Kind::string)) {
            TRY(auto compiled, Pattern::compile(pattern->as_string()));
            return std::make_unique<MatchStep>(std::move(compiled), std::move(args[0]));
        }
        const bool constant = !language_ && args.size() == 1 && args[0]->constant() != nullptr && is_conversion(name);
        auto step = std::make_unique<CallStep>(std::move(callee), std::move(args));
        if (!constant) return step;
        Value value = run_constant(*step);
        if (value.is_error()) return refuse(std::string(value.as_error()));
        return std::make_unique<ConstantStep>(std::move(value));
    }

    static bool is_empty_list(const Value* v) { return v != nullptr && v->is(Kind::list) && v->as_list().size() == 0; }

    static bool is_conversion(std::string_view name) {
        static constexpr std::array<std::string_view, 10> kNames{"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"};
        return std::ranges::find(kNames, name) != kNames.end();
    }

    // ---- literals ------------------------------------------------------------------------------------

    Result<std::vector<StepPtr>> plan_all(const std::vector<ExprPtr>& exprs, bool& constant) {
        std::vector<StepPtr> out;
        for (const ExprPtr& e : exprs) {
            TRY(StepPtr step, plan(*e));
            constant = constant && step->constant() != nullptr;
            out.push_back(std::move(step));
        }
        return out;
    }

    // An aggregate of constants is made once. Errors stay where they are: they may never be asked for.
    static StepPtr fold(StepPtr step, bool constant) {
        if (!constant) return step;
        return std::make_unique<ConstantStep>(run_constant(*step));
    }

    Result<StepPtr> plan_list(const Expr& e) {
        bool constant = true;
        TRY(std::vector<StepPtr> items, plan_all(e.args, constant));
        return fold(std::make_unique<ListStep>(std::move(items), e.optional), constant);
    }

    Result<StepPtr> plan_map(const Expr& e) {
        bool constant = true;
        TRY(std::vector<StepPtr> parts, plan_all(e.args, constant));
        return fold(std::make_unique<MapStep>(std::move(parts), e.optional), constant);
    }

    Result<StepPtr> plan_message(const Expr& e) {
        for (std::string& name : candidate_names(environment_.container, e.resolved.empty() ? e.name : e.resolved)) {
            if (!is_message_name(name)) continue;
            bool constant = true;
            TRY(std::vector<StepPtr> values, plan_all(e.args, constant));
            return std::make_unique<MessageStep>(std::move(name), e.fields, std::move(values), e.optional);
        }
        return refuse("unknown type: " + e.name);
    }

    // ---- comprehensions ------------------------------------------------------------------------------

    Result<StepPtr> plan_comprehension(const Expr& e) {
        if (is_collection(e)) return plan_collect(e);
        // In cel-go's order, which decides the error that is found first.
        TRY(StepPtr init, plan(*e.args[1]));
        TRY(StepPtr range, plan(*e.args[0]));
        TRY(StepPtr condition, plan(*e.args[2]));
        TRY(StepPtr step, plan(*e.args[3]));
        TRY(StepPtr result, plan(*e.args[4]));
        return std::make_unique<FoldStep>(FoldParts{e.iter_var, e.accu_var, std::move(range), std::move(init), std::move(condition), std::move(step), std::move(result)});
    }

    // The expansions of map() and filter(): @result + [item], or filter ? @result + [item] : @result.
    static bool is_collection(const Expr& e) { return e.accu_var == kAccumulator && e.args[1]->kind == ExprKind::list && e.args[1]->args.empty(); }

    Result<StepPtr> plan_collect(const Expr& e) {
        TRY(StepPtr range, plan(*e.args[0]));
        const Expr* step = e.args[3].get();
        StepPtr filter;
        if (step->name == "_?_:_") {
            TRY(StepPtr planned, plan(*step->args[0]));
            filter = std::move(planned);
            step = step->args[1].get();
        }
        TRY(StepPtr item, plan(*step->args[1]->args[0]));
        return std::make_unique<CollectStep>(e.iter_var, std::move(range), std::move(filter), std::move(item));
    }

    const Environment& environment_;
    bool language_;
};

} // namespace

Result<StepPtr> plan(const Expr& root, const Environment& environment) { return Planner(environment).plan(root); }

} // namespace weber::cel
