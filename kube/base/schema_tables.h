// The generated tables behind schema.h. Not for other files.
//
// Rows hold no pointers: those would have to be relocated, each page of them copied, at the start of every command, which most commands have no use for. What schema.h
// hands out, with pointers, is made of the rows when it is first asked for.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "kube/base/schema.h"
#include "kube/base/schema_data/sizes.h"

namespace weber::kube::schema_tables {

inline constexpr std::uint16_t kNone = 0xffff;

// Defaults of list-map keys.
enum class KeyDefault : std::uint8_t { none, tcp, empty_string, zero };

struct FieldRow {
    char name[52];
    std::uint16_t type; // index into kTypeRows
    bool required = false;
    KeyDefault key_default = KeyDefault::none;
};
struct FieldRange {
    std::uint16_t first = 0, count = 0; // of kFieldRows
};
// As TypeSchema.
struct TypeRow {
    TypeKind kind;
    ListType list_type = ListType::atomic;
    bool atomic = false;
    bool preserve_unknown = false;
    bool patch_merge = false;
    bool patch_replace_keys = false;
    bool patch_retain_keys = false;
    char patch_merge_key[20] = "";
    std::uint16_t element = kNone;
    FieldRange fields = {};
    std::uint16_t keys = kNone; // index into kKeyListRows
};
struct KeyListRow {
    char names[4][20]; // up to the first empty one
};
struct Definition {
    char name[72];
    std::uint32_t type; // index into kTypeRows
};
struct KindRow {
    char group[40], version[16], kind[48];
    std::uint32_t type;
};

extern const TypeRow kTypeRows[kTypeCount];
extern const FieldRow kFieldRows[kFieldCount];
extern const KeyListRow kKeyListRows[kKeyListCount];
extern const Definition kDefinitions[kDefinitionCount]; // sorted by name
extern const KindRow kKinds[kKindCount];                // sorted
extern const std::span<const ResourceFacts> kResources; // sorted by group, version, plural

struct Tables {
    std::array<TypeSchema, kTypeCount> types;
    std::array<FieldSchema, kFieldCount> fields; // in the order of kFieldRows
    std::array<std::array<std::string_view, 4>, kKeyListCount> keys;
};
const Tables& tables(); // thread-safe, lives for ever

} // namespace weber::kube::schema_tables
