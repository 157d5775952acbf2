#include "kube/cel/step.h"

#include <algorithm>

namespace weber::cel {

namespace {

Value bool_or_error(const Value& v) { return v.is_error() ? v : Value::no_such_overload(); }

// The variables of one turn of a comprehension.
class FoldFrame final : public Frame {
public:
    FoldFrame(const Frame& outer, const std::string& iter_var, const std::string& accu_var) : outer_(outer), iter_var_(iter_var), accu_var_(accu_var) {}

    [[nodiscard]] std::optional<Value> find(std::string_view name) const override {
        if (name == accu_var_) return accu;
        if (iterating && name == iter_var_) return item;
        return outer_.find(name);
    }

    Value accu, item;
    bool iterating = true;

private:
    const Frame& outer_;
    const std::string& iter_var_;
    const std::string& accu_var_;
};

// Keys of a map, elements of a list; an error value for anything else.
class Range {
public:
    explicit Range(Value value) : value_(std::move(value)) {}
    [[nodiscard]] std::optional<Value> problem() const {
        if (value_.is_error()) return value_;
        if (value_.is(Kind::list) || value_.is(Kind::map)) return std::nullopt;
        return Value::error("got '" + go_type(value_.kind()) + "', expected iterable type");
    }
    [[nodiscard]] std::size_t size() const { return value_.is(Kind::list) ? value_.as_list().size() : value_.as_map().size(); }
    [[nodiscard]] Value at(std::size_t i) const { return value_.is(Kind::list) ? value_.as_list().at(i) : value_.as_map().key_at(i); }

private:
    // The Go type that cel-go's text names.
    static std::string go_type(Kind kind) {
        switch (kind) {
        case Kind::null: return "types.Null";
        case Kind::boolean: return "types.Bool";
        case Kind::integer: return "types.Int";
        case Kind::unsigned_integer: return "types.Uint";
        case Kind::floating: return "types.Double";
        case Kind::string: return "types.String";
        case Kind::bytes: return "types.Bytes";
        case Kind::timestamp: return "types.Timestamp";
        case Kind::duration: return "types.Duration";
        case Kind::optional: return "*types.Optional";
        default: return "*types.Type";
        }
    }
    Value value_;
};

} // namespace

Value LogicStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Value left = left_->run(context);
    if (left.is(Kind::boolean) && left.as_bool() == decisive_) return left;
    Value right = right_->run(context);
    if (right.is(Kind::boolean) && right.as_bool() == decisive_) return right;
    if (!left.is(Kind::boolean)) return bool_or_error(left);
    return right.is(Kind::boolean) ? right : bool_or_error(right);
}

Value EqualStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Value left = left_->run(context);
    const Value right = right_->run(context);
    if (left.is_error()) return left;
    if (right.is_error()) return right;
    return Value::boolean(equal(left, right, context.budget) == wanted_);
}

Value CallStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    std::vector<Value> values;
    values.reserve(args_.size());
    for (const StepPtr& arg : args_) values.push_back(arg->run(context));
    if (context.budget.exhausted()) return {};
    const auto error = std::ranges::find_if(values, [](const Value& v) { return v.is_error(); });
    // The condition of a quantifier takes errors too.
    if (error != values.end()) return callee_.name == "@not_strictly_false" ? Value::boolean(true) : *error;
    return call(values, context.budget);
}

Value CallStep::call(std::span<const Value> args, Budget& budget) const {
    const Function* f = callee_.function;
    if (f == nullptr) return unknown(args);
    if (f->impl != nullptr) return contains(f->takes, args[0].kind()) ? f->impl(args, budget) : unknown(args);
    if (callee_.overload != nullptr) {
        if (f->guarded && !fits(*callee_.overload, args)) return no_such_overload(f->name, args);
        return callee_.overload->impl(args, budget);
    }
    for (const Overload& o : f->overloads)
        if (o.impl != nullptr && o.args.size() == args.size() && (!f->guarded || fits(o, args))) return o.impl(args, budget);
    return no_such_overload(f->name, args);
}

// Values that receive calls by name (strings, times) have a shorter text for names they do not know.
Value CallStep::unknown(std::span<const Value> args) const {
    constexpr KindSet kReceivers = kinds({Kind::string, Kind::timestamp, Kind::duration});
    if (!args.empty() && contains(kReceivers, args[0].kind())) return Value::no_such_overload();
    return Value::error("no such overload: " + callee_.name + (args.size() > 2 ? " " + std::to_string(callee_.id) : ""));
}

