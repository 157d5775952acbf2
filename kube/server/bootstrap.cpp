#include "kube/server/bootstrap.h"

#include "kube/base/json.h"
#include "kube/server/object_meta.h"
#include "kube/server/service_alloc.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kManager = "kube-apiserver";

void make(Core& core, std::string_view store_id, std::string_view json) {
    Node obj = *read_json(json);
    const ResourcePtr resource = core.registry()->find_id(store_id);
    if (resource && !core.store.get(store_id, meta_text(obj, "namespace"), meta_text(obj, "name"))) core.make(*resource, std::move(obj), kManager);
}

void role(Core& core, const std::string& name, std::string_view rules) {
    make(core, "rbac.authorization.k8s.io/clusterroles",
         R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":")" + name +
             R"(","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"},"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},"rules":)" +
             std::string(rules) + "}");
}

void bind_authenticated(Core& core, const std::string& name) {
    make(core, "rbac.authorization.k8s.io/clusterrolebindings",
         R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":")" + name +
             R"(","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"},"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},)"
             R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":")" + name +
             R"("},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"system:authenticated"}]})");
}

// What every user may do, and the roles that people bind. admin, edit and view cover the built-in namespaced kinds; they are not aggregated.
void default_roles(Core& core) {
    role(core, "system:discovery",
         R"([{"nonResourceURLs":["/api","/api/*","/apis","/apis/*","/healthz","/livez","/openapi","/openapi/*","/readyz","/version","/version/"],"verbs":["get"]}])");
    role(core, "system:basic-user",
         R"([{"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"],"verbs":["create"]},)"
         R"({"apiGroups":["authentication.k8s.io"],"resources":["selfsubjectreviews"],"verbs":["create"]}])");
    bind_authenticated(core, "system:discovery");
    bind_authenticated(core, "system:basic-user");
    const std::string read = R"("verbs":["get","list","watch"]})";
    const std::string write = R"("verbs":["create","delete","deletecollection","get","list","patch","update","watch"]})";
    const std::string core_kinds = R"({"apiGroups":[""],"resources":["configmaps","endpoints","events","limitranges","persistentvolumeclaims","pods","pods/log",)"
                                   R"("pods/status","replicationcontrollers","resourcequotas","serviceaccounts","services"],)";
    const std::string group_kinds = R"({"apiGroups":["apps","autoscaling","batch","networking.k8s.io","policy","discovery.k8s.io"],"resources":["*"],)";
    const std::string secrets = R"({"apiGroups":[""],"resources":["secrets","serviceaccounts/token","pods/eviction"],)";
    const std::string roles = R"({"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],)";
    role(core, "view", "[" + core_kinds + read + "," + group_kinds + read + "]");
    role(core, "edit", "[" + core_kinds + write + "," + group_kinds + write + "," + secrets + write + "]");
    role(core, "admin", "[" + core_kinds + write + "," + group_kinds + write + "," + secrets + write + "," + roles + write + "]");
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
    make(core, "rbac.authorization.k8s.io/clusterroles",
         R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"cluster-admin",)"
         R"("labels":{"kubernetes.io/bootstrapping":"rbac-defaults"},"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},)"
         R"("rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]},{"nonResourceURLs":["*"],"verbs":["*"]}]})");
    make(core, "rbac.authorization.k8s.io/clusterrolebindings",
         R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"cluster-admin",)"
         R"("labels":{"kubernetes.io/bootstrapping":"rbac-defaults"},"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},)"
         R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},)"
         R"("subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"system:masters"}]})");
    default_roles(core);
    for (const auto& [name, value] : {std::pair{"system-cluster-critical", "2000000000"}, std::pair{"system-node-critical", "2000001000"}})
        make(core, "scheduling.k8s.io/priorityclasses",
             R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":")" + std::string(name) + R"("},"value":)" +
                 value + R"(,"preemptionPolicy":"PreemptLowerPriority"})");
}

} // namespace weber::kube::server
