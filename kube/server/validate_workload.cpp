#include <algorithm>
#include <map>

#include "kube/server/object_meta.h"
#include "kube/server/quantity.h"
#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

const Node& spec_of(const Node& obj) { return child(obj, "spec"); }

void check_selector(Problems& p, const Node& spec, std::string_view kind) {
    const Node* selector = spec.find("selector");
    if (!selector || !selector->is_map()) return p.required("spec.selector");
    check_label_selector(p, "spec.selector", selector);
    if (child(*selector, "matchLabels").empty() && child(*selector, "matchExpressions").empty())
        p.invalid("spec.selector", *selector, "empty selector is invalid for " + std::string(kind));
}

bool is_empty_selector(const Node* s) {
    return s && s->is_map() && child(*s, "matchLabels").empty() && child(*s, "matchExpressions").empty();
}

// Go prints maps by key.
Node sorted(Node map) {
    map.sort_keys();
    return map;
}

Node sorted_selector(Node selector) {
    if (Node* labels = selector.find_mut("matchLabels"); labels && labels->is_map()) labels->sort_keys();
    return selector;
}

// Null labels are shown as null, as Go does.
void check_selected(Problems& p, const Node& spec, bool empty_is_fine) {
    const Node* selector = spec.find("selector");
    if (!selector_readable(selector)) return;
    if (empty_is_fine && is_empty_selector(selector)) return;
    const Node* labels = child(child(spec, "template"), "metadata").find("labels");
    if (!selector_matches(selector, labels))
        p.invalid("spec.template.metadata.labels", labels ? sorted(*labels) : Node(), "`selector` does not match template `labels`");
}

void always_restarts(Problems& p, const Node& spec, std::string_view kind) {
    const Node& pod = child(child(spec, "template"), "spec");
    if (pod.text_at("restartPolicy") != "Always")
        p.not_supported("spec.template.spec.restartPolicy", Node::string(pod.text_at("restartPolicy")), {"Always"});
    if (pod.contains("activeDeadlineSeconds"))
        p.forbidden("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
}

bool is_percent(std::string_view text) {
    if (text.size() < 2 || text.back() != '%') return false;
    for (const char c : text.substr(0, text.size() - 1))
        if (c < '0' || c > '9') return false;
    return true;
}

std::int64_t int_or_percent(const Node* n) {
    if (!n) return 0;
    if (!n->is_string()) return n->as_int().value_or(0);
    return is_percent(n->text()) ? std::strtoll(std::string(n->text()).c_str(), nullptr, 10) : 0;
}

} // namespace

