// The embedded server through its HTTP front: objects, lists, watches, deletion, namespaces, definitions, and its state on disk.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>

#include "kube/base/json.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {
namespace {

const std::string kMaps = "/api/v1/namespaces/default/configmaps";

std::string config_map(const std::string& name, const std::string& more = "") {
    return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + more + "}, data: {k: v}}";
}

std::string deployment(const std::string& name, int replicas = 2) {
    return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + "}, spec: {replicas: " + std::to_string(replicas) +
           ", selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}";
}

const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";

std::vector<std::string> names(const Reply& list) {
    std::vector<std::string> out;
    for (const Node& item : list.node("items")->items()) out.emplace_back(item.find_path({"metadata", "name"})->text());
    return out;
}

bool gone(const Reply& r) { return r.status == 404; }

// ---- one object -------------------------------------------------------------------------------------------------------------

TEST(ServerObjects, AreMadeReadChangedAndRemoved) {
    const TestServer s;
    const Reply made = s->post(kMaps, config_map("a"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.at("metadata.namespace"), "default");
    EXPECT_FALSE(made.at("metadata.uid").empty());
    EXPECT_EQ(s->get(kMaps + "/a").at("data.k"), "v");

    const Reply put = s->put(kMaps + "/a", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: w}}");
    EXPECT_EQ(put.status, 200);
    EXPECT_EQ(put.at("data.k"), "w");
    EXPECT_NE(put.at("metadata.resourceVersion"), made.at("metadata.resourceVersion"));
    EXPECT_EQ(s->patch(kMaps + "/a", "merge", "{data: {k: x}}").at("data.k"), "x");

    const Reply removed = s->remove(kMaps + "/a");
    EXPECT_EQ(removed.status, 200);
    EXPECT_EQ(removed.at("status"), "Success");
    EXPECT_EQ(removed.at("details.uid"), made.at("metadata.uid"));
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
    EXPECT_EQ(s->get(kMaps + "/a").message(), "configmaps \"a\" not found");
}

TEST(ServerObjects, GetANameFromGenerateName) {
    const TestServer s;
    const std::string body = "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-}}";
    const Reply one = s->post(kMaps, body), two = s->post(kMaps, body);
    EXPECT_EQ(one.at("metadata.name").size(), 7U);
    EXPECT_TRUE(one.at("metadata.name").starts_with("x-"));
    EXPECT_NE(one.at("metadata.name"), two.at("metadata.name"));
}

TEST(ServerObjects, AreNotChangedByAWriterWhoReadAnOlderVersion) {
    const TestServer s;
    const std::string rv = s->post(kMaps, config_map("a")).at("metadata.resourceVersion");
    const std::string body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: \"" + rv + "\"}, data: {k: w}}";
    EXPECT_EQ(s->put(kMaps + "/a", body).status, 200);
    const Reply late = s->put(kMaps + "/a", body);
    EXPECT_EQ(late.status, 409);
    EXPECT_EQ(late.at("reason"), "Conflict");
}

TEST(ServerObjects, KeepTheirVersionWhenAWriteChangesNothing) {
    const TestServer s;
    const Reply made = s->apply(kMaps + "/a", config_map("a"));
    const Reply again = s->apply(kMaps + "/a", config_map("a"));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.at("metadata.resourceVersion"), made.at("metadata.resourceVersion"));
}

TEST(ServerObjects, AreNotTouchedByADryRun) {
    const TestServer s;
    const Reply made = s->apply(kMaps + "/a?dryRun=All", config_map("a"));
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.at("metadata.resourceVersion"), "");
    EXPECT_FALSE(made.at("metadata.uid").empty());
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
}

TEST(ServerObjects, OfCommonKindsAreStableUnderDryRunApply) {
    const TestServer s;
    for (const auto& [collection, object] : std::initializer_list<std::pair<std::string, std::string>>{
             {kDeployments, deployment("x")},
             {"/api/v1/namespaces/default/services", "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {selector: {a: b}, ports: [{port: 80}]}}"},
             {"/apis/batch/v1/namespaces/default/cronjobs",
              "{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: "
              "{restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: 0.5}}}]}}}}}}"},
             {"/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
              "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x}, spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}}"},
         }) {
        const Reply made = s->apply(collection + "/x", object);
        ASSERT_EQ(made.status, 201) << made.body;
        const Reply dry = s->apply(collection + "/x?dryRun=All&force=true", object);
        EXPECT_EQ(dry.json, made.json) << collection;
    }
}

