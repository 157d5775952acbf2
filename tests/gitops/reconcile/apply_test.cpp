// The apply engine against both API servers, with the same expectations. Numbers are items of apply.md section 10.
#include "gitops/reconcile/apply.h"

#include <gmock/gmock.h>

#include "kube/base/json.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Apply : public OnClusters {};
WEBER_ON_CLUSTERS(Apply);

// 1, 4: Flux pays GET, dry run and apply; the dry run alone tells that the object is new.
TEST_P(Apply, NewObjectCostsDryRunAndApply) {
    EXPECT_EQ(lines(apply({config_map("a")})), "ConfigMap/a created\n");
    EXPECT_EQ(verbs(), (Strings{"dry-run apply", "apply"}));
}

// 2
TEST_P(Apply, EqualObjectIsReadAndLeftAlone) {
    apply({config_map("a")});
    const std::string version(live(config_map("a")).resource_version());
    verbs();
    const ChangeSet again = apply({config_map("a")});
    EXPECT_EQ(lines(again), "ConfigMap/a unchanged\n");
    EXPECT_FALSE(again.any_change());
    EXPECT_EQ(verbs(), (Strings{"dry-run apply", "get"}));
    EXPECT_EQ(live(config_map("a")).resource_version(), version);
}

// 3
TEST_P(Apply, OneChangedOfFiveIsOneWrite) {
    std::vector<Object> set;
    for (const char* name : {"a", "b", "c", "d", "e"}) set.push_back(config_map(name));
    apply(set);
    set[2] = config_map("c", "new");
    verbs();
    const ChangeSet changed = apply(set);
    EXPECT_EQ(lines(changed), "ConfigMap/a unchanged\nConfigMap/b unchanged\nConfigMap/c configured\nConfigMap/d unchanged\nConfigMap/e unchanged\n");
    EXPECT_EQ(std::ranges::count(verbs(), "apply"), 1);
    EXPECT_EQ(changed.changes[2].reason, "data.k");
    EXPECT_EQ(live_text(set[2], {"data", "k"}), "new");
}

// 4
TEST_P(Apply, DryRunStoresNothing) {
    const ChangeSet plan = apply({config_map("a")}, {.dry_run = true});
    EXPECT_EQ(lines(plan), "ConfigMap/a created\n");
    EXPECT_TRUE(absent(config_map("a")));
    EXPECT_EQ(verbs(), Strings{"dry-run apply"});
}

// 5
TEST_P(Apply, RequestsAsFluxSendsThem) {
    apply({config_map("a")});
    std::vector<SeenRequest> patches;
    for (SeenRequest& r : recorder_->take())
        if (r.verb != "other") patches.push_back(std::move(r));
    ASSERT_EQ(patches.size(), 2u);
    const std::string path = "/api/v1/namespaces/" + ns_ + "/configmaps/a?";
    EXPECT_EQ(patches[0].target, path + "dryRun=All&fieldManager=kustomize-controller&force=true");
    EXPECT_EQ(patches[1].target, path + "fieldManager=kustomize-controller&force=true");
    for (const SeenRequest& r : patches) {
        EXPECT_EQ(r.content_type, "application/apply-patch+yaml");
        EXPECT_TRUE(kube::read_json(r.body).has_value()) << r.body;
    }
}

