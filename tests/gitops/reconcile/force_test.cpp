// Immutable fields: refused, or the object recreated. Numbers are items of apply.md section 10.
#include <gmock/gmock.h>

#include <thread>

#include "gitops/reconcile/apply_errors.h"
#include "kube/pause.h"
#include "kube/watch.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Force : public OnClusters {
protected:
    Object secret(const std::string& value) {
        return in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\ndata: {pw: " + value + "}\n");
    }
    Object service(const std::string& spec) { return in_ns("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {" + spec + "}\n"); }
};
WEBER_ON_CLUSTERS(Force);

// 19
TEST_P(Force, WithoutForceNothingOfTheSetIsApplied) {
    ASSERT_EQ(lines(apply({secret("b25l"), config_map("c")})), "ConfigMap/c created\nSecret/s created\n");
    verbs();
    const ChangeSet set = apply({secret("dHdv"), config_map("c", "new")});
    EXPECT_EQ(lines(set), "error: Secret/NS/s dry-run failed (Invalid): Secret \"s\" is invalid: data: Forbidden: field is immutable when `immutable` is set\n");
    EXPECT_THAT(verbs(), Not(Contains("apply")));
    EXPECT_EQ(live_text(config_map("c"), {"data", "k"}), "v");
}

// 20
TEST_P(Force, RecreatesWhatIsImmutable) {
    apply({secret("b25l"), config_map("c")});
    const std::string uid(live(secret("b25l")).uid());
    recorder_->take();
    const ChangeSet set = apply({secret("dHdv"), config_map("c")}, {.force = true});
    EXPECT_EQ(lines(set), "ConfigMap/c unchanged\nSecret/s created\n");
    const auto seen = recorder_->take();
    const auto removal = std::ranges::find(seen, "delete", &SeenRequest::verb);
    ASSERT_NE(removal, seen.end());
    EXPECT_THAT(removal->body, HasSubstr(R"("propagationPolicy":"Background")"));
    EXPECT_NE(live(secret("b25l")).uid(), uid);
    EXPECT_EQ(live_text(secret("b25l"), {"data", "pw"}), "dHdv");
}

// 21: the old object stays until its finalizer is gone.
TEST_P(Force, WaitsForFinalizers) {
    Object held = secret("b25l");
    held.metadata_mut().set("finalizers", Node::list({Node::string("example.org/held")}));
    apply({held});
    const std::jthread release([&] {
        // Once it is being deleted, and a moment later, so that there is something to wait for.
        const auto deleting = [](std::size_t, const kube::Observation& seen) { return seen.object.deleting(); };
        const kube::ObjectRef ref = kube::ref_of(held);
        ASSERT_TRUE(kube::wait_for(other(), std::span(&ref, 1), deleting).has_value());
        kube::pause_for(std::chrono::milliseconds(300), {});
        edit(held, "metadata: {finalizers: null}");
    });
    EXPECT_EQ(lines(apply({secret("dHdv")}, {.force = true})), "Secret/s created\n");
    EXPECT_EQ(live_text(held, {"data", "pw"}), "dHdv");
}

TEST_P(Force, WaitsForFinalizersOnlySoLong) {
    Object held = secret("b25l");
    held.metadata_mut().set("finalizers", Node::list({Node::string("example.org/held")}));
    apply({held});
    const ChangeSet set = apply({secret("dHdv")}, {.force = true, .recreate_timeout = std::chrono::milliseconds(300)});
    EXPECT_EQ(lines(set), "error: Secret/NS/s immutable field detected, failed to wait for object to be deleted: context deadline exceeded\n");
    edit(held, "metadata: {finalizers: null}");
}

// 22
TEST_P(Force, RoleReferenceIsImmutable) {
    const auto binding = [&](const char* role) {
        return cluster_scoped(std::string("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: NS-b}\nroleRef: {apiGroup: "
                                          "rbac.authorization.k8s.io, kind: ClusterRole, name: ") +
                              role + "}\nsubjects: [{kind: ServiceAccount, name: default, namespace: NS}]\n");
    };
    ASSERT_TRUE(apply({binding("view")}).errors.empty());
    EXPECT_THAT(lines(apply({binding("edit")})), HasSubstr("cannot change roleRef"));
    EXPECT_EQ(lines(apply({binding("edit")}, {.force = true})), "ClusterRoleBinding/NS-b created\n");
    EXPECT_EQ(live_text(binding("edit"), {"roleRef", "name"}), "edit");
}

// 23
TEST_P(Force, ByAnnotationOnDesiredOrLive) {
    apply({secret("b25l")});
    edit(secret("b25l"), "metadata: {annotations: {kustomize.toolkit.fluxcd.io/force: Enabled}}");
    EXPECT_EQ(lines(apply({secret("dHdv")})), "Secret/s created\n");
    Object marked = secret("dGhyZWU=");
    marked.set_annotation("kustomize.toolkit.fluxcd.io/force", "enabled");
    EXPECT_EQ(lines(apply({marked})), "Secret/s created\n");
    EXPECT_EQ(lines(apply({secret("Zm91cg==")})), "Secret/s created\n"); // the live one carries it
}

// 24: Flux deletes the object and cannot make it again.
TEST_P(Force, ATypoDoesNotCostTheObject) {
    apply({service("ports: [{port: 80, protocol: TCP}]")});
    const std::string uid(live(service("")).uid());
    const ChangeSet set = apply({service("type: NodPort, ports: [{port: 80, protocol: TCP}]")}, {.force = true});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_THAT(set.errors[0].message, HasSubstr("is invalid"));
    EXPECT_EQ(live(service("")).uid(), uid);
}

