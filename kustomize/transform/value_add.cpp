#include "kustomize/transform/value_add.h"

#include <algorithm>

#include "kustomize/path.h"
#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/namespace.h"
#include "kustomize/transform/path_lookup.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// "/a/b" → "", "a", "b".
std::vector<std::string> path_parts(std::string_view path) {
    std::vector<std::string> parts;
    if (path.starts_with('/')) parts.emplace_back();
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        if (slash != 0) parts.emplace_back(path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
    }
    return parts;
}

// The value as one more element of a file path; a leading slash stays in front. Source: kyaml filesys.InsertPathPart.
std::string insert_path_part(std::string_view path, std::size_t position, const std::string& part) {
    if (part.empty()) return std::string(path);
    std::vector<std::string> parts = path_parts(path);
    const bool absolute = !parts.empty() && parts.front().empty();
    position = std::min(position, parts.size());
    if (absolute && position < parts.size()) ++position;
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(position), part);
    std::string joined;
    for (const std::string& p : parts) joined = p.empty() ? joined : join_path(joined, p);
    return absolute ? "/" + joined : joined;
}

Result<void> add_to(Resource& r, const std::string& value, const ValueAddTarget& target, const std::vector<std::string>& path) {
    TRY(Node* field, lookup_create(r.edit(), path));
    if (field == nullptr) return {};
    if (field->is_list() || field->is_map()) return wrong_node_kind(NodeKind::string, *field);
    const bool insert = target.file_path_position > 0;
    const std::string text =
        insert ? insert_path_part(written_text(*field), static_cast<std::size_t>(target.file_path_position) - 1, value) : value;
    TRY_VOID(set_bare_text(*field, text));
    r.sync_id();
    return {};
}

} // namespace

Result<void> apply_value_add(ResourceSet& resources, const ValueAddOptions& options) {
    for (const ValueAddTarget& target : options.targets) {
        std::vector<Resource*> selected;
        if (target.selector) {
            TRY(selected, resources.select(*target.selector));
        } else {
            for (const auto& r : resources.all()) selected.push_back(r.get());
        }
        const std::vector<std::string> path = split_path(target.field_path, '/');
        for (Resource* r : selected) {
            if (r->empty()) continue;
            auto done = target.field_path == "metadata/namespace" ? set_object_namespace(*r, {.ns = options.value, .field_specs = {}})
                                                                  : add_to(*r, options.value, target, path);
            if (!done) return fail(std::move(done).error().on(r->cur_id().to_string()).at(r->where()));
        }
    }
    return {};
}

} // namespace weber::kustomize
