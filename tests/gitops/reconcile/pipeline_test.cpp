// One run against an API server: what the memory saves, what the prune guard stops.
#include "gitops/reconcile/pipeline.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "gitops/reconcile/owned_fields.h"
#include "gitops/source/open.h"
#include "kube/kstatus.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class Quiet final : public RunObserver {
public:
    Result<void> on_status(const KustomizationStatus&) override { return {}; }
    void on_event(const Event& event) override { events.push_back(event.message); }
    void on_progress(const Progress&) override {}
    Strings events;
};

class Pipeline : public OnClusters {
protected:
    void write(const std::string& name, const std::string& value = "v") {
        tree_.write(name + ".yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n");
    }
    void remove(const std::string& name) { std::filesystem::remove(tree_.path() + "/" + name + ".yaml"); }

    RunResult run(const PipelineSettings& settings, const std::string& annotations = "{}") {
        const Object object = testing::object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: " + ns_ + ", generation: 1, annotations: " +
                                                 annotations + "}\nspec: {interval: 1m, prune: true, path: ./, sourceRef: {kind: GitRepository, name: fleet}}\n");
        auto k = parse_kustomization(object);
        EXPECT_TRUE(k) << k.error().to_string();
        auto snapshot = open_working_tree(tree_.path());
        EXPECT_TRUE(snapshot) << snapshot.error().to_string();
        gitops::Run run(*k, status_, {.revision = "main@sha1:1", .open = [&](std::stop_token) { return snapshot; }}, settings, client(), observer_);
        run.until_wait();
        RunResult result = run.result();
        status_ = result.conclusion.status;
        return result;
    }
    // What an agent's watches would hold now.
    LiveView watches() {
        return [this](const kube::ObjectRef& ref) -> std::optional<LiveMark> {
            const auto live = other().find(ref);
            if (!live || !*live) return std::nullopt;
            const auto status = kube::compute_flux_status(**live);
            return LiveMark{std::string((*live)->uid()), std::string((*live)->resource_version()), owned_hash(**live), status && status->code == kube::StatusCode::current};
        };
    }
    Strings inventory() const {
        Strings out;
        for (const InventoryEntry& e : status_.inventory.value_or(Inventory{})) out.push_back(e.key.name);
        return out;
    }

    testing::TempDir tree_;
    KustomizationStatus status_;
    Quiet observer_;
};
WEBER_ON_CLUSTERS(Pipeline);

TEST_P(Pipeline, ANoOpRunWithWatchesSendsNoRequest) {
    for (const char* name : {"a", "b", "c"}) write(name);
    AppliedMemory memory;
    const PipelineSettings settings{.memory = &memory, .seen = watches()};
    ASSERT_EQ(run(settings).conclusion.next, NextRun::interval);
    recorder_->take();
    const RunResult again = run(settings);
    EXPECT_THAT(recorder_->take(), IsEmpty());
    ASSERT_THAT(again.changes.changes, SizeIs(3));
    for (const Change& c : again.changes.changes) {
        EXPECT_EQ(c.action, Action::unchanged);
        EXPECT_FALSE(c.resource_version.empty());
        EXPECT_NE(c.owned, 0u);
    }
    EXPECT_EQ(inventory(), (Strings{"a", "b", "c"}));

    // One changed in the source: only that one is asked for and written.
    write("b", "new");
    run(settings);
    EXPECT_EQ(verbs(), (Strings{"dry-run apply", "get", "apply"}));
}

TEST_P(Pipeline, DriftIsSeenAndCorrected) {
    for (const char* name : {"a", "b"}) write(name);
    AppliedMemory memory;
    const PipelineSettings settings{.memory = &memory, .seen = watches()};
    run(settings);
    edit(config_map("a"), "data: {k: edited}", "somebody");  // a value of ours
    edit(config_map("b"), "data: {extra: x}", "kubectl-edit"); // a field that the next apply takes over
    verbs();
    const RunResult corrected = run(settings);
    EXPECT_EQ(anonymous(corrected.changes.changed_lines()), "ConfigMap/NS/a configured\nConfigMap/NS/b configured");
    EXPECT_EQ(live_text(config_map("a"), {"data", "k"}), "v");
    EXPECT_EQ(live_text(config_map("b"), {"data", "extra"}), "<none>");
    edit(config_map("a"), "data: {theirs: x}", "somebody"); // not ours
    verbs();
    run(settings);
    EXPECT_THAT(verbs(), IsEmpty());
    ASSERT_TRUE(other().remove(kube::ref_of(config_map("a"))).has_value());
    EXPECT_EQ(anonymous(run(settings).changes.changed_lines()), "ConfigMap/NS/a created");
}

TEST_P(Pipeline, PruneGuardStopsUntilAnnotated) {
    for (const char* name : {"a", "b", "c"}) write(name);
    const PipelineSettings settings{.prune_guard = true};
    run(settings);
    remove("a");
    EXPECT_EQ(run(settings).conclusion.next, NextRun::interval); // one of three is no accident
    EXPECT_TRUE(absent(config_map("a")));
    remove("b"), remove("c");
    write("d");
    const RunResult stopped = run(settings);
    EXPECT_EQ(stopped.conclusion.next, NextRun::terminal);
    const Condition* stalled = status_.find("Stalled");
    ASSERT_NE(stalled, nullptr);
    EXPECT_EQ(stalled->reason, "PruneGuard");
    EXPECT_THAT(anonymous(stalled->message), HasSubstr("ConfigMap/NS/c, ConfigMap/NS/b"));
    EXPECT_FALSE(absent(config_map("b")));
    EXPECT_FALSE(absent(config_map("d"))); // what was added is there
    EXPECT_EQ(inventory(), (Strings{"d", "c", "b"}));

    // Nothing that happens meanwhile makes it look small: not the new object, not a failed build.
    const std::string token = stalled->message.substr(stalled->message.find("allow-prune: ") + 13, 12);
    EXPECT_EQ(run(settings).conclusion.next, NextRun::terminal);
    tree_.write("d.yaml", "not: [yaml");
    EXPECT_EQ(run(settings).conclusion.next, NextRun::retry);
    write("d");
    EXPECT_EQ(run(settings, "{weber.dev/allow-prune: '000000000000'}").conclusion.next, NextRun::terminal);
    EXPECT_FALSE(absent(config_map("b")));

    const RunResult allowed = run(settings, "{weber.dev/allow-prune: '" + token + "'}");
    EXPECT_EQ(allowed.conclusion.next, NextRun::interval) << status_.find("Ready")->message;
    EXPECT_TRUE(absent(config_map("b")));
    EXPECT_EQ(status_.find("Stalled"), nullptr);
    EXPECT_EQ(status_.find("PruneGuard"), nullptr);
    EXPECT_EQ(inventory(), (Strings{"d"}));
}

TEST_P(Pipeline, WhatAFailedRunWroteStaysKnown) {
    write("a"), write("b");
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "apply", .path = "/configmaps/b", .probability = 1});
    const RunResult failed = run({});
    EXPECT_EQ(failed.conclusion.next, NextRun::retry);
    EXPECT_FALSE(absent(config_map("a")));
    EXPECT_EQ(inventory(), (Strings{"a"}));
}

} // namespace
} // namespace weber::gitops
