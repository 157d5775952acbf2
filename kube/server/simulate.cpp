#include "kube/server/simulate.h"

#include <algorithm>
#include <iterator>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

Node text(std::string_view s) { return Node::string(s); }
Node num(std::int64_t v) { return Node::integer(v); }

std::int64_t spec_int(const Node& o, std::string_view field, std::int64_t fallback) {
    const Node* n = o.find_path({"spec", field});
    return n ? n->as_int().value_or(fallback) : fallback;
}

bool spec_flag(const Node& o, std::string_view field) {
    const Node* n = o.find_path({"spec", field});
    return n && n->as_bool();
}

std::int64_t generation(const Node& o) { return meta_int(o, "generation"); }

const Node* old_condition(const Node& o, std::string_view type) {
    if (const Node* list = o.find_path({"status", "conditions"}))
        for (const auto& c : list->items())
            if (c.text_at("type") == type) return &c;
    return nullptr;
}

// A condition; its transition time stays while its status stays.
struct Condition {
    std::string_view type, status, reason, message;
    std::string_view extra_time = {}; // lastUpdateTime or lastProbeTime
};
Node condition(const Node& o, const Condition& c, const Simulation& s) {
    const Node* old = old_condition(o, c.type);
    const bool same = old && old->text_at("status") == c.status;
    const bool untouched = same && old->text_at("reason") == c.reason && old->text_at("message") == c.message;
    if (untouched) return *old;
    Node n = Node::map({{"type", text(c.type)}, {"status", text(c.status)}});
    if (!c.extra_time.empty()) n.set(c.extra_time, text(s.now));
    n.set("lastTransitionTime", same && !old->text_at("lastTransitionTime").empty() ? text(old->text_at("lastTransitionTime")) : text(s.now));
    if (!c.reason.empty()) n.set("reason", text(c.reason));
    if (!c.message.empty()) n.set("message", text(c.message));
    return n;
}

void put_nonzero(Node& n, std::string_view key, std::int64_t v) {
    if (v != 0) n.set(key, num(v));
}

// A name for a template's revision, as the real controllers hash it: equal templates give equal names.
std::string revision(const Node& o) {
    const Node* t = o.find_path({"spec", "template"});
    return sha256_hex(t ? write_json(*t) : "").substr(0, 10);
}

bool set_status(Node& o, Node status) {
    if (const Node* old = o.find("status"); old && *old == status) return false;
    o.set("status", std::move(status));
    return true;
}

bool deployment(Node& o, const Simulation& s) {
    const std::int64_t want = spec_int(o, "replicas", 1);
    const std::string set = std::string(meta_text(o, "name")) + "-" + revision(o);
    const bool ready = !s.fail && s.settled;
    Node st = Node::map();
    st.set("observedGeneration", num(generation(o)));
    put_nonzero(st, "replicas", want);
    put_nonzero(st, "updatedReplicas", s.settled || s.fail ? want : 0);
    put_nonzero(st, "readyReplicas", ready ? want : 0);
    put_nonzero(st, "availableReplicas", ready ? want : 0);
    put_nonzero(st, "unavailableReplicas", ready ? 0 : want);
    st.set("terminatingReplicas", num(0));
    const Condition available = ready || want == 0
                                    ? Condition{"Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", "lastUpdateTime"}
                                    : Condition{"Available", "False", "MinimumReplicasUnavailable",
                                                "Deployment does not have minimum availability.", "lastUpdateTime"};
    const std::string quoted = "ReplicaSet \"" + set + "\"";
    const std::string done = quoted + " has successfully progressed.", going = quoted + " is progressing.",
                      late = quoted + " has timed out progressing.";
    Condition progressing{"Progressing", "True", "NewReplicaSetAvailable", done, "lastUpdateTime"};
    if (spec_flag(o, "paused"))
        progressing = {"Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", "lastUpdateTime"};
    else if (s.fail)
        progressing = {"Progressing", "False", "ProgressDeadlineExceeded", late, "lastUpdateTime"};
    else if (!s.settled)
        progressing = {"Progressing", "True", "ReplicaSetUpdated", going, "lastUpdateTime"};
    st.set("conditions", Node::list({condition(o, available, s), condition(o, progressing, s)}));
    return set_status(o, std::move(st));
}

