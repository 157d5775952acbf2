// What a person does to a fleet by hand, and what names nothing: kustomize-controller and the agent do and say the same.
#include <gmock/gmock.h>

#include "tests/agent/peer_fleet.h"

namespace weber::agent_test {
namespace {

class ByHand : public PeerFleet, public ::testing::WithParamInterface<Engine> {
protected:
    std::string config_map(const std::string& name, const std::string& value) const {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n";
    }
    kube::ObjectRef config_map_ref(const std::string& name) const { return {.gvk = {"", "v1", "ConfigMap"}, .ns = ns_, .name = name}; }
    kube::ObjectRef kustomization_ref(const std::string& name) const { return {.gvk = {"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"}, .ns = ns_, .name = name}; }
    std::string message_of(const std::string& name) {
        std::string out;
        await(kustomization_ref(name), [&](const kube::Object& o) {
            const Node* conditions = o.at({"status", "conditions"});
            if (conditions != nullptr)
                for (const Node& c : conditions->items())
                    if (c.text_at("type") == "Ready" && c.text_at("status") == "False") out = c.text_at("message");
            return !out.empty();
        });
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, ByHand, ::testing::Values(Engine::flux, Engine::weber),
                         [](const auto& engine) { return std::string(engine.param == Engine::flux ? "Flux" : "Weber"); });

// A run takes the mark away (fields of kubectl are taken over); before that it holds, and keeps the object when git drops it.
TEST_P(ByHand, AMarkHoldsUntilTheNextApply) {
    commit({{"app/a.yaml", config_map("a", "1")}, {"app/b.yaml", config_map("b", "1")}, {"app/d.yaml", config_map("d", "1")}, {"app/e.yaml", config_map("e", "1")}, {"other/c.yaml", config_map("c", "1")}});
    serve_source();
    for (const char* name : {"app", "other"}) kustomization(name, std::string("./") + name);
    run(GetParam());
    for (const char* name : {"app", "other"}) applied(name, head_);
    constexpr const char* kMark = "kustomize.toolkit.fluxcd.io/prune";
    const auto mark = [&](const char* verb, const char* name) {
        const auto r = command("kubectl", {verb, "-n", ns_, "configmap", name, std::string(kMark) + "=disabled"});
        EXPECT_EQ(r.status, 0) << r.err;
    };
    mark("label", "a");
    handled("app", ask("app"));
    EXPECT_EQ(api().get(config_map_ref("a")).value().label(kMark), "");
    mark("label", "a");
    mark("annotate", "b");
    if (GetParam() == Engine::weber) { // which corrects drift by itself: by the time that it has corrected this, it would have taken the marks
        ASSERT_TRUE(api().remove(config_map_ref("c")).has_value());
        await(config_map_ref("c"), [](const kube::Object&) { return true; });
    }
    commit({{"app/a.yaml", ""}, {"app/b.yaml", ""}, {"app/d.yaml", ""}});
    fetch();
    applied("app", head_);
    EXPECT_EQ(api().get(config_map_ref("b")).value().annotation(kMark), "disabled");
    EXPECT_EQ(api().get(config_map_ref("a")).value().label(kMark), "disabled");
    EXPECT_FALSE(api().find(config_map_ref("d")).value().has_value());
}

TEST_P(ByHand, WhatIsMissingIsNamed) {
    commit({{"app/a.yaml", config_map("a", "1")}});
    serve_source();
    run(GetParam());
    const auto k = [&](const std::string& name, const std::string& more) {
        make("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + "}\nspec: {interval: 1h, prune: true, path: ./app, " + more + "}\n");
    };
    k("git", "sourceRef: {kind: GitRepository, name: nowhere}");
    k("bucket", "sourceRef: {kind: Bucket, name: nowhere}");
    k("dependent", "dependsOn: [{name: nobody}], sourceRef: {kind: GitRepository, name: fleet}");
    EXPECT_EQ(message_of("git"), "GitRepository.source.toolkit.fluxcd.io \"nowhere\" not found");
    EXPECT_EQ(message_of("bucket"), "Bucket.source.toolkit.fluxcd.io \"nowhere\" not found");
    EXPECT_EQ(message_of("dependent"), "dependency '" + ns_ + "/nobody' not found: kustomizations.kustomize.toolkit.fluxcd.io \"nobody\" not found");
}

} // namespace
} // namespace weber::agent_test
