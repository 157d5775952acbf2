// Rows of pods and of what makes pods.
#include <algorithm>
#include <optional>

#include "kube/base/ascii.h"
#include "kube/base/join.h"
#include "kube/server/object_meta.h"
#include "kube/server/table.h"
#include "kube/server/table_rows.h"

namespace weber::kube::server {
namespace {

std::string names_of(std::span<const Node> containers, std::string_view field) {
    std::vector<std::string> out;
    for (const Node& c : containers) out.emplace_back(c.text_at(field));
    return join(out, ",");
}

// "Containers" and "Images".
void add_containers(Node& cells, std::span<const Node> containers) {
    cells.push_back(cell(names_of(containers, "name")));
    cells.push_back(cell(names_of(containers, "image")));
}
std::span<const Node> template_containers(const Row& r) { return r.items({"spec", "template", "spec", "containers"}); }

struct Terminated {
    const Node* state = nullptr; // null: it has not
    [[nodiscard]] explicit operator bool() const { return state != nullptr; }
    [[nodiscard]] std::int64_t number(std::string_view field) const {
        const Node* n = state->find(field);
        return n ? n->as_int().value_or(0) : 0;
    }
    // "Error", "Signal:9", "ExitCode:1".
    [[nodiscard]] std::string reason() const {
        if (const auto text = state->text_at("reason"); !text.empty()) return std::string(text);
        if (const auto signal = number("signal")) return "Signal:" + std::to_string(signal);
        return "ExitCode:" + std::to_string(number("exitCode"));
    }
};

bool truthy(const Node& n, std::string_view field) {
    const Node* value = n.find(field);
    return value && value->as_bool();
}

// What a pod's containers come to.
class PodSummary {
public:
    explicit PodSummary(const Row& r) : r_(r) {
        phase_ = r.text({"status", "phase"});
        reason_ = r.text({"status", "reason"}, phase_);
        if (const Node* c = r.condition("PodScheduled"); c && c->text_at("reason") == "SchedulingGated") reason_ = "SchedulingGated";
        total_ = r.size({"spec", "containers"});
        for (const Node& c : r.items({"spec", "initContainers"})) total_ += is_sidecar(c);
        const bool initializing = !init_containers_done();
        const Node* initialized = r.condition("Initialized");
        if (!initializing || (initialized && initialized->text_at("status") == "True")) containers();
        if (is_deleting(r.o)) deleting();
    }

    [[nodiscard]] std::string ready() const { return std::to_string(ready_) + "/" + std::to_string(total_); }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] std::string restarts() const {
        const std::string count = std::to_string(all_.count);
        return all_.count != 0 && !all_.last.empty() ? count + " (" + r_.since(all_.last) + " ago)" : count;
    }

private:
    struct Restarts {
        std::int64_t count = 0;
        std::string last; // RFC 3339 in UTC, so that texts compare as times
        void add(const Node& status) {
            if (const Node* n = status.find("restartCount")) count += n->as_int().value_or(0);
            if (const Node* t = status.find_path({"lastState", "terminated"})) last = std::max(last, std::string(t->text_at("finishedAt")));
        }
    };

    static bool is_sidecar(const Node& container) { return container.text_at("restartPolicy") == "Always"; }
    static Terminated terminated(const Node& status) { return {status.find_path({"state", "terminated"})}; }
    [[nodiscard]] bool is_sidecar_status(const Node& status) const {
        for (const Node& c : r_.items({"spec", "initContainers"}))
            if (c.text_at("name") == status.text_at("name")) return is_sidecar(c);
        return false;
    }

    bool init_containers_done() {
        std::size_t index = 0;
        for (const Node& status : r_.items({"status", "initContainerStatuses"})) {
            all_.add(status);
            const bool sidecar = is_sidecar_status(status);
            if (sidecar) sidecars_.add(status);
            const Terminated end = terminated(status);
            const Node* waiting = status.find_path({"state", "waiting"});
            const std::string why(waiting ? waiting->text_at("reason") : "");
            if (end && end.number("exitCode") == 0) {
            } else if (sidecar && truthy(status, "started")) {
                ready_ += truthy(status, "ready");
            } else {
                if (end)
                    reason_ = "Init:" + end.reason();
                else if (!why.empty() && why != "PodInitializing")
                    reason_ = "Init:" + why;
                else
                    reason_ = "Init:" + std::to_string(index) + "/" + std::to_string(r_.size({"spec", "initContainers"}));
                return false;
            }
            ++index;
        }
        return true;
    }

