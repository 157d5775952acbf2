// What the agent deletes, and what it does not: kustomization.md section 9, items 63 to 76, and the prune guard.
#include <gmock/gmock.h>

#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

class KustomizationPrunes : public KustomizationRuns {
protected:
    std::string map_text(const std::string& name, const std::string& metadata = {}) {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + metadata + "}\ndata: {k: v}\n";
    }
    static std::string note(const std::string& key, const std::string& value) { return ", annotations: {kustomize.toolkit.fluxcd.io/" + key + ": " + value + "}"; }
    // A ConfigMap each, in one file each.
    std::map<std::string, std::string> maps(const std::vector<std::string>& names) {
        std::map<std::string, std::string> out;
        for (const std::string& name : names) out[name + ".yaml"] = map_text(name);
        return out;
    }
    bool gone(const std::string& name) { return absent(in_ns(config_map(name, ""))); }
    // An applied Kustomization of the ConfigMap "refused", which the API server will not delete until faults_->heal().
    Object whose_delete_is_refused() {
        options_.backoff = {.min = std::chrono::milliseconds(100), .max = std::chrono::milliseconds(1000)};
        publish("main@sha1:1", maps({"refused"}));
        const Object k = make(kustomization("app", "./"));
        start_agent();
        await(k, applied("main@sha1:1"));
        faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "delete", .path = "/configmaps/refused", .probability = 1});
        return k;
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationPrunes, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

constexpr const char* kHold = "metadata: {finalizers: [example.org/hold]}\n";
constexpr const char* kRelease = "metadata: {finalizers: null}\n";

TEST_P(KustomizationPrunes, WhatStaysLeavesTheInventory) { // items 64 to 66, 70
    auto files = maps({"base", "disabled", "ignored", "foreign", "held", "plain"});
    files["once.yaml"] = map_text("once", note("ssa", "IfNotPresent"));
    options_.prune_guard = false;
    options_.direct_source_fetch = true; // the resumed run must not see the old revision: it would take the labels for drift
    publish("main@sha1:1", files);
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    patch(k, "spec: {suspend: true}\n"); // so that the labels are no drift
    await(k, [](const Object& o) { return status_of(o).observed_generation == o.generation(); });
    patch(in_ns(config_map("disabled", "")), "metadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}\n");
    patch(in_ns(config_map("ignored", "")), "metadata: {labels: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}\n");
    patch(in_ns(config_map("foreign", "")), "metadata: {labels: {kustomize.toolkit.fluxcd.io/name: other}}\n");
    patch(in_ns(config_map("held", "")), kHold);
    publish("main@sha1:2", maps({"base"}));
    patch(k, "spec: {suspend: false}\n");
    const Object done = await(k, applied("main@sha1:2"));
    EXPECT_EQ(inventory_of(done), std::vector<std::string>{"ConfigMap/base"}) << "the held one, too, has left";
    for (const char* name : {"disabled", "ignored", "foreign"}) EXPECT_FALSE(gone(name)) << name;
    EXPECT_TRUE(live(in_ns(config_map("held", ""))).deleting());
    EXPECT_TRUE(gone("once"));
    EXPECT_TRUE(gone("plain"));
    const std::string in = "/" + ns_ + "/";
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "Progressing", "deleted")).text_at("message"),
              "ConfigMap" + in + "plain deleted\nConfigMap" + in + "once deleted\nConfigMap" + in + "ignored skipped\nConfigMap" + in + "held deleted\nConfigMap" + in + "foreign skipped\nConfigMap" + in +
                  "disabled skipped");
    patch(in_ns(config_map("held", "")), kRelease);
    // Everything goes, and comes back.
    publish("main@sha1:3", {});
    EXPECT_TRUE(inventory_of(await(k, applied("main@sha1:3"))).empty());
    EXPECT_TRUE(gone("base"));
    publish("main@sha1:4", maps({"base"}));
    await(k, applied("main@sha1:4"));
    EXPECT_FALSE(gone("base"));
}

