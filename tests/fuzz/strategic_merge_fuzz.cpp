// kustomize's strategic merge. Input: an object and a patch, two YAML documents.
#include <cstdint>
#include <string_view>

#include "kube/base/yaml.h"
#include "kustomize/transform/merge_schema.h"
#include "kustomize/transform/strategic_merge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const kube::YamlLimits limits{.bytes = 1u << 20, .depth = 60, .documents = 2, .nodes = 20'000, .alias_expansion = 2'000};
    const auto documents = kube::read_yaml(text, {.file = "fuzz", .limits = limits});
    if (!documents || documents->size() != 2) return 0;
    Node object = documents->front();
    if (kustomize::strategic_merge(object, documents->back(), kustomize::MergeSchema::builtin())) (void)kube::write_yaml(object);
    return 0;
}
