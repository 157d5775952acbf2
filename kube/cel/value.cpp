#include "kube/cel/value.h"

#include <cmath>
#include <unordered_map>

#include "kube/base/clock.h"
#include "kube/cel/go_format.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

class VectorList final : public List {
public:
    explicit VectorList(std::vector<Value> items) : items_(std::move(items)) {}
    [[nodiscard]] std::size_t size() const override { return items_.size(); }
    [[nodiscard]] Value at(std::size_t index) const override { return items_[index]; }

private:
    std::vector<Value> items_;
};

class NodeList final : public List {
public:
    explicit NodeList(Node node) : node_(std::move(node)) {}
    [[nodiscard]] std::size_t size() const override { return node_.size(); }
    [[nodiscard]] Value at(std::size_t index) const override { return Value::from_node(node_.items()[index]); }

private:
    Node node_;
};

class NodeMap final : public Map {
public:
    explicit NodeMap(Node node) : node_(std::move(node)) {}
    [[nodiscard]] std::size_t size() const override { return node_.size(); }
    [[nodiscard]] Value key_at(std::size_t index) const override { return Value::string(node_.entries()[index].key); }
    [[nodiscard]] Value value_at(std::size_t index) const override { return Value::from_node(node_.entries()[index].value); }
    [[nodiscard]] std::optional<Value> find(const Value& key) const override {
        if (!key.is(Kind::string)) return std::nullopt;
        const Node* found = node_.find(key.as_string());
        if (found == nullptr) return std::nullopt;
        return Value::from_node(*found);
    }

private:
    Node node_;
};

// Equal keys hash alike: numbers by their double value.
std::size_t hash_key(const Value& key) {
    switch (key.kind()) {
    case Kind::boolean: return key.as_bool() ? 3 : 5;
    case Kind::integer: return std::hash<double>{}(static_cast<double>(key.as_int()));
    case Kind::unsigned_integer: return std::hash<double>{}(static_cast<double>(key.as_uint()));
    case Kind::floating: return std::hash<double>{}(key.as_double());
    case Kind::string: return std::hash<std::string_view>{}(key.as_string());
    case Kind::timestamp: return std::hash<std::int64_t>{}(key.as_timestamp().seconds);
    case Kind::duration: return std::hash<std::int64_t>{}(key.as_duration().nanos);
    case Kind::type: return std::hash<std::string_view>{}(key.as_type()) + 1;
    default: return 7;
    }
}

bool same_key(const Value& a, const Value& b) {
    Budget free;
    return equal(a, b, free);
}

// Whether `key` finds the key `stored` of another kind: doubles find integers, integers each other, nothing finds a double.
bool converts_to(const Value& key, const Value& stored) {
    if (stored.kind() == key.kind() || !key.is_number()) return false;
    if (stored.is(Kind::integer)) return lossless_int(key) == stored.as_int();
    return stored.is(Kind::unsigned_integer) && lossless_uint(key) == stored.as_uint();
}

class ValueMap final : public Map {
public:
    explicit ValueMap(std::vector<std::pair<Value, Value>> entries) {
        entries_.reserve(entries.size());
        for (auto& [key, value] : entries) put(std::move(key), std::move(value));
    }
    [[nodiscard]] std::size_t size() const override { return entries_.size(); }
    [[nodiscard]] Value key_at(std::size_t index) const override { return entries_[index].first; }
    [[nodiscard]] Value value_at(std::size_t index) const override { return entries_[index].second; }
    [[nodiscard]] std::optional<Value> find(const Value& key) const override {
        const auto [first, last] = index_.equal_range(hash_key(key));
        const Value* found = nullptr;
        for (auto it = first; it != last; ++it) {
            const auto& [k, v] = entries_[it->second];
            if (k.kind() == key.kind() && same_key(k, key)) return v;
            // An integer before an unsigned one, whatever their order in the map.
            if (converts_to(key, k) && (found == nullptr || k.is(Kind::integer))) found = &v;
        }
        return found != nullptr ? std::optional(*found) : std::nullopt;
    }

private:
    void put(Value key, Value value) {
        const std::size_t hash = hash_key(key);
        const auto [first, last] = index_.equal_range(hash);
        for (auto it = first; it != last; ++it) {
            auto& [k, v] = entries_[it->second];
            if (k.kind() == key.kind() && same_key(k, key)) {
                v = std::move(value);
                return;
            }
        }
        index_.emplace(hash, entries_.size());
        entries_.emplace_back(std::move(key), std::move(value));
    }

    std::vector<std::pair<Value, Value>> entries_;
    std::unordered_multimap<std::size_t, std::size_t> index_; // hash of the key -> place in entries_
};

