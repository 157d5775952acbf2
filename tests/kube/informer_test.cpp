// The informer against both servers, and through a transport that fails.
#include "kube/informer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

Object config_map(const std::string& ns, const std::string& name, const std::string& value, const std::string& label = "x") {
    return object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", namespace: " + ns + ", labels: {app: " + label +
                     "}}, data: {k: '" + value + "'}}");
}

// Writes what it is told as lines, and waits for lines.
class Journal {
public:
    InformerHandler handler() {
        return {.added = [this](const Object& o, bool initial) { add((initial ? "initial " : "added ") + describe(o)); },
                .updated = [this](const Object& a, const Object& b) { add("updated " + describe(a) + " -> " + describe(b)); },
                .deleted = [this](const Object& o) { add("deleted " + describe(o)); },
                .synced = [this] { add("synced"); },
                .trouble = [this](const Error&) { add("trouble"); }};
    }
    bool wait_for(const std::string& line) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(30), [&] { return std::ranges::find(lines_, line) != lines_.end(); });
    }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    std::string text() {
        std::string out;
        for (const auto& l : lines()) out += l + "\n";
        return out;
    }

private:
    static std::string describe(const Object& o) {
        const Node* value = o.at({"data", "k"});
        return std::string(o.name()) + "=" + (value ? std::string(value->text()) : "-");
    }
    void add(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

class InformerOn : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        const std::string why = cluster.use(GetParam());
        if (!why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        client = std::make_shared<Client>(faulty);
    }
    InformerOptions options() const {
        InformerOptions out;
        out.target = {.gvk = kConfigMap, .ns = ns, .label_selector = "app=x"};
        out.watch.backoff_min = milliseconds(1);
        out.watch.backoff_max = milliseconds(20);
        return out;
    }
    void put(const Object& o) {
        const auto done = cluster.client().apply(o, {.field_manager = "test", .force = true});
        ASSERT_TRUE(done) << done.error().to_string();
    }
    void remove(const std::string& name) {
        const auto done = cluster.client().remove({.gvk = kConfigMap, .ns = ns, .name = name});
        ASSERT_TRUE(done) << done.error().to_string();
    }

    TestCluster cluster;
    std::string ns;
    std::shared_ptr<FaultyTransport> faulty;
    std::shared_ptr<Client> client;
    Journal journal; // before the informer: handlers use it until the informer has ended
};

TEST_P(InformerOn, TellsWhatIsThereThenWhatChanges) {
    put(config_map(ns, "a", "1"));
    put(config_map(ns, "b", "1"));
    put(config_map(ns, "other", "1", "y"));
    Informer informer(client, options());
    EXPECT_FALSE(informer.has_synced());
    EXPECT_FALSE(informer.wait_synced(milliseconds(1)));
    informer.add_handler(journal.handler());
    informer.start();
    ASSERT_TRUE(journal.wait_for("synced"));
    EXPECT_TRUE(informer.wait_synced(seconds(30)));
    put(config_map(ns, "a", "2"));
    put(config_map(ns, "c", "1"));
    remove("b");
    ASSERT_TRUE(journal.wait_for("deleted b=1")) << journal.text();
    put(config_map(ns, "c", "1", "y")); // leaves the selector
    ASSERT_TRUE(journal.wait_for("deleted c=1")) << journal.text();
    EXPECT_EQ(journal.lines(), (std::vector<std::string>{"initial a=1", "initial b=1", "synced", "updated a=1 -> a=2", "added c=1", "deleted b=1",
                                                         "deleted c=1"}));
    ASSERT_EQ(informer.size(), 1u);
    EXPECT_EQ(informer.get(ns, "a")->at({"data", "k"})->text(), "2");
    EXPECT_FALSE(informer.get(ns, "b"));
    EXPECT_EQ(informer.list(ns).size(), 1u);
    EXPECT_TRUE(informer.list("elsewhere").empty());

    Journal late;
    informer.add_handler(late.handler());
    EXPECT_EQ(late.lines(), (std::vector<std::string>{"initial a=2", "synced"}));
    informer.stop();
    put(config_map(ns, "a", "3"));
    EXPECT_EQ(informer.get(ns, "a")->at({"data", "k"})->text(), "2") << "a stopped informer hears nothing";
}

TEST_P(InformerOn, KeepsOnlyTheProjectionAndItsIdentity) {
    put(config_map(ns, "a", "1"));
    InformerOptions o = options();
    o.project = [](const Object& whole) { return Object(Node::map({{"data", whole.root().find("data") ? *whole.root().find("data") : Node()}})); };
    Informer informer(client, std::move(o));
    informer.start();
    ASSERT_TRUE(informer.wait_synced(seconds(30)));
    const auto kept = informer.get(ns, "a");
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->kind(), "ConfigMap");
    EXPECT_EQ(kept->ns(), ns);
    EXPECT_FALSE(kept->uid().empty());
    EXPECT_FALSE(kept->resource_version().empty());
    EXPECT_EQ(kept->at({"metadata", "labels"}), nullptr);
    EXPECT_EQ(kept->at({"data", "k"})->text(), "1");
}

