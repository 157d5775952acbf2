// Configurations of built-in plugins, read from objects. Fields that a plugin does not know are skipped, as kustomize does.
//
// Pure but for reading files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/decode.h"
#include "kustomize/loader.h"
#include "kustomize/resource.h"
#include "kustomize/transform/value_add.h"
#include "kustomize/types.h"

namespace weber::kustomize {

struct PrefixConfig {
    std::string prefix, suffix;
    FieldSpecs field_specs;
    bool has_field_specs = false;
};
struct NamespaceConfig {
    NamespaceOptions options;
};
struct MapConfig {
    StringMap labels, annotations;
    FieldSpecs field_specs;
};
struct ImageConfig {
    Image image;
    FieldSpecs field_specs;
};
struct ReplicaConfig {
    Replica replica;
    FieldSpecs field_specs;
};
struct ReplacementConfig {
    std::vector<ReplacementEntry> replacements;
};
struct JsonPatchConfig {
    Patch patch; // `jsonOp` is its inline text
};
struct MergePatchConfig {
    std::vector<std::string> paths;
    std::string patches;
    std::uint32_t patches_line = 1; // of the file, in which `patches` begins
};
struct ValueAddConfig {
    std::string value;
    std::vector<ValueAddTarget> targets;
    std::string target_file_path;
};
struct GeneratorConfig {
    GeneratorArgs args; // name and namespace taken from metadata when the arguments have none
};
struct IamPolicyConfig {
    std::string cloud, service_name, service_namespace, account_name, project_id;
};

Result<void> decode(const Decoder& d, const Node& node, PrefixConfig& out);
Result<void> decode(const Decoder& d, const Node& node, NamespaceConfig& out);
Result<void> decode(const Decoder& d, const Node& node, MapConfig& out);
Result<void> decode(const Decoder& d, const Node& node, ImageConfig& out);
Result<void> decode(const Decoder& d, const Node& node, ReplicaConfig& out);
Result<void> decode(const Decoder& d, const Node& node, ReplacementConfig& out);
Result<void> decode(const Decoder& d, const Node& node, JsonPatchConfig& out);
Result<void> decode(const Decoder& d, const Node& node, MergePatchConfig& out);
Result<void> decode(const Decoder& d, const Node& node, ValueAddConfig& out);
Result<void> decode(const Decoder& d, const Node& node, GeneratorConfig& out);
Result<void> decode(const Decoder& d, const Node& node, IamPolicyConfig& out);

template <class T>
Result<T> read_plugin(const Node& config) {
    T out{};
    TRY_VOID(decode(Decoder{.strict = false, .lax = true}, config, out));
    return out;
}

// The default value, and the targets of the target file added; checks that each has a field path.
Result<ValueAddOptions> finish_value_add(ValueAddConfig config, const Loader& loader);

// Only objects of apiVersion `builtin` configure built-in plugins; for others a clear error.
Result<void> check_builtin(const Resource& config);
// The kind is no built-in `role` ("transformer", "generator").
[[nodiscard]] std::unexpected<Error> unknown_plugin(const Resource& config, std::string_view role);

} // namespace weber::kustomize
