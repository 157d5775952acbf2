// What befalls an agent: killed, replaced by another replica, an API server that fails.
#include <gmock/gmock.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "kube/informer.h"
#include "tests/agent/agent_fleet.h"
#include "tests/support/api_proxy.h"

namespace weber::agent_test {
namespace {

using namespace std::chrono_literals;

// How often each ConfigMap of a namespace was changed since the start.
class Changes {
public:
    Changes(const kube::ClientConfig& config, const std::string& ns)
        : informer_(*kube::Client::connect(config), {.target = {.gvk = {"", "v1", "ConfigMap"}, .ns = ns}, .watch = {}, .project = {}}) {
        informer_.add_handler({.updated = [this](const kube::Object&, const kube::Object& after) {
            const std::lock_guard lock(mutex_);
            ++counts_[std::string(after.name())];
            changed_.notify_all();
        }});
        informer_.start();
        EXPECT_TRUE(informer_.wait_synced(60s));
    }
    ~Changes() { informer_.stop(); }
    std::map<std::string, int> counts() {
        const std::lock_guard lock(mutex_);
        return counts_;
    }
    // False when it did not come to that number of changes in two minutes.
    bool await_total(int wanted) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 120s, [&] {
            int sum = 0;
            for (const auto& [name, n] : counts_) sum += n;
            return sum >= wanted;
        });
    }

private:
    std::mutex mutex_; // guards counts_
    std::condition_variable changed_;
    std::map<std::string, int> counts_;
    kube::Informer informer_;
};

