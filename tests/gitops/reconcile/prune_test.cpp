// Deleting what left the source (apply.md 5, kustomization.md 5). Numbers are items of apply.md section 10.
#include "gitops/reconcile/prune.h"

#include <gmock/gmock.h>

#include <thread>

#include "gitops/reconcile/order.h"
#include "gitops/reconcile/prune_guard.h"
#include "kube/pause.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const NamespacedName kOwner{"flux-system", "app"};

class Prune : public OnClusters {
protected:
    static Inventory entries_of(const std::vector<Object>& objects) {
        Inventory out;
        for (const Object& o : objects) out.push_back({o.key(), std::string(o.version())});
        return out;
    }
    Strings delete_bodies() {
        Strings out;
        for (SeenRequest& r : recorder_->take())
            if (r.verb == "delete") out.push_back(std::move(r.body));
        EXPECT_FALSE(out.empty());
        return out;
    }
    ChangeSet prune_all(const std::vector<Object>& objects, const PruneSettings& settings = {}) {
        return prune(client(), stale(entries_of(objects), {}), kOwner, settings);
    }
};
WEBER_ON_CLUSTERS(Prune);

// 53
TEST_P(Prune, OnlyWhatIsOurs) {
    Object foreign = config_map("foreign");
    foreign.set_label("kustomize.toolkit.fluxcd.io/name", "somebody");
    Object kept = config_map("kept");
    kept.set_annotation("kustomize.toolkit.fluxcd.io/prune", "Disabled");
    const Object held = config_map("held"), ignored = config_map("ignored"), mine = config_map("mine"), gone = config_map("gone");
    ASSERT_TRUE(apply({foreign, kept, held, ignored, mine}).errors.empty());
    edit(held, "metadata: {labels: {kustomize.toolkit.fluxcd.io/reconcile: DISABLED}}");
    edit(ignored, "metadata: {annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}");
    recorder_->take();
    const ChangeSet pruned = prune_all({foreign, kept, held, ignored, mine, gone});
    EXPECT_EQ(lines(pruned), "ConfigMap/mine deleted\nConfigMap/kept skipped\nConfigMap/ignored skipped\nConfigMap/held skipped\nConfigMap/gone deleted\nConfigMap/foreign skipped\n");
    EXPECT_TRUE(absent(mine));
    for (const Object& o : {foreign, kept, held, ignored}) EXPECT_FALSE(absent(o)) << o.name();
    EXPECT_TRUE(survivors(entries_of({foreign, kept, held, ignored, mine, gone}), pruned).empty());
    EXPECT_THAT(delete_bodies(), Each(HasSubstr(R"("propagationPolicy":"Background")")));
}

// A stale object that was applied with IfNotPresent goes (kustomization.md 65).
TEST_P(Prune, IfNotPresentIsDeleted) {
    Object once = config_map("once");
    once.set_annotation("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
    apply({once});
    EXPECT_EQ(lines(prune_all({once})), "ConfigMap/once deleted\n");
}

// 9
TEST_P(Prune, ReverseOrderOfTheApply) {
    const Object account = in_ns("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}"), secret = in_ns("{apiVersion: v1, kind: Secret, metadata: {name: s}}");
    const Object role = in_ns("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: []}");
    const Object job = in_ns("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n}, spec: {podSelector: {}}}");
    const ChangeSet applied = apply({secret, job, config_map("c"), role, account});
    Strings forward, backward;
    for (const Change& c : applied.changes) forward.push_back(c.key.subject());
    const ChangeSet pruned = prune_all({secret, job, config_map("c"), role, account});
    for (const Change& c : pruned.changes) backward.insert(backward.begin(), c.key.subject());
    EXPECT_EQ(forward, backward);
    EXPECT_EQ(forward.size(), 5u);
}

// 54, 65
TEST_P(Prune, FailuresDoNotStopIt) {
    const std::vector<Object> all{config_map("a"), config_map("b"), config_map("c")};
    apply(all);
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "delete", .path = "/configmaps/a", .probability = 1});
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "get", .path = "/configmaps/c", .probability = 1});
    const ChangeSet pruned = prune_all(all);
    EXPECT_THAT(lines(pruned), ::testing::StartsWith("ConfigMap/c unknown\nConfigMap/b deleted\nConfigMap/a unknown\nerror: "));
    EXPECT_EQ(anonymous(prune_error(pruned).message),
              "delete failed, errors: ConfigMap/NS/c query failed: admission webhook denied the request: made by a test;ConfigMap/NS/a delete failed: admission webhook denied the "
              "request: made by a test;");
    const Inventory left = survivors(entries_of(all), pruned);
    ASSERT_EQ(left.size(), 2u);
    faults_->heal();
    EXPECT_EQ(lines(prune(client(), stale(left, {}), kOwner)), "ConfigMap/c deleted\nConfigMap/a deleted\n");
}

