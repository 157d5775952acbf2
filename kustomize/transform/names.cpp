#include "kustomize/transform/names.h"

#include <string>

#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

enum class Side { before, after };

// By the original id: these are known to others under the very name they have.
bool keeps_its_name(const Gvk& gvk) {
    const std::string& kind = gvk.kind();
    return kind == "CustomResourceDefinition" || kind == "Namespace" ||
           (kind == "APIService" && gvk.group() == "apiregistration.k8s.io");
}

Result<void> add_affix(ResourceSet& resources, std::string_view affix, const FieldSpecs& specs, Side side) {
    std::vector<FieldWalker> walkers;
    walkers.reserve(specs.size());
    for (const FieldSpec& spec : specs) walkers.emplace_back(FieldSpecs{spec}, FieldWalker::Creates::scalar);

    std::string text;
    const FieldWalker::Visit set = [&](Node& node) {
        text.assign(side == Side::before ? affix : written_text(node));
        text.append(side == Side::before ? written_text(node) : affix);
        return set_bare_text(node, text);
    };
    for (const auto& resource : resources.all()) {
        Resource& r = *resource;
        if (r.empty()) continue;
        const Gvk original = r.org_id().gvk;
        if (keeps_its_name(original)) continue;
        for (std::size_t i = 0; i < specs.size(); ++i) {
            if (!specs[i].gvk.selects(original)) continue;
            if (specs[i].path == "metadata/name" && !affix.empty()) {
                if (side == Side::before) r.add_prefix(affix);
                else r.add_suffix(affix);
                r.store_previous_id();
            }
            TRY_VOID(walkers[i].walk(r, set));
            r.sync_id();
        }
    }
    return {};
}

} // namespace

Result<void> apply_name_prefix(ResourceSet& resources, std::string_view prefix, const FieldSpecs& specs) {
    return add_affix(resources, prefix, specs, Side::before);
}

Result<void> apply_name_suffix(ResourceSet& resources, std::string_view suffix, const FieldSpecs& specs) {
    return add_affix(resources, suffix, specs, Side::after);
}

} // namespace weber::kustomize
