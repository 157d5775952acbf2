// From a push to the cluster: `weber agent` before real git servers.
#include <gmock/gmock.h>

#include "gitops/source/open.h"
#include "tests/agent/agent_fleet.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class EndToEnd : public AgentFleet {
protected:
    void SetUp() override {
        AgentFleet::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        if (const std::string why = servers_.start(bare(), dir_.path() + "/servers"); !why.empty()) GTEST_SKIP() << why;
    }
    testing::GitServers servers_;
    testing::Background agent_;
};
INSTANTIATE_TEST_SUITE_P(Servers, EndToEnd, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(EndToEnd, HttpsFromThePushToThePrune) {
    const std::string first = commit({{"root/a.yaml", kustomization_yaml("a", "wait: true")},
                                      {"root/b.yaml", kustomization_yaml("b", "dependsOn: [{name: a}]")},
                                      {"a/one.yaml", config_map("a-one", "1")},
                                      {"a/two.yaml", config_map("a-two", "1")},
                                      {"b/one.yaml", config_map("b-one", "1")}});
    secret("git", {{"username", testing::GitServers::kUser}, {"password", testing::GitServers::kPassword}, {"ca.crt", servers_.file("ca.crt")}});
    source(servers_.https("/fleet.git"), "secretRef: {name: git}");
    kustomization("root");
    start(agent_);
    for (const char* name : {"root", "a", "b"}) applied(name, first);
    EXPECT_THAT(owned(), ElementsAre("a-one", "a-two", "b-one"));

    // A pushed commit is applied; what it does not name is not touched.
    const kube::Object two = get(config_map_ref("a-two"));
    const std::string second = commit({{"a/one.yaml", config_map("a-one", "2")}});
    fetch(second);
    applied("a", second);
    EXPECT_EQ(text(get(config_map_ref("a-one")), {"data", "k"}), "2");
    EXPECT_EQ(get(config_map_ref("a-two")).resource_version(), two.resource_version());

    // An app leaves the repository: exactly its objects go.
    const std::string third = commit({{"root/b.yaml", ""}, {"b/one.yaml", ""}});
    fetch(third);
    applied("root", third);
    await_gone(kustomization_ref("b"));
    EXPECT_THAT(owned(), ElementsAre("a-one", "a-two"));
    EXPECT_EQ(get(config_map_ref("a-two")).uid(), two.uid());
    EXPECT_EQ(get(config_map_ref("a-two")).resource_version(), two.resource_version());

    // The history of the branch is rewritten: followed all the same.
    const std::string fourth = force_push({{"a/one.yaml", config_map("a-one", "4")}});
    fetch(fourth);
    applied("a", fourth);
    EXPECT_EQ(text(get(config_map_ref("a-one")), {"data", "k"}), "4");
    EXPECT_THAT(testing::read_file(log()), Not(HasSubstr(testing::GitServers::kPassword)));
}

TEST_P(EndToEnd, ABrokenCommitKeepsTheLastGoodState) {
    const std::string good = commit({{"a/one.yaml", config_map("a-one", "1")}, {"a/two.yaml", config_map("a-two", "1")}});
    secret("git", {{"username", testing::GitServers::kUser}, {"password", testing::GitServers::kPassword}, {"ca.crt", servers_.file("ca.crt")}});
    source(servers_.https("/fleet.git"), "secretRef: {name: git}");
    kustomization("a");
    start(agent_);
    applied("a", good);
    const kube::Object one = get(config_map_ref("a-one"));

    const std::string broken = commit({{"a/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a-one\n"}, {"a/two.yaml", ""}});
    fetch(broken);
    const kube::Object failed = await(kustomization_ref("a"), [&](const kube::Object& o) { return condition(o, "Ready").starts_with("False"); });
    EXPECT_THAT(condition(failed, "Ready"), StartsWith("False/BuildFailed: "));
    EXPECT_THAT(condition(failed, "Ready"), HasSubstr("one.yaml:"));
    EXPECT_EQ(text(failed, {"status", "lastAppliedRevision"}), good);
    EXPECT_EQ(text(failed, {"status", "lastAttemptedRevision"}), broken);
    EXPECT_THAT(owned(), ElementsAre("a-one", "a-two"));
    EXPECT_EQ(get(config_map_ref("a-one")).resource_version(), one.resource_version());

    const std::string mended = commit({{"a/one.yaml", config_map("a-one", "3")}});
    fetch(mended);
    applied("a", mended);
    EXPECT_THAT(owned(), ElementsAre("a-one"));
}

TEST_P(EndToEnd, SshWithAKeyAndKnownHosts) {
    const std::string first = commit({{"a/one.yaml", config_map("a-one", "1")}});
    const std::string key = servers_.file("client_key");
    secret("git", {{"identity", key}, {"password", testing::GitServers::kPassphrase}, {"known_hosts", "[127.0.0.1]:1 ssh-ed25519 AAAA\n"}});
    source(servers_.ssh("/fleet.git"), "secretRef: {name: git}");
    kustomization("a");
    start(agent_);
    const kube::Object unknown = await(source_ref(), [](const kube::Object& o) { return !condition(o, "FetchFailed").empty(); });
    EXPECT_THAT(condition(unknown, "FetchFailed"), HasSubstr("known_hosts"));

    secret("git", {{"identity", key}, {"password", testing::GitServers::kPassphrase}, {"known_hosts", servers_.known_host("ecdsa") + servers_.known_host("ed25519")}});
    applied("a", first); // by the retry, nobody asked
    const std::string second = commit({{"a/two.yaml", config_map("a-two", "1")}});
    fetch(second);
    applied("a", second);
    EXPECT_THAT(owned(), ElementsAre("a-one", "a-two"));
}

// The server has keys of three types and shows the one that the client asks for first.
TEST_P(EndToEnd, SshAsksForTheHostKeyThatIsKnown) {
    if (GetParam() != testing::ClusterKind::embedded) GTEST_SKIP() << "needs no cluster";
    const std::string first = commit({{"a/one.yaml", "x: y\n"}});
    gitops::FetchOptions options;
    options.url = servers_.ssh("/fleet.git");
    options.ref.branch = "main";
    options.credentials.identity = kube::SecretText(servers_.file("client_key"));
    options.credentials.passphrase = kube::SecretText(testing::GitServers::kPassphrase);
    for (const char* type : {"ed25519", "ecdsa", "ed25519"}) {
        options.cache_dir = dir_.path() + "/cache-" + type;
        options.credentials.known_hosts = "other.example.org ssh-rsa AAAA\n" + servers_.known_host(type);
        const auto got = gitops::fetch(options);
        ASSERT_TRUE(got.has_value()) << type << ": " << got.error().to_string();
        EXPECT_EQ(got->revision, first);
    }
    // A key of the right type that is not the server's is no reason to take another.
    const std::string line = servers_.known_host("ed25519"), other = servers_.file("client_key.pub");
    options.credentials.known_hosts = line.substr(0, line.find(' ') + 1) + other;
    EXPECT_THAT(gitops::fetch(options).error().message, HasSubstr("knownhosts: key mismatch"));
    // libssh2 1.10 cannot do what today's sshd signs with its RSA key; that is said.
    options.credentials.known_hosts = servers_.known_host("rsa");
    const auto rsa = gitops::fetch(options);
    if (!rsa) {
        EXPECT_THAT(rsa.error().message, HasSubstr("none of the type that it shows, ecdsa-sha2-nistp256 (knownhosts: key is unknown); known: ssh-rsa"));
    }
}

TEST_P(EndToEnd, SshOffersWhatItWasTold) { // --ssh-kex-algos, --ssh-hostkey-algos
    if (GetParam() != testing::ClusterKind::embedded) GTEST_SKIP() << "needs no cluster";
    const std::string first = commit({{"a/one.yaml", config_map("a-one", "1")}});
    gitops::FetchOptions options;
    options.url = servers_.ssh("/fleet.git");
    options.ref.branch = "main";
    options.cache_dir = dir_.path() + "/cache";
    options.credentials.identity = kube::SecretText(servers_.file("client_key"));
    options.credentials.passphrase = kube::SecretText(testing::GitServers::kPassphrase);
    options.credentials.known_hosts = servers_.known_host("ed25519");
    options.ssh = {.key_exchanges = {"unheard-of", "ecdh-sha2-nistp521"}, .host_keys = {"ssh-ed25519"}};
    const auto got = gitops::fetch(options);
    ASSERT_TRUE(got.has_value()) << got.error().to_string();
    EXPECT_EQ(got->revision, first);
    // Nothing else is offered: sshd has no such exchange any more; known_hosts has another key.
    options.ssh = {.key_exchanges = {"diffie-hellman-group1-sha1"}, .host_keys = {}};
    EXPECT_FALSE(gitops::fetch(options).has_value());
    options.ssh = {.key_exchanges = {}, .host_keys = {"ecdsa-sha2-nistp256"}};
    EXPECT_THAT(gitops::fetch(options).error().message, HasSubstr("none of the type that it shows, ecdsa-sha2-nistp256"));

    // By the flags of the agent.
    secret("git", {{"identity", servers_.file("client_key")}, {"password", testing::GitServers::kPassphrase}, {"known_hosts", servers_.known_host("ed25519")}});
    source(servers_.ssh("/fleet.git"), "secretRef: {name: git}");
    {
        testing::Background other;
        start(other, "other", {"--ssh-hostkey-algos=ecdsa-sha2-nistp256"});
        const kube::Object refused = await(source_ref(), [](const kube::Object& o) { return !condition(o, "FetchFailed").empty(); });
        EXPECT_THAT(condition(refused, "FetchFailed"), HasSubstr("none of the type that it shows, ecdsa-sha2-nistp256"));
    }
    start(agent_, "agent", {"--ssh-kex-algos=ecdh-sha2-nistp521,curve25519-sha256", "--ssh-hostkey-algos=ssh-ed25519"});
    await(source_ref(), [](const kube::Object& o) { return condition(o, "Ready").starts_with("True"); });
}

} // namespace
} // namespace weber::agent_test
