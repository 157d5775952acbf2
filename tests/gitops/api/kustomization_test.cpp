// Reading specs: every field of kustomization.md 1.1, and what is refused, with its place.
#include "gitops/api/kustomization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gitops/api/git_repository.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weber::testing::object_of;

constexpr std::string_view kHead = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: ns}\nspec:\n";
constexpr std::string_view kRequired = "  interval: 10m\n  prune: true\n  sourceRef: {kind: GitRepository, name: src}\n";

Result<Kustomization> parse(std::string_view spec) { return parse_kustomization(object_of(std::string(kHead) + std::string(spec))); }

TEST(KustomizationSpec, ReadsEveryField) {
    const auto k = parse("  interval: 1h\n  retryInterval: 1m\n  timeout: 2m\n  suspend: true\n  prune: true\n  force: true\n  wait: true\n  path: ./p\n"
                         "  sourceRef: {apiVersion: x, kind: Bucket, name: b, namespace: other}\n  deletionPolicy: WaitForTermination\n"
                         "  dependsOn: [{name: a}, {name: b, namespace: n, readyExpr: 'true'}]\n  serviceAccountName: sa\n"
                         "  kubeConfig: {secretRef: {name: kc, key: k}}\n  targetNamespace: t\n  namePrefix: p-\n  nameSuffix: -s\n"
                         "  commonMetadata: {labels: {l: v}, annotations: {a: v}}\n  patches: [{patch: x, target: {kind: K}}]\n  images: [{name: i, newTag: t}]\n"
                         "  components: [../c]\n  ignoreMissingComponents: true\n  buildMetadata: [originAnnotations]\n"
                         "  postBuild: {substitute: {v: x}, substituteFrom: [{kind: ConfigMap, name: cm, optional: true}], substituteStrategy: Always}\n"
                         "  decryption: {provider: sops, secretRef: {name: keys}, serviceAccountName: d}\n"
                         "  healthChecks: [{kind: Deployment, name: d, namespace: n}]\n"
                         "  healthCheckExprs: [{apiVersion: g/v1, kind: K, current: c, inProgress: i, failed: f}]\n"
                         "  ignore: [{paths: [/spec/replicas], target: {kind: Deployment}}]\n");
    ASSERT_TRUE(k) << k.error().to_string();
    const KustomizationSpec& s = k->spec;
    EXPECT_EQ(s.interval, 1h);
    EXPECT_EQ(s.retry_interval, 1min);
    EXPECT_EQ(s.timeout(), 2min);
    EXPECT_TRUE(s.suspend && s.prune && s.force && s.wait && s.ignore_missing_components);
    EXPECT_EQ(s.source.to_string(), "Bucket/other/b");
    EXPECT_EQ(s.deletion_policy, DeletionPolicy::wait_for_termination);
    ASSERT_EQ(s.depends_on.size(), 2u);
    EXPECT_EQ(s.depends_on[0].name.to_string(), "ns/a");
    EXPECT_EQ(s.depends_on[1].name.to_string(), "n/b");
    EXPECT_EQ(s.depends_on[1].ready_expr, "true");
    EXPECT_EQ(s.service_account, "sa");
    EXPECT_EQ(s.kube_config->secret_name + "/" + s.kube_config->secret_key, "kc/k");
    EXPECT_EQ(s.post_build->substitute.at("v"), "x");
    EXPECT_TRUE(s.post_build->always);
    EXPECT_TRUE(s.post_build->substitute_from.at(0).optional);
    EXPECT_EQ(s.decryption->secret_name + s.decryption->service_account, "keysd");
    EXPECT_EQ(s.health_checks.at(0).api_version, "apps/v1") << "the default";
    EXPECT_EQ(s.health_expressions.at(0).in_progress, "i");
    EXPECT_THAT(s.ignore.at(0).paths, ElementsAre("/spec/replicas"));
    EXPECT_EQ(s.common_labels.at("l") + s.common_annotations.at("a"), "vv");
    EXPECT_TRUE(check_features(*k, {true, true, true, true, true, true}));
}

