#include "gitops/api/kustomization.h"

#include <algorithm>

#include "gitops/api/field_reader.h"
#include "gitops/api/names.h"

namespace weber::gitops {

namespace {

using namespace std::chrono_literals;

DeletionPolicy policy_of(const std::string& word) {
    if (word == "Delete") return DeletionPolicy::remove;
    if (word == "WaitForTermination") return DeletionPolicy::wait_for_termination;
    return word == "Orphan" ? DeletionPolicy::orphan : DeletionPolicy::mirror_prune;
}

void read_source(FieldReader& spec, const std::string& ns, SourceRef& out) {
    FieldReader ref = spec.object("sourceRef", true);
    ref.raw("apiVersion"); // ignored, as upstream does
    out.kind = ref.choice("kind", {"OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"}, true);
    out.name.name = ref.text("name", true);
    out.name.ns = ref.text("namespace");
    if (out.name.ns.empty()) out.name.ns = ns;
    ref.finish();
}

void read_dependencies(FieldReader& spec, const std::string& ns, std::vector<NamespacedName>& out) {
    for (FieldReader& d : spec.objects("dependsOn")) {
        NamespacedName n{d.text("namespace"), d.text("name", true)};
        if (n.ns.empty()) n.ns = ns;
        d.unsupported("readyExpr", "CEL expressions");
        d.finish();
        out.push_back(std::move(n));
    }
}

void read_health_checks(FieldReader& spec, std::vector<HealthCheck>& out) {
    for (FieldReader& h : spec.objects("healthChecks")) {
        HealthCheck check{h.text("apiVersion"), h.text("kind", true), h.text("name", true), h.text("namespace")};
        if (check.api_version.empty()) check.api_version = "apps/v1";
        h.finish();
        out.push_back(std::move(check));
    }
}

void check_patches(FieldReader& spec, Node& out) {
    for (FieldReader& p : spec.objects("patches")) {
        p.text("patch", true);
        FieldReader target = p.object("target");
        for (std::string_view key : {"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"}) target.text(key);
        target.finish();
        p.finish();
    }
    if (const Node* n = spec.raw("patches")) out = *n;
}

void check_images(FieldReader& spec, Node& out) {
    for (FieldReader& i : spec.objects("images")) {
        i.text("name", true);
        for (std::string_view key : {"newName", "newTag", "digest"}) i.text(key);
        i.finish();
    }
    if (const Node* n = spec.raw("images")) out = *n;
}

void read_spec(FieldReader& spec, const std::string& ns, KustomizationSpec& out) {
    out.interval = spec.duration("interval", true).value_or(0ns);
    out.retry_interval = spec.duration("retryInterval");
    out.timeout_field = spec.duration("timeout");
    out.suspend = spec.boolean("suspend");
    read_source(spec, ns, out.source);
    out.path = spec.text("path");
    out.prune = spec.boolean("prune", false, true);
    out.deletion_policy = policy_of(spec.choice("deletionPolicy", {"MirrorPrune", "Delete", "WaitForTermination", "Orphan"}));
    read_dependencies(spec, ns, out.depends_on);
    out.target_namespace = spec.text("targetNamespace");
    out.name_prefix = spec.text("namePrefix");
    out.name_suffix = spec.text("nameSuffix");
    FieldReader common = spec.object("commonMetadata");
    out.common_labels = common.texts("labels");
    out.common_annotations = common.texts("annotations");
    common.finish();
    check_patches(spec, out.patches);
    check_images(spec, out.images);
    out.components = spec.list_of_text("components");
    out.build_metadata = spec.list_of_text("buildMetadata");
    out.ignore_missing_components = spec.boolean("ignoreMissingComponents");
    out.force = spec.boolean("force");
    out.wait = spec.boolean("wait");
    read_health_checks(spec, out.health_checks);
    spec.unsupported("postBuild", "variable substitution");
    spec.unsupported("decryption", "SOPS");
    spec.unsupported("healthCheckExprs", "CEL expressions");
    spec.unsupported("ignore", "drift ignore rules");
    spec.unsupported("kubeConfig", "remote clusters");
    spec.unsupported("serviceAccountName", "impersonation");
    spec.finish();
}

} // namespace

std::chrono::nanoseconds KustomizationSpec::timeout() const {
    return std::max<std::chrono::nanoseconds>(timeout_field.value_or(interval - 30s), 30s);
}

bool is_kustomization(const Object& object) { return object.kind() == "Kustomization" && object.group() == kKustomizeGroup; }

Result<Kustomization> parse_kustomization(const Object& object) {
    TRY_VOID(object.check_identity());
    Kustomization k{object, {std::string(object.ns()), std::string(object.name())}, {}};
    const std::string subject = object.subject();
    if (object.api_version() != kKustomizeApiVersion)
        return fail(Error{.code = ErrorCode::unsupported,
                          .message = "apiVersion " + std::string(object.api_version()) + " is not served any more",
                          .where = object.where(),
                          .object = subject,
                          .hint = "write " + std::string(kKustomizeApiVersion)});
    std::optional<Error> error;
    FieldReader root(&object.root(), "", error);
    FieldReader spec(object.root().find("spec"), "spec", error);
    if (object.root().find("spec") == nullptr)
        return fail(Error{.code = ErrorCode::invalid, .message = "spec: Required value", .where = object.where(), .object = subject});
    read_spec(spec, k.name.ns, k.spec);
    if (error) return fail(std::move(*error).on(subject));
    return k;
}

} // namespace weber::gitops
