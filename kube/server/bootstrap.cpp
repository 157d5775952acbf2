#include "kube/server/bootstrap.h"

#include "kube/base/json.h"
#include "kube/server/object_meta.h"
#include "kube/server/service_alloc.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kManager = "kube-apiserver";

void make(Core& core, std::string_view store_id, std::string_view json) {
    std::string text(json);
    for (auto at = text.find("@now"); at != std::string::npos; at = text.find("@now")) text.replace(at, 4, now_text());
    Node obj = *read_json(text);
    const ResourcePtr resource = core.registry()->find_id(store_id);
    const std::string ns(meta_text(obj, "namespace")), name(meta_text(obj, "name"));
    if (!resource || core.store.get(store_id, ns, name)) return;
    const Node* status = obj.find("status");
    const Node wanted = status ? *status : Node();
    core.make(*resource, std::move(obj), kManager);
    if (wanted.is_null()) return;
    core.edit( // which a new object does not keep
        *resource, ns, name,
        [&](Node& made) {
            made.set("status", wanted);
            return true;
        },
        kManager, "status");
}

} // namespace

void bootstrap(Core& core) {
    for (const auto& o : core.store.list("/services", "").objects) claim_service(core.allocator, parse_stored(*o));
    for (const auto name : {"default", "kube-system", "kube-public", "kube-node-lease"})
        make(core, "/namespaces", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + std::string(name) +
                                      R"(","labels":{"kubernetes.io/metadata.name":")" + name + R"("}}})");
    make(core, "/services",
         R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"kubernetes","namespace":"default",)"
         R"("labels":{"component":"apiserver","provider":"kubernetes"}},"spec":{"type":"ClusterIP","clusterIP":"10.96.0.1",)"
         R"("sessionAffinity":"None","internalTrafficPolicy":"Cluster",)"
         R"("ports":[{"name":"https","port":443,"protocol":"TCP","targetPort":6443}]}})");
    for (const auto& [store_id, json] : bootstrap_objects()) make(core, store_id, json);
    make(core, "networking.k8s.io/servicecidrs",
         R"({"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"kubernetes"},)"
         R"("spec":{"cidrs":["10.96.0.0/16"]},"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"@now","reason":"","message":"Kubernetes default Service CIDR is ready"}]}})");
    for (const auto& [name, value] : {std::pair{"system-cluster-critical", "2000000000"}, std::pair{"system-node-critical", "2000001000"}})
        make(core, "scheduling.k8s.io/priorityclasses",
             R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":")" + std::string(name) + R"("},"value":)" +
                 value + R"(,"preemptionPolicy":"PreemptLowerPriority"})");
}

} // namespace weber::kube::server
