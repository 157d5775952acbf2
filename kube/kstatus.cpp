#include "kube/kstatus.h"

#include "kube/kstatus_fields.h"

namespace weber::kube {

namespace {

using status_fields::Condition;
using status_fields::int_at;
using status_fields::read_conditions;
using status_fields::text_at;

using Conditions = std::vector<Condition>;
using Rule = Status (*)(const Object&, const Conditions&);

Status current(std::string message) { return {StatusCode::current, std::move(message), {}}; }

Status in_progress(std::string reason, std::string message) {
    Status out{StatusCode::in_progress, message, {}};
    out.conditions.push_back({"Reconciling", "True", std::move(reason), std::move(message)});
    return out;
}

Status failed(std::string reason, std::string message) {
    Status out{StatusCode::failed, message, {}};
    out.conditions.push_back({"Stalled", "True", std::move(reason), std::move(message)});
    return out;
}

std::string ratio(std::string_view word, std::int64_t have, std::int64_t want) {
    return std::string(word) + ": " + std::to_string(have) + "/" + std::to_string(want);
}

std::string pending_termination(std::int64_t extra) { return "Pending termination: " + std::to_string(extra); }

Status always_ready(const Object&, const Conditions&) { return current("Resource is always ready"); }

Status disruption_budget(const Object&, const Conditions&) { return current("AllowedDisruptions has been computed."); }

Status service(const Object& o, const Conditions&) {
    if (text_at(o, {"spec", "type"}) == "LoadBalancer" && text_at(o, {"spec", "clusterIP"}).empty())
        return in_progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer");
    return current("Service is ready");
}

Status volume_claim(const Object& o, const Conditions&) {
    const std::string phase(text_at(o, {"status", "phase"}, "unknown"));
    if (phase != "Bound") return in_progress("NotBound", "PVC is not Bound. phase: " + phase);
    return current("PVC is Bound");
}

Status definition(const Object&, const Conditions& conditions) {
    for (const Condition& c : conditions) {
        if (c.type == "NamesAccepted" && c.status == "False") return failed(c.reason, c.message);
        if (c.type != "Established") continue;
        if (c.status == "False" && c.reason != "Installing") return failed(c.reason, c.message);
        if (c.status == "True") return current("CRD is established");
    }
    return in_progress("Installing", "Install in progress");
}

Status deployment(const Object& o, const Conditions& conditions) {
    constexpr std::int64_t kNoDeadline = 2147483647; // then the controller sets no Progressing condition
    bool progressing = int_at(o, {"spec", "progressDeadlineSeconds"}, kNoDeadline) == kNoDeadline;
    bool available = false;
    for (const Condition& c : conditions) {
        if (c.type == "Progressing" && c.reason == "ProgressDeadlineExceeded") {
            Status out = failed(c.reason, c.message);
            out.message = "Progress deadline exceeded";
            return out;
        }
        if (c.type == "Progressing" && c.status == "True" && c.reason == "NewReplicaSetAvailable") progressing = true;
        if (c.type == "Available" && c.status == "True") available = true;
    }
    const auto wanted = int_at(o, {"spec", "replicas"}, 1);
    const auto replicas = int_at(o, {"status", "replicas"});
    const auto updated = int_at(o, {"status", "updatedReplicas"});
    const auto ready = int_at(o, {"status", "readyReplicas"});
    const auto up = int_at(o, {"status", "availableReplicas"});
    if (wanted > replicas) return in_progress("LessReplicas", ratio("Replicas", replicas, wanted));
    if (wanted > updated) return in_progress("LessUpdated", ratio("Updated", updated, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", pending_termination(replicas - wanted));
    if (updated > up) return in_progress("LessAvailable", ratio("Available", up, updated));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (!progressing) return in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available");
    if (!available) return in_progress("DeploymentNotAvailable", "Deployment not Available");
    return current("Deployment is available. Replicas: " + std::to_string(replicas));
}

Status replica_set(const Object& o, const Conditions& conditions) {
    for (const Condition& c : conditions)
        if (c.type == "ReplicaFailure" && c.status == "True")
            return in_progress("ReplicaFailure", "Replica Failure condition. Check Pods");
    const auto wanted = int_at(o, {"spec", "replicas"}, 1);
    const auto replicas = int_at(o, {"status", "replicas"});
    const auto ready = int_at(o, {"status", "readyReplicas"});
    const auto up = int_at(o, {"status", "availableReplicas"});
    const auto labelled = int_at(o, {"status", "fullyLabeledReplicas"});
    if (wanted > labelled) return in_progress("LessLabelled", ratio("Labelled", labelled, wanted));
    if (wanted > up) return in_progress("LessAvailable", ratio("Available", up, wanted));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", pending_termination(replicas - wanted));
    return current("ReplicaSet is available. Replicas: " + std::to_string(replicas));
}

Status stateful_set(const Object& o, const Conditions&) {
    if (text_at(o, {"spec", "updateStrategy", "type"}) == "OnDelete") return current("StatefulSet is using the ondelete update strategy");
    const auto wanted = int_at(o, {"spec", "replicas"}, 1);
    const auto replicas = int_at(o, {"status", "replicas"});
    const auto ready = int_at(o, {"status", "readyReplicas"});
    const auto updated = int_at(o, {"status", "updatedReplicas"});
    const auto at_current = int_at(o, {"status", "currentReplicas"});
    if (wanted > replicas) return in_progress("LessReplicas", ratio("Replicas", replicas, wanted));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", pending_termination(replicas - wanted));
    const auto partition = int_at(o, {"spec", "updateStrategy", "rollingUpdate", "partition"}, -1);
    if (partition != -1) {
        if (updated < wanted - partition) return in_progress("PartitionRollout", ratio("updated", updated, wanted - partition));
        return current("Partition rollout complete. updated: " + std::to_string(updated));
    }
    if (wanted > at_current) return in_progress("LessCurrent", ratio("current", at_current, wanted));
    if (text_at(o, {"status", "currentRevision"}) != text_at(o, {"status", "updateRevision"}))
        return in_progress("RevisionMismatch", "Waiting for updated revision to match current");
    return current("All replicas scheduled as expected. Replicas: " + std::to_string(replicas));
}

// Stricter than step 2: this controller always sets both generations.
Status daemon_set(const Object& o, const Conditions&) {
    if (!o.at({"metadata", "generation"})) return in_progress("NoGeneration", "DaemonSet metadata.generation not found");
    if (!o.at({"status", "observedGeneration"})) return in_progress("NoObservedGeneration", "DaemonSet status.observedGeneration not found");
    const auto wanted = int_at(o, {"status", "desiredNumberScheduled"}, -1);
    if (wanted == -1) return in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    const auto scheduled = int_at(o, {"status", "currentNumberScheduled"});
    const auto updated = int_at(o, {"status", "updatedNumberScheduled"});
    const auto up = int_at(o, {"status", "numberAvailable"});
    const auto ready = int_at(o, {"status", "numberReady"});
    if (wanted > scheduled) return in_progress("LessCurrent", ratio("Current", scheduled, wanted));
    if (wanted > updated) return in_progress("LessUpdated", ratio("Updated", updated, wanted));
    if (wanted > up) return in_progress("LessAvailable", ratio("Available", up, wanted));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    return current("All replicas scheduled as expected. Replicas: " + std::to_string(wanted));
}

struct JobNumbers {
    std::int64_t parallelism, completions, succeeded, active, failed;
};

JobNumbers job_numbers(const Object& o) {
    const auto parallelism = int_at(o, {"spec", "parallelism"}, 1);
    return {parallelism, int_at(o, {"spec", "completions"}, parallelism), int_at(o, {"status", "succeeded"}), int_at(o, {"status", "active"}),
            int_at(o, {"status", "failed"})};
}

std::string job_progress(const JobNumbers& n) {
    return "Job in progress. success:" + std::to_string(n.succeeded) + ", active: " + std::to_string(n.active) +
           ", failed: " + std::to_string(n.failed);
}

std::optional<Status> finished_job(const JobNumbers& n, const Conditions& conditions) {
    for (const Condition& c : conditions) {
        if (c.status != "True") continue;
        if (c.type == "Complete") return current(ratio("Job Completed. succeeded", n.succeeded, n.completions));
        if (c.type == "Failed") return failed("JobFailed", ratio("Job Failed. failed", n.failed, n.completions));
    }
    return std::nullopt;
}

Status job(const Object& o, const Conditions& conditions) {
    const JobNumbers n = job_numbers(o);
    if (auto done = finished_job(n, conditions)) return std::move(*done);
    if (text_at(o, {"status", "startTime"}).empty()) return in_progress("JobNotStarted", "Job not started");
    return current(job_progress(n));
}

std::string crash_looping(const Object& o) {
    std::string names;
    const Node* statuses = o.at({"status", "containerStatuses"});
    if (!statuses) return names;
    for (const Node& s : statuses->items()) {
        const Node* reason = s.find_path({"state", "waiting", "reason"});
        if (reason && reason->text() == "CrashLoopBackOff" && s.contains("name")) names += (names.empty() ? "" : ",") + std::string(s.text_at("name"));
    }
    return names;
}

Result<Status> pod(const Object& o, const Conditions& conditions, SystemTime now) {
    const std::string_view phase = text_at(o, {"status", "phase"});
    const auto has = [&](std::string_view type, std::string_view status) -> const Condition* {
        for (const Condition& c : conditions)
            if (c.type == type && c.status == status) return &c;
        return nullptr;
    };
    if (phase == "Succeeded") return current("Pod has completed successfully");
    if (phase == "Failed") return current("Pod has completed, but not successfully");
    if (phase == "Running") {
        if (has("Ready", "True")) return current("Pod is Ready");
        if (const std::string names = crash_looping(o); !names.empty())
            return failed("ContainerCrashLooping", "Containers in CrashLoop state: " + names);
        return in_progress("PodRunningNotReady", "Pod is running but is not Ready");
    }
    if (phase == "Pending") {
        const Condition* scheduled = has("PodScheduled", "False");
        if (!scheduled || scheduled->reason != "Unschedulable") return in_progress("PodPending", "Pod is in the Pending phase");
        const auto created = parse_rfc3339(o.meta("creationTimestamp"));
        if (created && now - std::chrono::seconds(15) < *created) return in_progress("PodNotScheduled", "Pod has not been scheduled");
        return failed("PodUnschedulable", "Pod could not be scheduled");
    }
    if (phase.empty()) return in_progress("PodNotObserved", "Pod phase not available");
    return fail(ErrorCode::invalid, "unknown phase " + std::string(phase));
}

struct KindRule {
    std::string_view group, kind;
    Rule rule;
};

constexpr KindRule kRules[] = {
    {"", "ConfigMap", always_ready},
    {"", "Secret", always_ready},
    {"", "Service", service},
    {"", "PersistentVolumeClaim", volume_claim},
    {"apps", "Deployment", deployment},
    {"apps", "ReplicaSet", replica_set},
    {"apps", "StatefulSet", stateful_set},
    {"apps", "DaemonSet", daemon_set},
    {"extensions", "Deployment", deployment},
    {"extensions", "ReplicaSet", replica_set},
    {"extensions", "DaemonSet", daemon_set},
    {"batch", "CronJob", always_ready},
    {"batch", "Job", job},
    {"policy", "PodDisruptionBudget", disruption_budget},
    {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
};

Rule rule_of(const Object& o) {
    for (const KindRule& r : kRules)
        if (r.group == o.group() && r.kind == o.kind()) return r.rule;
    return nullptr;
}

Status generic_ready(const Conditions& conditions) {
    for (const Condition& c : conditions) {
        if (c.type != "Ready") continue;
        if (c.status == "True") return current("Resource is Ready");
        if (c.status == "False" || c.status == "Unknown") return in_progress(c.reason, c.message);
    }
    return current("Resource is current");
}

// Step 2; nullopt when it says nothing.
Result<std::optional<Status>> check_generation(const Object& o) {
    TRY(const auto generation, status_fields::checked_int(o, "metadata", "generation"));
    if (!generation) return std::optional<Status>();
    TRY(const auto observed, status_fields::checked_int(o, "status", "observedGeneration"));
    if (!observed || *observed == *generation) return std::optional<Status>();
    return std::optional(in_progress("LatestGenerationNotObserved", std::string(o.kind()) + " generation is " + std::to_string(*generation) +
                                                                        ", but latest observed generation is " + std::to_string(*observed)));
}

} // namespace

std::string_view to_string(StatusCode code) {
    switch (code) {
    case StatusCode::in_progress: return "InProgress";
    case StatusCode::failed: return "Failed";
    case StatusCode::current: return "Current";
    case StatusCode::terminating: return "Terminating";
    case StatusCode::not_found: return "NotFound";
    case StatusCode::unknown: break;
    }
    return "Unknown";
}

Result<Status> compute_status(const Object& o, SystemTime now) {
    TRY(const bool deleting, status_fields::checked_deleting(o));
    if (deleting) return Status{StatusCode::terminating, "Resource scheduled for deletion", {}};
    TRY(auto by_generation, check_generation(o));
    if (by_generation) return std::move(*by_generation);
    TRY(const Conditions conditions, read_conditions(o));
    for (const Condition& c : conditions) {
        if (c.status != "True") continue;
        if (c.type == "Reconciling") return in_progress(c.reason, c.message);
        if (c.type == "Stalled") return failed(c.reason, c.message);
    }
    if (o.group().empty() && o.kind() == "Pod") return pod(o, conditions, now);
    if (const Rule rule = rule_of(o)) return rule(o, conditions);
    return generic_ready(conditions);
}

Result<Status> compute_flux_status(const Object& o, SystemTime now) {
    if (o.group() != "batch" || o.kind() != "Job") return compute_status(o, now);
    if (const Node* suspend = o.at({"spec", "suspend"}); suspend && suspend->as_bool()) return current("Job is suspended");
    TRY(const Conditions conditions, read_conditions(o));
    const JobNumbers n = job_numbers(o);
    if (auto done = finished_job(n, conditions)) return std::move(*done);
    if (text_at(o, {"status", "startTime"}).empty())
        return in_progress("JobNotStarted", ratio("Job not started. active", n.active, n.parallelism));
    return in_progress("JobInProgress", job_progress(n));
}

bool needs_pods(const Object& o) { return o.group() == "apps" && (o.kind() == "StatefulSet" || o.kind() == "ReplicaSet"); }

Status with_pods(Status own, std::span<const Object> pods, SystemTime now) {
    if (own.code != StatusCode::in_progress) return own;
    int broken = 0;
    for (const Object& p : pods) {
        const auto status = compute_status(p, now);
        if (!status || status->code != StatusCode::failed) continue; // one that is being deleted is Terminating
        if (!status->conditions.empty() && status->conditions.front().reason == "PodUnschedulable") continue;
        ++broken;
    }
    if (broken == 0) return own;
    return {StatusCode::failed, std::to_string(broken) + " pods have failed", {}};
}

} // namespace weber::kube