// The same when the server refuses the new object only after the old one was deleted.
TEST_P(Force, ARefusedNewObjectBringsBackTheOld) {
    Object before = secret("b25l");
    before.set_label("mine", "yes");
    apply({before});
    // The second dry run of the set that names the secret: the one after the delete.
    faults_->fail({.kind = testing::FaultKind::forbidden, .verb = "dry-run apply", .path = "/secrets/s", .nth = 2});
    const ChangeSet set = apply({secret("dHdv")}, {.force = true});
    ASSERT_EQ(set.errors.size(), 1u) << lines(set);
    EXPECT_THAT(anonymous(set.errors[0].message), StartsWith("Secret/NS/s dry-run failed (Forbidden): "));
    EXPECT_THAT(set.errors[0].hint, HasSubstr("was made again as it was"));
    EXPECT_EQ(live_text(before, {"data", "pw"}), "b25l");
    EXPECT_EQ(live(before).label("mine"), "yes");
    faults_->heal();
    EXPECT_EQ(lines(apply({secret("dHdv")}, {.force = true})), "Secret/s created\n");
}

// 25
TEST_P(Force, NothingIsDeletedThatIsNotThere) {
    const ChangeSet set = apply({service("type: NodPort, ports: [{port: 80, protocol: TCP}]")}, {.force = true});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_THAT(anonymous(set.errors[0].message), StartsWith("Service/NS/s dry-run failed (Invalid): "));
    EXPECT_THAT(verbs(), Not(Contains("delete")));
}

// 45
TEST_P(Force, IsPlannedAsCreation) {
    apply({secret("b25l")});
    const ChangeSet plan = apply({secret("dHdv")}, {.force = true, .dry_run = true});
    EXPECT_EQ(lines(plan), "Secret/s created\n");
    EXPECT_THAT(plan.changes[0].diff, Not(HasSubstr("dHdv")));
    EXPECT_EQ(live_text(secret("b25l"), {"data", "pw"}), "b25l");
    EXPECT_EQ(lines(apply({secret("dHdv")}, {.dry_run = true})).substr(0, 7), "error: ");
}

// 26
TEST(Immutable, WhatCountsAsSuch) {
    struct Case { const char* reason; const char* message; bool immutable; };
    const Case cases[] = {
        {"Invalid", "anything", true},
        {"Conflict", "anything", true},
        {"", "Value is immutable", true},
        {"", "x: immutable field", true},
        {"", "x: immutable  field", false},
        {"", "is not immutable", false},
        {"Forbidden", "no", false},
        {"NotFound", "no", false},
    };
    for (const Case& c : cases)
        EXPECT_EQ(counts_as_immutable({.message = c.message, .reason = c.reason}), c.immutable) << c.reason << ": " << c.message;
}

TEST(Immutable, OnlyWhenEveryCauseSaysSo) {
    Error e{.message = "x is invalid", .reason = "Invalid"};
    e.details = {{"FieldValueInvalid", "Invalid value: \"a\": field is immutable", "spec.selector"}};
    EXPECT_TRUE(only_immutable_causes(e));
    e.details.push_back({"FieldValueNotSupported", "Unsupported value: \"NodPort\"", "spec.type"});
    EXPECT_FALSE(only_immutable_causes(e));
    e.details.clear();
    EXPECT_FALSE(only_immutable_causes(e));
    e.message = "x is invalid: roleRef: Invalid value: cannot change roleRef";
    EXPECT_TRUE(only_immutable_causes(e));
}

TEST(DryRunError, Words) { // apply.md 3.8
    const Object o = testing::object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}");
    const Object bare = testing::object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}");
    EXPECT_EQ(dry_run_error(bare, {.message = "m", .reason = "NotFound", .http_status = 404}).message, "ConfigMap/c namespace not specified: m");
    EXPECT_EQ(dry_run_error(o, {.message = "m", .reason = "NotFound", .http_status = 404}).message, "ConfigMap/n/c not found: m");
    EXPECT_EQ(dry_run_error(o, {.message = "m", .reason = "Forbidden", .http_status = 403}).message, "ConfigMap/n/c dry-run failed (Forbidden): m");
    EXPECT_EQ(dry_run_error(o, {.message = "m", .http_status = 500}).message, "ConfigMap/n/c dry-run failed: m");
    EXPECT_EQ(dry_run_error(o, {.message = "m", .reason = "Conflict", .details = {{"FieldManagerConflict", "", ".data.k"}}, .http_status = 409}).message,
              "ConfigMap/n/c dry-run failed (FieldManagerConflict): m");
}

TEST(DryRunError, HoldsNoValueOfASecret) {
    const Object s = testing::object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}, stringData: {pw: 4711, other: hunter2}, data: {d: Y2xlYXI=}}");
    const Error e = dry_run_error(s, {.message = ".stringData.pw: expected string, got &value.valueUnstructured{Value:4711}; hunter2 Y2xlYXI= clear",
                                      .details = {{"x", "hunter2", ""}},
                                      .http_status = 500});
    for (const char* value : {"4711", "hunter2", "Y2xlYXI=", "clear"}) EXPECT_THAT(e.message, Not(HasSubstr(value)));
    EXPECT_EQ(e.details[0].message, "***");
    EXPECT_THAT(e.message, HasSubstr(".stringData.pw: expected string"));
    // lists and maps have braces of their own
    const Object list = testing::object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}, stringData: {pw: [hunter2, {a: hunter3}]}}");
    const Error of_list = dry_run_error(list, {.message = ".stringData.pw: expected string, got &value.valueUnstructured{Value:[]interface {}{\"hunter2\", "
                                                          "map[string]interface {}{\"a\":\"hunter3\"}}}",
                                               .http_status = 500});
    EXPECT_THAT(of_list.message, Not(HasSubstr("hunter")));
}

} // namespace
} // namespace weber::gitops
