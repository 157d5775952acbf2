#include "kustomize/transform/patches.h"

#include <string>
#include <utility>

#include "kube/base/json.h"
#include "kube/base/json_patch.h"
#include "kube/base/yaml.h"
#include "kustomize/resource_reader.h"
#include "kustomize/transform/json_form.h"
#include "kustomize/transform/scalars.h"
#include "kustomize/transform/strategic_merge.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kConflict = "may not add resource with an already registered id: ";

// How messages name a patch. Of an inline one only the beginning: the rest may hold secrets.
std::string source_of(const Patch& patch) {
    if (!patch.path.empty()) return "[path: \"" + patch.path + "\"]";
    const std::string_view text = patch.text;
    const std::string_view line = text.substr(0, std::min(text.find('\n'), std::size_t{60}));
    return "[patch: \"" + std::string(line) + (line.size() < text.size() ? "…\"]" : "\"]");
}

// An inline text's places are those of the kustomization it stands in.
kube::YamlReadOptions reading(const Patch& patch, kube::YamlSchema schema = kube::YamlSchema::go_yaml_v3) {
    if (!patch.path.empty()) return {.file = patch.path, .schema = schema};
    return {.file = patch.where.file, .first_line = patch.inline_line, .schema = schema};
}

// ---- strategic merge --------------------------------------------------------------------------------------------

// kustomize merges labels and annotations of a targeted patch with themselves first, which makes strings of all values and
// drops the maps when they are empty or null.
void stringify_meta_map(Node& patch, std::string_view field) {
    Node* metadata = patch.find_mut("metadata");
    if (metadata == nullptr || !metadata->is_map()) return;
    Node* map = metadata->find_mut(field);
    if (map == nullptr) return;
    if (!map->is_map() || map->empty()) {
        metadata->erase(field);
        return;
    }
    for (Node::Entry& e : map->entries_mut())
        if (!e.value.is_string()) e.value = Node::string(written_text(e.value));
}

// The patch as it meets one target of a selector: kind kept, version the target's.
Node adapted(const Node& patch, const Resource& target) {
    Node copy = patch;
    stringify_meta_map(copy, "labels");
    stringify_meta_map(copy, "annotations");
    Node& metadata = map_under(copy, "metadata");
    if (!metadata.contains("name")) metadata.set("name", Node::string(""));
    copy.set("apiVersion", Node::string(target.gvk().api_version()));
    return copy;
}

// Source: kustomize Resource.ApplySmPatch: name, kind and namespace stay unless the options let name and kind change.
Result<void> merge_into(Resource& target, Node patch, const PatchOptions& options, const MergeSchema& schema) {
    const std::string name(target.name()), ns(target.ns()), kind(target.kind());
    if (options.allow_name_change || options.allow_kind_change) target.store_previous_id();
    Node merged = target.node();
    target.make_empty(); // the tree is ours alone while it changes
    if (auto done = strategic_merge(merged, std::move(patch), schema); !done) return done;
    if (merged.is_null() || (merged.is_map() && merged.empty())) return {};
    if (!options.allow_kind_change && merged.text_at("kind") != kind) merged.set("kind", Node::string(kind));
    if (!options.allow_name_change) {
        Node& metadata = map_under(merged, "metadata");
        if (metadata.text_at("name") != name) metadata.set("name", Node::string(name));
        // kustomize writes the name anew in any case, as a scalar without type.
        if (const Node* written = metadata.find("name"); written && written->is_string() && written->style() == NodeStyle::plain)
            metadata.find_mut("name")->set_style(NodeStyle::untyped);
    }
    target.set_node(std::move(merged));
    target.set_namespace(ns);
    return {};
}

Result<void> check_own_id(const ResourceSet& resources, const Resource& changed) {
    if (changed.empty() || resources.matching_current(changed.cur_id()).size() <= 1) return {};
    return fail(ErrorCode::already_exists, std::string(kConflict) + changed.cur_id().to_string(), changed.where());
}

// To every target at once; deleted ones leave the set. Source: kustomize resWrangler.ApplySmPatch.
Result<void> merge_into_all(ResourceSet& resources, const std::vector<Resource*>& targets, const Node& patch,
                            const PatchOptions& options, const MergeSchema& schema) {
    bool deleted = false;
    for (Resource* target : targets) {
        const std::string subject = target->cur_id().to_string();
        if (auto done = merge_into(*target, adapted(patch, *target), options, schema); !done)
            return fail(std::move(done).error().on(subject).at(patch.where()));
        deleted = deleted || target->empty();
    }
    if (deleted) resources.drop_empties();
    for (const Resource* target : targets) {
        if (deleted && options.allow_name_change) break; // checked as a whole below
        if (!deleted) TRY_VOID(check_own_id(resources, *target));
    }
    if (deleted) TRY_VOID(resources.check_unique());
    return {};
}

// The id that a patch document names.
ResId id_of(const Node& patch) { return Resource(patch).cur_id(); }

Result<void> apply_strategic(ResourceSet& resources, const Patch& patch, const std::vector<Node>& documents, const MergeSchema& schema) {
    const PatchOptions options = patch.options.value_or(PatchOptions{});
    if (patch.target) {
        if (documents.size() > 1) {
            return fail(ErrorCode::invalid, "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set "
                                            "`patches.target` field: " + source_of(patch), patch.where);
        }
        auto targets = resources.select(*patch.target);
        if (!targets) return fail(std::move(targets).error().with_prefix("unable to find patch target in `resources`: ").at(patch.where));
        return merge_into_all(resources, *targets, documents.front(), options, schema);
    }
    for (const Node& document : documents) {
        const ResId id = id_of(document);
        auto target = resources.get_by_id(id);
        if (!target) {
            return fail(std::move(target).error()
                            .with_prefix("no resource matches strategic merge patch \"" + id.to_string() + "\": ")
                            .at(document.where())
                            .advise("check kind, apiVersion, name and namespace of the patch, or give it a `target`"));
        }
        if (auto done = merge_into(**target, document, options, schema); !done)
            return fail(std::move(done).error().on(id.to_string()).at(document.where()));
    }
    return {};
}

