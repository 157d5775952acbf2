#include "kube/discovery_read.h"

#include <algorithm>

namespace weber::kube::discovery_read {

std::vector<std::string> string_list(const Node* list) {
    std::vector<std::string> out;
    if (list)
        for (const Node& item : list->items()) out.emplace_back(item.text());
    return out;
}

std::vector<ApiResource> read_aggregated(const std::string& group, const Node& version) {
    std::vector<ApiResource> out;
    const std::string name(version.text_at("version"));
    const Node* list = version.find("resources");
    if (!list) return out;
    for (const Node& r : list->items()) {
        ApiResource resource{.group = group, .version = name, .resource = std::string(r.text_at("resource")), .kind = {}};
        if (const Node* kind = r.find_path({"responseKind", "kind"})) resource.kind = kind->text();
        resource.namespaced = r.text_at("scope") == "Namespaced";
        resource.verbs = string_list(r.find("verbs"));
        resource.short_names = string_list(r.find("shortNames"));
        resource.singular = r.text_at("singularResource");
        if (const Node* subresources = r.find("subresources"))
            for (const Node& s : subresources->items()) resource.subresources.emplace_back(s.text_at("subresource"));
        // A resource without kind or verbs stands there only for its subresources.
        if (!resource.kind.empty()) out.push_back(std::move(resource));
    }
    return out;
}

std::vector<ApiResource> read_legacy(const std::string& group, const std::string& version, const Node& list) {
    std::vector<ApiResource> out;
    const Node* resources = list.find("resources");
    if (!resources) return out;
    for (const Node& r : resources->items()) {
        const std::string name(r.text_at("name"));
        const auto slash = name.find('/');
        if (slash != std::string::npos) {
            const auto parent = std::ranges::find(out, name.substr(0, slash), &ApiResource::resource);
            if (parent != out.end()) parent->subresources.push_back(name.substr(slash + 1));
            continue;
        }
        out.push_back({.group = group, .version = version, .resource = name, .kind = std::string(r.text_at("kind")),
                       .namespaced = r.find("namespaced") && r.find("namespaced")->as_bool(), .verbs = string_list(r.find("verbs")),
                       .short_names = string_list(r.find("shortNames")), .singular = std::string(r.text_at("singularName"))});
    }
    return out;
}

// The versions of an APIGroup, preferred first.
std::vector<std::string> versions_of(const Node& group) {
    std::vector<std::string> out;
    const Node* list = group.find("versions");
    if (list)
        for (const Node& v : list->items()) out.emplace_back(v.text_at("version"));
    if (const Node* preferred = group.find_path({"preferredVersion", "version"})) {
        const auto at = std::ranges::find(out, preferred->text());
        if (at != out.end()) std::rotate(out.begin(), at, at + 1);
    }
    return out;
}

} // namespace weber::kube::discovery_read
