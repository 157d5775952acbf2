// An embedded cluster with Flux's objects in it, for tests of the commands that ask about them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>

#include "agent/cluster.h"
#include "gitops/api/names.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kube/watch.h"
#include "tests/agent/run_binary.h"

namespace weber::agent_test {

inline constexpr const char* kHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";

inline std::string kustomization(const std::string& ns, const std::string& name, const std::string& more_spec, const std::string& status) {
    return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: " + ns +
           ", labels: {team: " + (name == "apps" ? "a" : "b") + "}}\nspec: {interval: 10m, path: ./" + name +
           ", prune: true, sourceRef: {kind: GitRepository, name: flux-system}" + more_spec + "}\n" + (status.empty() ? "" : "status: " + status + "\n") + "---\n";
}

inline std::string conditions(const std::string& ready, const std::string& message) {
    return "conditions: [{type: Ready, status: '" + ready + "', reason: X, message: '" + message + "', lastTransitionTime: '2026-01-02T03:04:05Z'}]";
}

class Everyday : public testing::Test {
protected:
    // The definitions of Flux's kinds and one reconcile's worth of objects, written once and copied for each test.
    void SetUp() override {
        const std::string hash = kHash;
        apply(read_file(WEBER_SOURCE_DIR "/deploy/install/crds/kustomize.toolkit.fluxcd.io_kustomizations.yaml"));
        apply(read_file(WEBER_SOURCE_DIR "/deploy/install/crds/source.toolkit.fluxcd.io_gitrepositories.yaml"));
        wait_until_served();
        apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team-a}\n"
              "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n");
        const std::string revision = "main@sha1:" + hash;
        apply("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n"
              "spec: {interval: 1m, url: 'ssh://git@example.org/fleet', ref: {branch: main}}\nstatus: {artifact: {revision: '" + revision +
              "', size: 1468006, url: 'http://x/y', path: y, digest: 'sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752', "
              "lastUpdateTime: '2026-01-02T03:04:05Z'}, " + conditions("True", "stored artifact for revision ''" + revision + "''") + "}\n---\n"
              "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: vendor, namespace: flux-system}\n"
              "spec: {interval: 1m, url: 'https://example.org/vendor', suspend: true}\n---\n" +
              kustomization("flux-system", "apps", ", dependsOn: [{name: infrastructure}]",
                            "{lastAppliedRevision: '" + revision + "', inventory: {entries: [{id: web_settings__ConfigMap, v: v1}]}, " +
                                conditions("False", "dependency ''flux-system/infrastructure'' is not ready") + "}") +
              kustomization("flux-system", "flux-system", "",
                            "{lastAppliedRevision: '" + revision + "', inventory: {entries: ["
                            "{id: flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization, v: v1}, {id: flux-system_flux-system_kustomize.toolkit.fluxcd.io_Kustomization, v: v1},"
                            "{id: _storage__Namespace, v: v1}, {id: flux-system_flux-system_source.toolkit.fluxcd.io_GitRepository, v: v1}]}, " +
                                conditions("True", "Applied revision: " + revision) + "}") +
              kustomization("flux-system", "infrastructure", "",
                            "{lastAppliedRevision: '" + revision + "', " + conditions("Unknown", "Reconciliation in progress") + "}") +
              kustomization("team-a", "shop", ", suspend: true",
                            "{lastAppliedRevision: 'main@sha1:1b4f0e9851971998e732078544c96b36c3d01ced', " +
                                conditions("True", "Applied revision: main@sha1:1b4f0e9851971998e732078544c96b36c3d01ced") + "}"));
        apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: web, labels: {kustomize.toolkit.fluxcd.io/name: apps, "
              "kustomize.toolkit.fluxcd.io/namespace: flux-system}}\ndata: {a: b}\n---\n"
              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: web}\ndata: {a: b}\n");
        cluster_.reset();
    }

    kube::Client& client() {
        if (!cluster_) {
            kube::ServerOptions options;
            options.data_dir = dir / "state";
            auto opened = agent::open_embedded(options);
            EXPECT_TRUE(opened) << opened.error().to_string();
            cluster_ = std::make_unique<agent::Cluster>(std::move(*opened));
        }
        return *cluster_->client;
    }
    void wait_until_served() {
        const kube::GroupVersionKind crd{"apiextensions.k8s.io", "v1", "CustomResourceDefinition"};
        const std::vector<kube::ObjectRef> refs = {{.gvk = crd, .name = "kustomizations.kustomize.toolkit.fluxcd.io"},
                                                   {.gvk = crd, .name = "gitrepositories.source.toolkit.fluxcd.io"}};
        std::vector<bool> served(refs.size());
        const auto end = kube::wait_for(client(), refs, [&](std::size_t i, const kube::Observation& seen) {
            if (const Node* conditions = seen.object.at({"status", "conditions"}))
                for (const Node& c : conditions->items())
                    if (c.text_at("type") == "Established" && c.text_at("status") == "True") served[i] = true;
            return std::ranges::find(served, false) == served.end();
        });
        ASSERT_TRUE(end && *end == kube::WaitEnd::satisfied);
        client().discovery().invalidate();
    }
    void apply(const std::string& yaml) {
        const auto documents = kube::read_yaml(yaml);
        ASSERT_TRUE(documents) << documents.error().to_string();
        for (const Node& document : *documents) {
            if (document.is_null()) continue;
            Object o(document);
            Object plain = o;
            plain.root().erase("status");
            const auto written = client().apply(plain, {.field_manager = "test", .force = true});
            ASSERT_TRUE(written) << written.error().to_string();
            if (!o.at({"status"}) || o.kind() == "CustomResourceDefinition") continue;
            const auto status = client().apply(o, {.field_manager = "test", .force = true, .subresource = "status"});
            ASSERT_TRUE(status) << status.error().to_string();
        }
    }
    Object get(const std::string& group, const std::string& kind, const std::string& ns, const std::string& name) {
        const auto found = client().get({.gvk = {group, "", kind}, .ns = ns, .name = name});
        return found ? *found : Object();
    }
    // Runs the binary on the state; the API server of the test must not run meanwhile.
    Ran flux(std::vector<std::string> words, std::map<std::string, std::string> environment = {}) {
        cluster_.reset();
        words.insert(words.end(), {"--state", dir / "state"});
        return weber(words, {.environment = std::move(environment)});
    }

    TempDir dir;
    std::unique_ptr<agent::Cluster> cluster_;
};

} // namespace weber::agent_test
