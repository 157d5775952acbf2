// A Kustomization that is being worked on. Internal to the controller.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "agent/controllers/kustomization.h"

namespace weber::agent {

inline constexpr std::chrono::seconds kLookBack{2}; // for the watches to tell of what a run wrote

struct KustomizationController::Active {
    std::string key;
    Object object;                       // as last read or written
    gitops::Kustomization k = {};
    gitops::KustomizationStatus written = {}; // the status that `object` has
    gitops::RunContext context = {};
    Log log;
    Tick began = std::chrono::steady_clock::now();
    ArtifactRef artifact = {};
    gitops::StatusReader reader = {};    // spec.healthCheckExprs, compiled
    std::string dir = {};                // spec.path in the snapshot
    bool superseded = false;             // the source has another artifact than the one that this run could not get
    std::optional<gitops::Snapshot> snapshot = {};
    std::unique_ptr<gitops::ReferenceReader> references = {};
    std::unique_ptr<gitops::PipelineSettings> settings = {}; // the run borrows it
    Target target = {};
    std::optional<bool> reachable = {};  // a remote target: whether it answered
    std::shared_ptr<Observer> observer = {};
    std::shared_ptr<void> closes = {};   // the observer, however this ends
    std::optional<gitops::Run> run = {};
    std::vector<kube::ObjectRef> checked = {}; // what it waits for

    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return std::chrono::steady_clock::now() - began; }
};

// Statuses of a run that goes on. Each is a request, so one is written only when it tells of objects about to be made, or when the run takes long enough for
// somebody to look: a second after the start or the last write, by `write_late`. Thread-safe; `active` may end after `close`, not before.
class KustomizationController::Observer final : public gitops::RunObserver {
public:
    Observer(KustomizationController& controller, Active& active) : controller_(controller), active_(active), key_(active.key) {}

    Result<void> on_status(const gitops::KustomizationStatus& status) override;
    void on_event(const gitops::Event& event) override;
    void on_progress(const gitops::Progress&) override {}
    void on_applied(const gitops::ChangeSet& changes) override;
    void on_pruned(const gitops::ChangeSet& changes) override;
    // Writes what was put off, if it is time.
    void write_late();
    // Whatever was put off is not written any more. Returns when no write is under way.
    void close();

private:
    [[nodiscard]] bool has_new_objects(const gitops::KustomizationStatus& status) const;
    [[nodiscard]] std::chrono::nanoseconds until_due() const;
    Result<void> write();

    KustomizationController& controller_;
    Active& active_;
    const std::string key_;
    std::mutex mutex_; // guards all below, and `active_`'s object and status; held while one is written
    Tick last_ = std::chrono::steady_clock::now();
    std::optional<gitops::KustomizationStatus> pending_;
    bool closed_ = false;
};

} // namespace weber::agent
