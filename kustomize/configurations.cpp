#include "kustomize/configurations.h"

#include "kustomize/decode.h"
#include "kustomize/transform/field_specs.h"

namespace weber::kustomize {
namespace {

// One shared copy for all builds: merging it with itself is free. Never destroyed: a short command has no time for that.
const SharedConfig& defaults() {
    static const auto& shared = *new SharedConfig(SharedConfig(), &default_transformer_config()); // shares the table, owns nothing
    return shared;
}

// Every configuration is merged into an empty one first, which drops specs that an earlier, narrower one of the same path
// stands for: so does kustomize.
Result<SharedConfig> settled(const TransformerConfig& config) {
    TRY(TransformerConfig merged, merge_configs(TransformerConfig{}, config));
    return SharedConfig(std::make_shared<const TransformerConfig>(std::move(merged)));
}

} // namespace

Result<SharedConfig> load_configurations(const Loader& loader, const std::vector<ListEntry>& files) {
    if (files.empty()) return defaults();
    TransformerConfig own;
    for (const ListEntry& file : files) {
        auto documents = loader.load_documents(file.text, YamlKind::kustomization);
        if (!documents) return fail(std::move(documents.error()).at(file.where));
        if ((*documents)->empty()) continue;
        TransformerConfig one;
        auto read = decode(Decoder{.strict = true, .lax = true}, (*documents)->front(), one);
        if (!read) return fail(std::move(read.error()).with_prefix("transformer configuration " + file.text + ": ").at(file.where));
        auto merged = merge_configs(own, one);
        if (!merged) return fail(std::move(merged.error()).at(file.where));
        own = std::move(*merged);
    }
    auto merged = merge_configs(*defaults(), own);
    if (!merged) return fail(std::move(merged.error()).at(files.front().where).advise("a field is built in with another `create`"));
    return SharedConfig(std::make_shared<const TransformerConfig>(std::move(*merged)));
}

Result<SharedConfig> load_crds(const Loader& loader, const std::vector<ListEntry>& files) {
    TransformerConfig config;
    for (const ListEntry& file : files) {
        auto documents = loader.load_documents(file.text, YamlKind::kustomization);
        if (!documents) return fail(std::move(documents.error()).with_prefix("loading CRDs: ").at(file.where));
        if ((*documents)->empty()) continue;
        auto declared = config_from_crd((*documents)->front());
        if (!declared) return fail(std::move(declared.error()).with_prefix("loading CRDs from " + file.text + ": ").at(file.where));
        auto merged = merge_configs(config, *declared);
        if (!merged) return fail(std::move(merged.error()).at(file.where));
        config = std::move(*merged);
    }
    return std::make_shared<const TransformerConfig>(std::move(config));
}

Result<SharedConfig> merge_configs(const SharedConfig& a, const SharedConfig& b) {
    if (!b || a == b) return a;
    if (!a) return b == defaults() ? b : settled(*b); // the defaults are settled
    TRY(TransformerConfig merged, merge_configs(*a, *b));
    return SharedConfig(std::make_shared<const TransformerConfig>(std::move(merged)));
}

} // namespace weber::kustomize
