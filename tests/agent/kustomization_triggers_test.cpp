// Sources, dependencies and what starts a run: kustomization.md section 9, items 1, 2, 9 to 29, 85 to 92.
#include "agent/jitter.h"
#include "agent/process.h"
#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(c | 0x20); // letters only
    return text;
}

class KustomizationTriggers : public KustomizationRuns {
protected:
    // What Flux's definitions say about sources of a kind, as far as the agent looks at it.
    void define_source(const std::string& kind, const std::string& plural) {
        testing::define(api(), "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + plural + ".source.toolkit.fluxcd.io}\nspec: {group: source.toolkit.fluxcd.io, scope: Namespaced, "
               "names: {kind: " + kind + ", plural: " + plural + ", singular: " + lower(kind) + ", listKind: " + kind + "List}, versions: [{name: v1, served: true, storage: true, subresources: "
               "{status: {}}, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}, status: {type: object, "
               "x-kubernetes-preserve-unknown-fields: true}}}}}]}\n");
    }
    Object of_kind(Object k, const std::string& kind) {
        k.root().find_mut("spec")->find_mut("sourceRef")->set("kind", Node::string(kind));
        return k;
    }
    std::map<std::string, std::string> files(const std::string& value) { return {{"a.yaml", config_map("one", value)}}; }
    static std::function<bool(const Node&)> finished(const std::string& name) { return EventReceiver::of(name, "ReconciliationSucceeded", "Reconciliation finished in "); }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationTriggers, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(KustomizationTriggers, LifeBeginsAndEndsWithTheFinalizer) { // items 1, 2
    const Object k = make(kustomization("new", "./"));
    EXPECT_EQ(status_of(live(k)).observed_generation, -1);
    Object other = kustomization("doomed", "./");
    other.metadata_mut().set("finalizers", Node::list({Node::string("example.org/other")}));
    other = make(other);
    ASSERT_TRUE(api().remove(kube::ref_of(other)).has_value());
    options_.concurrent = 1; // "doomed" comes before "new"
    start_agent();
    const Object seen = await(k, ready("False", "ArtifactFailed"));
    EXPECT_EQ(seen.at({"metadata", "finalizers"})->items()[0].text(), gitops::kFinalizer);
    EXPECT_EQ(status_of(seen).observed_generation, -1);
    EXPECT_EQ(live(other).at({"metadata", "finalizers"})->items().size(), 1u);
    EXPECT_EQ(logged_.count([](const std::string& line) { return line.find("\"level\":\"error\"") != line.npos; }), 0u);
    patch(other, "metadata: {finalizers: null}\n");
    await_gone(other);
}

TEST(Jitter, IsOfIntervalsOnlyAndWithinItsShare) { // item 9
    const std::chrono::nanoseconds hour = std::chrono::hours(1);
    std::chrono::nanoseconds low = hour, high = hour;
    for (int i = 0; i < 2000; ++i) low = std::min(low, jittered(hour, 0.05)), high = std::max(high, jittered(hour, 0.05));
    EXPECT_GE(low, std::chrono::minutes(57));
    EXPECT_LT(low, std::chrono::minutes(58)) << "both sides are used";
    EXPECT_LE(high, std::chrono::minutes(63));
    EXPECT_GT(high, std::chrono::minutes(62));
    EXPECT_EQ(jittered(hour, 0), hour);
}

TEST_P(KustomizationTriggers, RetriesAfterItsOwnInterval) { // item 9
    publish("main@sha1:1", {{"kustomization.yaml", "resources: [missing.yaml]\n"}});
    make(kustomization("app", "./", "retryInterval: 1s"));
    start_agent();
    const auto failed = EventReceiver::of("app", "BuildFailed");
    events_seen_.await(failed);
    const auto first = std::chrono::steady_clock::now();
    events_seen_.await(failed, 3);
    EXPECT_GE(std::chrono::steady_clock::now() - first, std::chrono::milliseconds(1500)) << "two pauses, the first of which may have begun before we looked";
    logged_.await([](const std::string& line) { return line.find("Reconciliation failed after ") != line.npos && line.find(", next try in 1s") != line.npos; });
}

TEST_P(KustomizationTriggers, SourcesOfEveryKind) { // item 14
    const std::pair<const char*, const char*> kinds[] = {{"OCIRepository", "ocirepositories"}, {"Bucket", "buckets"}, {"ExternalArtifact", "externalartifacts"}};
    for (const auto& [kind, plural] : kinds) define_source(kind, plural);
    options_.allow_external_artifact = true;
    std::vector<Object> all;
    for (const auto& [kind, plural] : kinds) {
        const std::string name = lower(kind);
        publish("v1@sha256:1", {{name + "/a.yaml", config_map(name, "1")}}, {.kind = kind});
        all.push_back(make(of_kind(kustomization(name, "./" + name), kind)));
    }
    start_agent();
    for (const Object& k : all) await(k, applied("v1@sha256:1"));
    for (const auto& [kind, plural] : kinds) {
        const std::string name = lower(kind);
        publish("v2@sha256:2", {{name + "/a.yaml", config_map(name, "2")}}, {.kind = kind});
    }
    for (const Object& k : all) await(k, applied("v2@sha256:2"));
    stop_agent();
    options_.allow_external_artifact = false;
    start_agent();
    const Object denied = await(all[2], ready("False", "AccessDenied", "can't access 'ExternalArtifact/" + ns_ + "/fleet', ExternalArtifact feature gate is disabled"));
    EXPECT_TRUE(status_of(denied).is_true("Stalled"));
    const Node event = events_seen_.await(EventReceiver::of("externalartifact", "AccessDenied", "feature gate is disabled"));
    EXPECT_EQ(event.text_at("severity"), "error");
    EXPECT_EQ(event.find("metadata"), nullptr) << "no revision";
}

TEST_P(KustomizationTriggers, DirectSourceFetchReadsPastTheCache) { // item 15
    options_.direct_source_fetch = true;
    options_.backoff = {.min = std::chrono::milliseconds(100), .max = std::chrono::milliseconds(1000)};
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "get", .path = "/gitrepositories/fleet", .probability = 1, .times = 1});
    const Object k = make(kustomization("app", "./"));
    publish("main@sha1:1", files("1"));
    start_agent();
    await(k, applied("main@sha1:1"));
    EXPECT_EQ(faults_->faults(), 1) << "the source was read from the API server";
    logged_.await([&](const std::string& line) { return line.find("unable to get source '" + ns_ + "/fleet': ") != line.npos; });
    const Object lost = make([&] { Object o = kustomization("lost", "./"); o.root().find_mut("spec")->find_mut("sourceRef")->set("name", Node::string("nowhere")); return o; }());
    await(lost, ready("False", "ArtifactFailed", "gitrepositories.source.toolkit.fluxcd.io \"nowhere\" not found"));
}

