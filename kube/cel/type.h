// Static types of the checker.
//
// Thread-safety: immutable; shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/cel/value.h"

namespace weber::cel {

enum class TypeKind : std::uint8_t {
    dyn, any, null, boolean, integer, unsigned_integer, floating, string, bytes, timestamp, duration, // no parameters
    list, map, type, opaque,                                                                       // parameters
    message,                                                                                       // a protocol buffer type, by name
    param,                                                                                         // a type variable, by name
    error,
};

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Type {
    TypeKind kind = TypeKind::dyn;
    bool nullable = false;            // a wrapper such as google.protobuf.Int64Value
    std::string name = {};            // its name at run time: "int", "list", "optional_type", the variable's name …
    std::vector<TypePtr> params = {};
    std::uint32_t nodes = 1;          // of the whole tree, saturating
};

// A type tree beyond this is refused: nested literals can double it with every level.
inline constexpr std::uint32_t kMaxTypeNodes = 1'000;

namespace types {
TypePtr dyn();
TypePtr any();
TypePtr null();
TypePtr boolean();
TypePtr integer();
TypePtr unsigned_integer();
TypePtr floating();
TypePtr string();
TypePtr bytes();
TypePtr timestamp();
TypePtr duration();
TypePtr error();
TypePtr list(TypePtr element);
TypePtr map(TypePtr key, TypePtr value);
TypePtr optional(TypePtr value);
TypePtr opaque(std::string_view name, std::vector<TypePtr> params);
TypePtr type();                // of which nothing more is known
TypePtr type_of(TypePtr what); // type(what)
TypePtr param(std::string_view name);
TypePtr wrapper(const TypePtr& of);
// A message type by its full name; well-known ones become what CEL makes of them (google.protobuf.Struct is map(string, dyn)).
TypePtr message(std::string_view name);
} // namespace types

// Whether `name` is a protocol buffer message of Flux's environment that expressions may construct.
bool is_message_name(std::string_view name);
// The type that the identifier `name` denotes ("int", "google.protobuf.Timestamp"), or nullptr.
TypePtr named_type(std::string_view name);
// The type of a field of a message that expressions may construct, or nullptr.
TypePtr message_field(std::string_view message, std::string_view field);

// "map(string, dyn)", "wrapper(int)", "timestamp": as the checker's errors print it.
std::string format_type(const Type& type);
// As Go's %s prints it ("<A>" for a variable, "google.protobuf.Timestamp").
std::string describe_type(const Type& type);

bool same_type(const Type& a, const Type& b); // exactly, variables by name
// Whether a value of `from` may stand where `to` is declared, variables taking anything.
bool assignable(const Type& to, const Type& from);
// Whether `value` may be passed where `to` is declared; of lists and maps the first element is looked at, as cel-go does.
bool accepts(const Type& to, const Value& value);

} // namespace weber::cel
