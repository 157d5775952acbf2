// What the agent builds: kustomization.md section 9, items 35 to 48, a Kustomization a row, all from one source.
#include "gitops/decrypt/file.h"
#include "gitops/decrypt/secret_keys.h"
#include "kube/base/digest.h"
#include "tests/agent/kustomization_fixture.h"
#include "tests/gitops/decrypt/vectors.h"

namespace weber::agent {
namespace {

class KustomizationBuilds : public KustomizationRuns {
protected:
    struct Row {
        std::string name; // of the Kustomization and its folder
        std::map<std::string, std::string> files;
        std::string spec = {};
        std::string reason = "ReconciliationSucceeded"; // of Ready
        std::string message = {};                       // a part of it
        std::map<std::string, std::string> values = {}; // ConfigMap -> data.k afterwards; "<absent>"
    };

    std::string map_text(const std::string& name, const std::string& value, const std::string& metadata = {}) {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + metadata + "}\ndata: {k: " + value + "}\n";
    }
    void check(const std::vector<Row>& rows) {
        std::map<std::string, std::string> files;
        for (const Row& row : rows)
            for (const auto& [path, text] : row.files) // ciphertext may hold the letters "NS"
                files[row.name + "/" + path] = text.find("ENC[") == std::string::npos ? with_ns(text) : text;
        publish("main@sha1:1", files);
        for (const Row& row : rows) make(kustomization(row.name, "./" + row.name, with_ns(row.spec)));
        start_agent();
        for (const Row& row : rows) {
            SCOPED_TRACE(row.name);
            const Object k = await(kustomization(row.name, ""), ready(row.reason == "ReconciliationSucceeded" ? "True" : "False", row.reason, with_ns(row.message)));
            for (const auto& [map, value] : row.values)
                EXPECT_EQ(absent(in_ns(config_map(map, ""))) ? "<absent>" : value_of(map), value) << map;
            if (row.reason != "ReconciliationSucceeded") {
                EXPECT_FALSE(events_seen_.await(EventReceiver::of(row.name, row.reason, with_ns(row.message))).is_null());
            }
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, KustomizationBuilds, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(KustomizationBuilds, SpecOnTopOfTheFile) { // items 34 to 36, 39
    const std::string component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: ConfigMap}, patch: '- {op: replace, path: /data/k, value: component}'}]\n";
    check({
        {.name = "names", .files = {{"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: v}\n"},
                                    {"kustomization.yaml", "resources: [a.yaml]\nnamespace: overridden\nnamePrefix: file-\n"}},
         .spec = "targetNamespace: NS, namePrefix: pre-, nameSuffix: -post", .values = {{"pre-m-post", "v"}}},
        {.name = "patches", .files = {{"a.yaml", map_text("patched", "v")}, {"kustomization.yaml", "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '- {op: replace, path: /data/k, value: file}'}]\n"}},
         .spec = "patches: [{patch: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: patched, namespace: NS}\\ndata: {k: spec}\\n\"}]", .values = {{"patched", "spec"}}},
        {.name = "deletes", .files = {{"a.yaml", map_text("del1", "v")}, {"b.yaml", map_text("del2", "v")}, {"c.yaml", map_text("del3", "v")}, {"d.yaml", map_text("stays", "v")}},
         .spec = "patches: [{patch: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: del1, namespace: NS}\\n$patch: delete\\n---\\napiVersion: v1\\nkind: ConfigMap\\nmetadata: "
                 "{name: del2, namespace: NS}\\n$patch: delete\\n\"}, {patch: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: del3, namespace: NS}\\n$patch: delete\\n\"}]",
         .values = {{"del1", "<absent>"}, {"del2", "<absent>"}, {"del3", "<absent>"}, {"stays", "v"}}},
        {.name = "component", .files = {{"base/a.yaml", map_text("withcomponent", "v")}, {"base/kustomization.yaml", "resources: [a.yaml]\n"}, {"comp/kustomization.yaml", component},
                                        {"kustomization.yaml", "resources: [base]\n"}},
         .spec = "components: [comp]", .values = {{"withcomponent", "component"}}},
        {.name = "lenient", .files = {{"a.yaml", map_text("lenient", "v")}, {"kustomization.yaml", "resources: [a.yaml]\n"}},
         .spec = "components: [nowhere], ignoreMissingComponents: true", .values = {{"lenient", "v"}}},
        {.name = "missing", .files = {{"a.yaml", map_text("missing", "v")}, {"kustomization.yaml", "resources: [a.yaml]\n"}},
         .spec = "components: [nowhere]", .reason = "BuildFailed", .message = "nowhere", .values = {{"missing", "<absent>"}}},
        {.name = "absolute", .files = {{"a.yaml", map_text("absolute", "v")}}, .spec = "components: [/etc]", .reason = "BuildFailed", .message = "component path '/etc' must be local and relative"},
        {.name = "remote", .files = {{"a.yaml", map_text("remote", "v")}}, .spec = "components: ['github.com/x/y']", .reason = "BuildFailed",
         .message = "component path 'github.com/x/y' must be local and relative"},
        {.name = "empty", .files = {{"kustomization.yaml", "resources: []\n"}}},
        {.name = "bad", .files = {{"a.yaml", "a: [\n"}}, .reason = "BuildFailed", .message = "a.yaml"},
    });
    EXPECT_TRUE(status_of(live(kustomization("empty", ""))).inventory->empty());
}

TEST_P(KustomizationBuilds, Substitution) { // items 40 to 45
    make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\ndata: {a: first, b: first, c: first, n: \"one\\ntwo\\n\"}\n"));
    make(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: second}\nstringData: {b: second, c: second}\n"));
    const std::string from = "substituteFrom: [{kind: ConfigMap, name: first}, {kind: Secret, name: second}]";
    check({
        {.name = "order", .files = {{"a.yaml", map_text("order", "'${a}-${b}-${c}'")}, {"b.yaml", map_text("lines", "'${n}'")}},
         .spec = "postBuild: {" + from + ", substitute: {c: inline}}", .values = {{"order", "first-second-inline"}, {"lines", "onetwo"}}},
        {.name = "optional", .files = {{"a.yaml", map_text("optional", "'${x}'")}},
         .spec = "postBuild: {substitute: {x: there}, substituteFrom: [{kind: ConfigMap, name: nowhere, optional: true}]}", .values = {{"optional", "there"}}},
        {.name = "mandatory", .files = {{"a.yaml", map_text("mandatory", "'${x}'")}}, .spec = "postBuild: {substituteFrom: [{kind: ConfigMap, name: nowhere}]}", .reason = "BuildFailed",
         .message = "post build failed for 'ConfigMap.v1.[noGrp]/mandatory': substitute from 'ConfigMap/nowhere' error: configmaps \"nowhere\" not found", .values = {{"mandatory", "<absent>"}}},
        {.name = "untouched", .files = {{"a.yaml", map_text("untouched", "'${x:=d}'")}}, .spec = "postBuild: {}", .values = {{"untouched", "${x:=d}"}}},
        {.name = "always", .files = {{"a.yaml", map_text("always", "'${x:=d}'")}}, .spec = "postBuild: {substituteStrategy: Always}", .values = {{"always", "d"}}},
        {.name = "strict", .files = {{"a.yaml", map_text("strict", "'${missing}'")}}, .spec = "postBuild: {substitute: {x: y}}", .reason = "BuildFailed", .message = "variable not set"},
        {.name = "defaults", .files = {{"a.yaml", map_text("defaults", "'${missing:=d}'")}}, .spec = "postBuild: {substitute: {x: y}}", .values = {{"defaults", "d"}}},
        {.name = "strings", .files = {{"a.yaml", map_text("strings", "'${q}123${q}'")}, {"b.yaml", map_text("dollars", "'$${var}'")}, {"c.yaml", map_text("quoted", "'123'")}, {"d.yaml", map_text("boolean", "'true'")}},
         .spec = "postBuild: {substitute: {q: '\"'}}", .values = {{"strings", "123"}, {"dollars", "${var}"}, {"quoted", "123"}, {"boolean", "true"}}},
        {.name = "disabled", .files = {{"a.yaml", map_text("disabled", "'${x}'", ", labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}")},
                                       {"b.yaml", map_text("upper", "'${x}'", ", annotations: {kustomize.toolkit.fluxcd.io/substitute: Disabled}")}},
         .spec = "postBuild: {substitute: {x: set}}", .values = {{"disabled", "${x}"}, {"upper", "set"}}},
    });
}

TEST_P(KustomizationBuilds, SubstitutionThatIsNotStrict) { // item 43, gate StrictPostBuildSubstitutions=false
    options_.strict_substitution = false;
    check({{.name = "lenient", .files = {{"a.yaml", map_text("lenient", "'<${missing}>'")}}, .spec = "postBuild: {substitute: {x: y}}", .values = {{"lenient", "<>"}}}});
}

TEST_P(KustomizationBuilds, Decryption) { // items 46 to 48
    const gitops::KeyRing keys{.age = gitops::parse_age_identities(gitops::test::kAgeSecret).value()};
    const auto encrypted = [&](const std::string& text) {
        const gitops::sops::Metadata how{.groups = {{{.provider = gitops::sops::Provider::age, .name = keys.age[0].recipient}}}, .rule = {.encrypted_regex = "^(data|stringData)$"}};
        return gitops::sops::encrypt_file(text, gitops::sops::Format::yaml, how, {}, "2024-05-06T07:08:09Z").value();
    };
    const auto secret = [&](const std::string& name) { return encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: " + name + "\n    namespace: " + ns_ + "\nstringData:\n    pw: hunter2\n"); };
    make(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: age}\nstringData: {k.agekey: " + std::string(gitops::test::kAgeSecret) + "}\n"));
    make(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: nokeys}\nstringData: {note: nothing}\n"));
    options_.runtime_namespace = ns_;
    options_.sops_age_secret = "age";
    check({
        {.name = "own", .files = {{"a.yaml", secret("own")}, {"patch.yaml", encrypted("apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: own\n    namespace: " + ns_ + "\ndata:\n    k: hunter2\n")},
                                  {"b.yaml", map_text("own", "v")}, {"kustomization.yaml", "resources: [a.yaml, b.yaml]\npatches: [{path: patch.yaml}]\n"}},
         .spec = "decryption: {provider: sops, secretRef: {name: age}}", .values = {{"own", "hunter2"}}},
        {.name = "generated", .files = {{"pw.txt", "hunter2"}, {"kustomization.yaml", "namespace: NS\nsecretGenerator: [{name: generated, files: [pw.txt], options: {disableNameSuffixHash: true}}]\n"}},
         .spec = "decryption: {provider: sops, secretRef: {name: age}}"},
        {.name = "global", .files = {{"a.yaml", secret("global")}}, .spec = "decryption: {provider: sops}"},
        {.name = "onlyown", .files = {{"a.yaml", secret("onlyown")}}, .spec = "decryption: {provider: sops, secretRef: {name: nokeys}}", .reason = "BuildFailed", .message = "decryption failed for 'Secret.v1.[noGrp]/onlyown'"},
        {.name = "nokey", .files = {{"a.yaml", secret("nokey")}}, .spec = "decryption: {provider: sops, secretRef: {name: nowhere}}", .reason = "BuildFailed", .message = "secrets \"nowhere\" not found"},
        {.name = "plain", .files = {{"a.yaml", secret("plain")}}, .reason = "ReconciliationFailed",
         .message = "Secret/NS/plain is SOPS encrypted, configuring decryption is required for this secret to be reconciled"},
    });
    for (const char* name : {"own", "global"})
        EXPECT_EQ(kube::base64_decode(live(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: " + std::string(name) + "}\n")).at({"data", "pw"})->text()).value(), "hunter2");
    EXPECT_TRUE(absent(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\n")));
    // The same content again: one event, the end of the run.
    const auto about = EventReceiver::of("own", "");
    events_seen_.await(EventReceiver::of("own", "ReconciliationSucceeded", "Reconciliation finished"));
    const std::size_t before = events_seen_.count(about);
    ask(kustomization("own", ""), "again");
    events_seen_.await(EventReceiver::of("own", "ReconciliationSucceeded", "Reconciliation finished"), 2);
    EXPECT_EQ(events_seen_.count(about), before + 1);
    // The controller's keys are kept between runs, not for longer than they are true.
    const Object age = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: age}\n"), global = kustomization("global", "");
    const auto asked_until = [&](const std::function<bool(const Object&)>& wanted) {
        const auto limit = std::chrono::steady_clock::now() + kPatience;
        for (int i = 0; std::chrono::steady_clock::now() < limit; ++i) // the watch may tell of it a moment after the run has begun
            if (wanted(ask(global, "change-" + std::to_string(i)))) return true;
        return false;
    };
    patch(age, "data: {k.agekey: null}\n");
    EXPECT_TRUE(asked_until(ready("False", "BuildFailed", "decryption failed for 'Secret.v1.[noGrp]/global'")));
    ASSERT_TRUE(api().remove(kube::ref_of(age)).has_value());
    EXPECT_TRUE(asked_until(ready("False", "BuildFailed", "secrets \"age\" not found")));
    make(in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: age}\nstringData: {k.agekey: " + std::string(gitops::test::kAgeSecret) + "}\n"));
    EXPECT_TRUE(asked_until(applied("main@sha1:1")));
}

TEST_P(KustomizationBuilds, AnAccountForDecryptionNeedsTheGate) { // item 31, gate ObjectLevelWorkloadIdentity=false
    check({{.name = "gated", .files = {{"a.yaml", map_text("gated", "v")}}, .spec = "decryption: {provider: sops, serviceAccountName: kms}", .reason = "FeatureGateDisabled",
            .message = "please enable the ObjectLevelWorkloadIdentity feature gate"}});
    const Object k = live(kustomization("gated", ""));
    EXPECT_TRUE(ready("False", "FeatureGateDisabled")(k));
    const Node* conditions = k.at({"status", "conditions"});
    ASSERT_NE(conditions, nullptr);
    const auto stalled = std::ranges::find_if(conditions->items(), [](const Node& n) { return n.text_at("type") == "Stalled"; });
    ASSERT_NE(stalled, conditions->items().end());
    EXPECT_EQ(stalled->text_at("reason"), "FeatureGateDisabled");
    EXPECT_EQ(stalled->text_at("status"), "True");
    EXPECT_EQ(k.at({"status", "observedGeneration"})->as_int(), -1);
}

TEST_P(KustomizationBuilds, AnAccountForDecryptionWithTheGate) { // item 31, the other side
    options_.object_level_workload_identity = true;
    check({{.name = "open", .files = {{"a.yaml", map_text("open", "v")}}, .spec = "decryption: {provider: sops, serviceAccountName: kms}", .values = {{"open", "v"}}}});
}

TEST_P(KustomizationBuilds, MetadataComesAndGoesWithTheSpec) { // items 37, 38
    publish("main@sha1:1", {{"a.yaml", map_text("one", "v")}});
    const Object k = make(kustomization("app", "./", "buildMetadata: [originAnnotations], commonMetadata: {labels: {team: x}, annotations: {note: y}}"));
    start_agent();
    await(k, applied("main@sha1:1"));
    const Object one = in_ns(config_map("one", ""));
    EXPECT_FALSE(live(one).annotation("config.kubernetes.io/origin").empty());
    EXPECT_EQ(live(one).label("team"), "x");
    EXPECT_EQ(live(one).annotation("note"), "y");
    patch(k, "spec: {buildMetadata: null, commonMetadata: null}\n");
    const Object after = await(one, [](const Object& o) { return o.label("team").empty(); });
    EXPECT_EQ(after.annotation("config.kubernetes.io/origin"), "");
    EXPECT_EQ(after.annotation("note"), "");
}

} // namespace
} // namespace weber::agent