bool replica_set(Node& o, const Simulation& s) {
    const std::int64_t want = spec_int(o, "replicas", 1);
    const bool ready = !s.fail && s.settled;
    Node st = Node::map({{"replicas", num(s.fail ? 0 : want)}});
    put_nonzero(st, "fullyLabeledReplicas", s.fail ? 0 : want);
    put_nonzero(st, "readyReplicas", ready ? want : 0);
    put_nonzero(st, "availableReplicas", ready ? want : 0);
    st.set("observedGeneration", num(generation(o)));
    if (s.fail)
        st.set("conditions", Node::list({condition(o, {"ReplicaFailure", "True", "FailedCreate", "simulated failure"}, s)}));
    return set_status(o, std::move(st));
}

bool stateful_set(Node& o, const Simulation& s) {
    const std::int64_t want = spec_int(o, "replicas", 1);
    const bool ready = !s.fail && s.settled;
    const std::string rev = std::string(meta_text(o, "name")) + "-" + revision(o);
    const Node* old = o.find_path({"status", "currentRevision"});
    Node st = Node::map({{"observedGeneration", num(generation(o))}, {"replicas", num(want)}});
    put_nonzero(st, "readyReplicas", ready ? want : 0);
    put_nonzero(st, "currentReplicas", ready ? want : 0);
    put_nonzero(st, "updatedReplicas", ready ? want : 0);
    st.set("currentRevision", ready || !old ? text(rev) : *old);
    st.set("updateRevision", text(rev));
    st.set("collisionCount", num(0));
    st.set("availableReplicas", num(ready ? want : 0));
    return set_status(o, std::move(st));
}

bool daemon_set(Node& o, const Simulation& s) {
    const bool ready = !s.fail && s.settled;
    Node st = Node::map({{"currentNumberScheduled", num(1)}, {"numberMisscheduled", num(0)}, {"desiredNumberScheduled", num(1)},
                         {"numberReady", num(ready ? 1 : 0)}, {"observedGeneration", num(generation(o))}});
    put_nonzero(st, "updatedNumberScheduled", s.settled || s.fail ? 1 : 0);
    put_nonzero(st, "numberAvailable", ready ? 1 : 0);
    put_nonzero(st, "numberUnavailable", ready ? 0 : 1);
    return set_status(o, std::move(st));
}

bool job_finished(const Node& o) {
    for (const auto type : {"Complete", "Failed"})
        if (const Node* c = old_condition(o, type); c && c->text_at("status") == "True") return true;
    return false;
}

bool job(Node& o, const Simulation& s) {
    if (job_finished(o)) return false;
    Node st = o.find("status") ? *o.find("status") : Node::map();
    if (spec_flag(o, "suspend")) {
        st.set("conditions", Node::list({condition(o, {"Suspended", "True", "JobSuspended", "Job suspended", "lastProbeTime"}, s)}));
        return set_status(o, std::move(st));
    }
    if (st.text_at("startTime").empty()) st.set("startTime", text(s.now));
    st.set("terminating", num(0));
    st.set("uncountedTerminatedPods", Node::map());
    st.set("ready", num(s.settled ? 0 : 1));
    if (!s.settled) {
        st.set("active", num(spec_int(o, "parallelism", 1)));
        return set_status(o, std::move(st));
    }
    st.erase("active");
    if (s.fail) {
        st.set("failed", num(spec_int(o, "backoffLimit", 6) + 1));
        const std::string_view why = "Job has reached the specified backoff limit";
        st.set("conditions", Node::list({condition(o, {"FailureTarget", "True", "BackoffLimitExceeded", why, "lastProbeTime"}, s),
                                         condition(o, {"Failed", "True", "BackoffLimitExceeded", why, "lastProbeTime"}, s)}));
    } else {
        st.set("succeeded", num(spec_int(o, "completions", spec_int(o, "parallelism", 1))));
        st.set("completionTime", text(s.now));
        const std::string_view why = "Reached expected number of succeeded pods";
        st.set("conditions", Node::list({condition(o, {"SuccessCriteriaMet", "True", "CompletionsReached", why, "lastProbeTime"}, s),
                                         condition(o, {"Complete", "True", "CompletionsReached", why, "lastProbeTime"}, s)}));
    }
    return set_status(o, std::move(st));
}

