#include "gitops/reconcile/owned_fields.h"

#include <gtest/gtest.h>

#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

std::size_t but_marks(const Object& o) { return owned_hash_but_marks(o, owned_hash(o)); }

Object deployment(std::string_view image, std::string_view extra = {}, std::string_view fields = {}) {
    return testing::object_of("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n  labels: {app: x" + std::string(extra) +
                              "}\n  managedFields:\n  - {manager: other, operation: Update, fieldsV1: {'f:status': {}}}\n"
                              "  - manager: kustomize-controller\n    operation: Apply\n    fieldsV1: " +
                              (fields.empty() ? R"({'f:metadata': {'f:labels': {'f:app': {}}}, 'f:spec': {'f:containers': {'k:{"name":"c"}': {'.': {}, 'f:image': {}}}}})"
                                              : std::string(fields)) +
                              "\nspec: {replicas: 1, containers: [{name: side, image: s}, {name: c, image: " + std::string(image) + ", tty: true}]}\n");
}

TEST(OwnedFields, ChangesWithOurFieldsOnly) {
    const std::size_t base = owned_hash(deployment("a"));
    EXPECT_NE(base, 0u);
    EXPECT_EQ(owned_hash(deployment("a", ", by: others")), base);
    EXPECT_NE(owned_hash(deployment("b")), base);
    EXPECT_NE(owned_hash(deployment("a", {}, "{'f:metadata': {'f:labels': {'f:app': {}}}}")), base) << "a field was taken over";
    Object gone = deployment("a");
    gone.root().find_mut("spec")->find_mut("containers")->erase_item(1);
    EXPECT_NE(owned_hash(gone), base);
    Object foreign = deployment("a");
    foreign.metadata_mut().erase("managedFields");
    EXPECT_EQ(owned_hash(foreign), 0u);
    EXPECT_EQ(but_marks(foreign), 0u);
}

TEST(OwnedFields, MarksOfAPersonAreNoDrift) {
    const auto with = [](const char* kubectl) {
        Object o = deployment("a");
        o.metadata_mut().find_mut("managedFields")->push_back(testing::object_of(std::string("{manager: kubectl-label, operation: Update, apiVersion: apps/v1, fieldsV1: ") + kubectl + "}").root());
        return o;
    };
    const std::size_t base = owned_hash(deployment("a"));
    EXPECT_EQ(but_marks(deployment("a")), base);
    EXPECT_NE(but_marks(deployment("b")), base);
    for (const char* marks : {"{'f:metadata': {'f:labels': {'f:kustomize.toolkit.fluxcd.io/prune': {}}}}",
                              "{'f:metadata': {'f:annotations': {'.': {}, 'f:kustomize.toolkit.fluxcd.io/reconcile': {}}, 'f:labels': {'f:kustomize.toolkit.fluxcd.io/prune': {}}}}"}) {
        EXPECT_NE(owned_hash(with(marks)), base) << "the next apply takes it away";
        EXPECT_EQ(but_marks(with(marks)), base);
    }
    for (const char* more : {"{'f:metadata': {'f:labels': {'f:kustomize.toolkit.fluxcd.io/prune': {}, 'f:other': {}}}}", "{'f:metadata': {'f:ownerReferences': {}}}",
                             "{'f:metadata': {'f:labels': {'f:kustomize.toolkit.fluxcd.io/prune': {}}}, 'f:spec': {'f:replicas': {}}}", "{'f:spec': {'f:replicas': {}}}"})
        EXPECT_NE(but_marks(with(more)), base) << more;
}

TEST(OwnedFields, AnotherVersionIsTold) {
    const auto with = [](const char* version) {
        Object o = deployment("a");
        for (Node& e : o.metadata_mut().find_mut("managedFields")->items_mut()) e.set("apiVersion", Node::string(e.text_at("manager") == "kustomize-controller" ? version : "v9"));
        return o;
    };
    EXPECT_FALSE(owned_in_other_version(with("apps/v1")));
    EXPECT_TRUE(owned_in_other_version(with("apps/v1beta1")));
}

} // namespace
} // namespace weber::gitops
