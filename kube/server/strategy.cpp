#include "kube/server/strategy.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/object_meta.h"
#include "kube/server/default_classes.h"
#include "kube/server/pod_admission.h"
#include "kube/server/service_alloc.h"

namespace weber::kube::server {
namespace {

// Tables of kinds are short and asked once a request: they are looked through, so that no command pays for them at its start.
constexpr std::string_view kWithGeneration[]{
    "apps/daemonsets", "apps/deployments", "apps/replicasets", "apps/statefulsets", "batch/cronjobs", "batch/jobs", "/pods",
    "/podtemplates", "/replicationcontrollers", "discovery.k8s.io/endpointslices", "networking.k8s.io/ingresses",
    "networking.k8s.io/ingressclasses", "networking.k8s.io/networkpolicies", "policy/poddisruptionbudgets",
    "scheduling.k8s.io/priorityclasses", "flowcontrol.apiserver.k8s.io/flowschemas",
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations", "apiextensions.k8s.io/customresourcedefinitions",
    "admissionregistration.k8s.io/validatingadmissionpolicies", "admissionregistration.k8s.io/mutatingadmissionpolicies",
    "admissionregistration.k8s.io/mutatingwebhookconfigurations", "admissionregistration.k8s.io/validatingwebhookconfigurations",
    "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
    "admissionregistration.k8s.io/validatingadmissionpolicybindings", "resource.k8s.io/resourceslices",
    "resource.k8s.io/deviceclasses", "resource.k8s.io/devicetaintrules"};

constexpr std::string_view kCreateOnUpdate[]{"node.k8s.io/runtimeclasses", "rbac.authorization.k8s.io/rolebindings",
                          "rbac.authorization.k8s.io/clusterrolebindings", "rbac.authorization.k8s.io/roles",
                          "rbac.authorization.k8s.io/clusterroles", "coordination.k8s.io/leases", "coordination.k8s.io/leasecandidates",
                          "/limitranges", "/events", "/services", "/endpoints"};

constexpr std::string_view kConditional[]{"certificates.k8s.io/podcertificaterequests", "certificates.k8s.io/clustertrustbundles",
                       "node.k8s.io/runtimeclasses", "storagemigration.k8s.io/storageversionmigrations",
                       "policy/poddisruptionbudgets", "internal.apiserver.k8s.io/storageversions", "storage.k8s.io/csidrivers",
                       "storage.k8s.io/csistoragecapacities", "storage.k8s.io/volumeattachments", "storage.k8s.io/csinodes",
                       "coordination.k8s.io/leases", "coordination.k8s.io/leasecandidates",
                       "apiextensions.k8s.io/customresourcedefinitions", "apiregistration.k8s.io/apiservices",
                       "admissionregistration.k8s.io/validatingadmissionpolicies",
                       "admissionregistration.k8s.io/mutatingadmissionpolicies",
                       "admissionregistration.k8s.io/mutatingwebhookconfigurations",
                       "admissionregistration.k8s.io/validatingwebhookconfigurations",
                       "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
                       "admissionregistration.k8s.io/validatingadmissionpolicybindings"};

constexpr std::string_view kReturnsDeleted[]{"resource.k8s.io/resourceclaimtemplates", "resource.k8s.io/resourceslices", "resource.k8s.io/resourceclaims",
                          "resource.k8s.io/deviceclasses", "resource.k8s.io/devicetaintrules", "storage.k8s.io/csidrivers",
                          "storage.k8s.io/storageclasses", "storage.k8s.io/volumeattachments", "storage.k8s.io/csinodes",
                          "storage.k8s.io/volumeattributesclasses", "/resourcequotas", "/persistentvolumes", "/serviceaccounts",
                          "/persistentvolumeclaims", "/namespaces", "/pods", "/services", "/podtemplates"};

// `status` of a new object: the zero value of its type as JSON shows it. Kinds that are not listed have none.
constexpr std::pair<std::string_view, std::string_view> kNewStatus[]{
    {"/namespaces", R"({"phase":"Active"})"},
    {"/persistentvolumeclaims", R"({"phase":"Pending"})"},
    {"/persistentvolumes", R"({"phase":"Pending"})"},
    {"/replicationcontrollers", R"({"replicas":0})"},
    {"/resourcequotas", "{}"},
    {"/services", R"({"loadBalancer":{}})"},
    {"/nodes", R"({"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"","kubeletVersion":"","kubeProxyVersion":"","operatingSystem":"","architecture":""}})"},
    {"apps/daemonsets", R"({"currentNumberScheduled":0,"numberMisscheduled":0,"desiredNumberScheduled":0,"numberReady":0})"},
    {"apps/deployments", "{}"},
    {"apps/replicasets", R"({"replicas":0})"},
    {"apps/statefulsets", R"({"replicas":0,"availableReplicas":0})"},
    {"autoscaling/horizontalpodautoscalers", R"({"desiredReplicas":0,"currentMetrics":null})"},
    {"batch/cronjobs", "{}"},
    {"batch/jobs", "{}"},
    {"certificates.k8s.io/certificatesigningrequests", "{}"},
    {"networking.k8s.io/ingresses", R"({"loadBalancer":{}})"},
    {"policy/poddisruptionbudgets", R"({"disruptionsAllowed":0,"currentHealthy":0,"desiredHealthy":0,"expectedPods":0})"},
    {"storage.k8s.io/volumeattachments", R"({"attached":false})"},
    {"apiregistration.k8s.io/apiservices", "{}"},
    {"flowcontrol.apiserver.k8s.io/flowschemas", "{}"},
    {"flowcontrol.apiserver.k8s.io/prioritylevelconfigurations", "{}"},
    {"admissionregistration.k8s.io/validatingadmissionpolicies", "{}"},
    {"resource.k8s.io/resourceclaims", "{}"},
};

