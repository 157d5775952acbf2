// What a cluster lacks, as JSON patches. Numbers are items of apply.md section 10.
#include "gitops/reconcile/json_diff.h"

#include <gmock/gmock.h>

#include "kube/base/json.h"
#include "kube/base/json_patch.h"
#include "tests/gitops/reconcile/cluster_fixture.h"

namespace weber::gitops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Node json(std::string_view text) { return kube::read_json(text).value(); }

// One operation a line: "op path value (was old)".
std::string text_of(const Node& patch) {
    std::string out;
    for (const Node& o : patch.items()) {
        out += std::string(o.text_at("op")) + " " + std::string(o.text_at("path"));
        if (const Node* value = o.find("value")) out += " " + kube::write_json(*value);
        if (const Node* old = o.find("oldValue")) out += " (was " + kube::write_json(*old) + ")";
        out += "\n";
    }
    return out;
}
std::string patch_of(std::string_view from, std::string_view to, bool rationalize = false) {
    const Node patch = json_patch(json(from), json(to), rationalize);
    Node document = json(from); // whatever it looks like, it must lead there
    EXPECT_TRUE(kube::JsonPatch::from_node(patch).value().apply(document).has_value());
    EXPECT_EQ(kube::write_json(document), kube::write_json(json(to)));
    return text_of(patch);
}

TEST(JsonDiff, Patches) {
    EXPECT_EQ(patch_of(R"({"a":1})", R"({"a":1})"), "");
    EXPECT_EQ(patch_of(R"({"z":1,"b":1})", R"({"z":2,"b":1,"a":{"x":1}})"), "add /a {\"x\":1}\nreplace /z 2 (was 1)\n") << "keys in order";
    EXPECT_EQ(patch_of(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1}})"), "remove /a/c (was 2)\n");
    EXPECT_EQ(patch_of(R"({"a":[1,2]})", R"({"a":[1,3,4,5]})"), "replace /a/1 3 (was 2)\nadd /a/- 4\nadd /a/- 5\n");
    EXPECT_EQ(patch_of(R"({"a":[1,2,3]})", R"({"a":[0]})"), "remove /a/1 (was 2)\nremove /a/1 (was 3)\nreplace /a/0 0 (was 1)\n");
    EXPECT_EQ(patch_of(R"({"a":{"b":1}})", R"({"a":[1]})"), "replace /a [1] (was {\"b\":1})\n");
    EXPECT_EQ(patch_of(R"({"a~b/c":1})", R"({"a~b/c":2})"), "replace /a~0b~1c 2 (was 1)\n");
    EXPECT_EQ(patch_of(R"({"a":null})", R"({"a":""})"), "replace /a \"\" (was null)\n");
}

TEST(JsonDiff, AParentIsReplacedWhereThatIsShorter) {
    const char *from = R"({"spec":{"a":1,"b":2,"c":3}})", *to = R"({"spec":{"a":4,"b":5,"c":6}})";
    EXPECT_EQ(patch_of(from, to), "replace /spec/a 4 (was 1)\nreplace /spec/b 5 (was 2)\nreplace /spec/c 6 (was 3)\n");
    EXPECT_EQ(patch_of(from, to, true), "replace /spec {\"a\":4,\"b\":5,\"c\":6} (was {\"a\":1,\"b\":2,\"c\":3})\n");
    const char *big = R"({"spec":{"a":1,"text":"of a length that makes the whole longer than its parts"}})";
    EXPECT_EQ(patch_of(big, R"({"spec":{"a":2,"text":"of a length that makes the whole longer than its parts"}})", true), "replace /spec/a 2 (was 1)\n");
}

class JsonDiffs : public OnClusters {
protected:
    JsonDiffSettings settings(bool mask = true) const { return {.field_manager = "kustomize-controller", .mask_secrets = mask}; }
    std::string update_of(const Object& o, const JsonDiffSettings& how) {
        const auto set = json_diffs(client(), {o}, how);
        if (!set) return set.error().message;
        return std::string(to_string(set->entries.at(0).type)) + "\n" + text_of(set->entries[0].patch);
    }
    // Of a kind that no controller writes to while the test looks.
    Object pod_template(const std::string& containers) {
        return in_ns("apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\ntemplate: {metadata: {labels: {app: d}}, spec: {containers: [" + containers + "]}}\n", false);
    }
};
WEBER_ON_CLUSTERS(JsonDiffs);

// 49: labels
TEST_P(JsonDiffs, Labels) {
    const Object bare = in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", false);
    apply({bare});
    EXPECT_EQ(update_of(bare, settings()), "none\n");
    const Object labelled = in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: '1', y: '2'}}\n", false);
    EXPECT_EQ(update_of(labelled, settings()), "update\nadd /metadata/labels {\"x\":\"1\",\"y\":\"2\"}\n") << "there are none";
    apply({labelled});
    EXPECT_EQ(update_of(bare, settings()), "none\n") << "a removed label is no drift";
    edit(labelled, R"({"metadata":{"labels":{"x":"theirs","y":null,"z":"others"}}})");
    EXPECT_EQ(update_of(labelled, settings()), "update\nreplace /metadata/labels/x \"1\" (was \"theirs\")\nadd /metadata/labels/y \"2\"\n");
}