// --watch-all-namespaces=false, as kustomize-controller's cache of one namespace: no source elsewhere; dependencies are read from the API server.
TEST_P(KustomizationTriggers, AnAgentOfOneNamespaceSeesNoSourcesElsewhere) {
    options_.backoff = {.min = std::chrono::milliseconds(100), .max = std::chrono::milliseconds(1000)};
    publish("main@sha1:1", files("1"));
    const std::string elsewhere = cluster_.make_namespace();
    Object dependency = kustomization("infra", "./");
    dependency.set_ns(elsewhere);
    dependency = make(dependency);
    ASSERT_TRUE(api().patch(kube::ref_of(dependency), kube::PatchType::merge, object_of("status: {observedGeneration: 1, conditions: [{type: Ready, status: 'True', reason: x, message: m, "
                                                                                        "lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n").root(), {.subresource = "status"}).has_value());
    Object far = kustomization("far", "./");
    far.root().find_mut("spec")->find_mut("sourceRef")->set("namespace", Node::string(elsewhere));
    far = make(far);
    const Object near = make(kustomization("near", "./", "dependsOn: [{name: infra, namespace: " + elsewhere + "}]"));
    start_agent();
    await(near, applied("main@sha1:1"));
    const std::string place = elsewhere + "/fleet";
    await(far, ready("False", "ArtifactFailed", "unable to get source '" + place + "': unable to get: " + place + " because of unknown namespace for the cache"));
}