void move_string_data(Node& secret) {
    const Node* plain = secret.find("stringData");
    if (!plain) return;
    const Node copy = *plain;
    secret.erase("stringData");
    for (const auto& e : copy.entries())
        secret.get_or_insert("data").set(e.key, Node::string(base64_encode(e.value.text())));
}

void prepare_namespace(Node& ns) {
    Node& list = ns.get_or_insert("spec").get_or_insert("finalizers");
    for (const auto& f : list.items())
        if (f.text() == "kubernetes") return;
    list.push_back(Node::string("kubernetes"));
}

// Nodes are not ready before somebody says so.
void taint_new_node(Node& node) {
    constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
    Node& taints = node.get_or_insert("spec").get_or_insert("taints");
    for (const Node& t : taints.items())
        if (t.text_at("key") == kNotReady && t.text_at("effect") == "NoSchedule") return;
    taints.push_back(Node::map({{"key", Node::string(kNotReady)}, {"effect", Node::string("NoSchedule")}}));
}

// The Job controller finds its pods by the Job's uid unless the user chose a selector.
void prepare_job(Node& job) {
    Node& spec = job.get_or_insert("spec");
    if (const Node* manual = spec.find("manualSelector"); manual && manual->as_bool()) return;
    const std::string uid(meta_text(job, "uid")), name(meta_text(job, "name"));
    Node& labels = spec.get_or_insert("template").get_or_insert("metadata").get_or_insert("labels");
    for (const auto key : {"batch.kubernetes.io/controller-uid", "controller-uid"}) labels.set(key, Node::string(uid));
    for (const auto key : {"batch.kubernetes.io/job-name", "job-name"}) labels.set(key, Node::string(name));
    const Node copy = labels;
    spec.get_or_insert("selector").get_or_insert("matchLabels").set("batch.kubernetes.io/controller-uid", Node::string(uid));
    const Node* own = job.find_path({"metadata", "labels"});
    if (!own || own->empty()) meta_mut(job).set("labels", copy);
}

// The number of the pod template's version, which the real server keeps in an annotation.
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

void count_template(Node& set, const Node& live) {
    std::int64_t n = 1;
    if (!live.is_null()) {
        const Node* before = live.find_path({"metadata", "annotations", kTemplateGeneration});
        n = before ? std::strtoll(std::string(before->text()).c_str(), nullptr, 10) : 0;
        const Node *a = set.find_path({"spec", "template"}), *b = live.find_path({"spec", "template"});
        if (!(a && b && *a == *b)) ++n;
    }
    meta_mut(set).get_or_insert("annotations").set(kTemplateGeneration, Node::string(std::to_string(n)));
}

// Conditions without times get them; one that says the same as before keeps when it began.
void stamp_conditions(Node& request, const Node& live) {
    Node* status = request.find_mut("status");
    Node* conditions = status ? status->find_mut("conditions") : nullptr;
    if (!conditions || !conditions->is_list()) return;
    const Node* before = live.find_path({"status", "conditions"});
    for (Node& c : conditions->items_mut()) {
        if (c.text_at("lastUpdateTime").empty()) c.set("lastUpdateTime", Node::string(now_text()));
        if (!c.text_at("lastTransitionTime").empty()) continue;
        std::string since = now_text();
        for (const Node& old : before ? before->items() : std::span<const Node>())
            if (old.text_at("type") == c.text_at("type") && old.text_at("status") == c.text_at("status") && !old.text_at("lastTransitionTime").empty()) {
                since = old.text_at("lastTransitionTime");
                break;
            }
        c.set("lastTransitionTime", Node::string(since));
    }
}

