#include "kube/cel/program.h"

#include "kube/cel/checker.h"
#include "kube/cel/parser.h"
#include "kube/cel/planner.h"
#include "kube/cel/step.h"

namespace weber::cel {

namespace {

class BindingsFrame final : public Frame {
public:
    explicit BindingsFrame(const Bindings& bindings) : bindings_(bindings) {}
    [[nodiscard]] std::optional<Value> find(std::string_view name) const override { return bindings_.find(name); }

private:
    const Bindings& bindings_;
};

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

} // namespace

std::optional<Value> ObjectBindings::find(std::string_view name) const {
    const Node* node = root_.find(name);
    if (node == nullptr) return std::nullopt;
    return Value::from_node(*node);
}

std::optional<Value> MapBindings::find(std::string_view name) const {
    for (const auto& [n, v] : values_)
        if (n == name) return v;
    return std::nullopt;
}

Result<Program> Program::compile(std::string_view text, const Environment& environment) {
    const Source source(text);
    Issues issues(source);
    const auto unparsable = [&] { return refuse("failed to parse the CEL expression '" + std::string(text) + "': " + issues.to_string()); };
    const ExprPtr root = parse(source, issues, environment.rules == Rules::language);
    if (!root) return unparsable();
    TypePtr type = types::dyn();
    if (environment.check == Check::types) {
        type = check(*root, environment, issues);
        if (!issues.empty()) return unparsable();
        const TypePtr& wanted = environment.result;
        if (wanted && (!same_type(*wanted, *type) || wanted->nullable != type->nullable))
            return refuse("CEL expression output type mismatch: expected " + describe_type(*wanted) + ", got " + describe_type(*type));
    }
    auto step = plan(*root, environment);
    if (!step) return fail(std::move(step).error().with_prefix("failed to create CEL program: "));
    return Program(std::string(text), std::move(type), std::shared_ptr<const Step>(std::move(*step)));
}

Result<Value> Program::evaluate(const Bindings& bindings, std::int64_t cost_limit) const {
    Budget budget(cost_limit);
    const BindingsFrame frame(bindings);
    Value value = step_->run({frame, budget});
    const auto prefix = [&] { return "failed to evaluate the CEL expression '" + text_ + "': "; };
    if (budget.exhausted()) return fail(ErrorCode::too_large, prefix() + "operation cancelled: actual cost limit exceeded");
    if (value.is_error()) return refuse(prefix() + std::string(value.as_error()));
    return value;
}

Result<bool> Program::evaluate_bool(const Bindings& bindings, std::int64_t cost_limit) const {
    TRY(const Value value, evaluate(bindings, cost_limit));
    if (!value.is(Kind::boolean)) return refuse("failed to evaluate CEL expression as boolean: '" + text_ + "'");
    return value.as_bool();
}

} // namespace weber::cel
