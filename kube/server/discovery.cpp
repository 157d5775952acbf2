#include "kube/server/discovery.h"

#include <set>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/answer_form.h"
#include "kube/server/health.h"
#include "kube/server/present.h"

namespace weber::kube::server {
namespace {

using Group = Registry::Group;

Node text(std::string_view s) { return Node::string(s); }

template <class List>
Node strings(const List& list) {
    Node n = Node::list();
    for (const auto& s : list) n.push_back(text(s));
    return n;
}

std::string group_version(std::string_view group, std::string_view version) {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

// Of "scale" and others whose objects belong to another group.
std::pair<std::string_view, std::string_view> foreign_type(std::string_view sub) {
    if (sub == "scale") return {"autoscaling", "v1"};
    if (sub == "eviction") return {"policy", "v1"};
    if (sub == "token") return {"authentication.k8s.io", "v1"};
    return {};
}

HttpResponse json(Node n, std::string type = "application/json") {
    HttpResponse r;
    r.content_type = std::move(type);
    r.body = write_json(n) + "\n";
    return r;
}

// In the order in which apiextensions lists them.
Node custom_verbs() {
    Node out = Node::list();
    for (const auto verb : {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"}) out.push_back(text(verb));
    return out;
}

// Changes when objects are stored in another version: the first eight bytes of a digest of group/version/kind.
std::string version_hash(const ResourceInfo& r) {
    const std::string hex = sha256_hex(r.group + "/" + r.storage_version().name + "/" + r.kind);
    std::string bytes;
    for (std::size_t i = 0; i < 16; i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return base64_encode(bytes);
}

Node resource_list(const Group& group, std::string_view version) {
    Node list = Node::list();
    for (const auto& r : group.resources) {
        const VersionInfo* v = r->version(version);
        if (!v) continue;
        Node n = Node::map({{"name", text(r->plural)}, {"singularName", text(r->singular)}, {"namespaced", Node::boolean(r->namespaced)},
                            {"kind", text(r->kind)}, {"verbs", r->custom ? custom_verbs() : strings(r->verbs)}});
        if (!r->short_names.empty()) n.set("shortNames", strings(r->short_names));
        if (!r->categories.empty()) n.set("categories", strings(r->categories));
        if (r->verbs.contains("list"))
            n.set("storageVersionHash", text(version_hash(*r)));
        list.push_back(std::move(n));
        for (const auto& [name, sub] : v->subresources) {
            Node s = Node::map({{"name", text(r->plural + "/" + name)}, {"singularName", text("")}, {"namespaced", Node::boolean(r->namespaced)}});
            if (const auto [g, gv] = foreign_type(name); !g.empty()) {
                s.set("group", text(g));
                s.set("version", text(gv));
            }
            s.set("kind", text(sub.kind));
            s.set("verbs", strings(sub.verbs));
            list.push_back(std::move(s));
        }
    }
    return Node::map({{"kind", text("APIResourceList")}, {"apiVersion", text("v1")},
                      {"groupVersion", text(group_version(group.name, version))}, {"resources", std::move(list)}});
}

Node group_node(const Group& g) {
    Node versions = Node::list();
    for (const auto& v : g.versions)
        versions.push_back(Node::map({{"groupVersion", text(group_version(g.name, v))}, {"version", text(v)}}));
    Node preferred = versions.items().empty() ? Node::map() : versions.items()[0];
    return Node::map({{"name", text(g.name)}, {"versions", std::move(versions)}, {"preferredVersion", std::move(preferred)}});
}

Node kind_node(std::string_view group, std::string_view version, std::string_view kind) {
    return Node::map({{"group", text(group)}, {"version", text(version)}, {"kind", text(kind)}});
}

Node aggregated_resource(const ResourceInfo& r, const VersionInfo& v) {
    Node n = Node::map({{"resource", text(r.plural)}, {"responseKind", kind_node(r.group, v.name, r.kind)},
                        {"scope", text(r.namespaced ? "Namespaced" : "Cluster")}, {"singularResource", text(r.singular)},
                        {"verbs", r.custom ? custom_verbs() : strings(r.verbs)}});
    if (!r.short_names.empty()) n.set("shortNames", strings(r.short_names));
    if (!r.categories.empty()) n.set("categories", strings(r.categories));
    if (!v.subresources.empty()) {
        Node subs = Node::list();
        for (const auto& [name, sub] : v.subresources) {
            auto [group, version] = foreign_type(name);
            if (group.empty()) group = r.group, version = v.name;
            subs.push_back(Node::map({{"subresource", text(name)}, {"responseKind", kind_node(group, version, sub.kind)},
                                      {"verbs", strings(sub.verbs)}}));
        }
        n.set("subresources", std::move(subs));
    }
    return n;
}

Node aggregated(const Registry& registry, bool core, std::string_view api_version) {
    Node items = Node::list();
    for (const auto& g : registry.groups()) {
        if (g.name.empty() != core) continue;
        Node versions = Node::list();
        for (const auto& version : g.versions) {
            Node resources = Node::list();
            for (const auto& r : g.resources)
                if (const VersionInfo* v = r->version(version)) resources.push_back(aggregated_resource(*r, *v));
            versions.push_back(Node::map({{"version", text(version)}, {"resources", std::move(resources)}, {"freshness", text("Current")}}));
        }
        Node meta = Node::map();
        if (!g.name.empty()) meta.set("name", text(g.name));
        meta.set("creationTimestamp", Node());
        items.push_back(Node::map({{"metadata", std::move(meta)}, {"versions", std::move(versions)}}));
    }
    return Node::map({{"kind", text("APIGroupDiscoveryList")}, {"apiVersion", text("apidiscovery.k8s.io/" + std::string(api_version))},
                      {"metadata", Node::map()}, {"items", std::move(items)}});
}

// Built-in groups are served by go-restful's routes, which look at the method; the others' handlers do not.
std::optional<HttpResponse> refused(const HttpRequest& http, bool route) {
    if (route && http.method != "GET") return to_response(method_not_allowed());
    const auto form = negotiate(http, route ? std::optional<std::string_view>("") : std::nullopt);
    if (!form) return to_response(form.error());
    if (form->form != Presentation::Form::object) return to_response(not_acceptable(kMediaTypes, false));
    return std::nullopt;
}

HttpResponse roots(const Registry& registry, const HttpRequest& http, bool core) {
    for (const std::string_view version : {"v2", "v2beta1"}) {
        // The client names group, version and kind in one clause of Accept; their order is free.
        const std::string& a = http.accept;
        const auto has = [&](const std::string& part) { return a.find(part) != std::string::npos; };
        if (has("as=APIGroupDiscoveryList") && (has("v=" + std::string(version) + ";") || has("v=" + std::string(version) + ",") ||
                                                a.ends_with("v=" + std::string(version))))
            return json(aggregated(registry, core, version),
                        "application/json;g=apidiscovery.k8s.io;v=" + std::string(version) + ";as=APIGroupDiscoveryList");
    }
    if (auto no = refused(http, core)) return *std::move(no);
    if (core)
        return json(Node::map({{"kind", text("APIVersions")}, {"versions", Node::list({text("v1")})},
                               {"serverAddressByClientCIDRs",
                                Node::list({Node::map({{"clientCIDR", text("0.0.0.0/0")}, {"serverAddress", text("")}})})}}));
    Node groups = Node::list();
    for (const auto& g : registry.groups())
        if (!g.name.empty()) groups.push_back(group_node(g));
    return json(Node::map({{"kind", text("APIGroupList")}, {"apiVersion", text("v1")}, {"groups", std::move(groups)}}));
}

} // namespace

std::optional<HttpResponse> discovery(const Registry& registry, const HttpRequest& http) {
    std::string path = http.path;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (path == "/api") return roots(registry, http, true);
    if (path == "/apis") return roots(registry, http, false);
    std::string_view rest;
    std::string_view group, version;
    if (path == "/api/v1") {
        version = "v1";
    } else if (path.starts_with("/apis/")) {
        rest = std::string_view(path).substr(6);
        const auto slash = rest.find('/');
        group = rest.substr(0, slash);
        if (slash != std::string_view::npos) version = rest.substr(slash + 1);
        if (version.find('/') != std::string_view::npos) return std::nullopt;
    } else if (path.starts_with("/api/") && path.find('/', 5) == std::string::npos) {
        return to_response(resource_not_found());
    } else {
        return std::nullopt;
    }
    for (const auto& g : registry.groups()) {
        if (g.name != group) continue;
        if (auto no = refused(http, !version.empty() && !registry.custom_group(group)); no && (version.empty() || registry.has_version(group, version))) return no;
        if (version.empty()) {
            Node n = group_node(g);
            Node out = Node::map({{"kind", text("APIGroup")}, {"apiVersion", text("v1")}});
            for (const auto& e : n.entries()) out.set(e.key, e.value);
            return json(std::move(out));
        }
        if (registry.has_version(group, version)) return json(resource_list(g, version));
    }
    const bool built_in = registry.has_group(group) && !registry.custom_group(group);
    return to_response(built_in ? resource_not_found() : path_not_found());
}

HttpResponse root_paths(const Registry& registry) {
    std::set<std::string> paths{"/api", "/api/v1", "/apis", "/apis/", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version"};
    for (const auto& path : health_paths()) paths.insert(path);
    for (const auto& g : registry.groups()) {
        if (g.name.empty()) continue;
        paths.insert("/apis/" + g.name);
        for (const auto& v : g.versions) paths.insert("/apis/" + g.name + "/" + v);
    }
    Node list = Node::list();
    for (const auto& path : paths) list.push_back(text(path));
    HttpResponse r;
    r.body = indented_json(write_json(Node::map({{"paths", std::move(list)}})));
    return r;
}

} // namespace weber::kube::server