// Who asks for the certificate is what the server knows, not what the request says.
void prepare_signing_request(const Call& call, Node& request) {
    Node& spec = request.get_or_insert("spec");
    for (const auto field : {"username", "uid", "groups", "extra"}) spec.erase(field);
    spec.set("username", Node::string(call.user.name));
    if (!call.user.uid.empty()) spec.set("uid", Node::string(call.user.uid));
    Node groups = Node::list();
    for (const auto& g : call.user.groups) groups.push_back(Node::string(g));
    if (!groups.empty()) spec.set("groups", std::move(groups));
    if (!call.user.extra.empty()) spec.set("extra", extra_node(call.user));
}

// An update of the request itself changes metadata only, of its approval the conditions, of its status the rest.
void change_signing_request(Node& request, const Node& live, std::string_view subresource) {
    const auto keep = [&](Node& target, std::string_view field, const Node* value) {
        if (value)
            target.set(field, *value);
        else
            target.erase(field);
    };
    if (!subresource.empty()) stamp_conditions(request, live);
    keep(request, "spec", live.find("spec"));
    if (subresource != "approval") return;
    const Node* conditions = request.find_path({"status", "conditions"});
    const Node mine = conditions ? *conditions : Node();
    keep(request, "status", live.find("status"));
    if (!mine.is_null()) request.get_or_insert("status").set("conditions", mine);
}

void prepare_crd(Node& crd) {
    Node stored = Node::list();
    if (const Node* versions = crd.find_path({"spec", "versions"}))
        for (const auto& v : versions->items())
            if (const Node* s = v.find("storage"); s && s->as_bool()) stored.push_back(Node::string(v.text_at("name")));
    Node status = Node::map();
    status.set("conditions", Node());
    status.set("acceptedNames", Node::map({{"plural", Node::string("")}, {"kind", Node::string("")}}));
    status.set("storedVersions", std::move(stored));
    crd.set("status", std::move(status));
}

bool all_custom_but_meta_equal(const Node& a, const Node& b, bool with_status) {
    Node x = a, y = b;
    for (Node* n : {&x, &y}) {
        n->erase("metadata");
        n->erase("apiVersion");
        if (!with_status) n->erase("status");
    }
    return x == y;
}

} // namespace

Strategy strategy_of(const ResourceInfo& resource, const VersionInfo&) {
    const std::string id = resource.id();
    if (resource.custom) return {.generation = true, .create_on_update = false, .unconditional = false, .returns_deleted = false};
    const auto is_in = [&](std::span<const std::string_view> kinds) { return std::ranges::find(kinds, id) != kinds.end(); };
    return {is_in(kWithGeneration), is_in(kCreateOnUpdate), !is_in(kConditional), is_in(kReturnsDeleted)};
}

void to_internal(std::string_view id, Node& obj) {
    if (id == "/secrets") move_string_data(obj);
    if (id == "apps/daemonsets" && !obj.find_path({"metadata", "annotations", kTemplateGeneration}))
        meta_mut(obj).get_or_insert("annotations").set(kTemplateGeneration, Node::string("0"));
}

void hide_internal_annotations(std::string_view id, Node& obj) {
    if (id != "apps/daemonsets" || !obj.find_path({"metadata", "annotations", kTemplateGeneration})) return;
    Node& annotations = meta_mut(obj).get_or_insert("annotations");
    annotations.erase(kTemplateGeneration);
    if (annotations.empty()) erase_meta(obj, "annotations");
}

void mark_local(Node& api_service) {
    Node condition = Node::map({{"type", Node::string("Available")}, {"status", Node::string("True")}, {"lastTransitionTime", Node::string(now_text())},
                                {"reason", Node::string("Local")}, {"message", Node::string("Local APIServices are always available")}});
    api_service.get_or_insert("status").set("conditions", Node::list({std::move(condition)}));
}

