#include "gitops/reconcile/finalize.h"

#include "gitops/reconcile/prune.h"

namespace weber::gitops {

namespace {

std::string lines_of(const ChangeSet& pruned) {
    std::string out;
    for (const Change& c : pruned.changes) out += (out.empty() ? "" : "\n") + c.key.subject() + " " + std::string(to_string(c.action));
    return out;
}

} // namespace

bool deletes_on_removal(const KustomizationSpec& spec, const KustomizationStatus& status) {
    if (spec.suspend || !status.inventory || status.inventory->empty()) return false;
    switch (spec.deletion_policy) {
    case DeletionPolicy::mirror_prune: return spec.prune;
    case DeletionPolicy::remove:
    case DeletionPolicy::wait_for_termination: return true;
    case DeletionPolicy::orphan: return false;
    }
    return false;
}

Finalized finalize(kube::Client& target, const Kustomization& k, const KustomizationStatus& status, bool dry_run, ProgressSink* progress,
                   const std::function<void(const Event&)>& tell, std::stop_token stop) {
    Finalized out;
    out.done = true;
    if (!deletes_on_removal(k.spec, status)) return out;
    const RunContext run = run_context(k);
    const auto event = [&](bool warning, std::string text) {
        if (tell) tell(make_event(status, run, warning, std::move(text), EventRevision::applied));
    };
    const PruneSettings how{.dry_run = dry_run, .progress = [&](std::size_t done, std::size_t total) {
                                if (progress != nullptr) progress->on_progress({.name = k.name, .phase = Phase::pruning, .done = done, .total = total});
                            }};
    out.changes = prune(target, stale(*status.inventory, {}), k.name, how, stop);
    if (!out.changes.errors.empty()) {
        out.done = false;
        out.error = prune_error(out.changes);
        event(true, "pruning for deleted resource failed");
        return out;
    }
    event(false, lines_of(out.changes));
    if (dry_run || k.spec.deletion_policy != DeletionPolicy::wait_for_termination) return out;
    if (auto gone = wait_terminated(target, out.changes, run.timeout, stop); !gone) {
        out.done = gone.error().code != ErrorCode::cancelled; // upstream goes on after the timeout
        out.error = std::move(gone.error());
        event(true, "failed to wait for resources termination");
    }
    return out;
}

} // namespace weber::gitops