// Shared with PodDisruptionBudget.
void check_int_or_percent(Problems& p, const std::string& path, const Node* n) {
    if (!n || n->is_null()) return;
    if (!n->is_string()) return p.nonnegative(path, n);
    if (!is_percent(n->text()))
        p.invalid(path, *n,
                  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
}

void check_at_most_100_percent(Problems& p, const std::string& path, const Node* n) {
    if (n && n->is_string() && is_percent(n->text()) && int_or_percent(n) > 100) p.invalid(path, *n, "must not be greater than 100%");
}

namespace {

void check_replicated(Problems& p, const Node& spec, std::string_view kind) {
    p.nonnegative("spec.replicas", spec.find("replicas"));
    check_selector(p, spec, kind);
    if (!selector_readable(spec.find("selector"))) return p.invalid("spec.selector", child(spec, "selector"), "invalid label selector");
    check_selected(p, spec, true);
    check_pod_template(p, "spec.template", child(spec, "template"));
    always_restarts(p, spec, "ReplicaSet");
}

// The real server shows its internal form of a value that it refuses as a whole.
Node internal_strategy(const Node& strategy) {
    return Node::map({{"Type", child(strategy, "type")}, {"RollingUpdate", child(strategy, "rollingUpdate")}});
}

using Fields = std::initializer_list<const char*>;

// `counts`: none below zero; `parts`: none above "replicas".
void replica_status(Problems& p, const Node& status, const Node& before, Fields counts, Fields parts, const char* ready = "readyReplicas") {
    const auto count = [&](const Node& s, std::string_view field) { return child(s, field).as_int().value_or(0); };
    for (const auto field : counts) p.nonnegative(std::string("status.") + field, status.find(field));
    for (const auto field : parts)
        if (count(status, field) > count(status, "replicas"))
            p.invalid(std::string("status.") + field, Node::integer(count(status, field)), "cannot be greater than status.replicas");
    if (count(status, "availableReplicas") > count(status, "readyReplicas"))
        p.invalid("status.availableReplicas", Node::integer(count(status, "availableReplicas")), std::string("cannot be greater than ") + ready);
    if (count(status, "collisionCount") < count(before, "collisionCount"))
        p.invalid("status.collisionCount", Node::integer(count(status, "collisionCount")), "cannot be decremented");
}

// A write of the status changes nothing else; false: this one is none.
bool only_status(const Node& obj, const Node& live) { return !live.is_null() && !(child(obj, "status") == child(live, "status")); }

void deployment(Problems& p, const Node& obj, const Node& live) {
    if (only_status(obj, live))
        return replica_status(p, child(obj, "status"), child(live, "status"),
                              {"observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"},
                              {"updatedReplicas", "readyReplicas", "availableReplicas"});
    const Node& spec = spec_of(obj);
    check_replicated(p, spec, "deployment");
    const Node& strategy = child(spec, "strategy");
    const auto type = strategy.text_at("type");
    const std::string path = "spec.strategy.rollingUpdate";
    if (type == "Recreate") {
        if (strategy.contains("rollingUpdate")) p.forbidden(path, "may not be specified when strategy `type` is 'Recreate'");
    } else if (type == "RollingUpdate") {
        const Node& rolling = child(strategy, "rollingUpdate");
        const Node *unavailable = rolling.find("maxUnavailable"), *surge = rolling.find("maxSurge");
        check_int_or_percent(p, path + ".maxUnavailable", unavailable);
        check_int_or_percent(p, path + ".maxSurge", surge);
        if (int_or_percent(unavailable) == 0 && int_or_percent(surge) == 0)
            p.invalid(path + ".maxUnavailable", unavailable ? *unavailable : Node(), "may not be 0 when `maxSurge` is 0");
        check_at_most_100_percent(p, path + ".maxUnavailable", unavailable);
    } else {
        p.not_supported("spec.strategy", internal_strategy(strategy), {"Recreate", "RollingUpdate"});
    }
    p.nonnegative("spec.minReadySeconds", spec.find("minReadySeconds"));
    p.nonnegative("spec.revisionHistoryLimit", spec.find("revisionHistoryLimit"));
    if (const Node* deadline = spec.find("progressDeadlineSeconds")) {
        p.nonnegative("spec.progressDeadlineSeconds", deadline);
        const Node* ready = spec.find("minReadySeconds");
        if (deadline->as_int().value_or(0) <= (ready ? ready->as_int().value_or(0) : 0))
            p.invalid("spec.progressDeadlineSeconds", *deadline, "must be greater than minReadySeconds");
    }
    if (!live.is_null()) p.immutable("spec.selector", spec.find("selector"), spec_of(live).find("selector"));
}

void replica_set(Problems& p, const Node& obj, const Node& live) {
    if (only_status(obj, live))
        return replica_status(p, child(obj, "status"), child(live, "status"), {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration", "terminatingReplicas"},
                              {"fullyLabeledReplicas", "readyReplicas", "availableReplicas"});
    const Node& spec = spec_of(obj);
    check_replicated(p, spec, "deployment");
    p.nonnegative("spec.minReadySeconds", spec.find("minReadySeconds"));
    if (!live.is_null()) p.immutable("spec.selector", spec.find("selector"), spec_of(live).find("selector"));
}

void daemon_set(Problems& p, const Node& obj, const Node& live) {
    const Node& spec = spec_of(obj);
    const Node* selector = spec.find("selector");
    check_label_selector(p, "spec.selector", selector);
    check_selected(p, spec, false);
    if (is_empty_selector(selector)) p.invalid("spec.selector", *selector, "empty selector is invalid for daemonset");
    check_pod_template(p, "spec.template", child(spec, "template"));
    always_restarts(p, spec, "DaemonSet");
    p.nonnegative("spec.minReadySeconds", spec.find("minReadySeconds"));
    p.one_of("spec.updateStrategy.type", child(spec, "updateStrategy").text_at("type"), {"RollingUpdate", "OnDelete"});
    p.nonnegative("spec.revisionHistoryLimit", spec.find("revisionHistoryLimit"));
    if (!live.is_null()) p.immutable("spec.selector", selector, spec_of(live).find("selector"));
}

void stateful_set(Problems& p, const Node& obj, const Node& live) {
    if (only_status(obj, live))
        return replica_status(p, child(obj, "status"), child(live, "status"),
                              {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount"},
                              {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"}, "status.readyReplicas");
    const Node& spec = spec_of(obj);
    if (const auto policy = spec.text_at("podManagementPolicy"); policy != "OrderedReady" && policy != "Parallel")
        p.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
    const Node& strategy = child(spec, "updateStrategy");
    const auto type = strategy.text_at("type");
    if (type == "OnDelete" && strategy.contains("rollingUpdate"))
        p.invalid("spec.updateStrategy.rollingUpdate",
                  Node::map({{"Partition", child(child(strategy, "rollingUpdate"), "partition")},
                             {"MaxUnavailable", child(child(strategy, "rollingUpdate"), "maxUnavailable")}}),
                  "only allowed for updateStrategy 'RollingUpdate'");
    if (type != "OnDelete" && type != "RollingUpdate")
        p.invalid("spec.updateStrategy", internal_strategy(strategy), "must be 'RollingUpdate' or 'OnDelete'");
    if (type == "RollingUpdate") p.nonnegative("spec.updateStrategy.rollingUpdate.partition", child(strategy, "rollingUpdate").find("partition"));
    std::vector<std::string> volumes;
    for (const Node& claim : child(spec, "volumeClaimTemplates").items()) volumes.emplace_back(child(claim, "metadata").text_at("name"));
    p.nonnegative("spec.replicas", spec.find("replicas"));
    p.nonnegative("spec.minReadySeconds", spec.find("minReadySeconds"));
    if (const auto name = spec.text_at("serviceName"); live.is_null() && !name.empty()) p.invalid_all("spec.serviceName", name, dns_label(name));
    check_selector(p, spec, "statefulset");
    check_selected(p, spec, true);
    check_pod_template(p, "spec.template", child(spec, "template"), volumes);
    always_restarts(p, spec, "StatefulSet");
    if (live.is_null()) return;
    Node now = spec, before = spec_of(live);
    for (const auto field : {"replicas", "template", "updateStrategy", "minReadySeconds", "ordinals", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy"}) {
        now.erase(field);
        before.erase(field);
    }
    if (!(now == before))
        p.forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void check_job_spec(Problems& p, const std::string& path, const Node& spec) {
    for (const auto field : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex"})
        p.nonnegative(path + "." + field, spec.find(field));
    const auto mode = spec.text_at("completionMode");
    if (!mode.empty()) p.one_of(path + ".completionMode", mode, {"NonIndexed", "Indexed"});
    if (mode == "Indexed" && !spec.contains("completions")) p.required(path + ".completions", "when completion mode is Indexed");
    check_pod_template(p, path + ".template", child(spec, "template"));
    const auto restart = child(child(spec, "template"), "spec").text_at("restartPolicy");
    if (restart.empty() || restart == "Always")
        p.required(path + ".template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    else if (restart != "OnFailure" && restart != "Never")
        p.not_supported(path + ".template.spec.restartPolicy", Node::string(restart), {"OnFailure", "Never"});
}

// A selector that the server makes selects by the Job's name and uid, and by nothing else.
void check_generated_selector(Problems& p, const Node& obj, const Node& selector) {
    const Node* manual = spec_of(obj).find("manualSelector");
    if (manual && manual->as_bool()) return;
    const Node name = Node::string(meta_text(obj, "name")), uid = Node::string(meta_text(obj, "uid"));
    const Node expected = Node::map({{"controller-uid", uid}, {"batch.kubernetes.io/controller-uid", uid}, {"job-name", name}, {"batch.kubernetes.io/job-name", name}});
    if (!selector_matches(&selector, &expected)) p.invalid("spec.selector", sorted_selector(selector), "`selector` not auto-generated");
}

void check_job(Problems& p, const Node& spec) {
    check_job_spec(p, "spec", spec);
    const Node* selector = spec.find("selector");
    if (!selector)
        p.required("spec.selector");
    else
        check_label_selector(p, "spec.selector", selector);
    check_selected(p, spec, false);
}

void job(Problems& p, const Node& obj, const Node& live) {
    const Node& spec = spec_of(obj);
    const Node* selector = spec.find("selector");
    if (selector && selector_readable(selector)) check_generated_selector(p, obj, *selector);
    check_job(p, spec);
    if (live.is_null()) return;
    check_job(p, spec); // the real server looks at a changed Job as if it were new, too, and tells all twice
    const Node& before = spec_of(live);
    const Node* mode = spec.find("completionMode");
    const Node *completions = spec.find("completions"), *parallelism = spec.find("parallelism");
    if (!mode || mode->text() != "Indexed")
        p.immutable("spec.completions", completions, before.find("completions"));
    else if (completions && !same_meaning(completions, before.find("completions")) && !(parallelism && *completions == *parallelism))
        p.invalid("spec.completions", *completions, "can only be modified in tandem with spec.parallelism");
    const Node shown = selector ? sorted_selector(*selector) : Node();
    p.immutable("spec.selector", selector ? &shown : nullptr, before.find("selector"));
    const Node* suspend = before.find("suspend");
    if (!(suspend && suspend->as_bool())) p.immutable("spec.template", spec.find("template"), before.find("template"));
    for (const auto field : {"completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"})
        p.immutable(std::string("spec.") + field, spec.find(field), before.find(field));
}

// Five fields or a @word; what each field may hold is the scheduler's business.
bool is_schedule(std::string_view text) {
    if (text.starts_with('@'))
        return text.starts_with("@every ") || text == "@yearly" || text == "@annually" || text == "@monthly" || text == "@weekly" || text == "@daily" ||
               text == "@midnight" || text == "@hourly";
    int fields = 0;
    bool inside = false;
    for (const char c : text) {
        if (c != ' ' && !inside) ++fields;
        inside = c != ' ';
    }
    return fields == 5;
}

void cron_job(Problems& p, const Node& obj, const Node&) {
    const Node& spec = spec_of(obj);
    const auto schedule = spec.text_at("schedule");
    if (schedule.empty()) {
        p.required("spec.schedule");
    } else if (!is_schedule(schedule)) {
        int fields = 0;
        std::string shown;
        bool inside = false;
        for (const char c : schedule) {
            if (c != ' ' && !inside) {
                ++fields;
                if (!shown.empty()) shown += ' ';
            }
            if (c != ' ') shown += c;
            inside = c != ' ';
        }
        p.invalid("spec.schedule", schedule,
                  schedule.starts_with('@') ? "unrecognized descriptor: " + std::string(schedule)
                                            : "expected exactly 5 fields, found " + std::to_string(fields) + ": [" + shown + "]");
    }
    p.nonnegative("spec.startingDeadlineSeconds", spec.find("startingDeadlineSeconds"));
    p.one_of("spec.concurrencyPolicy", spec.text_at("concurrencyPolicy"), {"Allow", "Forbid", "Replace"});
    check_job_spec(p, "spec.jobTemplate.spec", child(child(spec, "jobTemplate"), "spec"));
    p.nonnegative("spec.successfulJobsHistoryLimit", spec.find("successfulJobsHistoryLimit"));
    p.nonnegative("spec.failedJobsHistoryLimit", spec.find("failedJobsHistoryLimit"));
}

// A deadline may be set and become shorter. False: nothing more is to be said about the pod.
bool check_deadline(Problems& p, const Node& now, const Node& before) {
    const std::string path = "spec.activeDeadlineSeconds";
    if (now.is_null() && !before.is_null()) p.invalid(path, now, "must not update from a positive integer to nil value");
    if (now.is_null()) return true;
    const auto seconds = now.as_int().value_or(0);
    if (seconds < 0 || seconds > INT32_MAX) {
        p.invalid(path, now, "must be between 0 and 2147483647, inclusive");
        return false;
    }
    if (before.is_null() || before.as_int().value_or(0) >= seconds) return true;
    p.invalid(path, now, "must be less than or equal to previous value");
    return false;
}

// Those that were there stay, their tolerationSeconds aside.
void check_old_tolerations(Problems& p, const Node& now, const Node& before) {
    const auto timeless = [](Node t) {
        t.erase("tolerationSeconds");
        return t;
    };
    for (const Node& old : before.items())
        if (std::none_of(now.items().begin(), now.items().end(), [&](const Node& t) { return timeless(t) == timeless(old); }))
            return p.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
}

void check_image_blanks(Problems& p, const std::string& path, const Node& container) {
    const auto image = container.text_at("image");
    constexpr std::string_view kBlanks = " \t\r\n\v\f";
    if (!image.empty() && (kBlanks.find(image.front()) != std::string_view::npos || kBlanks.find(image.back()) != std::string_view::npos))
        p.invalid(path + ".image", image, "must not have leading or trailing whitespace");
}

void pod(Problems& p, const Node& obj, const Node& live) {
    check_pod_spec(p, "spec", spec_of(obj));
    for (const std::string list : {"containers", "initContainers"}) // templates may have them
        for (std::size_t i = 0; i < child(spec_of(obj), list).size(); ++i) check_image_blanks(p, at("spec." + list, i), child(spec_of(obj), list).items()[i]);
    if (live.is_null()) return;
    for (const std::string list : {"containers", "initContainers"}) {
        const Node& containers = child(spec_of(obj), list);
        if (containers.size() != child(spec_of(live), list).size()) return p.forbidden("spec." + list, "pod updates may not add or remove containers");
        for (std::size_t i = 0; i < containers.size(); ++i) {
            if (containers.items()[i].text_at("image").empty()) p.required(at("spec." + list, i) + ".image"); // what was said already is said again
            check_image_blanks(p, at("spec." + list, i), containers.items()[i]);
        }
    }
    if (!check_deadline(p, child(spec_of(obj), "activeDeadlineSeconds"), child(spec_of(live), "activeDeadlineSeconds"))) return;
    check_old_tolerations(p, child(spec_of(obj), "tolerations"), child(spec_of(live), "tolerations"));
    // Images, deadlines and added tolerations may change; nothing else.
    Node now = spec_of(obj), before = spec_of(live);
    for (Node* n : {&now, &before}) {
        for (const auto field : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) n->erase(field);
        for (const auto list : {"containers", "initContainers"})
            if (Node* containers = n->find_mut(list); containers && containers->is_list())
                for (Node& c : containers->items_mut()) c.erase("image");
    }
    const auto grace = [](const Node& spec) { return child(spec, "terminationGracePeriodSeconds").as_int().value_or(0); };
    if (grace(before) < 0 && grace(now) == 1) now.set("terminationGracePeriodSeconds", Node::integer(grace(before)));
    if (!(now == before))
        p.forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
}

void controller_revision(Problems& p, const Node& obj, const Node& live) {
    p.nonnegative("revision", obj.find("revision"));
    const Node* data = obj.find("data");
    if (!live.is_null())
        p.immutable("data", data, live.find("data"));
    else if (!data || data->is_null())
        p.required("data", "data is mandatory");
    else if (!data->is_map())
        p.required("data", "data must be a valid JSON object");
}

} // namespace

KindRule workload_rule(std::string_view id) {
    static const std::map<std::string_view, KindRule> kRules{{"apps/deployments", deployment},   {"apps/replicasets", replica_set},
                                                             {"apps/daemonsets", daemon_set},    {"apps/statefulsets", stateful_set},
                                                             {"batch/jobs", job},                {"batch/cronjobs", cron_job},
                                                             {"/pods", pod},                     {"apps/controllerrevisions", controller_revision}};
    const auto it = kRules.find(id);
    return it == kRules.end() ? nullptr : it->second;
}

} // namespace weber::kube::server
