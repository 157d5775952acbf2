// The YAML reader in both schemas; what the quick reader reads, libyaml reads the same; what the writer makes of a tree must read back as the same tree.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kube/base/yaml.h"
#include "kube/base/yaml_document.h"
#include "kube/base/yaml_plain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kube;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const YamlLimits limits{.bytes = 1u << 20, .depth = 100, .documents = 1000, .nodes = 100'000, .alias_expansion = 10'000};
    (void)read_yaml(text, {.file = "fuzz", .schema = YamlSchema::yaml_1_1, .limits = limits, .unique_keys = false});
    if (const auto document = YamlDocument::read(text)) (void)with_yaml_form(document->write(), text);
    const auto documents = read_any_yaml(text, {.file = "fuzz", .limits = limits});
    if (const auto quick = read_plain_yaml(text, {.file = "fuzz", .limits = limits}); quick && (!documents || *quick != *documents)) std::abort();
    if (!documents) return 0;
    for (const Node& document : *documents) {
        const std::string written = write_yaml(document);
        const auto again = read_yaml(written, {.file = "written"});
        if (!again || again->size() > 1) std::abort();
        const std::string twice = again->empty() ? std::string("null\n") : write_yaml(again->front());
        if (twice != written) std::abort();
    }
    return 0;
}
