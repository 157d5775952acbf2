// Is a dependency ready (kustomization.md 2, step 10)?
//
// Pure but for the expression hook; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gitops/api/kustomization.h"

namespace weber::gitops {

// Evaluates a readyExpr over both objects. Error invalid: the expression does not compile, or is not bool (terminal); any other code: it failed on
// these objects (retried).
using ReadyExpression = std::function<Result<bool>(const std::string& expression, const Object& self, const Object& dependency)>;

struct DependencyProblem {
    std::string message;
    bool terminal = false; // only an edit mends it
};

// What is wrong with `dependency` as read from the API server; nullopt: it is ready. `revision`: of the artifact that `self` is about to apply.
// `additive`: a true readyExpr does not replace the built-in check (gate AdditiveCELDependencyCheck).
std::optional<DependencyProblem> dependency_problem(const Kustomization& self, const Dependency& dependency, const Result<Object>& read,
                                                    const std::string& revision, const ReadyExpression& expression = {}, bool additive = false);

} // namespace weber::gitops
