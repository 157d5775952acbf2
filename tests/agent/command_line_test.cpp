// What anybody sees who mistypes.
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/run_binary.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(CommandLine, VersionOnStdout) {
    const Ran r = weber({"version"});
    EXPECT_EQ(r.status, 0);
    EXPECT_EQ(r.out, "weber: v" WEBER_VERSION "\n");
    EXPECT_EQ(r.err, "");
}

TEST(CommandLine, NoCommandPrintsHelp) {
    const Ran r = weber({});
    EXPECT_EQ(r.status, 0);
    EXPECT_THAT(r.out, HasSubstr("\nCommands:\n"));
    EXPECT_THAT(r.out, HasSubstr("  kustomize "));
}

TEST(CommandLine, HelpOfACommandNamesItsFlags) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"kustomize", "--help"}, {"help", "kustomize"}, {"kustomize", "-h"}}) {
        const Ran r = weber(words);
        EXPECT_EQ(r.status, 0);
        EXPECT_THAT(r.out, HasSubstr("--load-restrictor string"));
        EXPECT_EQ(r.err, "");
    }
}

// A verb alone is made without the others (agent/commands/root.cpp): the table of verbs must name each as it names itself.
TEST(CommandLine, EveryVerbOfTheHelpIsFoundByItsName) {
    std::istringstream help(weber({}).out);
    std::string line, verb;
    while (std::getline(help, line) && line != "Commands:") {}
    int verbs = 0;
    for (; std::getline(help, line) && !line.empty(); ++verbs) {
        std::istringstream(line) >> verb;
        const Ran r = weber({verb, "--help"});
        EXPECT_EQ(r.status, 0) << verb;
        EXPECT_THAT(r.out, HasSubstr("Usage:\n  weber " + verb)) << verb;
    }
    EXPECT_GT(verbs, 20);
}

// kustomization.md 8.1 and 8.2, sources.md 0.2: whoever ran kustomize-controller or source-controller with a flag can run the agent with it.
TEST(CommandLine, TheAgentTakesEveryFlagOfFluxsControllers) {
    const std::vector<std::string> all = {"agent", "--kubeconfig=/nonexistent", "--metrics-addr=:0", "--health-addr=:0", "--events-addr=http://x", "--concurrent=8", "--concurrent-ssa=2",
        "--requeue-dependency=5s", "--interval-jitter-percentage=10", "--min-retry-delay=1s", "--max-retry-delay=1m", "--http-retry=3", "--no-cross-namespace-refs=true", "--no-remote-bases=true",
        "--default-service-account=x", "--default-decryption-service-account=x", "--default-kubeconfig-service-account=x", "--sops-age-secret=x", "--sops-vault-configmap=x", "--override-manager=a",
        "--override-manager=b", "--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role", "--watch-all-namespaces=false", "--watch-label-selector=a=b", "--watch-configs-label-selector=a=b",
        "--kube-api-qps=500", "--kube-api-burst=1000", "--insecure-kubeconfig-exec", "--insecure-kubeconfig-tls", "--token-cache-max-size=10", "--token-cache-max-duration=5m",
        "--enable-leader-election", "--leader-election-release-on-cancel=false", "--leader-election-lease-duration=35s", "--leader-election-renew-deadline=30s", "--leader-election-retry-period=5s",
        "--log-encoding=console", "--log-level=debug", "--artifact-retention-ttl=2m", "--artifact-retention-records=3", "--artifact-digest-algo=blake3",
        "--storage-path=/nonexistent", "--storage-addr=:0", "--storage-adv-addr=x", "--ssh-kex-algos=curve25519-sha256,ecdh-sha2-nistp521", "--ssh-hostkey-algos=ssh-ed25519,x", "--helm-index-max-size=1",
        "--helm-chart-max-size=1", "--helm-chart-file-max-size=1", "--helm-cache-max-size=10", "--helm-cache-ttl=60m", "--helm-cache-purge-interval=5m",
        "--feature-gates=StrictPostBuildSubstitutions=false,DisableStatusPollerCache=true,DisableFailFastBehavior=true,CacheSecretsAndConfigMaps=true,GroupChangeLog=true,AdditiveCELDependencyCheck=true,"
        "ExternalArtifact=true,CancelHealthCheckOnNewRevision=true,DisableConfigWatchers=true,DirectSourceFetch=true,MigrateAPIVersion=true,ObjectLevelWorkloadIdentity=true,DisableCommitStatusEvent=true"};
    const Ran r = weber(all, {.environment = {{"RUNTIME_NAMESPACE", "x"}}});
    EXPECT_THAT(r.err, MatchesRegex("....-..-..T..:..:......Z\tERROR\tsetup\tproblem running the agent\t\\{\"error\":\"cannot read the kubeconfig /nonexistent: No such file or directory\"\\}\n")) << "and nothing about a flag";
    EXPECT_EQ(r.status, 1);
    for (const char* account : {"--default-decryption-service-account=x", "--default-kubeconfig-service-account=x"})
        EXPECT_THAT(weber({"agent", account}).err, HasSubstr("cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled"));
    EXPECT_THAT(weber({"agent", "--feature-gates=Nope=true"}).err, HasSubstr("feature-gate 'Nope' not supported"));
    for (const char* wrong : {"--feature-gates=Nope=true", "--feature-gates=ExternalArtifact=yes", "--feature-gates=ExternalArtifact", "--watch-label-selector=a==b==c", "--watch-configs-label-selector=,",
                              "--interval-jitter-percentage=100", "--interval-jitter-percentage=-1", "--artifact-digest-algo=md5", "--ssh-kex-algos=x", "--ssh-hostkey-algos=x,y",
                              "--default-kubeconfig-service-account=x", "--prune-guard=never", "--requeue-dependency=0s", "--min-retry-delay=0s", "--max-retry-delay=-1s", "--events-addr=notification-controller",
                              "--watch-all-namespaces=false", "--controllers=helmrelease"}) {
        const Ran r = weber({"agent", wrong});
        EXPECT_EQ(r.status, 1) << wrong; // 8.4
        EXPECT_THAT(r.err, MatchesRegex("\\{\"level\":\"error\",\"ts\":\"[^\"]*\",\"msg\":\"problem running the agent\",\"logger\":\"setup\",\"error\":\".*\"\\}\n")) << wrong;
        const std::string flag(std::string(wrong).substr(0, std::string(wrong).find('=')));
        EXPECT_THAT(r.err, ::testing::AnyOf(HasSubstr(flag), HasSubstr("feature-gate"), HasSubstr("ObjectLevelWorkloadIdentity"))) << "which flag it was";
    }
}

