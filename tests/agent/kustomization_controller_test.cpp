// The controller of Kustomizations against both API servers: the checklist of kustomization.md section 9 as far as the process decides it.
#include <mutex>
#include <regex>

#include "gitops/decrypt/file.h"
#include "kube/base/digest.h"
#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Servers, KustomizationRuns, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(KustomizationRuns, AppliesPrunesAndFinalizes) { // items 1, 6, 51, 63, 71
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}, {"b.yaml", config_map("two", "2")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    const Object first = await(k, applied("main@sha1:1"));
    const auto status = gitops::read_status(first).value();
    EXPECT_EQ(status.observed_generation, first.generation());
    EXPECT_EQ(status.find("Reconciling"), nullptr);
    EXPECT_EQ(status.inventory->size(), 2u);
    EXPECT_EQ(status.last_attempted_revision, "main@sha1:1");
    EXPECT_EQ(first.at({"metadata", "finalizers"})->items()[0].text(), gitops::kFinalizer);
    const Object one = live(in_ns(config_map("one", "")));
    EXPECT_EQ(one.label(gitops::kOwnerName), "app");
    EXPECT_EQ(one.label(gitops::kOwnerNamespace), ns_);
    const Node& entry = first.at({"status", "inventory", "entries"})->items()[0];
    EXPECT_EQ(entry.text_at("id"), ns_ + "_one__ConfigMap");
    EXPECT_EQ(entry.text_at("v"), "v1");

    publish("main@sha1:2", {{"a.yaml", config_map("one", "1")}});
    await(k, applied("main@sha1:2"));
    await_gone(in_ns(config_map("two", "")));

    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    await_gone(in_ns(config_map("one", "")));
}

TEST_P(KustomizationRuns, DependentStartsWhenItsDependencyIsReady) { // items 22, 23
    publish("main@sha1:1", {{"a/cm.yaml", config_map("a", "1")}, {"b/cm.yaml", config_map("b", "1")}});
    const Object b = make(kustomization("b", "./b", "dependsOn: [{name: a}]"));
    start_agent();
    await(b, ready("False", "DependencyNotReady", "dependency '" + ns_ + "/a' not found"));
    make(kustomization("a", "./a"));
    await(b, applied("main@sha1:1")); // requeue-dependency is longer than the patience
}

TEST_P(KustomizationRuns, SourceMissingEmptyThenThere) { // items 11, 12
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, ready("False", "ArtifactFailed", "GitRepository.source.toolkit.fluxcd.io \"fleet\" not found"));
    make(in_ns("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\nspec: {interval: 1h, url: 'https://example.org/x.git'}\n"));
    ask(k, "now"); // a source without artifact wakes nobody
    const Object empty = await(k, ready("False", "ArtifactFailed", "Source artifact not found, retrying in 10m0s"));
    EXPECT_EQ(gitops::read_status(empty)->last_attempted_revision, "");
    // It waits: whoever comes later has had its runs before the first one has another.
    for (const char* later : {"later", "much-later"}) await(make(kustomization(later, "./", "suspend: true")), [](const Object& o) { return o.at({"metadata", "finalizers"}) != nullptr; });
    EXPECT_LE(logged_.count([](const std::string& line) { return line.find("Source artifact not found") != line.npos; }), 2u);
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    await(k, applied("main@sha1:1"));
    events_seen_.await(EventReceiver::of("app", "ReconciliationSucceeded"));
    EXPECT_EQ(events_seen_.count(EventReceiver::of("app", "ArtifactFailed")), 0u);
}

