// The generated tables behind schema.h. Not for other files.
#pragma once

#include <span>
#include <string_view>

#include "kube/base/schema.h"
#include "kube/base/schema_data/sizes.h"

namespace weber::kube::schema_tables {

struct Definition {
    std::string_view name;
    std::uint32_t type; // index into kTypes
};
struct KindRow {
    std::string_view group, version, kind;
    std::uint32_t type;
};

extern const TypeSchema kTypes[kTypeCount];
extern const FieldSchema kFields[kFieldCount];
extern const std::span<const Definition> kDefinitions;  // sorted by name
extern const std::span<const KindRow> kKinds;            // sorted
extern const std::span<const ResourceFacts> kResources; // sorted by group, version, plural

// Defaults of list-map keys.
extern const Node kTcp;
extern const Node kEmptyString;
extern const Node kZero;

} // namespace weber::kube::schema_tables
