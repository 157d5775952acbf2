// spec.healthCheckExprs: health rules for custom resources, in CEL (readiness.md 6). Source: fluxcd/pkg/runtime/cel status_evaluator.go, status_reader.go.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "gitops/api/kustomization.h"
#include "gitops/reconcile/health.h"
#include "kube/cel/program.h"
#include "kube/kstatus.h"

namespace weber::gitops {

// The rules of one Kustomization, compiled. Thread-safe: immutable.
class HealthExpressions {
public:
    // Parsed only, not type-checked, as Flux does: the names that an object has are not known. Errors: invalid, with Flux's text
    // ("failed to create custom status evaluator for healthchecks[0]: …", "duplicate custom health check for GroupKind Foo.example.com at healthchecks[1]")
    // and the rule's file and line.
    static Result<HealthExpressions> compile(std::span<const HealthExpression> rules);

    [[nodiscard]] bool empty() const { return rules_.empty(); }

    // Judges an object by the rule of its group and kind, else by that of its group; nullopt: neither exists. An error (of an expression) is Unknown.
    // Deletion and conditions are not looked at; a lagging observedGeneration is InProgress.
    [[nodiscard]] std::optional<Result<kube::Status>> judge(const Object& object) const;

private:
    struct Rule {
        std::optional<cel::Program> in_progress, failed;
        cel::Program current;
    };
    static Result<Rule> compile_rule(const HealthExpression& rule);
    static Result<kube::Status> evaluate(const Rule& rule, const Object& object);

    std::map<std::pair<std::string, std::string>, Rule> rules_; // by group and kind; kind "" = the whole group
};

// The hook of a wait; empty when there are no rules, so that kstatus decides alone.
StatusReader health_reader(HealthExpressions rules);

} // namespace weber::gitops
