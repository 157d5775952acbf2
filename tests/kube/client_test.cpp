// The dynamic client against both servers: the same requests, the same expectations.
#include "kube/client.h"

#include <gtest/gtest.h>

#include "kube/http_client.h"
#include "tests/kube/scripted_transport.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;

namespace {

const GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

class ClientOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
    }
    Object config_map(const std::string& name, const std::string& value = "1", const std::string& key = "k") const {
        return object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", namespace: " + ns + "}, data: {" + key + ": '" + value + "'}}");
    }
    ObjectRef ref(const std::string& name) const { return {.gvk = kConfigMap, .ns = ns, .name = name}; }
    static std::string value(const Object& o) {
        const Node* v = o.at({"data", "k"});
        return v ? std::string(v->text()) : "-";
    }
    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
};

TEST_P(ClientOn, CreateGetUpdatePatchRemove) {
    const auto made = client->create(config_map("a"), {.field_manager = "weber-test"});
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_TRUE(made->created);
    const auto twice = client->create(config_map("a"));
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, ErrorCode::already_exists);
    EXPECT_EQ(twice.error().http_status, 409);
    EXPECT_EQ(twice.error().object, "ConfigMap/" + ns + "/a");

    Object changed = made->object;
    changed.root().get_or_insert("data").set("k", Node::string("2"));
    const auto updated = client->update(changed);
    ASSERT_TRUE(updated) << updated.error().to_string();
    EXPECT_FALSE(updated->created);
    EXPECT_EQ(value(updated->object), "2");
    const auto stale = client->update(made->object);
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().code, ErrorCode::conflict);
    EXPECT_FALSE(is_field_conflict(stale.error()));

    const struct {
        PatchType type;
        const char* patch;
        const char* expected;
    } patches[] = {{PatchType::merge, "{data: {k: '3'}}", "3"},
                   {PatchType::strategic, "{data: {k: '4'}}", "4"},
                   {PatchType::json, "[{op: replace, path: /data/k, value: '5'}]", "5"}};
    for (const auto& p : patches) {
        const auto patched = client->patch(ref("a"), p.type, object_of(p.patch).root());
        ASSERT_TRUE(patched) << p.patch << patched.error().to_string();
        EXPECT_EQ(value(patched->object), p.expected);
    }
    const auto dry = client->patch(ref("a"), PatchType::merge, object_of("{data: {k: dry}}").root(), {.dry_run = true});
    ASSERT_TRUE(dry);
    EXPECT_EQ(value(dry->object), "dry");
    EXPECT_EQ(value(*client->get(ref("a"))), "5");

    const auto other_uid = client->remove(ref("a"), {.uid = "00000000-0000-0000-0000-000000000000"});
    ASSERT_FALSE(other_uid);
    EXPECT_EQ(other_uid.error().code, ErrorCode::conflict);
    EXPECT_TRUE(client->remove(ref("a"), {.dry_run = true}).value());
    EXPECT_TRUE(client->find(ref("a")).value());
    EXPECT_TRUE(client->remove(ref("a"), {.propagation = Propagation::background}).value());
    EXPECT_FALSE(client->find(ref("a")).value());
    const auto gone = client->get(ref("a"));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::not_found);
    EXPECT_EQ(gone.error().message, "configmaps \"a\" not found");
    EXPECT_EQ(client->remove(ref("a")).error().code, ErrorCode::not_found);

    const RequestCounts counts = client->counts();
    EXPECT_EQ(counts.create, 2u);
    EXPECT_EQ(counts.update, 2u);
    EXPECT_EQ(counts.patch, 3u);
    EXPECT_EQ(counts.remove, 3u);
    EXPECT_EQ(counts.dry_run, 2u);
    EXPECT_EQ(static_cast<int>(counts.writes()), faulty->writes());
}

