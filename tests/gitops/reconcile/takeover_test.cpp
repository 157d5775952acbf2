// Fields of kubectl and others become ours (apply.md 3.6), API versions of managers are migrated (3.7). Numbers are items of apply.md section 10.
#include "gitops/reconcile/takeover.h"

#include <gmock/gmock.h>

#include "kube/base/json.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// ---- the patch alone ---------------------------------------------------------------------------------------------

std::string patch_of(const std::string& metadata, std::vector<std::string> others = {}) {
    const Object live = testing::object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: " + metadata + "\n");
    return kube::write_json(takeover_patch(live, others));
}
std::string entry(const char* manager, const char* operation, const char* fields, const char* more = "") {
    return std::string("{manager: ") + manager + ", operation: " + operation + ", apiVersion: v1, time: '2026-01-01T00:00:00Z', fieldsType: FieldsV1, fieldsV1: " + fields + more + "}";
}
// Managers and fields of the rewritten list: "manager/operation {fields}" each.
Strings rewritten(const std::string& entries, std::vector<std::string> others = {}) {
    const Object live = testing::object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {managedFields: [" + entries + "]}\n");
    Strings out;
    const Node patch = takeover_patch(live, others);
    for (const Node& op : patch.items())
        if (op.text_at("path") == "/metadata/managedFields")
            for (const Node& e : op.find("value")->items())
                out.push_back(std::string(e.text_at("manager")) + "/" + std::string(e.text_at("operation")) + " " + kube::write_json(*e.find("fieldsV1")));
    return out;
}

TEST(TakeoverPatch, LeftoversAreRemoved) { // 34
    EXPECT_EQ(patch_of("{name: c, annotations: {a: b}, labels: {c: d}}"), "[]");
    EXPECT_EQ(patch_of("{annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}', kustomize.toolkit.fluxcd.io/checksum: x, fluxcd.io/sync-checksum: y, keep: z}, "
                       "labels: {fluxcd.io/sync-gc-mark: m}}"),
              R"([{"op":"remove","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},)"
              R"({"op":"remove","path":"/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum"},)"
              R"({"op":"remove","path":"/metadata/annotations/fluxcd.io~1sync-checksum"},)"
              R"({"op":"remove","path":"/metadata/labels/fluxcd.io~1sync-gc-mark"}])");
}

TEST(TakeoverPatch, NothingToTake) { // 34
    EXPECT_THAT(rewritten(entry("kustomize-controller", "Apply", "{'f:data': {'f:a': {}}}") + ", " + entry("someone", "Update", "{'f:data': {'f:b': {}}}")), ElementsAre());
}

TEST(TakeoverPatch, FirstMatchIsRenamedOthersAreUnited) { // 33
    EXPECT_THAT(rewritten(entry("kubectl-client-side-apply", "Update", "{'f:data': {'f:a': {}}}") + ", " + entry("someone", "Update", "{'f:data': {'f:b': {}}}") + ", " +
                          entry("kubectl", "Apply", "{'f:data': {'f:a': {}, 'f:c': {}}}")),
                ElementsAre(R"(someone/Update {"f:data":{"f:b":{}}})", R"(kustomize-controller/Apply {"f:data":{"f:a":{},"f:c":{}}})"));
}

TEST(TakeoverPatch, OursGrowsAndGoesLast) { // 29
    EXPECT_THAT(rewritten(entry("kustomize-controller", "Apply", "{'f:data': {'f:a': {}}}") + ", " + entry("kubectl-edit", "Update", "{'f:data': {'f:b': {}}}") + ", " +
                          entry("helm", "Apply", "{'f:data': {'f:z': {}}}")),
                ElementsAre(R"(helm/Apply {"f:data":{"f:z":{}}})", R"(kustomize-controller/Apply {"f:data":{"f:a":{},"f:b":{}}})"));
}

TEST(TakeoverPatch, SubresourcesAreNeverTaken) { // 32
    EXPECT_THAT(rewritten(entry("kubectl", "Update", "{'f:status': {}}", ", subresource: status") + ", " + entry("kubectl", "Apply", "{'f:spec': {}}", ", subresource: scale")), ElementsAre());
}

TEST(TakeoverPatch, OldUpdatesOfOursAndWhatWasThereBefore) {
    EXPECT_THAT(rewritten(entry("kustomize-controller", "Update", "{'f:data': {'f:a': {}}}") + ", " + entry("before-first-apply", "Update", "{'f:data': {'f:b': {}}}")),
                ElementsAre(R"(kustomize-controller/Apply {"f:data":{"f:a":{},"f:b":{}}})"));
    EXPECT_THAT(rewritten(entry("before-first-apply", "Apply", "{'f:data': {}}")), ElementsAre());
}

TEST(TakeoverPatch, OverriddenManagersByPrefix) { // 31 (the exact match is not used by kustomize-controller)
    const std::string entries = entry("flux-apply-prefix", "Apply", "{'f:data': {'f:a': {}}}") + ", " + entry("node-fetch", "Update", "{'f:data': {'f:b': {}}}");
    EXPECT_THAT(rewritten(entries), ElementsAre());
    EXPECT_THAT(rewritten(entries, {"flux"}), ElementsAre(R"(node-fetch/Update {"f:data":{"f:b":{}}})", R"(kustomize-controller/Apply {"f:data":{"f:a":{}}})"));
    EXPECT_THAT(rewritten(entries, {"node-fetch"}), ElementsAre(R"(flux-apply-prefix/Apply {"f:data":{"f:a":{}}})", R"(kustomize-controller/Apply {"f:data":{"f:b":{}}})"));
}

