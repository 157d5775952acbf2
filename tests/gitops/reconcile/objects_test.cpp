// The pure parts of a reconcile: order, stages, switches, normalization, drift, masks, bundles, inventory, texts. Numbers are items of apply.md section 10.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "gitops/reconcile/ca_bundle.h"
#include "gitops/reconcile/changes.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/inventory.h"
#include "gitops/reconcile/normalize.h"
#include "gitops/reconcile/order.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using testing::object_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Strings = std::vector<std::string>;

Object of(const std::string& api_version, const std::string& kind, const std::string& name = "x", const std::string& ns = "") {
    Object o(Node::map({{"apiVersion", Node::string(api_version)}, {"kind", Node::string(kind)}}));
    o.set_name(name);
    if (!ns.empty()) o.set_ns(ns);
    return o;
}
std::string json(const Object& o, std::initializer_list<std::string_view> path) {
    const Node* at = o.at(path);
    return at != nullptr ? kube::write_json(*at) : "<none>";
}

// ---- order and stages --------------------------------------------------------------------------------------------

Strings sorted(std::vector<Object> objects) {
    std::ranges::shuffle(objects, std::minstd_rand(7));
    std::vector<kube::ObjectKey> keys;
    for (const Object& o : objects) keys.push_back(o.key());
    std::ranges::sort(keys, applies_before);
    Strings out;
    for (const kube::ObjectKey& k : keys) out.push_back((k.group.empty() ? "" : k.group + "/") + k.subject());
    return out;
}

