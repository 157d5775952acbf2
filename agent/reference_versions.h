// Versions of the ConfigMaps and Secrets that Kustomizations refer to, told by watches of metadata alone, one for each namespace and kind in use: an interval in which
// nothing changed asks the API server for none of them. A value that changes does not start a run by itself (kustomization.md 7); the next run sees it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
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
    // The resourceVersion of the object; "" when there is none, "?" when that cannot be told. Read, while no watch tells of it: where watching is forbidden, and
    // beyond 64 watches, every time.
    std::string of(const std::string& kind, const gitops::NamespacedName& name, std::stop_token stop);
    void stop(); // ends the watches

private:
    using Place = std::pair<std::string, std::string>; // kind, namespace

    const std::shared_ptr<kube::Client> client_;
    std::mutex mutex_; // guards watches_
    std::map<Place, std::shared_ptr<kube::Informer>> watches_;
};

} // namespace weber::agent
