// How kube-apiserver, a Go program, writes the fields of a built-in type: which zero values vanish and which fields are always there.
//
// Constant tables, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "kube/base/schema.h"

namespace weber::kube::server {

enum class GoForm : char {
    keep = 'k',            // a pointer: present or absent as given
    drop_empty = 'd',      // omitempty: "", 0, false, [] and {} vanish
    always_map = 'm',      // a struct: at least {}
    always_text = 't',     // without omitempty: at least ""
    always_zero = 'z',     // … 0
    always_false = 'f',    // … false
    always_null = 'n',     // … null (lists and maps, also when empty; times)
    always_quantity = 'q', // … "0"
};

// `field` must be of a built-in type (schema.h's tables).
GoForm go_form(const FieldSchema& field);

// The field's number in the type's protobuf message; of a field of an embedded message the numbers that lead to it, the outermost in the lowest
// byte. 0: not on the wire.
std::uint32_t proto_number(const FieldSchema& field);

// Where the field stands in its Go struct, which is where it stands in JSON: smaller comes first.
std::uint8_t go_place(const FieldSchema& field);

// The field's type as encoding/json names it ("[]v1.Container", "v1.PullPolicy").
std::string_view go_type_word(const FieldSchema& field);
// The same of what such a list or map holds: "[]v1.Container" → "v1.Container", "map[string]string" → "string"; "" for other types.
inline std::string_view go_element_word(std::string_view word) {
    const auto end = word.find(']');
    return end == std::string_view::npos ? std::string_view() : word.substr(end + 1);
}

// Name of the object type without its group's prefix ("core.v1.PodSpec"); "" for types without fields or of CRDs.
std::string_view definition_name(const TypeSchema& type);

} // namespace weber::kube::server
