// spec.ignore: fields left to others (apply.md 3.5). Numbers are items of apply.md section 10.
#include "gitops/reconcile/drift_ignore.h"

#include <gmock/gmock.h>

#include "kube/base/json.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

IgnoreRule rule(std::vector<std::string> paths, const std::string& target = "") {
    return {.paths = std::move(paths), .target = target.empty() ? Node() : testing::object_of(target).root()};
}
Result<DriftIgnoreRules> make(IgnoreRule r) { return DriftIgnoreRules::make(std::span(&r, 1)); }

// ---- rules alone -------------------------------------------------------------------------------------------------

TEST(DriftIgnore, SelectorsAreAnchored) { // 52
    const Object o = testing::object_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: app-1, namespace: n, labels: {tier: web}, annotations: {a: b}}, spec: {replicas: 1}}");
    struct Case { const char* target; bool matches; };
    const Case cases[] = {
        {"kind: Deploy", false},     {"kind: Deploy.*", true},   {"kind: ''", true},         {"group: apps", true},      {"group: app", false},
        {"version: v1", true},       {"version: v", false},      {"name: app", false},       {"name: app-[0-9]", true},  {"namespace: n", true},
        {"namespace: m|n", true},    {"namespace: m|nn", false}, {"labelSelector: tier=web", true}, {"labelSelector: tier!=web", false},
        {"annotationSelector: a=b", true}, {"annotationSelector: 'a=c'", false}, {"{kind: Deployment, name: other}", false},
    };
    for (const Case& c : cases) {
        const auto rules = make(rule({"/spec/replicas"}, c.target));
        ASSERT_TRUE(rules) << c.target;
        EXPECT_EQ(rules->without_ignored(o, o).at({"spec", "replicas"}) == nullptr, c.matches) << c.target;
    }
}

TEST(DriftIgnore, EveryRuleWithoutTargetCounts) { // in Flux only the last
    const IgnoreRule both[] = {rule({"/spec/a"}), rule({"/spec/b"})};
    const auto rules = DriftIgnoreRules::make(both);
    const Object o = testing::object_of("{apiVersion: v1, kind: X, metadata: {name: x}, spec: {a: 1, b: 2, c: 3}}");
    EXPECT_EQ(kube::write_json(*rules->without_ignored(o, o).at({"spec"})), R"({"c":3})");
}

TEST(DriftIgnore, BadRulesAreRefused) {
    EXPECT_THAT(make(rule({"spec/replicas"})).error().message, HasSubstr("must begin with '/'"));
    EXPECT_THAT(make(rule({""})).error().message, HasSubstr("must begin with '/'"));
    EXPECT_THAT(make(rule({"/a"}, "kind: '('")).error().message, HasSubstr("failed to create ignore rule selector: invalid kind regex: "));
    EXPECT_THAT(make(rule({"/a"}, "labelSelector: 'a in'")).error().message, HasSubstr("failed to create ignore rule selector: invalid label selector: "));
    EXPECT_THAT(make(rule({"/a"}, "annotationSelector: '=='")).error().message, HasSubstr("invalid annotation selector: "));
}

TEST(DriftIgnore, PathsThatLeadNowhere) { // 41
    const Object o = testing::object_of("{apiVersion: v1, kind: X, metadata: {name: x}, spec: {a: text, list: [1, 2], 'x/y': 1, 'x~y': 2}}");
    const auto rules = make(rule({"/spec/none", "/spec/a/b", "/spec/list/7", "/nothing/at/all"}));
    EXPECT_EQ(rules->without_ignored(o, o), o);
    EXPECT_EQ(rules->payload(o, o, o), o);
    const auto escaped = make(rule({"/spec/x~1y", "/spec/x~0y", "/spec/list/0"}));
    EXPECT_EQ(kube::write_json(*escaped->without_ignored(o, o).at({"spec"})), R"({"a":"text","list":[2]})");
}

TEST(DriftIgnore, Payload) {
    const Object desired = testing::object_of("{apiVersion: v1, kind: X, metadata: {name: x}, spec: {a: mine, b: mine, c: mine, d: mine}}");
    const Object live = testing::object_of(
        "{apiVersion: v1, kind: X, metadata: {name: x, managedFields: [{manager: other, operation: Apply, fieldsV1: {'f:spec': {'f:a': {}}}}, {manager: edit, operation: "
        "Update, fieldsV1: {'f:spec': {'f:b': {}}}}, {manager: third, operation: Apply, subresource: scale, fieldsV1: {'f:spec': {'f:b': {}}}}]}, spec: {a: theirs, b: edited, d: mine}}");
    const auto rules = make(rule({"/spec/a", "/spec/b", "/spec/c", "/spec/d", "/spec/e"}));
    // a: another applier owns it, left out; b: adopted; c: gone live, left out (Flux writes null); d: equal; e: of neither.
    EXPECT_EQ(kube::write_json(*rules->payload(desired, live, desired).at({"spec"})), R"({"b":"edited","d":"mine"})");
}