TEST_P(KustomizationRuns, AnArtifactThatIsGoneIsAskedForOnce) { // item 16: until --requeue-dependency is over
    std::atomic<int> asked{0};
    auto server = kube::server::HttpFront::start({}, [&](kube::server::HttpRequest&&, const std::shared_ptr<kube::server::Exchange>& exchange) {
        ++asked;
        kube::server::HttpResponse none;
        none.status = 404;
        exchange->respond(std::move(none));
    });
    ASSERT_TRUE(server.has_value());
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}}, {.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/gone.tar.gz"});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, ready("False", "ArtifactFailed", "Source is not ready, artifact not found, retrying in 10m0s"));
    for (const char* later : {"later", "much-later"}) await(make(kustomization(later, "./", "suspend: true")), [](const Object& o) { return o.at({"metadata", "finalizers"}) != nullptr; });
    EXPECT_LE(asked, 2);
}

TEST_P(KustomizationRuns, ARefusedDownloadIsToldWithItsStatus) {
    auto server = kube::server::HttpFront::start({}, [](kube::server::HttpRequest&&, const std::shared_ptr<kube::server::Exchange>& exchange) {
        kube::server::HttpResponse refused;
        refused.status = 403;
        exchange->respond(std::move(refused));
    });
    ASSERT_TRUE(server.has_value());
    const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/a.tar.gz";
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}}, {.url = url});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, ready("False", "ArtifactFailed", "failed to download archive from " + url + " (status: 403 Forbidden)"));
}

TEST_P(KustomizationRuns, DriftIsSeenByWatchAndCorrected) {
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Object one = in_ns(config_map("one", ""));
    ASSERT_TRUE(api().patch(kube::ref_of(one), kube::PatchType::merge, object_of("data: {k: changed, other: added}\n").root()).has_value());
    const Object back = await(one, [](const Object& o) { return o.at({"data", "k"})->text() == "1"; });
    EXPECT_EQ(back.at({"data", "other"})->text(), "added") << "fields of others are left alone";
    ASSERT_TRUE(api().remove(kube::ref_of(one)).has_value());
    await(one, [&](const Object& o) { return o.uid() != back.uid(); });
}

// Who fights over a field waits longer each time; nothing of that is left when the Kustomization is gone.
TEST_P(KustomizationRuns, AQuarrelEndsWithItsKustomization) {
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    start_agent();
    const Object one = in_ns(config_map("one", ""));
    const auto is = [](const std::string& v) { return [=](const Object& o) { return o.at({"data", "k"})->text() == v; }; };
    const auto quarrel = [&] { // how long the agent takes to put it right
        await_settled("app");
        const auto begun = std::chrono::steady_clock::now();
        patch(one, "data: {k: changed}\n");
        await(one, is("1"));
        return std::chrono::steady_clock::now() - begun;
    };
    Object k = make(kustomization("app", "./"));
    await(k, applied("main@sha1:1"));
    for (int i = 0; i < 3; ++i) quarrel(); // 0.5, 1, 2 s
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    k = make(kustomization("app", "./"));
    await(k, applied("main@sha1:1"));
    EXPECT_LT(quarrel(), std::chrono::milliseconds(3500)) << "4 s by what was before";
}

// A wait may last for minutes; what happens to the objects meanwhile is put right before it ends.
TEST_P(KustomizationRuns, DriftDuringAWaitIsCorrected) {
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}, {"b.yaml", config_map("two", "2")}});
    const Object k = make(kustomization("app", "./", "wait: true, timeout: 10m, healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: 'has(data.done)'}]"));
    start_agent();
    await(k, [](const Object& o) { return gitops::read_status(o)->find("Healthy") != nullptr; });
    const Object one = in_ns(config_map("one", "")), two = in_ns(config_map("two", ""));
    ASSERT_TRUE(api().patch(kube::ref_of(one), kube::PatchType::merge, object_of("data: {k: changed}\n").root()).has_value());
    const Object back = await(one, [](const Object& o) { return o.at({"data", "k"})->text() == "1"; });
    ASSERT_TRUE(api().remove(kube::ref_of(one)).has_value());
    await(one, [&](const Object& o) { return o.uid() != back.uid(); });
    EXPECT_FALSE(gitops::read_status(await(k, [](const Object&) { return true; }))->ready());
    for (const Object& o : {one, two}) ASSERT_TRUE(api().patch(kube::ref_of(o), kube::PatchType::merge, object_of("data: {done: 'yes'}\n").root()).has_value());
    await(k, applied("main@sha1:1"));
}

