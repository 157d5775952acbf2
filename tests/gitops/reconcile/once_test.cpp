// All Kustomizations of a cluster in one run, against both API servers: issue "reconcile --once", kustomization.md 9.
#include "gitops/reconcile/once.h"

#include "tests/gitops/reconcile/fleet.h"

namespace weber::gitops {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

using Once = weber::testing::FleetTest;
INSTANTIATE_TEST_SUITE_P(Servers, Once, ::testing::ValuesIn(weber::testing::kBothClusters), weber::testing::cluster_name);

TEST_P(Once, BringsTheFleetUpInOrderThenSendsNoWrite) {
    declare("base", "  wait: true\n");
    declare("app", "  dependsOn: [{name: base}]\n");
    config_map("base", "one");
    config_map("app", "two");
    weber::testing::Recorder said;
    const OnceResult first = once(&said);
    EXPECT_THAT(states(first), ElementsAre("root ready", "base ready", "app ready"));
    EXPECT_TRUE(first.ok());
    EXPECT_THAT(changed(of(first, "base")), ElementsAre("ConfigMap/one created"));
    EXPECT_THAT(changed(of(first, "app")), ElementsAre("ConfigMap/two created"));
    EXPECT_THAT(said.lines, Contains("app waiting <" + ns + "/base>"));
    ASSERT_TRUE(find("ConfigMap", "two"));
    EXPECT_EQ(find("ConfigMap", "two")->label(kOwnerName), "app");
    EXPECT_EQ(find("ConfigMap", "two")->label(kOwnerNamespace), ns);
    EXPECT_EQ(ready("app"), "True/ReconciliationSucceeded: Applied revision: " + first.revision);
    EXPECT_THAT(inventory("app"), ElementsAre("ConfigMap/two"));
    EXPECT_EQ(status("app").observed_generation, live("app").generation());
    EXPECT_EQ(status("app").last_applied_revision, first.revision);
    EXPECT_EQ(status("app").last_attempted_revision, first.revision);
    EXPECT_TRUE(status("base").is_true("Healthy"));
    EXPECT_EQ(status("app").find("Healthy"), nullptr);
    EXPECT_EQ(status("app").find("Reconciling"), nullptr);
    EXPECT_TRUE(has_finalizer(live("app")));

    const std::string version(live("app").resource_version());
    const OnceResult second = once();
    EXPECT_TRUE(second.ok());
    EXPECT_EQ(second.requests.writes(), 0u);
    for (const KustomizationResult& k : second.kustomizations) EXPECT_THAT(changed(k), IsEmpty()) << k.name.name;
    EXPECT_EQ(live("app").resource_version(), version);
}

TEST_P(Once, AnEditIsConfiguredAndARemovedFilePruned) {
    declare("app");
    config_map("app", "a");
    config_map("app", "b");
    once();
    config_map("app", "a", "2");
    remove("app/b.yaml");
    const OnceResult r = once();
    EXPECT_THAT(changed(of(r, "app")), ElementsAre("ConfigMap/a configured", "ConfigMap/b deleted"));
    EXPECT_FALSE(find("ConfigMap", "b"));
    EXPECT_THAT(inventory("app"), ElementsAre("ConfigMap/a"));
    EXPECT_EQ(once().requests.writes(), 0u);
}

TEST_P(Once, AWaitIsNotForWhatWasPruned) {
    declare("app", "  wait: true\n");
    config_map("app", "a");
    config_map("app", "b");
    ASSERT_TRUE(once().ok());
    remove("app/b.yaml");
    options.timeout = std::chrono::seconds(30);
    EXPECT_TRUE(once().ok());
    EXPECT_FALSE(find("ConfigMap", "b"));
}

TEST_P(Once, ARemovedKustomizationTakesWhatItAppliedAlong) {
    declare("app");
    declare("other");
    config_map("app", "a");
    config_map("other", "o");
    once();
    remove("clusters/test/app.yaml");
    const OnceResult r = once();
    EXPECT_THAT(states(r), UnorderedElementsAre("root ready", "other ready", "app removed"));
    EXPECT_THAT(changed(of(r, "app")), ElementsAre("ConfigMap/a deleted"));
    EXPECT_FALSE(find("ConfigMap", "a"));
    EXPECT_TRUE(find("ConfigMap", "o"));
    EXPECT_FALSE(find("Kustomization", "app", std::string(kKustomizeGroup)));
}

TEST_P(Once, DeletionPoliciesDecideWhatStays) {
    struct Case {
        const char* name;
        const char* spec;
        bool stays;
    };
    const Case cases[] = {{"orphan", "  deletionPolicy: Orphan\n", true},
                          {"deleted", "  deletionPolicy: Delete\n", false},
                          {"waited", "  deletionPolicy: WaitForTermination\n", false},
                          {"mirror", "  deletionPolicy: MirrorPrune\n", false}};
    for (const Case& c : cases) {
        declare(c.name, c.spec);
        config_map(c.name, std::string("of-") + c.name);
    }
    ASSERT_TRUE(once().ok());
    for (const Case& c : cases) remove("clusters/test/" + std::string(c.name) + ".yaml");
    ASSERT_TRUE(once().ok());
    for (const Case& c : cases) {
        EXPECT_EQ(find("ConfigMap", std::string("of-") + c.name).has_value(), c.stays) << c.name;
        EXPECT_FALSE(find("Kustomization", c.name, std::string(kKustomizeGroup))) << c.name;
    }
}

TEST_P(Once, ABrokenKustomizationLeavesTheOthersAndTheLastGoodState) {
    declare("good");
    declare("bad");
    declare("after", "  dependsOn: [{name: bad}]\n");
    config_map("good", "g");
    config_map("bad", "b");
    config_map("after", "x");
    ASSERT_TRUE(once().ok());
    dir.write("bad/broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n");
    config_map("good", "g", "2");
    weber::testing::Recorder said;
    const OnceResult r = once(&said);
    EXPECT_FALSE(r.ok());
    EXPECT_THAT(states(r), UnorderedElementsAre("root ready", "good ready", "bad failed", "after blocked"));
    EXPECT_THAT(changed(of(r, "good")), ElementsAre("ConfigMap/g configured"));
    ASSERT_TRUE(of(r, "bad").error);
    EXPECT_THAT(of(r, "bad").error->to_string(), HasSubstr("bad/broken.yaml:"));
    EXPECT_EQ(of(r, "bad").reason, "BuildFailed");
    EXPECT_TRUE(find("ConfigMap", "b")) << "the last good state runs on";
    EXPECT_THAT(inventory("bad"), ElementsAre("ConfigMap/b"));
    EXPECT_THAT(of(r, "after").waits_for, ElementsAre(ns + "/bad"));
    EXPECT_EQ(ready("after"), "False/DependencyNotReady: dependency '" + ns + "/bad' is not ready");
    EXPECT_THAT(ready("bad"), StartsWith("False/BuildFailed: "));
    EXPECT_EQ(status("bad").find("Reconciling")->reason, "ProgressingWithRetry");
    EXPECT_THAT(said.lines, Contains("after blocked <" + ns + "/bad>"));
    // mended
    remove("bad/broken.yaml");
    EXPECT_TRUE(once().ok());
    EXPECT_EQ(status("bad").find("Reconciling"), nullptr);
}

TEST_P(Once, ACycleIsNamedAndTheRestGoesOn) {
    declare("a", "  dependsOn: [{name: b}]\n");
    declare("b", "  dependsOn: [{name: a}]\n");
    declare("free");
    config_map("free", "f");
    const OnceResult r = once();
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(of(r, "free").state, KustomizationState::ready);
    EXPECT_EQ(of(r, "a").state, KustomizationState::blocked);
    ASSERT_TRUE(of(r, "a").error);
    EXPECT_EQ(of(r, "a").error->message, "circular dependency detected: " + ns + "/a -> " + ns + "/b -> " + ns + "/a");
    EXPECT_EQ(of(r, "b").state, KustomizationState::blocked);
}

TEST_P(Once, ADependencyThatDoesNotExistIsSaid) {
    declare("app", "  dependsOn: [{name: nobody}]\n");
    config_map("app", "a");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::blocked);
    EXPECT_THAT(of(r, "app").message, StartsWith("dependency '" + ns + "/nobody' not found: "));
    EXPECT_FALSE(find("ConfigMap", "a"));
}