TEST_P(InformerOn, MetadataOnly) {
    put(config_map(ns, "a", "secret"));
    InformerOptions o = options();
    o.target.metadata_only = true;
    Informer informer(client, std::move(o));
    informer.add_handler(journal.handler());
    informer.start();
    ASSERT_TRUE(journal.wait_for("initial a=-")) << journal.text();
    ASSERT_TRUE(journal.wait_for("synced"));
    const auto kept = informer.get(ns, "a");
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->kind(), "ConfigMap") << "not PartialObjectMetadata";
    EXPECT_EQ(kept->label("app"), "x");
    put(config_map(ns, "a", "other"));
    ASSERT_TRUE(journal.wait_for("updated a=- -> a=-"));
    put(config_map(ns, "b", "other"));
    ASSERT_TRUE(journal.wait_for("added b=-"));
}

// While watches are cut and refused, changes are not lost, repeated or out of order.
TEST_P(InformerOn, LosesNothingWhenTheWatchIsCut) {
    put(config_map(ns, "a", "1"));
    put(config_map(ns, "gone", "1"));
    Informer informer(client, options());
    informer.add_handler(journal.handler());
    faulty->fail({.kind = FaultKind::server_error, .verb = "list", .nth = 1});
    faulty->fail({.kind = FaultKind::cut, .verb = "watch", .probability = 1});
    informer.start();
    ASSERT_TRUE(journal.wait_for("trouble"));
    remove("gone");
    put(config_map(ns, "a", "2"));
    put(config_map(ns, "new", "1"));
    faulty->heal();
    ASSERT_TRUE(journal.wait_for("synced")) << journal.text();
    put(config_map(ns, "last", "1"));
    ASSERT_TRUE(journal.wait_for("added last=1")) << journal.text();
    std::map<std::string, int> seen;
    for (const std::string& line : journal.lines()) ++seen[line];
    for (const auto& [line, times] : seen)
        if (line != "trouble") {
            EXPECT_EQ(times, 1) << line << "\n" << journal.text();
        }
    EXPECT_FALSE(informer.get(ns, "gone"));
    EXPECT_EQ(informer.get(ns, "a")->at({"data", "k"})->text(), "2");
    EXPECT_TRUE(informer.get(ns, "new"));
}

TEST_P(InformerOn, AKindThatComesLater) {
    InformerOptions o = options();
    const std::string group = "g" + ns + ".example.org";
    o.target = {.gvk = {group, "v1", "Late"}, .ns = ns};
    Informer informer(client, o);
    informer.add_handler(journal.handler());
    informer.start();
    ASSERT_TRUE(journal.wait_for("trouble"));
    put(object_of("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: lates." + group + "}, spec: {group: " + group +
                  ", scope: Namespaced, names: {kind: Late, plural: lates, singular: late, listKind: LateList}, versions: [{name: v1, served: true, storage: "
                  "true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}"));
    ASSERT_TRUE(informer.wait_synced(seconds(30))) << journal.text();
    put(object_of("{apiVersion: " + group + "/v1, kind: Late, metadata: {name: a, namespace: " + ns + "}, data: {k: '1'}}"));
    EXPECT_TRUE(journal.wait_for("added a=1")) << journal.text();
    informer.stop();
    (void)cluster.client().remove({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "lates." + group});
}

// Asked after the handlers were told, with the error; a yes ends the watch for good, and what was held stays.
TEST_P(InformerOn, GivesUpWhenItIsTold) {
    put(config_map(ns, "a", "1"));
    InformerOptions o = options();
    o.watch.streaming_list = false; // the lists come, the watches do not
    faulty->fail({.kind = FaultKind::forbidden, .verb = "watch", .probability = 1});
    std::atomic<int> asked{0};
    std::string heard_before;
    ErrorCode code{};
    o.give_up = [&](const Error& error) {
        heard_before = journal.lines().back();
        code = error.code;
        const bool now = asked == 2;
        ++asked;
        asked.notify_all();
        return now;
    };
    Informer informer(client, o);
    informer.add_handler(journal.handler());
    informer.start();
    for (int seen = 0; seen < 3; seen = asked) asked.wait(seen);
    faulty->heal();
    put(config_map(ns, "late", "1"));
    const int watches = faulty->count("watch");
    EXPECT_EQ(watches, 3);
    Informer other(client, options()); // by the time that one has seen it, the first would have
    other.start();
    ASSERT_TRUE(other.wait_synced(seconds(30)));
    EXPECT_TRUE(other.get(ns, "late"));
    EXPECT_EQ(faulty->count("watch"), watches + 1) << "the other one's";
    informer.stop();
    EXPECT_EQ(asked, 3);
    EXPECT_EQ(heard_before, "trouble");
    EXPECT_EQ(code, ErrorCode::forbidden);
    EXPECT_FALSE(informer.get(ns, "late"));
    EXPECT_TRUE(informer.get(ns, "a")) << "what was held stays";
    EXPECT_TRUE(informer.has_synced());
}

INSTANTIATE_TEST_SUITE_P(Clusters, InformerOn, ::testing::ValuesIn(kBothClusters), cluster_name);

} // namespace