TEST_P(KustomizationPrunes, FinalizationKeepsTheSameObjects) { // items 64, 65
    std::map<std::string, std::string> files;
    for (const auto& [path, text] : maps({"disabled", "ignored", "plain"})) files["app/" + path] = text;
    files["app/once.yaml"] = map_text("once", note("ssa", "IfNotPresent"));
    files["foreign/a.yaml"] = map_text("foreign");
    publish("main@sha1:1", files);
    const Object k = make(kustomization("app", "./app")), foreign = make(kustomization("foreign", "./foreign", "commonMetadata: {labels: {kustomize.toolkit.fluxcd.io/name: other}}"));
    start_agent();
    for (const Object& each : {k, foreign}) await(each, applied("main@sha1:1"));
    ASSERT_TRUE(api().remove(kube::ref_of(foreign)).has_value());
    await_gone(foreign);
    EXPECT_FALSE(gone("foreign"));
    patch(in_ns(config_map("disabled", "")), "metadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}\n");
    patch(in_ns(config_map("ignored", "")), "metadata: {labels: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}\n");
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    await_gone(in_ns(config_map("plain", "")));
    await_gone(in_ns(config_map("once", "")));
    for (const char* name : {"disabled", "ignored"}) {
        EXPECT_FALSE(gone(name)) << name;
        events_seen_.await(EventReceiver::of("app", "", "ConfigMap/" + ns_ + "/" + name + " skipped"));
    }
}

TEST_P(KustomizationPrunes, ARefusedDeleteSurvivesAndIsTriedAgain) { // items 67, 68
    publish("main@sha1:1", maps({"base", "allowed", "refused"}));
    const Object k = make(kustomization("app", "./", "retryInterval: 1s"));
    start_agent();
    await(k, applied("main@sha1:1"));
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "delete", .path = "/configmaps/refused", .probability = 1});
    publish("main@sha1:2", maps({"base"}));
    const Object failed = await(k, ready("False", "PruneFailed", "ConfigMap/" + ns_ + "/refused delete failed: "));
    EXPECT_EQ(inventory_of(failed), (std::vector<std::string>{"ConfigMap/base", "ConfigMap/refused"}));
    EXPECT_EQ(status_of(failed).history.front().last_status, "PruneFailed");
    EXPECT_TRUE(gone("allowed"));
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "PruneFailed", "delete failed, errors: ")).text_at("severity"), "error");
    faults_->heal();
    await(k, applied("main@sha1:2"));
    EXPECT_TRUE(gone("refused"));
}

TEST_P(KustomizationPrunes, Policies) { // items 69, 71, a row each
    struct Row {
        std::string name, spec;
        bool deletes;
    };
    const Row rows[] = {{"a", "prune: false, deletionPolicy: Delete", true},   {"b", "prune: true, deletionPolicy: MirrorPrune", true}, {"c", "prune: true, deletionPolicy: Orphan", false},
                        {"d", "prune: false, deletionPolicy: MirrorPrune", false}, {"e", "prune: true", true}, {"f", "prune: false, deletionPolicy: WaitForTermination", true}};
    std::map<std::string, std::string> files;
    for (const Row& row : rows) files[row.name + "/a.yaml"] = map_text(row.name), files[row.name + "/b.yaml"] = map_text(row.name + "-stale");
    publish("main@sha1:1", files);
    for (const Row& row : rows) {
        Object k = kustomization(row.name, "./" + row.name);
        const Object spec = object_of("{" + row.spec + "}");
        for (const char* field : {"prune", "deletionPolicy"})
            if (const Node* value = spec.root().find(field)) k.root().find_mut("spec")->set(field, *value);
        make(k);
    }
    start_agent();
    for (const Row& row : rows) await(kustomization(row.name, ""), applied("main@sha1:1"));
    for (const Row& row : rows) files.erase(row.name + "/b.yaml");
    publish("main@sha1:2", files);
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const bool prunes = row.spec.find("prune: true") != std::string::npos;
        EXPECT_EQ(inventory_of(await(kustomization(row.name, ""), applied("main@sha1:2"))), std::vector<std::string>{"ConfigMap/" + row.name});
        EXPECT_EQ(gone(row.name + "-stale"), prunes);
        ASSERT_TRUE(api().remove(kube::ref_of(kustomization(row.name, ""))).has_value());
    }
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        await_gone(kustomization(row.name, ""));
        EXPECT_EQ(gone(row.name), row.deletes);
    }
}