class AgentFaults : public AgentFleet {
protected:
    // Files of app NAME: ConfigMaps NAME-FROM … NAME-(TO-1) with `value`.
    std::map<std::string, std::string> app(const std::string& name, int from, int to, const std::string& value) {
        std::map<std::string, std::string> files;
        for (int i = from; i < to; ++i) {
            const std::string object = name + "-" + std::to_string(i);
            files[name + "/" + object + ".yaml"] = value.empty() ? "" : config_map(object, value);
        }
        return files;
    }
    std::string holder(const std::string& not_this) {
        std::string out;
        await({.gvk = {"coordination.k8s.io", "v1", "Lease"}, .ns = ns_, .name = "kustomize-controller-leader-election"}, [&](const kube::Object& o) {
            out = text(o, {"spec", "holderIdentity"});
            return !out.empty() && out != not_this;
        });
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, AgentFaults, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(AgentFaults, AnotherReplicaTakesOver) {
    constexpr int kObjects = 30;
    const std::vector<std::string> replica{"--enable-leader-election", "--leader-election-lease-duration=8s", "--leader-election-renew-deadline=6s",
                                           "--leader-election-retry-period=1s"};
    const auto all_changed = [&](int times) {
        std::map<std::string, int> out;
        for (int i = 0; i < kObjects; ++i) out["a-" + std::to_string(i)] = times;
        return out;
    };
    testing::ApiProxy first_api(cluster_.config(), dir_.path() + "/first.sock"), second_api(cluster_.config(), dir_.path() + "/second.sock"),
        third_api(cluster_.config(), dir_.path() + "/third.sock");
    const std::string one = commit(app("a", 0, kObjects, "1"));
    source(serve());
    kustomization("a");
    testing::Background first, second, third;
    start(first, "first", replica, first_api.kubeconfig());
    applied("a", one);
    EXPECT_EQ(first_api.faults().count("apply"), kObjects);
    std::string leader = holder("");
    start(second, "second", replica, second_api.kubeconfig());
    EXPECT_NE(testing::await_line(log("second"), "{"), "");
    Changes changes(cluster_.config(), ns_);

    // Killed while it applies: the other one goes on, and no object is written twice.
    const std::string two = commit(app("a", 0, kObjects, "2"));
    ask(source_ref());
    ASSERT_TRUE(changes.await_total(1));
    first.stop(SIGKILL);
    auto began = std::chrono::steady_clock::now();
    leader = holder(leader);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
    applied("a", two);
    ASSERT_TRUE(changes.await_total(kObjects));
    EXPECT_EQ(changes.counts(), all_changed(1));

    // Told to end: it gives the lease away.
    start(third, "third", replica, third_api.kubeconfig());
    EXPECT_NE(testing::await_line(log("third"), "{"), "");
    const int before = second_api.faults().count("apply");
    EXPECT_EQ(third_api.faults().count("apply"), 0);
    const std::string three = commit(app("a", 0, kObjects, "3")); // nobody is told of it: who comes looks
    began = std::chrono::steady_clock::now();
    second.stop(SIGTERM);
    holder(leader);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
    applied("a", three);
    ASSERT_TRUE(changes.await_total(2 * kObjects));
    EXPECT_EQ(changes.counts(), all_changed(2));
    EXPECT_EQ(second_api.faults().count("apply"), before);
    EXPECT_EQ(third_api.faults().count("apply"), kObjects);
}

TEST_P(AgentFaults, KilledAtRandomPoints) {
    const char* wanted = std::getenv("WEBER_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 25;
    const char* seed_text = std::getenv("WEBER_SEED");
    const unsigned seed = seed_text != nullptr ? static_cast<unsigned>(std::atoi(seed_text)) : 1;
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto merge = [](std::map<std::string, std::string> a, const std::map<std::string, std::string>& b) {
        for (const auto& [k, v] : b) a[k] = v;
        return a;
    };
    constexpr int kBase = 16, kMoving = 8;
    const std::map<std::string, std::string> base = app("a", 0, kBase, "0");
    commit(merge(base, {{"root/a.yaml", kustomization_yaml("a")}}));
    source(serve());
    kustomization("root");
    std::map<std::string, std::string> live; // ConfigMaps as they must be, by name
    std::chrono::steady_clock::duration whole{};
    bool with_b = false;
    int killed = 0;
    for (int round = 0; killed < kills; ++round) {
        // Some objects come, some change, some go; so does a whole app.
        const std::string value = std::to_string(round + 1);
        std::map<std::string, std::string> files = app("a", 0, kBase, value);
        live.clear();
        for (int i = 0; i < kBase; ++i) live["a-" + std::to_string(i)] = value;
        for (int i = 0; i < kMoving; ++i) {
            const int n = 100 + 10 * (round % 3) + i, old = 100 + 10 * ((round + 2) % 3) + i;
            files = merge(files, app("a", n, n + 1, value));
            live["a-" + std::to_string(n)] = value;
            if (round > 0) files = merge(files, app("a", old, old + 1, ""));
        }
        with_b = !with_b;
        files = merge(files, app("b", 0, 6, with_b ? value : ""));
        files["root/b.yaml"] = with_b ? kustomization_yaml("b") : "";
        for (int i = 0; with_b && i < 6; ++i) live["b-" + std::to_string(i)] = value;
        if (round == 0 && !with_b) files.erase("root/b.yaml");
        const std::string revision = commit(files);

        // Killed up to three times on the way, then left to itself. The first round says how long a run takes.
        for (int i = 0; round > 0 && i < 3 && killed < kills; ++i, ++killed) {
            testing::Background agent;
            start(agent);
            std::this_thread::sleep_for(std::chrono::duration_cast<std::chrono::microseconds>(whole * std::uniform_real_distribution<double>(0, 1.1)(random)));
            agent.stop(SIGKILL);
        }
        testing::Background agent;
        const auto began = std::chrono::steady_clock::now();
        start(agent);
        applied("root", revision);
        applied("a", revision);
        if (with_b) applied("b", revision);
        else await_gone(kustomization_ref("b"));
        if (round == 0) whole = std::chrono::steady_clock::now() - began;

        std::map<std::string, std::string> found;
        const auto list = api().list({"", "v1", "ConfigMap"}, {.ns = ns_, .label_selector = "kustomize.toolkit.fluxcd.io/name"});
        ASSERT_TRUE(list.has_value());
        for (const kube::Object& o : list->items) found[std::string(o.name())] = text(o, {"data", "k"});
        ASSERT_EQ(found, live) << "round " << round << ", " << killed << " kills";
        for (const char* name : {"a", "b"}) {
            if (*name == 'b' && !with_b) continue;
            const kube::Object k = get(kustomization_ref(name));
            std::size_t of_it = 0;
            for (const auto& [object, v] : live) of_it += object.front() == *name ? 1 : 0;
            ASSERT_EQ(k.at({"status", "inventory", "entries"})->items().size(), of_it) << name << " in round " << round;
        }
        if (killed < kills && std::uniform_int_distribution<int>(0, 1)(random) == 0) agent.stop(SIGKILL);
    }
}

TEST_P(AgentFaults, ConvergesThoughTheApiServerFails) {
    testing::ApiProxy proxy(cluster_.config(), dir_.path() + "/proxy.sock", 7);
    using testing::FaultKind;
    constexpr double kShare = 0.1 / 5; // one request of ten, five kinds
    for (const FaultKind kind : {FaultKind::throttled, FaultKind::server_error, FaultKind::stall, FaultKind::cut})
        proxy.faults().fail({.kind = kind, .probability = kShare});
    proxy.faults().fail({.kind = FaultKind::cut, .verb = "apply", .probability = kShare, .after = true});
    for (const char* verb : {"apply", "dry-run apply", "patch", "create", "update", "delete"})
        proxy.faults().fail({.kind = FaultKind::conflict, .verb = verb, .probability = kShare});
    const auto files = [&](const std::string& value, int last) {
        std::map<std::string, std::string> out;
        for (const char* name : {"a", "b", "c"}) {
            for (const auto& [path, text] : app(name, 0, last, value)) out[path] = text;
            for (const auto& [path, text] : app(name, last, 8, "")) out[path] = text;
        }
        return out;
    };
    std::map<std::string, std::string> first = files("1", 8);
    first["root/a.yaml"] = kustomization_yaml("a", "wait: true");
    first["root/b.yaml"] = kustomization_yaml("b", "dependsOn: [{name: a}]");
    first["root/c.yaml"] = kustomization_yaml("c", "dependsOn: [{name: b}], wait: true");
    std::string revision = commit(first);
    source(serve());
    kustomization("root");
    testing::Background agent;
    start(agent, "agent", {"--requeue-dependency=2s"}, proxy.kubeconfig());
    int last = 8;
    for (const char* name : {"root", "a", "b", "c"}) applied(name, revision);
    last = 5;
    revision = commit(files("2", last));
    fetch(revision);
    for (const char* name : {"root", "a", "b", "c"}) applied(name, revision);
    std::map<std::string, std::string> found, live;
    const auto list = api().list({"", "v1", "ConfigMap"}, {.ns = ns_, .label_selector = "kustomize.toolkit.fluxcd.io/name"});
    ASSERT_TRUE(list.has_value());
    for (const kube::Object& o : list->items) found[std::string(o.name())] = text(o, {"data", "k"});
    for (const char* name : {"a", "b", "c"})
        for (int i = 0; i < last; ++i) live[name + ("-" + std::to_string(i))] = "2";
    EXPECT_EQ(found, live);
    EXPECT_GT(proxy.faults().faults(), 10);
}

} // namespace
} // namespace weber::agent_test