TEST_P(ClientOn, AFinalizerKeepsAnObject) {
    Object held = config_map("held");
    held.metadata_mut().set("finalizers", Node::list({Node::string("example.org/hold")}));
    ASSERT_TRUE(client->create(held));
    const auto removed = client->remove(ref("held"));
    ASSERT_TRUE(removed) << removed.error().to_string();
    EXPECT_FALSE(*removed);
    EXPECT_TRUE(client->get(ref("held"))->deleting());
    ASSERT_TRUE(client->patch(ref("held"), PatchType::merge, object_of("{metadata: {finalizers: null}}").root()));
    EXPECT_FALSE(client->find(ref("held")).value());
}

TEST_P(ClientOn, ListsInPagesBySelectorAndMetadata) {
    for (int i = 0; i < 7; ++i) {
        Object o = config_map("c" + std::to_string(i));
        o.set_label("even", i % 2 == 0 ? "yes" : "no");
        ASSERT_TRUE(client->create(o));
    }
    const ListOptions mine{.ns = ns, .field_selector = "metadata.name!=kube-root-ca.crt", .limit = 3};
    faulty->reset_counts();
    const auto all = client->list(kConfigMap, mine);
    ASSERT_TRUE(all) << all.error().to_string();
    EXPECT_EQ(all->items.size(), 7u);
    EXPECT_FALSE(all->resource_version.empty());
    EXPECT_EQ(faulty->count("list"), 3);
    EXPECT_EQ(all->items[0].kind(), "ConfigMap");
    EXPECT_EQ(all->items[0].api_version(), "v1");
    std::size_t largest = 0, restarts = 0, sum = 0;
    ASSERT_TRUE(client->list_pages(kConfigMap, mine, [&](std::vector<Object> page, bool restart) {
        largest = std::max(largest, page.size());
        sum += page.size();
        restarts += restart;
    }));
    EXPECT_EQ(largest, 3u);
    EXPECT_EQ(sum, 7u);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(client->list(kConfigMap, {.ns = ns, .label_selector = "even=yes"})->items.size(), 4u);
    EXPECT_EQ(client->list(kConfigMap, {.ns = ns, .label_selector = "even notin (yes)", .field_selector = "metadata.name=c1"})->items.size(), 1u);
    const auto slim = client->list(kConfigMap, {.ns = ns, .field_selector = "metadata.name=c1", .metadata_only = true});
    ASSERT_EQ(slim->items.size(), 1u);
    EXPECT_EQ(slim->items[0].kind(), "ConfigMap");
    EXPECT_EQ(value(slim->items[0]), "-");
    EXPECT_EQ(slim->items[0].label("even"), "no");
    const auto one = client->get(ref("c1"), {.metadata_only = true});
    ASSERT_TRUE(one);
    EXPECT_EQ(one->kind(), "ConfigMap");
    EXPECT_EQ(value(*one), "-");
    EXPECT_GE(client->list({"", "", "Namespace"})->items.size(), 1u) << "the preferred version";
}