TEST(ServerObjects, RefuseUnknownFieldsWhenAskedTo) {
    const TestServer s;
    const std::string body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dat: {k: v}}";
    EXPECT_EQ(s->post(kMaps + "?fieldValidation=Strict", body).status, 400);
    EXPECT_TRUE(s->post(kMaps + "?fieldValidation=Ignore&dryRun=All", body).warnings.empty());
    EXPECT_EQ(s->post(kMaps, body).warnings.size(), 1U);
}

// ---- apply ------------------------------------------------------------------------------------------------------------------

TEST(ServerApply, ConflictsWithAnotherManagerUnlessForced) {
    const TestServer s;
    s->apply(kMaps + "/a", config_map("a"), "flux");
    const std::string other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: w}}";
    const Reply refused = s->apply(kMaps + "/a", other, "kubectl");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.message(), "Apply failed with 1 conflict: conflict with \"flux\": .data.k");
    EXPECT_EQ(refused.at("details.causes.0.reason"), "FieldManagerConflict");
    EXPECT_EQ(s->apply(kMaps + "/a?force=true", other, "kubectl").at("data.k"), "w");
}

TEST(ServerApply, RemovesWhatItsManagerNoLongerNames) {
    const TestServer s;
    s->apply(kMaps + "/a", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v, j: w}}");
    s->patch(kMaps + "/a?fieldManager=other", "merge", "{data: {mine: 'yes'}}");
    const Reply r = s->apply(kMaps + "/a", config_map("a"));
    EXPECT_EQ(r.at("data.j"), "");
    EXPECT_EQ(r.at("data.k"), "v");
    EXPECT_EQ(r.at("data.mine"), "yes");
}

// ---- lists ------------------------------------------------------------------------------------------------------------------

TEST(ServerLists, ComeInPages) {
    const TestServer s;
    for (int i = 0; i < 7; ++i) ASSERT_EQ(s->post(kMaps, config_map("m" + std::to_string(i), ", labels: {t: x}")).status, 201);
    std::vector<std::string> all;
    std::string token;
    int pages = 0;
    do {
        const Reply page = s->get(kMaps + "?limit=3&labelSelector=t%3Dx" + (token.empty() ? "" : "&continue=" + token));
        ASSERT_EQ(page.status, 200) << page.body;
        for (auto& n : names(page)) all.push_back(n);
        token = page.at("metadata.continue");
        ++pages;
    } while (!token.empty() && pages < 10);
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(all, (std::vector<std::string>{"m0", "m1", "m2", "m3", "m4", "m5", "m6"}));
    EXPECT_EQ(s->get("/api/v1/configmaps?limit=3").at("metadata.remainingItemCount"), "8") << "seven of ours, kube-root-ca.crt of four namespaces";
}

TEST(ServerLists, AreFilteredByLabelsAndFields) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: \"1\", u: x}"));
    s->post(kMaps, config_map("b", ", labels: {t: \"2\"}"));
    const auto list = [&](const std::string& query) { return names(s->get(kMaps + "?" + query)); };
    using Names = std::vector<std::string>;
    EXPECT_EQ(list("labelSelector=t%3D1"), Names{"a"});
    EXPECT_EQ(list("labelSelector=t%20in%20(1,2)"), (Names{"a", "b"}));
    EXPECT_EQ(list("labelSelector=t,!u"), Names{"b"});
    EXPECT_EQ(list("fieldSelector=metadata.name%3Db"), Names{"b"});
    EXPECT_EQ(s->get(kMaps + "?fieldSelector=data.k%3Dv").status, 400);
}