// As component-base's MapStringBool: any word for a boolean, blanks around, and what is given twice adds up.
TEST(CommandLine, FeatureGatesAreReadAsFluxReadsThem) {
    const auto said = [](std::vector<std::string> gates) {
        gates.insert(gates.begin(), {"agent", "--kubeconfig=/nonexistent", "--default-kubeconfig-service-account=x"});
        return weber(gates).err;
    };
    for (const std::vector<std::string>& right : std::vector<std::vector<std::string>>{{"--feature-gates=ObjectLevelWorkloadIdentity=True"},
                                                                                       {"--feature-gates= ObjectLevelWorkloadIdentity = 1 ,"},
                                                                                       {"--feature-gates=ObjectLevelWorkloadIdentity=true", "--feature-gates", "GroupChangeLog=t"}})
        EXPECT_THAT(said(right), HasSubstr("cannot read the kubeconfig")) << right.front();
    EXPECT_THAT(said({"--feature-gates=ObjectLevelWorkloadIdentity=true", "--feature-gates=ObjectLevelWorkloadIdentity=false"}), HasSubstr("ObjectLevelWorkloadIdentity is not enabled"));
}

struct Wrong {
    std::vector<std::string> words;
    std::string err;
};

TEST(CommandLine, WrongOnesExitWithTwoAndSuggest) {
    const std::vector<Wrong> cases = {
        {{"kustomise"}, "✗ unknown command \"kustomise\" for \"weber\"\n  did you mean `weber kustomize`?\n"},
        {{"frobnicate"}, "✗ unknown command \"frobnicate\" for \"weber\"\n  `weber --help` lists the commands\n"},
        {{"kustomize", "--outptu", "x"}, "✗ unknown flag: --outptu\n  did you mean --output?\n"},
        {{"kustomize", "-o"}, "✗ flag needs an argument: 'o' in -o\n  see `weber kustomize --help`\n"},
        {{"apiserver", "--listen", "nowhere"}, "✗ --listen must be ADDRESS:PORT, not \"nowhere\"\n  see `weber apiserver --help`\n"},
        {{"apiserver", "--rollout-delay=soon"},
         "✗ invalid argument \"soon\" for \"--rollout-delay\" flag: time: invalid duration \"soon\"\n  see `weber apiserver --help`\n"},
    };
    for (const Wrong& c : cases) {
        const Ran r = weber(c.words);
        EXPECT_EQ(r.status, 2) << c.words.front();
        EXPECT_EQ(r.out, "");
        EXPECT_EQ(r.err, c.err);
    }
}

// Flux exits with 1 whatever was wrong.
TEST(CommandLine, CalledAsFluxTheStatusIsFluxs) {
    const Ran r = weber({"nope"}, {.program = "/usr/local/bin/flux"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("✗ unknown command \"nope\" for \"flux\"\n"));
}

} // namespace
} // namespace weber::agent_test