TEST(Order, ByKind) { // 6
    EXPECT_THAT(sorted({of("v1", "ServiceAccount"), of("v1", "Secret"), of("v1", "ConfigMap"), of("v1", "Namespace"), of("rbac.authorization.k8s.io/v1", "ClusterRole"),
                        of("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), of("storage.k8s.io/v1", "StorageClass"), of("v1", "Service")}),
                ElementsAre("Namespace/x", "rbac.authorization.k8s.io/ClusterRole/x", "storage.k8s.io/StorageClass/x", "rbac.authorization.k8s.io/ClusterRoleBinding/x",
                            "ServiceAccount/x", "ConfigMap/x", "Secret/x", "Service/x"));
}

TEST(Order, UnlistedKindsAndWebhooks) { // 7
    EXPECT_THAT(sorted({of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), of("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
                        of("batch/v1", "Job", "b", "n"), of("batch/v1", "Job", "a", "o"), of("batch/v1", "Job", "z", "n"), of("apps/v1", "DaemonSet"), of("v1", "Pod"),
                        of("v1", "Endpoints"), of("policy/v1", "PodDisruptionBudget"), of("apiextensions.k8s.io/v1", "CustomResourceDefinition")}),
                ElementsAre("apiextensions.k8s.io/CustomResourceDefinition/x", "policy/PodDisruptionBudget/x", "Endpoints/x", "Pod/x", "apps/DaemonSet/x", "batch/Job/n/b",
                            "batch/Job/n/z", "batch/Job/o/a", "admissionregistration.k8s.io/MutatingWebhookConfiguration/x",
                            "admissionregistration.k8s.io/ValidatingWebhookConfiguration/x"));
}

TEST(Order, CoreServiceBeforeKnatives) { // 8
    EXPECT_THAT(sorted({of("apps/v1", "Deployment"), of("serving.knative.dev/v1", "Service"), of("v1", "Service")}),
                ElementsAre("Service/x", "serving.knative.dev/Service/x", "apps/Deployment/x"));
}

TEST(Order, Stages) { // 14, 15
    const std::vector<Object> all{of("v1", "ConfigMap"), of("example.org/v1", "FooClass"), of("example.org/v1", "Fooclass"), of("v1", "namespace"),
                                  of("example.org/v1", "Namespace"), of("rbac.authorization.k8s.io/v1", "Role"), of("v1", "Secret"), of("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition")};
    const std::vector<kube::GroupKind> custom{{"rbac.authorization.k8s.io", "Role"}, {"", "Secret"}};
    Strings out;
    for (const Stage& s : stages_of(all, custom)) {
        std::string line = std::string(s.name) + (s.wait ? "+" : "") + ":";
        for (const Object& o : s.objects) line += " " + std::string(o.api_version()) + "/" + std::string(o.kind());
        out.push_back(line);
    }
    EXPECT_THAT(out, ElementsAre("definitions+: apiextensions.k8s.io/v1beta1/CustomResourceDefinition v1/namespace", "classes+: example.org/v1/FooClass",
                                 "custom: rbac.authorization.k8s.io/v1/Role v1/Secret", "rest: example.org/v1/Namespace v1/ConfigMap example.org/v1/Fooclass"));
    EXPECT_EQ(stages_of({}).size(), 1u);
}

// ---- switches ----------------------------------------------------------------------------------------------------

TEST(Switches, LabelOrAnnotationWithoutCase) { // 16
    struct Case { const char* metadata; bool excluded; };
    const Case cases[] = {
        {"{annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}", true},    {"{annotations: {kustomize.toolkit.fluxcd.io/ssa: IGNORE}}", true},
        {"{labels: {kustomize.toolkit.fluxcd.io/ssa: ignore}}", true},         {"{annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}", true},
        {"{annotations: {kustomize.toolkit.fluxcd.io/reconcile: enabled}}", false}, {"{annotations: {kustomize.toolkit.fluxcd.io/ssa: ''}}", false},
        {"{annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}, labels: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}", true}, {"{}", false},
    };
    for (const Case& c : cases) EXPECT_EQ(is_excluded(object_of(std::string("{apiVersion: v1, kind: ConfigMap, metadata: ") + c.metadata + "}")), c.excluded) << c.metadata;
}

// ---- normalization -----------------------------------------------------------------------------------------------

TEST(Normalize, ProtocolOfPorts) { // 47
    const std::string pod = "{initContainers: [{name: i, image: x, ports: [{containerPort: 1}]}], containers: [{name: c, image: x, ports: [{containerPort: 2}, {containerPort: 3, protocol: UDP}]}]}";
    const std::string want_init = R"([{"containerPort":1}])", want = R"([{"containerPort":2,"protocol":"TCP"},{"containerPort":3,"protocol":"UDP"}])";
    const auto check = [&](const Node* spec, std::string_view kind) {
        ASSERT_NE(spec, nullptr) << kind;
        EXPECT_EQ(kube::write_json(*spec->find("initContainers")->items()[0].find("ports")), want_init) << kind;
        EXPECT_EQ(kube::write_json(*spec->find("containers")->items()[0].find("ports")), want) << kind;
    };
    for (const char* kind : {"apps/v1, kind: Deployment", "apps/v1, kind: StatefulSet", "apps/v1, kind: DaemonSet", "apps/v1, kind: ReplicaSet", "batch/v1, kind: Job"}) {
        const Object o = normalized(object_of(std::string("{apiVersion: ") + kind + ", metadata: {name: x}, spec: {template: {spec: " + pod + "}}}"));
        check(o.at({"spec", "template", "spec"}), kind);
    }
    check(normalized(object_of("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: " + pod + "}")).root().find("spec"), "Pod");
    const Object cron = normalized(object_of("{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {jobTemplate: {spec: {template: {spec: " + pod + "}}}}}"));
    check(cron.at({"spec", "jobTemplate", "spec", "template", "spec"}), "CronJob");
    const Object service = normalized(object_of("{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: 1}, {port: 2, protocol: UDP}]}}"));
    EXPECT_EQ(json(service, {"spec", "ports"}), R"([{"port":1,"targetPort":0,"protocol":"TCP"},{"port":2,"protocol":"UDP","targetPort":0}])");
}

TEST(Normalize, SecretsStatusAndTimes) { // 48
    const Object secret = normalized(object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, creationTimestamp: '2026-01-01T00:00:00Z'}, data: {a: b2xk, b: eA==}, stringData: {a: new}, status: {x: 1}}"));
    EXPECT_EQ(json(secret, {"data"}), R"({"a":"bmV3","b":"eA=="})");
    EXPECT_EQ(json(secret, {"stringData"}), "<none>");
    EXPECT_EQ(json(secret, {"metadata", "creationTimestamp"}), "<none>");
    EXPECT_EQ(json(secret, {"status"}), "<none>");
    EXPECT_EQ(json(normalized(object_of("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: c}, status: {x: 1}}")), {"status"}), R"({"x":1})");
    EXPECT_EQ(json(normalized(object_of("{apiVersion: example.org/v1, kind: Foo, metadata: {name: c}, status: {x: 1}}")), {"status"}), "<none>");
    const Object role = object_of("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r, creationTimestamp: null}, rules: [], status: {x: 1}}");
    EXPECT_EQ(normalized(role), role);
    const Object typed = normalized(object_of("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: 5}}"));
    EXPECT_EQ(json(typed, {"stringData"}), R"({"a":5})"); // the server reports it
}

TEST(Normalize, NullsAndEmptyOptionalFields) {
    const Object d = normalized(object_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, labels: {}, annotations: {a: null}}, spec: {replicas: null, template: {spec: {containers: [{name: c, "
                                          "image: i, env: [{name: E, value: null}], args: []}]}}}}"));
    EXPECT_EQ(json(d, {"metadata"}), R"({"name":"x","annotations":{"a":""}})");
    EXPECT_EQ(json(d, {"spec", "replicas"}), "<none>");
    EXPECT_EQ(json(d, {"spec", "template", "spec", "containers"}), R"([{"name":"c","image":"i","env":[{"name":"E"}],"resources":{}}])");
    const Object custom = object_of("{apiVersion: example.org/v1, kind: Foo, metadata: {name: x}, spec: {a: null, b: {}}}");
    EXPECT_EQ(normalized(custom), custom);
}

TEST(Normalize, PlainStructsAppearAlthoughEmpty) { // 4.2: they decide what is owned; without them no Job that Flux applied could be applied again
    const Object d = normalized(object_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}}"));
    EXPECT_EQ(json(d, {"spec"}), R"({"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","resources":{}}]}},"strategy":{}})");
    const Object job = normalized(object_of("{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c}]}}}}}}"));
    EXPECT_EQ(json(job, {"spec"}), R"({"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"c","resources":{}}]},"metadata":{}}},"metadata":{}}})");
    EXPECT_EQ(json(normalized(object_of("{apiVersion: v1, kind: Namespace, metadata: {name: x}}")), {"spec"}), "{}");
    const Object set = normalized(object_of("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, spec: {template: {}, volumeClaimTemplates: [{metadata: {name: v}, spec: {resources: {}}}]}}"));
    EXPECT_EQ(json(set, {"spec"}), R"({"template":{"metadata":{},"spec":{}},"volumeClaimTemplates":[{"metadata":{"name":"v"},"spec":{"resources":{}},"status":{}}],"updateStrategy":{}})");
}