TEST(ServerLists, ShowTablesAndMetadata) {
    const TestServer s;
    s->post(kDeployments, deployment("d"));
    const Reply table = s->send({.path = kDeployments, .accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"});
    EXPECT_EQ(table.at("kind"), "Table");
    EXPECT_EQ(table.at("columnDefinitions.0.name"), "Name");
    EXPECT_EQ(table.at("rows.0.cells.0"), "d");
    const Reply meta = s->send({.path = kDeployments + "/d", .accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"});
    EXPECT_EQ(meta.at("kind"), "PartialObjectMetadata");
    EXPECT_EQ(meta.node("spec"), nullptr);
    const Reply yaml = s->send({.path = kDeployments + "/d", .accept = "application/yaml"});
    EXPECT_TRUE(yaml.body.starts_with("apiVersion: apps/v1\nkind: Deployment\n")) << yaml.body.substr(0, 80);
}

// ---- watches ----------------------------------------------------------------------------------------------------------------

TEST(ServerWatch, ResumesFromAResourceVersion) {
    const TestServer s;
    s->post(kMaps, config_map("before"));
    const std::string rv = s->get(kMaps).at("metadata.resourceVersion");
    s->post(kMaps, config_map("a"));
    s->patch(kMaps + "/a", "merge", "{data: {k: w}}");
    s->remove(kMaps + "/a");
    WatchReader w(s.api(), kMaps + "?watch=true&resourceVersion=" + rv);
    EXPECT_EQ(w.next_text(), "ADDED a");
    EXPECT_EQ(w.next_text(), "MODIFIED a");
    EXPECT_EQ(w.next_text(), "DELETED a");
    s->post(kMaps, config_map("later"));
    EXPECT_EQ(w.next_text(), "ADDED later");
}

TEST(ServerWatch, SendsInitialEventsAndABookmark) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: x}"));
    WatchReader w(s.api(), kMaps + "?watch=true&labelSelector=t&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
    EXPECT_EQ(w.next_text(), "ADDED a");
    const Node bookmark = w.next();
    EXPECT_EQ(bookmark.text_at("type"), "BOOKMARK");
    EXPECT_EQ(bookmark.find_path({"object", "metadata", "annotations", "k8s.io/initial-events-end"})->text(), "true");
}

TEST(ServerWatch, ReportsObjectsThatStartAndStopToMatch) {
    const TestServer s;
    WatchReader w(s.api(), kMaps + "?watch=true&labelSelector=t%3Dx&resourceVersion=" + s->get(kMaps).at("metadata.resourceVersion"));
    s->post(kMaps, config_map("a"));
    s->patch(kMaps + "/a", "merge", "{metadata: {labels: {t: x}}}");
    s->patch(kMaps + "/a", "merge", "{metadata: {labels: {t: y}}}");
    EXPECT_EQ(w.next_text(), "ADDED a");
    EXPECT_EQ(w.next_text(), "DELETED a");
}

TEST(ServerWatch, SaysThatAVersionIsTooOld) {
    const TestServer s;
    s->post(kMaps, config_map("a"));
    for (int i = 0; i < 4200; ++i) ASSERT_EQ(s->patch(kMaps + "/a", "merge", "{data: {k: v" + std::to_string(i) + "}}").status, 200);
    WatchReader w(s.api(), kMaps + "?watch=true&resourceVersion=1");
    const Node event = w.next();
    EXPECT_EQ(event.text_at("type"), "ERROR");
    EXPECT_EQ(event.find("object")->text_at("reason"), "Expired");
    EXPECT_EQ(event.find("object")->find("code")->as_int(), 410);
    EXPECT_TRUE(w.ended());
}

TEST(ServerWatch, EndsAfterItsTime) {
    const TestServer s;
    WatchReader w(s.api(), kMaps + "?watch=true&timeoutSeconds=1&resourceVersion=" + s->get(kMaps).at("metadata.resourceVersion"));
    EXPECT_TRUE(w.ended());
}

// ---- what is not done is said -------------------------------------------------------------------------------------------------

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

// ---- deletion, owners, namespaces -----------------------------------------------------------------------------------------------

TEST(ServerDeletion, WaitsForFinalizers) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", finalizers: [x.io/f]"));
    const Reply pending = s->remove(kMaps + "/a");
    EXPECT_EQ(pending.at("kind"), "ConfigMap");
    EXPECT_FALSE(pending.at("metadata.deletionTimestamp").empty());
    EXPECT_EQ(s->patch(kMaps + "/a", "merge", "{metadata: {finalizers: [x.io/f, x.io/g]}}").status, 422);
    EXPECT_EQ(s->patch(kMaps + "/a", "merge", "{metadata: {finalizers: null}}").status, 200);
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
}