struct Bad {
    const char* spec; // after the required fields
    const char* error;
    unsigned line; // of the document
};
constexpr Bad kBad[] = {{"  nonsense: 1\n", "spec.nonsense: unknown field", 8},
                        {"  wait: maybe\n", "spec.wait: expected true or false, found string", 8},
                        {"  timeout: soon\n", "spec.timeout: expected a duration", 8},
                        {"  deletionPolicy: Never\n", "spec.deletionPolicy: Unsupported value: \"Never\"", 8},
                        {"  dependsOn:\n  - namespace: x\n", "spec.dependsOn[0].name: Required value", 9},
                        {"  dependsOn:\n  - name: x\n    when: y\n", "spec.dependsOn[0].when: unknown field", 10},
                        {"  patches:\n  - target: {}\n", "spec.patches[0].patch: Required value", 9},
                        {"  targetNamespace: 5\n", "spec.targetNamespace: expected a string, found integer (quote it)", 8},
                        {"  kubeConfig: {}\n", "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified", 8},
                        {"  kubeConfig: {secretRef: {name: a}, configMapRef: {name: b}}\n", "exactly one of spec.kubeConfig.configMapRef", 8},
                        {"  postBuild: {substituteFrom: [{kind: Pod, name: x}]}\n", "Unsupported value: \"Pod\"", 8},
                        {"  commonMetadata: {labels: {a: 1}}\n", "spec.commonMetadata.labels.a: expected a string", 8}};

TEST(KustomizationSpec, WhatIsWrongIsNamedWithFieldAndLine) {
    for (const Bad& b : kBad) {
        const auto k = parse(std::string(kRequired) + b.spec);
        ASSERT_FALSE(k) << b.spec;
        EXPECT_THAT(k.error().to_string(), HasSubstr(b.error));
        EXPECT_EQ(k.error().where.line, b.line) << b.spec;
        EXPECT_EQ(k.error().object, "Kustomization/ns/app");
    }
    for (const char* missing : {"  prune: true\n  sourceRef: {kind: GitRepository, name: s}\n", "  interval: 1m\n  sourceRef: {kind: GitRepository, name: s}\n",
                                "  interval: 1m\n  prune: true\n", "  interval: 1m\n  prune: true\n  sourceRef: {name: s}\n"})
        EXPECT_FALSE(parse(missing)) << missing;
}

TEST(KustomizationSpec, OldVersionsAreSaidToBeGone) {
    auto o = object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1beta2\nkind: Kustomization\nmetadata: {name: a}\nspec: {}\n");
    const auto k = parse_kustomization(o);
    ASSERT_FALSE(k);
    EXPECT_EQ(k.error().code, ErrorCode::unsupported);
    EXPECT_THAT(k.error().to_string(), HasSubstr("kustomize.toolkit.fluxcd.io/v1"));
}

TEST(KustomizationSpec, FeaturesThatARunLacksAreNamed) {
    const std::pair<const char*, const char*> cases[] = {{"  postBuild: {substitute: {a: b}}\n", "spec.postBuild"},
                                                         {"  decryption: {provider: sops}\n", "spec.decryption"},
                                                         {"  healthCheckExprs: [{apiVersion: a/v1, current: c}]\n", "spec.healthCheckExprs"},
                                                         {"  dependsOn: [{name: a, readyExpr: x}]\n", "spec.dependsOn[].readyExpr"},
                                                         {"  ignore: [{paths: [/a]}]\n", "spec.ignore"},
                                                         {"  kubeConfig: {secretRef: {name: a}}\n", "spec.kubeConfig"},
                                                         {"  serviceAccountName: a\n", "spec.serviceAccountName"}};
    for (const auto& [spec, field] : cases) {
        const auto k = parse(std::string(kRequired) + spec);
        ASSERT_TRUE(k) << k.error().to_string();
        const auto can = check_features(*k, {});
        ASSERT_FALSE(can) << spec;
        EXPECT_EQ(can.error().code, ErrorCode::unsupported);
        EXPECT_THAT(can.error().message, HasSubstr(std::string(field) + ": "));
        EXPECT_EQ(can.error().where.line, 8u) << spec;
    }
}

TEST(GitRepositorySpec, ReadsReferencesAndRefusesWhatIsNotDone) {
    const auto repository = [](std::string_view spec) {
        return parse_git_repository(object_of("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a, namespace: b}\nspec:\n  interval: 1m\n" + std::string(spec)));
    };
    const auto g = repository("  url: https://h/p\n  timeout: 5s\n  ref: {branch: b, semver: '1.x'}\n  ignore: ''\n  secretRef: {name: s}\n");
    ASSERT_TRUE(g) << g.error().to_string();
    EXPECT_EQ(g->ref.semver, "1.x");
    EXPECT_EQ(g->timeout, 5s);
    EXPECT_TRUE(g->has_ignore);
    EXPECT_FALSE(repository("  ref: {branch: b}\n")) << "no url";
    for (const char* field : {"include: [{repository: {name: x}}]", "verify: {mode: HEAD, secretRef: {name: x}}", "sparseCheckout: [a]", "recurseSubmodules: true",
                              "provider: azure"}) {
        const auto bad = repository("  url: https://h/p\n  " + std::string(field) + "\n");
        ASSERT_FALSE(bad) << field;
        EXPECT_EQ(bad.error().code, ErrorCode::unsupported) << field;
    }
}

} // namespace
} // namespace weber::gitops
