#include <limits>

#include "kube/server/default_rules.h"

namespace weber::kube::server {
namespace {

void default_value(Node& n, std::string_view key, Node value) {
    if (!has(n, key)) n.set(key, std::move(value));
}

void deployment(Node& n) {
    Node& spec = default_map(n, "spec");
    default_int(spec, "replicas", 1);
    Node& strategy = default_map(spec, "strategy");
    default_text(strategy, "type", "RollingUpdate");
    if (strategy.text_at("type") == "RollingUpdate") {
        Node& rolling = default_map(strategy, "rollingUpdate");
        default_value(rolling, "maxUnavailable", Node::string("25%"));
        default_value(rolling, "maxSurge", Node::string("25%"));
    }
    default_int(spec, "revisionHistoryLimit", 10);
    default_int(spec, "progressDeadlineSeconds", 600);
}

void daemon_set(Node& n) {
    Node& spec = default_map(n, "spec");
    Node& strategy = default_map(spec, "updateStrategy");
    default_text(strategy, "type", "RollingUpdate");
    if (strategy.text_at("type") == "RollingUpdate") {
        Node& rolling = default_map(strategy, "rollingUpdate");
        default_int(rolling, "maxUnavailable", 1);
        default_int(rolling, "maxSurge", 0);
    }
    default_int(spec, "revisionHistoryLimit", 10);
}

void stateful_set(Node& n) {
    Node& spec = default_map(n, "spec");
    default_text(spec, "podManagementPolicy", "OrderedReady");
    Node& strategy = default_map(spec, "updateStrategy");
    if (strategy.text_at("type").empty()) {
        strategy.set("type", Node::string("RollingUpdate"));
        default_map(strategy, "rollingUpdate");
    }
    if (strategy.text_at("type") == "RollingUpdate" && has(strategy, "rollingUpdate")) {
        Node& rolling = strategy.get_or_insert("rollingUpdate");
        default_int(rolling, "partition", 0);
    }
    if (Node* claims = spec.find_mut("volumeClaimTemplates"); claims && claims->is_list())
        for (Node& c : claims->items_mut()) {
            c.set("kind", Node::string("PersistentVolumeClaim"));
            c.set("apiVersion", Node::string("v1"));
        }
    Node& retention = default_map(spec, "persistentVolumeClaimRetentionPolicy");
    default_text(retention, "whenDeleted", "Retain");
    default_text(retention, "whenScaled", "Retain");
    default_int(spec, "replicas", 1);
    default_int(spec, "revisionHistoryLimit", 10);
}

// Labels of the pod template stand in for the object's own.
void labels_of_template(Node& n) {
    const Node* labels = n.find_path({"spec", "template", "metadata", "labels"});
    const Node* own = n.find_path({"metadata", "labels"});
    if (!labels || labels->empty() || (own && !own->empty())) return;
    const Node copy = *labels;
    default_map(n, "metadata").set("labels", copy);
}

void job(Node& n) {
    Node& spec = default_map(n, "spec");
    if (!has(spec, "completions") && !has(spec, "parallelism")) spec.set("completions", Node::integer(1));
    default_int(spec, "parallelism", 1);
    default_int(spec, "backoffLimit", has(spec, "backoffLimitPerIndex") ? std::numeric_limits<std::int32_t>::max() : 6);
    labels_of_template(n);
    Node& again = n.get_or_insert("spec");
    default_text(again, "completionMode", "NonIndexed");
    default_bool(again, "suspend", false);
    default_text(again, "podReplacementPolicy", has(again, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
    default_bool(again, "manualSelector", false);
}

void cron_job(Node& n) {
    Node& spec = default_map(n, "spec");
    default_text(spec, "concurrencyPolicy", "Allow");
    default_bool(spec, "suspend", false);
    default_int(spec, "successfulJobsHistoryLimit", 3);
    default_int(spec, "failedJobsHistoryLimit", 1);
}

void replication_controller(Node& n) {
    Node& spec = default_map(n, "spec");
    default_int(spec, "replicas", 1);
    const Node* labels = spec.find_path({"template", "metadata", "labels"});
    if (labels && !labels->empty()) {
        const Node copy = *labels;
        const Node* selector = spec.find("selector");
        if (!selector || selector->empty()) spec.set("selector", copy);
    }
    labels_of_template(n);
}

Node policy(std::string_view type, std::int64_t value) {
    return Node::map({{"type", Node::string(type)}, {"value", Node::integer(value)}, {"periodSeconds", Node::integer(15)}});
}

void scaling_rules(Node& behavior, std::string_view key, Node policies, bool window) {
    Node& rules = default_map(behavior, key);
    default_text(rules, "selectPolicy", "Max");
    if (window) default_int(rules, "stabilizationWindowSeconds", 0);
    default_value(rules, "policies", std::move(policies));
}

void autoscaler(Node& n) {
    Node& spec = default_map(n, "spec");
    default_int(spec, "minReplicas", 1);
    const Node* metrics = spec.find("metrics");
    if (!metrics || metrics->empty()) {
        Node target = Node::map({{"type", Node::string("Utilization")}, {"averageUtilization", Node::integer(80)}});
        Node resource = Node::map({{"name", Node::string("cpu")}, {"target", std::move(target)}});
        spec.set("metrics", Node::list({Node::map({{"type", Node::string("Resource")}, {"resource", std::move(resource)}})}));
    }
    if (Node* behavior = spec.find_mut("behavior"); behavior && behavior->is_map()) {
        scaling_rules(*behavior, "scaleUp", Node::list({policy("Pods", 4), policy("Percent", 100)}), true);
        scaling_rules(*behavior, "scaleDown", Node::list({policy("Percent", 100)}), false);
    }
}

} // namespace

void add_workload_defaults(DefaultRules& rules) {
    rules["apps.v1.Deployment"] = deployment;
    rules["apps.v1.DaemonSet"] = daemon_set;
    rules["apps.v1.StatefulSet"] = stateful_set;
    rules["apps.v1.ReplicaSet"] = [](Node& n) { default_int(default_map(n, "spec"), "replicas", 1); };
    rules["core.v1.ReplicationController"] = replication_controller;
    rules["batch.v1.Job"] = job;
    rules["batch.v1.CronJob"] = cron_job;
    rules["batch.v1.PodFailurePolicyOnPodConditionsPattern"] = [](Node& n) { default_text(n, "status", "True"); };
    rules["autoscaling.v1.HorizontalPodAutoscaler"] = [](Node& n) {
        Node& spec = default_map(n, "spec");
        default_int(spec, "minReplicas", 1);
        if (!n.find_path({"metadata", "annotations", "autoscaling.alpha.kubernetes.io/metrics"})) default_int(spec, "targetCPUUtilizationPercentage", 80);
    };
    rules["autoscaling.v2.HorizontalPodAutoscaler"] = autoscaler;
}

} // namespace weber::kube::server