TEST_P(Once, ADryRunChangesNothingAndMasksSecrets) {
    declare("app");
    config_map("app", "a");
    dir.write("app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " + ns + "}\nstringData: {password: planted-value}\n");
    ASSERT_TRUE(once().ok());
    const std::string version(live("app").resource_version());
    config_map("app", "a", "2");
    config_map("app", "new");
    dir.write("app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " + ns + "}\nstringData: {password: other-planted-value}\n");
    remove("clusters/test/extra.yaml");
    options.dry_run = true;
    const OnceResult r = once();
    EXPECT_THAT(states(r), ElementsAre("root planned", "app planned"));
    EXPECT_EQ(r.requests.writes(), 0u);
    EXPECT_THAT(changed(of(r, "app")), ElementsAre("ConfigMap/a configured", "ConfigMap/new created", "Secret/s configured"));
    for (const Change& c : of(r, "app").changes.changes) {
        EXPECT_THAT(c.diff, ::testing::Not(HasSubstr("planted"))) << c.diff;
        EXPECT_THAT(c.diff, ::testing::Not(HasSubstr("b3RoZXItcGxhbnRlZC12YWx1ZQ"))) << c.diff;
        if (c.key.name == "a") {
            EXPECT_THAT(c.diff, HasSubstr("data.k"));
        }
    }
    EXPECT_EQ(live("app").resource_version(), version);
    EXPECT_FALSE(find("ConfigMap", "new"));
}