Value MatchStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Value text = text_->run(context);
    if (text.is_error()) return text;
    if (text.is(Kind::type)) return pattern_->match(text.as_type(), context.budget); // cel-go takes the name of a type for a text here
    return text.is(Kind::string) ? pattern_->match(text.as_string(), context.budget) : Value::no_such_overload();
}

Value OrStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    Value left = left_->run(context);
    if (!left.is(Kind::optional)) return left;
    if (left.as_optional() == nullptr) return right_->run(context);
    if (!unwrap_) return left;
    return *left.as_optional();
}

Value ListStep::run(const Context& context) const {
    if (!context.budget.spend_elements(items_.size())) return {};
    std::vector<Value> out;
    out.reserve(items_.size());
    for (std::size_t i = 0; i < items_.size(); ++i) {
        Value v = items_[i]->run(context);
        if (v.is_error()) return v;
        if (!optional_[i]) {
            out.push_back(std::move(v));
            continue;
        }
        if (!v.is(Kind::optional)) return Value::error("cannot initialize optional list element from non-optional value " + display(v, context.budget));
        if (v.as_optional() != nullptr) out.push_back(*v.as_optional());
    }
    return Value::list(std::move(out));
}

Value MapStep::run(const Context& context) const {
    if (!context.budget.spend_elements(parts_.size() * 2)) return {};
    std::vector<std::pair<Value, Value>> out;
    out.reserve(parts_.size() / 2);
    for (std::size_t i = 0; i + 1 < parts_.size(); i += 2) {
        Value key = parts_[i]->run(context);
        if (key.is_error()) return key;
        Value v = parts_[i + 1]->run(context);
        if (v.is_error()) return v;
        if (optional_[i / 2]) {
            if (!v.is(Kind::optional))
                return Value::error("cannot initialize optional entry '" + display(key, context.budget) + "' from non-optional value " + display(v, context.budget));
            if (v.as_optional() == nullptr) {
                // As cel-go: an absent optional takes an equal key before it away too.
                std::erase_if(out, [&](const auto& e) { return e.first.kind() == key.kind() && equal(e.first, key, context.budget); });
                continue;
            }
            const Value inner = *v.as_optional();
            v = inner;
        }
        if (!can_be_key(key.kind())) return Value::error("unsupported key type: " + std::string(type_name(key.kind())));
        out.emplace_back(std::move(key), std::move(v));
    }
    return Value::map(std::move(out));
}

Value MessageStep::run(const Context& context) const {
    if (!context.budget.spend_elements(values_.size())) return {};
    std::vector<std::pair<std::string, Value>> out;
    for (std::size_t i = 0; i < values_.size(); ++i) {
        Value v = values_[i]->run(context);
        if (v.is_error()) return v;
        if (optional_[i]) {
            if (!v.is(Kind::optional))
                return Value::error("cannot initialize optional entry '" + fields_[i] + "' from non-optional value " + display(v, context.budget));
            if (v.as_optional() == nullptr) continue;
            const Value inner = *v.as_optional();
            v = inner;
        }
        out.emplace_back(fields_[i], std::move(v));
    }
    return make_message(type_, out);
}

Value FoldStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Range range(parts_.range->run(context));
    if (auto problem = range.problem()) return *problem;
    FoldFrame frame(context.frame, parts_.iter_var, parts_.accu_var);
    frame.accu = parts_.init->run(context);
    const Context inner{frame, context.budget};
    for (std::size_t i = 0; i < range.size() && !context.budget.exhausted(); ++i) {
        frame.item = range.at(i);
        if (parts_.condition->run(inner).is_false()) break;
        frame.accu = parts_.step->run(inner);
    }
    frame.iterating = false;
    return parts_.result->run(inner);
}

Value CollectStep::run(const Context& context) const {
    if (!context.budget.spend()) return {};
    const Range range(range_->run(context));
    if (auto problem = range.problem()) return *problem;
    static const std::string no_accu;
    FoldFrame frame(context.frame, iter_var_, no_accu);
    const Context inner{frame, context.budget};
    std::vector<Value> out;
    Value error; // the accumulator once it has failed: an error of the filter replaces it, one of an element only starts it
    for (std::size_t i = 0; i < range.size() && context.budget.spend_elements(1); ++i) {
        frame.item = range.at(i);
        if (filter_) {
            const Value keep = filter_->run(inner);
            if (!keep.is(Kind::boolean)) error = bool_or_error(keep);
            if (!keep.is_true()) continue;
        }
        if (error.is_error()) continue;
        Value item = item_->run(inner);
        if (item.is_error()) error = std::move(item);
        else out.push_back(std::move(item));
    }
    return error.is_error() ? error : Value::list(std::move(out));
}

} // namespace weber::cel