TEST_P(Prune, PlanDeletesNothing) {
    apply({config_map("a")});
    const ChangeSet plan = prune_all({config_map("a")}, {.dry_run = true});
    EXPECT_EQ(lines(plan), "ConfigMap/a deleted\n");
    EXPECT_THAT(plan.changes[0].diff, HasSubstr("- data"));
    EXPECT_FALSE(absent(config_map("a")));
}

// Not in Flux: an object that somebody made anew between read and delete stays.
TEST_P(Prune, DeletesOnlyTheObjectThatItRead) {
    apply({config_map("a")});
    recorder_->take();
    prune_all({config_map("a")});
    EXPECT_THAT(delete_bodies(), Each(HasSubstr(R"("preconditions":{"uid":")")));
}

// 55
TEST_P(Prune, TerminationIsWaitedFor) {
    Object held = config_map("held");
    held.metadata_mut().set("finalizers", Node::list({Node::string("example.org/held")}));
    Object kept = config_map("kept");
    kept.set_annotation("kustomize.toolkit.fluxcd.io/prune", "disabled");
    apply({held, kept, config_map("c")});
    const ChangeSet pruned = prune_all({held, kept, config_map("c")});
    EXPECT_EQ(lines(pruned), "ConfigMap/kept skipped\nConfigMap/held deleted\nConfigMap/c deleted\n");
    const auto timed_out = wait_terminated(client(), pruned, std::chrono::milliseconds(400));
    ASSERT_FALSE(timed_out.has_value());
    EXPECT_EQ(anonymous(timed_out.error().message), "ConfigMap/NS/held termination timeout: context deadline exceeded");
    const std::jthread release([&] {
        kube::pause_for(std::chrono::milliseconds(200), {});
        edit(held, "metadata: {finalizers: null}");
    });
    EXPECT_TRUE(wait_terminated(client(), pruned, std::chrono::seconds(20)).has_value());
    EXPECT_TRUE(wait_terminated(client(), {}, std::chrono::seconds(1)).has_value());
}

TEST_P(Prune, UnknownKindIsAFailedQuery) {
    const ChangeSet pruned = prune(client(), {{{"x.example.org", "Foo", ns_, "f"}, "v1"}}, kOwner);
    ASSERT_EQ(pruned.errors.size(), 1u);
    EXPECT_EQ(anonymous(pruned.errors[0].message), "Foo/NS/f query failed: no matches for kind \"Foo\" in version \"x.example.org/v1\"");
}

// apply.md 8.4: under the new group it is the same object; Flux deletes what it just applied.
TEST_P(Prune, AnObjectThatMovedToAnotherGroupStays) {
    const Object moved = owned_by_app(in_ns("{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, eventTime: '2026-01-01T00:00:00.000000Z', type: Normal, reason: R, action: A, "
                                            "regarding: {kind: Pod, namespace: NS, name: p, apiVersion: v1}, reportingController: c, reportingInstance: i}"));
    ASSERT_EQ(lines(apply({moved})), "Event/e created\n");
    const ChangeSet pruned = prune(client(), {{{"", "Event", ns_, "e"}, "v1"}}, kOwner);
    EXPECT_EQ(lines(pruned), "Event/e skipped\n");
    EXPECT_FALSE(absent(moved));
}

// ---- the guard ---------------------------------------------------------------------------------------------------

TEST_P(Prune, GuardLooksIntoNamespacesAndDefinitions) {
    const Object inner = owned_by_app(cluster_scoped("{apiVersion: v1, kind: Namespace, metadata: {name: NS-inner}}"));
    const Object crd = owned_by_app(custom_resource_definition("Held", "helds"));
    const Object ours = owned_by_app(object("{apiVersion: v1, kind: ConfigMap, metadata: {name: ours, namespace: NS-inner}}"));
    ASSERT_TRUE(apply({inner, crd, ours}).errors.empty());
    const Inventory all = entries_of({inner, crd, ours});
    auto found = live_content(client(), all, kOwner);
    ASSERT_TRUE(found.has_value()) << found.error().to_string();
    EXPECT_THAT(*found, IsEmpty()); // what every namespace has, and what is deleted by name, do not count

    const Object theirs = object("{apiVersion: v1, kind: Secret, metadata: {name: theirs, namespace: NS-inner}}");
    const Object custom = in_ns("{apiVersion: NS.example.org/v1, kind: Held, metadata: {name: h}}");
    ASSERT_TRUE(other().create(theirs).has_value());
    ASSERT_TRUE(other().create(custom).has_value());
    found = live_content(client(), stale(all, {}), kOwner);
    ASSERT_TRUE(found.has_value()) << found.error().to_string();
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ((*found)[0].key, inner.key());
    EXPECT_EQ((*found)[0].count, 1u);
    EXPECT_EQ(anonymous((*found)[0].example), "Secret/NS-inner/theirs");
    EXPECT_EQ((*found)[1].key, crd.key());
    EXPECT_EQ(anonymous((*found)[1].example), "Held/NS/h");

    // Not ours: it would not be deleted.
    found = live_content(client(), all, {"flux-system", "another"});
    ASSERT_TRUE(found.has_value());
    EXPECT_THAT(*found, IsEmpty());
    recorder_->take();
    ASSERT_TRUE(live_content(client(), entries_of({ours}), kOwner).has_value());
    EXPECT_THAT(recorder_->take(), IsEmpty()); // no request without Namespace or definition
}

Inventory numbered(int from, int to) {
    Inventory out;
    for (int i = from; i < to; ++i) out.push_back({{"", "ConfigMap", "n", "c" + std::to_string(i)}, "v1"});
    return out;
}

TEST(PruneGuard, Rules) {
    struct Case { int old, stale; bool stop; };
    const Case cases[] = {{5, 0, false}, {5, 4, false}, {5, 5, true}, {1, 1, true}, {19, 18, false}, {20, 10, false}, {20, 11, true}, {100, 51, true}, {100, 50, false}};
    for (const Case& c : cases) {
        const GuardVerdict v = judge_prune(static_cast<std::size_t>(c.old), numbered(0, c.stale), {}, "");
        EXPECT_EQ(v.stop, c.stop) << c.old << " " << c.stale;
        EXPECT_EQ(v.message.empty(), !c.stop);
        EXPECT_EQ(v.deletes.size(), static_cast<std::size_t>(c.stale));
    }
}

TEST(PruneGuard, TokenAllowsExactlyThisDeletion) {
    const GuardVerdict v = judge_prune(20, numbered(0, 15), {}, "");
    ASSERT_TRUE(v.stop);
    EXPECT_THAT(v.message, HasSubstr("it would delete 15 of 20 objects"));
    EXPECT_THAT(v.message, HasSubstr("ConfigMap/n/c0, ConfigMap/n/c1"));
    EXPECT_THAT(v.message, HasSubstr("weber.dev/allow-prune: " + v.token));
    EXPECT_FALSE(judge_prune(20, numbered(0, 15), {}, v.token).stop);
    Inventory other_order = numbered(0, 15);
    std::ranges::reverse(other_order);
    EXPECT_FALSE(judge_prune(20, other_order, {}, v.token).stop);
    EXPECT_TRUE(judge_prune(20, numbered(0, 16), {}, v.token).stop);
    EXPECT_FALSE(judge_prune(20, numbered(0, 16), {}, "always").stop);
}

TEST(PruneGuard, ContentStopsIt) {
    const LiveContent content[] = {{{"", "Namespace", "", "db"}, 3, "PersistentVolumeClaim/db/data"}};
    const GuardVerdict v = judge_prune(5, numbered(0, 1), content, "");
    ASSERT_TRUE(v.stop);
    EXPECT_THAT(v.message, HasSubstr("Namespace/db and with it 3 objects that this Kustomization does not delete by name, such as PersistentVolumeClaim/db/data"));
}

} // namespace
} // namespace weber::gitops
