#include "kustomize/resource_reader.h"

#include <algorithm>
#include <deque>
#include <span>

#include "kustomize/transform/json_form.h"

namespace weber::kustomize {
namespace {

bool nothing_in(const Node& node) { return node.is_null() || ((node.is_map() || node.is_list()) && node.empty()); }

std::string described(const Node& object) {
    std::string_view name = object.find("metadata") ? object.find("metadata")->text_at("name") : std::string_view();
    std::string out(object.text_at("kind"));
    if (!name.empty()) out.append(out.empty() ? "" : " ").append(name);
    return out.empty() ? "(no kind, no name)" : out;
}

Result<void> check_identity(const Node& object) {
    const Node* metadata = object.find("metadata");
    std::string_view kind = object.text_at("kind");
    std::string_view name = metadata ? metadata->text_at("name") : std::string_view();
    if (kind.empty() && object.text_at("apiVersion").empty() && (!metadata || nothing_in(*metadata)))
        return fail(Error{.code = ErrorCode::invalid, .message = "missing Resource metadata", .where = object.where(),
                          .hint = "an object needs apiVersion, kind and metadata.name"});
    if (kind.empty()) return fail(ErrorCode::invalid, "missing kind in object " + described(object), object.where());
    if (name.empty() && !kind.ends_with("List"))
        return fail(ErrorCode::invalid, "missing metadata.name in object " + described(object), object.where());
    return {};
}

// A file that is one List (or ResourceList) stands for its items.
bool is_wrapping(std::span<const Node> documents) {
    if (documents.size() != 1) return false;
    const Node& only = documents.front();
    std::string_view kind = only.text_at("kind");
    return (kind == "List" || kind == "ResourceList") && (only.contains("items") || only.contains("functionConfig"));
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t comma; (comma = text.find(',')) != std::string_view::npos; text.remove_prefix(comma + 1))
        parts.push_back(text.substr(0, comma));
    parts.push_back(text);
    return parts;
}

// Output of an earlier build, or of a function, may carry kustomize's memory of names in annotations.
Result<void> restore_previous_ids(Resource& r) {
    constexpr std::string_view kNames = "internal.config.kubernetes.io/previousNames";
    if (r.annotation(kNames).empty()) return {};
    const auto names = split_list(r.annotation(kNames));
    const auto namespaces = split_list(r.annotation("internal.config.kubernetes.io/previousNamespaces"));
    const auto kinds = split_list(r.annotation("internal.config.kubernetes.io/previousKinds"));
    if (names.size() != namespaces.size() || names.size() != kinds.size())
        return fail(ErrorCode::invalid, "number of previous names, number of previous namespaces, number of previous kinds not equal", r.where());
    for (std::size_t i = 0; i < names.size(); ++i) r.add_previous_id(namespaces[i], names[i], kinds[i]);
    return {};
}

// In kustomize's order: what a list holds comes after the documents that follow it.
Result<std::vector<Node>> expanded(std::span<const Node> documents) {
    std::deque<Node> queue;
    const auto enqueue = [&](std::span<const Node> nodes) -> Result<void> {
        for (const Node& node : nodes) {
            if (nothing_in(node)) continue;
            TRY_VOID(check_identity(node));
            queue.push_back(node);
        }
        return {};
    };
    if (is_wrapping(documents)) {
        const Node* items = documents.front().find("items");
        if (items) TRY_VOID(enqueue(items->items()));
    } else {
        TRY_VOID(enqueue(documents));
    }
    std::vector<Node> objects;
    objects.reserve(queue.size());
    while (!queue.empty()) {
        Node object = std::move(queue.front());
        queue.pop_front();
        const Node* items = object.text_at("kind").ends_with("List") ? object.find("items") : nullptr;
        if (!items) {
            objects.push_back(std::move(object));
        } else if (items->is_list()) {
            Node values = *items; // kustomize takes these through JSON
            to_json_values(values);
            TRY_VOID(enqueue(values.items()));
        } else if (!items->is_null()) {
            return fail(ErrorCode::invalid, "expected array in " + std::string(object.text_at("kind")) + "/items, but found " + std::string(items->kind_word()), items->where());
        }
    }
    return objects;
}

} // namespace

Result<std::vector<Node>> objects_of(std::vector<Node> documents) {
    const bool lists = std::ranges::any_of(documents, [](const Node& d) { return d.text_at("kind").ends_with("List"); });
    if (lists) return expanded(documents);
    std::erase_if(documents, nothing_in);
    for (const Node& document : documents) TRY_VOID(check_identity(document));
    return documents;
}

Result<ResourceSet> resources_of(std::vector<Node> documents) {
    TRY(std::vector<Node> objects, objects_of(std::move(documents)));
    ResourceSet set;
    for (Node& object : objects) {
        auto resource = std::make_unique<Resource>(std::move(object));
        TRY_VOID(restore_previous_ids(*resource));
        TRY_VOID(set.append(std::move(resource)));
    }
    return set;
}

} // namespace weber::kustomize