bool claim(Node& o, const Simulation& s) {
    if (is_deleting(o)) return remove_finalizer(o, "kubernetes.io/pvc-protection");
    if (s.fail || !s.settled) return false;
    Node& spec = o.get_or_insert("spec");
    if (spec.text_at("volumeName").empty()) {
        spec.set("volumeName", text("pvc-" + std::string(meta_text(o, "uid"))));
        Node& a = meta_mut(o).get_or_insert("annotations");
        for (const auto key : {"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"}) a.set(key, text("yes"));
    }
    Node st = Node::map({{"phase", text("Bound")}});
    if (const Node* modes = o.find_path({"spec", "accessModes"})) st.set("accessModes", *modes);
    if (const Node* requests = o.find_path({"spec", "resources", "requests"})) st.set("capacity", *requests);
    return set_status(o, std::move(st));
}

bool volume(Node& o, const Simulation&) {
    if (is_deleting(o)) return remove_finalizer(o, "kubernetes.io/pv-protection");
    Node st = Node::map({{"phase", text(o.find_path({"spec", "claimRef"}) ? "Bound" : "Available")}});
    return set_status(o, std::move(st));
}

bool pod(Node& o, const Simulation& s) {
    if (is_deleting(o)) return false;
    const auto phase = o.find_path({"status", "phase"});
    if (phase && (phase->text() == "Succeeded" || phase->text() == "Failed")) return false;
    if (!s.settled) return false;
    Node& spec = o.get_or_insert("spec");
    if (spec.text_at("nodeName").empty()) spec.set("nodeName", text("weber-node"));
    const std::string_view ready = s.fail ? "False" : "True";
    const std::string_view why = s.fail ? "ContainersNotReady" : "";
    Node conditions = Node::list();
    const Condition all[] = {{"PodReadyToStartContainers", "True", "", ""},
                             {"Initialized", "True", "", ""},
                             {"Ready", ready, why, ""},
                             {"ContainersReady", ready, why, ""},
                             {"PodScheduled", "True", "", ""}};
    for (const auto& c : all) conditions.push_back(condition(o, c, s));
    Node containers = Node::list();
    for (const auto& c : json_path(o, ".spec.containers[*]")) {
        Node state = s.fail ? Node::map({{"waiting", Node::map({{"reason", text("CrashLoopBackOff")}, {"message", text("simulated failure")}})}})
                            : Node::map({{"running", Node::map({{"startedAt", text(s.now)}})}});
        if (const auto old = json_path(o, ".status.containerStatuses[?(@.name==\"" + std::string(c.text_at("name")) + "\")].state"); !old.empty() && !s.fail)
            state = old[0];
        containers.push_back(Node::map({{"name", text(c.text_at("name"))}, {"state", std::move(state)}, {"lastState", Node::map()},
                                        {"ready", Node::boolean(!s.fail)}, {"restartCount", num(s.fail ? 5 : 0)},
                                        {"image", text(c.text_at("image"))}, {"imageID", text("")}, {"started", Node::boolean(!s.fail)}}));
    }
    Node st = o.find("status") ? *o.find("status") : Node::map();
    st.set("phase", text(s.fail ? "Failed" : "Running"));
    st.set("conditions", std::move(conditions));
    st.set("hostIP", text("10.0.0.1"));
    st.set("podIP", text("10.244.0.10"));
    if (st.text_at("startTime").empty()) st.set("startTime", text(s.now));
    st.set("containerStatuses", std::move(containers));
    return set_status(o, std::move(st));
}

