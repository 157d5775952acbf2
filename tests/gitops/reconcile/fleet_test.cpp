// The reference fleet, whole, on both API servers; and what becomes of those who may not.
#include <filesystem>
#include <fstream>
#include <test_paths.h>
#include <thread>

#include "gitops/reconcile/post_build_hooks.h"
#include "tests/gitops/reconcile/fleet.h"

namespace weber::gitops {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using weber::testing::ClusterKind;

namespace fs = std::filesystem;

class ReferenceFleet : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        fs::copy(fs::path(WEBER_SOURCE_DIR) / "deploy" / "fleet", dir.path(), fs::copy_options::recursive);
        options.path = dir.path();
        options.timeout = std::chrono::minutes(4);
        options.post_build = post_build_hooks({.keys_when_needed = true}); // nothing is encrypted before `weber bootstrap secrets` ran
        if (cluster.is_real()) operator_ = std::jthread([this](const std::stop_token& stop) { pretend_to_be_the_operator(stop); });
    }
    void TearDown() override {
        operator_ = {};
        if (IsSkipped() || !cluster.is_real()) return; // leaves the server as it was found
        fs::remove(dir.path() + "/clusters/home/apps.yaml");
        fs::remove(dir.path() + "/clusters/home/infrastructure.yaml");
        (void)reconcile_once(cluster.client(), options);
    }

    // Of 1Password: says of every item that it is ready. The embedded server does that itself.
    void pretend_to_be_the_operator(const std::stop_token& stop) {
        const Node ready = Node::map({{"conditions", Node::list({Node::map({{"type", Node::string("Ready")}, {"status", Node::string("True")}})})}});
        while (!stop.stop_requested()) {
            if (const auto items = cluster.client().list({"onepassword.com", "v1", "OnePasswordItem"}))
                for (const kube::Object& item : items->items)
                    if (item.at({"status", "conditions"}) == nullptr)
                        (void)cluster.client().patch(kube::ref_of(item), kube::PatchType::merge, Node::map({{"status", ready}}), {.subresource = "status"});
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }

    OnceResult once() {
        weber::testing::Recorder said;
        auto r = reconcile_once(cluster.client(), options, &said);
        EXPECT_TRUE(r) << r.error().to_string();
        for (const auto& k : r ? r->kustomizations : std::vector<KustomizationResult>{})
            EXPECT_FALSE(k.error) << k.name.to_string() << ": " << k.error->to_string() << "\n" << said.lines.at(said.lines.size() - 2);
        return r ? std::move(*r) : OnceResult{};
    }
    weber::testing::TestCluster cluster;
    weber::testing::TempDir dir;
    OnceOptions options;
    std::jthread operator_;
};
INSTANTIATE_TEST_SUITE_P(Servers, ReferenceFleet, ::testing::ValuesIn(weber::testing::kBothClusters), weber::testing::cluster_name);

TEST_P(ReferenceFleet, ComesUpStaysQuietAndLosesExactlyTheAppThatIsRemoved) {
    options.cluster = "home";
    const OnceResult first = once();
    std::vector<std::string> names;
    for (const auto& k : first.kustomizations) names.push_back(k.name.name + " " + std::string(to_string(k.state)));
    ASSERT_THAT(names, ElementsAre("flux-system ready", "infrastructure ready", "apps ready"));
    EXPECT_EQ(once().requests.writes(), 0u);

    // one app leaves
    fs::remove_all(dir.path() + "/apps/nats");
    std::string list;
    {
        std::ifstream in(dir.path() + "/apps/kustomization.yaml");
        for (std::string line; std::getline(in, line);)
            if (line.find("nats") == std::string::npos) list += line + "\n";
    }
    dir.write("apps/kustomization.yaml", list);
    const OnceResult r = once();
    std::vector<std::string> gone, others;
    for (const Change& c : r.kustomizations.back().changes.changes) {
        if (c.action == Action::deleted) gone.push_back(c.key.name);
        else if (c.action != Action::unchanged) others.push_back(c.key.subject());
    }
    EXPECT_THAT(gone, ::testing::Not(::testing::IsEmpty()));
    EXPECT_THAT(gone, Each(StartsWith("nats")));
    EXPECT_THAT(others, ::testing::IsEmpty());
}

TEST_P(ReferenceFleet, TheSecondClusterIsItsOwn) {
    if (cluster.is_real()) GTEST_SKIP() << "shares the namespace flux-system with the first";
    options.cluster = "staging";
    const OnceResult first = once();
    EXPECT_TRUE(first.ok());
    EXPECT_EQ(first.kustomizations.size(), 3u);
}

// ---- permissions -------------------------------------------------------------------------------------------------

class Forbidden : public weber::testing::FleetTest {};
INSTANTIATE_TEST_SUITE_P(Servers, Forbidden, ::testing::Values(ClusterKind::real), weber::testing::cluster_name);

TEST_P(Forbidden, IsSaidInTheServersWords) {
    declare("app");
    config_map("app", "a");
    once();
    config_map("app", "a", "2");
    kube::ClientConfig config = cluster.config();
    config.impersonate.user = "weber-test-nobody";
    const auto client = kube::Client::connect(config);
    ASSERT_TRUE(client);
    const auto r = reconcile_once(**client, options);
    const std::string text = r ? of(*r, "root").message : r.error().to_string();
    EXPECT_THAT(text, HasSubstr("forbidden"));
    EXPECT_THAT(text, HasSubstr("weber-test-nobody"));
    if (!r) {
        EXPECT_EQ(r.error().code, ErrorCode::forbidden);
    }
    EXPECT_EQ(find("ConfigMap", "a")->at({"data", "k"})->text(), "1");
}

} // namespace
} // namespace weber::gitops