// The dependency becomes ready after the dependent has looked at it, and before the dependent's status says that it waits.
TEST_P(KustomizationRuns, ADependencyThatBecomesReadyMeanwhileIsNotMissed) {
    publish("main@sha1:1", {{"a/cm.yaml", config_map("a", "1")}, {"b/cm.yaml", config_map("b", "1")}});
    const Object a = make(kustomization("a", "./a", "suspend: true")); // never ready
    const Object b = make(kustomization("b", "./b", "dependsOn: [{name: a}]"));
    faults_->fail({.kind = testing::FaultKind::late, .verb = "patch", .path = "/kustomizations/b/status", .nth = 1});
    start_agent();
    while (faults_->faults() == 0) std::this_thread::yield();
    ASSERT_TRUE(api().patch(kube::ref_of(a), kube::PatchType::merge, object_of("spec: {suspend: false}\n").root()).has_value());
    await(a, applied("main@sha1:1"));
    await(b, applied("main@sha1:1")); // requeue-dependency is longer than the patience
}

TEST_P(KustomizationRuns, ACommitThatDoesNotTouchItMovesOnlyItsRevision) {
    std::map<std::string, std::string> files{{"a/cm.yaml", config_map("a", "1")}, {"b/cm.yaml", config_map("b", "1")}};
    publish("main@sha1:1", files);
    const Object a = make(kustomization("a", "./a")), b = make(kustomization("b", "./b"));
    start_agent();
    await(a, applied("main@sha1:1"));
    await(b, applied("main@sha1:1"));
    await_settled("a");
    await_settled("b");
    const kube::RequestCounts before = client_->counts();
    files["b/cm.yaml"] = config_map("b", "2");
    publish("main@sha1:2", files);
    await(a, applied("main@sha1:2"));
    await(b, applied("main@sha1:2"));
    const kube::RequestCounts after = client_->counts();
    EXPECT_EQ(after.dry_run - before.dry_run, 1u) << "only b was built and checked";
    EXPECT_EQ(after.apply - before.apply, 1u);
}

TEST_P(KustomizationRuns, AChangedValueRebuildsOnlyItsUsers) {
    const auto values = [&](const std::string& name) {
        return in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", labels: {reconcile.fluxcd.io/watch: Enabled}}\ndata: {v: one}\n");
    };
    for (const char* name : {"vars", "other"}) ASSERT_TRUE(api().create(values(name)).has_value());
    publish("main@sha1:1", {{"a/cm.yaml", config_map("a", "${v}")}, {"b/cm.yaml", config_map("b", "${v}")}, {"c/cm.yaml", config_map("c", "1")}});
    const auto from = [](const std::string& name) { return "postBuild: {substituteFrom: [{kind: ConfigMap, name: " + name + "}]}"; };
    const Object a = make(kustomization("a", "./a", from("vars"))), b = make(kustomization("b", "./b", from("other"))), c = make(kustomization("c", "./c"));
    start_agent();
    for (const Object& k : {a, b, c}) await(k, applied("main@sha1:1"));
    for (const char* name : {"a", "b", "c"}) await_settled(name);
    const kube::RequestCounts before = client_->counts();
    ASSERT_TRUE(api().patch(kube::ref_of(values("vars")), kube::PatchType::merge, object_of("data: {v: two}\n").root()).has_value());
    await(in_ns(config_map("a", "")), [](const Object& o) { return o.at({"data", "k"})->text() == "two"; });
    await_settled("a");
    const kube::RequestCounts after = client_->counts();
    EXPECT_EQ(after.dry_run - before.dry_run, 1u) << "only a was built and checked";
    EXPECT_EQ(after.apply - before.apply, 1u);
}

