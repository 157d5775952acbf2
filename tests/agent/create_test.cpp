// `create` and `envsubst`, beside the real flux where it is there: same bytes, same status.
#include <fstream>

#include "kube/base/digest.h"
#include "tests/agent/everyday.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// 42
TEST(Create, PrintsWhatFluxPrints) {
    const Ran secret = weber({"create", "secret", "git", "fleet", "--url", "https://example.org/x", "-u", "a", "-p", "012", "--label", "a=b", "--export"}, {.environment = {{"KUBECONFIG", "/nonexistent"}}});
    EXPECT_EQ(secret.status, 0) << secret.err;
    EXPECT_EQ(secret.out, "---\napiVersion: v1\nkind: Secret\nmetadata:\n  labels:\n    a: b\n  name: fleet\n  namespace: flux-system\nstringData:\n  password: \"012\"\n  username: a\n\n");
    const Ran source = weber({"create", "source", "git", "fleet", "--url", "https://example.org/x", "--branch", "main", "--tag-semver", ">1", "--ignore-paths", "/a,/b", "--export"});
    EXPECT_EQ(source.out, "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: fleet\n  namespace: flux-system\nspec:\n  ignore: |-\n    /a\n    /b\n"
                          "  interval: 1m0s\n  ref:\n    semver: '>1'\n  url: https://example.org/x\n");
    const Ran ks = weber({"create", "ks", "apps", "--source", "OCIRepository/fleet.other", "--path", "x/../../apps/", "--prune", "--depends-on", "a,ns/b", "--health-check", "Deployment/x.y", "--export"});
    EXPECT_EQ(ks.out, "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\nspec:\n  dependsOn:\n  - name: a\n"
                      "  - name: b\n    namespace: ns\n  healthChecks:\n  - kind: Deployment\n    name: x\n    namespace: \"y\"\n  interval: 1m0s\n  path: ./apps\n  prune: true\n"
                      "  sourceRef:\n    kind: OCIRepository\n    name: fleet\n    namespace: other\n  timeout: 2m0s\n");
    const std::vector<std::string> plain{"create", "ks", "apps", "--source", "a", "--export"};
    std::vector<std::string> old = plain;
    old.insert(old.end(), {"--validation", "client"});
    const Ran with = weber(old); // a flag that Flux takes and no longer uses
    EXPECT_EQ(with.status, 0);
    EXPECT_EQ(with.out, weber(plain).out);
    EXPECT_EQ(with.err, "Flag --validation has been deprecated, this arg is no longer used, all resources are validated using server-side apply dry-run\n");
}