TEST_P(Once, ADryRunOnAnEmptyClusterPlansTheWholeFleet) {
    declare("app");
    config_map("app", "a");
    options.dry_run = true;
    const OnceResult r = once();
    EXPECT_THAT(states(r), ElementsAre("root planned", "app planned"));
    EXPECT_THAT(changed(of(r, "app")), ElementsAre("ConfigMap/a created"));
    EXPECT_EQ(r.requests.writes(), 0u);
    EXPECT_FALSE(find("ConfigMap", "a"));
}

TEST_P(Once, ASuspendedKustomizationIsLeftAlone) {
    declare("app");
    config_map("app", "a");
    ASSERT_TRUE(once().ok());
    declare("app", "  suspend: true\n");
    config_map("app", "a", "2");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::suspended);
    EXPECT_EQ(find("ConfigMap", "a")->at({"data", "k"})->text(), "1");
    EXPECT_EQ(status("app").observed_generation, live("app").generation()) << "follows, since it is Ready";
    // removed while suspended: it goes, its objects stay
    remove("clusters/test/app.yaml");
    ASSERT_TRUE(once().ok());
    EXPECT_FALSE(find("Kustomization", "app", std::string(kKustomizeGroup)));
    EXPECT_TRUE(find("ConfigMap", "a"));
}

TEST_P(Once, PruneFalseForgetsWhatLeft) {
    declare("app");
    config_map("app", "a");
    config_map("app", "b");
    ASSERT_TRUE(once().ok());
    dir.write("clusters/test/app.yaml", kustomization("app", "./app").replace(kustomization("app", "./app").find("prune: true"), 11, "prune: false"));
    remove("app/b.yaml");
    ASSERT_TRUE(once().ok());
    EXPECT_TRUE(find("ConfigMap", "b"));
    EXPECT_THAT(inventory("app"), ElementsAre("ConfigMap/a"));
}

