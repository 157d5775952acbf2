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

Where where_of(const FieldReader& r) { return r.node() != nullptr ? r.node()->where() : Where{}; }

void read_dependencies(FieldReader& spec, const std::string& ns, std::vector<Dependency>& out) {
    for (FieldReader& d : spec.objects("dependsOn")) {
        Dependency n{{d.text("namespace"), d.text("name", true)}, d.text("readyExpr"), where_of(d)};
        if (n.name.ns.empty()) n.name.ns = ns;
        d.finish();
        out.push_back(std::move(n));
    }
}

void read_post_build(FieldReader& spec, std::optional<PostBuildSpec>& out) {
    FieldReader p = spec.object("postBuild");
    if (!p.present()) return;
    out.emplace();
    out->where = where_of(p);
    out->substitute = p.texts("substitute");
    for (FieldReader& from : p.objects("substituteFrom")) {
        out->substitute_from.push_back({from.choice("kind", {"Secret", "ConfigMap"}, true), from.text("name", true), from.boolean("optional")});
        from.finish();
    }
    out->always = p.choice("substituteStrategy", {"WithVariables", "Always"}) == "Always";
    p.finish();
}

void read_decryption(FieldReader& spec, std::optional<DecryptionSpec>& out) {
    FieldReader d = spec.object("decryption");
    if (!d.present()) return;
    out.emplace();
    out->where = where_of(d);
    out->provider = d.choice("provider", {"sops"}, true);
    out->service_account = d.text("serviceAccountName");
    FieldReader secret = d.object("secretRef");
    out->secret_name = secret.text("name", secret.present());
    secret.finish();
    d.finish();
}

void read_kube_config(FieldReader& spec, std::optional<KubeConfigSpec>& out) {
    FieldReader k = spec.object("kubeConfig");
    if (!k.present()) return;
    out.emplace();
    out->where = where_of(k);
    FieldReader secret = k.object("secretRef");
    out->secret_name = secret.text("name", secret.present());
    out->secret_key = secret.text("key");
    secret.finish();
    FieldReader config_map = k.object("configMapRef");
    out->config_map_name = config_map.text("name", config_map.present());
    config_map.finish();
    if (secret.present() == config_map.present())
        k.problem(*k.node(), "", "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified");
    k.finish();
}

void read_health_expressions(FieldReader& spec, std::vector<HealthExpression>& out) {
    for (FieldReader& h : spec.objects("healthCheckExprs")) {
        out.push_back({h.text("apiVersion", true), h.text("kind"), h.text("current", true), h.text("inProgress"), h.text("failed"), where_of(h)});
        h.finish();
    }
}

void read_target(FieldReader& target) {
    for (std::string_view key : {"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"}) target.text(key);
    target.finish();
}

void read_ignore(FieldReader& spec, std::vector<IgnoreRule>& out) {
    for (FieldReader& rule : spec.objects("ignore")) {
        IgnoreRule r{rule.list_of_text("paths"), {}, where_of(rule)};
        if (r.paths.empty() && rule.present()) rule.problem(*rule.node(), "paths", "Required value");
        FieldReader target = rule.object("target");
        read_target(target);
        if (target.present()) r.target = *target.node();
        rule.finish();
        out.push_back(std::move(r));
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
        read_target(target);
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
    read_health_expressions(spec, out.health_expressions);
    read_post_build(spec, out.post_build);
    read_decryption(spec, out.decryption);
    read_kube_config(spec, out.kube_config);
    out.service_account = spec.text("serviceAccountName");
    read_ignore(spec, out.ignore);
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

Result<void> check_features(const Kustomization& k, const Features& can) {
    const auto lacking = [&](std::string_view field, const Where& where, std::string_view what) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .message = std::string(field) + ": this version of weber does not support this field yet (" + std::string(what) + ")",
                          .where = where,
                          .object = k.object.subject()});
    };
    const auto where = [&](std::string_view field) {
        const Node* n = k.object.at({"spec", field});
        return n != nullptr ? n->where() : k.object.where();
    };
    if (k.spec.post_build && !can.post_build) return lacking("spec.postBuild", k.spec.post_build->where, "variable substitution");
    if (k.spec.decryption && !can.decryption) return lacking("spec.decryption", k.spec.decryption->where, "SOPS");
    if (!k.spec.health_expressions.empty() && !can.expressions)
        return lacking("spec.healthCheckExprs", k.spec.health_expressions.front().where, "CEL expressions");
    for (const Dependency& d : k.spec.depends_on)
        if (!d.ready_expr.empty() && !can.expressions) return lacking("spec.dependsOn[].readyExpr", d.where, "CEL expressions");
    if (!k.spec.ignore.empty() && !can.ignore_rules) return lacking("spec.ignore", k.spec.ignore.front().where, "drift ignore rules");
    if (k.spec.kube_config && !can.remote_cluster) return lacking("spec.kubeConfig", k.spec.kube_config->where, "remote clusters");
    if (!k.spec.service_account.empty() && !can.impersonation) return lacking("spec.serviceAccountName", where("serviceAccountName"), "impersonation");
    return {};
}

} // namespace weber::gitops
