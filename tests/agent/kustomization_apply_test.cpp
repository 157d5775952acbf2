// What the agent applies: kustomization.md section 9, items 49 to 62, and what that costs in requests.
#include "tests/agent/kustomization_fixture.h"
#include "tests/gitops/decrypt/vectors.h"

namespace weber::agent {
namespace {

class KustomizationApplies : public KustomizationRuns {
protected:
    std::string map_text(const std::string& name, const std::string& value, const std::string& metadata = {}) {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + metadata + "}\ndata: {k: " + value + "}\n";
    }
    static std::string note(const std::string& key, const std::string& value) { return ", annotations: {kustomize.toolkit.fluxcd.io/" + key + ": " + value + "}"; }
    // A role in the test's namespace for one of its accounts.
    void grant(const std::string& account, const std::string& rules) {
        make(in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " + account + "}\n"));
        make(in_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: " + account + "}\nrules: " + rules + "\n"));
        make(in_ns(with_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: " + account + "}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: " +
                           account + "}\nsubjects: [{kind: ServiceAccount, name: " + account + ", namespace: NS}]\n")));
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationApplies, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(KustomizationApplies, DefinitionsNamespacesAndCustomResourcesInOneRun) { // item 49
    const std::string group = ns_ + ".example.org", inner = ns_ + "-in";
    publish("main@sha1:1", {{"all.yaml", "apiVersion: " + group + "/v1\nkind: Thing\nmetadata: {name: t, namespace: " + inner + "}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + inner +
                                             "}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things." + group + "}\nspec: {group: " + group +
                                             ", scope: Namespaced, names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}, versions: [{name: v1, served: true, storage: true, "
                                             "schema: {openAPIV3Schema: {type: object}}}]}\n"}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    const Object done = await(k, applied("main@sha1:1"));
    EXPECT_EQ(inventory_of(done), (std::vector<std::string>{"CustomResourceDefinition/things." + group, "Namespace/" + inner, "Thing/t"}));
    EXPECT_TRUE(status_of(done).find("Stalled") == nullptr);
    const Node event = events_seen_.await(EventReceiver::of("app", "Progressing", "created"));
    EXPECT_EQ(event.text_at("message"), "CustomResourceDefinition/things." + group + " created\nNamespace/" + inner + " created\nThing/" + inner + "/t created"); // item 59
    EXPECT_EQ(event.find("metadata")->text_at("kustomize.toolkit.fluxcd.io/revision"), "main@sha1:1");
    options_.prune_guard = false;
    patch(k, "spec: {deletionPolicy: WaitForTermination}\n");
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
}

TEST_P(KustomizationApplies, SwitchesOnObjects) { // items 52 to 54
    publish("main@sha1:1", {{"a.yaml", map_text("off", "git")}, {"b.yaml", map_text("never", "git", note("ssa", "Ignore"))}, {"c.yaml", map_text("once", "git", note("ssa", "IfNotPresent"))}});
    const Object k = make(kustomization("app", "./", "wait: true"));
    start_agent();
    const Object first = await(k, applied("main@sha1:1"));
    EXPECT_TRUE(absent(in_ns(config_map("never", "")))) << "never made, and not waited for";
    EXPECT_EQ(inventory_of(first), (std::vector<std::string>{"ConfigMap/never", "ConfigMap/off", "ConfigMap/once"}));
    const std::string edited = "metadata: {labels: {kustomize.toolkit.fluxcd.io/reconcile: Disabled}}\ndata: {k: edited}\n";
    patch(in_ns(config_map("off", "")), edited);
    patch(in_ns(config_map("once", "")), "data: {k: edited}\n");
    ask(k, "one");
    EXPECT_EQ(value_of("off"), "edited");
    EXPECT_EQ(value_of("once"), "edited");
    patch(in_ns(config_map("off", "")), "metadata: {labels: {kustomize.toolkit.fluxcd.io/reconcile: enabled}}\n");
    ask(k, "two");
    EXPECT_EQ(value_of("off"), "git");
    EXPECT_EQ(value_of("once"), "edited");
}

TEST_P(KustomizationApplies, ImmutableFields) { // item 55
    const auto secret = [&](const std::string& name, const std::string& value, const std::string& metadata = {}) {
        return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: " + ns_ + metadata + "}\nimmutable: true\nstringData: {k: v" + value + "}\n";
    };
    publish("main@sha1:1", {{"a/s.yaml", secret("kept", "1")}, {"b/s.yaml", secret("forced", "1")}, {"c/s.yaml", secret("marked", "1", note("force", "Enabled"))}});
    const Object a = make(kustomization("a", "./a")), b = make(kustomization("b", "./b", "force: true")), c = make(kustomization("c", "./c"));
    start_agent();
    for (const Object& k : {a, b, c}) await(k, applied("main@sha1:1"));
    const auto uid = [&](const std::string& name) { return std::string(live(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\n")).uid()); };
    const std::string kept = uid("kept"), forced = uid("forced"), marked = uid("marked");
    publish("main@sha1:2", {{"a/s.yaml", secret("kept", "2")}, {"b/s.yaml", secret("forced", "2")}, {"c/s.yaml", secret("marked", "2", note("force", "Enabled"))}});
    await(a, ready("False", "ReconciliationFailed", "field is immutable"));
    EXPECT_EQ(events_seen_.await(EventReceiver::of("a", "ReconciliationFailed", "field is immutable")).text_at("severity"), "error");
    await(b, applied("main@sha1:2"));
    await(c, applied("main@sha1:2"));
    EXPECT_EQ(uid("kept"), kept);
    EXPECT_NE(uid("forced"), forced);
    EXPECT_NE(uid("marked"), marked);
}

TEST_P(KustomizationApplies, FieldsOfOthers) { // item 56
    options_.override_managers = {"node-fetch"};
    publish("main@sha1:1", {{"a.yaml", map_text("one", "git")}, {"b.yaml", map_text("merged", "git", note("ssa", "Merge"))}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const auto set = [&](const std::string& name, const std::string& key, const std::string& manager) {
        const auto done = api().patch(kube::ref_of(in_ns(config_map(name, ""))), kube::PatchType::merge, object_of("data: {" + key + ": x}\n").root(), {.field_manager = manager});
        ASSERT_TRUE(done.has_value());
    };
    set("one", "fetched", "node-fetch");
    set("one", "edited", "kubectl-edit");
    set("one", "others", "somebody");
    set("merged", "edited", "kubectl-edit");
    publish("main@sha1:2", {{"a.yaml", map_text("one", "git2")}, {"b.yaml", map_text("merged", "git2", note("ssa", "Merge"))}});
    await(k, applied("main@sha1:2"));
    const Object one = live(in_ns(config_map("one", ""))), merged = live(in_ns(config_map("merged", "")));
    EXPECT_EQ(one.at({"data", "fetched"}), nullptr);
    EXPECT_EQ(one.at({"data", "edited"}), nullptr);
    EXPECT_NE(one.at({"data", "others"}), nullptr);
    EXPECT_NE(merged.at({"data", "edited"}), nullptr);
}

TEST_P(KustomizationApplies, IgnoredPaths) { // item 57
    publish("main@sha1:1", {{"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: " + ns_ + "}\ndata: {k: git, free: git}\n"}});
    const Object k = make(kustomization("app", "./", "ignore: [{paths: [/data/free], target: {kind: ConfigMap}}]"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Object one = in_ns(config_map("one", ""));
    patch(one, "data: {free: edited}\n");
    ask(k, "one");
    EXPECT_EQ(live(one).at({"data", "free"})->text(), "edited");
    patch(one, "data: {k: edited}\n");
    const Object back = await(one, [](const Object& o) { return o.at({"data", "k"})->text() == "git"; });
    EXPECT_EQ(back.at({"data", "free"})->text(), "edited");
}

TEST_P(KustomizationApplies, AFailingStageTellsOfTheStagesBeforeIt) { // item 58; all refusals of a stage at once
    const std::string inner = ns_ + "-in";
    publish("main@sha1:1", {{"a.yaml", map_text("one", "v")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    publish("main@sha1:2", {{"a.yaml", map_text("one", "v")}, {"ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + inner + "}\n"},
                            {"b.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: Bad_Name, namespace: " + ns_ + "}\nspec: {ports: [{port: 80}]}\n"},
                            {"c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: " + ns_ + "}\nmisspelt: {}\n"}});
    const Object failed = await(k, ready("False", "ReconciliationFailed", "Namespace/" + inner + " created\n"));
    const std::string message = status_of(failed).find("Ready")->message;
    EXPECT_TRUE(message.ends_with("Namespace/" + inner + " created\n")) << message;
    EXPECT_NE(message.find("Service/" + ns_ + "/Bad_Name dry-run failed"), message.npos) << message;
    EXPECT_NE(message.find("ConfigMap/" + ns_ + "/c dry-run failed"), message.npos) << "both are told in one pass: " << message;
    // What was made is tracked; Flux forgets it (docs/differences.md).
    const auto entries = inventory_of(failed);
    EXPECT_NE(std::ranges::find(entries, "Namespace/" + inner), entries.end());
    EXPECT_NE(std::ranges::find(entries, "ConfigMap/one"), entries.end());
    EXPECT_EQ(status_of(failed).history.front().last_status, "ReconciliationFailed");
    (void)api().remove({.gvk = {"", "v1", "Namespace"}, .name = inner});
}

// What a run left alone it looks at again with the next interval, as Flux does: it may not be left alone any more.
TEST_P(KustomizationApplies, WhatWasSkippedIsLookedAtByTheNextInterval) { // items 52, 54
    const std::string once = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: once, namespace: " + ns_ + ", annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}\ndata: {k: '1'}\n";
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}, {"b.yaml", once}});
    const Object k = make(each_second(kustomization("app", "./")));
    start_agent();
    await(k, applied("main@sha1:1"));
    const auto by_somebody = [&](const char* change) {
        ASSERT_TRUE(api().patch(kube::ref_of(in_ns(config_map("one", ""))), kube::PatchType::merge, object_of(change).root(), {.field_manager = "somebody"}).has_value());
    };
    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished");
    by_somebody("metadata: {annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}\ndata: {k: mine}\n");
    events_seen_.await(finished, events_seen_.count(finished) + 3);
    EXPECT_EQ(value_of("one"), "mine");
    by_somebody("metadata: {annotations: {kustomize.toolkit.fluxcd.io/reconcile: enabled}}\n");
    await(in_ns(config_map("one", "")), [](const Object& o) { return o.at({"data", "k"})->text() == "1"; });

    events_seen_.await(finished, events_seen_.count(finished) + 3);
    ASSERT_TRUE(api().remove(kube::ref_of(object_of(once))).has_value());
    await(object_of(once), [](const Object&) { return true; });
}

// --override-manager: what such a manager adds goes away again, as what kubectl adds.
TEST_P(KustomizationApplies, FieldsOfManagersToOverrideAreDrift) { // item 56
    options_.override_managers = {"node-fetch"};
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(each_second(kustomization("app", "./")));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished");
    events_seen_.await(finished, events_seen_.count(finished) + 2);
    for (const char* manager : {"somebody", "node-fetch"})
        ASSERT_TRUE(api().patch(kube::ref_of(in_ns(config_map("one", ""))), kube::PatchType::merge, Node::map({{"data", Node::map({{manager, Node::string("x")}})}}), {.field_manager = manager}).has_value());
    const Object after = await(in_ns(config_map("one", "")), [](const Object& o) { return o.at({"data", "node-fetch"}) == nullptr; });
    EXPECT_EQ(after.at({"data", "somebody"})->text(), "x");
}

TEST_P(KustomizationApplies, AnAccountsRightsDecide) { // items 50, 60, 74
    if (!cluster_.is_real()) GTEST_SKIP() << "needs RBAC";
    grant("deployer", "[{apiGroups: [''], resources: [configmaps], verbs: [get, list, watch, create, patch, delete]}, "
                      "{apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [get, list, watch, create, patch, update, delete]}, {apiGroups: [''], resources: [pods], verbs: [get]}]");
    options_.default_service_account = "nobody";
    publish("main@sha1:1", {{"a/cm.yaml", map_text("a", "v")}, {"b/cm.yaml", map_text("b", "v")}, {"c/cm.yaml", map_text("c", "v") + "---\n" + map_text("d", "v")}});
    const Object a = make(kustomization("a", "./a", "serviceAccountName: deployer")), b = make(kustomization("b", "./b")), c = make(kustomization("c", "./c", "serviceAccountName: deployer"));
    start_agent();
    await(b, ready("False", "ReconciliationFailed", "system:serviceaccount:" + ns_ + ":nobody"));
    await(a, applied("main@sha1:1"));
    await(c, applied("main@sha1:1"));
    ASSERT_TRUE(api().remove(kube::ref_of(a)).has_value());
    await_gone(a);
    await_gone(in_ns(config_map("a", "")));
    // Without the account nothing can be deleted: the objects stay, and it is said.
    ASSERT_TRUE(api().remove({{"", "v1", "ServiceAccount"}, ns_, "deployer"}).has_value());
    ASSERT_TRUE(api().remove(kube::ref_of(c)).has_value());
    await_gone(c);
    const Node told = events_seen_.await(EventReceiver::of("c", "", "unable to prune objects"));
    EXPECT_EQ(told.text_at("severity"), "error");
    EXPECT_EQ(told.text_at("message"), "unable to prune objects: \nConfigMap/" + ns_ + "/c\nConfigMap/" + ns_ + "/d");
    EXPECT_EQ(value_of("c"), "v");
}

TEST_P(KustomizationApplies, RolesHaveAStageWhenTheyAreNamed) { // item 50
    if (!cluster_.is_real()) GTEST_SKIP() << "needs RBAC";
    grant("deployer", "[{apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [get, list, watch, create, patch, update, delete]}, {apiGroups: [''], resources: [pods], verbs: [get]}]");
    const std::string roles = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: " + ns_ + "}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n---\n"
                              "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: reader, namespace: " + ns_ + "}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}\n"
                              "subjects: [{kind: User, name: someone, apiGroup: rbac.authorization.k8s.io}]\n";
    publish("main@sha1:1", {{"roles.yaml", roles}});
    const Object k = make(kustomization("app", "./", "serviceAccountName: deployer"));
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "RoleBinding/" + ns_ + "/reader not found: "));
    await(k, ready("False", "ReconciliationFailed", ".rbac.authorization.k8s.io \"reader\" not found"));
    stop_agent();
    options_.custom_stage_kinds = {{"rbac.authorization.k8s.io", "Role"}};
    start_agent();
    await(k, applied("main@sha1:1"));
}

TEST_P(KustomizationApplies, OneWayToReachAnotherClusterMustBeNamed) { // item 62
    if (!cluster_.is_real()) GTEST_SKIP() << "the embedded server evaluates no rules of definitions";
    for (const char* wrong : {"kubeConfig: {}", "kubeConfig: {secretRef: {name: a}, configMapRef: {name: b}}"}) {
        const auto refused = api().create(kustomization("app", "./", wrong));
        ASSERT_FALSE(refused.has_value()) << wrong;
        EXPECT_NE(refused.error().message.find("exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"), std::string::npos) << refused.error().message;
    }
}

TEST_P(KustomizationApplies, TheApiServerRefusesUrlsThatAreNone) { // sources.md 10, item 1
    for (const char* url : {"git@host:o/r.git", "host/o/r.git", "ftp://host/o/r.git"}) {
        Object source = in_ns("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: wrong}\nspec: {interval: 1h}\n");
        Node spec = *source.at({"spec"});
        spec.set("url", Node::string(url));
        source.root().set("spec", std::move(spec));
        const auto refused = api().create(source);
        ASSERT_FALSE(refused.has_value()) << url;
        EXPECT_NE(refused.error().message.find("spec.url in body should match"), std::string::npos) << refused.error().message;
    }
}

TEST_P(KustomizationApplies, RequestsAreCounted) { // a first run costs at most 2n + 7, a no-op interval at most 2
    constexpr unsigned n = 20;
    std::map<std::string, std::string> files;
    for (const unsigned size : {1u, 5u, n, 50u})
        for (unsigned i = 0; i < size; ++i) {
            const std::string name = std::to_string(size) + "-" + std::to_string(i);
            files[std::to_string(size) + "/" + name + ".yaml"] = map_text("cm" + name, "v");
        }
    publish("main@sha1:1", files);
    make(kustomization("other", "./", "suspend: true"));
    start_agent();
    await(kustomization("other", ""), [](const Object& o) { return o.at({"metadata", "finalizers"}) != nullptr; }); // all watches stand
    const auto requests = [this] {
        const auto c = client_->counts();
        return c.get + c.list + c.create + c.update + c.patch + c.apply + c.dry_run + c.remove;
    };
    Object k;
    for (const unsigned size : {1u, 5u, 50u, n}) {
        const auto before = requests();
        const std::string name = size == n ? "app" : "app" + std::to_string(size);
        k = make(kustomization(name, "./" + std::to_string(size)));
        await(k, applied("main@sha1:1"));
        await_settled(name);
        ASSERT_TRUE(events_->flush(kPatience));
        EXPECT_LE(requests() - before, 2u * size + 7) << size << " objects";
    }
    const auto settled = requests();
    ask(k, "one");
    ASSERT_TRUE(events_->flush(kPatience));
    const auto asked = requests();
    EXPECT_LE(asked - settled, 2 + n) << "a run that a person asks for checks each object";
    patch(k, "spec: {interval: 1s}\n"); // a generation of its own; then intervals
    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished");
    events_seen_.await(finished, events_seen_.count(finished) + 2);
    ASSERT_TRUE(events_->flush(kPatience));
    const auto start = requests();
    const std::size_t runs = events_seen_.count(finished);
    events_seen_.await(finished, runs + 3);
    const auto end = requests();
    const auto between = events_seen_.count(finished) - runs;
    EXPECT_LE(end - start, 2 * (between + 1));
}

// However many ConfigMaps and Secrets it refers to; counted where the requests go out.
TEST_P(KustomizationApplies, AFirstRunWithReferencesCostsNoMore) {
    std::map<std::string, std::string> files{{"none/a.yaml", config_map("none", "1")}};
    for (const char* name : {"one", "some", "many", "keys", "global"}) files[std::string(name) + "/a.yaml"] = config_map(name, "${a}${b:=}${c:=}");
    publish("main@sha1:1", files);
    for (const char* name : {"a", "b", "c", "d"}) {
        make(in_ns(std::string("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars-") + name + "}\ndata: {" + name + ": x}\n"));
        make(in_ns(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: more-") + name + "}\nstringData: {" + name + ": x}\n"));
    }
    options_.runtime_namespace = cluster_.make_namespace();
    options_.sops_age_secret = "age";
    Object keys = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: age}\nstringData: {k.agekey: " + std::string(gitops::test::kAgeSecret) + "}\n");
    keys.set_ns(options_.runtime_namespace);
    make(keys);
    start_agent();
    const auto cost = [this](const std::string& name, const std::string& more) {
        faults_->reset_counts();
        await(make(kustomization(name, "./" + name, more)), applied("main@sha1:1"));
        EXPECT_TRUE(events_->flush(kPatience));
        auto by_verb = faults_->counts();
        by_verb.erase("watch"); // those stay open
        int all = 0;
        for (const auto& [verb, n] : by_verb) all += n;
        return all;
    };
    cost("none", ""); // all watches stand
    const auto from = [](std::initializer_list<std::string> names) {
        std::string out;
        for (const std::string& n : names) out += (out.empty() ? "{kind: " : ", {kind: ") + std::string(n.starts_with("vars") ? "ConfigMap" : "Secret") + ", name: " + n + ", optional: true}";
        return "substituteFrom: [" + out + "]";
    };
    constexpr int kMost = 2 * 1 + 7;
    EXPECT_LE(cost("one", "postBuild: {" + from({"vars-a"}) + "}"), kMost);
    EXPECT_LE(cost("some", "postBuild: {" + from({"vars-a", "more-b"}) + "}"), kMost);
    EXPECT_LE(cost("many", "postBuild: {" + from({"vars-a", "more-b", "vars-c", "more-d", "vars-absent", "more-absent"}) + "}"), kMost);
    EXPECT_LE(cost("keys", "decryption: {provider: sops, secretRef: {name: more-d}}, postBuild: {" + from({"vars-a", "vars-b", "more-c"}) + "}"), kMost);
    EXPECT_LE(cost("global", "decryption: {provider: sops}, postBuild: {" + from({"vars-a", "vars-b", "more-c", "more-d"}) + "}"), kMost) << "with the controller's own keys";
}

} // namespace
} // namespace weber::agent
