// Definitions of custom kinds: served, established, found, taken along; warnings of what is stored and not run.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "kube/base/json.h"
#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

bool established(const Reply& r) { return r.body.find("\"type\":\"Established\",\"status\":\"True\"") != std::string::npos; }

// As kube-apiserver: the stream tells of the objects' end, then ends itself.
TEST(ServerDefinitions, TakeWatchesAlongWhenTheyGo) {
    const TestServer s;
    ASSERT_EQ(s->post(kCrds, kFoos).status, 201);
    s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
    ASSERT_EQ(s->post(kFooPath, "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {name: n}}").status, 201);
    WatchReader w(s.api(), kFooPath + "?watch=true");
    ASSERT_EQ(w.next_text(), "ADDED f");
    ASSERT_EQ(s->remove(kCrds + "/foos.x.io").status, 200);
    EXPECT_EQ(w.next_text(), "DELETED f");
    EXPECT_TRUE(w.ended());
}

TEST(ServerDefinitions, ServeTheirObjects) {
    const TestServer s;
    EXPECT_EQ(s->get(kFooPath).status, 404);
    ASSERT_EQ(s->post(kCrds, kFoos).status, 201);
    s->wait(kCrds + "/foos.x.io", established);
    s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
    const Reply made = s->post(kFooPath, "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {name: n, unknown: 1}, status: {ready: true}}");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.at("spec.size"), "3") << "default";
    EXPECT_EQ(made.at("spec.unknown"), "") << "pruned";
    EXPECT_EQ(made.at("status"), "") << "belongs to the subresource";
    EXPECT_EQ(made.at("metadata.generation"), "1");
    EXPECT_EQ(s->patch(kFooPath + "/f/status", "merge", "{status: {ready: true}}").at("status.ready"), "true");
    EXPECT_EQ(s->patch(kFooPath + "/f", "merge", "{spec: {size: 10}}").status, 422);
    EXPECT_EQ(s->patch(kFooPath + "/f", "merge", "{spec: {name: null}}").message(), "Foo.x.io \"f\" is invalid: spec.name: Required value");
    const Reply table = s->send({.path = kFooPath, .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"});
    EXPECT_EQ(table.at("columnDefinitions.1.name"), "Size");
    EXPECT_EQ(table.at("rows.0.cells.1"), "3");
}

// Nobody sees one without the other, however closely he looks.
TEST(ServerDefinitions, AreEstablishedWhenTheirObjectsAreServed) {
    const TestServer s;
    for (int i = 0; i < 60; ++i) {
        const std::string n = std::to_string(i), definition = kCrds + "/foos" + n + ".y.io", objects = "/apis/y.io/v1/foos" + n;
        ASSERT_EQ(s->post(kCrds, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos" + n +
                                     ".y.io}, spec: {group: y.io, scope: Cluster, names: {kind: Foo" + n + ", plural: foos" + n +
                                     "}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}").status, 201);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        const auto until = [&](const std::string& path, const std::function<bool(const Reply&)>& done) { // as fast as it can, unlike Api::wait
            while (!done(s->get(path)) && std::chrono::steady_clock::now() < deadline) {}
        };
        const auto served = [](const Reply& r) { return r.status == 200; };
        if (i % 2 == 0) {
            until(objects, served);
            EXPECT_TRUE(established(s->get(definition))) << i;
        } else {
            until(definition, established);
            EXPECT_EQ(s->get(objects).status, 200) << i;
        }
    }
}

TEST(ServerDefinitions, SayThatRulesInCelAreSkipped) {
    const TestServer s;
    std::string crd = kFoos;
    crd.replace(crd.find("required: [name]"), 0, "x-kubernetes-validations: [{rule: 'self.size > 1'}], ");
    const Reply r = s->post(kCrds, crd);
    EXPECT_EQ(r.status, 201) << r.body;
    ASSERT_EQ(r.warnings.size(), 1U);
    EXPECT_NE(r.warnings[0].find("does not evaluate"), std::string::npos);
}

TEST(ServerDefinitions, MergeListsByTheirKeys) {
    const TestServer s;
    s->post(kCrds, kFoos);
    s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
    s->apply(kFooPath + "/f", "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {name: n, items: [{k: a, v: '1'}]}}", "one");
    const Reply r = s->apply(kFooPath + "/f", "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {items: [{k: b, v: '2'}]}}", "two");
    EXPECT_EQ(r.node("spec.items")->size(), 2U) << r.body;
}

TEST(ServerDefinitions, AppearInDiscovery) {
    const TestServer s;
    s->post(kCrds, kFoos);
    s->wait("/apis/x.io/v1", [](const Reply& r) { return r.status == 200; });
    EXPECT_EQ(s->get("/apis/x.io/v1").at("resources.0.shortNames"), "[\"fo\"]");
    const Reply groups =
        s->send({.path = "/apis", .accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"});
    EXPECT_EQ(groups.at("kind"), "APIGroupDiscoveryList");
    EXPECT_NE(groups.body.find("\"responseKind\":{\"group\":\"x.io\",\"version\":\"v1\",\"kind\":\"Foo\"}"), std::string::npos);
    EXPECT_NE(s->get("/openapi/v3").body.find("apis/x.io/v1"), std::string::npos);
    EXPECT_NE(s->get("/openapi/v3/apis/x.io/v1").body.find("io.x.v1.Foo"), std::string::npos);
    EXPECT_NE(s->get("/openapi/v2").body.find("io.x.v1.Foo"), std::string::npos);
    EXPECT_NE(groups.body.find(R"("verbs":["delete","deletecollection","get","list","patch","create","update","watch"])"), std::string::npos);
}

// Read by `kubectl explain` and by editors.
TEST(ServerDefinitions, SayInOpenApiWhatAllObjectsHave) {
    const TestServer s;
    s->post(kCrds, R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: boxes.x.io}, spec: {group: x.io, scope: Cluster,
      names: {kind: Box, plural: boxes}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {parts: {type: array,
      items: {type: object, x-kubernetes-embedded-resource: true, required: [kind, spec], properties: {spec: {type: object}}}}}}}}]}})");
    s->wait("/apis/x.io/v1", [](const Reply& r) { return r.status == 200; });
    const Reply doc = s->get("/openapi/v3/apis/x.io/v1");
    const Node* box = doc.json.find_path({"components", "schemas", "io.x.v1.Box", "properties"});
    ASSERT_TRUE(box) << doc.body;
    EXPECT_TRUE(box->find_path({"apiVersion", "description"})->text().starts_with("APIVersion defines the versioned schema"));
    EXPECT_TRUE(box->find_path({"kind", "description"})->text().starts_with("Kind is a string value"));
    EXPECT_TRUE(box->find_path({"metadata", "description"})->text().starts_with("Standard object's metadata."));
    const Node* part = box->find_path({"parts", "items"});
    ASSERT_TRUE(part) << doc.body;
    EXPECT_EQ(kube::write_json(*part->find("required")), R"(["kind","apiVersion","spec"])");
    for (const auto field : {"apiVersion", "kind", "metadata", "spec"}) EXPECT_TRUE(part->find_path({"properties", field})) << field;
}

