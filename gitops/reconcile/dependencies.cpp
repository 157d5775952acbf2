#include "gitops/reconcile/dependencies.h"

#include "gitops/reconcile/status.h"

namespace weber::gitops {

namespace {

SourceRef source_of(const Object& k) {
    const Node* ref = k.at({"spec", "sourceRef"});
    if (ref == nullptr) return {};
    std::string ns(ref->text_at("namespace"));
    return {std::string(ref->text_at("kind")), {ns.empty() ? std::string(k.ns()) : ns, std::string(ref->text_at("name"))}};
}

} // namespace

std::optional<DependencyProblem> dependency_problem(const Kustomization& self, const Dependency& dependency, const Result<Object>& read,
                                                    const std::string& revision, const ReadyExpression& expression, bool additive) {
    const std::string who = "dependency '" + dependency.name.to_string() + "'";
    if (!read) return DependencyProblem{who + " not found: " + read.error().message};
    if (!dependency.ready_expr.empty() && expression) {
        const Result<bool> ready = expression(dependency.ready_expr, self.object, *read);
        if (!ready && ready.error().code == ErrorCode::invalid)
            return DependencyProblem{"terminal error: failed to evaluate dependency " + dependency.name.name + ": " + ready.error().message, true};
        if (!ready) return DependencyProblem{ready.error().message};
        if (!*ready) return DependencyProblem{who + " is not ready according to readyExpr eval"};
        if (!additive) return std::nullopt;
    }
    const auto status = read_status(*read);
    if (!status || status->conditions.empty() || status->observed_generation != read->generation() || !status->is_true("Ready"))
        return DependencyProblem{who + " is not ready"};
    if (source_of(*read) == self.spec.source && status->last_applied_revision != revision)
        return DependencyProblem{who + " revision is not up to date"};
    return std::nullopt;
}

} // namespace weber::gitops
