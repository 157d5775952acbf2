// What a run tells whoever watches it. Values, and one interface.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/api/kustomization.h"

namespace weber::gitops {

// Steps of a run, in order (`pipeline.h`).
enum class Step : std::uint8_t { fetch, build, desire, apply, prune, wait, conclude };
std::string_view to_string(Step step); // "fetch", …

struct StepTime {
    Step step = Step::fetch;
    std::chrono::nanoseconds took{};
};

enum class Phase : std::uint8_t {
    found,        // a Kustomization came to light; `parent` created it
    waiting,      // for dependencies: `waiting_for` holds "ns/name" of those not ready
    fetching,
    building,
    checking,     // dry-run of object `done` of `total`
    applying,     // write of object `done` of `total`
    pruning,      // delete of object `done` of `total`
    health,       // `done` of `total` objects are ready, `waiting_for` holds "Kind/ns/name status: message" of the others
    ready,        // end; `message` as in condition Ready
    failed,       // end; `message` is the error
    blocked,      // end; a dependency failed or is missing; `waiting_for` names it
    suspended,    // end
    removed,      // end; the Kustomization went away and was finalized
};
std::string_view to_string(Phase phase);
inline bool is_end(Phase p) { return p >= Phase::ready; }

struct Progress {
    NamespacedName name;             // of the Kustomization
    Phase phase = Phase::found;
    NamespacedName parent = {};      // that created it; empty name: none
    std::string stage = {};          // of the apply: "definitions", "classes", "rest"
    std::size_t done = 0, total = 0;
    std::vector<std::string> waiting_for = {};
    std::string message = {};
    std::chrono::nanoseconds elapsed{}; // since the Kustomization's run began
};

class ProgressSink {
public:
    virtual ~ProgressSink() = default;
    // Called from several threads, never by two at once. Must not block for long.
    virtual void on_progress(const Progress& progress) = 0;
};

} // namespace weber::gitops