int sign(bool less, bool greater) { return less ? -1 : greater ? 1 : 0; }

// Comparisons of mixed numbers as cel-go's compare.go: exact at the ends, by double in between.
int compare_double_int(double d, std::int64_t i) {
    if (d < -9223372036854775808.0) return -1;
    if (d > 9223372036854775807.0) return 1;
    const auto v = static_cast<double>(i);
    return sign(d < v, d > v);
}

int compare_double_uint(double d, std::uint64_t u) {
    if (d < 0) return -1;
    if (d > 18446744073709551615.0) return 1;
    const auto v = static_cast<double>(u);
    return sign(d < v, d > v);
}

int compare_int_uint(std::int64_t i, std::uint64_t u) {
    if (i < 0) return -1;
    const auto v = static_cast<std::uint64_t>(i);
    return sign(v < u, v > u);
}

// Both are numbers, neither is NaN.
int compare_numbers(const Value& a, const Value& b) {
    if (a.kind() == b.kind()) {
        if (a.is(Kind::integer)) return sign(a.as_int() < b.as_int(), a.as_int() > b.as_int());
        if (a.is(Kind::unsigned_integer)) return sign(a.as_uint() < b.as_uint(), a.as_uint() > b.as_uint());
        return sign(a.as_double() < b.as_double(), a.as_double() > b.as_double());
    }
    if (b.is(Kind::floating) || (a.is(Kind::unsigned_integer) && b.is(Kind::integer))) return -compare_numbers(b, a);
    if (a.is(Kind::floating)) return b.is(Kind::integer) ? compare_double_int(a.as_double(), b.as_int()) : compare_double_uint(a.as_double(), b.as_uint());
    return compare_int_uint(a.as_int(), b.as_uint());
}

bool is_nan(const Value& v) { return v.is(Kind::floating) && std::isnan(v.as_double()); }

bool equal_lists(const List& a, const List& b, Budget& budget) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size() && budget.spend(); ++i)
        if (!equal(a.at(i), b.at(i), budget)) return false;
    return true;
}

bool equal_maps(const Map& a, const Map& b, Budget& budget) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::optional<Value> other = b.find(a.key_at(i));
        if (!other || !equal(a.value_at(i), *other, budget)) return false;
    }
    return true;
}

bool equal_optionals(const Value* a, const Value* b, Budget& budget) {
    if (a == nullptr || b == nullptr) return a == b;
    return equal(*a, *b, budget);
}

void display_to(const Value& value, std::string& out, Budget& budget) {
    if (!budget.spend()) return;
    switch (value.kind()) {
    case Kind::null: out += "0"; return;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; return;
    case Kind::integer: out += std::to_string(value.as_int()); return;
    case Kind::unsigned_integer: out += std::to_string(value.as_uint()); return;
    case Kind::floating: out += format_general(value.as_double()); return;
    case Kind::string: out += value.as_string(); return;
    case Kind::bytes: {
        out += '[';
        for (bool first = true; const char c : value.as_bytes()) {
            if (!std::exchange(first, false)) out += ' ';
            out += std::to_string(static_cast<unsigned char>(c));
        }
        out += ']';
        return;
    }
    case Kind::list: {
        out += '[';
        for (std::size_t i = 0; i < value.as_list().size() && !budget.exhausted(); ++i) {
            if (i != 0) out += ", ";
            display_to(value.as_list().at(i), out, budget);
        }
        out += ']';
        return;
    }
    case Kind::map: {
        out += '{';
        for (std::size_t i = 0; i < value.as_map().size() && !budget.exhausted(); ++i) {
            if (i != 0) out += ", ";
            display_to(value.as_map().key_at(i), out, budget);
            out += ": ";
            display_to(value.as_map().value_at(i), out, budget);
        }
        out += '}';
        return;
    }
    case Kind::timestamp: out += format_timestamp(value.as_timestamp()); return;
    case Kind::duration: out += kube::format_go_duration(std::chrono::nanoseconds(value.as_duration().nanos)); return;
    case Kind::type: out += value.as_type(); return;
    case Kind::optional:
        if (value.as_optional() == nullptr) {
            out += "optional.none()";
            return;
        }
        out += "optional(";
        display_to(*value.as_optional(), out, budget);
        out += ')';
        return;
    case Kind::error: out += value.as_error(); return;
    }
}

} // namespace

Value Value::list(std::vector<Value> items) { return list(std::make_shared<const VectorList>(std::move(items))); }

Value Value::map(std::vector<std::pair<Value, Value>> entries) { return map(std::make_shared<const ValueMap>(std::move(entries))); }

