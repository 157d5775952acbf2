// The numbers that controller-runtime and client-go's work queue give of each controller, with their names and labels (kustomization.md 8.3).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "agent/metrics.h"
#include "agent/work_queue.h"
#include "gitops/api/kustomization.h"
#include "gitops/reconcile/status.h"

namespace weber::agent {

// Thread-safe.
class ControllerMetrics {
public:
    // `controller`: kustomization; `kind`: Kustomization. `metrics` must outlive it.
    ControllerMetrics(Metrics& metrics, std::string controller, std::string kind);

    // From now on each exposition asks `queue`, and `idle` how many of those it has given out hold no worker (null: none). Both must live until the last one.
    void observe(WorkQueue& queue, std::size_t workers, std::function<std::size_t()> idle = {});
    // A run of `object` is over.
    void count(const gitops::NamespacedName& object, gitops::NextRun next, std::chrono::nanoseconds took);
    // A run ended by an exception.
    void count_panic();
    void forget(const gitops::NamespacedName& object); // it is gone

private:
    Metrics& metrics_;
    const std::string controller_, kind_;
};

} // namespace weber::agent
