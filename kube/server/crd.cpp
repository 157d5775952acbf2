#include "kube/server/crd.h"

#include <algorithm>
#include <set>

#include "kube/base/ascii.h"
#include "kube/merge/crd_schema.h"
#include "kube/server/object_meta.h"
#include "kube/server/request.h"

namespace weber::kube::server {
namespace {

std::vector<std::string> texts(const Node* list) {
    std::vector<std::string> out;
    if (list)
        for (const auto& n : list->items()) out.emplace_back(n.text());
    return out;
}

bool flag(const Node& n, std::string_view key) {
    const Node* v = n.find(key);
    return v && v->as_bool();
}

std::vector<PrinterColumn> columns(const Node& version) {
    std::vector<PrinterColumn> out;
    const Node* list = version.find("additionalPrinterColumns");
    for (const auto& c : list ? list->items() : std::span<const Node>()) {
        PrinterColumn p{std::string(c.text_at("name")), std::string(c.text_at("type")), std::string(c.text_at("format")),
                        std::string(c.text_at("description")), std::string(c.text_at("jsonPath"))};
        if (const Node* n = c.find("priority")) p.priority = static_cast<int>(n->as_int().value_or(0));
        out.push_back(std::move(p));
    }
    return out;
}

VersionInfo version_of(const Node& version, const std::string& group, const std::string& kind) {
    VersionInfo v;
    v.name = version.text_at("name");
    v.api_version = group + "/" + v.name;
    v.storage = flag(version, "storage");
    v.served = flag(version, "served");
    v.columns = columns(version);
    if (const Node* s = version.find_path({"schema", "openAPIV3Schema"})) v.open_api = *s;
    const Node* subs = version.find("subresources");
    if (subs && subs->contains("status")) v.subresources.emplace("status", SubresourceInfo{kind, {"get", "patch", "update"}});
    if (const Node* scale = subs ? subs->find("scale") : nullptr) {
        v.subresources.emplace("scale", SubresourceInfo{"Scale", {"get", "patch", "update"}});
        v.scale_spec = scale->text_at("specReplicasPath");
        v.scale_status = scale->text_at("statusReplicasPath");
        v.scale_selector = scale->text_at("labelSelectorPath");
    }
    if (const Node* fields = version.find("selectableFields"))
        for (const auto& f : fields->items()) v.selectable.emplace_back(f.text_at("jsonPath"));
    v.deprecated = flag(version, "deprecated");
    if (v.deprecated) {
        v.deprecation_warning = version.text_at("deprecationWarning");
    }
    return v;
}

Node condition(std::string_view type, bool ok, std::string_view reason, std::string_view message, std::string_view since) {
    return Node::map({{"type", Node::string(type)},
                      {"status", Node::string(ok ? "True" : "False")},
                      {"lastTransitionTime", Node::string(since)},
                      {"reason", Node::string(reason)},
                      {"message", Node::string(message)}});
}

// The live condition's time when its status stays.
std::string since(const Node& status, std::string_view type, bool ok, const std::string& now) {
    if (const Node* list = status.find("conditions"))
        for (const auto& c : list->items())
            if (c.text_at("type") == type && c.text_at("status") == (ok ? "True" : "False"))
                return std::string(c.text_at("lastTransitionTime"));
    return now;
}

// Every storage version that objects were ever written in.
Node stored_versions(const Node& crd) {
    Node out = Node::list();
    std::set<std::string> seen;
    for (const auto& v : texts(crd.find_path({"status", "storedVersions"})))
        if (seen.insert(v).second) out.push_back(Node::string(v));
    if (const Node* versions = crd.find_path({"spec", "versions"}))
        for (const auto& v : versions->items())
            if (flag(v, "storage") && seen.insert(std::string(v.text_at("name"))).second) out.push_back(Node::string(v.text_at("name")));
    return out;
}

// All names by which `r` may be addressed within its group.
std::vector<std::string> claims(const ResourceInfo& r) {
    std::vector<std::string> out{r.plural, r.singular};
    out.insert(out.end(), r.short_names.begin(), r.short_names.end());
    return out;
}

} // namespace

void mark_terminating(Node& crd) {
    Node& list = crd.get_or_insert("status").get_or_insert("conditions");
    list.push_back(condition("Terminating", true, "InstanceDeletionPending",
                             "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", now_text()));
}

ResourcePtr resource_of_crd(const Node& crd) {
    const Node* spec = crd.find("spec");
    const Node* names = spec ? spec->find("names") : nullptr;
    const Node* versions = spec ? spec->find("versions") : nullptr;
    if (!names || !versions || versions->empty()) return nullptr;
    auto r = std::make_shared<ResourceInfo>();
    r->custom = true;
    r->crd_name = meta_text(crd, "name");
    r->group = spec->text_at("group");
    r->plural = names->text_at("plural");
    r->kind = names->text_at("kind");
    r->singular = names->text_at("singular").empty() ? ascii_lower(r->kind) : std::string(names->text_at("singular"));
    r->list_kind = names->text_at("listKind").empty() ? r->kind + "List" : std::string(names->text_at("listKind"));
    r->short_names = texts(names->find("shortNames"));
    r->categories = texts(names->find("categories"));
    r->namespaced = spec->text_at("scope") != "Cluster";
    r->verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
    const bool preserve = flag(*spec, "preserveUnknownFields");
    const auto warning = [&](const VersionInfo& old) { // names the best version to go to
        std::string best;
        for (const auto& v : versions->items())
            if (const std::string name(v.text_at("name")); flag(v, "served") && !flag(v, "deprecated") && version_before(name, best.empty() ? old.name : best)) best = name;
        return old.api_version + " " + r->kind + " is deprecated" + (best.empty() ? "" : "; use " + r->group + "/" + best + " " + r->kind);
    };
    for (const auto& v : versions->items()) {
        VersionInfo info = version_of(v, r->group, r->kind);
        auto type = merge::crd_type(preserve ? Node() : info.open_api);
        if (info.deprecated && info.deprecation_warning.empty()) info.deprecation_warning = warning(info);
        info.schema = type.get();
        info.schema_owner = std::move(type);
        r->versions.push_back(std::move(info));
    }
    std::stable_sort(r->versions.begin(), r->versions.end(),
                     [](const VersionInfo& a, const VersionInfo& b) { return version_before(a.name, b.name); });
    return r;
}

std::vector<AcceptedCrd> CrdCatalog::accept(const std::vector<ObjectPtr>& definitions, const std::string& now) {
    std::set<std::string> present;
    std::set<std::string> fresh;
    for (const auto& o : definitions) {
        present.insert(o->name);
        Known& k = known_[o->name];
        if (k.rv == o->rv) continue;
        fresh.insert(o->name);
        const Node crd = parse_stored(*o);
        const auto generation = meta_int(crd, "generation");
        if (!k.resource || generation != k.generation || meta_text(crd, "creationTimestamp") != k.created) k.resource = resource_of_crd(crd);
        k.rv = o->rv;
        k.generation = generation;
        k.created = meta_text(crd, "creationTimestamp");
        if (const Node* n = crd.find_path({"spec", "names"})) k.names = *n;
        k.stored = stored_versions(crd);
        k.status = crd.find("status") ? *crd.find("status") : Node::map();
    }
    std::erase_if(known_, [&](const auto& e) { return !present.contains(e.first); });
    // Who came first keeps its names: already accepted ones, then by age and name.
    std::vector<std::pair<std::string, Known*>> order;
    for (auto& [name, k] : known_) order.emplace_back((k.accepted ? "0" : "1") + k.created + name, &k);
    std::sort(order.begin(), order.end());
    std::map<std::string, std::string> taken; // "group name" or "group Kind" → kind
    std::map<const Known*, std::string> clash;
    for (auto& [key, k] : order) {
        if (!k->resource) continue;
        const auto& r = *k->resource;
        for (const auto& name : claims(r))
            if (taken.contains(r.group + " " + name) && clash[k].empty()) clash[k] = "\"" + name + "\" is already in use";
        if (taken.contains(r.group + " " + r.kind) && clash[k].empty()) clash[k] = "\"" + r.kind + "\" is already in use";
        if (!clash[k].empty()) continue;
        for (const auto& name : claims(r)) taken.emplace(r.group + " " + name, r.kind);
        taken.emplace(r.group + " " + r.kind, r.kind);
    }
    std::vector<AcceptedCrd> out;
    for (const auto& o : definitions) {
        Known& k = known_[o->name];
        const std::string problem = k.resource ? clash[&k] : "the definition has no names or versions";
        const bool ok = problem.empty();
        AcceptedCrd a;
        if (ok) a.resource = k.resource;
        if (fresh.contains(o->name) || ok != k.accepted) {
            Node status = k.status;
            const bool established = ok || since(status, "Established", true, "") != "";
            status.set("conditions",
                       Node::list({condition("NamesAccepted", ok, ok ? "NoConflicts" : "NamesConflict", ok ? "no conflicts found" : problem,
                                             since(status, "NamesAccepted", ok, now)),
                                   condition("Established", established, established ? "InitialNamesAccepted" : "NotAccepted",
                                             established ? "the initial names have been accepted" : "not all names are accepted",
                                             since(status, "Established", established, now))}));
            if (ok) status.set("acceptedNames", k.names);
            status.set("storedVersions", k.stored);
            if (!(status == k.status)) a.status = std::move(status);
        }
        k.accepted = ok;
        out.push_back(std::move(a));
    }
    return out;
}

} // namespace weber::kube::server