TEST_P(KustomizationPrunes, WaitsForTermination) { // item 73; the timeout's end is Once.DeletionPoliciesDecideWhatStays'
    publish("main@sha1:1", maps({"held"}));
    const Object k = make(kustomization("app", "./", "deletionPolicy: WaitForTermination"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Object held = in_ns(config_map("held", ""));
    patch(held, kHold);
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await(held, [](const Object& o) { return o.deleting(); });
    events_seen_.await(EventReceiver::of("app", "ReconciliationSucceeded", "ConfigMap/" + ns_ + "/held deleted")); // not when the wait is over
    EXPECT_FALSE(absent(k));
    patch(held, kRelease);
    await_gone(k);
}

// Somebody wrote into the inventory. What else the status says stays, and what the inventory names is still ours to delete.
TEST_P(KustomizationPrunes, AnInventoryEntryThatIsNoneIsLeftOut) {
    options_.prune_guard = false;
    publish("main@sha1:1", maps({"a", "b"}));
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    patch(k, "status: {inventory: {entries: [{id: nonsense, v: v1}, {id: NS_a__ConfigMap, v: v1}, {id: NS_b__ConfigMap, v: v1}]},\n"
             "  conditions: [{type: Mine, status: 'True', reason: R, message: m, lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n", "status");
    publish("main@sha1:2", maps({"b"}));
    const Object after = await(k, applied("main@sha1:2"));
    EXPECT_EQ(inventory_of(after), std::vector<std::string>{"ConfigMap/b"});
    EXPECT_TRUE(gone("a"));
    EXPECT_EQ(status_of(after).history.size(), 2u);
    EXPECT_NE(status_of(after).find("Mine"), nullptr);
}

TEST_P(KustomizationPrunes, WhoAsksOneThatIsLeavingIsAnswered) { // kustomization.md 1.2: lastHandledReconcileAt follows every run
    const Object k = whose_delete_is_refused();
    patch(k, "metadata: {finalizers: [finalizers.fluxcd.io, example.org/other]}\n");
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    ask(k, "while-it-is-stuck");
    faults_->heal();
    await(k, [](const Object& o) { return o.at({"metadata", "finalizers"})->size() == 1; });
    EXPECT_TRUE(gone("refused"));
    ask(k, "while-others-hold-it");
    patch(k, "metadata: {finalizers: null}\n");
    await_gone(k);
}

TEST_P(KustomizationPrunes, ARefusedDeleteKeepsTheKustomization) { // item 76
    const Object k = whose_delete_is_refused();
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "", "pruning for deleted resource failed")).text_at("severity"), "error");
    EXPECT_FALSE(absent(k));
    faults_->heal();
    await_gone(k);
    EXPECT_TRUE(gone("refused"));
}

TEST_P(KustomizationPrunes, AnAccountThatCannotBeReadIsNotTakenForGone) { // item 74; Flux orphans the objects then
    if (!cluster_.is_real()) GTEST_SKIP() << "needs RBAC";
    options_.backoff = {.min = std::chrono::milliseconds(100), .max = std::chrono::milliseconds(1000)};
    make(in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: deployer}\n"));
    make(in_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: deployer}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]\n"));
    make(in_ns(with_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: deployer}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}\n"
                       "subjects: [{kind: ServiceAccount, name: deployer, namespace: NS}]\n")));
    publish("main@sha1:1", maps({"one"}));
    const Object k = make(kustomization("app", "./", "serviceAccountName: deployer"));
    start_agent();
    await(k, applied("main@sha1:1"));
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "get", .path = "/serviceaccounts/deployer", .probability = 1, .times = 1});
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    await_gone(in_ns(config_map("one", "")));
}