// 2n + 7 requests for a first apply of n objects, discovery included.
TEST_P(Apply, RequestsOfAFirstApply) {
    std::vector<Object> set;
    for (int i = 0; i < 30; ++i) set.push_back(config_map("c" + std::to_string(i)));
    set.push_back(in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\n"));
    recorder_->take();
    EXPECT_TRUE(apply(set).errors.empty());
    EXPECT_LE(recorder_->take().size(), 2 * set.size() + 7);
}

// 10: namespace, definition and custom resource on an empty cluster, and the plan of it.
TEST_P(Apply, DefinitionNamespaceAndCustomResourceInOnePass) {
    const Object crd = custom_resource_definition("Thing", "things");
    const Object ns = cluster_scoped("apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-inner}\n");
    const Object thing = object("apiVersion: NS.example.org/v1\nkind: Thing\nmetadata: {name: t, namespace: NS-inner}\nspec: {size: 1}\n");
    const std::string created = "CustomResourceDefinition/things.NS.example.org created\nNamespace/NS-inner created\nThing/t created\n";

    EXPECT_EQ(lines(apply({thing, ns, crd}, {.dry_run = true})), created);
    EXPECT_TRUE(absent(ns));
    EXPECT_EQ(lines(apply({thing, ns, crd})), created);
    EXPECT_FALSE(apply({thing, ns, crd}).any_change());
}

// The API server may answer for a kind a moment later than its definition says Established.
TEST_P(Apply, AKindThatIsServedLateIsWaitedFor) {
    const Object crd = custom_resource_definition("Late", "lates");
    const Object late = in_ns("apiVersion: NS.example.org/v1\nkind: Late\nmetadata: {name: l}\n");
    ASSERT_TRUE(apply({crd}).errors.empty());
    faults_->fail({.kind = testing::FaultKind::not_served, .verb = "dry-run apply", .path = "/lates/", .probability = 1, .times = 3});
    EXPECT_EQ(lines(apply({crd, late})), "CustomResourceDefinition/lates.NS.example.org unchanged\nLate/l created\n");
    EXPECT_EQ(faults_->faults(), 3);
}

// The definition came from somebody else, a moment ago: another Kustomization, another run beside this one.
TEST_P(Apply, AKindThatSomebodyElseDefinedIsWaitedFor) {
    const Object crd = custom_resource_definition("Foreign", "foreigns");
    ASSERT_TRUE(other().create(crd)); // not Established yet, on a real server
    faults_->fail({.kind = testing::FaultKind::not_served, .verb = "dry-run apply", .path = "/foreigns/", .probability = 1, .times = 3});
    EXPECT_EQ(lines(apply({in_ns("apiVersion: NS.example.org/v1\nkind: Foreign\nmetadata: {name: f}\n")})), "Foreign/f created\n");
}

// A version that the definition does not serve never comes: no wait for it.
TEST_P(Apply, AVersionThatIsNotServedIsNotWaitedFor) {
    const Object crd = custom_resource_definition("Single", "singles");
    ASSERT_TRUE(apply({crd}).errors.empty());
    const ChangeSet set = apply({in_ns("apiVersion: NS.example.org/v2\nkind: Single\nmetadata: {name: s}\n")}, {.served_timeout = std::chrono::hours(1)});
    ASSERT_EQ(set.errors.size(), 1U);
    EXPECT_THAT(set.errors[0].message, HasSubstr("no matches for kind \"Single\" in version"));
}

// 12, and what was written is told.
TEST_P(Apply, FailingStageKeepsTheStagesBeforeIt) {
    const Object role = cluster_scoped("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-role}\nrules: []\n");
    const Object cls = cluster_scoped("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: NS-class}\nvalue: 1\n");
    const Object bad = in_ns("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: Nonsense, ports: [{port: 80}]}\n");
    const ChangeSet set = apply({bad, config_map("good"), cls, role});
    ASSERT_EQ(set.changes.size(), 2u) << lines(set);
    EXPECT_EQ(set.changes[0].key.kind, "ClusterRole");
    EXPECT_EQ(set.changes[1].key.kind, "PriorityClass");
    EXPECT_EQ(set.changed_lines(), "ClusterRole/" + ns_ + "-role created\nPriorityClass/" + ns_ + "-class created");
    EXPECT_EQ(set.errors.size(), 1u);
    EXPECT_TRUE(absent(config_map("good")));
    EXPECT_TRUE(set.unfinished.empty());
}

TEST_P(Apply, WhatAFailingStageWroteIsTold) {
    const Object account = in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n");
    faults_->fail({.kind = testing::FaultKind::conflict, .verb = "apply", .path = "/configmaps/", .nth = 1});
    const ChangeSet set = apply({account, config_map("c"), in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")});
    EXPECT_TRUE(set.changes.empty());
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_THAT(set.errors[0].message, StartsWith("ConfigMap/" + ns_ + "/c apply failed: "));
    ASSERT_EQ(set.unfinished.size(), 1u);
    EXPECT_EQ(set.unfinished[0].key, account.key());
    EXPECT_FALSE(absent(account));
    EXPECT_TRUE(absent(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")));
}

// 13, with a shorter timeout: a name of the definition is taken, so that it never becomes Established.
TEST_P(Apply, DefinitionThatIsNeverEstablished) {
    const Object first = custom_resource_definition("Taken", "takens");
    ASSERT_TRUE(apply({first}).errors.empty());
    Object second = custom_resource_definition("Other", "others");
    second.root().find_mut("spec")->find_mut("names")->set("kind", Node::string("Taken")); // NamesAccepted=False
    const ChangeSet set = apply({second, config_map("c")}, {.stage_timeout = std::chrono::milliseconds(1500)});
    ASSERT_EQ(set.errors.size(), 1u) << lines(set);
    EXPECT_THAT(anonymous(set.errors[0].message), HasSubstr("[CustomResourceDefinition/others.NS.example.org status: '"));
    ASSERT_EQ(set.changes.size(), 1u);
    EXPECT_EQ(set.changes[0].action, Action::created);
    EXPECT_TRUE(absent(config_map("c")));
}

// 16
TEST_P(Apply, ExcludedObjects) {
    struct Case { const char* key; const char* value; bool label; };
    const Case cases[] = {{"kustomize.toolkit.fluxcd.io/ssa", "Ignore", false},
                          {"kustomize.toolkit.fluxcd.io/ssa", "IGNORE", true},
                          {"kustomize.toolkit.fluxcd.io/reconcile", "Disabled", false}};
    for (const Case& c : cases) {
        Object ignored = config_map("desired");
        c.label ? ignored.set_label(c.key, c.value) : ignored.set_annotation(c.key, c.value);
        verbs();
        EXPECT_EQ(lines(apply({ignored})), "ConfigMap/desired skipped\n") << c.value;
        EXPECT_EQ(verbs(), Strings{"get"});
        EXPECT_TRUE(absent(ignored));
    }
    const Object held = config_map("held");
    apply({held});
    for (const char* patch : {"metadata: {annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}", "metadata: {labels: {kustomize.toolkit.fluxcd.io/ssa: ignore}}"}) {
        edit(held, patch);
        verbs();
        EXPECT_EQ(lines(apply({config_map("held", "new")})), "ConfigMap/held skipped\n") << patch;
        EXPECT_THAT(verbs(), Each(Not("apply")));
        edit(held, "metadata: {annotations: {kustomize.toolkit.fluxcd.io/reconcile: null}}");
    }
    EXPECT_EQ(live_text(held, {"data", "k"}), "v");
}

// An excluded live object does not fail the stage, though the API server would refuse the change.
TEST_P(Apply, ExcludedObjectsAreNotRefused) {
    const Object old = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\ndata: {pw: b25l}\n");
    apply({old});
    edit(old, "metadata: {annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}");
    const Object changed = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\ndata: {pw: dHdv}\n");
    EXPECT_EQ(lines(apply({changed, config_map("c")})), "ConfigMap/c created\nSecret/s skipped\n");
}

// 17
TEST_P(Apply, IfNotPresent) {
    Object once = config_map("once");
    once.set_label("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
    EXPECT_EQ(lines(apply({once})), "ConfigMap/once created\n");
    once.root().find_mut("data")->set("k", Node::string("new"));
    EXPECT_EQ(lines(apply({once})), "ConfigMap/once skipped\n");
    EXPECT_EQ(live_text(once, {"data", "k"}), "v");
    // Only the live one carries it: applied.
    EXPECT_EQ(lines(apply({config_map("once", "other")})), "ConfigMap/once configured\n");
    EXPECT_EQ(live_text(once, {"data", "k"}), "other");
}

// 18
TEST_P(Apply, SkippedEntryIsTheLiveObject) {
    Object role = cluster_scoped("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-role, annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}}\nrules: []\n");
    apply({role});
    role.set_ns("anywhere");
    const ChangeSet set = apply({role});
    ASSERT_EQ(set.changes.size(), 1u) << lines(set);
    EXPECT_EQ(set.changes[0].action, Action::skipped);
    EXPECT_EQ(set.changes[0].key.ns, "");
}

// The same of an applied one: the entry is the server's.
TEST_P(Apply, NamespaceOfAClusterScopedObjectIsDropped) {
    Object role = cluster_scoped("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-role}\nrules: []\n");
    role.set_ns("anywhere");
    for (const Action action : {Action::created, Action::unchanged}) {
        const ChangeSet set = apply({role});
        ASSERT_EQ(set.changes.size(), 1u) << lines(set);
        EXPECT_EQ(set.changes[0].action, action);
        EXPECT_EQ(set.changes[0].key.ns, "");
    }
}

// 35
TEST_P(Apply, DroppedKeysGoOthersStay) {
    const Object two = in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v, gone: x}\n");
    apply({two});
    edit(two, "data: {theirs: y}", "somebody");
    EXPECT_EQ(lines(apply({config_map("c")})), "ConfigMap/c configured\n");
    EXPECT_EQ(live_text(two, {"data", "gone"}), "<none>");
    EXPECT_EQ(live_text(two, {"data", "theirs"}), "y");
    EXPECT_EQ(lines(apply({config_map("c")})), "ConfigMap/c unchanged\n");
}

// 36
TEST_P(Apply, LabelsRemovedByUsersComeBackAddedOnesAreNoDrift) {
    Object labelled = config_map("c");
    labelled.set_label("app", "x");
    apply({labelled});
    edit(labelled, "metadata: {labels: {app: null}}", "somebody");
    const ChangeSet set = apply({labelled});
    EXPECT_EQ(lines(set), "ConfigMap/c configured\n");
    EXPECT_EQ(set.changes[0].reason, "metadata.labels.app");
    EXPECT_EQ(live(labelled).label("app"), "x");
    edit(labelled, "metadata: {labels: {theirs: y}}", "somebody");
    EXPECT_EQ(lines(apply({labelled})), "ConfigMap/c unchanged\n");
}

// 37
TEST_P(Apply, FinalizersAloneAreNoDrift) {
    apply({config_map("c")});
    Object with = config_map("c");
    with.metadata_mut().set("finalizers", Node::list({Node::string("example.org/x")}));
    EXPECT_EQ(lines(apply({with})), "ConfigMap/c unchanged\n");
}

// 38
TEST_P(Apply, WhatIsMissingIsNamed) {
    Object lost = config_map("lost");
    lost.set_ns("nowhere-at-all");
    const Object foo = in_ns("apiVersion: x.example.org/v1\nkind: Foo\nmetadata: {name: f}\n");
    const Object bare = object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bare}\n");
    const ChangeSet set = apply({lost, foo, bare, config_map("good")});
    ASSERT_EQ(set.errors.size(), 3u) << lines(set); // all of the stage in one pass
    EXPECT_THAT(set.errors[0].message, StartsWith("ConfigMap/bare namespace not specified: "));
    EXPECT_EQ(set.errors[1].message, "ConfigMap/nowhere-at-all/lost not found: namespaces \"nowhere-at-all\" not found");
    EXPECT_EQ(anonymous(set.errors[2].message), "Foo/NS/f dry-run failed: no matches for kind \"Foo\" in version \"x.example.org/v1\"");
    EXPECT_TRUE(absent(config_map("good")));
}

TEST_P(Apply, UnknownFieldIsRefusedWithItsPath) {
    const Object typo = in_ns("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replica: 1, selector: {matchLabels: {a: b}}, template: {metadata: "
                              "{labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n");
    const ChangeSet set = apply({typo});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_EQ(anonymous(set.errors[0].message),
              "Deployment/NS/d dry-run failed: failed to create typed patch object (NS/d; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema");
}

// 39
TEST_P(Apply, InvalidBundleIsDroppedAndTheDefinitionMade) {
    Object crd = custom_resource_definition("Hooked", "hookeds");
    Node conversion = testing::object_of("strategy: Webhook\nwebhook: {conversionReviewVersions: [v1], clientConfig: {caBundle: not base64, service: {name: s, namespace: n}}}").root();
    crd.root().find_mut("spec")->set("conversion", std::move(conversion));
    EXPECT_EQ(lines(apply({crd})), "CustomResourceDefinition/hookeds.NS.example.org created\n");
    EXPECT_EQ(live(crd).at({"spec", "conversion", "webhook", "clientConfig", "caBundle"}), nullptr);
}

// 44
TEST_P(Apply, PlansMaskSecrets) {
    Object s = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {pw: cGxhbnRlZC1vbmU=, same: eA==}\n");
    ASSERT_TRUE(apply({s}).errors.empty());
    s.root().find_mut("data")->set("pw", Node::string("cGxhbnRlZC10d28="));
    const ChangeSet plan = apply({s}, {.dry_run = true});
    ASSERT_EQ(lines(plan), "Secret/s configured\n");
    const Change& change = plan.changes[0];
    EXPECT_EQ(change.reason, "data.pw");
    EXPECT_EQ(change.diff, "- data.pw: *** (before)\n+ data.pw: *** (after)\n");
    ASSERT_TRUE(change.before && change.after);
    EXPECT_EQ(kube::write_json(*change.before->at({"data"})), R"x({"pw":"*** (before)","same":"***"})x");
    EXPECT_EQ(kube::write_json(*change.after->at({"data"})), R"x({"pw":"*** (after)","same":"***"})x");
    for (const auto& side : {change.before, change.after}) EXPECT_EQ(side->at({"metadata", "managedFields"}), nullptr);

    const ChangeSet fresh = apply({in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: t}\ndata: {pw: cGxhbnRlZC1vbmU=}\n")}, {.dry_run = true});
    EXPECT_EQ(lines(fresh), "Secret/t created\n"); // 45: no objects
    EXPECT_FALSE(fresh.changes[0].before || fresh.changes[0].after);
    EXPECT_THAT(fresh.changes[0].diff, Not(HasSubstr("cGxh")));

    const ChangeSet refused = apply({in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: u}\nstringData: {pw: 4711004711}\n")});
    ASSERT_EQ(refused.errors.size(), 1u);
    EXPECT_THAT(refused.errors[0].message, Not(HasSubstr("4711")));
}

// 66, apply.md 7.2
TEST_P(Apply, DuplicatesGiveTwoEntriesAndTheLaterOneWins) {
    const ChangeSet set = apply({config_map("c", "first"), config_map("c", "second")});
    EXPECT_EQ(lines(set), "ConfigMap/c created\nConfigMap/c created\n");
    EXPECT_EQ(live_text(config_map("c"), {"data", "k"}), "second");
}

// Not in Flux: it takes an object that it cannot read for absent, and applies over what it may carry.
TEST_P(Apply, AReadThatFailsForTheMomentFailsTheStage) {
    Object once = config_map("once");
    once.set_annotation("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
    apply({once, config_map("held")});
    edit(once, "data: {k: edited}");
    faults_->fail({.kind = testing::FaultKind::server_error, .verb = "get", .probability = 1});
    const ChangeSet set = apply({once, config_map("held", "new")});
    ASSERT_EQ(set.errors.size(), 2u) << lines(set);
    EXPECT_THAT(anonymous(set.errors[0].message), StartsWith("ConfigMap/NS/held query failed: "));
    EXPECT_THAT(anonymous(set.errors[1].message), StartsWith("ConfigMap/NS/once query failed: "));
    EXPECT_EQ(live_text(once, {"data", "k"}), "edited");
    EXPECT_EQ(live_text(config_map("held"), {"data", "k"}), "v");
}

TEST_P(Apply, StopEndsBetweenWrites) {
    std::stop_source stop;
    const ApplyProgress progress{.applying = [&](auto, std::size_t, std::size_t) { stop.request_stop(); }};
    const ChangeSet set = apply_staged(client(), {config_map("c"), in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")}, {}, progress, stop.get_token());
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_EQ(set.errors[0].code, ErrorCode::cancelled);
    ASSERT_EQ(set.unfinished.size(), 1u);
    EXPECT_EQ(set.unfinished[0].key.name, "c");
}

TEST_P(Apply, ProgressCountsChecksAndWrites) {
    Strings seen;
    const auto note = [&](const char* what) {
        return [&seen, what](std::string_view stage, std::size_t done, std::size_t total) {
            seen.push_back(std::string(what) + " " + std::string(stage) + " " + std::to_string(done) + "/" + std::to_string(total));
        };
    };
    apply({config_map("a")});
    seen.clear();
    apply_staged(client(), {config_map("a"), config_map("b")}, {}, {.checking = note("check"), .applying = note("apply")});
    EXPECT_THAT(seen, AllOf(Contains("check rest 2/2"), Contains("apply rest 1/1")));
}

// 11, kustomization.md 50: an account that may make roles and bindings, but holds no right that it could bind.
TEST_P(Apply, EscalationIsRefusedUnlessRolesHaveAStage) {
    if (!cluster_.is_real()) GTEST_SKIP() << "the embedded API server has no RBAC";
    const Object editor = cluster_scoped("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-editor}\nrules:\n- {apiGroups: [rbac.authorization.k8s.io], resources: "
                                         "[roles, rolebindings], verbs: [get, list, create, patch, update]}\n- {apiGroups: [''], resources: [configmaps], verbs: [get]}\n");
    const Object grant = cluster_scoped("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: NS-grant}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: "
                                        "ClusterRole, name: NS-editor}\nsubjects: [{kind: ServiceAccount, name: editor, namespace: NS}]\n");
    ASSERT_TRUE(other().create(editor).has_value());
    ASSERT_TRUE(other().create(grant).has_value());
    kube::ClientConfig as_editor = cluster_.config();
    as_editor.impersonate.user = "system:serviceaccount:" + ns_ + ":editor";
    const auto limited = kube::Client::connect(as_editor);
    ASSERT_TRUE(limited.has_value());
    const Object role = in_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n");
    const Object binding = in_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: "
                                 "[{kind: ServiceAccount, name: x, namespace: NS}]\n");
    const ChangeSet refused = apply_staged(**limited, {role, binding}, {});
    EXPECT_EQ(lines(refused), "error: RoleBinding/NS/b not found: rolebindings.rbac.authorization.k8s.io \"r\" not found\n");
    const ChangeSet staged = apply_staged(**limited, {role, binding}, {.custom_stage_kinds = parse_stage_kinds("rbac.authorization.k8s.io/Role")});
    EXPECT_EQ(lines(staged), "Role/r created\nRoleBinding/b created\n");
}

TEST(StageKinds, Parsed) { // 15
    EXPECT_EQ(parse_stage_kinds("a/B, C"), (std::vector<kube::GroupKind>{{"a", "B"}, {"", "C"}}));
    EXPECT_EQ(parse_stage_kinds("rbac.authorization.k8s.io/Role,Secret"), (std::vector<kube::GroupKind>{{"rbac.authorization.k8s.io", "Role"}, {"", "Secret"}}));
    EXPECT_EQ(parse_stage_kinds("a/b/C"), (std::vector<kube::GroupKind>{{"a", "b/C"}}));
    EXPECT_TRUE(parse_stage_kinds("").empty());
}

} // namespace
} // namespace weber::gitops
