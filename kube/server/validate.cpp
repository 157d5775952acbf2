#include "kube/server/validate.h"

#include <algorithm>
#include <map>

#include "kube/base/ascii.h"
#include "kube/server/object_meta.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

enum class NameRule : std::uint8_t { subdomain, label, label_1035, path };

NameRule name_rule(std::string_view id) {
    static const std::map<std::string_view, NameRule> kRules{
        {"/namespaces", NameRule::label},
        {"/services", NameRule::label},
        {"apps/statefulsets", NameRule::subdomain},
        {"rbac.authorization.k8s.io/roles", NameRule::path},
        {"rbac.authorization.k8s.io/rolebindings", NameRule::path},
        {"rbac.authorization.k8s.io/clusterroles", NameRule::path},
        {"rbac.authorization.k8s.io/clusterrolebindings", NameRule::path},
        {"certificates.k8s.io/certificatesigningrequests", NameRule::path},
        {"apiregistration.k8s.io/apiservices", NameRule::path},
    };
    const auto it = kRules.find(id);
    return it == kRules.end() ? NameRule::subdomain : it->second;
}

Messages check_name(NameRule rule, std::string_view name) {
    switch (rule) {
    case NameRule::label: return dns_label(name);
    case NameRule::label_1035: return dns_1035_label(name);
    case NameRule::path: return path_segment(name);
    case NameRule::subdomain: return dns_subdomain(name);
    }
    return {};
}

// A generateName may end in what only a full name may not.
std::string masked(std::string_view prefix) {
    std::string out(prefix);
    while (!out.empty() && out.back() == '-') out.back() = 'a';
    return out;
}

void check_owners(Problems& p, const std::string& path, const Node* owners) {
    if (!owners) return;
    std::string first;
    for (const Node& o : owners->items()) {
        const auto version = o.text_at("apiVersion");
        const auto slash = version.find('/');
        if (version.empty() || (slash != std::string_view::npos && slash + 1 == version.size()))
            p.invalid(path + ".apiVersion", version, "version must not be empty");
        for (const auto field : {"kind", "name", "uid"})
            if (o.text_at(field).empty()) p.invalid(path + "." + field, "", "must not be empty");
        if (version == "v1" && o.text_at("kind") == "Event") p.invalid(path, o, "/v1, Kind=Event is disallowed from being an owner");
        if (!child(o, "controller").as_bool()) continue;
        const std::string name = std::string(o.text_at("kind")) + "/" + std::string(o.text_at("name"));
        if (!first.empty())
            p.invalid(path, *owners,
                      "Only one reference can have Controller set to true. Found \"true\" in references for " + first + " and " + name);
        else
            first = name;
    }
}

void check_annotations(Problems& p, const std::string& path, const Node* annotations) {
    if (!annotations) return;
    std::size_t bytes = 0;
    for (const auto& e : annotations->entries()) {
        const std::string key = ascii_lower(e.key.str());
        p.invalid_all(path, e.key.view(), qualified_name(key));
        bytes += key.size() + e.value.text().size();
    }
    if (bytes > 256 * 1024) p.too_long(path, 256 * 1024);
}

// `path`: where the metadata is.
void check_metadata(Problems& p, NameRule rule, const Node& obj, const Node& live, bool built_in, const std::string& path = "metadata") {
    const Node& meta = child(obj, "metadata");
    const auto list = finalizers(obj);
    if (live.is_null()) {
        const auto name = meta.text_at("name"), prefix = meta.text_at("generateName");
        if (!prefix.empty()) p.invalid_all(path + ".generateName", prefix, check_name(rule, masked(prefix)));
        if (name.empty())
            p.required(path + ".name", "name or generateName is required");
        else
            p.invalid_all(path + ".name", name, check_name(rule, name));
    } else {
        if (is_deleting(live)) {
            std::string extra;
            const auto before = finalizers(live);
            std::set<std::string> fresh(list.begin(), list.end());
            for (const auto& f : before) fresh.erase(f);
            for (const auto& f : fresh) extra += (extra.empty() ? "\"" : ", \"") + f + "\"";
            if (!fresh.empty())
                p.forbidden(path + ".finalizers",
                            "no new finalizers can be added if the object is being deleted, found new finalizers []string{" + extra + "}");
        }
        const Node& old = child(live, "metadata");
        for (const auto field : {"name", "namespace", "uid"}) p.immutable(path + "." + field, meta.find(field), old.find(field));
    }
    check_labels(p, path + ".labels", meta.find("labels"));
    check_annotations(p, path + ".annotations", meta.find("annotations"));
    check_owners(p, path + ".ownerReferences", meta.find("ownerReferences"));
    if (!live.is_null()) return;
    for (const auto& f : list) {
        p.invalid_all(path + ".finalizers", f, qualified_name(f));
    }
    std::size_t i = 0;
    if (built_in)
        for (const auto& f : list) {
            const std::string here = at(path + ".finalizers", i++);
            if (f.find('/') == std::string::npos && f != "kubernetes" && f != "orphan" && f != "foregroundDeletion")
                p.invalid(here, f, "name is neither a standard finalizer name nor is it fully qualified");
        }
    if (std::find(list.begin(), list.end(), "orphan") != list.end() && std::find(list.begin(), list.end(), "foregroundDeletion") != list.end())
        p.invalid(path + ".finalizers", child(meta, "finalizers"), "finalizer orphan and foregroundDeletion cannot be both set");
}

} // namespace

std::vector<ErrorDetail> validate_built_in(std::string_view id, bool, const Node& obj, const Node& live) {
    Problems p;
    check_metadata(p, name_rule(id), obj, live, true);
    if (!live.is_null()) check_metadata(p, name_rule(id), obj, live, true); // once for all kinds, once by the kind's own strategy
    // Some strategies validate the whole object again, its metadata included.
    static const std::set<std::string_view> kThrice{"/configmaps", "/secrets", "/persistentvolumeclaims", "/serviceaccounts",
                                                    "rbac.authorization.k8s.io/rolebindings", "rbac.authorization.k8s.io/clusterrolebindings",
                                                    "rbac.authorization.k8s.io/roles", "rbac.authorization.k8s.io/clusterroles", "/pods", "apps/replicasets"};
    if (!live.is_null() && kThrice.contains(id)) check_metadata(p, name_rule(id), obj, Node(), true);
    if (!live.is_null() && (id == "/configmaps" || id == "/secrets")) check_metadata(p, name_rule(id), obj, Node(), true);
    for (const auto find : {workload_rule, network_rule, other_rule})
        if (const KindRule rule = find(id)) rule(p, obj, live);
    return std::move(p.list);
}

std::vector<ErrorDetail> validate_custom_metadata(const Node& obj, const Node& live) {
    Problems p;
    check_metadata(p, NameRule::subdomain, obj, live, false);
    return std::move(p.list);
}

void check_embedded_metadata(Problems& p, const std::string& path, const Node& metadata) {
    Node obj = Node::map({{"metadata", metadata}});
    if (metadata.text_at("name").empty()) obj.find_mut("metadata")->set("name", Node::string("fakename")); // none is fine
    check_metadata(p, NameRule::path, obj, Node(), false, path);
    if (const auto ns = metadata.text_at("namespace"); !ns.empty()) p.invalid_all(path + ".namespace", ns, dns_label(ns));
}

} // namespace weber::kube::server
