// Which Kustomizations an event concerns: by source, by dependency, by the ConfigMaps and Secrets they read (kustomization.md 7).
//
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/graph.h"

namespace weber::agent {

class KustomizationIndex {
public:
    void set(const gitops::Kustomization& k);
    void erase(const gitops::NamespacedName& name);

    // Those that build from the source, dependencies first; dependencies that are not of this source follow along, as upstream. Error invalid: they form
    // a cycle.
    [[nodiscard]] Result<std::vector<gitops::NamespacedName>> of_source(const gitops::SourceRef& source) const;
    [[nodiscard]] std::vector<gitops::NamespacedName> dependents(const gitops::NamespacedName& name) const;
    // Of the same namespace, naming the object in substituteFrom, decryption or kubeConfig.
    [[nodiscard]] std::vector<gitops::NamespacedName> readers(const std::string& kind, const gitops::NamespacedName& object) const;
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        gitops::SourceRef source;
        std::vector<gitops::NamespacedName> needs;
        std::set<std::string> reads; // "Secret/name"
    };
    mutable std::mutex mutex_; // guards the rest
    std::map<gitops::NamespacedName, Entry> entries_;
    std::map<gitops::SourceRef, std::set<gitops::NamespacedName>> by_source_;
    std::map<gitops::NamespacedName, std::set<gitops::NamespacedName>> dependents_;
};

} // namespace weber::agent