// 49: list items
TEST_P(JsonDiffs, Containers) {
    const std::string one = "{name: one, image: x}", two = "{name: two, image: y}";
    apply({pod_template(one)});
    const auto added = update_of(pod_template(one + ", " + two), settings());
    EXPECT_THAT(added, HasSubstr("add /template/spec/containers/- {"));
    EXPECT_EQ(std::ranges::count(added, '\n'), 2) << added;
    apply({pod_template(one + ", " + two)});
    EXPECT_THAT(update_of(pod_template(one), settings()), HasSubstr("update\nremove /template/spec/containers/1 (was {"));
}

// 49: what is left out
TEST_P(JsonDiffs, LeftOut) {
    const Object a = config_map("a"), b = config_map("b");
    apply({a, b});
    edit(a, R"({"data":{"k":"theirs"}})");
    JsonDiffSettings how = settings();
    how.ignore = {{.paths = {""}, .target = testing::object_of("{kind: ConfigMap, name: a}").root()}};
    verbs();
    EXPECT_EQ(update_of(a, how), "exclude\n");
    EXPECT_EQ(verbs(), Strings{}) << "nothing is asked about it";
    EXPECT_EQ(update_of(b, how), "none\n");
    how.ignore = {{.paths = {"/data/k", "/not/there"}}};
    EXPECT_EQ(update_of(a, how), "none\n");
    EXPECT_EQ(update_of(config_map("new"), how), "create\n");
    how.ignore = {{.paths = {"data"}}};
    EXPECT_THAT(update_of(a, how), HasSubstr("path 'data' is not a JSON pointer"));

    how = settings();
    how.exclude = {{"keep.example.org/out", "yes"}};
    edit(a, R"({"metadata":{"annotations":{"keep.example.org/out":"YES"}}})");
    EXPECT_EQ(update_of(a, how), "exclude\n") << "by the live object";
    Object marked = b;
    marked.set_label("keep.example.org/out", "yes");
    EXPECT_EQ(update_of(marked, how), "exclude\n") << "by the wanted one";
}

// 50
TEST_P(JsonDiffs, SecretsAreMasked) {
    const auto secret = [&](const std::string& data) { return in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: " + data + "\n", false); };
    apply({secret("{a: b2xk, b: b2xk, c: c2FtZQ==}")});
    const Object wanted = secret("{a: bmV3, c: c2FtZQ==, d: bmV3}");
    EXPECT_EQ(update_of(wanted, settings()), "update\nreplace /data/a \"*** (after)\" (was \"*** (before)\")\nremove /data/b (was \"***\")\nadd /data/d \"***\"\n");
    JsonDiffSettings whole = settings();
    whole.rationalize = true;
    EXPECT_EQ(update_of(wanted, whole), "update\nreplace /data {\"a\":\"*** (after)\",\"c\":\"***\",\"d\":\"***\"} (was {\"a\":\"*** (before)\",\"b\":\"***\",\"c\":\"***\"})\n");
    EXPECT_THAT(update_of(wanted, settings(false)), HasSubstr("replace /data/a \"bmV3\" (was \"b2xk\")"));

    const auto map = [&](const std::string& data) { return in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: " + data + "\n", false); };
    apply({map("{a: old}")});
    EXPECT_EQ(update_of(map("{a: new}"), settings()), "update\nreplace /data/a \"new\" (was \"old\")\n") << "a ConfigMap has nothing to hide";
    JsonDiffSettings hiding = settings();
    hiding.secret_values = {"decrypted"};
    EXPECT_THAT(update_of(map("{a: decrypted value}"), hiding), Not(HasSubstr("decrypted"))) << "unless a value of it came from a Secret";
}

// 51
TEST_P(JsonDiffs, GracefulSetsGoOn) {
    apply({config_map("a")});
    const std::vector<Object> objects{config_map("Not_A_Name"), config_map("a", "changed"), in_ns("apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: f}\n"), config_map("new")};
    const auto strict = json_diffs(client(), objects, settings());
    ASSERT_FALSE(strict.has_value());
    EXPECT_THAT(strict.error().message, HasSubstr("Not_A_Name dry-run failed (Invalid)"));
    JsonDiffSettings graceful = settings();
    graceful.graceful = true;
    const auto set = json_diffs(client(), objects, graceful);
    ASSERT_TRUE(set.has_value());
    ASSERT_EQ(set->entries.size(), 2u);
    EXPECT_EQ(set->entries[0].desired.name(), "a");
    EXPECT_EQ(text_of(set->entries[0].patch), "replace /data/k \"changed\" (was \"v\")\n");
    EXPECT_EQ(set->entries[1].type, JsonDiffType::create);
    ASSERT_EQ(set->errors.size(), 2u);
    EXPECT_THAT(set->errors[0].message, HasSubstr("Not_A_Name"));
    EXPECT_THAT(set->errors[1].message, HasSubstr("no matches for kind \"Foo\""));
    EXPECT_TRUE(set->has_changes());
    EXPECT_FALSE(json_diffs(client(), {config_map("a")}, settings())->has_changes());
}

} // namespace
} // namespace weber::gitops
