// Statuses read from servers (`readiness.md` 3), and the hook for other readers.
#include "kube/status_reader.h"

#include <gtest/gtest.h>

#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;

namespace {

// Says Failed with the object's data.k, or an error without it.
struct DataReader : StatusReader {
    bool supports(const GroupKind& kind) const override { return kind == GroupKind{"", "ConfigMap"}; }
    Result<Status> compute(const Object& o, SystemTime) const override {
        const Node* value = o.at({"data", "k"});
        if (!value) return fail(ErrorCode::invalid, "no such key: k");
        return Status{.code = StatusCode::failed, .message = std::string(value->text())};
    }
};

class StatusOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        ServerOptions options;
        options.simulate = false; // statuses are as the tests write them
        const std::string why = cluster.use(GetParam(), options);
        if (!why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
    }
    ObjectRef put(const std::string& yaml) {
        Object o = object_of(yaml);
        o.set_ns(ns);
        const auto done = cluster.client().apply(o, {.field_manager = "test", .force = true});
        EXPECT_TRUE(done) << done.error().to_string();
        return ref_of(o);
    }
    void put_status(const std::string& yaml) {
        Object o = object_of(yaml);
        o.set_ns(ns);
        const auto done = cluster.client().apply(o, {.field_manager = "status", .force = true, .subresource = "status"});
        EXPECT_TRUE(done) << done.error().to_string();
    }
    ObjectStatus read(const ObjectRef& ref, const StatusReaders& readers = {}) {
        auto out = readers.read(*client, std::span(&ref, 1), 4);
        EXPECT_TRUE(out) << out.error().to_string();
        return out ? std::move(out->front()) : ObjectStatus{};
    }
    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
};

TEST_P(StatusOn, ByIndexWithWhatIsMissingOrWrong) {
    const ObjectRef cm = put("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    const ObjectRef refs[] = {cm,
                              {.gvk = {"", "v1", "ConfigMap"}, .ns = ns, .name = "missing"},
                              {.gvk = {"example.org", "v1", "Nothing"}, .ns = ns, .name = "x"},
                              {.gvk = {"batch", "v1", "CronJob"}, .ns = "", .name = "x"}};
    const auto out = StatusReaders().read(*client, refs, 4);
    ASSERT_TRUE(out) << out.error().to_string();
    EXPECT_EQ((*out)[0].status.code, StatusCode::current);
    EXPECT_EQ((*out)[0].status.message, "Resource is always ready");
    EXPECT_EQ((*out)[1].status.code, StatusCode::not_found);
    EXPECT_EQ((*out)[1].status.message, "Resource not found");
    EXPECT_FALSE((*out)[1].error);
    EXPECT_EQ((*out)[2].status.code, StatusCode::unknown);
    ASSERT_TRUE((*out)[2].error);
    EXPECT_EQ((*out)[2].error->message, "no matches for kind \"Nothing\" in version \"example.org/v1\"");
    EXPECT_EQ((*out)[3].status.code, StatusCode::unknown);
}

TEST_P(StatusOn, CustomReadersGoFirst) {
    const ObjectRef a = put("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: broken}}");
    const ObjectRef b = put("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}");
    const StatusReaders readers({std::make_shared<DataReader>()});
    EXPECT_EQ(read(a, readers).status.code, StatusCode::failed);
    EXPECT_EQ(read(a, readers).status.message, "broken");
    const ObjectStatus unknown = read(b, readers);
    EXPECT_EQ(unknown.status.code, StatusCode::unknown);
    EXPECT_EQ(unknown.error->message, "no such key: k");
    EXPECT_TRUE(unknown.object);
}

// Rows 24 and 25: a crash-looping pod fails its StatefulSet, not its Deployment.
TEST_P(StatusOn, PodsDecideForStatefulSets) {
    if (cluster.is_real() && !std::getenv("WEBER_BARE_CLUSTER")) GTEST_SKIP() << "controllers would change these objects: run with cluster.sh --bare";
    const std::string spec = "spec: {serviceName: s, replicas: 1, selector: {matchLabels: {app: s}, matchExpressions: [{key: tier, operator: In, values: [b, a]}]}, "
                             "template: {metadata: {labels: {app: s, tier: a}}, spec: {containers: [{name: c, image: i}]}}}";
    const ObjectRef set = put("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, " + spec + "}");
    std::string deployment_spec = spec;
    deployment_spec.replace(deployment_spec.find("serviceName: s, "), 16, "");
    const ObjectRef deployment = put("{apiVersion: apps/v1, kind: Deployment, metadata: {name: s}, " + deployment_spec + "}");
    EXPECT_EQ(read(set).status.message, "Replicas: 0/1");
    const std::string pod = "apiVersion: v1, kind: Pod, metadata: {name: s-0, labels: {app: s, tier: a}}";
    const auto made = cluster.client().create(object_of("{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: " + ns + "}}"));
    (void)made; // where no controller makes it
    put("{" + pod + ", spec: {containers: [{name: c, image: i}]}}");
    EXPECT_EQ(read(set).status.code, StatusCode::in_progress);
    put_status("{apiVersion: v1, kind: Pod, metadata: {name: s-0}, status: {phase: Running, containerStatuses: [{name: c, image: i, imageID: '', ready: false, "
               "restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}}]}}");
    EXPECT_EQ(read(set).status.code, StatusCode::failed);
    EXPECT_EQ(read(set).status.message, "1 pods have failed");
    EXPECT_EQ(read(deployment).status.code, StatusCode::in_progress);
    faulty->fail({.kind = FaultKind::server_error, .verb = "list", .probability = 1});
    EXPECT_EQ(read(set).status.code, StatusCode::unknown) << "what cannot be known is not guessed";
    EXPECT_EQ(read(deployment).status.code, StatusCode::in_progress);
}

TEST_P(StatusOn, OnlyTheCallersDeadlineEndsIt) {
    const ObjectRef cm = put("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    faulty->fail({.kind = FaultKind::server_error, .verb = "get", .nth = 1});
    EXPECT_EQ(read(cm).status.code, StatusCode::unknown);
    faulty->fail({.kind = FaultKind::cut, .verb = "get", .nth = 1});
    EXPECT_EQ(read(cm).status.code, StatusCode::unknown);
    faulty->fail({.kind = FaultKind::stall, .verb = "get", .nth = 1});
    const auto late = StatusReaders().read(*client, std::span(&cm, 1), 4, {.timeout = milliseconds(10)});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::timeout);
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = StatusReaders().read(*client, std::span(&cm, 1), 4, {.stop = stop.get_token()});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

INSTANTIATE_TEST_SUITE_P(Clusters, StatusOn, ::testing::ValuesIn(kBothClusters), cluster_name);

TEST(LabelSelectorText, AsAQuery) {
    const auto text = [](const std::string& yaml) {
        const auto out = label_selector_text(object_of(yaml).root());
        return out ? *out : "error: " + out.error().message;
    };
    EXPECT_EQ(text("{}"), "");
    EXPECT_EQ(text("{matchLabels: {b: x, a: ''}}"), "a=,b=x");
    EXPECT_EQ(text("{matchExpressions: [{key: z, operator: In, values: [b, a]}, {key: y, operator: NotIn, values: [c]}, {key: x, operator: Exists}, {key: w, "
                   "operator: DoesNotExist}]}"),
              "!w,x,y notin (c),z in (a,b)");
    EXPECT_EQ(text("{matchExpressions: [{key: z, operator: Near}]}"), "error: \"Near\" is not a valid label selector operator");
}

} // namespace
