#include "gitops/reconcile/progress.h"

namespace weber::gitops {

std::string_view to_string(Step step) {
    switch (step) {
    case Step::fetch: return "fetch";
    case Step::build: return "build";
    case Step::desire: return "desire";
    case Step::apply: return "apply";
    case Step::prune: return "prune";
    case Step::wait: return "wait";
    case Step::conclude: return "conclude";
    }
    return "";
}

std::string_view to_string(Phase phase) {
    switch (phase) {
    case Phase::found: return "found";
    case Phase::waiting: return "waiting";
    case Phase::fetching: return "fetching";
    case Phase::building: return "building";
    case Phase::checking: return "checking";
    case Phase::applying: return "applying";
    case Phase::pruning: return "pruning";
    case Phase::health: return "health";
    case Phase::ready: return "ready";
    case Phase::failed: return "failed";
    case Phase::blocked: return "blocked";
    case Phase::suspended: return "suspended";
    case Phase::removed: return "removed";
    }
    return "";
}

} // namespace weber::gitops