// kustomization.md 8.4 and 2, steps 10, 19f and 5.1: what the log tells of a run; its lines share an id.
TEST_P(KustomizationRuns, TheLogTellsOfEachRun) {
    publish("main@sha1:1", {{"app/a.yaml", config_map("one", "1")}, {"app/b.yaml", config_map("two", "1")}, {"base/c.yaml", config_map("three", "1")}});
    make(kustomization("base", "./base"));
    const Object k = make(kustomization("app", "./app", "dependsOn: [{name: base}]"));
    start_agent();
    await(k, applied("main@sha1:1"));
    publish("main@sha1:2", {{"app/b.yaml", config_map("two", "2")}, {"base/c.yaml", config_map("three", "1")}});
    await(k, applied("main@sha1:2"));
    const auto of_app = [](const std::string& message, const std::string& revision) {
        return [=](const std::string& line) {
            const auto fields = kube::read_json(line);
            return fields && fields->text_at("name") == "app" && fields->text_at("msg").starts_with(message) && (revision.empty() || fields->text_at("revision") == revision);
        };
    };
    const Node first = kube::read_json(logged_.await(of_app("server-side apply completed", "main@sha1:1"))).value();
    EXPECT_EQ(kube::write_json(*first.find("output")), R"({"ConfigMap/)" + ns_ + R"(/one":"created","ConfigMap/)" + ns_ + R"(/two":"created"})");
    const Node second = kube::read_json(logged_.await(of_app("server-side apply completed", "main@sha1:2"))).value();
    EXPECT_EQ(kube::write_json(*second.find("output")), R"({"ConfigMap/)" + ns_ + R"(/two":"configured"})");
    const Node pruned = kube::read_json(logged_.await(of_app("garbage collection completed: ", ""))).value();
    EXPECT_EQ(pruned.text_at("msg"), "garbage collection completed: ConfigMap/" + ns_ + "/one deleted");
    const Node ready = kube::read_json(logged_.await(of_app("All dependencies are ready, proceeding with reconciliation", ""))).value();
    const std::string id(second.text_at("reconcileID")); // a run of the same revision may end before or after it
    const Node end = kube::read_json(logged_.await([&](const std::string& line) {
                         return of_app("Reconciliation finished", "main@sha1:2")(line) && kube::read_json(line)->text_at("reconcileID") == id;
                     })).value();
    EXPECT_EQ(id, pruned.text_at("reconcileID"));
    EXPECT_NE(end.text_at("reconcileID"), first.text_at("reconcileID"));
    EXPECT_TRUE(std::regex_match(std::string(end.text_at("reconcileID")), std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
    stop_agent();

    options_.group_change_log = true;
    start_agent();
    publish("main@sha1:3", {{"app/b.yaml", config_map("two", "3")}, {"app/d.yaml", config_map("four", "1")}, {"base/c.yaml", config_map("three", "1")}});
    const Node grouped = kube::read_json(logged_.await(of_app("server-side apply completed", "main@sha1:3"))).value();
    EXPECT_EQ(kube::write_json(*grouped.find("output")), R"({"created":["ConfigMap/)" + ns_ + R"(/four"],"configured":["ConfigMap/)" + ns_ + R"(/two"]})");
}

// Gate DisableCommitStatusEvent (1.9.6): nobody is told of each success, the log still is.
TEST_P(KustomizationRuns, SuccessesNeedNotBeTold) {
    options_.commit_status_events = false;
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    ask(k, "again");
    logged_.await([](const std::string& line) { return line.find("Reconciliation finished") != line.npos; }, 2);
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}});
    events_seen_.await(EventReceiver::of("app", "Progressing", "configured")); // they come in order
    EXPECT_EQ(events_seen_.count(EventReceiver::of("app", "ReconciliationSucceeded")), 0u);
    EXPECT_EQ(events_seen_.count(EventReceiver::of("app", "Progressing", "created")), 1u);
}

