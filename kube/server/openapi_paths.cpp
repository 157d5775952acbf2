#include "kube/server/openapi_paths.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weber::kube::server {
namespace {

Node text(std::string_view s) { return Node::string(s); }

// Kubernetes verbs as documents call them, and the methods that stand for them.
struct Action {
    std::string_view verb, method, name;
};
constexpr Action kOfCollections[]{{"list", "get", "list"}, {"create", "post", "post"}, {"deletecollection", "delete", "deletecollection"}};
constexpr Action kOfObjects[]{{"get", "get", "get"}, {"update", "put", "put"}, {"create", "post", "post"}, {"delete", "delete", "delete"}, {"patch", "patch", "patch"}};

struct Parameter {
    std::string_view name, type;
};
// In the order of the fields of Go's option types.
std::vector<Parameter> parameters_of(std::string_view action) {
    if (action == "get") return {{"resourceVersion", "string"}};
    if (action == "list" || action == "deletecollection")
        return {{"allowWatchBookmarks", "boolean"}, {"continue", "string"}, {"fieldSelector", "string"}, {"labelSelector", "string"}, {"limit", "integer"}, {"resourceVersion", "string"},
                {"resourceVersionMatch", "string"}, {"sendInitialEvents", "boolean"}, {"timeoutSeconds", "integer"}, {"watch", "boolean"}};
    if (action == "delete")
        return {{"dryRun", "string"}, {"gracePeriodSeconds", "integer"}, {"orphanDependents", "boolean"}, {"propagationPolicy", "string"}};
    std::vector<Parameter> out{{"dryRun", "string"}, {"fieldManager", "string"}, {"fieldValidation", "string"}};
    if (action == "patch") out.push_back({"force", "boolean"});
    return out;
}

Node parameter(const Parameter& p, std::string_view in, bool v3) {
    Node n = Node::map({{"in", text(in)}, {"name", text(p.name)}});
    if (in == "path") n.set("required", Node::boolean(true));
    if (v3)
        n.set("schema", Node::map({{"type", text(p.type)}, {"uniqueItems", Node::boolean(true)}}));
    else
        n.set("type", text(p.type)), n.set("uniqueItems", Node::boolean(true));
    return n;
}

Node operation(const ResourceInfo& r, const VersionInfo& v, std::string_view action, bool v3) {
    Node parameters = Node::list();
    for (const auto& p : parameters_of(action)) parameters.push_back(parameter(p, "query", v3));
    return Node::map({{"parameters", std::move(parameters)},
                      {"responses", Node::map({{"200", Node::map({{"description", text("OK")}})}})},
                      {"x-kubernetes-action", text(action)},
                      {"x-kubernetes-group-version-kind", Node::map({{"group", text(r.group)}, {"kind", text(r.kind)}, {"version", text(v.name)}})}});
}

class Writer {
public:
    Writer(Node& paths, const ResourceInfo& r, const VersionInfo& v, bool v3) : paths_(paths), r_(r), v_(v), v3_(v3) {}

    template <std::size_t N>
    void add(const std::string& path, const Action (&actions)[N], const std::set<std::string>& verbs) {
        Node methods = Node::map();
        for (const Action& a : actions)
            if (verbs.contains(std::string(a.verb))) methods.set(a.method, operation(r_, v_, a.name, v3_));
        if (methods.empty()) return;
        Node parameters = Node::list();
        for (const std::string_view name : {"name", "namespace"})
            if (path.find("{" + std::string(name) + "}") != std::string::npos) parameters.push_back(parameter({name, "string"}, "path", v3_));
        parameters.push_back(parameter({"pretty", "string"}, "query", v3_));
        methods.set("parameters", std::move(parameters));
        paths_.set(path, std::move(methods));
    }

private:
    Node& paths_;
    const ResourceInfo& r_;
    const VersionInfo& v_;
    bool v3_;
};

} // namespace

void add_openapi_paths(Node& paths, const ResourceInfo& r, const VersionInfo& v, bool v3) {
    const std::string root = (r.group.empty() ? "/api/" : "/apis/" + r.group + "/") + v.name + "/";
    const std::string base = root + (r.namespaced ? "namespaces/{namespace}/" : "") + r.plural;
    Writer writer(paths, r, v, v3);
    if (r.namespaced && r.verbs.contains("list")) writer.add(root + r.plural, kOfCollections, {"list"});
    writer.add(base, kOfCollections, r.verbs);
    writer.add(base + "/{name}", kOfObjects, [&] {
        auto verbs = r.verbs;
        verbs.erase("create"); // of the collection
        return verbs;
    }());
    for (const auto& [name, sub] : v.subresources) writer.add(base + "/{name}/" + name, kOfObjects, sub.verbs);
}

} // namespace weber::kube::server
