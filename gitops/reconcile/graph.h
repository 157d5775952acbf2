// Who waits for whom: the dependencies among Kustomizations (spec.dependsOn).
//
// Pure and thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"

namespace weber::gitops {

class Graph {
public:
    // Adds a Kustomization, or gives a known one new dependencies.
    void set(const NamespacedName& name, std::vector<NamespacedName> depends_on);
    void erase(const NamespacedName& name);
    [[nodiscard]] bool contains(const NamespacedName& name) const { return edges_.contains(name); }

    // What `name` waits for, as written; empty when unknown.
    [[nodiscard]] const std::vector<NamespacedName>& dependencies(const NamespacedName& name) const;
    // Those that wait for `name`, sorted.
    [[nodiscard]] std::vector<NamespacedName> dependents(const NamespacedName& name) const;

    // Dependencies before dependents, otherwise by name; dependencies that were never added are left out.
    // Error invalid: `circular dependency detected: ns/a -> ns/b -> ns/a`.
    [[nodiscard]] Result<std::vector<NamespacedName>> order() const;

    // The members of one cycle from its smallest name on, the first repeated at the end; empty when there is none that `from` leads into.
    [[nodiscard]] std::vector<NamespacedName> cycle_from(const NamespacedName& from) const;

private:
    std::map<NamespacedName, std::vector<NamespacedName>> edges_;
};

// `circular dependency detected: ns/a -> ns/b -> ns/a`
std::string cycle_message(const std::vector<NamespacedName>& cycle);

} // namespace weber::gitops