// By index; every error is reported and none stops the others.
TEST_P(ClientOn, AppliesInBulk) {
    std::vector<Object> objects;
    for (int i = 0; i < 50; ++i) objects.push_back(config_map("bulk" + std::to_string(i)));
    objects[7] = object_of("{apiVersion: x.io/v1, kind: Nothing, metadata: {name: a, namespace: " + ns + "}}");
    objects[20] = config_map("Not_A_Name");
    objects[33] = config_map("elsewhere");
    objects[33].set_ns(ns + "-missing");
    const auto dry = client->apply_all(objects, {.field_manager = "weber", .dry_run = true}, 8);
    EXPECT_FALSE(client->find(ref("bulk0")).value());
    const auto first = client->apply_all(objects, {.field_manager = "weber"}, 8);
    const auto second = client->apply_all(objects, {.field_manager = "weber"}, 8);
    ASSERT_EQ(first.size(), 50u);
    for (std::size_t i = 0; i < 50; ++i) {
        const bool bad = i == 7 || i == 20 || i == 33;
        EXPECT_EQ(first[i].has_value(), !bad) << i;
        EXPECT_EQ(dry[i].has_value(), !bad) << i;
        if (bad) continue;
        EXPECT_TRUE(first[i]->created);
        EXPECT_EQ(first[i]->object.name(), "bulk" + std::to_string(i));
        EXPECT_FALSE(second[i]->created);
        EXPECT_EQ(second[i]->object.resource_version(), first[i]->object.resource_version()) << "the same apply changes nothing";
    }
    EXPECT_EQ(first[7].error().message, "no matches for kind \"Nothing\" in version \"x.io/v1\"");
    EXPECT_EQ(first[20].error().code, ErrorCode::invalid);
    EXPECT_EQ(first[20].error().http_status, 422);
    ASSERT_FALSE(first[20].error().details.empty());
    EXPECT_EQ(first[20].error().details[0].field, "metadata.name");
    EXPECT_EQ(first[33].error().code, ErrorCode::not_found);
    EXPECT_EQ(first[33].error().object, "ConfigMap/" + ns + "-missing/elsewhere");
}

TEST_P(ClientOn, ConflictsNameManagersAndFields) {
    ASSERT_TRUE(client->apply(config_map("a", "1"), {.field_manager = "one"}));
    Object by_update = *client->get(ref("a"));
    by_update.root().get_or_insert("data").set("other", Node::string("x"));
    ASSERT_TRUE(client->update(by_update, {.field_manager = "two"}));
    Object wanted = config_map("a", "2");
    wanted.root().get_or_insert("data").set("other", Node::string("y"));
    const auto refused = client->apply(wanted, {.field_manager = "three"});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(is_field_conflict(refused.error()));
    auto conflicts = conflicts_of(refused.error());
    ASSERT_EQ(conflicts.size(), 2u);
    std::ranges::sort(conflicts, {}, &FieldConflict::manager);
    EXPECT_EQ(conflicts[0].manager, "one");
    EXPECT_EQ(conflicts[0].operation, "Apply");
    EXPECT_EQ(conflicts[0].field, ".data.k");
    EXPECT_EQ(conflicts[1].manager, "two");
    EXPECT_EQ(conflicts[1].operation, "Update");
    EXPECT_EQ(conflicts[1].version, "v1");
    EXPECT_EQ(conflicts[1].field, ".data.other");
    const auto forced = client->apply(wanted, {.field_manager = "three", .force = true});
    ASSERT_TRUE(forced) << forced.error().to_string();
    EXPECT_EQ(value(forced->object), "2");
}

TEST_P(ClientOn, StrictFieldValidation) {
    Object typo = object_of("{apiVersion: v1, kind: Service, metadata: {name: s, namespace: " + ns + "}, spec: {ports: [{port: 80}], typo: 1}}");
    const auto strict = client->apply(typo, {.field_manager = "weber", .field_validation = "Strict"});
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().code, ErrorCode::invalid);
    const auto create = client->create(typo, {.field_validation = "Warn"});
    ASSERT_TRUE(create) << create.error().to_string();
    EXPECT_EQ(create->warnings, std::vector<std::string>{"unknown field \"spec.typo\""});
}

TEST_P(ClientOn, RequestsThatCannotBeRight) {
    EXPECT_EQ(client->get({.gvk = kConfigMap, .ns = "", .name = "a"}).error().message, "an empty namespace may not be set when a resource name is provided");
    EXPECT_EQ(client->get({.gvk = kConfigMap, .ns = ns, .name = ""}).error().message, "resource name may not be empty");
    EXPECT_EQ(client->remove({.gvk = kConfigMap, .ns = ns, .name = "a/b"}).error().code, ErrorCode::invalid);
    EXPECT_EQ(client->get({.gvk = kConfigMap, .ns = ns, .name = ".."}).error().code, ErrorCode::invalid);
    Object homeless = config_map("a");
    homeless.metadata_mut().erase("namespace");
    EXPECT_EQ(client->create(homeless).error().message, "an empty namespace may not be set during creation");
    EXPECT_EQ(client->apply(homeless, {.field_manager = "m"}).error().http_status, 404);
    EXPECT_EQ(faulty->count("create"), 0);
    EXPECT_EQ(faulty->count("delete"), 0);
}

