#include "kustomize/patch_loading.h"

#include <algorithm>

#include "kube/base/trim.h"
#include "kube/base/yaml.h"
#include "kustomize/decode.h"
#include "kustomize/resource_reader.h"
#include "kustomize/transform/patches.h"

namespace weber::kustomize {
namespace {

// Text and documents of a patch file; documents stay null when the text is no YAML (the transform then says so).
Result<void> load_text(Patch& patch, const Loader& loader) {
    TRY(auto text, loader.load(patch.path));
    patch.text = *text;
    if (auto documents = loader.load_documents(patch.path)) patch.documents = std::move(*documents);
    return {};
}

// What `kustomize` shows of the entry in its errors.
std::string shown(const Patch& patch) {
    std::string out = "patch: '" + patch.inline_text + "'\n";
    if (!patch.path.empty()) out += "path: " + patch.path + "\n";
    return out;
}

// Patches written into a list of paths; none when the text is something else (a path).
Result<std::vector<Node>> inline_patches(const ListEntry& entry) {
    if (entry.text.find(':') == std::string::npos) return fail(ErrorCode::invalid, "not an inline patch");
    TRY(auto documents, kube::read_yaml(entry.text, {.file = entry.where.file, .first_line = entry.text_line}));
    return objects_of(std::move(documents));
}

Result<std::vector<Node>> patches_of_entry(const ListEntry& entry, const Loader& loader) {
    if (auto inlined = inline_patches(entry)) return inlined;
    auto documents = loader.load_documents(entry.text);
    if (!documents) return fail(std::move(documents.error()).at(entry.where));
    auto objects = objects_of(**documents);
    if (!objects) return fail(std::move(objects.error()).with_prefix("patch " + entry.text + ": ").at(entry.where));
    return objects;
}

} // namespace

Result<Step> patch_step(Patch patch, const PluginContext& context) {
    const std::size_t blank = std::min(patch.inline_text.find_first_not_of(kube::kBlanks), patch.inline_text.size());
    patch.inline_line += static_cast<std::uint32_t>(std::count(patch.inline_text.begin(), patch.inline_text.begin() + static_cast<std::ptrdiff_t>(blank), '\n'));
    patch.inline_text = std::string(kube::trimmed(patch.inline_text));
    if (patch.inline_text.empty() && patch.path.empty())
        return fail(ErrorCode::invalid, "must specify one of patch and path in\n" + shown(patch), patch.where);
    if (!patch.inline_text.empty() && !patch.path.empty())
        return fail(ErrorCode::invalid, "patch and path can't be set at the same time\n" + shown(patch), patch.where);
    if (patch.path.empty()) {
        patch.text = patch.inline_text;
    } else if (auto loaded = load_text(patch, context.loader); !loaded) {
        return fail(std::move(loaded.error()).with_prefix("failed to get the patch file from path(" + patch.path + "): ").at(patch.where));
    }
    const bool merges = !patch.text.starts_with('-') && !patch.text.starts_with('[');
    auto shared = std::make_shared<const Patch>(std::move(patch));
    return Step{.kind = "PatchTransformer",
                .run = [shared, schema = &context.schema](ResourceSet& set) -> Result<void> {
                    auto applied = apply_patch(set, *shared, *schema);
                    if (!applied) return fail(std::move(applied.error()).at(shared->where));
                    return applied;
                },
                .merges = merges};
}

Result<Step> patch_json6902_step(Patch patch, const PluginContext& context) {
    const auto bad = [&](std::string message) { return fail(ErrorCode::invalid, std::move(message), patch.where); };
    if (!patch.target || patch.target->name.empty()) return bad("must specify the target name");
    if (patch.path.empty() && patch.inline_text.empty()) return bad("empty file path and empty jsonOp");
    if (!patch.path.empty() && !patch.inline_text.empty()) return bad("must specify a file path or jsonOp, not both");
    if (patch.path.empty()) {
        patch.text = patch.inline_text;
    } else {
        if (auto loaded = load_text(patch, context.loader); !loaded) return fail(std::move(loaded.error()).at(patch.where));
        if (patch.text.empty()) return bad("patch file '" + patch.path + "' empty seems to be empty");
    }
    auto shared = std::make_shared<const Patch>(std::move(patch));
    return Step{"PatchJson6902Transformer", [shared](ResourceSet& set) -> Result<void> {
                    auto applied = apply_patch_json6902(set, *shared);
                    if (!applied) return fail(std::move(applied.error()).at(shared->where));
                    return applied;
                }};
}

Result<Step> patches_strategic_merge_step(const std::vector<ListEntry>& entries, const ListEntry& inlined, const PluginContext& context) {
    if (entries.empty() && inlined.text.empty()) return fail(ErrorCode::invalid, "empty file path and empty patch content");
    std::vector<Node> patches;
    std::string files;
    for (const ListEntry& entry : entries) {
        TRY(std::vector<Node> some, patches_of_entry(entry, context.loader));
        patches.insert(patches.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
        files += (files.empty() ? "" : " ") + entry.text;
    }
    if (!inlined.text.empty()) {
        TRY(auto documents, kube::read_yaml(inlined.text, {.file = inlined.where.file, .first_line = inlined.text_line}));
        TRY(std::vector<Node> some, objects_of(std::move(documents)));
        patches.insert(patches.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    if (patches.empty()) {
        return fail(ErrorCode::invalid, "patch appears to be empty; files=[" + files + "], Patch=" + inlined.text,
                    entries.empty() ? Where{} : entries.front().where);
    }
    auto shared = std::make_shared<const std::vector<Node>>(std::move(patches));
    return Step{.kind = "PatchStrategicMergeTransformer",
                .run = [shared, schema = &context.schema](ResourceSet& set) { return apply_patches_strategic_merge(set, *shared, *schema); },
                .merges = true};
}

Result<std::vector<Replacement>> load_replacements(const Loader& loader, const std::vector<ReplacementEntry>& entries) {
    std::vector<Replacement> replacements;
    const auto add = [&](const Node& node) -> Result<void> {
        ReplacementEntry entry;
        TRY_VOID(decode(Decoder{.strict = false, .lax = true}, node, entry));
        replacements.push_back(std::move(entry.replacement));
        return {};
    };
    for (const ReplacementEntry& entry : entries) {
        if (entry.path.empty()) {
            replacements.push_back(entry.replacement);
            continue;
        }
        if (entry.replacement.source || !entry.replacement.targets.empty())
            return fail(ErrorCode::invalid, "cannot specify both path and inline replacement", entry.where);
        auto documents = loader.load_documents(entry.path, YamlKind::kustomization);
        if (!documents) return fail(std::move(documents.error()).at(entry.where));
        const Node document = (*documents)->empty() ? Node() : (*documents)->front();
        if (document.is_list()) {
            for (const Node& item : document.items()) TRY_VOID(add(item));
        } else if (document.is_map()) {
            TRY_VOID(add(document));
        } else {
            return fail(ErrorCode::invalid, "unsupported replacement type encountered within replacement path: " + std::string(document.kind_word()), entry.where);
        }
    }
    return replacements;
}

} // namespace weber::kustomize
