// spec.ignore: fields that are left to others (apply.md 3.5).
//
// Immutable after construction, thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "kube/base/object.h"

namespace weber::gitops {

class DriftIgnoreRules {
public:
    DriftIgnoreRules();
    ~DriftIgnoreRules();
    DriftIgnoreRules(DriftIgnoreRules&&) noexcept;
    DriftIgnoreRules& operator=(DriftIgnoreRules&&) noexcept;

    // Errors: invalid, e.g. `failed to create ignore rule selector: invalid kind regex: …`; a path that does not begin with "/".
    static Result<DriftIgnoreRules> make(std::span<const IgnoreRule> rules);

    [[nodiscard]] bool empty() const { return rules_.empty(); }

    // A rule is for this object.
    [[nodiscard]] bool matches(const Object& object) const;
    // `object` without the ignored paths of the rules that match `answer` (the dry run's), for comparing.
    [[nodiscard]] Object without_ignored(const Object& object, const Object& answer) const;
    // What to apply in place of `desired` when something else drifted: an ignored path that differs is left out when another applier owns it, else it
    // carries the live value.
    [[nodiscard]] Object payload(const Object& desired, const Object& live, const Object& answer) const;

private:
    struct Rule;
    std::vector<std::unique_ptr<Rule>> rules_;
};

} // namespace weber::gitops