// ---- on a cluster ------------------------------------------------------------------------------------------------

class Takeover : public OnClusters {};
WEBER_ON_CLUSTERS(Takeover);

// 27, 28
TEST_P(Takeover, ClientSideApplyOfKubectl) {
    const Object mine = config_map("c");
    Object theirs = mine;
    theirs.root().find_mut("data")->set("extra", Node::string("x"));
    theirs.set_annotation("kubectl.kubernetes.io/last-applied-configuration", "{}");
    ASSERT_TRUE(other().create(theirs, {.field_manager = "kubectl-client-side-apply"}).has_value());
    EXPECT_EQ(lines(apply({mine})), "ConfigMap/c configured\n");
    EXPECT_EQ(verbs(), (Strings{"dry-run apply", "get", "patch", "apply"}));
    EXPECT_EQ(live_text(mine, {"data", "extra"}), "<none>");
    EXPECT_EQ(live(mine).annotation("kubectl.kubernetes.io/last-applied-configuration"), "");
    EXPECT_EQ(managers(mine), Strings{"kustomize-controller/Apply"});
    EXPECT_EQ(lines(apply({mine})), "ConfigMap/c unchanged\n");
}

// 29
TEST_P(Takeover, ServerSideApplyOfKubectl) {
    const Object mine = config_map("c");
    apply({mine});
    Object theirs = mine;
    theirs.root().find_mut("data")->set("extra", Node::string("x"));
    ASSERT_TRUE(other().apply(theirs, {.field_manager = "kubectl", .force = true}).has_value());
    ASSERT_EQ(managers(mine).size(), 2u);
    EXPECT_EQ(lines(apply({mine})), "ConfigMap/c configured\n");
    EXPECT_EQ(managers(mine), Strings{"kustomize-controller/Apply"});
    EXPECT_EQ(live_text(mine, {"data", "extra"}), "<none>");
}

// 30
TEST_P(Takeover, MergeKeepsTheirs) {
    Object mine = config_map("c");
    mine.set_annotation("kustomize.toolkit.fluxcd.io/ssa", "Merge");
    Object theirs = mine;
    theirs.root().find_mut("data")->set("extra", Node::string("x"));
    ASSERT_TRUE(other().create(theirs, {.field_manager = "kubectl-client-side-apply"}).has_value());
    apply({mine});
    EXPECT_THAT(verbs(), Not(Contains("patch")));
    EXPECT_EQ(live_text(mine, {"data", "extra"}), "x");
    EXPECT_THAT(managers(mine), Contains("kubectl-client-side-apply/Update"));
}

// kustomization.md 56
TEST_P(Takeover, OverriddenManagerLosesItsKeysOthersKeepTheirs) {
    const Object mine = config_map("c");
    apply({mine});
    edit(mine, "data: {fetched: x}", "node-fetch");
    edit(mine, "data: {kept: y}", "somebody");
    EXPECT_EQ(lines(apply({mine})), "ConfigMap/c unchanged\n");
    EXPECT_EQ(lines(apply({mine}, {.override_managers = {"node-fetch"}})), "ConfigMap/c configured\n");
    EXPECT_EQ(live_text(mine, {"data", "fetched"}), "<none>");
    EXPECT_EQ(live_text(mine, {"data", "kept"}), "y");
}

// Objects that Flux applied are taken over without a write, and the reverse: the manager, the labels and the fields are the same.
TEST_P(Takeover, FluxObjectsAreUnchanged) {
    const Object o = config_map("c");
    ASSERT_TRUE(other().apply(o, {.field_manager = "kustomize-controller", .force = true}).has_value());
    EXPECT_EQ(lines(apply({o})), "ConfigMap/c unchanged\n");
    EXPECT_THAT(verbs(), Not(Contains("apply")));
}

// 43
TEST_P(Takeover, ApiVersionsOfManagersAreMigrated) {
    Object crd = custom_resource_definition("Moved", "moveds");
    Node* versions = crd.root().find_mut("spec")->find_mut("versions");
    Node v2 = versions->items()[0];
    versions->items_mut()[0].set("storage", Node::boolean(false));
    v2.set("name", Node::string("v2"));
    v2.set("schema", testing::object_of("openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}, mode: {type: string, default: "
                                        "fast}}}, status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}")
                         .root());
    versions->push_back(v2);
    ASSERT_TRUE(apply({crd}).errors.empty());
    const Object old = in_ns("apiVersion: NS.example.org/v1\nkind: Moved\nmetadata: {name: m}\nspec: {size: 1}\n");
    ASSERT_TRUE(apply({old}).errors.empty());
    const Object next = in_ns("apiVersion: NS.example.org/v2\nkind: Moved\nmetadata: {name: m}\nspec: {size: 2}\n");
    verbs();
    EXPECT_EQ(lines(apply({next}, {.migrate_api_version = true})), "Moved/m configured\n");
    EXPECT_EQ(verbs(), (Strings{"get", "patch", "dry-run apply", "apply"}));
    const Object now = live(next);
    for (const Node& e : now.at({"metadata", "managedFields"})->items()) EXPECT_EQ(e.text_at("apiVersion"), next.api_version());
    verbs();
    EXPECT_EQ(lines(apply({next}, {.migrate_api_version = true})), "Moved/m unchanged\n");
    EXPECT_EQ(verbs(), (Strings{"get", "dry-run apply"}));
}

} // namespace
} // namespace weber::gitops