TEST_P(KustomizationTriggers, ArtifactsAreFetchedAndVerified) { // items 16, 17, 20
    const std::string bytes = pack(files("1"));
    auto front = kube::server::HttpFront::start({}, [&](kube::server::HttpRequest&& r, const std::shared_ptr<kube::server::Exchange>& exchange) {
        kube::server::HttpResponse answer;
        if (r.path == "/there.tar.gz") answer.body = bytes;
        else answer.status = 404;
        exchange->respond(std::move(answer));
    }).value();
    const std::string base = "http://127.0.0.1:" + std::to_string(front->port());
    options_.requeue_dependency = std::chrono::seconds(1);
    publish("main@sha1:1", files("1"), {.url = base + "/there.tar.gz", .digest = "sha256:" + std::string(64, '0')});
    const Object k = make(kustomization("app", "./", "retryInterval: 1s"));
    start_agent();
    const Object wrong = await(k, ready("False", "ArtifactFailed", "failed to verify archive: computed digest doesn't match provided"));
    EXPECT_EQ(status_of(wrong).last_attempted_revision, "");
    EXPECT_EQ(events_seen_.await(EventReceiver::of("app", "ArtifactFailed", "failed to verify archive")).text_at("severity"), "error");
    publish("main@sha1:1", files("1"), {.url = base + "/gone.tar.gz"});
    await(k, ready("False", "ArtifactFailed", "Source is not ready, artifact not found, retrying in 1s"));
    EXPECT_EQ(events_seen_.count(EventReceiver::of("app", "", "artifact not found")), 0u);
    publish("main@sha1:1", files("1"), {.url = base + "/there.tar.gz", .ready = false}); // a source that fails now, with what it last had
    await(k, applied("main@sha1:1"));
}

TEST_P(KustomizationTriggers, AStepThatLastsIsShown) { // item 7
    const std::string bytes = pack(files("1"));
    Arrivals<std::shared_ptr<kube::server::Exchange>> held;
    auto front = kube::server::HttpFront::start({}, [&](kube::server::HttpRequest&&, const std::shared_ptr<kube::server::Exchange>& exchange) { held.add(exchange); }).value();
    publish("main@sha1:1", files("1"), {.url = "http://127.0.0.1:" + std::to_string(front->port()) + "/slow.tar.gz", .digest = gitops::artifact_digest(bytes)});
    const Object k = make(kustomization("app", "./"));
    start_agent();
    const auto exchange = held.await([](const auto&) { return true; });
    ASSERT_NE(exchange, nullptr);
    held.clear(); // an exchange may not outlive its server
    const Object fetching = await(k, ready("Unknown", "Progressing", "Reconciliation in progress"));
    EXPECT_EQ(status_of(fetching).find("Reconciling")->message.rfind("Fetching manifests for revision main@sha1:1 with a timeout of ", 0), 0u);
    kube::server::HttpResponse answer;
    answer.body = bytes;
    exchange->respond(std::move(answer));
    EXPECT_EQ(status_of(await(k, applied("main@sha1:1"))).find("Reconciling"), nullptr);
}

TEST_P(KustomizationTriggers, OriginRevisionsAreCarried) { // items 21, 91
    publish("main@sha1:1", files("1"), {.origin = "main@sha1:origin"});
    Object k = kustomization("app", "./");
    k.set_annotation("event.toolkit.fluxcd.io/env", "prod");
    k = make(k);
    start_agent();
    const auto status = status_of(await(k, applied("main@sha1:1")));
    EXPECT_EQ(status.last_applied_origin_revision, "main@sha1:origin");
    EXPECT_EQ(gitops::write_status(status).find("history")->items()[0].find("metadata")->text_at("originRevision"), "main@sha1:origin");
    events_seen_.await(finished("app"));
    ASSERT_EQ(events_seen_.all().size(), 2u);
    for (const Node& event : events_seen_.all()) {
        const Node& metadata = *event.find("metadata");
        EXPECT_EQ(metadata.text_at("kustomize.toolkit.fluxcd.io/originRevision"), "main@sha1:origin") << kube::write_json(event);
        EXPECT_EQ(metadata.text_at("event.toolkit.fluxcd.io/env"), "prod") << kube::write_json(event);
        EXPECT_EQ(metadata.text_at("kustomize.toolkit.fluxcd.io/commit_status"), finished("app")(event) ? "update" : "") << kube::write_json(event);
    }
}