// ---- drift and masks ---------------------------------------------------------------------------------------------

bool drifted(const std::string& live, const std::string& answer) {
    const std::string head = "apiVersion: v1\nkind: ConfigMap\n";
    return has_drifted(object_of(head + live), object_of(head + answer));
}

TEST(Drift, WhatIsCompared) {
    const std::string one = "metadata: {name: c, resourceVersion: '1'}\n";
    EXPECT_FALSE(drifted(one + "data: {a: b}", one + "data: {a: b}"));
    EXPECT_TRUE(drifted(one + "data: {a: b}", one + "data: {a: c}"));
    EXPECT_TRUE(drifted(one, "metadata: {name: c}\n")); // no resourceVersion: new
    EXPECT_TRUE(drifted("metadata: {labels: {a: b}}", "metadata: {resourceVersion: '1'}"));
    EXPECT_TRUE(drifted("metadata: {annotations: {a: b}}", "metadata: {resourceVersion: '1', annotations: {a: c}}"));
    EXPECT_FALSE(drifted("metadata: {labels: {}}", "metadata: {resourceVersion: '1'}"));
    EXPECT_FALSE(drifted("metadata: {finalizers: [a], generation: 1}\nstatus: {a: b}", "metadata: {resourceVersion: '1', generation: 2}\nstatus: {a: c}"));
    EXPECT_TRUE(drifted(one + "data: {}", one));
    EXPECT_TRUE(drifted(one + "spec: {n: 1}", one + "spec: {n: 1.0}"));
}

