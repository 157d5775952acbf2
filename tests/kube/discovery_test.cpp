// Discovery and OpenAPI: what is asked, when, and how often; on servers and with a scripted one.
#include "kube/discovery.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>
#include <fstream>
#include <sys/stat.h>

#include "kube/openapi.h"
#include "tests/kube/scripted_transport.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

const GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

std::vector<std::string> targets(const ScriptedTransport& t) {
    std::vector<std::string> out;
    for (const HttpRequest& r : t.seen()) out.push_back(r.target);
    return out;
}
using Targets = std::vector<std::string>;

TEST(Discovery, IsReadWithTheFirstQuestionOnly) {
    auto transport = std::make_shared<ScriptedTransport>([](const HttpRequest& r, int) { return small_discovery(r); });
    Discovery discovery(transport, {.miss_interval = hours(1)});
    EXPECT_TRUE(transport->seen().empty());
    const auto found = discovery.find(kConfigMap);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(found->path("ns", "a b"), "/api/v1/namespaces/ns/configmaps/a%20b");
    EXPECT_TRUE(found->can("watch"));
    EXPECT_FALSE(found->can("create"));
    EXPECT_TRUE(discovery.preferred({"", "ConfigMap"}));
    EXPECT_EQ(targets(*transport), (Targets{"/api", "/apis"}));
}

TEST(Discovery, AMissLeadsToOneQuestion) {
    bool defined = false;
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (defined && r.target == "/apis/x.io/v1")
            return json_answer(200, R"({"kind":"APIResourceList","groupVersion":"x.io/v1","resources":[{"name":"foos","singularName":"foo","namespaced":true,"kind":)"
                                    R"("Foo","verbs":["get"]},{"name":"foos/status","namespaced":true,"kind":"Foo","verbs":["get"]}]})");
        if (defined && r.target == "/apis/x.io")
            return json_answer(200, R"({"kind":"APIGroup","name":"x.io","versions":[{"groupVersion":"x.io/v2","version":"v2"},{"groupVersion":"x.io/v1",)"
                                    R"("version":"v1"}],"preferredVersion":{"groupVersion":"x.io/v1","version":"v1"}})");
        return small_discovery(r);
    });
    Discovery once(transport, {.miss_interval = hours(1)});
    for (int i = 0; i < 3; ++i) {
        const auto missing = once.find({"x.io", "v1", "Foo"});
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code, ErrorCode::not_found);
        EXPECT_EQ(missing.error().message, "no matches for kind \"Foo\" in version \"x.io/v1\"");
    }
    EXPECT_EQ(targets(*transport), (Targets{"/api", "/apis", "/apis/x.io/v1"}));
    EXPECT_EQ(once.preferred({"x.io", "Foo"}).error().message, "no matches for kind \"Foo\" in group \"x.io\"");

    Discovery eager(transport, {.miss_interval = milliseconds(0)});
    EXPECT_FALSE(eager.find({"x.io", "v1", "Foo"}));
    defined = true;
    const auto found = eager.find({"x.io", "v1", "Foo"});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->has_subresource("status"));
    Discovery by_kind(transport, {.miss_interval = milliseconds(0)});
    const auto preferred = by_kind.preferred({"x.io", "Foo"});
    ASSERT_TRUE(preferred) << preferred.error().to_string();
    EXPECT_EQ(preferred->version, "v1");
}