TEST_P(Once, AnEmptyPathPrunesAllAndKeepsAnEmptyInventory) {
    declare("app");
    config_map("app", "a");
    ASSERT_TRUE(once().ok());
    remove("app/a.yaml");
    dir.write("app/README.md", "nothing");
    ASSERT_TRUE(once().ok());
    EXPECT_FALSE(find("ConfigMap", "a"));
    ASSERT_TRUE(status("app").inventory);
    EXPECT_THAT(*status("app").inventory, IsEmpty());
    config_map("app", "a");
    ASSERT_TRUE(once().ok());
    EXPECT_TRUE(find("ConfigMap", "a"));
}

TEST_P(Once, AMissingPathSaysSoAndKeepsTheAttemptedRevision) {
    declare("app");
    config_map("app", "a");
    const OnceResult first = once();
    remove("app");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").reason, "ArtifactFailed");
    EXPECT_THAT(of(r, "app").message, HasSubstr("kustomization path not found: stat app: no such file or directory"));
    EXPECT_EQ(status("app").last_attempted_revision, first.revision);
    EXPECT_NE(r.revision, first.revision);
    EXPECT_TRUE(find("ConfigMap", "a"));
}

TEST_P(Once, UnknownFieldsOfAKustomizationAreRefusedWithTheirPlace) {
    declare("app", "  notAField: 1\n");
    config_map("app", "a");
    const OnceResult r = once();
    EXPECT_FALSE(r.ok());
    const KustomizationResult& root = of(r, "root");
    ASSERT_TRUE(root.error);
    EXPECT_THAT(root.error->to_string(), HasSubstr("notAField"));
    EXPECT_THAT(root.error->to_string(), HasSubstr("clusters/test/app.yaml"));
}

TEST_P(Once, WhatThisVersionCannotDoStallsTheKustomizationAndNamesTheField) {
    declare("app", "  kubeConfig: {secretRef: {name: x}}\n");
    config_map("app", "a");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::failed);
    EXPECT_THAT(of(r, "app").message, HasSubstr("spec.kubeConfig"));
    EXPECT_TRUE(status("app").is_true("Stalled"));
    EXPECT_FALSE(find("ConfigMap", "a"));
}

TEST_P(Once, AnUnreachableSourceIsNamed) {
    dir.write("clusters/test/other.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: " + ns +
                                              "}\nspec: {interval: 1m, timeout: 5s, url: 'https://user:planted@127.0.0.1:1/x.git'}\n");
    dir.write("clusters/test/app.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: " + ns +
                                            "}\nspec: {interval: 10m, prune: true, path: ./, sourceRef: {kind: GitRepository, name: other}}\n");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "root").state, KustomizationState::ready);
    ASSERT_TRUE(of(r, "app").error);
    EXPECT_THAT(of(r, "app").error->to_string(), HasSubstr("cannot fetch https://127.0.0.1:1/x.git"));
    EXPECT_THAT(of(r, "app").error->to_string(), ::testing::Not(HasSubstr("planted")));
    EXPECT_EQ(of(r, "app").reason, "ArtifactFailed");
}

TEST_P(Once, AMissingSourceIsNamedAsFluxDoes) {
    dir.write("clusters/test/app.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: " + ns +
                                            "}\nspec: {interval: 10m, prune: true, path: ./, sourceRef: {kind: GitRepository, name: nobody}}\n");
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").message, "GitRepository.source.toolkit.fluxcd.io \"nobody\" not found");
    EXPECT_EQ(ready("app"), "False/ArtifactFailed: GitRepository.source.toolkit.fluxcd.io \"nobody\" not found");
}