const std::vector<std::vector<std::string>>& mistakes() {
    static const std::vector<std::vector<std::string>> all = {
        {"secret", "git", "xx"}, {"secret", "git", "xx", "--url", "git://x"}, {"secret", "git", "xx", "--url", "https://x"}, {"secret", "git", "xx", "--url", "https://x", "-u", "a"},
        {"secret", "git", "xx", "--url", "https://x", "-u", "a", "-p", "b", "--bearer-token", "c"}, {"secret", "git", "xx", "--url", "https://x", "-u", "a", "-p", "b", "--ca-crt-file", "/nonexistent"},
        {"source", "git", "XX", "--url", "https://x", "--branch", "a"}, {"source", "git", "x", "--url", "https://x", "--branch", "a"}, {"source", "git", "xx", "--branch", "a"},
        {"source", "git", "xx", "--url", "https://x"}, {"source", "git", "xx", "--url", "https://x", "--branch", "a", "--provider", "b"}, {"source", "git", "--url", "https://x"},
        {"source", "git", "xx", "--url", "ssh://git@x/y", "--branch", "a", "--ca-file", "/nonexistent"},
        {"kustomization", "xx"}, {"kustomization", "xx", "--source", "Foo/a"}, {"kustomization", "xx", "--source", "a", "--label", "x"},
        {"kustomization", "xx", "--source", "a", "--label", "x=y=z"}, {"kustomization", "xx", "--source", "a", "--health-check", "x"},
        {"kustomization", "xx", "--source", "a", "--health-check", "Foo/x.y"}, {"kustomization", "xx", "--source", "a", "--decryption-provider", "x"},
        {"kustomization", "xx", "--source", "GitRepository/"}, {"kustomization", "xx", "--source", "Bucket"}, {"kustomization", "xx", "--source", "a", "--health-check", "Deployment/x"},
        {"kustomization", "xx", "--source", "a", "--health-check", "Deployment/x/y"}, {"kustomization", "xx", "--source", "a", "--health-check", "Deployment/x.y.z"}};
    return all;
}
const std::vector<std::vector<std::string>>& right() {
    static const std::vector<std::vector<std::string>> all = {
        {"source", "git", "xx", "--url", "ssh://git@x/y", "--commit", "c", "--branch", "b", "--tag", "t"}, {"source", "git", "xx", "--url", "https://x", "--tag", "t", "--ref-name", "r", "--tag-semver", "1"},
        {"source", "git", "xx", "--url", "https://x", "--branch", "b", "--secret-ref", "s", "--interval", "90s", "--sparse-checkout-paths", "a,b", "--provider", "generic", "--fetch-timeout", "30s", "--recurse-submodules"},
        {"kustomization", "xx", "--source", "a", "--wait", "--health-check", "Deployment/x.y", "--service-account", "s", "--decryption-provider", "sops", "--decryption-secret", "d", "--target-namespace", "t",
         "--retry-interval", "1m", "--kubeconfig-secret-ref", "k"},
        {"kustomization", "xx", "--source", "a", "--health-check", "Deployment/x.ns,HelmRelease/y.b", "--interval", "0s", "-n", "other"}, {"kustomization", "xx", "--source", "a", "--path", "/x"},
        {"kustomization", "xx", "--source", "ocirepository/a.b.c"}, {"source", "git", "xx", "--url", "https://x", "--branch", "a", "--fetch-timeout", "0s"},
        {"secret", "git", "xx", "--url", "https://x", "--bearer-token", "true"}, {"secret", "git", "xx", "--url", "https://x", "--bearer-token", "t", "-u", "a"}};
    return all;
}

// Runs flux itself with these words; its output and status as a Ran.
Ran real_flux(const std::string& program, const std::vector<std::string>& words, const std::string& input = "") {
    TempDir dir;
    std::string command = "'" + program + "'";
    for (const std::string& w : words) command += " '" + w + "'";
    const std::string in = dir.write("in", input);
    const int status = std::system(("A=v " + command + " < " + in + " > " + (dir / "out") + " 2> " + (dir / "err")).c_str());
    return {WEXITSTATUS(status), read_file(dir / "out"), read_file(dir / "err")};
}

TEST(Create, SaysWhatFluxSays) {
    const auto program = testing::peer("flux");
    if (!program) GTEST_SKIP() << "no flux: tests/cluster/tools.sh flux";
    for (const auto* list : {&mistakes(), &right()})
        for (std::vector<std::string> words : *list) {
            words.insert(words.begin(), "create");
            words.emplace_back("--export");
            const Ran ours = weber(words, {.program = "flux"}), theirs = real_flux(*program, words);
            std::string line;
            for (const std::string& w : words) line += w + " ";
            EXPECT_EQ(ours.status, theirs.status) << line;
            EXPECT_EQ(ours.out, theirs.out) << line;
            EXPECT_EQ(ours.err, theirs.err) << line;
        }
}

TEST(Create, MistakesExitWithOne) {
    for (std::vector<std::string> words : mistakes()) {
        words.insert(words.begin(), "create");
        const Ran r = weber(words);
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.out, "");
        EXPECT_THAT(r.err, StartsWith("✗ "));
    }
}

TEST_F(Everyday, CreateMakesThenUpdates) {
    const Ran first = flux({"create", "source", "git", "mine", "--url", "https://example.org/x", "--branch", "a", "-u", "me", "-p", "planted", "--timeout", "1s"});
    EXPECT_EQ(first.status, 1); // no controller makes it ready
    EXPECT_EQ(first.err, "✚ generating GitRepository source\n► applying secret with repository credentials\n✔ authentication configured\n► applying GitRepository source\n"
                         "✔ GitRepository source created\n◎ waiting for GitRepository source reconciliation\n✗ context deadline exceeded\n");
    EXPECT_EQ(get("", "Secret", "flux-system", "mine").at({"data", "password"})->text(), kube::base64_encode("planted"));
    EXPECT_EQ(get("source.toolkit.fluxcd.io", "GitRepository", "flux-system", "mine").at({"spec", "secretRef", "name"})->text(), "mine");
    const Ran second = flux({"create", "ks", "apps", "--source", "other", "--label", "a=b", "--timeout", "1s"});
    EXPECT_THAT(second.err, HasSubstr("✔ Kustomization updated\n"));
    const Object apps = get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps");
    EXPECT_EQ(kube::write_json(apps.root().find("spec")->find("sourceRef") ? *apps.at({"spec", "sourceRef"}) : Node()), R"({"kind":"GitRepository","name":"other"})");
    EXPECT_FALSE(apps.at({"spec", "dependsOn"}));
    EXPECT_EQ(kube::write_json(*apps.at({"metadata", "labels"})), R"({"a":"b"})");
}

