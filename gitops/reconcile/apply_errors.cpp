#include "gitops/reconcile/apply_errors.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "gitops/api/names.h"
#include "gitops/reconcile/field_place.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
}

void mask_quoted(std::string& text) {
    static const re2::RE2 quoted(R"((?s)(valueUnstructured\{Value:).*\})");
    RE2::GlobalReplace(&text, quoted, R"(\1***})");
}

// The API server quotes the offending value in type errors, and with it a Secret's.
void mask_values(const Object& desired, std::string& text) {
    if (!is_secret(desired)) return;
    mask_quoted(text);
    const auto hide = [&](std::string_view value) {
        if (value.size() > 2) replace_all(text, value, "***"); // shorter ones would only garble the text
    };
    for (std::string_view field : {"data", "stringData"}) {
        const Node* map = desired.root().find(field);
        if (map == nullptr) continue;
        for (const auto& [key, value] : map->entries()) {
            if (!value.is_scalar()) continue;
            hide(value.text());
            if (const auto plain = kube::base64_decode(value.text()); field == "data" && plain) hide(*plain);
        }
    }
}

Error worded(const Object& desired, const std::string& prefix, Error inner) {
    mask_values(desired, inner.message);
    for (kube::ErrorDetail& d : inner.details) mask_values(desired, d.message);
    inner.message = desired.subject() + " " + prefix + ": " + inner.message;
    inner.object = desired.subject();
    if (inner.where.file.empty()) inner.where = refused_place(desired, inner);
    return inner;
}

// What the user can do about a refusal; "" when only the text itself tells.
std::string next_step(const Object& desired, const Error& refusal) {
    const std::string& text = refusal.message;
    const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
    if (refusal.http_status == 404 && desired.ns().empty()) return "give the object metadata.namespace, or set spec.targetNamespace of the Kustomization";
    if (text.starts_with("no matches for kind") || says("the server could not find the requested resource"))
        return "the cluster has no such kind: apply its CustomResourceDefinition first (a Kustomization that this one dependsOn), or take the object out";
    if (says("failed to create typed patch object"))
        return "correct the field; `kubectl explain " + std::string(desired.kind()) + " --recursive` lists those of the kind";
    if (says("admission webhook")) return "make the object what the webhook's policy asks for";
    if (refusal.http_status == 403 && says("namespace") && says("being terminated")) return "wait until the namespace is gone, then reconcile again";
    if (refusal.http_status == 403) return "grant that by a Role or ClusterRole, or reconcile as a ServiceAccount that may (spec.serviceAccountName)";
    if (refusal.http_status == 404) return "add the Namespace to this Kustomization, or to one that it dependsOn";
    if (refusal.http_status == 422 && only_immutable_causes(refusal))
        return "put the old value back, or let the object be deleted and made anew: spec.force of the Kustomization, or its annotation " + std::string(kForceKey) +
               ": enabled";
    if (refusal.http_status == 400 || refusal.http_status == 422) return "correct the fields that it names";
    return {};
}

} // namespace

Error dry_run_error(const Object& desired, Error inner) {
    if (inner.hint.empty()) inner.hint = next_step(desired, inner);
    if (inner.http_status == 404) return worded(desired, desired.ns().empty() ? "namespace not specified" : "not found", std::move(inner));
    const bool conflict = std::ranges::any_of(inner.details, [](const auto& d) { return d.reason == "FieldManagerConflict"; });
    const std::string reason = conflict ? "FieldManagerConflict" : inner.reason;
    return worded(desired, reason.empty() ? "dry-run failed" : "dry-run failed (" + reason + ")", std::move(inner));
}

Error step_error(const Object& desired, std::string_view step, Error inner) { return worded(desired, std::string(step), std::move(inner)); }

void mask_secret_values(std::vector<Error>& errors, const std::vector<std::string>& values) {
    const auto mask = [&](std::string& text) {
        if (!values.empty()) mask_quoted(text);
        for (const std::string& value : values)
            if (value.size() >= kShortestMasked) replace_all(text, value, "***");
    };
    for (Error& error : errors) {
        mask(error.message);
        for (kube::ErrorDetail& d : error.details) mask(d.message);
    }
}

bool counts_as_immutable(const Error& error) {
    if (error.reason == "Conflict" || error.reason == "Invalid") return true;
    static const re2::RE2 words(R"(is\simmutable|immutable\sfield)");
    return RE2::PartialMatch(error.message, words);
}

bool only_immutable_causes(const Error& error) {
    static constexpr std::array<std::string_view, 6> kWords{"immutable",          "cannot change",  "may not change",
                                                            "may not be changed", "cannot be changed", "updates to statefulset spec for fields other than"};
    const auto says_so = [](std::string_view text) { return std::ranges::any_of(kWords, [&](auto w) { return text.find(w) != text.npos; }); };
    if (error.details.empty()) return says_so(error.message);
    return std::ranges::all_of(error.details, [&](const auto& d) { return says_so(d.message); });
}

} // namespace weber::gitops