TEST_P(Once, AWaitEndsWithWhatIsNotReady) {
    declare("app", "  timeout: 30s\n  healthChecks: [{kind: Deployment, name: nobody, namespace: " + ns + "}]\n");
    config_map("app", "a");
    options.timeout = std::chrono::seconds(3);
    const OnceResult r = once();
    EXPECT_EQ(of(r, "app").state, KustomizationState::failed);
    ASSERT_TRUE(of(r, "app").error);
    EXPECT_EQ(of(r, "app").error->message, "the run's time limit of 3s (--timeout) passed");
    ASSERT_EQ(of(r, "app").error->details.size(), 1u);
    EXPECT_EQ(of(r, "app").error->details.front().message, "Deployment/" + ns + "/nobody NotFound: Resource not found");
    EXPECT_EQ(of(r, "root").state, KustomizationState::ready);
}

TEST_P(Once, AFailedDryRunAppliesNothingOfTheStageAndListsAllRefusals) {
    declare("app");
    config_map("app", "fine");
    dir.write("app/bad.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: " + ns + "}\nspec: {type: Nonsense, ports: [{port: 1}]}\n");
    dir.write("app/worse.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: worse, namespace: " + ns + "}\nspec: {ports: [{port: 700000}]}\n");
    const OnceResult r = once();
    const KustomizationResult& app = of(r, "app");
    EXPECT_EQ(app.reason, "ReconciliationFailed");
    EXPECT_EQ(app.changes.errors.size(), 2u);
    EXPECT_THAT(app.message, HasSubstr("Service/" + ns + "/bad dry-run failed (Invalid): "));
    EXPECT_THAT(app.message, HasSubstr("Service/" + ns + "/worse dry-run failed (Invalid): "));
    EXPECT_THAT(app.error->to_string(), HasSubstr("app/bad.yaml"));
    EXPECT_FALSE(find("ConfigMap", "fine"));
}

TEST_P(Once, IndependentOnesRunAtTheSameTime) {
    // Each waits for an object that the other one applies: only together can they come to an end.
    declare("left", "  healthChecks: [{apiVersion: v1, kind: ConfigMap, name: of-right, namespace: " + ns + "}]\n");
    declare("right", "  healthChecks: [{apiVersion: v1, kind: ConfigMap, name: of-left, namespace: " + ns + "}]\n");
    config_map("left", "of-left");
    config_map("right", "of-right");
    options.concurrency = 1; // even with one worker: a wait holds none
    EXPECT_TRUE(once().ok());
}

TEST_P(Once, KustomizationsOfKustomizationsAreFound) {
    declare("tenants");
    dir.write("tenants/team.yaml", kustomization("team", "./teams/one"));
    config_map("teams/one", "deep");
    const OnceResult r = once();
    EXPECT_THAT(states(r), ElementsAre("root ready", "tenants ready", "team ready"));
    EXPECT_EQ(of(r, "team").parent.name, "tenants");
    EXPECT_TRUE(find("ConfigMap", "deep"));
    // taking the middle away takes all below along
    remove("clusters/test/tenants.yaml");
    const OnceResult gone = once();
    EXPECT_THAT(states(gone), UnorderedElementsAre("root ready", "tenants removed", "team removed"));
    EXPECT_FALSE(find("ConfigMap", "deep"));
}

TEST_P(Once, ARootThatWaitsForItsChildrenSeesThemReady) {
    write_sync("  wait: true\n");
    declare("app");
    config_map("app", "a");
    options.timeout = std::chrono::seconds(60);
    const OnceResult r = once();
    EXPECT_THAT(states(r), ElementsAre("root ready", "app ready"));
    EXPECT_EQ(once().requests.writes(), 0u);
}

