// The agent as its Deployment runs it: endpoints, leases, what it says when it starts and ends.
#include <gmock/gmock.h>

#include <thread>

#include "kube/base/json.h"
#include "kube/http_client.h"
#include "tests/agent/agent_fleet.h"
#include "tests/agent/run_binary.h"

namespace weber::agent_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Deployed : public AgentFleet {
protected:
    static constexpr const char* kLeases[] = {"kustomize-controller-leader-election", "source-controller-leader-election"};

    // The first line of that log whose field `key` is `value`.
    Node line(const std::string& name, std::string_view key, const std::string& value) {
        for (const auto limit = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < limit; std::this_thread::sleep_for(10ms)) {
            std::istringstream lines(read_file(log(name)));
            for (std::string text; std::getline(lines, text);)
                if (auto found = kube::read_json(text); found && found->text_at(key) == value) return std::move(*found);
        }
        ADD_FAILURE() << "no line with " << key << " " << value;
        return {};
    }
    static kube::HttpResponse ask_http(const std::string& address, const std::string& path) {
        kube::ClientConfig config;
        config.server = "http://" + address;
        const auto client = kube::HttpClient::create(std::move(config));
        EXPECT_TRUE(client.has_value());
        auto answer = (*client)->send({.target = path, .timeout = 30s});
        EXPECT_TRUE(answer.has_value()) << answer.error().to_string();
        return answer ? std::move(*answer) : kube::HttpResponse{};
    }
    kube::ObjectRef lease(const std::string& name) const { return {.gvk = {"coordination.k8s.io", "v1", "Lease"}, .ns = ns_, .name = name}; }
};
INSTANTIATE_TEST_SUITE_P(Servers, Deployed, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

// Flux's two Deployments replaced one by one: each has the lease of the controller that it stands for, so that neither waits for the other.
TEST_P(Deployed, TwoDeploymentsHaveALeaseEach) {
    const std::string one = commit({{"a/a.yaml", config_map("a", "1")}});
    source(serve());
    kustomization("a");
    const std::vector<std::string> common{"--enable-leader-election", "--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0"};
    const auto with = [&](const std::string& controllers) {
        std::vector<std::string> words = common;
        words.push_back("--controllers=" + controllers);
        return words;
    };
    testing::Background sources, kustomizations;
    start(sources, "sources", with("gitrepository"));
    start(kustomizations, "kustomizations", with("kustomization"));
    applied("a", one);
    for (const auto& [name, own] : {std::pair("kustomizations", kLeases[0]), {"sources", kLeases[1]}}) {
        EXPECT_FALSE(text(get(lease(own)), {"spec", "holderIdentity"}).empty()) << own;
        const Node metrics = line(name, "msg", "Serving metrics server");
        EXPECT_EQ(metrics.text_at("logger"), "controller-runtime.metrics");
        const std::string address(metrics.text_at("bindAddress")), probes(line(name, "name", "health probe").text_at("addr"));
        EXPECT_THAT(ask_http(address, "/metrics").body, HasSubstr("\nleader_election_master_status{name=\"" + std::string(own) + "\"} 1\n"));
        for (const char* path : {"/healthz", "/readyz"}) EXPECT_EQ(ask_http(probes, path).status, 200) << path;
    }
    sources.stop(SIGTERM);
    kustomizations.stop(SIGTERM);
    for (const char* name : kLeases) EXPECT_EQ(text(get(lease(name)), {"spec", "holderIdentity"}), "") << name;
    for (const char* name : {"sources", "kustomizations"}) EXPECT_FALSE(line(name, "msg", "stopped").empty());
}

// A roll-out is no reason for an alert.
TEST_P(Deployed, ToldToEndWithinAFetchItSaysNothingOfIt) {
    std::string url = serve();
    source(url.insert(url.rfind('/'), "/silent"));
    testing::Background agent;
    start(agent);
    await(source_ref(), [](const kube::Object& o) { return testing::has_condition(o, "Reconciling", "True"); });
    agent.stop(SIGTERM);
    EXPECT_EQ(condition(get(source_ref()), "Ready").find("False"), std::string::npos);
    EXPECT_THAT(api().list({"", "v1", "Event"}, {.ns = ns_}).value().items, ::testing::IsEmpty());
    EXPECT_THAT(read_file(log()), ::testing::Not(HasSubstr("\"level\":\"error\"")));
}

TEST_P(Deployed, AddressZeroServesNothing) {
    testing::Background agent;
    start(agent, "agent", {"--metrics-addr=0", "--health-addr=0"});
    EXPECT_FALSE(line("agent", "msg", "starting controllers").empty());
    EXPECT_THAT(read_file(log()), ::testing::AllOf(::testing::Not(HasSubstr("bindAddress")), ::testing::Not(HasSubstr("health probe"))));
}

} // namespace
} // namespace weber::agent_test