Api<void> prepare_create(Core& core, const Call& call, Node& obj) {
    const ResourceInfo& resource = *call.resource;
    if (resource.custom) {
        if (call.version->subresources.contains("status")) obj.erase("status");
        return {};
    }
    const std::string id = resource.id();
    if (const auto it = std::ranges::find(kNewStatus, id, &std::pair<std::string_view, std::string_view>::first); it != std::end(kNewStatus))
        obj.set("status", *read_json(it->second));
    else if (id != "/componentstatuses")
        obj.erase("status");
    if (id == "/persistentvolumes") obj.get_or_insert("status").set("lastPhaseTransitionTime", Node::string(now_text()));
    if (id == "autoscaling/horizontalpodautoscalers" && call.version->name == "v1")
        obj.set("status", Node::map({{"currentReplicas", Node::integer(0)}, {"desiredReplicas", Node::integer(0)}}));
    if (id == "/secrets") move_string_data(obj);
    if (id == "/namespaces") prepare_namespace(obj);
    if (id == "/persistentvolumeclaims") add_finalizer(obj, "kubernetes.io/pvc-protection");
    if (id == "/persistentvolumeclaims" || id == "networking.k8s.io/ingresses") default_class(core, id, obj);
    if (id == "/persistentvolumes") add_finalizer(obj, "kubernetes.io/pv-protection");
    if (id == "storage.k8s.io/volumeattributesclasses") add_finalizer(obj, "kubernetes.io/vac-protection");
    if (id == "/nodes") taint_new_node(obj);
    if (id == "coordination.k8s.io/leases") // of a gate that is off
        for (const auto field : {"strategy", "preferredHolder"}) obj.get_or_insert("spec").erase(field);
    if (id == "apiregistration.k8s.io/apiservices" && !obj.find_path({"spec", "service"})) mark_local(obj);
    if (id == "certificates.k8s.io/certificatesigningrequests") prepare_signing_request(call, obj);
    if (id == "/pods") return admit_pod(core, call, obj);
    if (id == "batch/jobs") prepare_job(obj);
    if (id == "apps/daemonsets") count_template(obj, Node());
    if (id == "apiextensions.k8s.io/customresourcedefinitions") prepare_crd(obj);
    if (id == "/services") return allocate_service(core.allocator, obj, Node());
    return {};
}

Api<void> prepare_update(Core& core, const Call& call, Node& obj, const Node& live, std::string_view subresource) {
    const ResourceInfo& resource = *call.resource;
    const std::string id = resource.id();
    const bool has_status = call.version->subresources.contains("status");
    if (subresource == "status") {
        // Only the status (and who owns it) changes; of built-in kinds also some metadata.
        Node next = resource.custom ? live : obj;
        if (const Node* status = obj.find("status"))
            next.set("status", *status);
        else
            next.erase("status");
        if (resource.custom) {
            if (const Node* managed = obj.find_path({"metadata", "managedFields"}))
                meta_mut(next).set("managedFields", *managed);
            else
                erase_meta(next, "managedFields");
        } else {
            if (const Node* spec = live.find("spec"))
                next.set("spec", *spec);
            else
                next.erase("spec");
            if (id == "apps/deployments") {
                if (const Node* labels = live.find_path({"metadata", "labels"}))
                    meta_mut(next).set("labels", *labels);
                else
                    erase_meta(next, "labels");
            }
        }
        obj = std::move(next);
        if (id == "certificates.k8s.io/certificatesigningrequests") change_signing_request(obj, live, subresource);
        return {};
    }
    if (has_status && subresource.empty()) {
        if (const Node* status = live.find("status"))
            obj.set("status", *status);
        else
            obj.erase("status");
    }
    if (resource.custom) return {};
    if (id == "certificates.k8s.io/certificatesigningrequests") change_signing_request(obj, live, subresource);
    if (id == "/secrets") move_string_data(obj);
    if (id == "/pods" && subresource.empty()) add_tolerations(obj.get_or_insert("spec"));
    if (id == "apps/daemonsets") count_template(obj, live);
    if (id == "/namespaces" && subresource.empty())
        if (const Node* list = live.find_path({"spec", "finalizers"})) obj.get_or_insert("spec").set("finalizers", *list);
    if (id == "/services" && !call.dry_run) return allocate_service(core.allocator, obj, live);
    if (id == "/services") { // a dry run may read but not move allocations: work on what the live Service has
        Allocator scratch;
        claim_service(scratch, live);
        return allocate_service(scratch, obj, live);
    }
    return {};
}

void release(Core& core, const ResourceInfo& resource, const Node& obj) {
    if (resource.id() == "/services") release_service(core.allocator, obj);
}

bool generation_changes(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, const Node& live) {
    if (resource.plural == "priorityclasses" && !resource.custom) return false;
    if (resource.custom) return !all_custom_but_meta_equal(obj, live, !version.subresources.contains("status"));
    if (!all_custom_but_meta_equal(obj, live, false)) return true;
    if (resource.id() != "apps/deployments") return false;
    const Node* a = obj.find_path({"metadata", "annotations"});
    const Node* b = live.find_path({"metadata", "annotations"});
    return !((a ? *a : Node::map()) == (b ? *b : Node::map()));
}

} // namespace weber::kube::server
