// The executable form of an expression: a tree of steps.
//
// Thread-safety: immutable once planned; one tree may run in many threads, each with its own Frame.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/cel/budget.h"
#include "kube/cel/functions.h"
#include "kube/cel/value.h"

namespace weber::cel {

// Where an evaluation looks names up. A comprehension puts its own frame before the outer one.
class Frame {
public:
    virtual ~Frame() = default;
    [[nodiscard]] virtual std::optional<Value> find(std::string_view name) const = 0;
};

struct Context {
    const Frame& frame;
    Budget& budget;
};

class Step {
public:
    virtual ~Step() = default;
    // The value, maybe an error value. When the budget is exhausted the value does not matter.
    [[nodiscard]] virtual Value run(const Context& context) const = 0;
    [[nodiscard]] virtual const Value* constant() const { return nullptr; }
};
using StepPtr = std::unique_ptr<Step>;

class ConstantStep final : public Step {
public:
    explicit ConstantStep(Value value) : value_(std::move(value)) {}
    [[nodiscard]] Value run(const Context& context) const override {
        context.budget.spend();
        return value_;
    }
    [[nodiscard]] const Value* constant() const override { return &value_; }

private:
    Value value_;
};

// ---- attributes: a.b.c, m[k], x.?y --------------------------------------------------------------------

// One selection: a field or an index.
struct Qualifier {
    std::shared_ptr<const Step> key;
    bool optional = false;  // ?. and [?]: absent gives optional.none()
    bool presence = false;  // has(): whether it is there
    bool strict = false;    // a test below what has no fields is an error (Rules::language)
};

// Something selections are added to while an expression is planned.
class Attribute : public Step {
public:
    virtual void add(const Qualifier& qualifier) = 0;
};

// A name, maybe with selections. Without a check a.b may be the variable "a.b" or the field b of "a": both are tried, longest name first.
class NameStep final : public Attribute {
public:
    // `names`: candidates in order. `split`: names may grow by selections that follow.
    NameStep(std::vector<std::string> names, bool split);
    void add(const Qualifier& qualifier) override;
    [[nodiscard]] Value run(const Context& context) const override;

private:
    struct Reading {
        std::vector<std::string> names;
        std::vector<Qualifier> qualifiers;
    };
    struct Outcome {
        Value value;
        bool unknown_name = false; // an error because no variable has the name, or the name of a key: the next reading is tried
    };
    [[nodiscard]] static Outcome read(const Reading& reading, const Context& context);
    std::vector<Reading> readings_;
    bool split_;
};

// Selections from any other value.
class RelativeStep final : public Attribute {
public:
    explicit RelativeStep(StepPtr operand) : operand_(std::move(operand)) {}
    void add(const Qualifier& qualifier) override { qualifiers_.push_back(qualifier); }
    [[nodiscard]] Value run(const Context& context) const override;

private:
    StepPtr operand_;
    std::vector<Qualifier> qualifiers_;
};

// condition ? yes : no; selections go to both sides.
class ConditionalStep final : public Attribute {
public:
    ConditionalStep(StepPtr condition, StepPtr yes, StepPtr no);
    void add(const Qualifier& qualifier) override;
    [[nodiscard]] Value run(const Context& context) const override;

private:
    StepPtr condition_;
    std::unique_ptr<Attribute> yes_, no_;
};

// has(): turns the outcome of a presence test into a bool. A selection from it tests again, which is false.
class PresenceStep final : public Attribute {
public:
    explicit PresenceStep(std::unique_ptr<Attribute> attribute) : attribute_(std::move(attribute)) {}
    void add(const Qualifier& qualifier) override { attribute_->add({qualifier.key, qualifier.optional, true, qualifier.strict}); }
    [[nodiscard]] Value run(const Context& context) const override;
    std::unique_ptr<Attribute> take_attribute() { return std::move(attribute_); }

private:
    std::unique_ptr<Attribute> attribute_;
};

// `step` itself when it is an attribute, else one around it.
std::unique_ptr<Attribute> as_attribute(StepPtr step);

// "types.Bytes" for kinds that can be no key of a selection; "" for the others. Go's names, as cel-go's texts print them.
std::string_view bad_qualifier(Kind kind);

// ---- logic and calls ---------------------------------------------------------------------------------

// && (wanted false) and || (wanted true): an operand that decides beats errors.
class LogicStep final : public Step {
public:
    LogicStep(bool decisive, StepPtr left, StepPtr right) : decisive_(decisive), left_(std::move(left)), right_(std::move(right)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    bool decisive_;
    StepPtr left_, right_;
};

class EqualStep final : public Step {
public:
    EqualStep(bool wanted, StepPtr left, StepPtr right) : wanted_(wanted), left_(std::move(left)), right_(std::move(right)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    bool wanted_;
    StepPtr left_, right_;
};

// What a call runs once its arguments have values.
struct Callee {
    std::string name;                   // as written, for errors
    std::int64_t id = 0;                // the node's number, for one error text
    const Function* function = nullptr; // nullptr: unknown
    const Overload* overload = nullptr; // the only one that fits, if the checker found it
};

class CallStep final : public Step {
public:
    CallStep(Callee callee, std::vector<StepPtr> args) : callee_(std::move(callee)), args_(std::move(args)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    [[nodiscard]] Value call(std::span<const Value> args, Budget& budget) const;
    [[nodiscard]] Value unknown(std::span<const Value> args) const;
    Callee callee_;
    std::vector<StepPtr> args_;
};

// text.matches('constant').
class MatchStep final : public Step {
public:
    MatchStep(std::shared_ptr<const Pattern> pattern, StepPtr text) : pattern_(std::move(pattern)), text_(std::move(text)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    std::shared_ptr<const Pattern> pattern_;
    StepPtr text_;
};

// optional.or(optional) and optional.orValue(value).
class OrStep final : public Step {
public:
    OrStep(bool unwrap, StepPtr left, StepPtr right) : unwrap_(unwrap), left_(std::move(left)), right_(std::move(right)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    bool unwrap_;
    StepPtr left_, right_;
};

// ---- literals and comprehensions -----------------------------------------------------------------------

class ListStep final : public Step {
public:
    ListStep(std::vector<StepPtr> items, std::vector<bool> optional) : items_(std::move(items)), optional_(std::move(optional)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    std::vector<StepPtr> items_;
    std::vector<bool> optional_;
};

class MapStep final : public Step {
public:
    // key, value, key, value …
    MapStep(std::vector<StepPtr> parts, std::vector<bool> optional) : parts_(std::move(parts)), optional_(std::move(optional)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    std::vector<StepPtr> parts_;
    std::vector<bool> optional_;
};

class MessageStep final : public Step {
public:
    MessageStep(std::string type, std::vector<std::string> fields, std::vector<StepPtr> values, std::vector<bool> optional)
        : type_(std::move(type)), fields_(std::move(fields)), values_(std::move(values)), optional_(std::move(optional)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    std::string type_;
    std::vector<std::string> fields_;
    std::vector<StepPtr> values_;
    std::vector<bool> optional_;
};

struct FoldParts {
    std::string iter_var, accu_var;
    StepPtr range, init, condition, step, result;
};

class FoldStep final : public Step {
public:
    explicit FoldStep(FoldParts parts) : parts_(std::move(parts)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    FoldParts parts_;
};

// map() and filter(): a fold that only appends, without copying the list at every turn.
class CollectStep final : public Step {
public:
    CollectStep(std::string iter_var, StepPtr range, StepPtr filter, StepPtr item) // filter may be null
        : iter_var_(std::move(iter_var)), range_(std::move(range)), filter_(std::move(filter)), item_(std::move(item)) {}
    [[nodiscard]] Value run(const Context& context) const override;

private:
    std::string iter_var_;
    StepPtr range_, filter_, item_;
};

// A value of a well-known protocol buffer message; an error value for fields that do not fit.
Value make_message(std::string_view type, const std::vector<std::pair<std::string, Value>>& fields);

} // namespace weber::cel
