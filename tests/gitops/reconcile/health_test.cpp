// Waits for readiness (apply.md 6, readiness.md 3 to 6). Numbers are items of apply.md section 10.
#include "gitops/reconcile/health.h"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "kube/pause.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- the tracker alone -------------------------------------------------------------------------------------------

kube::Observation present(const std::string& yaml) { return {.state = kube::Observation::State::present, .object = testing::object_of(yaml)}; }
const kube::Observation kAbsent{.state = kube::Observation::State::absent};

const kube::ObjectKey kDeployment{"apps", "Deployment", "n", "d"}, kClaim{"", "PersistentVolumeClaim", "n", "p"}, kMap{"", "ConfigMap", "n", "c"}, kJob{"batch", "Job", "n", "j"};
const std::string kFailed = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}, status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}}";
const std::string kRolling = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}";
const std::string kUnbound = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p, namespace: n}, status: {phase: Pending}}";
const std::string kConfig = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}";

TEST(Health, FailFastNamesOnlyTheFailed) { // 56
    HealthTracker tracker({kDeployment, kClaim}, {});
    tracker.observe(1, present(kUnbound));
    EXPECT_FALSE(tracker.ended());
    tracker.observe(0, present(kFailed));
    EXPECT_TRUE(tracker.ended());
    EXPECT_EQ(tracker.conclude(false).message, "failed early due to stalled resources: [Deployment/n/d status: 'Failed']");
}

TEST(Health, WithoutFailFastBothAreNamedAtTheEnd) { // 56
    HealthTracker tracker({kDeployment, kClaim}, {.fail_fast = false});
    tracker.observe(0, present(kFailed));
    tracker.observe(1, present(kUnbound));
    EXPECT_FALSE(tracker.ended());
    const HealthEnd end = tracker.conclude(true);
    EXPECT_TRUE(end.timed_out);
    EXPECT_EQ(end.message, "timeout waiting for: [Deployment/n/d status: 'Failed', PersistentVolumeClaim/n/p status: 'InProgress']");
    EXPECT_THAT(end.details, ElementsAre("Deployment/n/d Failed: Progress deadline exceeded", "PersistentVolumeClaim/n/p InProgress: PVC is not Bound. phase: Pending"));
}

TEST(Health, FailedAndCurrentAreTheEnd) { // 57
    HealthTracker tracker({kDeployment, kMap}, {.fail_fast = false});
    tracker.observe(0, present(kFailed));
    EXPECT_FALSE(tracker.ended());
    tracker.observe(1, present(kConfig));
    EXPECT_TRUE(tracker.ended());
    EXPECT_EQ(tracker.conclude(false).message, "failed early due to stalled resources: [Deployment/n/d status: 'Failed']");
}

TEST(Health, ReadErrorsAreUnknown) { // 58
    HealthTracker tracker({kMap}, {});
    tracker.observe(0, {.error = Error{.message = "error reading status"}});
    EXPECT_FALSE(tracker.ended());
    EXPECT_EQ(tracker.conclude(true).message, "timeout waiting for: [ConfigMap/n/c status: 'Unknown': error reading status]");
}

TEST(Health, NeverSeen) {
    const HealthTracker tracker({kMap}, {});
    EXPECT_EQ(tracker.conclude(true).message, "timeout waiting for: [can't determine status for ConfigMap/n/c]");
}

TEST(Health, ObservedGeneration) { // 59
    HealthTracker tracker({{"x.org", "Foo", "n", "f"}}, {});
    tracker.observe(0, present("{apiVersion: x.org/v1, kind: Foo, metadata: {name: f, namespace: n, generation: 2}, status: {observedGeneration: 1}}"));
    EXPECT_FALSE(tracker.ended());
    tracker.observe(0, present("{apiVersion: x.org/v1, kind: Foo, metadata: {name: f, namespace: n, generation: 2}, status: {observedGeneration: 2}}"));
    EXPECT_TRUE(tracker.ended());
    EXPECT_TRUE(tracker.conclude(false).healthy);
    tracker.observe(0, kAbsent);
    EXPECT_EQ(tracker.conclude(true).message, "timeout waiting for: [Foo/n/f status: 'NotFound']");
}

