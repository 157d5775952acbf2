// Selections. Source: cel-go interpreter/attributes.go.
#include "kube/cel/step.h"
#include "kube/cel/type.h"

namespace weber::cel {

namespace {

struct Selected {
    Value value = {};      // the value, or an error
    bool present = true;
};

Value missing_key(const Value& key, Budget& budget) { return Value::error("no such key: " + display(key, budget)); }

Selected select_from_list(const List& list, const Value& key, bool test, Budget& budget) {
    if (!key.is_number()) return {Value::error("unsupported index type '" + std::string(type_name(key.kind())) + "' in list")};
    const auto index = lossless_int(key);
    if (!index) return {Value::error("unsupported index value " + display(key, budget) + " in list")};
    if (*index >= 0 && *index < static_cast<std::int64_t>(list.size())) return {list.at(static_cast<std::size_t>(*index))};
    if (test) return {{}, false};
    return {Value::error("index out of bounds: " + display(key, budget))};
}

// `test`: an absent key is no error. `strict`: but what has no keys is one.
Selected select(const Value& object, const Value& key, bool test, bool strict, Budget& budget) {
    if (object.is(Kind::map)) {
        if (auto found = object.as_map().find(key)) return {std::move(*found)};
        return test ? Selected{{}, false} : Selected{missing_key(key, budget)};
    }
    if (object.is(Kind::list)) return select_from_list(object.as_list(), key, test, budget);
    return test && (!strict || object.is(Kind::optional)) ? Selected{{}, false} : Selected{missing_key(key, budget)};
}

constexpr std::string_view kMissing = "no such attribute(s): ";

// `unknown_name` is set when a key is a name that no variable has.
Value apply(Value object, const std::vector<Qualifier>& qualifiers, const Context& context, bool& unknown_name) {
    bool optional = false;
    if (object.is(Kind::optional)) {
        if (object.as_optional() == nullptr) return object;
        optional = true;
        // As in cel-go an optional inside the optional is opened too.
        while (object.is(Kind::optional)) {
            const Value inner = object.as_optional() != nullptr ? *object.as_optional() : Value::null();
            object = inner;
        }
        if (object.is(Kind::type)) object = Value::string(std::string(object.as_type())); // what cel-go makes of a type on this way
    }
    for (const Qualifier& q : qualifiers) {
        if (!context.budget.spend()) return {};
        const Value key = q.key->run(context);
        if (key.is_error()) {
            unknown_name = key.as_error().starts_with(kMissing) && dynamic_cast<const NameStep*>(q.key.get()) != nullptr;
            return key;
        }
        if (const std::string_view bad = bad_qualifier(key.kind()); !bad.empty()) return Value::error("invalid qualifier type: " + std::string(bad));
        optional = optional || q.optional;
        Selected selected = select(object, key, optional || q.presence, q.strict, context.budget);
        if (selected.value.is_error()) return selected.value;
        if (q.presence && !optional) {
            object = Value::boolean(selected.present);
            continue;
        }
        if (!selected.present) return Value::optional_none();
        object = std::move(selected.value);
    }
    return optional ? Value::optional_of(std::move(object)) : object;
}

} // namespace

std::string_view bad_qualifier(Kind kind) {
    switch (kind) {
    case Kind::null: return "types.Null";
    case Kind::bytes: return "types.Bytes";
    case Kind::list: return "*types.baseList";
    case Kind::map: return "*types.baseMap";
    case Kind::timestamp: return "types.Timestamp";
    case Kind::duration: return "types.Duration";
    case Kind::type: return "*types.Type";
    case Kind::optional: return "*types.Optional";
    case Kind::error: return "*types.Err";
    default: return {};
    }
}

NameStep::NameStep(std::vector<std::string> names, bool split) : readings_{Reading{std::move(names), {}}}, split_(split) {}

void NameStep::add(const Qualifier& qualifier) {
    const Value* key = qualifier.key->constant();
    std::vector<std::string> longer;
    for (Reading& r : readings_) {
        if (split_ && r.qualifiers.empty() && key != nullptr && key->is(Kind::string)) {
            longer.clear();
            for (const std::string& name : r.names) longer.push_back(name + "." + std::string(key->as_string()));
        }
        r.qualifiers.push_back(qualifier);
    }
    if (!longer.empty()) readings_.insert(readings_.begin(), Reading{std::move(longer), {}});
}

NameStep::Outcome NameStep::read(const Reading& reading, const Context& context) {
    for (const std::string& name : reading.names) {
        if (auto value = context.frame.find(name)) {
            if (value->is_error()) return {*value};
            bool unknown_name = false;
            Value result = apply(std::move(*value), reading.qualifiers, context, unknown_name);
            return {std::move(result), unknown_name};
        }
        if (!reading.qualifiers.empty()) continue;
        if (const TypePtr type = named_type(name)) return {Value::type(type->name)};
        if (name == "google.protobuf.NullValue.NULL_VALUE") return {Value::integer(0)};
    }
    std::string names;
    for (const std::string& n : reading.names) names += (names.empty() ? "" : ", ") + n;
    return {Value::error(std::string(kMissing) + names), true};
}

Value NameStep::run(const Context& context) const {
    context.budget.spend();
    std::optional<Value> problem;
    for (const Reading& r : readings_) {
        Outcome outcome = read(r, context);
        if (!outcome.unknown_name) return std::move(outcome.value);
        if (!problem) problem = std::move(outcome.value);
    }
    return *problem;
}

Value RelativeStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    Value operand = operand_->run(context);
    bool unknown_name = false;
    return operand.is_error() ? operand : apply(std::move(operand), qualifiers_, context, unknown_name);
}

std::unique_ptr<Attribute> as_attribute(StepPtr step) {
    if (auto* attribute = dynamic_cast<Attribute*>(step.get())) {
        step.release();
        return std::unique_ptr<Attribute>(attribute);
    }
    return std::make_unique<RelativeStep>(std::move(step));
}

// cel-go keeps of has() only its attribute there (planner.go, planCallConditional): an optional stays one, and a selection selects.
static std::unique_ptr<Attribute> as_branch(StepPtr step) {
    std::unique_ptr<Attribute> attribute = as_attribute(std::move(step));
    if (auto* presence = dynamic_cast<PresenceStep*>(attribute.get())) return presence->take_attribute();
    return attribute;
}

ConditionalStep::ConditionalStep(StepPtr condition, StepPtr yes, StepPtr no)
    : condition_(std::move(condition)), yes_(as_branch(std::move(yes))), no_(as_branch(std::move(no))) {}

void ConditionalStep::add(const Qualifier& qualifier) {
    yes_->add(qualifier);
    no_->add(qualifier);
}

Value ConditionalStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Value condition = condition_->run(context);
    if (condition.is_error()) return condition;
    if (!condition.is(Kind::boolean)) return Value::no_such_overload();
    return (condition.as_bool() ? *yes_ : *no_).run(context);
}

Value PresenceStep::run(const Context& context) const {
    Value v = attribute_->run(context);
    return v.is(Kind::optional) ? Value::boolean(v.as_optional() != nullptr) : v;
}

} // namespace weber::cel
