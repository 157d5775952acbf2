// kustomize.toolkit.fluxcd.io/v1 Kustomization: the spec as plain data.
//
// Values; thread-safe as such.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/object.h"

namespace weber::gitops {

// Namespace and name of a Kustomization or source; "ns/name" in messages.
struct NamespacedName {
    std::string ns;
    std::string name;
    [[nodiscard]] std::string to_string() const { return ns + "/" + name; }
    auto operator<=>(const NamespacedName&) const = default;
};

struct SourceRef {
    std::string kind; // GitRepository, OCIRepository, Bucket, ExternalArtifact
    NamespacedName name; // namespace defaulted to the Kustomization's
    [[nodiscard]] std::string to_string() const { return kind + "/" + name.to_string(); }
    auto operator<=>(const SourceRef&) const = default;
};

enum class DeletionPolicy : std::uint8_t { mirror_prune, remove, wait_for_termination, orphan };

struct HealthCheck {
    std::string api_version; // apps/v1 when not given
    std::string kind;
    std::string name;
    std::string ns;
};

struct KustomizationSpec {
    std::chrono::nanoseconds interval{};
    std::optional<std::chrono::nanoseconds> retry_interval;
    std::optional<std::chrono::nanoseconds> timeout_field;
    bool suspend = false;
    SourceRef source;
    std::string path;
    bool prune = false;
    DeletionPolicy deletion_policy = DeletionPolicy::mirror_prune;
    std::vector<NamespacedName> depends_on;
    std::string target_namespace, name_prefix, name_suffix;
    std::map<std::string, std::string> common_labels, common_annotations;
    Node patches, images; // lists, or null; as in the spec
    std::vector<std::string> components, build_metadata;
    bool ignore_missing_components = false;
    bool force = false;
    bool wait = false;
    std::vector<HealthCheck> health_checks;

    // What health checks may take: `timeout`, else interval − 30 s, at least 30 s (kustomization.md 1.1).
    [[nodiscard]] std::chrono::nanoseconds timeout() const;
};

struct Kustomization {
    Object object; // as in git or in the cluster
    NamespacedName name;
    KustomizationSpec spec;
};

bool is_kustomization(const Object& object);

// Errors: invalid (unknown field, wrong type, missing required field: field path, file and line, as the CRD demands) or unsupported
// (fields that later versions bring: postBuild, decryption, kubeConfig, serviceAccountName, healthCheckExprs, ignore, readyExpr).
Result<Kustomization> parse_kustomization(const Object& object);

} // namespace weber::gitops