    void containers() {
        all_ = sidecars_;
        bool running = false;
        std::string error;
        const auto statuses = r_.items({"status", "containerStatuses"});
        for (std::size_t n = statuses.size(); n-- > 0;) { // the first container has the last word
            const Node& status = statuses[n];
            all_.add(status);
            const Node* waiting = status.find_path({"state", "waiting"});
            if (waiting && !waiting->text_at("reason").empty()) {
                reason_ = waiting->text_at("reason");
            } else if (const Terminated end = terminated(status)) {
                reason_ = end.reason();
                if (end.number("exitCode") != 0) error = reason_;
            } else if (truthy(status, "ready") && status.find_path({"state", "running"})) {
                running = true;
                ++ready_;
            }
        }
        if (reason_ != "Completed") return;
        const Node* ready = r_.condition("Ready");
        if (running && ready && ready->text_at("status") == "True")
            reason_ = "Running";
        else if (!error.empty())
            reason_ = error;
        else if (running)
            reason_ = "NotReady";
    }

    void deleting() {
        if (r_.text({"status", "reason"}) == "NodeLost")
            reason_ = "Unknown";
        else if (phase_ != "Succeeded" && phase_ != "Failed")
            reason_ = "Terminating";
    }

    const Row& r_;
    std::string phase_, reason_;
    std::int64_t ready_ = 0, total_ = 0;
    Restarts all_, sidecars_;
};

std::string readiness_gates(const Row& r) {
    const auto gates = r.items({"spec", "readinessGates"});
    if (gates.empty()) return "<none>";
    const auto met = std::count_if(gates.begin(), gates.end(), [&](const Node& gate) {
        const Node* c = r.condition(gate.text_at("conditionType"));
        return c && c->text_at("status") == "True";
    });
    return std::to_string(met) + "/" + std::to_string(gates.size());
}

Node pod(const Row& r) {
    const PodSummary summary(r);
    const auto ips = r.items({"status", "podIPs"});
    const std::string ip(ips.empty() ? "" : ips[0].text_at("ip"));
    return Node::list({name_cell(r), cell(summary.ready()), cell(summary.reason()), cell(summary.restarts()), age_cell(r), cell(ip.empty() ? "<none>" : ip),
                       cell(r.text({"spec", "nodeName"}, "<none>")), cell(r.text({"status", "nominatedNodeName"}, "<none>")), cell(readiness_gates(r))});
}

Node pod_template(const Row& r) {
    Node cells = Node::list({name_cell(r)});
    add_containers(cells, r.items({"template", "spec", "containers"}));
    cells.push_back(cell(format_labels(r.o.find_path({"template", "metadata", "labels"}))));
    return cells;
}

std::string ready_of(const Row& r) { return std::to_string(r.number({"status", "readyReplicas"})) + "/" + std::to_string(r.number({"spec", "replicas"})); }

Node deployment(const Row& r) {
    Node cells = Node::list({name_cell(r), cell(ready_of(r)), cell(r.number({"status", "updatedReplicas"})), cell(r.number({"status", "availableReplicas"})), age_cell(r)});
    add_containers(cells, template_containers(r));
    const std::string selector = format_label_selector(r.o.find_path({"spec", "selector"}));
    cells.push_back(cell(selector == "<none>" ? "" : selector));
    return cells;
}

Node replicas(const Row& r) {
    Node cells = Node::list({name_cell(r), cell(r.number({"spec", "replicas"})), cell(r.number({"status", "replicas"})), cell(r.number({"status", "readyReplicas"})), age_cell(r)});
    add_containers(cells, template_containers(r));
    return cells;
}

Node replica_set(const Row& r) {
    Node cells = replicas(r);
    cells.push_back(cell(format_label_selector(r.o.find_path({"spec", "selector"}))));
    return cells;
}

Node replication_controller(const Row& r) {
    Node cells = replicas(r);
    cells.push_back(cell(format_labels(r.o.find_path({"spec", "selector"}))));
    return cells;
}

Node stateful_set(const Row& r) {
    Node cells = Node::list({name_cell(r), cell(ready_of(r)), age_cell(r)});
    add_containers(cells, template_containers(r));
    return cells;
}

Node daemon_set(const Row& r) {
    Node cells = Node::list({name_cell(r)});
    for (const auto field : {"desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable"})
        cells.push_back(cell(r.number({"status", field})));
    cells.push_back(cell(format_labels(r.o.find_path({"spec", "template", "spec", "nodeSelector"}))));
    cells.push_back(age_cell(r));
    add_containers(cells, template_containers(r));
    cells.push_back(cell(format_label_selector(r.o.find_path({"spec", "selector"}))));
    return cells;
}

std::string job_status(const Row& r) {
    const auto is = [&](std::string_view type) {
        const Node* c = r.condition(type);
        return c && c->text_at("status") == "True";
    };
    for (const auto type : {"Complete", "Failed"})
        if (is(type)) return type;
    if (is_deleting(r.o)) return "Terminating";
    for (const auto type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"})
        if (is(type)) return type;
    return "Running";
}

std::string job_completions(const Row& r) {
    const std::string done = std::to_string(r.number({"status", "succeeded"})) + "/";
    if (r.o.find_path({"spec", "completions"})) return done + std::to_string(r.number({"spec", "completions"}));
    const std::int64_t parallelism = r.number({"spec", "parallelism"});
    return done + (parallelism > 1 ? "1 of " + std::to_string(parallelism) : "1");
}

std::string job_duration(const Row& r) {
    const auto start = parse_rfc3339(r.text({"status", "startTime"})), end = parse_rfc3339(r.text({"status", "completionTime"}));
    if (!start) return "";
    return human_duration(std::chrono::duration_cast<std::chrono::seconds>(end.value_or(r.now) - *start));
}

Node job(const Row& r) {
    Node cells = Node::list({name_cell(r), cell(job_status(r)), cell(job_completions(r)), cell(job_duration(r)), age_cell(r)});
    add_containers(cells, template_containers(r));
    cells.push_back(cell(format_label_selector(r.o.find_path({"spec", "selector"}))));
    return cells;
}

Node cron_job(const Row& r) {
    const std::string last = r.text({"status", "lastScheduleTime"});
    const Node* suspend = r.o.find_path({"spec", "suspend"});
    Node cells = Node::list({name_cell(r), cell(r.text({"spec", "schedule"})), cell(r.text({"spec", "timeZone"}, "<none>")),
                             cell(!suspend ? "<unset>" : suspend->as_bool() ? "True" : "False"), cell(r.size({"status", "active"})),
                             cell(last.empty() ? "<none>" : r.since(last)), age_cell(r)});
    add_containers(cells, r.items({"spec", "jobTemplate", "spec", "template", "spec", "containers"}));
    cells.push_back(cell(format_label_selector(r.o.find_path({"spec", "jobTemplate", "spec", "selector"}))));
    return cells;
}

Node controller_revision(const Row& r) {
    std::string controller = "<none>";
    for (const Node& owner : r.items({"metadata", "ownerReferences"})) {
        if (!truthy(owner, "controller")) continue;
        const std::string_view version = owner.text_at("apiVersion");
        const auto slash = version.find('/');
        std::string kind(owner.text_at("kind"));
        if (slash != std::string_view::npos && slash > 0) kind += "." + std::string(version.substr(0, slash));
        controller = ascii_lower(kind) + "/" + std::string(owner.text_at("name"));
        break;
    }
    return Node::list({name_cell(r), cell(controller), cell(r.number({"revision"})), age_cell(r)});
}

Node disruption_budget(const Row& r) {
    return Node::list({name_cell(r), cell(r.text({"spec", "minAvailable"}, "N/A")), cell(r.text({"spec", "maxUnavailable"}, "N/A")),
                       cell(r.number({"status", "disruptionsAllowed"})), age_cell(r)});
}

// One metric of a HorizontalPodAutoscaler, "current/target".
std::string metric_text(const Node& spec, const Node* status) {
    struct Source {
        std::string_view type, field;
        bool resource; // has a name, and utilization in percent
    };
    constexpr Source kSources[] = {{"External", "external", false}, {"Pods", "pods", false}, {"Object", "object", false},
                                   {"Resource", "resource", true}, {"ContainerResource", "containerResource", true}};
    const auto* source = std::find_if(std::begin(kSources), std::end(kSources), [&](const Source& s) { return s.type == spec.text_at("type"); });
    const Node* wanted = source == std::end(kSources) ? nullptr : spec.find(source->field);
    if (!wanted) return "<unknown type>";
    const Node* current = status ? status->find_path({source->field, "current"}) : nullptr;
    const auto text = [](const Node* n, std::string_view field) -> std::optional<std::string> {
        const Node* value = n ? n->find(field) : nullptr;
        return value ? std::optional(std::string(value->text())) : std::nullopt;
    };
    const Node* target = wanted->find("target");
    const std::string name = source->resource ? std::string(wanted->text_at("name")) + ": " : "";
    if (const auto average = text(target, "averageValue"))
        return name + text(current, "averageValue").value_or("<unknown>") + "/" + *average + (source->resource || source->type == "Pods" ? "" : " (avg)");
    if (!source->resource) return text(current, "value").value_or("<unknown>") + "/" + text(target, "value").value_or("0");
    const auto percent = [&](const Node* n, std::string_view none) {
        const auto value = text(n, "averageUtilization");
        return value ? *value + "%" : std::string(none);
    };
    return name + percent(current, "<unknown>") + "/" + percent(target, "<auto>");
}

std::string metrics_text(const Row& r) {
    const auto specs = r.items({"spec", "metrics"}), statuses = r.items({"status", "currentMetrics"});
    if (specs.empty()) return "<none>";
    std::vector<std::string> all;
    for (std::size_t n = 0; n < specs.size(); ++n) all.push_back(metric_text(specs[n], n < statuses.size() ? &statuses[n] : nullptr));
    constexpr std::size_t kShown = 2;
    if (all.size() <= kShown) return join(all, ", ");
    return all[0] + ", " + all[1] + " + " + std::to_string(all.size() - kShown) + " more...";
}

Node autoscaler(const Row& r) {
    return Node::list({name_cell(r), cell(r.text({"spec", "scaleTargetRef", "kind"}) + "/" + r.text({"spec", "scaleTargetRef", "name"})), cell(metrics_text(r)),
                       cell(r.text({"spec", "minReplicas"}, "<unset>")), cell(r.number({"spec", "maxReplicas"})), cell(r.number({"status", "currentReplicas"})), age_cell(r)});
}

Node priority_class(const Row& r) {
    return Node::list({name_cell(r), cell(r.number({"value"})), Node::boolean(r.flag({"globalDefault"})), age_cell(r), cell(r.text({"preemptionPolicy"}))});
}

Node scale(const Row& r) { return Node::list({name_cell(r), cell(r.number({"spec", "replicas"})), cell(r.number({"status", "replicas"})), age_cell(r)}); }

} // namespace

std::span<const Printer> workload_printers() {
    static constexpr Printer kPrinters[] = {
        {"/pods", pod},
        {"/podtemplates", pod_template},
        {"/replicationcontrollers", replication_controller},
        {"apps/controllerrevisions", controller_revision},
        {"apps/daemonsets", daemon_set},
        {"apps/deployments", deployment},
        {"apps/replicasets", replica_set},
        {"apps/statefulsets", stateful_set},
        {"autoscaling/horizontalpodautoscalers", autoscaler},
        {"autoscaling/scales", scale},
        {"batch/cronjobs", cron_job},
        {"batch/jobs", job},
        {"policy/poddisruptionbudgets", disruption_budget},
        {"scheduling.k8s.io/priorityclasses", priority_class},
    };
    return kPrinters;
}

} // namespace weber::kube::server