TEST_P(KustomizationTriggers, WhatADependencyMustShow) { // items 22 to 24, against dependencies that nobody reconciles
    const std::string elsewhere = cluster_.make_namespace();
    struct Row {
        std::string name, source_ns, revision, ready;
        int behind;
        std::string problem; // "": none
    };
    const Row rows[] = {{"good", ns_, "main@sha1:1", "True", 0, ""},
                        {"old", ns_, "main@sha1:0", "True", 0, "revision is not up to date"},
                        {"oldother", elsewhere, "main@sha1:0", "True", 0, ""},
                        {"lagging", ns_, "main@sha1:1", "True", 1, "is not ready"},
                        {"unready", ns_, "main@sha1:1", "False", 0, "is not ready"}};
    publish("main@sha1:1", files("1"));
    for (const Row& row : rows) {
        Object d = object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + row.name + ", namespace: " + elsewhere +
                             "}\nspec: {interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: fleet, namespace: " + row.source_ns + "}}\n");
        d = make(d);
        patch(d, "status: {observedGeneration: " + std::to_string(d.generation() - row.behind) + ", lastAppliedRevision: 'main@sha1:" + row.revision.back() + "', conditions: [{type: Ready, status: '" +
                     row.ready + "', reason: R, message: m, lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n", "status");
        make(kustomization(row.name, "./", "dependsOn: [{name: " + row.name + ", namespace: " + elsewhere + "}]"));
    }
    start_agent();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        if (row.problem.empty()) {
            await(kustomization(row.name, ""), applied("main@sha1:1"));
            continue;
        }
        await(kustomization(row.name, ""), ready("False", "DependencyNotReady", "dependency '" + elsewhere + "/" + row.name + "' " + row.problem));
        const Node event = events_seen_.await(EventReceiver::of(row.name, "DependencyNotReady"));
        EXPECT_EQ(event.text_at("message"), "Dependencies do not meet ready condition, retrying in 10m0s");
        EXPECT_EQ(event.text_at("severity"), "info");
    }
}

TEST_P(KustomizationTriggers, ReadyExpressionsReplaceOrAddToTheCheck) { // items 25, 29
    publish("main@sha1:1", files("1"));
    make(kustomization("paused", "./", "suspend: true"));
    const Object k = make(kustomization("app", "./", "dependsOn: [{name: paused, readyExpr: 'dep.spec.suspend == true'}]"));
    start_agent();
    await(k, applied("main@sha1:1"));
    stop_agent();
    options_.additive_cel_dependency_check = true;
    start_agent();
    ask(k, "one");
    await(k, ready("False", "DependencyNotReady", "dependency '" + ns_ + "/paused' is not ready"));
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    await_gone(in_ns(config_map("one", "")));
}