TEST(ServerDefinitions, TakeTheirObjectsAlong) {
    const TestServer s;
    s->post(kCrds, kFoos);
    s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
    s->post(kFooPath, "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f, finalizers: [x.io/f]}, spec: {name: n}}");
    s->remove(kCrds + "/foos.x.io");
    s->wait(kFooPath + "/f", [](const Reply& r) { return !r.at("metadata.deletionTimestamp").empty(); });
    EXPECT_EQ(s->get(kCrds + "/foos.x.io").status, 200);
    s->patch(kFooPath + "/f", "merge", "{metadata: {finalizers: null}}");
    s->wait(kCrds + "/foos.x.io", gone);
    s->wait(kFooPath, gone);
}

TEST(ServerWarnings, TellOfRulesOfDefinitionsThatAreNotEvaluated) {
    const TestServer s;
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const auto definition = [](const std::string& schema) {
        return "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.x.io}, spec: {group: x.io, scope: Namespaced, names: {kind: Foo, "
               "plural: foos}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {l: "
               "{type: array, items: " + schema + "}}}}}}}]}}";
    };
    const std::string rules = definition("{type: object, x-kubernetes-validations: [{rule: 'true'}]}");
    const std::vector<std::string> said{"299 - \"version v1 has x-kubernetes-validations, which the embedded API server does not evaluate\""};
    EXPECT_EQ(s->post(definitions + "?dryRun=All", definition("{type: object}")).warnings, std::vector<std::string>());
    EXPECT_EQ(s->post(definitions, rules).warnings, said);
    EXPECT_EQ(s->patch(definitions + "/foos.x.io", "merge", "{metadata: {labels: {a: b}}}").warnings, said);
    EXPECT_EQ(s->apply(definitions + "/foos.x.io?force=true", rules).warnings, said);
}

TEST(ServerWarnings, TellOfAdmissionThatIsNotAsked) {
    const TestServer s;
    const std::string group = "/apis/admissionregistration.k8s.io/v1/";
    const std::vector<std::string> webhooks{"299 - \"the embedded API server calls no admission webhooks\""};
    EXPECT_EQ(s->post(group + "validatingwebhookconfigurations", "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}}").warnings,
              webhooks);
    EXPECT_EQ(s->apply(group + "mutatingwebhookconfigurations/w", "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: w}}").warnings,
              webhooks);
    const Reply policy = s->post(group + "validatingadmissionpolicybindings", "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: p}, "
                                 "spec: {policyName: x, validationActions: [Deny]}}");
    EXPECT_EQ(policy.warnings, std::vector<std::string>{"299 - \"the embedded API server evaluates no admission policies\""}) << policy.body;
}

} // namespace
} // namespace weber::testing
