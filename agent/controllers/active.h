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
    std::string references = {};
    bool superseded = false;             // the source has another artifact than the one that this run could not get
    std::optional<gitops::Snapshot> snapshot = {};
    std::unique_ptr<gitops::PipelineSettings> settings = {}; // the run borrows it
    Target target = {};
    std::optional<bool> reachable = {};  // a remote target: whether it answered
    std::unique_ptr<Observer> observer = {};
    std::optional<gitops::Run> run = {};

    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return std::chrono::steady_clock::now() - began; }
};

// Statuses of a run that goes on. The first is written at once; a later one only when the run takes long enough for somebody to look: each is a request.
class KustomizationController::Observer final : public gitops::RunObserver {
public:
    Observer(KustomizationController& controller, Active& active) : controller_(controller), active_(active) {}

    Result<void> on_status(const gitops::KustomizationStatus& status) override;
    void on_event(const gitops::Event& event) override { controller_.events_.send(active_.object, event); }
    void on_progress(const gitops::Progress&) override {}
    // Writes what was put off.
    Result<void> flush();

private:
    [[nodiscard]] bool has_new_objects(const gitops::KustomizationStatus& status) const;

    KustomizationController& controller_;
    Active& active_;
    std::optional<Tick> last_;
    std::optional<gitops::KustomizationStatus> pending_;
};

} // namespace weber::agent
