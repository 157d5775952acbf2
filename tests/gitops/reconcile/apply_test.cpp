// The apply engine against both API servers, with the same expectations: apply.md section 10.
#include "gitops/reconcile/apply.h"

#include <gtest/gtest.h>

#include "gitops/api/names.h"
#include "gitops/reconcile/prune.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using testing::object_of;
using testing::TestCluster;

class Apply : public ::testing::TestWithParam<testing::ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster_.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        ns_ = cluster_.make_namespace();
    }
    Object in_ns(std::string_view yaml) {
        Object o = object_of(yaml);
        o.set_ns(ns_);
        o.set_label(kOwnerName, "app");
        o.set_label(kOwnerNamespace, "flux-system");
        return o;
    }
    Object config_map(const std::string& name, const std::string& value) {
        return in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {k: '" + value + "'}\n");
    }
    ChangeSet apply(std::vector<Object> objects, const ApplySettings& settings = {}) { return apply_staged(cluster_.client(), std::move(objects), settings); }
    Object live(const Object& o) {
        auto got = cluster_.client().get(kube::ref_of(o));
        EXPECT_TRUE(got.has_value()) << got.error().to_string();
        return got.value_or(Object{});
    }
    bool absent(const Object& o) { return !cluster_.client().find(kube::ref_of(o)).value(); }
    static std::string lines(const ChangeSet& set) {
        std::string out;
        for (const Change& c : set.changes) out += std::string(c.key.kind) + "/" + c.key.name + " " + std::string(to_string(c.action)) + "\n";
        for (const Error& e : set.errors) out += "error: " + e.message + "\n";
        return out;
    }
    kube::RequestCounts since() {
        const kube::RequestCounts now = cluster_.client().counts();
        kube::RequestCounts d;
        d.get = now.get - before_.get, d.apply = now.apply - before_.apply, d.dry_run = now.dry_run - before_.dry_run;
        d.patch = now.patch - before_.patch, d.remove = now.remove - before_.remove;
        before_ = now;
        return d;
    }

    TestCluster cluster_;
    std::string ns_;
    kube::RequestCounts before_;
};
INSTANTIATE_TEST_SUITE_P(Servers, Apply, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(Apply, NewUnchangedChanged) {
    std::vector<Object> set;
    for (int i = 0; i < 5; ++i) set.push_back(config_map("c" + std::to_string(i), "v"));
    since();
    EXPECT_EQ(lines(apply(set)), "ConfigMap/c0 created\nConfigMap/c1 created\nConfigMap/c2 created\nConfigMap/c3 created\nConfigMap/c4 created\n");
    auto counts = since();
    EXPECT_EQ(counts.dry_run, 5u);
    EXPECT_EQ(counts.apply, 5u);
    EXPECT_EQ(counts.get, 0u);

    const std::string version(live(set[0]).resource_version());
    since();
    EXPECT_FALSE(apply(set).any_change());
    counts = since();
    EXPECT_EQ(counts.apply, 0u);
    EXPECT_EQ(counts.dry_run + counts.get, 10u);
    EXPECT_EQ(live(set[0]).resource_version(), version);

    set[2] = config_map("c2", "other");
    since();
    EXPECT_EQ(apply(set).changed_lines(), "ConfigMap/" + ns_ + "/c2 configured");
    EXPECT_EQ(since().apply, 1u);
}

TEST_P(Apply, DefinitionNamespaceAndCustomResourceInOnePass) {
    const std::string group = ns_ + ".example.org";
    const Object crd = object_of("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things." + group +
                                 "}\nspec: {group: " + group +
                                 ", scope: Namespaced, names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}, versions: "
                                 "[{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, "
                                 "properties: {size: {type: integer}}}}}}}]}\n");
    const std::string other = ns_ + "-inner";
    const Object thing = object_of("apiVersion: " + group + "/v1\nkind: Thing\nmetadata: {name: t, namespace: " + other + "}\nspec: {size: 1}\n");
    const Object ns = object_of("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + other + "}\n");

    const ChangeSet plan = apply({thing, ns, crd}, {.dry_run = true});
    EXPECT_EQ(lines(plan), "CustomResourceDefinition/things." + group + " created\nNamespace/" + other + " created\nThing/t created\n");
    EXPECT_TRUE(absent(ns));

    EXPECT_EQ(lines(apply({thing, ns, crd})), "CustomResourceDefinition/things." + group + " created\nNamespace/" + other + " created\nThing/t created\n");
    EXPECT_FALSE(apply({thing, ns, crd}).any_change());
    ASSERT_TRUE(cluster_.client().remove(kube::ref_of(crd)).has_value());
    ASSERT_TRUE(cluster_.client().remove(kube::ref_of(ns)).has_value());
}

TEST_P(Apply, OneRefusalKeepsTheStageFromBeingWritten) {
    Object bad = in_ns("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: Nonsense, ports: [{port: 80}]}\n");
    Object lost = config_map("lost", "v");
    lost.set_ns("nowhere-at-all");
    const Object good = config_map("good", "v");
    const ChangeSet set = apply({bad, lost, good});
    ASSERT_EQ(set.errors.size(), 2u) << lines(set);
    EXPECT_EQ(set.errors[0].message, "ConfigMap/nowhere-at-all/lost not found: namespaces \"nowhere-at-all\" not found");
    EXPECT_TRUE(set.errors[1].message.starts_with("Service/" + ns_ + "/s dry-run failed (Invalid): ")) << set.errors[1].message;
    EXPECT_TRUE(set.changes.empty());
    EXPECT_TRUE(absent(good));
}

TEST_P(Apply, UnknownKindAndMissingNamespace) {
    const Object foo = in_ns("apiVersion: x.example.org/v1\nkind: Foo\nmetadata: {name: f}\n");
    ChangeSet set = apply({foo});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_EQ(set.errors[0].message, "Foo/" + ns_ + "/f dry-run failed: no matches for kind \"Foo\" in version \"x.example.org/v1\"");
    set = apply({object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_TRUE(set.errors[0].message.starts_with("ConfigMap/x namespace not specified: ")) << set.errors[0].message;
}

TEST_P(Apply, SwitchesOnObjects) {
    Object ignored = config_map("ignored", "v");
    ignored.set_annotation(kSsaKey, "IGNORE");
    EXPECT_EQ(lines(apply({ignored})), "ConfigMap/ignored skipped\n");
    EXPECT_TRUE(absent(ignored));

    Object once = config_map("once", "v");
    once.set_label(kSsaKey, "IfNotPresent");
    EXPECT_EQ(lines(apply({once})), "ConfigMap/once created\n");
    once.root().find_mut("data")->set("k", Node::string("new"));
    EXPECT_EQ(lines(apply({once})), "ConfigMap/once skipped\n");
    EXPECT_EQ(live(once).at({"data", "k"})->text(), "v");

    Object held = config_map("held", "v");
    apply({held});
    const Node patch = Node::map({{"metadata", Node::map({{"annotations", Node::map({{std::string(kReconcileKey), Node::string("disabled")}})}})}});
    ASSERT_TRUE(cluster_.client().patch(kube::ref_of(held), kube::PatchType::merge, patch).has_value());
    EXPECT_EQ(lines(apply({config_map("held", "new")})), "ConfigMap/held skipped\n");
}

TEST_P(Apply, ImmutableFieldIsRefusedOrRecreated) {
    const auto secret = [&](const char* value) {
        return in_ns(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\ndata: {pw: ") + value + "}\n");
    };
    const Object other = config_map("other", "v");
    ASSERT_EQ(lines(apply({secret("b25l"), other})), "ConfigMap/other created\nSecret/s created\n");
    const std::string uid(live(secret("b25l")).uid());
    const ChangeSet refused = apply({secret("dHdv"), config_map("other", "w")});
    ASSERT_EQ(refused.errors.size(), 1u);
    EXPECT_EQ(refused.errors[0].message, "Secret/" + ns_ + "/s dry-run failed (Invalid): Secret \"s\" is invalid: data: Forbidden: field is immutable when `immutable` is set");
    EXPECT_EQ(live(other).at({"data", "k"})->text(), "v");

    EXPECT_EQ(lines(apply({secret("dHdv"), other}, {.force = true})), "ConfigMap/other unchanged\nSecret/s created\n");
    EXPECT_NE(live(secret("b25l")).uid(), uid);
    Object by_annotation = secret("b25l");
    by_annotation.set_annotation(kForceKey, "enabled");
    EXPECT_EQ(lines(apply({by_annotation})), "Secret/s created\n");
}

TEST_P(Apply, ForceDoesNotLoseAnObjectToATypo) {
    const Object service = in_ns("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80, protocol: TCP}]}\n");
    ASSERT_TRUE(apply({service}).errors.empty());
    Object typo = service;
    typo.root().find_mut("spec")->set("type", Node::string("NodPort"));
    const ChangeSet set = apply({typo}, {.force = true});
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_NE(set.errors[0].message.find("is invalid"), std::string::npos) << set.errors[0].message;
    EXPECT_FALSE(absent(service));
}

TEST_P(Apply, FieldsOfKubectlAreTakenOver) {
    Object mine = config_map("c", "v");
    Object theirs = mine;
    theirs.root().find_mut("data")->set("extra", Node::string("x"));
    theirs.set_annotation("kubectl.kubernetes.io/last-applied-configuration", "{}");
    ASSERT_TRUE(cluster_.client().create(theirs, {.field_manager = "kubectl-client-side-apply"}).has_value());
    EXPECT_EQ(lines(apply({mine})), "ConfigMap/c configured\n");
    const Object now = live(mine);
    EXPECT_EQ(now.at({"data", "extra"}), nullptr);
    EXPECT_EQ(now.annotation("kubectl.kubernetes.io/last-applied-configuration"), "");
    ASSERT_EQ(now.at({"metadata", "managedFields"})->size(), 1u);
    EXPECT_EQ(now.at({"metadata", "managedFields"})->items()[0].text_at("manager"), kFieldManager);
    EXPECT_FALSE(apply({mine}).any_change());

    Object merged = config_map("m", "v");
    merged.set_annotation(kSsaKey, "Merge");
    Object before = merged;
    before.root().find_mut("data")->set("extra", Node::string("x"));
    ASSERT_TRUE(cluster_.client().create(before, {.field_manager = "kubectl-client-side-apply"}).has_value());
    apply({merged});
    EXPECT_NE(live(merged).at({"data", "extra"}), nullptr);
}

TEST_P(Apply, IgnoredPathsAreLeftToOthers) {
    const Object d = in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {mine: a, theirs: b}\n");
    ApplySettings settings;
    settings.ignore.push_back({.paths = {"/data/theirs"}, .target = Node::map({{"kind", Node::string("Config.*")}})});
    ASSERT_EQ(lines(apply({d}, settings)), "ConfigMap/c created\n");
    Object edit = d;
    edit.root().find_mut("data")->set("theirs", Node::string("edited"));
    edit.metadata_mut().erase("labels");
    ASSERT_TRUE(cluster_.client().apply(edit, {.field_manager = "someone", .force = true}).has_value());
    EXPECT_EQ(lines(apply({d}, settings)), "ConfigMap/c unchanged\n");
    Object changed = d;
    changed.root().find_mut("data")->set("mine", Node::string("z"));
    EXPECT_EQ(lines(apply({changed}, settings)), "ConfigMap/c configured\n");
    EXPECT_EQ(live(d).at({"data", "theirs"})->text(), "edited");
    settings.ignore[0].target = Node::map({{"kind", Node::string("Deploy")}});
    EXPECT_EQ(lines(apply({d}, settings)), "ConfigMap/c configured\n");
    EXPECT_EQ(live(d).at({"data", "theirs"})->text(), "b");
}

TEST_P(Apply, PlansMaskSecrets) {
    Object s = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {pw: cGxhbnRlZC1vbmU=}\n");
    ASSERT_TRUE(apply({s}).errors.empty());
    s.root().find_mut("data")->set("pw", Node::string("cGxhbnRlZC10d28="));
    const ChangeSet plan = apply({s}, {.dry_run = true});
    ASSERT_EQ(plan.changes.size(), 1u);
    EXPECT_EQ(plan.changes[0].action, Action::configured);
    EXPECT_EQ(plan.changes[0].reason, "data.pw");
    EXPECT_EQ(plan.changes[0].diff, "- data.pw: *** (before)\n+ data.pw: *** (after)\n");

    Object typed = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: t}\nstringData: {pw: 4711004711}\n");
    const ChangeSet refused = apply({typed});
    ASSERT_EQ(refused.errors.size(), 1u);
    EXPECT_EQ(refused.errors[0].message.find("4711"), std::string::npos) << refused.errors[0].message;
}

TEST_P(Apply, PruneDeletesOnlyWhatIsOurs) {
    const NamespacedName owner{"flux-system", "app"};
    Object foreign = config_map("foreign", "v");
    foreign.set_label(kOwnerName, "somebody");
    Object kept = config_map("kept", "v");
    kept.set_annotation(kPruneKey, "Disabled");
    const Object mine = config_map("mine", "v");
    const ChangeSet applied = apply({foreign, kept, mine});
    Inventory entries = inventory_of(applied.changes);
    entries.push_back({config_map("absent", "v").key(), "v1"});
    const ChangeSet pruned = prune(cluster_.client(), stale(entries, {}), owner);
    EXPECT_EQ(lines(pruned), "ConfigMap/mine deleted\nConfigMap/kept skipped\nConfigMap/foreign skipped\nConfigMap/absent deleted\n");
    EXPECT_TRUE(absent(mine));
    EXPECT_FALSE(absent(kept));
    EXPECT_TRUE(survivors(entries, pruned).empty());
    EXPECT_TRUE(wait_terminated(cluster_.client(), pruned, std::chrono::seconds(10)).has_value());
}

TEST(ApplySettings, StageKinds) {
    EXPECT_EQ(parse_stage_kinds("a/B, C"), (std::vector<kube::GroupKind>{{"a", "B"}, {"", "C"}}));
    EXPECT_TRUE(parse_stage_kinds("").empty());
}

} // namespace
} // namespace weber::gitops