TEST_P(KustomizationPrunes, TheGuardStopsWhatLooksLikeAnAccident) { // three triggers; `always`, the token, and the change taken back
    std::map<std::string, std::string> files{{"all/a.yaml", map_text("all")}};
    for (int i = 0; i < 20; ++i) files["half/" + std::to_string(i) + ".yaml"] = map_text("half" + std::to_string(i));
    const std::string inner = ns_ + "-in";
    files["space/ns.yaml"] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + inner + "}\n";
    files["space/cm.yaml"] = map_text("space");
    publish("main@sha1:1", files);
    const Object all = make(kustomization("all", "./all")), half = make(kustomization("half", "./half")), space = make(kustomization("space", "./space"));
    start_agent();
    for (const Object& k : {all, half, space}) await(k, applied("main@sha1:1"));
    make(object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: precious, namespace: " + inner + "}\n"));

    auto fewer = files;
    fewer.erase("all/a.yaml");
    fewer["all/kustomization.yaml"] = "resources: []\n";
    for (int i = 0; i < 11; ++i) fewer.erase("half/" + std::to_string(i) + ".yaml");
    fewer.erase("space/ns.yaml");
    publish("main@sha1:2", fewer);
    const auto stopped = [&](const Object& k, const std::string& names) {
        const Object o = await(k, ready("False", "PruneGuard", names));
        EXPECT_TRUE(status_of(o).is_true("Stalled"));
        return o;
    };
    stopped(all, "ConfigMap/" + ns_ + "/all");
    const std::string message = status_of(stopped(half, "ConfigMap/" + ns_ + "/half10")).find("Ready")->message;
    const Object in_space = stopped(space, "Namespace/" + inner);
    EXPECT_FALSE(gone("all"));
    EXPECT_FALSE(gone("half0"));
    EXPECT_EQ(inventory_of(in_space).size(), 2u) << "nothing is forgotten";

    patch(all, "metadata: {annotations: {weber.dev/allow-prune: always}}\n");
    await(all, applied("main@sha1:2"));
    EXPECT_TRUE(gone("all"));
    const std::size_t at = message.find("weber.dev/allow-prune: "); // the message says how to go on
    ASSERT_NE(at, message.npos) << message;
    const std::string token = message.substr(at + 23, message.find(" on the Kustomization", at) - at - 23);
    patch(half, "metadata: {annotations: {weber.dev/allow-prune: '" + token + "'}}\n");
    await(half, applied("main@sha1:2"));
    EXPECT_TRUE(gone("half0"));
    EXPECT_FALSE(gone("half19"));
    fewer["space/ns.yaml"] = files["space/ns.yaml"];
    publish("main@sha1:3", fewer);
    const Object back = await(space, applied("main@sha1:3"));
    EXPECT_EQ(status_of(back).find("PruneGuard"), nullptr);
    EXPECT_EQ(status_of(back).find("Stalled"), nullptr);
    patch(space, "metadata: {annotations: {weber.dev/allow-prune: always}}\n");
    (void)api().remove({.gvk = {"", "v1", "Namespace"}, .name = inner});
}

// A definition goes with all objects of its kind: those of others stop it, its own do not.
TEST_P(KustomizationPrunes, TheGuardKeepsADefinitionThatIsInUse) {
    const std::string group = ns_ + ".example.org";
    const auto definition = [&](const std::string& kind, const std::string& plural) {
        return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + plural + "." + group + "}\nspec: {group: " + group +
               ", scope: Namespaced, names: {kind: " + kind + ", plural: " + plural + "}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n";
    };
    const auto custom = [&](const std::string& kind, const std::string& name) {
        return "apiVersion: " + group + "/v1\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\n";
    };
    const std::map<std::string, std::string> stays{{"cm0.yaml", map_text("cm0")}, {"cm1.yaml", map_text("cm1")}, {"cm2.yaml", map_text("cm2")}};
    auto files = stays;
    files["used.yaml"] = definition("Used", "useds");
    files["unused.yaml"] = definition("Unused", "unuseds");
    files["own.yaml"] = custom("Unused", "own"); // deleted by name in the same breath
    publish("main@sha1:1", files);
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Object theirs = make(object_of(custom("Used", "precious")));

    publish("main@sha1:2", stays);
    const Object o = await(k, ready("False", "PruneGuard", "CustomResourceDefinition/useds." + group + " and with it 1 object"));
    const std::string message = status_of(o).find("Ready")->message;
    EXPECT_THAT(message, ::testing::HasSubstr("Used/" + ns_ + "/precious"));
    EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("would delete CustomResourceDefinition/unuseds")));
    EXPECT_TRUE(status_of(o).is_true("Stalled"));
    EXPECT_FALSE(absent(theirs));
    EXPECT_FALSE(absent(object_of(custom("Unused", "own")))) << "nothing of a stopped prune is deleted";
    EXPECT_EQ(inventory_of(o).size(), 6u);

    ASSERT_TRUE(api().remove(kube::ref_of(theirs)).has_value()); // nobody uses it any more
    ask(k, "again");
    await(k, applied("main@sha1:2"));
    await_gone(object_of(files["used.yaml"]));
    await_gone(object_of(files["unused.yaml"]));
}

} // namespace
} // namespace weber::agent