TEST(ServerDeletion, ChecksPreconditions) {
    const TestServer s;
    const Reply made = s->post(kMaps, config_map("a"));
    EXPECT_EQ(s->remove(kMaps + "/a", "{kind: DeleteOptions, apiVersion: v1, preconditions: {uid: other}}").status, 409);
    EXPECT_EQ(s->remove(kMaps + "/a", "{kind: DeleteOptions, apiVersion: v1, preconditions: {uid: " + made.at("metadata.uid") + "}}").status, 200);
}

TEST(ServerDeletion, OfAnOwnerTakesItsDependentsAlong) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    const std::string owned = ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid + "}]";
    s->post(kMaps, config_map("child", owned));
    s->post(kMaps, config_map("other"));
    s->remove(kMaps + "/owner");
    s->wait(kMaps + "/child", gone);
    EXPECT_EQ(s->get(kMaps + "/other").status, 200);
}

TEST(ServerDeletion, CanOrphanDependents) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    s->post(kMaps, config_map("child", ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid + "}]"));
    s->remove(kMaps + "/owner", "{kind: DeleteOptions, apiVersion: v1, propagationPolicy: Orphan}");
    s->wait(kMaps + "/owner", gone);
    EXPECT_EQ(s->get(kMaps + "/child").node("metadata.ownerReferences"), nullptr);
}

TEST(ServerDeletion, InTheForegroundWaitsForBlockingDependents) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    s->post(kMaps, config_map("child", ", finalizers: [x.io/f], ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid +
                                           ", blockOwnerDeletion: true}]"));
    s->remove(kMaps + "/owner", "{kind: DeleteOptions, apiVersion: v1, propagationPolicy: Foreground}");
    s->wait(kMaps + "/child", [](const Reply& r) { return !r.at("metadata.deletionTimestamp").empty(); });
    EXPECT_EQ(s->get(kMaps + "/owner").status, 200);
    s->patch(kMaps + "/child", "merge", "{metadata: {finalizers: null}}");
    s->wait(kMaps + "/owner", gone);
}

TEST(ServerDeletion, OfACollectionHonoursSelectors) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: x}"));
    s->post(kMaps, config_map("b"));
    EXPECT_EQ(s->remove(kMaps + "?labelSelector=t").status, 200);
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
    EXPECT_EQ(s->get(kMaps + "/b").status, 200);
}

TEST(ServerNamespaces, TerminateWithTheirContents) {
    const TestServer s;
    ASSERT_EQ(s->post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: n}}").status, 201);
    s->wait("/api/v1/namespaces/n/serviceaccounts/default", [](const Reply& r) { return r.status == 200; });
    const std::string maps = "/api/v1/namespaces/n/configmaps";
    s->post(maps, config_map("held", ", finalizers: [x.io/f]"));
    s->post(maps, config_map("free"));
    const Reply going = s->remove("/api/v1/namespaces/n");
    EXPECT_EQ(going.at("status.phase"), "Terminating");
    const Reply refused = s->post(maps, config_map("new"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.at("details.causes.0.reason"), "NamespaceTerminating");
    s->wait(maps + "/free", gone);
    EXPECT_EQ(s->get("/api/v1/namespaces/n").status, 200);
    s->patch(maps + "/held", "merge", "{metadata: {finalizers: null}}");
    s->wait("/api/v1/namespaces/n", gone);
    EXPECT_EQ(s->post(maps, config_map("new")).message(), "namespaces \"n\" not found");
}

