#include "gitops/reconcile/health_expressions.h"

#include <algorithm>

namespace weber::gitops {

namespace {

// As schema.FromAPIVersionAndKind: without a slash, or with several, there is no group.
std::string group_of(std::string_view api_version) {
    const std::size_t slash = api_version.find('/');
    if (slash == std::string_view::npos || api_version.find('/', slash + 1) != std::string_view::npos) return {};
    return std::string(api_version.substr(0, slash));
}

std::string group_kind(const std::string& group, const std::string& kind) { return group.empty() ? kind : kind + "." + group; }

Result<cel::Program> compile_one(const std::string& text, std::string_view name) {
    auto program = cel::Program::compile(text, {.check = cel::Check::none});
    if (program) return program;
    return fail(std::move(program).error().with_prefix("failed to parse the expression " + std::string(name) + ": "));
}

Result<std::optional<cel::Program>> compile_optional(const std::string& text, std::string_view name) {
    if (text.empty()) return std::nullopt;
    TRY(cel::Program program, compile_one(text, name));
    return program;
}

// Only integers count; Flux skips the check for anything else.
std::optional<std::int64_t> integer_at(const Object& object, std::initializer_list<std::string_view> path) {
    const Node* node = object.at(path);
    return node != nullptr && node->is_integer() ? node->as_int() : std::nullopt;
}

bool generation_lags(const Object& object) {
    const auto observed = integer_at(object, {"status", "observedGeneration"});
    const auto generation = integer_at(object, {"metadata", "generation"});
    return observed && generation && *observed != *generation;
}

} // namespace

Result<HealthExpressions::Rule> HealthExpressions::compile_rule(const HealthExpression& rule) {
    if (rule.current.empty()) return fail(ErrorCode::invalid, "expression Current not specified");
    TRY(cel::Program current, compile_one(rule.current, "Current"));
    TRY(auto failed, compile_optional(rule.failed, "Failed"));
    TRY(auto in_progress, compile_optional(rule.in_progress, "InProgress"));
    return Rule{std::move(in_progress), std::move(failed), std::move(current)};
}

Result<HealthExpressions> HealthExpressions::compile(std::span<const HealthExpression> rules) {
    HealthExpressions out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string place = "healthchecks[" + std::to_string(i) + "]";
        const std::pair key(group_of(rules[i].api_version), rules[i].kind);
        if (out.rules_.contains(key))
            return fail(ErrorCode::invalid, "duplicate custom health check for GroupKind " + group_kind(key.first, key.second) + " at " + place, rules[i].where);
        auto rule = compile_rule(rules[i]);
        if (!rule)
            return fail(std::move(rule).error().with_prefix("failed to create custom status evaluator for " + place + ": ").at(rules[i].where));
        out.rules_.emplace(key, std::move(*rule));
    }
    return out;
}

Result<kube::Status> HealthExpressions::evaluate(const Rule& rule, const Object& object) {
    if (generation_lags(object)) return kube::Status{.code = kube::StatusCode::in_progress};
    const cel::ObjectBindings fields(object.root());
    const std::pair<const cel::Program*, kube::StatusCode> order[] = {
        {rule.in_progress ? &*rule.in_progress : nullptr, kube::StatusCode::in_progress},
        {rule.failed ? &*rule.failed : nullptr, kube::StatusCode::failed},
        {&rule.current, kube::StatusCode::current},
    };
    for (const auto& [program, code] : order) {
        if (program == nullptr) continue;
        TRY(const bool holds, program->evaluate_bool(fields));
        if (holds) return kube::Status{.code = code};
    }
    return kube::Status{.code = kube::StatusCode::in_progress};
}

std::optional<Result<kube::Status>> HealthExpressions::judge(const Object& object) const {
    const std::string group(object.group());
    auto rule = rules_.find({group, std::string(object.kind())});
    if (rule == rules_.end()) rule = rules_.find({group, ""});
    if (rule == rules_.end()) return std::nullopt;
    return evaluate(rule->second, object);
}

StatusReader health_reader(HealthExpressions rules) {
    if (rules.empty()) return {};
    return [shared = std::make_shared<const HealthExpressions>(std::move(rules))](const Object& object) { return shared->judge(object); };
}

} // namespace weber::gitops