TEST_P(Once, ReadsACommitInPlaceOfTheWorkingTree) {
    declare("app");
    config_map("app", "a", "committed");
    const std::string git = "cd " + dir.path() + " && git init -q -b main && git add -A && git -c user.name=t -c user.email=t@t commit -qm one";
    ASSERT_EQ(std::system(git.c_str()), 0);
    config_map("app", "a", "changed");
    options.rev = "main";
    const OnceResult r = once();
    EXPECT_TRUE(r.ok());
    EXPECT_THAT(r.revision, StartsWith("main@sha1:"));
    EXPECT_EQ(find("ConfigMap", "a")->at({"data", "k"})->text(), "committed");
    // the same commit through a URL is the same revision, so nothing is written
    options.path.clear();
    options.rev.clear();
    options.url = "file://" + dir.path();
    options.ref.branch = "main";
    const OnceResult again = once();
    EXPECT_EQ(again.revision, r.revision);
    EXPECT_EQ(again.requests.writes(), 0u);
}

TEST_P(Once, AStoppedRunSaysSoAndTheNextOneFinishes) {
    declare("app");
    for (int i = 0; i < 20; ++i) config_map("app", "cm-" + std::to_string(i));
    for (int i = 0; i < 20; ++i) // written after the ConfigMaps
        dir.write("app/s" + std::to_string(i) + ".yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s-" + std::to_string(i) + ", namespace: " + ns + "}\n");
    std::stop_source stop;
    weber::testing::Recorder said;
    said.on_line = [&](const std::string& line) {
        if (line.starts_with("app applying")) stop.request_stop();
    };
    const OnceResult stopped = once(&said, stop.get_token());
    EXPECT_EQ(of(stopped, "app").state, KustomizationState::failed);
    EXPECT_THAT(inventory("app"), Contains("ConfigMap/cm-0")) << "what was written is known, so that it can be pruned";
    EXPECT_THAT(inventory("app"), ::testing::Not(Contains("Secret/s-0")));
    const OnceResult r = once();
    EXPECT_TRUE(r.ok());
    EXPECT_EQ(inventory("app").size(), 40u);
    EXPECT_EQ(once().requests.writes(), 0u);
}

TEST(OnceErrors, WhatKeepsARunFromStarting) {
    weber::testing::TempDir dir;
    weber::testing::TestCluster cluster;
    ASSERT_EQ(cluster.use(weber::testing::ClusterKind::embedded), "");
    OnceOptions options;
    options.path = dir.path();
    const auto error = [&] {
        const auto r = reconcile_once(cluster.client(), options);
        EXPECT_FALSE(r);
        return r ? std::string() : r.error().to_string();
    };
    EXPECT_THAT(error(), HasSubstr("the source has no folder clusters/NAME"));
    dir.write("clusters/a/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    EXPECT_THAT(error(), HasSubstr("no Kustomization in clusters/a has the path ./clusters/a"));
    dir.write("clusters/b/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    EXPECT_THAT(error(), HasSubstr("several clusters: a, b"));
    options.cluster = "c";
    EXPECT_THAT(error(), HasSubstr("no cluster 'c'"));
    options.path = dir.path() + "/nowhere";
    EXPECT_THAT(error(), HasSubstr("no such directory"));
    options.path.clear();
    EXPECT_THAT(error(), HasSubstr("exactly one"));
    options.url = "https://127.0.0.1:1/x.git";
    options.cache_dir = dir.path() + "/cache";
    EXPECT_THAT(error(), HasSubstr("cannot fetch https://127.0.0.1:1/x.git"));
}

TEST(OnceErrors, AnUnreachableApiServerIsNamed) {
    weber::testing::TempDir dir;
    dir.write("clusters/a/sync.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: root, namespace: ns}\n"
                                      "spec: {interval: 1m, prune: true, path: clusters/a, sourceRef: {kind: GitRepository, name: fleet}}\n");
    kube::ClientConfig config = kube::unix_socket_config(dir.path() + "/nobody.sock");
    const auto client = kube::Client::connect(config);
    ASSERT_TRUE(client);
    OnceOptions options;
    options.path = dir.path();
    const auto r = reconcile_once(**client, options);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorCode::unavailable) << r.error().to_string();
}

} // namespace
} // namespace weber::gitops
