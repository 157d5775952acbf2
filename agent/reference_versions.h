// Versions of the ConfigMaps and Secrets that Kustomizations refer to, told by watches of metadata alone, one for each namespace and kind in use: an interval in which
// nothing changed asks the API server for none of them. A value that changes does not start a run by itself (kustomization.md 7); the next run sees it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "gitops/api/kustomization.h"
#include "kube/informer.h"

namespace weber::agent {

// Thread-safe.
class ReferenceVersions {
public:
    explicit ReferenceVersions(std::shared_ptr<kube::Client> client) : client_(std::move(client)) {}

    // Begins to watch a namespace's objects of that kind, ConfigMap or Secret, if it is not watched yet. Does not wait.
    void watch(const std::string& kind, const std::string& ns);
    // What a watch tells: the object's resourceVersion, "" when there is none; nullopt while no watch does.
    [[nodiscard]] std::optional<std::string> told(const std::string& kind, const gitops::NamespacedName& name) const;
    // Waits until a watch of that kind there tells of all, or `at_most` is over.
    void await(const std::string& kind, const std::string& ns, std::chrono::milliseconds at_most, std::stop_token stop) const;
    // The resourceVersion of the object; "" when there is none, "?" when that cannot be told. Read, while no watch tells of it: where watching is forbidden, and
    // beyond 64 watches, every time.
    std::string of(const std::string& kind, const gitops::NamespacedName& name, std::stop_token stop);
    void stop(); // ends the watches

private:
    using Place = std::pair<std::string, std::string>; // kind, namespace
    [[nodiscard]] std::shared_ptr<kube::Informer> watch_of(const std::string& kind, const std::string& ns) const;

    const std::shared_ptr<kube::Client> client_;
    mutable std::mutex mutex_; // guards watches_
    std::map<Place, std::shared_ptr<kube::Informer>> watches_;
};

} // namespace weber::agent
