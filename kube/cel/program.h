// CEL, the expression language of Flux's readyExpr and healthCheckExprs, as cel-go v0.26 evaluates it in Flux's environment.
// No protocol buffer messages but the well-known ones, no unknowns.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/base/error.h"
#include "kube/cel/budget.h"
#include "kube/cel/environment.h"
#include "kube/cel/value.h"

namespace weber::cel {

class Step;

// Values of variables, by name.
class Bindings {
public:
    virtual ~Bindings() = default;
    // nullopt: no such variable. Called whenever an expression reads it; must be thread-safe if the evaluation is shared.
    [[nodiscard]] virtual std::optional<Value> find(std::string_view name) const = 0;
};

// The top-level fields of an object, read lazily.
class ObjectBindings final : public Bindings {
public:
    explicit ObjectBindings(Node root) : root_(std::move(root)) {}
    [[nodiscard]] std::optional<Value> find(std::string_view name) const override;

private:
    Node root_;
};

class MapBindings final : public Bindings {
public:
    MapBindings() = default;
    MapBindings(std::initializer_list<std::pair<std::string, Value>> values) : values_(values) {}
    void set(std::string name, Value value) { values_.emplace_back(std::move(name), std::move(value)); }
    [[nodiscard]] std::optional<Value> find(std::string_view name) const override;

private:
    std::vector<std::pair<std::string, Value>> values_;
};

// A compiled expression.
//
// Thread-safety: immutable; may be evaluated from many threads at once.
class Program {
public:
    // Errors: ErrorCode::invalid with the text that Flux shows: "failed to parse the CEL expression 'x': ERROR: <input>:1:1: …",
    // "CEL expression output type mismatch: expected bool, got dyn", "failed to create CEL program: …".
    static Result<Program> compile(std::string_view text, const Environment& environment);

    // The value. Errors: invalid "failed to evaluate the CEL expression 'x': no such key: y"; too_large when the cost limit is reached.
    [[nodiscard]] Result<Value> evaluate(const Bindings& bindings, std::int64_t cost_limit = kDefaultCostLimit) const;

    // As evaluate(); a value that is no bool is invalid "failed to evaluate CEL expression as boolean: 'x'".
    [[nodiscard]] Result<bool> evaluate_bool(const Bindings& bindings, std::int64_t cost_limit = kDefaultCostLimit) const;

    [[nodiscard]] const std::string& text() const { return text_; }
    // The checked type of the result; dyn without a check.
    [[nodiscard]] const TypePtr& result_type() const { return type_; }

private:
    Program(std::string text, TypePtr type, std::shared_ptr<const Step> step) : text_(std::move(text)), type_(std::move(type)), step_(std::move(step)) {}
    std::string text_;
    TypePtr type_;
    std::shared_ptr<const Step> step_;
};

} // namespace weber::cel