// A no-op interval costs at most two requests, whatever the Kustomization refers to; a changed value is seen by the next one.
TEST_P(KustomizationRuns, QuietIntervalsReadNoReferences) {
    const Object values = make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {v: one}\n"));
    const Object secret = make(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: more}\nstringData: {w: x}\n"));
    publish("main@sha1:1", {{"cm.yaml", config_map("a", "${v}${w}")}});
    const Object k = make(each_second(kustomization("app", "./", "postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}, {kind: Secret, name: more}, "
                                                                 "{kind: ConfigMap, name: absent, optional: true}]}")));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished");
    const auto await_runs = [&](std::size_t n) { events_seen_.await(finished, events_seen_.count(finished) + n); };
    await_runs(2);
    ASSERT_TRUE(events_->flush(kPatience));
    const auto requests = [this] {
        const auto c = client_->counts();
        return c.get + c.list + c.create + c.update + c.patch + c.apply + c.dry_run + c.remove;
    };
    const auto start = requests();
    const std::size_t runs = events_seen_.count(finished);
    await_runs(3);
    EXPECT_LE(requests() - start, 2 * (events_seen_.count(finished) - runs + 1));

    patch(values, "data: {v: two}\n"); // nothing watches it for its own sake
    await(in_ns(config_map("a", "")), [](const Object& o) { return o.at({"data", "k"})->text() == "twox"; });
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: absent}\ndata: {w: y}\n")); // comes to be, and counts after the Secret
    await(in_ns(config_map("a", "")), [](const Object& o) { return o.at({"data", "k"})->text() == "twoy"; });
    ASSERT_TRUE(api().remove(kube::ref_of(secret)).has_value());
    await(k, ready("False", "BuildFailed", "more"));
}

TEST_P(KustomizationRuns, ADefectEndsTheRunNotTheProcess) { // section 8.4: a panic is caught and counts as an error
    publish("main@sha1:1", {{"a/a.yaml", config_map("one", "1")}, {"b/b.yaml", config_map("two", "2")}});
    options_.backoff = {.min = std::chrono::milliseconds(10), .max = std::chrono::milliseconds(20)};
    faults_->fail({.kind = testing::FaultKind::exception, .verb = "get", .path = "/configmaps/broken", .nth = 1});
    faults_->fail({.kind = testing::FaultKind::exception, .verb = "dry-run apply", .path = "/configmaps/one", .nth = 1});
    faults_->fail({.kind = testing::FaultKind::exception, .verb = "patch", .path = "/kustomizations/a/status", .nth = 2});
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken}\ndata: {v: x}\n"));
    const Object a = make(kustomization("a", "./a", "postBuild: {substituteFrom: [{kind: ConfigMap, name: broken}]}")), b = make(kustomization("b", "./b"));
    start_agent();
    await(a, applied("main@sha1:1"));
    await(b, applied("main@sha1:1"));
    EXPECT_EQ(faults_->faults(), 3);
    EXPECT_GE(logged_.count([](const std::string& line) { return line.find("Observed a panic") != line.npos && line.find("thrown by a test") != line.npos && line.find("\"name\":\"a\"") != line.npos; }), 3u);
    EXPECT_NE(metrics_.text().find("controller_runtime_reconcile_panics_total{controller=\"kustomization\"} 3\n"), std::string::npos);
}

TEST_P(KustomizationRuns, AskedForItRunsAndSaysSo) { // items 8, 86
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Node asked = object_of("metadata: {annotations: {reconcile.fluxcd.io/requestedAt: now}}\n").root();
    ASSERT_TRUE(api().patch(kube::ref_of(k), kube::PatchType::merge, asked).has_value());
    await(k, [](const Object& o) { return gitops::read_status(o)->last_handled_reconcile_at == "now"; });
}