Value Value::from_node(const Node& node) {
    switch (node.kind()) {
    case NodeKind::null: return null();
    case NodeKind::boolean: return boolean(node.as_bool());
    case NodeKind::integer:
        if (const auto v = node.as_int()) return integer(*v);
        return floating(node.as_double().value_or(0));
    case NodeKind::floating: return floating(node.as_double().value_or(0));
    case NodeKind::string: return string(node.shared_text());
    case NodeKind::list: return list(std::make_shared<const NodeList>(node));
    case NodeKind::map: return map(std::make_shared<const NodeMap>(node));
    }
    return null();
}

std::string_view type_name(Kind kind) {
    static constexpr std::string_view kNames[] = {"null_type", "bool", "int",  "uint", "double", "string", "bytes",
                                                  "list",      "map",  "google.protobuf.Timestamp", "google.protobuf.Duration", "type",
                                                  "optional_type", "error"};
    return kNames[static_cast<std::size_t>(kind)];
}

bool equal(const Value& a, const Value& b, Budget& budget) {
    if (!budget.spend()) return false;
    if (a.is_number() && b.is_number()) return !is_nan(a) && !is_nan(b) && compare_numbers(a, b) == 0;
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return a.as_bool() == b.as_bool();
    case Kind::string: return budget.spend_text(a.as_string().size() / 16) && a.as_string() == b.as_string();
    case Kind::bytes: return budget.spend_text(a.as_bytes().size() / 16) && a.as_bytes() == b.as_bytes();
    case Kind::list: return equal_lists(a.as_list(), b.as_list(), budget);
    case Kind::map: return equal_maps(a.as_map(), b.as_map(), budget);
    case Kind::timestamp: return a.as_timestamp().seconds == b.as_timestamp().seconds && a.as_timestamp().nanos == b.as_timestamp().nanos;
    case Kind::duration: return a.as_duration().nanos == b.as_duration().nanos;
    case Kind::type: return a.as_type() == b.as_type();
    case Kind::optional: return equal_optionals(a.as_optional(), b.as_optional(), budget);
    default: return false;
    }
}

Value compare(const Value& a, const Value& b) {
    if (is_nan(a) || (a.is_number() && is_nan(b))) return Value::error("NaN values cannot be ordered");
    if (a.is_number() && b.is_number()) return Value::integer(compare_numbers(a, b));
    if (a.kind() != b.kind()) return Value::no_such_overload();
    const auto order = [](auto x, auto y) { return Value::integer(x < y ? -1 : y < x ? 1 : 0); };
    switch (a.kind()) {
    case Kind::boolean: return order(a.as_bool(), b.as_bool());
    case Kind::string: return order(a.as_string(), b.as_string());
    case Kind::bytes: return order(a.as_bytes(), b.as_bytes());
    case Kind::duration: return order(a.as_duration().nanos, b.as_duration().nanos);
    case Kind::timestamp:
        return order(std::pair(a.as_timestamp().seconds, a.as_timestamp().nanos), std::pair(b.as_timestamp().seconds, b.as_timestamp().nanos));
    default: return Value::no_such_overload();
    }
}

bool can_be_key(Kind kind) {
    return kind != Kind::bytes && kind != Kind::list && kind != Kind::map && kind != Kind::optional && kind != Kind::error;
}

std::optional<std::int64_t> double_to_int(double v) {
    if (!std::isfinite(v) || v <= -9223372036854775808.0 || v >= 9223372036854775808.0) return std::nullopt;
    return static_cast<std::int64_t>(v);
}

std::optional<std::uint64_t> double_to_uint(double v) {
    if (!std::isfinite(v) || v < 0 || v >= 18446744073709551616.0) return std::nullopt;
    return static_cast<std::uint64_t>(v);
}

std::optional<std::int64_t> lossless_int(const Value& number) {
    if (number.is(Kind::integer)) return number.as_int();
    if (number.is(Kind::unsigned_integer) && number.as_uint() <= INT64_MAX) return static_cast<std::int64_t>(number.as_uint());
    if (number.is(Kind::floating))
        if (const auto v = double_to_int(number.as_double()); v && static_cast<double>(*v) == number.as_double()) return v;
    return std::nullopt;
}

std::optional<std::uint64_t> lossless_uint(const Value& number) {
    if (number.is(Kind::unsigned_integer)) return number.as_uint();
    if (number.is(Kind::integer) && number.as_int() >= 0) return static_cast<std::uint64_t>(number.as_int());
    if (number.is(Kind::floating))
        if (const auto v = double_to_uint(number.as_double()); v && static_cast<double>(*v) == number.as_double()) return v;
    return std::nullopt;
}

std::string display(const Value& value, Budget& budget) {
    std::string out;
    display_to(value, out, budget);
    return out;
}

} // namespace weber::cel