TEST(ServerNamespaces, GetBackWhatEachOfThemHas) {
    const TestServer s;
    for (const std::string path : {"/api/v1/namespaces/default/serviceaccounts/default", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"}) {
        const std::string uid = s->wait(path, [](const Reply& r) { return r.status == 200; }).at("metadata.uid");
        EXPECT_EQ(s->remove(path).status, 200) << path;
        s->wait(path, [&](const Reply& r) { return r.status == 200 && r.at("metadata.uid") != uid; });
    }
}

// ---- definitions ----------------------------------------------------------------------------------------------------------------

const char* const kFoos = R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.x.io}, spec: {group: x.io,
  scope: Namespaced, names: {kind: Foo, plural: foos, shortNames: [fo]}, versions: [{name: v1, served: true, storage: true, subresources: {status: {}},
  additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}],
  schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, required: [name], properties: {name: {type: string},
  size: {type: integer, default: 3, maximum: 9}, items: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k],
  items: {type: object, required: [k], properties: {k: {type: string}, v: {type: string}}}}}}, status: {type: object, properties: {ready: {type: boolean}}}}}}}]}})";
const std::string kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kFooPath = "/apis/x.io/v1/namespaces/default/foos";

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

// ---- simulation -------------------------------------------------------------------------------------------------------------------

kube::ServerOptions simulated() {
    kube::ServerOptions o;
    o.simulate = true;
    o.fail = {"Deployment/default/bad", "Job/default/bad"};
    return o;
}