TEST_P(KustomizationRuns, EventsOfTheApiNameTheControllerAndNoHost) { // as kustomize-controller 1.9.6 records them
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    start_agent();
    await(make(kustomization("app", "./")), applied("main@sha1:1"));
    ASSERT_TRUE(events_->flush(kPatience));
    const auto events = api().list({"", "v1", "Event"}, {.ns = ns_});
    ASSERT_TRUE(events.has_value());
    ASSERT_EQ(events->items.size(), 2u);
    for (const Object& e : events->items) {
        EXPECT_EQ(e.root().text_at("reportingComponent"), "kustomize-controller");
        EXPECT_EQ(e.root().text_at("reportingInstance"), "");
        EXPECT_EQ(e.at({"source", "component"})->text(), "kustomize-controller");
        EXPECT_EQ(e.at({"source", "host"}), nullptr);
    }
}

TEST_P(KustomizationRuns, SuspendedDoesNothing) { // items 3, 72
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    await(k, applied("main@sha1:1"));
    ASSERT_TRUE(api().patch(kube::ref_of(k), kube::PatchType::merge, object_of("spec: {suspend: true}\n").root()).has_value());
    await(k, [](const Object& o) { return gitops::read_status(o)->observed_generation == o.generation() && o.generation() > 1; }); // item 5
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}});
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    EXPECT_EQ(await(in_ns(config_map("one", "")), [](const Object&) { return true; }).at({"data", "k"})->text(), "1");
}

TEST_P(KustomizationRuns, ANewerRevisionSupersedesAWaitAtOnce) { // item 83
    const auto deployment = [&](const std::string& replicas) { // no node will ever take its pods
        return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: " + ns_ + "}\nspec: {replicas: " + replicas +
               ", selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {nodeSelector: {kubernetes.io/hostname: nowhere}, containers: [{name: c, image: i}]}}}\n";
    };
    if (!cluster_.is_real()) GTEST_SKIP() << "the embedded server's workloads are ready at once";
    publish("main@sha1:1", {{"a.yaml", deployment("1")}});
    const Object k = make(kustomization("app", "./", "wait: true, timeout: 10m"));
    start_agent();
    await(k, [](const Object& o) { return gitops::read_status(o)->find("Healthy") != nullptr; });
    publish("main@sha1:2", {{"a.yaml", deployment("0")}});
    await(k, applied("main@sha1:2"));
}

// The revision arrives while the one before is applied: its wait, which begins afterwards, must not last until its timeout.
TEST_P(KustomizationRuns, ARevisionThatComesDuringAnApplySupersedesTheWaitAfterIt) {
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./", "wait: true, timeout: 10m, healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: 'data.k == \"2\"'}]"));
    faults_->fail({.kind = testing::FaultKind::late, .verb = "apply", .path = "/configmaps/one", .nth = 1});
    start_agent();
    while (faults_->faults() == 0) std::this_thread::yield();
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}});
    await(k, applied("main@sha1:2"));
}

TEST_P(KustomizationRuns, ABrokenCommitLeavesTheLastGoodStateAndSaysWhy) { // items 33, 78
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./", "retryInterval: 1h"));
    start_agent();
    await(k, applied("main@sha1:1"));
    publish("main@sha1:2", {{"a.yaml", config_map("one", "2")}, {"kustomization.yaml", "resources: [a.yaml, missing.yaml]\n"}});
    const Object broken = await(k, ready("False", "BuildFailed", "missing.yaml"));
    const auto status = gitops::read_status(broken).value();
    EXPECT_EQ(status.last_applied_revision, "main@sha1:1");
    EXPECT_EQ(status.last_attempted_revision, "main@sha1:2");
    EXPECT_EQ(status.find("Reconciling")->reason, "ProgressingWithRetry");
    EXPECT_EQ(await(in_ns(config_map("one", "")), [](const Object&) { return true; }).at({"data", "k"})->text(), "1");
    publish("main@sha1:3", {{"a.yaml", config_map("one", "3")}});
    await(k, applied("main@sha1:3"));
}