TEST_F(Everyday, CreateMakesASecretOfAnAuthorityAlone) {
    const std::string file = dir.write("ca.crt", "planted\n");
    const Ran made = flux({"create", "source", "git", "mine", "--url", "https://example.org/x", "--branch", "a", "--ca-file", file, "--timeout", "1s"});
    EXPECT_THAT(made.err, HasSubstr("► applying secret with repository credentials\n✔ authentication configured\n"));
    EXPECT_EQ(get("", "Secret", "flux-system", "mine").at({"data", "ca.crt"})->text(), kube::base64_encode("planted\n"));
    const Ran plain = flux({"create", "source", "git", "plain", "--url", "http://example.org/x", "--branch", "a", "--ca-file", file, "--timeout", "1s"});
    EXPECT_THAT(plain.err, StartsWith("✚ generating GitRepository source\n⚠️ insecure configuration: credentials configured for an HTTP URL\n► applying GitRepository source\n"));
}

TEST(Create, SaysWhatItDoesNotDo) {
    const Ran ssh = weber({"create", "secret", "git", "xx", "--url", "ssh://git@x/y", "--export"});
    EXPECT_EQ(ssh.status, 1);
    EXPECT_THAT(ssh.err, HasSubstr("✗ weber makes no keys for git over ssh\n  make the key with ssh-keygen"));
    for (const char* hoster : {"git", "github", "gitlab", "gitea", "bitbucket-server"}) { // 45
        const Ran r = weber({"bootstrap", hoster, "--url", "https://x", "--owner", "y"}, {.program = "flux"});
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.out, "");
        EXPECT_THAT(r.err, StartsWith("✗ weber writes to no git repository, so it does not do `flux bootstrap " + std::string(hoster) + "`\n  1. commit "));
    }
}

TEST(EnvSubst, ReplacesLineByLine) {
    struct Case {
        std::string in;
        bool strict;
        int status;
        std::string out, err;
    };
    const std::vector<Case> cases = {
        {"a ${A} ${B:=x} $C\nb ${A^^}\n", false, 0, "a v x $C\nb V\n", ""}, {"${Q}|\n", false, 0, "|\n", ""}, {"${Q}\n", true, 1, "", "✗ variable not set (strict mode): \"Q\"\n"},
        {"${Q:-z}", true, 0, "z\n", ""}, {"ok\n${Q\n", false, 1, "ok\n", "✗ missing closing brace\n"}, {"", false, 0, "", ""}, {"${A/v/w}\n\n", false, 0, "w\n\n", ""}};
    const auto program = testing::peer("flux");
    for (const Case& c : cases) {
        std::vector<std::string> words = {"envsubst"};
        if (c.strict) words.emplace_back("--strict");
        const Ran r = weber(words, {.program = "flux", .input = c.in, .environment = {{"A", "v"}}});
        EXPECT_EQ(r.status, c.status) << c.in;
        EXPECT_EQ(r.out, c.out) << c.in;
        EXPECT_EQ(r.err, c.err) << c.in;
        if (!program) continue;
        const Ran theirs = real_flux(*program, words, c.in);
        EXPECT_EQ(theirs.status, c.status) << c.in;
        EXPECT_EQ(theirs.out, c.out) << c.in;
        EXPECT_EQ(theirs.err, c.err) << c.in;
    }
    EXPECT_EQ(weber({"envsubst"}, {.input = "a\n${Q\n"}).err, "✗ line 2: missing closing brace\n");
}

} // namespace
} // namespace weber::agent_test