TEST(ServerSimulation, RollsWorkloadsOut) {
    const TestServer s(simulated());
    s->post(kDeployments, deployment("d", 3));
    s->wait(kDeployments + "/d", [](const Reply& r) { return r.at("status.availableReplicas") == "3" && r.at("status.observedGeneration") == "1"; });
    s->patch(kDeployments + "/d", "merge", "{spec: {replicas: 5}}");
    s->wait(kDeployments + "/d", [](const Reply& r) { return r.at("status.availableReplicas") == "5" && r.at("status.observedGeneration") == "2"; });
    const std::string tail = "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}";
    s->post("/apis/apps/v1/namespaces/default/statefulsets", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, " + tail);
    s->post("/apis/apps/v1/namespaces/default/daemonsets", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x}, " + tail);
    s->wait("/apis/apps/v1/namespaces/default/statefulsets/x", [](const Reply& r) { return r.at("status.readyReplicas") == "1"; });
    s->wait("/apis/apps/v1/namespaces/default/daemonsets/x", [](const Reply& r) { return r.at("status.numberAvailable") == "1"; });
}

TEST(ServerSimulation, CompletesJobsAndBindsClaims) {
    const TestServer s(simulated());
    const auto job = [](const std::string& name) {
        return "{apiVersion: batch/v1, kind: Job, metadata: {name: " + name +
               "}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}";
    };
    s->post("/apis/batch/v1/namespaces/default/jobs", job("j"));
    s->wait("/apis/batch/v1/namespaces/default/jobs/j", [](const Reply& r) { return r.at("status.succeeded") == "1"; });
    s->post("/apis/batch/v1/namespaces/default/jobs", job("bad"));
    s->wait("/apis/batch/v1/namespaces/default/jobs/bad",
            [](const Reply& r) { return r.body.find("\"type\":\"Failed\",\"status\":\"True\"") != std::string::npos; });
    s->post("/api/v1/namespaces/default/persistentvolumeclaims",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
    s->wait("/api/v1/namespaces/default/persistentvolumeclaims/p", [](const Reply& r) { return r.at("status.phase") == "Bound"; });
}

TEST(ServerSimulation, LeavesAWorkloadUnhealthyThatIsToldToFail) {
    const TestServer s(simulated());
    s->post(kDeployments, deployment("bad"));
    const Reply r = s->wait(kDeployments + "/bad", [](const Reply& x) { return x.body.find("ProgressDeadlineExceeded") != std::string::npos; });
    EXPECT_EQ(r.at("status.availableReplicas"), "");
    s->post(kDeployments, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: later, annotations: {weber.dev/simulate: fail}}, spec: {selector: "
                          "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}");
    s->wait(kDeployments + "/later", [](const Reply& x) { return x.body.find("ProgressDeadlineExceeded") != std::string::npos; });
}

// What the reference fleet waits for: the condition of 1Password's operator.
TEST(ServerSimulation, OnePasswordItemsGetTheirCondition) {
    const TestServer s(simulated());
    s->post(kCrds, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: onepassworditems.onepassword.com}, spec: {group: onepassword.com, names: "
                   "{kind: OnePasswordItem, listKind: OnePasswordItemList, plural: onepassworditems, singular: onepassworditem}, scope: Namespaced, versions: [{name: v1, served: true, "
                   "storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}");
    const std::string items = "/apis/onepassword.com/v1/namespaces/default/onepassworditems";
    s->wait(items, [](const Reply& r) { return r.status == 200; });
    s->post(items, "{apiVersion: onepassword.com/v1, kind: OnePasswordItem, metadata: {name: good}}");
    s->post(items, "{apiVersion: onepassword.com/v1, kind: OnePasswordItem, metadata: {name: odd, annotations: {weber.dev/simulate: fail}}}");
    const auto condition = [&](const std::string& name) {
        const Reply r = s->wait(items + "/" + name, [](const Reply& x) { return x.body.find("lastTransitionTime") != std::string::npos; });
        return r.at("status.conditions.0.type") + "=" + r.at("status.conditions.0.status");
    };
    EXPECT_EQ(condition("good"), "Ready=True");
    EXPECT_EQ(condition("odd"), "Ready=False");
}

// ---- state, access ----------------------------------------------------------------------------------------------------------------

TEST(ServerState, IsThereAgainAfterAStop) {
    const ScratchDir dir;
    kube::ServerOptions o = TestServer::quiet();
    o.data_dir = dir.path() + "/state";
    std::string rv, uid;
    {
        const TestServer s(o);
        s->post(kCrds, kFoos);
        s->wait(kFooPath, [](const Reply& r) { return r.status == 200; });
        s->post(kFooPath, "{apiVersion: x.io/v1, kind: Foo, metadata: {name: f}, spec: {name: n}}");
        const Reply made = s->post(kMaps, config_map("a"));
        uid = made.at("metadata.uid");
        s->post(kMaps, config_map("removed"));
        s->remove(kMaps + "/removed");
        rv = s->get(kMaps).at("metadata.resourceVersion");
    }
    const TestServer s(o);
    EXPECT_EQ(s->get(kMaps + "/a").at("metadata.uid"), uid);
    EXPECT_EQ(s->get(kMaps + "/removed").status, 404);
    EXPECT_EQ(s->get(kFooPath + "/f").at("spec.name"), "n");
    EXPECT_GE(std::stoull(s->get(kMaps).at("metadata.resourceVersion")), std::stoull(rv)) << "versions never go back";
    EXPECT_EQ(std::filesystem::status(o.data_dir).permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST(ServerState, BelongsToOneServerAtATime) {
    const ScratchDir dir;
    kube::ServerOptions o = TestServer::quiet();
    o.data_dir = dir.path();
    const TestServer first(o);
    o.unix_path = dir.path() + "/second.sock";
    const auto second = kube::Server::start(o);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
}

kube::ClientConfig client_of(const kube::Server& server, const std::string& token) {
    kube::ClientConfig config{.server = server.url(), .unix_socket = {}, .proxy_url = "direct"};
    config.tls.ca = server.ca_certificate();
    if (!token.empty()) config.credentials = kube::static_credentials({.authorization = kube::SecretText("Bearer " + token), .certificate = {}, .key = {}});
    return config;
}

TEST(ServerAccess, IsByTlsAndToken) {
    const auto server = kube::Server::start(TestServer::quiet());
    ASSERT_TRUE(server) << server.error().to_string();
    EXPECT_TRUE((*server)->url().starts_with("https://127.0.0.1:"));
    EXPECT_EQ(Api(client_of(**server, (*server)->token())).get(kMaps).status, 200);
    EXPECT_EQ(Api(client_of(**server, "wrong")).get(kMaps).status, 401);
    for (const std::string& path : {kMaps, std::string("/version"), std::string("/readyz")}) EXPECT_EQ(Api(client_of(**server, "")).get(path).status, 401) << path; // as kube-apiserver with AlwaysAllow
    auto parsed = kube::parse_kubeconfig((*server)->kubeconfig(), "test");
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    EXPECT_EQ(Api(*parsed).get(kMaps).status, 200);
}

TEST(ServerAccess, OfNobodyIsLittleWithRoles) {
    kube::ServerOptions o = TestServer::quiet();
    o.authorization = kube::ServerOptions::Authorization::rbac;
    const auto server = kube::Server::start(o);
    ASSERT_TRUE(server) << server.error().to_string();
    const Api nobody(client_of(**server, ""));
    EXPECT_EQ(nobody.get(kMaps).message(), R"(configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default")");
    EXPECT_EQ(nobody.send({.path = kMaps, .as = "admin"}).status, 403);
    EXPECT_EQ(nobody.get("/version").status, 200);
    EXPECT_EQ(Api(client_of(**server, "wrong")).get("/version").status, 401);
    EXPECT_EQ(nobody.get("/readyz").body, "ok");
}

TEST(ServerAccess, IsForThisMachineOnly) {
    kube::ServerOptions o = TestServer::quiet();
    o.address = "0.0.0.0";
    const auto server = kube::Server::start(o);
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().message.find("not a loopback address"), std::string::npos);
}

TEST(ServerAnswers, AreIndentedForPeople) {
    const TestServer s;
    const std::string path = "/api/v1/namespaces/nope";
    const std::string compact = s->get(path).body;
    EXPECT_EQ(compact.find('\n'), compact.size() - 1);
    const std::string indented = R"({
  "kind": "Status",
  "apiVersion": "v1",
  "metadata": {},
  "status": "Failure",
  "message": "namespaces \"nope\" not found",
  "reason": "NotFound",
  "details": {
    "name": "nope",
    "kind": "namespaces"
  },
  "code": 404
})";
    EXPECT_EQ(s->get(path + "?pretty=true").body, indented);
    for (const auto agent : {"curl/8.0", "Wget/1.2", "Mozilla/5.0 (X11)"}) {
        EXPECT_EQ(s->send({.path = path, .user_agent = agent}).body, indented) << agent;
        EXPECT_EQ(s->send({.path = path + "?pretty=false", .user_agent = agent}).body, compact) << agent;
    }
    EXPECT_EQ(s->get("/api/v1/namespaces/default/configmaps?pretty=1&labelSelector=a").body.find("{\n  \"kind\": \"ConfigMapList\""), 0u);
    EXPECT_TRUE(s->send({.path = path, .accept = "application/yaml"}).body.starts_with("apiVersion: v1\ncode: 404\n"));
}

// What the server answers to these bytes before it closes the connection.
std::string answer_to(const kube::Server& server, std::string_view request) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", server.unix_path().c_str());
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string answer, piece(4096, '\0');
    for (ssize_t n = 0; (n = ::recv(fd, piece.data(), piece.size(), 0)) > 0;) answer.append(piece, 0, static_cast<std::size_t>(n));
    ::close(fd);
    return answer;
}

