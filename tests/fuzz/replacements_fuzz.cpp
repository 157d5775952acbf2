// Replacements. Input: YAML documents, the first a list of replacements, the others objects.
#include <cstdint>
#include <string_view>

#include "kube/base/yaml.h"
#include "kustomize/decode.h"
#include "kustomize/resource_reader.h"
#include "kustomize/transform/replacements.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    using namespace weber::kustomize;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const kube::YamlLimits limits{.bytes = 1u << 20, .depth = 60, .documents = 20, .nodes = 20'000, .alias_expansion = 2'000};
    auto documents = kube::read_yaml(text, {.file = "fuzz", .limits = limits});
    if (!documents || documents->empty()) return 0;
    std::vector<Replacement> replacements;
    for (const Node& item : documents->front().items()) {
        ReplacementEntry entry;
        if (!decode(Decoder{}, item, entry)) return 0;
        replacements.push_back(std::move(entry.replacement));
    }
    documents->erase(documents->begin());
    auto resources = resources_of(*documents);
    if (resources) (void)apply_replacements(*resources, replacements);
    return 0;
}
