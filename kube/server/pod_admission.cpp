#include "kube/server/pod_admission.h"

#include "kube/base/json.h"
#include "kube/server/default_classes.h"
#include "kube/server/limits.h"
#include "kube/server/object_meta.h"
#include "kube/server/tls.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

bool mounts_path(const Node& container, std::string_view path) {
    if (const Node* mounts = container.find("volumeMounts"))
        for (const auto& m : mounts->items())
            if (m.text_at("mountPath") == path) return true;
    return false;
}

// The projected volume with token, CA and namespace, mounted into every container that has none there.
void mount_token(Node& spec) {
    const std::string name = "kube-api-access-" + random_hex(3).substr(0, 5);
    bool used = false;
    for (const auto list : {"initContainers", "containers"}) {
        Node* containers = spec.find_mut(list);
        if (!containers || !containers->is_list()) continue;
        for (Node& c : containers->items_mut()) {
            if (!c.is_map() || mounts_path(c, kTokenPath)) continue;
            c.get_or_insert("volumeMounts")
                .push_back(Node::map({{"name", Node::string(name)},
                                      {"readOnly", Node::boolean(true)},
                                      {"mountPath", Node::string(kTokenPath)}}));
            used = true;
        }
    }
    if (!used) return;
    Node volume = Node::map({{"name", Node::string(name)}});
    volume.set("projected", *read_json(R"({"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
                                       R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
                                       R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],)"
                                       R"("defaultMode":420})"));
    spec.get_or_insert("volumes").push_back(std::move(volume));
}

// BestEffort without any request or limit, Guaranteed when every container limits cpu and memory to its requests.
std::string_view qos_class(const Node& spec) {
    bool any = false, guaranteed = true;
    for (const auto list : {"initContainers", "containers"}) {
        const Node* containers = spec.find(list);
        if (!containers) continue;
        for (const auto& c : containers->items()) {
            const Node* requests = c.find_path({"resources", "requests"});
            const Node* limits = c.find_path({"resources", "limits"});
            for (const auto what : {"cpu", "memory"}) {
                const Node* r = requests ? requests->find(what) : nullptr;
                const Node* l = limits ? limits->find(what) : nullptr;
                any = any || r || l;
                if (!l || (r && !(*r == *l))) guaranteed = false;
            }
        }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

} // namespace

void add_tolerations(Node& spec) {
    for (const auto key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        bool tolerated = false;
        if (const Node* list = spec.find("tolerations"))
            for (const auto& t : list->items())
                tolerated = tolerated || ((t.text_at("key") == key || t.text_at("key").empty()) &&
                                          (t.text_at("effect") == "NoExecute" || t.text_at("effect").empty()));
        if (tolerated) continue;
        spec.get_or_insert("tolerations")
            .push_back(Node::map({{"key", Node::string(key)},
                                  {"operator", Node::string("Exists")},
                                  {"effect", Node::string("NoExecute")},
                                  {"tolerationSeconds", Node::integer(300)}}));
    }
}

Api<void> admit_pod(Core& core, const Call& call, Node& pod) {
    default_resources(core, pod);
    Node& spec = pod.get_or_insert("spec");
    const std::string ns(meta_text(pod, "namespace"));
    std::string account(spec.text_at("serviceAccountName"));
    if (account.empty()) account = "default";
    const ObjectPtr stored = core.store.get("/serviceaccounts", ns, account);
    // The namespace's own account is made a moment after the namespace; a pod need not wait for it.
    if (!stored && account != "default")
        return refuse(not_admitted(call, pod, "error looking up service account " + ns + "/" + account + ": serviceaccount \"" + account + "\" not found"));
    spec.set("serviceAccountName", Node::string(account));
    spec.set("serviceAccount", Node::string(account));
    const Node* automount = spec.find("automountServiceAccountToken");
    const Node of_account = stored ? parse_stored(*stored) : Node();
    if (!automount) automount = of_account.find("automountServiceAccountToken");
    if (!automount || automount->as_bool(true)) mount_token(spec);
    const Node* secrets = of_account.find("imagePullSecrets");
    if (const Node* own = spec.find("imagePullSecrets"); secrets && !secrets->empty() && (!own || own->empty())) spec.set("imagePullSecrets", *secrets);
    API_TRY_VOID(set_priority(core, call, pod));
    add_tolerations(spec);
    API_TRY_VOID(add_runtime_class(core, call, pod));
    pod.set("status", Node::map({{"phase", Node::string("Pending")}, {"qosClass", Node::string(qos_class(spec))}}));
    if (const Node* gates = spec.find("schedulingGates"); gates && !gates->empty())
        pod.get_or_insert("status").set("conditions", Node::list({Node::map({{"type", Node::string("PodScheduled")},
                                                                             {"status", Node::string("False")},
                                                                             {"lastProbeTime", Node()},
                                                                             {"lastTransitionTime", Node::string(now_text())},
                                                                             {"reason", Node::string("SchedulingGated")},
                                                                             {"message", Node::string("Scheduling is blocked due to non-empty scheduling gates")}})}));
    return {};
}

} // namespace weber::kube::server