TEST(ServerPaths, AreNotAskedForWithoutAHost) {
    TestServer s;
    const std::string refused = answer_to(s.server(), "GET /healthz HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 400 ")) << refused;
    EXPECT_TRUE(refused.ends_with("\r\n\r\n400 Bad Request: missing required Host header")) << refused;
    EXPECT_TRUE(answer_to(s.server(), "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("\r\n\r\nok"));
    EXPECT_TRUE(answer_to(s.server(), "GET /healthz HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nok")); // has none
}

TEST(ServerPaths, TellVersionHealthAndDiscovery) {
    const TestServer s;
    for (const auto path : {"/healthz", "/livez", "/readyz"}) EXPECT_EQ(s->get(path).body, "ok") << path;
    EXPECT_EQ(s->get("/version").at("minor"), "36");
    EXPECT_EQ(s->get("/api").at("versions.0"), "v1");
    EXPECT_EQ(s->get("/api/v1").at("kind"), "APIResourceList");
    EXPECT_EQ(s->get("/apis").at("kind"), "APIGroupList");
    EXPECT_EQ(s->get("/apis/apps").at("preferredVersion.version"), "v1");
    EXPECT_EQ(s->get("/api/v1/namespaces/default/pods/p/log").status, 404);
    EXPECT_EQ(s->post("/api/v1/namespaces/default/pods", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}").status, 201);
    EXPECT_EQ(s->get("/api/v1/namespaces/default/pods/p/log").status, 400);
    EXPECT_EQ(s->get("/api/v1/namespaces/default/pods/p?resourceVersion=99999999").status, 504);
    EXPECT_EQ(s->get("/nonsense").status, 404);
}

} // namespace
} // namespace weber::testing