TEST(Health, JobsThatVanish) { // 60
    HealthTracker listed({kJob}, {.may_vanish = {kJob}});
    listed.observe(0, kAbsent);
    EXPECT_TRUE(listed.ended());
    EXPECT_TRUE(listed.conclude(false).healthy);
    HealthTracker other({kJob}, {});
    other.observe(0, kAbsent);
    EXPECT_FALSE(other.ended());
    EXPECT_EQ(other.conclude(true).message, "timeout waiting for: [Job/n/j status: 'NotFound']");
    const HealthTracker none({}, {});
    EXPECT_TRUE(none.ended());
    EXPECT_TRUE(none.conclude(false).healthy);
}

TEST(Health, ACustomReaderComesFirst) {
    HealthSettings settings;
    settings.reader = [](const Object& o) -> std::optional<Result<kube::Status>> {
        if (o.kind() != "Foo") return std::nullopt;
        if (o.at({"status"}) == nullptr) return fail(ErrorCode::invalid, "failed to evaluate the CEL expression 'status.x': no such attribute(s): status.x");
        return kube::Status{.code = kube::StatusCode::failed, .message = "no"};
    };
    HealthTracker tracker({{"x.org", "Foo", "n", "f"}, kMap}, settings);
    tracker.observe(1, present(kConfig));
    tracker.observe(0, present("{apiVersion: x.org/v1, kind: Foo, metadata: {name: f, namespace: n}}"));
    EXPECT_THAT(tracker.conclude(true).message, HasSubstr("[Foo/n/f status: 'Unknown': failed to evaluate the CEL expression 'status.x'"));
    tracker.observe(0, present("{apiVersion: x.org/v1, kind: Foo, metadata: {name: f, namespace: n}, status: {}}"));
    EXPECT_TRUE(tracker.ended());
    EXPECT_EQ(tracker.ready(), 1u);
}

TEST(Health, ACrashLoopingPodFailsItsStatefulSet) { // readiness.md 24, 25
    const Object pod = testing::object_of("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n}, status: {phase: Running, containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff}}}]}}");
    HealthTracker tracker({{"apps", "StatefulSet", "n", "s"}, kDeployment}, {.fail_fast = false});
    tracker.observe(0, present("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s, namespace: n}}"), std::span(&pod, 1));
    tracker.observe(1, present(kRolling));
    EXPECT_EQ(tracker.conclude(true).message, "timeout waiting for: [Deployment/n/d status: 'InProgress', StatefulSet/n/s status: 'Failed']");
    EXPECT_THAT(tracker.waiting()[1], HasSubstr("1 pods have failed"));
}

// ---- on a cluster ------------------------------------------------------------------------------------------------

class Wait : public OnClusters {
protected:
    Object thing(const std::string& name) { return in_ns("apiVersion: NS.example.org/v1\nkind: Thing\nmetadata: {name: " + name + "}\n"); }
    void SetUp() override {
        OnClusters::SetUp();
        if (IsSkipped()) return;
        ASSERT_TRUE(apply({custom_resource_definition("Thing", "things")}).errors.empty());
    }
    void set_ready(const Object& o, const std::string& status) {
        const auto done = other().patch(kube::ref_of(o), kube::PatchType::merge,
                                        testing::object_of("status: {conditions: [{type: Ready, status: '" + status + "', reason: R, message: M}]}").root(), {.subresource = "status"});
        EXPECT_TRUE(done.has_value()) << done.error().to_string();
    }
    static HealthSettings within(std::chrono::milliseconds timeout) { return {.timeout = timeout}; }
    static std::vector<kube::ObjectRef> refs(const std::vector<Object>& objects) {
        std::vector<kube::ObjectRef> out;
        for (const Object& o : objects) out.push_back(kube::ref_of(o));
        return out;
    }
};
WEBER_ON_CLUSTERS(Wait);

