// `weber bootstrap secrets` on an embedded cluster.
#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <filesystem>

#include "agent/cluster.h"
#include "agent/secrets/secret_list.h"
#include "kube/base/digest.h"
#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kList = R"(secrets:
- name: db
  namespace: apps
  data:
    PASSWORD: {random: 24}
    KEY: {random: 20, prefix: sk-}
- name: nats
  namespace: queue
  data:
    APP: {random: 32}
    APP_HASH: {bcrypt: APP, cost: 4}
    URL: {template: 'pg://u:${apps/db/PASSWORD}@h/${APP}'}
- name: operator
  namespace: apps
  data:
    token: {environment: PLANTED_TOKEN}
)";

class BootstrapSecrets : public ::testing::Test {
protected:
    void SetUp() override { list = dir.write("secrets.yaml", kList); }

    Ran run(std::map<std::string, std::string> environment = {{"PLANTED_TOKEN", "planted-value"}}, std::vector<std::string> more = {}) {
        std::vector<std::string> words = {"bootstrap", "secrets", "-f", list, "--state", dir / "state"};
        words.insert(words.end(), more.begin(), more.end());
        return weber(words, {.environment = std::move(environment)});
    }

    // All Secrets as the API server has them.
    std::map<std::string, Object> secrets() {
        kube::ServerOptions options;
        options.data_dir = dir / "state";
        auto cluster = agent::open_embedded(options);
        std::map<std::string, Object> out;
        if (!cluster) return out;
        const auto found = cluster->client->list({"", "v1", "Secret"});
        for (const Object& o : found.value().items) out.emplace(o.subject(), o);
        return out;
    }
    static std::string value(const Object& secret, std::string_view key) {
        return kube::base64_decode(secret.at({"data", key})->text()).value();
    }

    TempDir dir;
    std::string list;
};

TEST_F(BootstrapSecrets, MakesWhatIsMissingAndSaysNoValue) {
    const Ran r = run();
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, "Namespace/apps created\nSecret/apps/db created\nNamespace/queue created\nSecret/queue/nats created\nSecret/apps/operator created\n");

    const auto made = secrets();
    ASSERT_EQ(made.size(), 3u);
    const Object& db = made.at("Secret/apps/db");
    const Object& nats = made.at("Secret/queue/nats");
    const std::string password = value(db, "PASSWORD"), app = value(nats, "APP"), hash = value(nats, "APP_HASH");
    EXPECT_THAT(password, ::testing::MatchesRegex("[A-Za-z0-9]{24}"));
    EXPECT_THAT(value(db, "KEY"), ::testing::MatchesRegex("sk-[A-Za-z0-9]{20}"));
    EXPECT_EQ(value(nats, "URL"), "pg://u:" + password + "@h/" + app);
    EXPECT_EQ(value(made.at("Secret/apps/operator"), "token"), "planted-value");
    EXPECT_THAT(hash, ::testing::StartsWith("$2b$04$"));
    EXPECT_EQ(crypt(app.c_str(), hash.c_str()), hash);

    for (const std::string& secret : {password, app, hash, std::string("planted-value")}) {
        EXPECT_THAT(r.out, Not(HasSubstr(secret)));
        EXPECT_THAT(r.err, Not(HasSubstr(secret)));
    }
}

TEST_F(BootstrapSecrets, LeavesWhatExistsByteForByte) {
    ASSERT_EQ(run().status, 0);
    const auto before = secrets();
    const Ran again = run({{"PLANTED_TOKEN", "another"}});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.out, "Secret/apps/db unchanged\nSecret/queue/nats unchanged\nSecret/apps/operator unchanged\n");
    EXPECT_EQ(secrets(), before); // resourceVersion included
}

TEST_F(BootstrapSecrets, NamesKeysThatAnExistingSecretLacks) {
    ASSERT_EQ(run().status, 0);
    list = dir.write("more.yaml", "secrets:\n- {name: db, namespace: apps, data: {PASSWORD: {random: 24}, NEW: {random: 16}}}\n");
    const Ran r = run();
    EXPECT_EQ(r.status, 0);
    EXPECT_EQ(r.out, "Secret/apps/db unchanged\n");
    EXPECT_THAT(r.err, HasSubstr("Secret/apps/db has no NEW"));
}