TEST_P(ClientOn, SubresourcesAndRawAnswers) {
    const Object deployment = object_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: " + ns +
                                        "}, spec: {replicas: 1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: "
                                        "c, image: i}]}}}}");
    ASSERT_TRUE(client->apply(deployment, {.field_manager = "weber"}));
    const ObjectRef d = ref_of(deployment);
    const auto scaled = client->patch(d, PatchType::merge, object_of("{spec: {replicas: 3}}").root(), {.subresource = "scale"});
    ASSERT_TRUE(scaled) << scaled.error().to_string();
    EXPECT_EQ(scaled->object.kind(), "Scale");
    EXPECT_EQ(client->get(d)->at({"spec", "replicas"})->as_int(), 3);
    EXPECT_EQ(client->get_raw("/healthz")->text(), "ok");
    EXPECT_TRUE(client->get_raw("/version")->contains("gitVersion"));
    EXPECT_EQ(client->get_raw("/nowhere").error().http_status, 404);
}

TEST_P(ClientOn, ByAnOldKindsPreferredVersion) {
    ASSERT_TRUE(client->create(config_map("a")));
    EXPECT_TRUE(client->get({.gvk = {"", "", "ConfigMap"}, .ns = ns, .name = "a"}));
    EXPECT_EQ(client->get({.gvk = {"x.io", "", "Foo"}, .ns = ns, .name = "a"}).error().message, "no matches for kind \"Foo\" in group \"x.io\"");
}

TEST_P(ClientOn, CancelledAndLateCalls) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_TRUE(client->discovery().find(kConfigMap));
    EXPECT_EQ(client->get(ref("a"), {}, {.stop = stop.get_token()}).error().code, ErrorCode::cancelled);
    faulty->fail({.kind = FaultKind::stall, .verb = "get", .nth = 1});
    EXPECT_EQ(client->get(ref("a"), {}, {.timeout = milliseconds(5)}).error().code, ErrorCode::timeout);
}

// A lost answer of an apply: the object is there, and applying it again is no change.
TEST_P(ClientOn, AnApplyWhoseAnswerWasLost) {
    faulty->fail({.kind = FaultKind::cut, .verb = "apply", .nth = 1, .after = true});
    EXPECT_EQ(client->apply(config_map("a"), {.field_manager = "weber"}).error().code, ErrorCode::unavailable);
    const auto again = client->apply(config_map("a"), {.field_manager = "weber"});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->created);
}

TEST_P(ClientOn, ActsAsSomebodyElse) {
    TestCluster with_users;
    ServerOptions options;
    options.authorization = ServerOptions::Authorization::rbac;
    if (const std::string why = with_users.use(GetParam(), options); !why.empty()) GTEST_SKIP() << why;
    ClientConfig config = with_users.config();
    config.impersonate = {.user = "jane", .groups = {"dev", "system:authenticated"}};
    const auto jane = *Client::connect(config);
    const auto review = jane->create(object_of("{apiVersion: authentication.k8s.io/v1, kind: SelfSubjectReview, metadata: {name: x}}"));
    ASSERT_TRUE(review) << review.error().to_string();
    EXPECT_EQ(review->object.at({"status", "userInfo", "username"})->text(), "jane");
    EXPECT_EQ(review->object.at({"status", "userInfo", "groups"})->size(), 2u);
    const auto forbidden = jane->get({.gvk = {"", "v1", "Secret"}, .ns = "default", .name = "a"});
    ASSERT_FALSE(forbidden);
    EXPECT_EQ(forbidden.error().code, ErrorCode::forbidden);
    EXPECT_NE(forbidden.error().message.find("User \"jane\" cannot get resource \"secrets\""), std::string::npos) << forbidden.error().message;
    if (!cluster.is_real()) return; // the embedded server has neither uids nor extras of users
    config.impersonate.uid = "7";
    config.impersonate.extra = {{"example.org/reason", {"test"}}};
    const auto more = (*Client::connect(config))->create(object_of("{apiVersion: authentication.k8s.io/v1, kind: SelfSubjectReview, metadata: {name: x}}"));
    ASSERT_TRUE(more) << more.error().to_string();
    EXPECT_EQ(more->object.at({"status", "userInfo", "uid"})->text(), "7");
    EXPECT_EQ(more->object.at({"status", "userInfo", "extra", "example.org/reason"})->items()[0].text(), "test");
}

