// The status of a GitRepository and the rules by which its conditions come about (sources.md 0.6 and 1.9).
//
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/reconcile/status.h"
#include "gitops/source/storage.h"
#include "kube/client.h"

namespace weber::gitops {

inline constexpr std::string_view kSourceManager = "source-controller"; // of status and finalizer; Flux gives this one no prefix

struct GitRepositoryStatus {
    std::int64_t observed_generation = -1;
    std::vector<Condition> conditions = {};
    std::optional<Artifact> artifact = {};
    std::string last_handled_reconcile_at = {};
    std::optional<std::string> observed_ignore = {};
    // What another controller observed of fields that this version does not do: kept with the artifact that was made of them, gone with the next one.
    Node more = Node::map();

    // The artifact holds more, or less, than a plain checkout: includes, submodules, a part only.
    [[nodiscard]] bool has_more_content() const;
    [[nodiscard]] const Condition* find(std::string_view type) const;
    [[nodiscard]] bool is_true(std::string_view type) const;
};

GitRepositoryStatus read_git_status(const Object& object);
Node write_git_status(const GitRepositoryStatus& status);

// Sets a condition; the transition time moves when status, reason or message change; order: Stalled, Reconciling, Ready, the others by newest
// observedGeneration and type.
void set_condition(GitRepositoryStatus& status, Condition condition, kube::SystemTime now);
void remove_condition(GitRepositoryStatus& status, std::string_view type);

// Ready from the other conditions: the strongest group decides (a failure that is True, then a good sign that is not, then a good sign, …), its first member gives
// reason and message.
void summarize(GitRepositoryStatus& status, std::int64_t generation, kube::SystemTime now);

// As patch_status (status_writer.h), for a GitRepository.
Result<Object> patch_git_status(kube::Client& client, const Object& live, const GitRepositoryStatus& status, const kube::Call& call = {});

} // namespace weber::gitops
