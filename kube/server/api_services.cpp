#include "kube/server/api_services.h"

#include <algorithm>
#include <array>

#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kManaged = "kube-aggregator.kubernetes.io/automanaged";

struct Priority {
    std::string_view group, version;
    int group_minimum, of_version;
};

// The core group and those whose versions are not simply 15.
constexpr std::array<Priority, 20> kPriorities{{
    {"", "v1", 18000, 1},
    {"apps", "v1", 17800, 15},
    {"events.k8s.io", "v1", 17750, 15},
    {"authentication.k8s.io", "v1", 17700, 15},
    {"authorization.k8s.io", "v1", 17600, 15},
    {"autoscaling", "v1", 17500, 15},
    {"autoscaling", "v2", 17500, 30},
    {"batch", "v1", 17400, 15},
    {"certificates.k8s.io", "v1", 17300, 15},
    {"networking.k8s.io", "v1", 17200, 15},
    {"policy", "v1", 17100, 15},
    {"rbac.authorization.k8s.io", "v1", 17000, 15},
    {"storage.k8s.io", "v1", 16800, 15},
    {"admissionregistration.k8s.io", "v1", 16700, 15},
    {"apiextensions.k8s.io", "v1", 16700, 15},
    {"scheduling.k8s.io", "v1", 16600, 15},
    {"coordination.k8s.io", "v1", 16500, 15},
    {"node.k8s.io", "v1", 16300, 15},
    {"flowcontrol.apiserver.k8s.io", "v1", 16100, 21},
    {"resource.k8s.io", "v1", 16200, 21},
}};

Priority priority_of(const std::string& group, const std::string& version) {
    const auto it = std::ranges::find_if(kPriorities, [&](const Priority& p) { return p.group == group && p.version == version; });
    return it == kPriorities.end() ? Priority{group, version, 16200, 15} : *it; // discovery.k8s.io
}

Node api_service(const std::string& group, const std::string& version, int group_minimum, int of_version, std::string_view managed) {
    Node spec = Node::map();
    if (!group.empty()) spec.set("group", Node::string(group));
    spec.set("version", Node::string(version));
    spec.set("groupPriorityMinimum", Node::integer(group_minimum));
    spec.set("versionPriority", Node::integer(of_version));
    return Node::map({{"apiVersion", Node::string("apiregistration.k8s.io/v1")},
                      {"kind", Node::string("APIService")},
                      {"metadata", Node::map({{"name", Node::string(version + "." + group)}, {"labels", Node::map({{std::string(kManaged), Node::string(managed)}})}})},
                      {"spec", std::move(spec)}});
}

} // namespace

std::vector<Node> api_services(const Registry& registry, bool custom) {
    std::vector<Node> out;
    for (const auto& g : registry.groups()) {
        if (g.name == "apiregistration.k8s.io" || registry.custom_group(g.name) != custom) continue; // the aggregator's own needs none
        for (const auto& v : g.versions) {
            if (custom) {
                out.push_back(api_service(g.name, v, 1000, 100, "true"));
            } else {
                const Priority p = priority_of(g.name, v);
                out.push_back(api_service(g.name, v, p.group_minimum, p.of_version, "onstart"));
            }
        }
    }
    return out;
}

bool made_for_custom(const Node& api_service) {
    const Node* managed = api_service.find_path({"metadata", "labels", kManaged});
    return managed && managed->text() == "true";
}

} // namespace weber::kube::server
