#include "agent/controller_metrics.h"

#include <algorithm>

namespace weber::agent {

namespace {

constexpr const char* kDuration = "gotk_reconcile_duration_seconds";
// Evenly spaced on a logarithmic scale; to the last digit as Go computes them, since they are labels.
constexpr double kDurations[] = {0.01, 0.038363583488692544, 0.1471764538093883, 0.5646216173286169, 2.166090855590701, 8.309900738254731, 31.879757075478317, 122.30217221643493,
                                 469.19495946736544, 1799.9999999999986};

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

} // namespace

ControllerMetrics::ControllerMetrics(Metrics& metrics, std::string controller, std::string kind)
    : metrics_(metrics), controller_(std::move(controller)), kind_(std::move(kind)) {
    metrics_.define_histogram(kDuration, "The duration in seconds of a GitOps Toolkit resource reconciliation.", std::vector<double>(std::begin(kDurations), std::end(kDurations)));
    metrics_.define_counter("controller_runtime_reconcile_total", "Total number of reconciliations per controller");
    metrics_.define_counter("controller_runtime_reconcile_errors_total", "Total number of reconciliation errors per controller");
    metrics_.define_counter("controller_runtime_terminal_reconcile_errors_total", "Total number of terminal reconciliation errors per controller");
    metrics_.define_counter("controller_runtime_reconcile_panics_total", "Total number of reconciliation panics per controller");
    metrics_.define_counter("controller_runtime_reconcile_timeouts_total", "Total number of reconciliation timeouts per controller");
    metrics_.define_histogram("controller_runtime_reconcile_time_seconds", "Length of time per reconciliation per controller",
                              {0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6,
                               7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60});
    metrics_.define_gauge("controller_runtime_max_concurrent_reconciles", "Maximum number of concurrent reconciles per controller");
    metrics_.define_gauge("controller_runtime_active_workers", "Number of currently used workers per controller");
    metrics_.define_gauge("workqueue_depth", "Current depth of workqueue by workqueue and priority");
    metrics_.define_counter("workqueue_adds_total", "Total number of adds handled by workqueue");
    metrics_.define_counter("workqueue_retries_total", "Total number of items added to the workqueue with a non-zero delay (rate-limited requeues, explicit RequeueAfter or AddAfter calls)");
    std::vector<double> decades; // 10 ns to 1,000 s
    for (double bound = 10e-9; decades.size() < 12; bound *= 10) decades.push_back(bound);
    metrics_.define_histogram("workqueue_queue_duration_seconds", "How long in seconds an item stays in workqueue before being requested", decades);
    metrics_.define_histogram("workqueue_work_duration_seconds", "How long in seconds processing an item from workqueue takes.", decades);
    metrics_.define_gauge("workqueue_unfinished_work_seconds", "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the "
                          "number of stuck threads by observing the rate at which this increases.");
    metrics_.define_gauge("workqueue_longest_running_processor_seconds", "How many seconds has the longest running processor for workqueue been running.");
    // Rates need a beginning.
    for (const char* result : {"error", "requeue", "requeue_after", "success"})
        metrics_.add("controller_runtime_reconcile_total", {{"controller", controller_}, {"result", result}}, 0);
    for (const char* errors : {"controller_runtime_reconcile_errors_total", "controller_runtime_terminal_reconcile_errors_total", "controller_runtime_reconcile_panics_total",
                               "controller_runtime_reconcile_timeouts_total"}) // of the last there are none: a run has no time limit of its own
        metrics_.add(errors, {{"controller", controller_}}, 0);
}

void ControllerMetrics::observe(WorkQueue& queue, std::size_t workers, std::function<std::size_t()> idle) {
    const Labels labels{{"name", controller_}, {"controller", controller_}}, controller{{"controller", controller_}};
    queue.observe({.waited = [this, labels](std::chrono::nanoseconds d) { metrics_.observe("workqueue_queue_duration_seconds", seconds(d), labels); },
                   .worked = [this, labels](std::chrono::nanoseconds d) { metrics_.observe("workqueue_work_duration_seconds", seconds(d), labels); }});
    metrics_.before_scrape([&queue, labels, controller, workers, idle = std::move(idle)](Metrics& m) {
        const WorkQueue::Numbers n = queue.numbers();
        for (const auto& [priority, waiting] : {std::pair("0", n.ready - n.sweep), std::pair("-100", n.sweep)}) { // controller-runtime's: what is there at the start comes last
            Labels lane = labels;
            lane.emplace("priority", priority);
            m.set("workqueue_depth", static_cast<double>(waiting), lane);
        }
        m.set("workqueue_adds_total", static_cast<double>(n.adds), labels);
        m.set("workqueue_retries_total", static_cast<double>(n.retries), labels);
        m.set("workqueue_unfinished_work_seconds", seconds(n.unfinished), labels);
        m.set("workqueue_longest_running_processor_seconds", seconds(n.longest), labels);
        m.set("controller_runtime_active_workers", static_cast<double>(n.working - std::min(n.working, idle ? idle() : 0)), controller);
        m.set("controller_runtime_max_concurrent_reconciles", static_cast<double>(workers), controller);
    });
}

void ControllerMetrics::count(const gitops::NamespacedName& object, gitops::NextRun next, std::chrono::nanoseconds took) {
    using gitops::NextRun;
    const Labels controller{{"controller", controller_}};
    const bool failed = next == NextRun::backoff || next == NextRun::terminal;
    metrics_.add("controller_runtime_reconcile_total", {{"controller", controller_}, {"result", failed ? "error" : next == NextRun::none ? "success" : "requeue_after"}});
    if (failed) metrics_.add("controller_runtime_reconcile_errors_total", controller);
    if (next == NextRun::terminal) metrics_.add("controller_runtime_terminal_reconcile_errors_total", controller);
    metrics_.observe("controller_runtime_reconcile_time_seconds", seconds(took), controller);
    metrics_.observe(kDuration, seconds(took), {{"kind", kind_}, {"name", object.name}, {"namespace", object.ns}});
}

void ControllerMetrics::count_panic() {
    metrics_.add("controller_runtime_reconcile_total", {{"controller", controller_}, {"result", "error"}});
    for (const char* counter : {"controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_panics_total"}) metrics_.add(counter, {{"controller", controller_}});
}

void ControllerMetrics::forget(const gitops::NamespacedName& object) { metrics_.forget(kDuration, {{"kind", kind_}, {"name", object.name}, {"namespace", object.ns}}); }

} // namespace weber::agent