TEST(Discovery, OlderServersWithoutAggregation) {
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (r.target == "/api") return json_answer(200, R"({"kind":"APIVersions","versions":["v1"]})");
        if (r.target == "/apis")
            return json_answer(200, R"({"kind":"APIGroupList","groups":[{"name":"down.io","versions":[{"version":"v1"}],"preferredVersion":{"version":"v1"}},)"
                                    R"({"name":"apps","versions":[{"version":"v1"}],"preferredVersion":{"version":"v1"}}]})");
        if (r.target == "/api/v1") return json_answer(200, R"({"resources":[{"name":"nodes","namespaced":false,"kind":"Node","verbs":["get"]}]})");
        if (r.target == "/apis/apps/v1") return json_answer(200, R"({"resources":[{"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["get"]}]})");
        return status_answer(503, "ServiceUnavailable");
    });
    Discovery discovery(transport);
    EXPECT_TRUE(discovery.find({"", "v1", "Node"}));
    EXPECT_FALSE(discovery.find({"", "v1", "Node"})->namespaced);
    EXPECT_TRUE(discovery.find({"apps", "v1", "Deployment"})) << "an API service that is down hides no other";
    const auto down = discovery.find({"down.io", "v1", "X"});
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, ErrorCode::unavailable) << "not \"no such kind\": nobody knows";
}

// apidiscovery.k8s.io v2 and v2beta1 differ by name alone; a version that the aggregator could not read is read when it is asked for.
TEST(Discovery, AggregatedDocuments) {
    for (const std::string version : {"v2", "v2beta1"}) {
        auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
            const std::string head = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/)" + version + "\",";
            if (r.target == "/api") return json_answer(200, head + R"("items":null})");
            if (r.target == "/apis")
                return json_answer(200, head + R"("items":[{"metadata":{"name":"x.io"},"versions":[{"version":"v2","freshness":"Current","resources":[{"resource":"foos","responseKind":{"group":"","version":"",)"
                                               R"("kind":"Foo"},"scope":"Namespaced","singularResource":"foo","verbs":["get"],"subresources":[{"subresource":"status","responseKind":{"group":"","version":"",)"
                                               R"("kind":"Foo"},"verbs":["get"]}]},{"resource":"virtual","scope":"Cluster","subresources":[{"subresource":"run","verbs":["create"]}]}]},)"
                                               R"({"version":"v1","freshness":"Stale"}]},{"metadata":{"name":"empty.io"}}]})");
            if (r.target == "/apis/x.io/v1") return json_answer(200, R"({"resources":[{"name":"foos","namespaced":false,"kind":"Foo","verbs":["list"]}]})");
            return status_answer(404, "NotFound");
        });
        Discovery discovery(transport);
        const auto foo = discovery.preferred({"x.io", "Foo"});
        ASSERT_TRUE(foo) << version << foo.error().to_string();
        EXPECT_EQ(foo->path("n", "a"), "/apis/x.io/v2/namespaces/n/foos/a");
        EXPECT_TRUE(foo->has_subresource("status"));
        EXPECT_EQ(transport->seen().size(), 2u);
        const std::string accept = transport->seen()[0].headers[0].value;
        EXPECT_LT(accept.find("v=v2;"), accept.find("v=v2beta1;")) << "the newer one is preferred";
        EXPECT_TRUE(accept.ends_with(",application/json")) << "and any is taken";
        const auto stale = discovery.find({"x.io", "v1", "Foo"});
        ASSERT_TRUE(stale) << stale.error().to_string();
        EXPECT_TRUE(stale->can("list"));
        EXPECT_EQ(transport->seen().size(), 3u);
    }
}

TEST(Discovery, ErrorsAreNotKept) {
    auto transport = std::make_shared<ScriptedTransport>(
        [](const HttpRequest& r, int n) { return n == 1 ? Result<HttpResponse>(status_answer(503, "ServiceUnavailable")) : small_discovery(r); });
    Discovery discovery(transport);
    EXPECT_FALSE(discovery.find(kConfigMap));
    EXPECT_TRUE(discovery.find(kConfigMap));
}