bool api_service(Node& o, const Simulation& s) {
    Node st = Node::map();
    const bool local = !o.find_path({"spec", "service"}) || o.find_path({"spec", "service"})->is_null();
    const Condition c = s.fail    ? Condition{"Available", "False", "FailedDiscoveryCheck", "simulated failure"}
                        : local   ? Condition{"Available", "True", "Local", "Local APIServices are always available"}
                                  : Condition{"Available", "True", "Passed", "all checks passed"};
    st.set("conditions", Node::list({condition(o, c, s)}));
    return set_status(o, std::move(st));
}

bool autoscaler(Node& o, const Simulation& s) {
    const std::int64_t n = spec_int(o, "minReplicas", 1);
    Node st = Node::map({{"currentReplicas", num(n)}, {"desiredReplicas", num(n)}, {"currentMetrics", Node()}});
    const Condition active = s.fail ? Condition{"ScalingActive", "False", "FailedGetResourceMetric", "simulated failure"}
                                    : Condition{"ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count"};
    st.set("conditions", Node::list({condition(o, {"AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"}, s),
                                     condition(o, active, s),
                                     condition(o, {"ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"}, s)}));
    return set_status(o, std::move(st));
}

bool disruption_budget(Node& o, const Simulation& s) {
    Node st = Node::map({{"observedGeneration", num(generation(o))}, {"disruptionsAllowed", num(0)}, {"currentHealthy", num(0)},
                         {"desiredHealthy", num(spec_int(o, "minAvailable", 0))}, {"expectedPods", num(0)}}); // a share of no pods is none
    Node c = condition(o, {"DisruptionAllowed", "False", "InsufficientPods", ""}, s);
    c.set("message", text(""));
    c.set("observedGeneration", num(generation(o)));
    st.set("conditions", Node::list({std::move(c)}));
    return set_status(o, std::move(st));
}

// The 1Password operator: the condition by which it says that an item's Secret is there (no Secret is made: no pod reads it).
bool onepassword_item(Node& o, const Simulation& s) {
    if (!s.settled) return false;
    const Condition ready = s.fail ? Condition{"Ready", "False", "", "simulated failure"} : Condition{"Ready", "True", "", ""};
    return set_status(o, Node::map({{"conditions", Node::list({condition(o, ready, s)})}}));
}

struct Kind {
    std::string_view store_id;
    bool (*run)(Node&, const Simulation&);
    bool takes_time;
};
constexpr Kind kKinds[]{
    {"apps/deployments", deployment, true},   {"apps/replicasets", replica_set, true}, {"/replicationcontrollers", replica_set, true},
    {"apps/statefulsets", stateful_set, true}, {"apps/daemonsets", daemon_set, true},   {"batch/jobs", job, true},
    {"/persistentvolumeclaims", claim, true},  {"/persistentvolumes", volume, false},   {"/pods", pod, true},
    {"apiregistration.k8s.io/apiservices", api_service, false},
    {"autoscaling/horizontalpodautoscalers", autoscaler, false},
    {"policy/poddisruptionbudgets", disruption_budget, false},
    {"onepassword.com/onepassworditems", onepassword_item, true},
};

const Kind* kind_of(std::string_view store_id) {
    const auto it = std::ranges::find(kKinds, store_id, &Kind::store_id);
    return it != std::end(kKinds) ? it : nullptr;
}

} // namespace

bool is_simulated(std::string_view store_id) { return kind_of(store_id) != nullptr; }

bool takes_time(std::string_view store_id) {
    const Kind* kind = kind_of(store_id);
    return kind != nullptr && kind->takes_time;
}

bool simulate(std::string_view store_id, Node& obj, const Simulation& s) {
    const Kind* kind = kind_of(store_id);
    return kind != nullptr && kind->run(obj, s);
}

long job_ttl_left(const Node& o, SystemTime now) {
    const Node* ttl = o.find_path({"spec", "ttlSecondsAfterFinished"});
    if (!ttl || !job_finished(o)) return -1;
    const Node* done = old_condition(o, "Complete");
    if (!done) done = old_condition(o, "Failed");
    const auto at = parse_rfc3339(done->text_at("lastTransitionTime"));
    if (!at) return -1;
    const auto end = *at + std::chrono::seconds(ttl->as_int().value_or(0));
    return std::max<long>(0, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(end - now).count()));
}

} // namespace weber::kube::server