TEST(Drift, RepeatedAndEmptyMetricsOfOldServers) { // 46
    const std::string head = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, resourceVersion: '1'}\n";
    const std::string cpu = "{type: Resource, resource: {name: cpu}}";
    EXPECT_FALSE(has_drifted(object_of(head + "spec: {metrics: [" + cpu + "]}"), object_of(head + "spec: {metrics: [" + cpu + ", " + cpu + ", {type: ''}]}")));
    EXPECT_TRUE(has_drifted(object_of(head + "spec: {metrics: [" + cpu + "]}"), object_of(head + "spec: {metrics: [{type: Resource, resource: {name: memory}}]}")));
}

TEST(Masks, OfSecrets) { // 44
    Object before = object_of("{apiVersion: v1, kind: secret, metadata: {name: s}, data: {same: eA==, changed: b25l, gone: dHdv}}");
    Object after = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {same: eA==, changed: dHdv, added: b25l}}");
    mask_secrets(before, after);
    EXPECT_EQ(json(before, {"data"}), R"x({"same":"***","changed":"*** (before)","gone":"***"})x");
    EXPECT_EQ(json(after, {"data"}), R"x({"same":"***","changed":"*** (after)","added":"***"})x");
    Object odd = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: plain-text}"), none = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s}}");
    mask_secrets(odd, none);
    EXPECT_EQ(json(odd, {"data"}), R"("***")");
    Object map = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: s}, data: {a: b}}"), same = map;
    mask_secrets(map, same);
    EXPECT_EQ(json(map, {"data"}), R"({"a":"b"})");
}

TEST(Masks, OfDiffTexts) {
    const Object before = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, labels: {a: b}}, data: {changed: b25l, gone: dHdv}}");
    const Object after = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, labels: {a: c}}, data: {changed: dHdv, added: b25l}}");
    EXPECT_EQ(diff_text(&before, &after), "- metadata.labels.a: b\n+ metadata.labels.a: c\n- data.changed: *** (before)\n+ data.changed: *** (after)\n- data.gone: ***\n+ data.added: ***\n");
    for (const std::string& text : {diff_text(&before, nullptr), diff_text(nullptr, &after)})
        for (const char* value : {"b25l", "dHdv"}) EXPECT_THAT(text, Not(HasSubstr(value)));
    EXPECT_THAT(changed_paths(before, after), ElementsAre("metadata.labels.a", "data.changed", "data.gone", "data.added"));
}

// kubectl keeps the whole Secret in an annotation.
TEST(Masks, OfWhatKubectlLastApplied) {
    const Object secret = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\":{\"p\":\"b25l\"}}', "
                                    "a: b}}, data: {p: b25l}}");
    Object without = secret;
    without.root().find_mut("metadata")->erase("annotations");
    for (const std::string& text : {diff_text(&secret, nullptr), diff_text(nullptr, &secret), diff_text(&secret, &without), diff_text(&without, &secret)}) {
        EXPECT_THAT(text, Not(HasSubstr("b25l")));
        EXPECT_THAT(text, ::testing::ContainsRegex("kubectl.kubernetes.io/last-applied-configuration: .?[*][*][*]"));
        EXPECT_THAT(text, HasSubstr("a: b"));
    }
    Object before = secret, after = without;
    mask_secrets(before, after);
    EXPECT_THAT(kube::write_json(before.root()), Not(HasSubstr("b25l")));
}