// A server that hangs holds up whoever asked it, not those behind who are stopped; and not for longer than the call allows.
TEST(Discovery, WaitersCanBeStopped) {
    std::atomic<bool> asked{false}, go_on{false};
    milliseconds given{0};
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) {
        given = r.timeout;
        asked = true;
        asked.notify_all();
        go_on.wait(false);
        return small_discovery(r);
    });
    Client client(transport);
    std::jthread first([&] { EXPECT_EQ(client.get({.gvk = {"x.io", "v1", "Foo"}, .ns = "n", .name = "a"}, {}, {.timeout = milliseconds(1234)}).error().code, ErrorCode::not_found); });
    asked.wait(false);
    EXPECT_EQ(given, milliseconds(1234));
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(client.discovery().find(kConfigMap, stop.get_token()).error().code, ErrorCode::cancelled);
    EXPECT_EQ(client.get({.gvk = kConfigMap, .ns = "n", .name = "a"}, {}, {.timeout = milliseconds(30)}).error().code, ErrorCode::timeout) << "waiting counts";
    go_on = true;
    go_on.notify_all();
}

TEST(Discovery, AGoneAddressIsForgotten) {
    bool gone = false;
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (r.target.find("configmaps") != std::string::npos && gone) return HttpResponse{.status = 404, .body = "404 page not found\n"};
        if (r.target.find("configmaps") != std::string::npos) return status_answer(404, "NotFound", "configmaps \\\"a\\\" not found");
        return small_discovery(r);
    });
    Client client(transport);
    EXPECT_FALSE(client.get({.gvk = kConfigMap, .ns = "ns", .name = "a"}));
    EXPECT_FALSE(client.get({.gvk = kConfigMap, .ns = "ns", .name = "a"}));
    EXPECT_EQ(transport->seen().size(), 4u);
    gone = true;
    const auto lost = client.get({.gvk = kConfigMap, .ns = "ns", .name = "a"});
    EXPECT_EQ(lost.error().message, "the server could not find the requested resource");
    EXPECT_EQ(client.get({.gvk = kConfigMap, .ns = "ns", .name = "a"}).error().message, "no matches for kind \"ConfigMap\" in version \"v1\"");
    EXPECT_EQ(targets(*transport).back(), "/api/v1");
}

// ---- the disk -------------------------------------------------------------------------------------------------

struct Documents {
    Documents() : transport(std::make_shared<ScriptedTransport>([this](const HttpRequest& r, int) { return answer(r); })) {}
    Result<HttpResponse> answer(const HttpRequest& r) {
        for (const HttpHeader& h : r.headers)
            if (h.name == "If-None-Match" && h.value == etag) return HttpResponse{.status = 304};
        if (status != 200) return status_answer(status, "Reason");
        return HttpResponse{.status = 200, .headers = {{"ETag", etag}}, .body = body};
    }
    std::string get(DocumentCache::Freshness freshness = DocumentCache::Freshness::recent) {
        DocumentCache cache(transport, {.dir = dir.path() + "/deep/cache", .max_age = minutes(10)}, clock); // as a new process
        const auto out = cache.get("/apis", "application/json", freshness);
        return !out ? out.error().message : *out ? **out : "404";
    }
    int asked() const { return static_cast<int>(transport->seen().size()); }

    TempDir dir;
    ManualClock clock;
    std::string etag = "\"1\"", body = "first";
    int status = 200;
    std::shared_ptr<ScriptedTransport> transport;
};

TEST(DocumentCache, RecentIsNotAskedForOlderByETag) {
    Documents d;
    EXPECT_EQ(d.get(), "first");
    EXPECT_EQ(d.get(), "first");
    EXPECT_EQ(d.asked(), 1);
    EXPECT_EQ(d.get(DocumentCache::Freshness::asked), "first");
    EXPECT_EQ(d.asked(), 2);
    d.clock.advance(minutes(9));
    EXPECT_EQ(d.get(), "first") << "the 304 counted as fresh";
    EXPECT_EQ(d.asked(), 2);
    d.clock.advance(minutes(2));
    d.body = "second", d.etag = "\"2\"";
    EXPECT_EQ(d.get(DocumentCache::Freshness::immutable), "first");
    EXPECT_EQ(d.get(), "second");
    EXPECT_EQ(d.asked(), 3);
    EXPECT_EQ(d.get(), "second");
    EXPECT_EQ(d.asked(), 3);
}

