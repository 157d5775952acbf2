#include "gitops/reconcile/owned_fields.h"

#include <gtest/gtest.h>

#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

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
}

} // namespace
} // namespace weber::gitops
