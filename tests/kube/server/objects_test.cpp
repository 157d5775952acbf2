// One object over HTTP: made, read, changed, applied, removed; paths and forms of answers.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

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