TEST(DocumentCache, ErrorsAndAbsenceAreNotKept) {
    Documents d;
    d.status = 503;
    EXPECT_NE(d.get(), "first");
    d.status = 404;
    EXPECT_EQ(d.get(), "404");
    d.status = 200;
    EXPECT_EQ(d.get(), "first");
}

TEST(DocumentCache, DamagedFilesAreAsIfAbsent) {
    Documents d;
    EXPECT_EQ(d.get(), "first");
    std::string file;
    for (const auto& f : std::filesystem::directory_iterator(d.dir.path() + "/deep/cache")) file = f.path();
    struct stat st{};
    ASSERT_EQ(stat((d.dir.path() + "/deep/cache").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700u);
    std::ofstream(file, std::ios::app) << "more";
    EXPECT_EQ(d.get(), "first");
    EXPECT_EQ(d.asked(), 2);
    std::ofstream(file, std::ios::trunc) << "{";
    EXPECT_EQ(d.get(), "first");
    EXPECT_EQ(d.asked(), 3);
    std::filesystem::remove_all(d.dir.path() + "/deep");
    std::ofstream(d.dir.path() + "/deep") << "a file in the way";
    EXPECT_EQ(d.get(), "first") << "a disk that cannot be written is no error";
}

TEST(DocumentCache, FoldersOfServersAreApart) {
    const auto dir = [](const std::string& server, const std::string& ca) {
        ClientConfig c{.server = server, .unix_socket = {}, .proxy_url = {}};
        c.tls.ca = ca;
        return document_cache_dir(c, "/c");
    };
    EXPECT_TRUE(dir("https://a.io:6443", "x").starts_with("/c/a.io_6443-"));
    EXPECT_NE(dir("https://a.io:6443", "x"), dir("https://a.io:6443", "y"));
    EXPECT_NE(dir("https://a.io:6443", "x"), dir("https://a.io:6444", "x"));
    EXPECT_EQ(document_cache_dir(unix_socket_config("/s"), "/c"), "");
}

// ---- on servers -----------------------------------------------------------------------------------------------

class DiscoveryOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        std::random_device random;
        group = "g" + std::to_string(random()) + ".example.org";
    }
    void TearDown() override {
        if (defined) (void)cluster.client().remove({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "foos." + group});
    }
    void define() {
        defined = true;
        const Object crd = object_of("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos." + group + "}, spec: {group: " +
                                     group + ", scope: Cluster, names: {kind: Foo, plural: foos, singular: foo, listKind: FooList}, versions: [{name: v1, served: "
                                             "true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: "
                                             "object, properties: {size: {type: integer}}}}}}}]}}");
        const auto made = cluster.client().create(crd);
        ASSERT_TRUE(made) << made.error().to_string();
    }
    // Asks again until it is there; false after a minute.
    template <class F>
    static bool eventually(F ask) {
        const auto deadline = std::chrono::steady_clock::now() + minutes(1);
        while (std::chrono::steady_clock::now() < deadline) {
            if (ask()) return true;
            std::this_thread::sleep_for(milliseconds(20)); // nothing announces that a CRD's schema is published
        }
        return false;
    }
    TestCluster cluster;
    std::shared_ptr<FaultyTransport> faulty;
    std::string group;
    bool defined = false;
};

TEST_P(DiscoveryOn, BuiltInKinds) {
    Discovery discovery(faulty);
    for (const GroupVersionKind& gvk : {GroupVersionKind{"", "v1", "Secret"}, {"apps", "v1", "Deployment"}, {"networking.k8s.io", "v1", "Ingress"}}) {
        const auto found = discovery.find(gvk);
        ASSERT_TRUE(found) << found.error().to_string();
        EXPECT_TRUE(found->namespaced);
        EXPECT_TRUE(found->can("patch"));
    }
    EXPECT_TRUE(discovery.find({"apps", "v1", "Deployment"})->has_subresource("scale"));
    EXPECT_EQ(discovery.preferred({"rbac.authorization.k8s.io", "ClusterRole"})->path(""), "/apis/rbac.authorization.k8s.io/v1/clusterroles");
    EXPECT_EQ(faulty->count("other"), 2) << "aggregated: /api and /apis";
    const auto all = discovery.all();
    ASSERT_TRUE(all);
    EXPECT_GT(all->size(), 40u);
}

