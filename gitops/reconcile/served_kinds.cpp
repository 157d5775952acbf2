#include "gitops/reconcile/served_kinds.h"

#include <algorithm>
#include <vector>

namespace weber::gitops {

namespace {

const kube::GroupVersionKind kDefinition{"apiextensions.k8s.io", "v1", "CustomResourceDefinition"};
constexpr std::size_t kInFlight = 4;

bool never_served(const kube::Object& definition) {
    if (definition.at({"metadata", "deletionTimestamp"}) != nullptr) return true;
    const Node* conditions = definition.at({"status", "conditions"});
    return conditions != nullptr &&
           std::ranges::any_of(conditions->items(), [](const Node& c) { return c.text_at("type") == "NamesAccepted" && c.text_at("status") == "False"; });
}

void add_served(const kube::Object& definition, std::set<kube::GroupVersionKind>& out) {
    const auto kind = defined_kind(definition);
    const Node* versions = definition.at({"spec", "versions"});
    if (!kind || versions == nullptr || never_served(definition)) return;
    for (const Node& v : versions->items())
        if (const Node* served = v.find("served"); served != nullptr && served->as_bool()) out.insert({kind->group, std::string(v.text_at("name")), kind->kind});
}

} // namespace

std::optional<kube::GroupKind> defined_kind(const kube::Object& o) {
    if (o.kind() != "CustomResourceDefinition") return std::nullopt;
    const Node* group = o.at({"spec", "group"});
    const Node* kind = o.at({"spec", "names", "kind"});
    if (group == nullptr || kind == nullptr) return std::nullopt;
    return kube::GroupKind{std::string(group->text()), std::string(kind->text())};
}

std::set<kube::GroupVersionKind> promised_kinds(kube::Client& client, const std::set<std::string>& groups, std::stop_token stop) {
    std::set<kube::GroupVersionKind> out;
    const auto listed = client.list(kDefinition, {.metadata_only = true}, {.stop = stop});
    if (!listed) return out;
    std::vector<kube::ObjectRef> refs;
    for (const kube::Object& o : listed->items) // named PLURAL.GROUP
        if (const auto dot = o.name().find('.'); dot != std::string_view::npos && groups.contains(std::string(o.name().substr(dot + 1)))) refs.push_back(kube::ref_of(o));
    for (const auto& definition : client.get_all(refs, kInFlight, {}, {.stop = stop}))
        if (definition) add_served(*definition, out);
    return out;
}

} // namespace weber::gitops