TEST_F(BootstrapSecrets, AMissingVariableFailsOnlyItsSecret) {
    const Ran r = run({});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("secrets.yaml:16: Secret/apps/operator: token: the environment variable PLANTED_TOKEN is not set"));
    EXPECT_THAT(r.out, HasSubstr("Secret/queue/nats created\n"));
    EXPECT_EQ(secrets().size(), 2u);
    EXPECT_EQ(run().status, 0);
    EXPECT_EQ(secrets().size(), 3u);
}

TEST_F(BootstrapSecrets, DryRunWritesNothing) {
    const Ran r = run({{"PLANTED_TOKEN", "x"}}, {"--dry-run"});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, HasSubstr("Secret/queue/nats created (dry run)\n"));
    EXPECT_TRUE(secrets().empty());
}

TEST_F(BootstrapSecrets, TheClusterMustBeNamed) {
    const TempDir home;
    home.write(".kube/config", "not even read");
    const Ran r = weber({"bootstrap", "secrets", "-f", list}, {.environment = {{"HOME", home.path()}, {"KUBECONFIG", home / ".kube/config"}}});
    EXPECT_EQ(r.status, 2);
    EXPECT_THAT(r.err, HasSubstr("name the cluster"));
}

// ---- files of the repository that are encrypted for the cluster ----------------------------------------------------

class BootstrapFiles : public BootstrapSecrets {
protected:
    void SetUp() override {
        list = dir.write("fleet/bootstrap/secrets.yaml", "secrets:\n- {name: sops-age, namespace: flux-system, data: {identity.agekey: {age: identity}}}\n"
                                                         "encrypted:\n- file: overlays/{cluster}/vars.yaml\n  key: flux-system/sops-age/identity.agekey\n"
                                                         "  secret: {name: vars, namespace: flux-system, data: {password: {random: 24}, url: {template: 'u:${password}'}}}\n");
        dir.write("fleet/overlays/home/vars.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: vars}\n"); // a placeholder
    }
    Ran run_for(const std::string& cluster, std::vector<std::string> more = {}) {
        more.insert(more.end(), {"--cluster", cluster});
        return run({}, more);
    }
    std::string key() { return value(secrets().at("Secret/flux-system/sops-age"), "identity.agekey"); }
    std::string file = "/fleet/overlays/home/vars.yaml", rules = "/fleet/overlays/home/.sops.yaml";
};

TEST_F(BootstrapFiles, AreMadeOnceForTheKeyThatStaysInTheCluster) {
    const Ran first = run_for("home");
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_EQ(first.out, "Namespace/flux-system created\nSecret/flux-system/sops-age created\noverlays/home/vars.yaml created\n");
    const std::string encrypted = read_file(dir.path() + file), identity = key();
    EXPECT_THAT(identity, ::testing::MatchesRegex("AGE-SECRET-KEY-1[A-Z0-9]+\n"));
    const std::map<std::string, std::string> environment = {{"SOPS_AGE_KEY", identity}};
    const Ran plain = weber({"sops", "decrypt", dir.path() + file}, {.environment = environment}); // verifies the MAC
    ASSERT_EQ(plain.status, 0) << plain.err;
    EXPECT_THAT(plain.out, ::testing::ContainsRegex("password: [A-Za-z0-9]{24}\n"));
    EXPECT_THAT(plain.out, HasSubstr("namespace: flux-system\n"));
    if (const auto sops = weber::testing::peer("sops")) {
        EXPECT_EQ(weber::testing::run(*sops + " -d " + dir.path() + file, dir.path(), {"SOPS_AGE_KEY=" + identity}).out, plain.out);
    }

    const Ran again = run_for("home");
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.out, "Secret/flux-system/sops-age unchanged\noverlays/home/vars.yaml unchanged\n");
    EXPECT_EQ(read_file(dir.path() + file), encrypted);

    // others are encrypted for the same key by the rules beside it
    const std::string other = dir.write("fleet/overlays/home/other.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: o}\nstringData: {p: planted-value}\n");
    ASSERT_EQ(weber({"sops", "encrypt", "-i", other}).status, 0);
    EXPECT_THAT(weber({"sops", "decrypt", other}, {.environment = environment}).out, HasSubstr("planted-value"));

    // the private key and the values are in no file and in no output
    const std::string password = plain.out.substr(plain.out.find("password: ") + 10, 24);
    for (const std::string& text : {first.out, first.err, again.out, again.err, encrypted, read_file(dir.path() + rules)}) {
        EXPECT_THAT(text, Not(HasSubstr("AGE-SECRET-KEY")));
        EXPECT_THAT(text, Not(HasSubstr(password)));
    }
}