TEST_P(DiscoveryOn, AKindThatIsDefinedLaterAndAgainUndefined) {
    Client client(faulty);
    const GroupVersionKind foo{group, "v1", "Foo"};
    EXPECT_EQ(client.discovery().find(foo).error().message, "no matches for kind \"Foo\" in version \"" + group + "/v1\"");
    define();
    ASSERT_TRUE(eventually([&] { return client.discovery().find(foo).has_value(); }));
    EXPECT_FALSE(client.discovery().find(foo)->namespaced);
    EXPECT_TRUE(client.discovery().find(foo)->has_subresource("status"));
    EXPECT_TRUE(client.discovery().preferred({group, "Foo"}));
    const int asked = faulty->count("other");
    EXPECT_TRUE(client.discovery().find(foo));
    EXPECT_EQ(faulty->count("other"), asked);
    ASSERT_TRUE(cluster.client().remove({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "foos." + group}));
    EXPECT_TRUE(eventually([&] {
        const auto gone = client.list(foo);
        return !gone && gone.error().message.starts_with("no matches for kind");
    }));
}

TEST_P(DiscoveryOn, TheDiskSavesTheQuestions) {
    TempDir dir;
    const DiscoveryOptions options{.cache = {.dir = dir.path()}};
    ASSERT_TRUE(Discovery(faulty, options).find(kConfigMap));
    EXPECT_EQ(faulty->count("other"), 2);
    Discovery second(faulty, options);
    ASSERT_TRUE(second.find(kConfigMap));
    EXPECT_EQ(faulty->count("other"), 2);
    define();
    ASSERT_TRUE(eventually([&] { return second.find({group, "v1", "Foo"}).has_value(); }));
    const int before = faulty->count("other");
    Discovery third(faulty, options);
    ASSERT_TRUE(third.find({group, "v1", "Foo"}));
    EXPECT_LE(faulty->count("other") - before, 3) << "both documents anew, and the group version while they lag";
}

TEST_P(DiscoveryOn, SchemasAreFetchedWhenAskedForAndKeptOnDisk) {
    TempDir dir;
    const DiscoveryOptions options{.miss_interval = milliseconds(0), .cache = {.dir = dir.path()}};
    OpenApi first(faulty, options);
    EXPECT_EQ(faulty->count("other"), 0);
    const auto schema = first.schema({"apps", "v1", "Deployment"});
    ASSERT_TRUE(schema) << schema.error().to_string();
    EXPECT_TRUE(schema->find_path({"properties", "spec"}));
    EXPECT_TRUE(first.schema({"apps", "v1", "StatefulSet"}));
    EXPECT_EQ(faulty->count("other"), 2) << "the index and the document of apps/v1";
    OpenApi second(faulty, options);
    ASSERT_TRUE(second.schema({"apps", "v1", "Deployment"}));
    EXPECT_EQ(faulty->count("other"), 3) << "the index";

    EXPECT_EQ(second.schema({group, "v1", "Foo"}).error().code, ErrorCode::not_found);
    EXPECT_EQ(second.document({group, "v1"}).error().message, "no OpenAPI document for " + group + "/v1");
    define();
    ASSERT_TRUE(eventually([&] { return second.schema({group, "v1", "Foo"}).has_value(); }));
    const auto foo = second.schema({group, "v1", "Foo"});
    EXPECT_EQ(foo->find_path({"properties", "spec", "properties", "size", "type"})->text(), "integer");
}

INSTANTIATE_TEST_SUITE_P(Clusters, DiscoveryOn, ::testing::ValuesIn(kBothClusters), cluster_name);

} // namespace
