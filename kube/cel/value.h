// A CEL value: what expressions read, compute and return.
//
// Lists and maps that come from a Node are read where they stand, element by element, when an expression asks for them.
// Errors are values too, because && and || may absorb them (the three-valued logic of CEL).
//
// Thread-safety: immutable; copies may be used from distinct threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kube/base/node.h"
#include "kube/cel/budget.h"

namespace weber::cel {

using kube::Text;

// In the order of Value's variant.
enum class Kind : std::uint8_t {
    null, boolean, integer, unsigned_integer, floating, string, bytes, list, map, timestamp, duration, type, optional, error,
};

// Seconds since 1970 UTC and nanoseconds (0 … 999'999'999); `offset` is the zone it was written with, in seconds east, and only matters
// when the timestamp becomes text.
struct Timestamp {
    std::int64_t seconds = 0;
    std::int32_t nanos = 0;
    std::int32_t offset = 0;
};

struct Duration {
    std::int64_t nanos = 0;
};

class Value;

// Thread-safe: immutable.
class List {
public:
    virtual ~List() = default;
    [[nodiscard]] virtual std::size_t size() const = 0;
    [[nodiscard]] virtual Value at(std::size_t index) const = 0; // index < size()
};

// Thread-safe: immutable. Iteration goes in the order of the source (cel-go's order is random).
class Map {
public:
    virtual ~Map() = default;
    [[nodiscard]] virtual std::size_t size() const = 0;
    [[nodiscard]] virtual Value key_at(std::size_t index) const = 0;
    [[nodiscard]] virtual Value value_at(std::size_t index) const = 0;
    // Numbers match across types without loss: 1u and 1.0 find the key 1, but 1 does not find 1.0 (as in cel-go).
    [[nodiscard]] virtual std::optional<Value> find(const Value& key) const = 0;
};

class Value {
public:
    Value() = default; // null

    static Value null() { return {}; }
    static Value boolean(bool v) { return Value(Rep(std::in_place_index<1>, v)); }
    static Value integer(std::int64_t v) { return Value(Rep(std::in_place_index<2>, v)); }
    static Value unsigned_integer(std::uint64_t v) { return Value(Rep(std::in_place_index<3>, v)); }
    static Value floating(double v) { return Value(Rep(std::in_place_index<4>, v)); }
    static Value string(Text v) { return Value(Rep(std::in_place_index<5>, StringRep{std::move(v)})); }
    static Value string(std::string_view v) { return string(Text(v)); }
    static Value bytes(std::string_view v) { return Value(Rep(std::in_place_index<6>, BytesRep{Text(v)})); }
    static Value list(std::vector<Value> items);
    static Value list(std::shared_ptr<const List> v) { return Value(Rep(std::in_place_index<7>, std::move(v))); }
    // The last of equal keys wins, as in cel-go. Keys must satisfy can_be_key().
    static Value map(std::vector<std::pair<Value, Value>> entries);
    static Value map(std::shared_ptr<const Map> v) { return Value(Rep(std::in_place_index<8>, std::move(v))); }
    static Value timestamp(Timestamp v) { return Value(Rep(std::in_place_index<9>, v)); }
    static Value duration(Duration v) { return Value(Rep(std::in_place_index<10>, v)); }
    static Value type(std::string_view name) { return Value(Rep(std::in_place_index<11>, TypeRep{Text(name)})); }
    static Value optional_of(Value v) { return Value(Rep(std::in_place_index<12>, OptionalRep{std::make_shared<const Value>(std::move(v))})); }
    static Value optional_none() { return Value(Rep(std::in_place_index<12>, OptionalRep{})); }
    static Value error(std::string message) { return Value(Rep(std::in_place_index<13>, ErrorRep{Text(message)})); }
    static Value no_such_overload() { return error("no such overload"); }

    // A tree of JSON data, read lazily. Integers outside int64 become doubles, as Kubernetes' JSON decoder makes them.
    static Value from_node(const Node& node);

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(rep_.index()); }
    [[nodiscard]] bool is(Kind k) const { return kind() == k; }
    [[nodiscard]] bool is_error() const { return kind() == Kind::error; }
    [[nodiscard]] bool is_true() const { return is(Kind::boolean) && as_bool(); }
    [[nodiscard]] bool is_false() const { return is(Kind::boolean) && !as_bool(); }
    [[nodiscard]] bool is_number() const { return kind() >= Kind::integer && kind() <= Kind::floating; }

    // Each asks for the kind it names.
    [[nodiscard]] bool as_bool() const { return std::get<1>(rep_); }
    [[nodiscard]] std::int64_t as_int() const { return std::get<2>(rep_); }
    [[nodiscard]] std::uint64_t as_uint() const { return std::get<3>(rep_); }
    [[nodiscard]] double as_double() const { return std::get<4>(rep_); }
    [[nodiscard]] std::string_view as_string() const { return std::get<5>(rep_).text; }
    [[nodiscard]] std::string_view as_bytes() const { return std::get<6>(rep_).text; }
    [[nodiscard]] const List& as_list() const { return *std::get<7>(rep_); }
    [[nodiscard]] const Map& as_map() const { return *std::get<8>(rep_); }
    [[nodiscard]] Timestamp as_timestamp() const { return std::get<9>(rep_); }
    [[nodiscard]] Duration as_duration() const { return std::get<10>(rep_); }
    [[nodiscard]] std::string_view as_type() const { return std::get<11>(rep_).name; }
    [[nodiscard]] const Value* as_optional() const { return std::get<12>(rep_).value.get(); } // nullptr: none
    [[nodiscard]] std::string_view as_error() const { return std::get<13>(rep_).message; }

private:
    struct StringRep { Text text; };
    struct BytesRep { Text text; };
    struct TypeRep { Text name; };
    struct OptionalRep { std::shared_ptr<const Value> value; };
    struct ErrorRep { Text message; };
    using Rep = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, StringRep, BytesRep, std::shared_ptr<const List>,
                             std::shared_ptr<const Map>, Timestamp, Duration, TypeRep, OptionalRep, ErrorRep>;
    explicit Value(Rep rep) : rep_(std::move(rep)) {}
    Rep rep_;
};

// The name of a value's type at run time: "int", "map", "google.protobuf.Timestamp", "optional_type" …
std::string_view type_name(Kind kind);

// Equality as `==` means it: numbers across types, lists and maps deeply, different kinds are unequal.
bool equal(const Value& a, const Value& b, Budget& budget);

// -1, 0, 1, or an error value for kinds without an order, kinds that differ, and NaN.
Value compare(const Value& a, const Value& b);

// Whether map literals take the value as a key.
bool can_be_key(Kind kind);

// Conversions that lose nothing; nullopt otherwise.
std::optional<std::int64_t> lossless_int(const Value& number);
std::optional<std::uint64_t> lossless_uint(const Value& number);

// Conversions of doubles towards zero; nullopt out of range (cel-go refuses the extreme values too).
std::optional<std::int64_t> double_to_int(double v);
std::optional<std::uint64_t> double_to_uint(double v);

// As Go's %v prints it inside error messages: strings bare, lists in brackets.
std::string display(const Value& value, Budget& budget);

} // namespace weber::cel
