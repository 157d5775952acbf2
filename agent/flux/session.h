// What every command of Flux's needs: a cluster, a namespace, a time limit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/cluster.h"
#include "agent/flux/kinds.h"

namespace weber::agent {

// -n, --timeout, --verbose and those of the connection.
std::vector<Flag> session_flags();

struct Session {
    Cluster cluster;
    std::string ns;
    std::chrono::milliseconds timeout{};
    std::chrono::steady_clock::time_point deadline;

    [[nodiscard]] kube::Client& client() const { return *cluster.client; }
    // Until the deadline; 1 ms at least.
    [[nodiscard]] std::chrono::milliseconds left() const;
    [[nodiscard]] kube::Call call() const {
        kube::Call c;
        c.timeout = left();
        return c;
    }
};

// The namespace by -n, by the kubeconfig's context when that is asked for, by $FLUX_SYSTEM_NAMESPACE (a wrong one is warned about and passed over), else
// flux-system.
Result<std::string> namespace_of(const Invocation& in);

Result<Session> open_session(const Invocation& in);

// `flux_kinds` error texts.
Error name_required(std::string_view human);

// "✗ timed out" of Go's contexts.
Error deadline_exceeded();

// The object, or the API's error (`kustomizations.kustomize.toolkit.fluxcd.io "x" not found`).
Result<Object> get_object(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name);

} // namespace weber::agent