// A variable from a Secret may stand in any object; the value that it had before is one, too.
TEST(Masks, OfSecretValuesAnywhere) {
    const Object before = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {url: 'https://u:rotated@h', same: 'x-planted', open: a}}");
    const Object after = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {a: \"p\\nplanted\"}}, data: {url: 'https://u:planted@h', same: 'x-planted', open: b, list: [planted, c]}}");
    const std::vector<std::string> values{"planted", "b"};
    EXPECT_EQ(diff_text(&before, &after, values), "+ metadata.annotations:\n+   a: '***'\n- data.url: '*** (before)'\n+ data.url: '*** (after)'\n- data.open: a\n+ data.open: b\n"
                                                  "+ data.list:\n+ - '***'\n+ - c\n");
    for (const std::string& text : {diff_text(&before, nullptr, values), diff_text(nullptr, &after, values), diff_text(&after, &before, values)}) EXPECT_THAT(text, Not(HasSubstr("planted")));
    Object b = before, a = after;
    mask_secrets(b, a, values);
    for (const Object* o : {&b, &a}) EXPECT_THAT(kube::write_json(o->root()), Not(::testing::ContainsRegex("planted|rotated")));
}

TEST(DiffText, ValuesOfSeveralLinesAreBlocks) {
    const Object before = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {f: \"a\\nb\\n\"}}");
    const Object after = object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {x: 'true'}}, data: {f: \"a\\nc\\n\"}}");
    EXPECT_EQ(diff_text(&before, &after), "+ metadata.labels:\n+   x: \"true\"\n- data.f: |\n-   a\n-   b\n+ data.f: |\n+   a\n+   c\n");
    EXPECT_EQ(diff_text(nullptr, &before), "+ apiVersion: v1\n+ kind: ConfigMap\n+ metadata:\n+   name: c\n+ data:\n+   f: |\n+     a\n+     b\n");
}

// ---- certificate bundles -----------------------------------------------------------------------------------------

constexpr std::string_view kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIUQ9M8GMu6CRzCfmaqj3ZpLoCCh0QwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHd2ViaG9vazAgFw0yNjExMjUwMzIxNDZaGA8yMTI2MTEwMTAz
MjE0NlowEjEQMA4GA1UEAwwHd2ViaG9vazBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABFWivIp3R4PBoZWPb0hPE0YHNsL4FPy7IkEWDBNal20b2X2oNy0SVuC5IpOZ
ZnKEvzcAHTUAk0tW186enUSkXVKjUzBRMB0GA1UdDgQWBBQuRQd5TbUI/zEvM1Q3
63eW1SnNizAfBgNVHSMEGDAWgBQuRQd5TbUI/zEvM1Q363eW1SnNizAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIB/6r7M3mWRhVvaOI0kZVf85zi6T
3j6Q0GAZBF1MMtubAiEApXCRFBkrcID6demB1WojeqotCp6E/O4GSSTDLhuaorg=
-----END CERTIFICATE-----
)";

TEST(CaBundle, InvalidOnesAreDropped) { // 39
    const auto with = [](const std::string& bundle) {
        return object_of("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: c}, spec: {conversion: {webhook: {clientConfig: {caBundle: " + bundle + "}}}}}");
    };
    const auto kept = [&](const Object& o) { return json(without_invalid_ca_bundle(o), {"spec", "conversion", "webhook", "clientConfig"}); };
    EXPECT_EQ(kept(with("not base64!")), "{}");
    EXPECT_EQ(kept(with(kube::base64_encode("no certificate"))), "{}");
    std::string broken(kCertificate);
    broken.erase(100, 64); // PEM, but no certificate in it
    EXPECT_EQ(kept(with(kube::base64_encode(broken))), "{}");
    const std::string good = kube::base64_encode(kCertificate);
    EXPECT_EQ(kept(with(good)), R"({"caBundle":")" + good + "\"}");
    EXPECT_EQ(kept(with("''")), R"({"caBundle":""})");
    const Object other = object_of("{apiVersion: example.org/v1, kind: CustomResourceDefinition, metadata: {name: c}, spec: {conversion: {webhook: {clientConfig: {caBundle: x}}}}}");
    EXPECT_EQ(without_invalid_ca_bundle(other), other);
}