TEST(DriftIgnore, ListItemsAreFoundByTheirKeys) { // 42
    const auto rules = make(rule({"/spec/containers/0/image"}));
    const Object desired = testing::object_of("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c, image: mine}]}}");
    const auto live = [&](const char* key) {
        return testing::object_of(std::string("{apiVersion: v1, kind: Pod, metadata: {name: x, managedFields: [{manager: other, operation: Apply, fieldsV1: {'f:spec': {'f:containers': {'k:{\"name\":\"") +
                                  key + "\"}': {'f:image': {}}}}}}]}, spec: {containers: [{name: c, image: theirs}]}}");
    };
    EXPECT_EQ(kube::write_json(*rules->payload(desired, live("c"), desired).at({"spec"})), R"({"containers":[{"name":"c"}]})");
    EXPECT_EQ(kube::write_json(*rules->payload(desired, live("other"), desired).at({"spec"})), R"({"containers":[{"name":"c","image":"theirs"}]})");
}

// ---- on a cluster ------------------------------------------------------------------------------------------------

class Ignored : public OnClusters {
protected:
    Object map(const std::string& mine, const std::string& theirs) {
        return in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {mine: " + mine + ", theirs: " + theirs + "}\n");
    }
    static ApplySettings ignoring(std::vector<std::string> paths, const std::string& target = "") {
        ApplySettings settings;
        settings.ignore.push_back(rule(std::move(paths), target));
        return settings;
    }
    // The paths that kustomize-controller owns in data.
    Strings owned(const Object& o) {
        Strings out;
        const Object now = live(o);
        for (const Node& e : now.at({"metadata", "managedFields"})->items()) {
            const Node* data = e.find_path({"fieldsV1", "f:data"});
            if (e.text_at("manager") != "kustomize-controller" || data == nullptr) continue;
            for (const auto& [key, child] : data->entries()) out.push_back(key.str());
        }
        return out;
    }
};
WEBER_ON_CLUSTERS(Ignored);

// 40
TEST_P(Ignored, AnotherApplierKeepsItsField) {
    const ApplySettings settings = ignoring({"/data/theirs"});
    EXPECT_EQ(lines(apply({map("a", "b")}, settings)), "ConfigMap/c created\n");
    ASSERT_TRUE(other().apply(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {theirs: x}\n", false), {.field_manager = "someone", .force = true}).has_value());
    EXPECT_EQ(lines(apply({map("a", "b")}, settings)), "ConfigMap/c unchanged\n");
    EXPECT_EQ(lines(apply({map("new", "b")}, settings)), "ConfigMap/c configured\n");
    EXPECT_EQ(live_text(map("", ""), {"data", "theirs"}), "x");
    EXPECT_EQ(live_text(map("", ""), {"data", "mine"}), "new");
    EXPECT_THAT(owned(map("", "")), Not(Contains("f:theirs")));
}

// 41
TEST_P(Ignored, EditsAreAdopted) {
    const ApplySettings settings = ignoring({"/data/theirs"});
    apply({map("a", "b")}, settings);
    EXPECT_EQ(live_text(map("", ""), {"data", "theirs"}), "b"); // on creation rules do nothing
    edit(map("", ""), "data: {theirs: edited}", "somebody");
    EXPECT_EQ(lines(apply({map("a", "b")}, settings)), "ConfigMap/c unchanged\n");
    EXPECT_EQ(lines(apply({map("new", "b")}, settings)), "ConfigMap/c configured\n");
    EXPECT_EQ(live_text(map("", ""), {"data", "theirs"}), "edited");
    EXPECT_THAT(owned(map("", "")), Contains("f:theirs"));
}

TEST_P(Ignored, RulesForOtherKindsDoNothing) {
    apply({map("a", "b")});
    edit(map("", ""), "data: {theirs: edited}", "somebody");
    EXPECT_EQ(lines(apply({map("a", "b")}, ignoring({"/data/theirs"}, "kind: Deployment"))), "ConfigMap/c configured\n");
    EXPECT_EQ(live_text(map("", ""), {"data", "theirs"}), "b");
}

TEST_P(Ignored, BadRuleEndsTheApply) {
    const ChangeSet set = apply({map("a", "b")}, ignoring({"/a"}, "kind: '['"));
    ASSERT_EQ(set.errors.size(), 1u);
    EXPECT_THAT(set.errors[0].message, HasSubstr("failed to create ignore rule selector: invalid kind regex"));
    EXPECT_TRUE(absent(map("", "")));
}

} // namespace
} // namespace weber::gitops