// An object that turns healthy is noticed by its watch event, not by the next poll.
TEST_P(Wait, EndsWithTheEventOfTheLastObject) {
    ASSERT_TRUE(apply({thing("a"), thing("b")}).errors.empty());
    set_ready(thing("a"), "False");
    set_ready(thing("b"), "False");
    verbs();
    std::vector<Strings> seen;
    const auto progress = [&](std::size_t, std::size_t, const Strings& waiting) { seen.push_back(waiting); };
    std::promise<std::chrono::steady_clock::time_point> turned;
    const std::jthread later([&] {
        kube::pause_for(std::chrono::milliseconds(300), {});
        set_ready(thing("a"), "True");
        turned.set_value(std::chrono::steady_clock::now());
        set_ready(thing("b"), "True");
    });
    const auto end = wait_healthy(client(), refs({thing("a"), thing("b")}), within(std::chrono::seconds(60)), progress);
    ASSERT_TRUE(end.has_value()) << end.error().to_string();
    EXPECT_TRUE(end->healthy) << end->message;
    EXPECT_LT(std::chrono::steady_clock::now() - turned.get_future().get(), std::chrono::milliseconds(2500)); // half the poll interval of Flux, on a loaded machine
    ASSERT_FALSE(seen.empty());
    EXPECT_THAT(seen.back(), IsEmpty());
    EXPECT_EQ(anonymous(seen.front().front()), "Thing/NS/a InProgress: M");
    EXPECT_EQ(std::ranges::count(verbs(), "watch"), 1); // one for the kind in the namespace
}

// 59
TEST_P(Wait, TimesOut) {
    ASSERT_TRUE(apply({thing("a"), config_map("c")}).errors.empty());
    set_ready(thing("a"), "False");
    const auto end = wait_healthy(client(), refs({thing("a"), config_map("c"), config_map("absent")}), within(std::chrono::milliseconds(500)));
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(anonymous(end->message), "timeout waiting for: [ConfigMap/NS/absent status: 'NotFound', Thing/NS/a status: 'InProgress']");
}

// 61
TEST_P(Wait, CancelledFromOutside) {
    ASSERT_TRUE(apply({thing("a")}).errors.empty());
    set_ready(thing("a"), "False");
    std::stop_source stop;
    const std::jthread later([&] {
        kube::pause_for(std::chrono::milliseconds(200), {});
        stop.request_stop();
    });
    const auto end = wait_healthy(client(), refs({thing("a")}), within(std::chrono::seconds(60)), {}, stop.get_token());
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().code, ErrorCode::cancelled);
}

TEST_P(Wait, NamespacedKindWithoutNamespace) { // readiness.md 4
    const auto end = wait_healthy(client(), refs({object("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}")}), within(std::chrono::seconds(60)));
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().message, "resource Deployment.apps d is namespace scoped, but namespace is not set");
}

// A kind that appears later is fine.
TEST_P(Wait, UnknownKindIsLookedUpAgain) {
    const Object foo = in_ns("{apiVersion: NS.example.org/v1, kind: Later, metadata: {name: f}}");
    const std::jthread later([&] {
        kube::pause_for(std::chrono::milliseconds(300), {});
        EXPECT_EQ(lines(apply_staged(other(), {custom_resource_definition("Later", "laters"), foo}, {})), "CustomResourceDefinition/laters.NS.example.org created\nLater/f created\n");
    });
    const auto end = wait_healthy(client(), refs({foo}), within(std::chrono::seconds(60)));
    ASSERT_TRUE(end.has_value());
    EXPECT_TRUE(end->healthy) << end->message;
}

} // namespace
} // namespace weber::gitops