// ---- JSON patches -----------------------------------------------------------------------------------------------

// goyaml.v2, which reads operations, makes texts of dates; elsewhere in a build an unquoted date becomes a time.
void dates_to_text(Node& node) {
    if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut()) dates_to_text(e.value);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) dates_to_text(item);
    } else if (node.is_string() && node.style() == NodeStyle::plain) {
        node.set_style(NodeStyle::double_quoted);
    }
}

// The operations: JSON when the text starts with a bracket, else YAML 1.1, of which only the first document counts.
// nullopt: an empty text.
Result<std::optional<kube::JsonPatch>> read_operations(const Patch& patch) {
    if (patch.text.empty()) return fail(ErrorCode::invalid, "empty json patch operations");
    Node operations;
    if (patch.text.starts_with('[')) {
        TRY(operations, kube::read_json(patch.text, {.file = patch.path}));
    } else {
        TRY(const std::vector<Node> documents, kube::read_yaml(patch.text, reading(patch, kube::YamlSchema::yaml_1_1)));
        if (!documents.empty()) operations = documents.front();
        dates_to_text(operations);
    }
    if (operations.is_null()) return std::nullopt;
    TRY(kube::JsonPatch read, kube::JsonPatch::from_node(operations));
    return read;
}

// kustomize writes the annotations again, as strings: an empty or null map goes, unless it keeps its memory there.
void rewrite_annotations(Node& object, Resource& target) {
    Node* metadata = object.find_mut("metadata");
    const Node* annotations = metadata && metadata->is_map() ? metadata->find("annotations") : nullptr;
    const bool none = !annotations || !annotations->is_map() || annotations->empty();
    if (annotations && none) {
        if (target.had_build_annotations) metadata->set("annotations", Node::map());
        else metadata->erase("annotations");
    }
    target.had_build_annotations = target.had_build_annotations || !none;
}

Result<void> apply_operations(ResourceSet& resources, const Patch& patch, const kube::JsonPatch& operations, bool remember_id) {
    auto targets = resources.select(*patch.target);
    if (!targets) return fail(std::move(targets).error().at(patch.where));
    for (Resource* target : *targets) {
        if (remember_id) target->store_previous_id();
        const std::string subject = target->cur_id().to_string();
        Node object = target->node();
        // kustomize keeps its memory in annotations, so that a patch finds the map whether or not the object had one.
        if (target->had_build_annotations) {
            map_under(map_under(object, "metadata"), "annotations");
        }
        if (auto done = through_json(object); !done) return fail(std::move(done).error().on(subject));
        if (auto done = operations.apply(object); !done)
            return fail(std::move(done).error().on(subject).at(patch.where).advise("correct the operation's path; `op: add` makes a field that is not there"));
        if (auto done = through_json(object); !done) return fail(std::move(done).error().on(subject).at(patch.where));
        if (!object.is_map()) return fail(Error{.code = ErrorCode::invalid, .message = "a JSON patch must leave an object", .where = patch.where, .object = subject});
        rewrite_annotations(object, *target);
        target->set_node(std::move(object));
    }
    return {};
}

} // namespace

Result<void> apply_patch(ResourceSet& resources, const Patch& patch, const MergeSchema& schema) {
    const auto documents = [&]() -> Result<std::vector<Node>> {
        if (patch.documents) return objects_of(*patch.documents);
        TRY(std::vector<Node> parsed, kube::read_yaml(patch.text, reading(patch)));
        return objects_of(std::move(parsed));
    }();
    if (documents) return documents->empty() ? Result<void>() : apply_strategic(resources, patch, *documents, schema);

    const auto operations = read_operations(patch);
    if (!operations) {
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "unable to parse SM or JSON patch from " + source_of(patch),
                          .where = patch.where,
                          .hint = "as a strategic merge patch: " + documents.error().to_string() +
                                  "; as a JSON patch: " + operations.error().to_string()});
    }
    if (!*operations) return {};
    if (!patch.target) return fail(ErrorCode::invalid, "must specify a target for JSON patch " + source_of(patch), patch.where);
    return apply_operations(resources, patch, **operations, true);
}

Result<void> apply_patch_json6902(ResourceSet& resources, const Patch& patch) {
    auto operations = read_operations(patch);
    if (!operations) return fail(std::move(operations).error().with_prefix("decoding " + source_of(patch) + ": ").at(patch.where));
    if (!*operations || (*operations)->empty())
        return fail(ErrorCode::invalid, "patch appears to be empty; file=" + patch.path + ", JsonOp=" + source_of(patch), patch.where);
    if (!patch.target) return fail(ErrorCode::invalid, "must specify a target for patch " + source_of(patch), patch.where);
    return apply_operations(resources, patch, **operations, false);
}

Result<void> apply_patches_strategic_merge(ResourceSet& resources, const std::vector<Node>& patches, const MergeSchema& schema) {
    for (const Node& patch : patches) {
        auto target = resources.get_by_id(id_of(patch));
        if (!target) return fail(std::move(target).error().at(patch.where()));
        TRY_VOID(merge_into_all(resources, {*target}, patch, PatchOptions{}, schema));
    }
    return {};
}

} // namespace weber::kustomize
