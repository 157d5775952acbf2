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
    // Of a text that to_string made.
    static NamespacedName of(std::string_view text) {
        const std::size_t slash = text.find('/');
        return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
    }
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

// A Kustomization that must be ready first; `ready_expr` (CEL) decides in place of the built-in check.
struct Dependency {
    NamespacedName name;
    std::string ready_expr = {};
    Where where = {};
};

struct SubstituteFrom {
    std::string kind; // ConfigMap or Secret
    std::string name;
    bool optional = false;
};
struct PostBuildSpec {
    std::map<std::string, std::string> substitute = {};
    std::vector<SubstituteFrom> substitute_from = {};
    bool always = false; // substituteStrategy: Always
    Where where = {};
};

struct DecryptionSpec {
    std::string provider; // sops
    std::string secret_name = {}, service_account = {};
    Where where = {};
};

// Exactly one of secret and config map is set.
struct KubeConfigSpec {
    std::string secret_name = {}, secret_key = {}, config_map_name = {};
    Where where = {};
};

// A health rule for custom resources, in CEL; an empty kind stands for every kind of the group.
struct HealthExpression {
    std::string api_version = {}, kind = {}, current = {}, in_progress = {}, failed = {};
    Where where = {};
};

// Paths (JSON pointers) that are left to others; `target` as of a patch, null = every object.
struct IgnoreRule {
    std::vector<std::string> paths;
    Node target = {};
    Where where = {};
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
    std::vector<Dependency> depends_on;
    std::string target_namespace, name_prefix, name_suffix;
    std::map<std::string, std::string> common_labels, common_annotations;
    Node patches, images; // lists, or null; as in the spec
    std::vector<std::string> components, build_metadata;
    bool ignore_missing_components = false;
    bool force = false;
    bool wait = false;
    std::vector<HealthCheck> health_checks;
    std::vector<HealthExpression> health_expressions;
    std::optional<PostBuildSpec> post_build;
    std::optional<DecryptionSpec> decryption;
    std::optional<KubeConfigSpec> kube_config;
    std::string service_account;
    std::vector<IgnoreRule> ignore;

    // What health checks may take: `timeout`, else interval − 30 s, at least 30 s (kustomization.md 1.1).
    [[nodiscard]] std::chrono::nanoseconds timeout() const;
};

struct Kustomization {
    Object object; // as in git or in the cluster
    NamespacedName name;
    KustomizationSpec spec;
};

bool is_kustomization(const Object& object);

// Errors: invalid (unknown field, wrong type, missing required field: field path, file and line, as the CRD demands), unsupported (an old
// apiVersion).
Result<Kustomization> parse_kustomization(const Object& object);

// What whoever runs a Kustomization can do beyond the plain pipeline.
struct Features {
    bool post_build = false;    // variable substitution
    bool decryption = false;    // SOPS
    bool expressions = false;   // CEL: readyExpr, healthCheckExprs
    bool ignore_rules = false;  // spec.ignore
    bool impersonation = false; // serviceAccountName
    bool remote_cluster = false; // kubeConfig
};
// Error unsupported when the spec uses what `features` lack: the field's path, file and line.
Result<void> check_features(const Kustomization& kustomization, const Features& features);

} // namespace weber::gitops