TEST_F(BootstrapFiles, OfAnotherKeyAreLeftAloneAndNamed) {
    ASSERT_EQ(run_for("home").status, 0);
    const std::string encrypted = read_file(dir.path() + file);
    std::filesystem::remove_all(dir.path() + "/state"); // a cluster made anew, its key is gone
    const Ran r = run_for("home");
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("overlays/home/vars.yaml: is encrypted for another key than this cluster's, age1"));
    EXPECT_EQ(read_file(dir.path() + file), encrypted);
}

TEST_F(BootstrapFiles, NeedTheNameOfTheCluster) {
    const std::string before = read_file(dir.path() + file);
    const Ran without = run({});
    EXPECT_EQ(without.status, 0) << without.err;
    EXPECT_THAT(without.err, HasSubstr("say which cluster of the repository this is, --cluster NAME"));
    EXPECT_EQ(run_for("../../x").status, 2);
    EXPECT_EQ(run_for("home", {"--dry-run"}).out, "Secret/flux-system/sops-age unchanged (dry run)\noverlays/home/vars.yaml created (dry run)\n");
    EXPECT_EQ(read_file(dir.path() + file), before);
    EXPECT_FALSE(std::filesystem::exists(dir.path() + rules));
}

TEST(SecretList, ErrorsNameTheLine) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"secrets:\n- name: a\n  namspace: b\n", "f:3: unknown field \"namspace\" in a secret; known: name, namespace, type, data"},
        {"secrets:\n- {name: a, namespace: b}\n", "f:2: Secret/b/a needs data: a map of keys"},
        {"secrets:\n- name: a\n  namespace: b\n  data:\n    K: {random: 3}\n", "f:5: random must be from 16 to 1024"},
        {"secrets:\n- name: a\n  namespace: b\n  data:\n    K: {random: x}\n", "f:5: random must be a number"},
        {"secrets:\n- name: a\n  namespace: b\n  data:\n    K: plain\n", "f:5: Secret/b/a K must be a map"},
        {"secrets:\n- name: a\n  namespace: b\n  data:\n    K: {}\n", "f:5: Secret/b/a K needs exactly one of random, bcrypt, template, environment, age"},
        {"secrets:\n- name: a\n  namespace: b\n  data:\n    H: {bcrypt: K}\n    K: {random: 16}\n",
         "f:5: Secret/b/a H: bcrypt names \"K\", which does not stand before it"},
        {"secrets:\n- {name: a, namespace: b, data: {K: {random: 16}}}\n- {name: a, namespace: b, data: {K: {random: 16}}}\n",
         "f:3: Secret/b/a stands twice in the list"},
        {"secrets: [\n", "f:2: end of sequence flow not found"},
        {"[]\n", "f:1: the list must be a map"},
    };
    for (const auto& [text, message] : cases) {
        const auto parsed = agent::parse_secret_list(text, "f");
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().to_string(), message);
    }
}

// The list of the fleet makes every Secret that the fleet's workloads read.
TEST(SecretList, OfTheFleetIsComplete) {
    const std::string file = WEBER_SOURCE_DIR "/deploy/fleet/bootstrap/secrets.yaml";
    const auto parsed = agent::parse_secret_list(read_file(file), file);
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    std::set<std::string> have;
    for (const agent::SecretSpec& s : parsed->secrets)
        for (const agent::SecretEntry& e : s.entries) have.insert(s.name + "/" + e.key);
    for (const char* needed : {"onepassword-service-account-token/token", "postgres-credentials/POSTGRES_PASSWORD", "postgres-credentials/LITELLM_PASSWORD",
                               "postgres-credentials/OPENWEBUI_PASSWORD", "litellm-database/DATABASE_URL", "openwebui-database/DATABASE_URL",
                               "redis-credentials/REDIS_PASSWORD", "litellm-credentials/LITELLM_MASTER_KEY", "litellm-credentials/LITELLM_SALT_KEY",
                               "openwebui-credentials/WEBUI_SECRET_KEY", "nats-credentials/NATS_ADMIN_PASSWORD_HASH",
                               "nats-credentials/NATS_APP_PASSWORD_HASH", "nats-credentials/NATS_APP_PASSWORD"})
        EXPECT_TRUE(have.contains(needed)) << needed;
}

} // namespace
} // namespace weber::agent_test