INSTANTIATE_TEST_SUITE_P(Clusters, ClientOn, ::testing::ValuesIn(kBothClusters), cluster_name);

TEST(Errors, OfAnswers) {
    const auto error = [](int status, const std::string& body, std::vector<HttpHeader> headers = {}) {
        return error_of_response({.status = status, .headers = std::move(headers), .body = body});
    };
    EXPECT_EQ(error(502, "<html>bad gateway\nmore").message, "HTTP status 502: <html>bad gateway");
    EXPECT_EQ(error(502, "").code, ErrorCode::unavailable);
    EXPECT_EQ(error(404, "404 page not found\n").message, "the server could not find the requested resource");
    EXPECT_TRUE(is_unknown_address(error(404, "404 page not found\n")));
    EXPECT_FALSE(is_unknown_address(error(404, status_answer(404, "NotFound", "pods \\\"a\\\" not found").body)));
    EXPECT_EQ(error(429, "", {{"Retry-After", "7"}}).retry_after_seconds, 7);
    EXPECT_EQ(error(429, R"({"kind":"Status","code":429,"reason":"TooManyRequests","message":"m","details":{"retryAfterSeconds":3}})").retry_after_seconds, 3);
    EXPECT_EQ(error(401, "").code, ErrorCode::unauthorized);
    EXPECT_EQ(error(409, status_answer(409, "AlreadyExists").body).code, ErrorCode::already_exists);
    EXPECT_EQ(error(410, status_answer(410, "Expired").body).code, ErrorCode::gone);
    EXPECT_EQ(error(413, "").code, ErrorCode::too_large);
    EXPECT_EQ(error(504, "").code, ErrorCode::timeout);
}