TEST_P(KustomizationRuns, CrossNamespaceReferencesAreRefusedWhenAsked) { // item 13
    options_.no_cross_namespace_refs = true;
    Object k = kustomization("app", "./");
    k.root().find_mut("spec")->find_mut("sourceRef")->set("namespace", Node::string("elsewhere"));
    k = make(k);
    start_agent();
    const Object denied = await(k, ready("False", "AccessDenied", "can't access 'GitRepository/elsewhere/fleet', cross-namespace references have been blocked"));
    EXPECT_TRUE(gitops::read_status(denied)->is_true("Stalled"));
    EXPECT_EQ(gitops::read_status(denied)->find("Stalled")->reason, "AccessDenied");
    EXPECT_EQ(gitops::read_status(denied)->find("Reconciling"), nullptr);
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "AccessDenied", "cross-namespace references have been blocked")).text_at("severity"), "error");
    stop_agent();
    options_.no_cross_namespace_refs = false;
    options_.direct_source_fetch = true; // the fixture's agent is one of a single namespace
    start_agent();
    await(k, ready("False", "ArtifactFailed", "\"fleet\" not found")); // it is looked for
}

TEST_P(KustomizationRuns, AnAccountWithoutRightsIsNamed) { // item 60
    if (!cluster_.is_real()) GTEST_SKIP() << "needs RBAC";
    publish("main@sha1:1", {{"a.yaml", config_map("one", "1")}});
    const Object k = make(kustomization("app", "./", "serviceAccountName: nobody"));
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "system:serviceaccount:" + ns_ + ":nobody"));
    // Also one that comes later, to objects that are as they should be.
    patch(k, "spec: {serviceAccountName: ''}\n");
    await(k, applied("main@sha1:1"));
    await_settled("app");
    patch(k, "spec: {serviceAccountName: nobody}\n");
    await(k, ready("False", "ReconciliationFailed", "system:serviceaccount:" + ns_ + ":nobody"));
}