// ---- inventory and texts -----------------------------------------------------------------------------------------

TEST(Inventory, IdentityRoundTrip) { // 63
    struct Case { kube::ObjectKey key; const char* id; };
    const Case cases[] = {
        {{"", "Namespace", "", "flux-system"}, "_flux-system__Namespace"},
        {{"apps", "Deployment", "apps", "podinfo"}, "apps_podinfo_apps_Deployment"},
        {{"rbac.authorization.k8s.io", "ClusterRole", "", "system:a:b"}, "_system__a__b_rbac.authorization.k8s.io_ClusterRole"},
        {{"", "ConfigMap", "ns", "n"}, "ns_n__ConfigMap"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(c.key.inventory_id(), c.id);
        const auto back = kube::ObjectKey::from_inventory_id(c.id);
        ASSERT_TRUE(back) << c.id;
        EXPECT_EQ(*back, c.key);
    }
    const auto bad = kube::ObjectKey::from_inventory_id("a_b_c");
    ASSERT_FALSE(bad.has_value());
    EXPECT_THAT(bad.error().message, HasSubstr("unable to parse stored object metadata: "));
    EXPECT_FALSE(read_inventory(object_of("inventory: {entries: [{id: a_b, v: v1}]}").root()).has_value());
}

TEST(Inventory, Stale) { // 64
    const auto entry = [](const char* group, const char* version, const char* kind, const char* name) { return InventoryEntry{{group, kind, "n", name}, version}; };
    const Inventory old{entry("", "v1", "ConfigMap", "kept"), entry("autoscaling", "v1", "HorizontalPodAutoscaler", "bumped"), entry("", "v1", "Secret", "gone"),
                        entry("apps", "v1", "Deployment", "gone"), entry("extensions", "v1beta1", "Ingress", "moved")};
    const Inventory now{entry("", "v1", "ConfigMap", "kept"), entry("autoscaling", "v2", "HorizontalPodAutoscaler", "bumped"), entry("networking.k8s.io", "v1", "Ingress", "moved")};
    Strings out;
    for (const InventoryEntry& e : stale(old, now)) out.push_back(e.version + " " + e.key.subject());
    EXPECT_THAT(out, ElementsAre("v1beta1 Ingress/n/moved", "v1 Deployment/n/gone", "v1 Secret/n/gone")); // delete order, versions of the old one
    EXPECT_THAT(stale(now, now), IsEmpty());
    EXPECT_EQ(kube::write_json(write_inventory({entry("", "v1", "ConfigMap", "kept")})), R"({"entries":[{"id":"n_kept__ConfigMap","v":"v1"}]})");
    EXPECT_EQ(kube::write_json(write_inventory({})), R"({"entries":[]})");
}

TEST(Changes, Texts) { // 66
    ChangeSet set;
    const auto add = [&](const char* name, Action action) { set.changes.push_back({.key = {"", "ConfigMap", "n", name}, .version = "v1", .action = action}); };
    add("a", Action::created);
    add("b", Action::unchanged);
    add("c", Action::skipped);
    EXPECT_EQ(set.changed_lines(), "ConfigMap/n/a created");
    add("d", Action::configured);
    set.changes.push_back({.key = {"", "Namespace", "", "e"}, .version = "v1", .action = Action::created});
    EXPECT_EQ(set.changed_lines(), "ConfigMap/n/a created\nConfigMap/n/d configured\nNamespace/e created");
    Strings words;
    for (const Action a : {Action::created, Action::configured, Action::unchanged, Action::skipped, Action::deleted, Action::unknown}) words.push_back(std::string(to_string(a)));
    EXPECT_THAT(words, ElementsAre("created", "configured", "unchanged", "skipped", "deleted", "unknown"));
    set.changes.clear();
    add("b", Action::unchanged);
    EXPECT_FALSE(set.any_change());
    EXPECT_EQ(set.changed_lines(), "");
}

} // namespace
} // namespace weber::gitops