TEST(Errors, OfOddAnswers) {
    const auto error = [](int status, const std::string& body, const std::string& retry_after = {}) {
        return error_of_response({.status = status, .headers = {{"Retry-After", retry_after}}, .body = body});
    };
    EXPECT_EQ(error(503, R"({"kind":"Status","code":503,"mess)").message, R"(HTTP status 503: {"kind":"Status","code":503,"mess)");
    EXPECT_EQ(error(500, R"({"kind":"Status",)").code, ErrorCode::unavailable);
    EXPECT_EQ(error(409, "[]").code, ErrorCode::conflict);
    EXPECT_EQ(error(403, R"({"kind":"Status","code":"x","message":["no"],"details":[]})").code, ErrorCode::forbidden);
    EXPECT_EQ(error(302, "").code, ErrorCode::unavailable) << "a redirect is some other server's answer";
    const struct {
        const char* text;
        double low, high;
    } waits[] = {{"0", 0, 0}, {"5", 5, 5}, {"-5", 0, 0}, {"inf", 0, 0}, {"nan", 0, 0}, {"0x10", 0, 0}, {"soon", 0, 0}, {"99999999999999999999", 1e9, 1e9}, {"Fri, 31 Dec 9999 23:59:59 GMT", 1e9, 1e12}};
    for (const auto& c : waits) {
        const double seconds = error(429, "", c.text).retry_after_seconds;
        EXPECT_TRUE(seconds >= c.low && seconds <= c.high) << c.text << ": " << seconds;
    }
    const auto in_status = [&](const std::string& value) { return error(429, R"({"kind":"Status","code":429,"details":{"retryAfterSeconds":)" + value + "}}").retry_after_seconds; };
    EXPECT_EQ(in_status("3"), 3);
    EXPECT_EQ(in_status("-3"), 0);
    EXPECT_EQ(in_status("1e300"), 1e9);
    EXPECT_EQ(in_status("\"3\""), 0);
}

// A proxy's page in place of an object says nothing of the request.
TEST(Errors, AnswersThatAreNoObjects) {
    std::string body;
    Client client(std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        return r.target.find("configmaps") == std::string::npos ? small_discovery(r) : HttpResponse{.status = 200, .body = body};
    }));
    for (const char* text : {"<html>log in</html>", "", R"({"kind":"ConfigMap","meta)", "[]", "null", "3"}) {
        body = text;
        EXPECT_EQ(client.get({.gvk = kConfigMap, .ns = "n", .name = "a"}).error().code, ErrorCode::unavailable) << text;
        EXPECT_EQ(client.list(kConfigMap).error().code, ErrorCode::unavailable) << text;
        EXPECT_EQ(client.apply(object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: n}}"), {.field_manager = "m"}).error().code, ErrorCode::unavailable) << text;
    }
}

// The 410 of an expired token holds a token that would go on with other objects; what is wanted is one state, so the list begins anew.
TEST(Lists, ExpiredAndRepeatedTokens) {
    bool same = false;
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (r.target.find("configmaps") == std::string::npos) return small_discovery(r);
        if (r.target.find("continue=t") != std::string::npos && !same)
            return json_answer(410, R"({"kind":"Status","metadata":{"continue":"fresh"},"status":"Failure","message":"The provided continue parameter is too old","reason":"Expired","code":410})");
        const bool whole = r.target.find("limit=") == std::string::npos;
        return json_answer(200, R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"9","continue":")" + std::string(whole ? "" : "t") + R"("},"items":[{"metadata":{"name":"a"}}]})");
    });
    Client client(transport);
    const auto all = client.list(kConfigMap, {.ns = "n", .resource_version = "5", .limit = 1});
    ASSERT_TRUE(all) << all.error().to_string();
    EXPECT_EQ(all->items.size(), 1u);
    EXPECT_EQ(transport->seen().back().target, "/api/v1/namespaces/n/configmaps?resourceVersion=5");
    same = true;
    EXPECT_EQ(client.list(kConfigMap, {.ns = "n", .limit = 1}).error().code, ErrorCode::unavailable) << "not without end";
}

TEST(Errors, ConflictTexts) {
    Error e{.code = ErrorCode::conflict, .message = "m"};
    e.http_status = 409;
    e.details = {{"FieldManagerConflict", "conflict with \"kubectl\"", ".a"},
                 {"FieldManagerConflict", "conflict with \"ku\\\"be\" with subresource \"scale\" using apps/v1", ".b"},
                 {"FieldManagerConflict", "conflict with \"x\" using v1 at 2026-01-02T03:04:05Z", ".c"},
                 {"FieldValueInvalid", "no conflict", ".d"}};
    const auto c = conflicts_of(e);
    ASSERT_EQ(c.size(), 3u);
    EXPECT_EQ(c[0].manager + "/" + c[0].operation + "/" + c[0].field, "kubectl/Apply/.a");
    EXPECT_EQ(c[1].manager + "/" + c[1].operation + "/" + c[1].version + "/" + c[1].subresource, "ku\"be/Update/apps/v1/scale");
    EXPECT_EQ(c[2].version, "v1");
}

} // namespace