TEST_P(KustomizationTriggers, OnlyWhatShouldStartsARun) { // items 86 to 88
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, labels: {reconcile.fluxcd.io/watch: Enabled}}\ndata: {a: a1}\n"));
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quiet}\ndata: {b: b1}\n"));
    publish("main@sha1:1", files("${a:=gone}-${b}"));
    const Object k = make(kustomization("app", "./", "postBuild: {substituteFrom: [{kind: ConfigMap, name: vars, optional: true}, {kind: ConfigMap, name: quiet}]}"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const auto runs = [&](std::size_t n) {
        events_seen_.await(finished("app"), n);
        EXPECT_EQ(events_seen_.count(finished("app")), n);
    };
    runs(1);
    ask(k, "one");
    runs(2);
    patch(k, "metadata: {annotations: {reconcile.fluxcd.io/requestedAt: null}}\n");
    patch(k, "metadata: {labels: {a: b}}\n");
    publish("main@sha1:1", files("same revision, other digest"));
    patch(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quiet}\n"), "data: {b: b2}\n");
    patch(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\n"), "metadata: {labels: {other: label}}\n");
    runs(3); // of vars alone: all before it would have come first
    EXPECT_EQ(status_of(live(k)).last_handled_reconcile_at, "one") << "it outlives the annotation";
    publish("main@sha1:2", files("${a:=gone}-${b}"));
    await(k, applied("main@sha1:2"));
    EXPECT_EQ(value_of("one"), "a1-b2");
    runs(4);
    ASSERT_TRUE(api().remove({{"", "v1", "ConfigMap"}, ns_, "vars"}).has_value());
    runs(5);
    EXPECT_EQ(value_of("one"), "gone-b2");
}

TEST_P(KustomizationTriggers, DependenciesGoFirst) { // item 89
    publish("main@sha1:1", {{"a/a.yaml", config_map("a", "1")}, {"b/a.yaml", config_map("b", "1")}, {"c/a.yaml", config_map("c", "1")}});
    make(kustomization("c", "./c", "dependsOn: [{name: b}]"));
    make(kustomization("b", "./b", "dependsOn: [{name: a}]"));
    make(kustomization("a", "./a"));
    options_.concurrent = 1;
    start_agent();
    for (const char* name : {"a", "b", "c"}) await(kustomization(name, ""), applied("main@sha1:1"));
    for (const char* name : {"a", "b", "c"}) events_seen_.await(finished(name));
    const std::size_t seen = events_seen_.all().size();
    publish("main@sha1:2", {{"a/a.yaml", config_map("a", "2")}, {"b/a.yaml", config_map("b", "2")}, {"c/a.yaml", config_map("c", "2")}});
    for (const char* name : {"a", "b", "c"}) events_seen_.await(finished(name), 2);
    std::string order;
    const auto all = events_seen_.all();
    for (std::size_t i = seen; i < all.size(); ++i) {
        EXPECT_NE(all[i].text_at("reason"), "DependencyNotReady");
        if (all[i].text_at("message").starts_with("Reconciliation finished")) order += all[i].find("involvedObject")->text_at("name");
    }
    EXPECT_EQ(order, "abc");
    // A cycle among those of one source: nothing of it is queued, and that is logged.
    patch(kustomization("a", ""), "spec: {dependsOn: [{name: c}]}\n");
    await(kustomization("a", ""), [](const Object& o) { return status_of(o).observed_generation == o.generation(); });
    events_seen_.await(finished("a"), 3);
    publish("main@sha1:3", {{"a/a.yaml", config_map("a", "3")}});
    logged_.await([](const std::string& line) { return line.find("failed to sort dependencies for revision change") != line.npos && line.find("circular dependency detected: ") != line.npos; });
    EXPECT_EQ(status_of(live(kustomization("c", ""))).last_attempted_revision, "main@sha1:2");
}

TEST_P(KustomizationTriggers, EachShardHasItsOwn) { // item 92
    publish("main@sha1:1", {{"a/a.yaml", config_map("a", "1")}, {"b/a.yaml", config_map("b", "1")}});
    Object a = kustomization("a", "./a"), b = kustomization("b", "./b");
    a.set_label("sharding.fluxcd.io/key", "shard1");
    b.set_label("sharding.fluxcd.io/key", "shard2");
    make(b);
    make(a);
    options_.watch_label_selector = "sharding.fluxcd.io/key=shard1";
    start_agent();
    await(a, applied("main@sha1:1"));
    EXPECT_EQ(live(b).at({"metadata", "finalizers"}), nullptr);
    stop_agent();
    options_.watch_label_selector = "sharding.fluxcd.io/key in (shard2)";
    start_agent();
    await(b, applied("main@sha1:1"));
    EXPECT_NE(lease_name("kustomize-controller", "sharding.fluxcd.io/key=shard1"), lease_name("kustomize-controller", "sharding.fluxcd.io/key=shard2"));
    EXPECT_EQ(lease_name("kustomize-controller", ""), "kustomize-controller-leader-election");
}

TEST_P(KustomizationTriggers, AJobThatVanishesIsDone) { // item 85
    publish("main@sha1:1", {{"job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: " + ns_ + "}\nspec: {ttlSecondsAfterFinished: 0, template: {spec: {restartPolicy: Never, "
                                         "nodeSelector: {kubernetes.io/hostname: nowhere}, containers: [{name: c, image: i}]}}}\n"}});
    const Object k = make(kustomization("app", "./", "wait: true, timeout: 10m"));
    start_agent();
    const Object job = in_ns("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n");
    if (cluster_.is_real()) { // the embedded server's Job completes and is removed by itself, perhaps before anybody looks
        await(k, [](const Object& o) { return status_of(o).find("Healthy") != nullptr; });
        ASSERT_TRUE(api().remove(kube::ref_of(job), {.propagation = kube::Propagation::background}).has_value());
    }
    const Object done = await(k, applied("main@sha1:1"));
    EXPECT_TRUE(status_of(done).is_true("Healthy"));
    // It is made again by the next interval, as Flux does; not as a correction of drift.
    await_settled("app");
}

} // namespace
} // namespace weber::agent