// Values of Secrets and variables, private keys: in no log line, event, condition or metric, whatever goes right or wrong with them.
TEST_P(KustomizationRuns, NoValueLeavesTheProcessInWords) {
    namespace sops = gitops::sops;
    struct Said {
        std::mutex mutex;
        std::string text;
    };
    const auto logged = std::make_shared<Said>(); // the agent outlives this function when the test fails
    log_ = Log(LogLevel::trace, true, [logged](std::string_view line) {
        const std::lock_guard lock(logged->mutex);
        logged->text.append(line).append("\n");
    });
    std::string said;
    const gitops::AgeIdentity identity = gitops::make_age_identity().value(), stranger = gitops::make_age_identity().value();
    const auto secret = [&](const std::string& name, const std::string& rest) {
        return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\n" + rest;
    };
    const auto encrypted = [&](const std::string& plain, const gitops::AgeIdentity& for_whom) {
        const sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = for_whom.recipient}}}, .rule = {.encrypted_regex = "^(data|stringData)$"}};
        return sops::encrypt_file(plain, sops::Format::yaml, settings, {}, "2026-01-02T03:04:05Z").value();
    };
    const std::string key = gitops::age_identity_text(identity);
    make(object_of(secret("sops-age", "stringData: {k.agekey: " + key + "}\n")));
    make(object_of(secret("sops-bad", "stringData: {k.agekey: planted-no-key}\n")));
    make(object_of(secret("vars", "stringData: {password: planted-variable, broken: 'planted-a: planted-b: c', anchor: '*planted-anchor'}\n")));

    const std::string service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: " + ns_ + "}\nspec: {"; // not a Secret: its API server quotes what it refuses
    std::string plain_value = encrypted(secret("c", "stringData: {pw: planted-encrypted}\n"), identity);
    plain_value.insert(plain_value.find("    pw:"), "    other: planted-plain\n");
    publish("main@sha1:1", {{"good/a.yaml", encrypted(secret("a", "stringData: {pw: planted-encrypted}\n"), identity)},
                            {"good/b.yaml", secret("b", "stringData: {pw: 'x-${password}'}\n")},
                            {"yaml/b.yaml", secret("y", "stringData: {pw: '${broken}'}\n")},
                            {"anchor/b.yaml", secret("y", "stringData: {pw: '${anchor}'}\n")},
                            {"plain/c.yaml", plain_value},
                            {"stranger/c.yaml", encrypted(secret("d", "stringData: {pw: planted-encrypted}\n"), stranger)},
                            {"no-key/c.yaml", encrypted(secret("d", "stringData: {pw: planted-encrypted}\n"), identity)},
                            {"base64/c.yaml", secret("e", "data: {pw: 'planted-not-base64!'}\n")},
                            {"variable/s.yaml", service + "clusterIP: '${password}'}\n"},
                            {"variable-type/s.yaml", service + "ports: [{port: '${password}'}]}\n"},
                            {"address/s.yaml", sops::encrypt_file(service + "clusterIP: planted-address}\n", sops::Format::yaml,
                                                                  {.groups = {{{.provider = sops::Provider::age, .name = identity.recipient}}}, .rule = {.encrypted_regex = "^clusterIP$"}}, {},
                                                                  "2026-01-02T03:04:05Z").value()},
                            {"number/c.yaml", secret("f", "stringData: {pw: [planted-list]}\n")}});
    const std::string decrypt = "decryption: {provider: sops, secretRef: {name: sops-age}}", substitute = "postBuild: {substituteFrom: [{kind: Secret, name: vars}]}";
    std::vector<Object> all;
    const auto add = [&](const std::string& name, const std::string& more) { all.push_back(make(kustomization(name, "./" + name, "timeout: 30s, retryInterval: 1h, " + more))); };
    add("good", decrypt + ", " + substitute + ", wait: true");
    for (const char* name : {"yaml", "anchor", "variable", "variable-type"}) add(name, substitute);
    for (const char* name : {"plain", "stranger", "base64", "number", "address"}) add(name, decrypt);
    add("no-key", "decryption: {provider: sops, secretRef: {name: sops-bad}}");
    start_agent();
    await(all[0], applied("main@sha1:1"));
    for (std::size_t i = 1; i < all.size(); ++i)
        await(all[i], [](const Object& o) {
            const auto s = gitops::read_status(o);
            const gitops::Condition* c = s ? s->find("Ready") : nullptr;
            return c != nullptr && c->status == "False";
        });
    // corrected drift is an event
    const Object a = object_of(secret("a", ""));
    ASSERT_TRUE(api().patch(kube::ref_of(a), kube::PatchType::merge, object_of("data: {pw: cGxhbnRlZC1kcmlmdA==}\n").root()).has_value()); // planted-drift
    await(a, [](const Object& o) { return kube::base64_decode(o.at({"data", "pw"})->text()).value() == "planted-encrypted"; });
    await_settled("good");
    for (Object& k : all) said += kube::write_yaml(api().get(kube::ref_of(k)).value().root());
    said += metrics_.text();
    stop_agent(); // events are sent by then
    said += logged->text;
    const auto events = api().list({"", "v1", "Event"}, {.ns = ns_});
    ASSERT_TRUE(events.has_value());
    EXPECT_GT(events->items.size(), all.size() - 1);
    for (const Object& e : events->items) said += kube::write_yaml(e.root());
    EXPECT_NE(said.find("no-key"), said.npos);
    for (const char* value : {"planted", "cGxhbnRlZC", "xhbnRlZC", "AGE-SECRET-KEY"}) {
        const std::size_t at = said.find(value);
        EXPECT_EQ(at, said.npos) << said.substr(at < 300 ? 0 : at - 300, 600);
    }
}

} // namespace
} // namespace weber::agent
