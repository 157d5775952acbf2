// `completion`: what is offered, and that the scripts bring it into real shells.
#include <filesystem>
#include <map>

#include "tests/agent/everyday.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;

class Completion : public Everyday {
protected:
    void SetUp() override {
        Everyday::SetUp();
        std::filesystem::create_directories(dir / "bin");
        for (const char* name : {"weber", "flux"}) std::filesystem::create_symlink(WEBER_BINARY, dir / ("bin/" + std::string(name)));
        std::filesystem::create_directories(dir / "empty");
    }
    std::string offers(std::vector<std::string> words) {
        words.insert(words.begin(), "__completeNoDesc");
        return weber(words).out;
    }
    // What a shell would offer for `line`, a candidate a line.
    testing::Ran in_shell(const std::string& shell, const std::string& script) {
        return testing::run(shell + " " + dir.write("ask." + shell, script), dir / "empty", {"PATH=" + (dir / "bin") + ":/usr/bin:/bin", "HOME=" + (dir / "empty")});
    }
    // As readline does: words split at blanks and "="; the last is completed.
    std::string bash(const std::string& program, const std::vector<std::string>& words) {
        std::string script = "source <(" + program + " completion bash)\nCOMP_WORDS=(" + program;
        for (const std::string& word : words) script += " '" + word + "'";
        script += ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_" + program + "\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
        return in_shell("bash", script).out;
    }
};

TEST_F(Completion, OffersCommands) {
    EXPECT_EQ(offers({"re"}), "reconcile\nresume\n:4\n");
    EXPECT_EQ(offers({"get", "sources", "g"}), "git\n:4\n");
    EXPECT_EQ(offers({"-n", "get", "tr"}), "trace\ntree\n:4\n"); // "get" is a namespace there
    EXPECT_EQ(weber({"__complete", "sta"}).out, "stats\tCount Flux's objects by how they fare\n:4\n");
}

TEST_F(Completion, OffersFlags) {
    EXPECT_EQ(offers({"get", "ks", "--status"}), "--status-selector\n:4\n");
    EXPECT_EQ(offers({"get", "ks", "-A", "--all"}), ":4\n"); // given already
    EXPECT_THAT(offers({"get", "ks", "-"}), HasSubstr("\n-A\n"));
}

TEST_F(Completion, OffersNamesOfTheCluster) {
    const std::string state = dir / "state";
    EXPECT_EQ(offers({"get", "kustomizations", "--state", state, "a"}), "apps\n:4\n");
    EXPECT_EQ(offers({"suspend", "source", "git", "--state=" + state, ""}), "flux-system\nvendor\n:4\n");
    EXPECT_EQ(offers({"get", "ks", "-n", "team-a", "--state", state, ""}), "shop\n:4\n");
    EXPECT_EQ(offers({"get", "ks", "--state", state, "-n", "team"}), "team-a\n:4\n");
    EXPECT_EQ(offers({"get", "ks", "--state", state, "--namespace=te"}), "team-a\n:4\n");
    EXPECT_EQ(offers({"create", "kustomization", "--state", state, ""}), ":0\n"); // a new name is nobody's
    EXPECT_EQ(offers({"get", "ks", "--state", dir / "nowhere", ""}), ":1\n");
}

TEST_F(Completion, OffersContextsAndLeavesFilesToTheShell) {
    const std::string config = dir.write("config", "apiVersion: v1\nkind: Config\ncontexts: [{name: home, context: {}}, {name: hive, context: {}}, {name: work, context: {}}]\n");
    EXPECT_EQ(offers({"get", "ks", "--kubeconfig", config, "--context", "h"}), "hive\nhome\n:4\n");
    EXPECT_EQ(offers({"build", "ks", "apps", "--path", "cl"}), ":0\n");
}

TEST_F(Completion, InBash) {
    EXPECT_EQ(bash("weber", {"re"}), "reconcile\nresume\n");
    EXPECT_EQ(bash("flux", {"get", "ks", "--status"}), "--status-selector\n");
    EXPECT_EQ(bash("weber", {"get", "ks", "--state", dir / "state", "a"}), "apps\n");
    EXPECT_EQ(bash("weber", {"get", "ks", "--state", "=", dir / "state", "-n", "team"}), "team-a\n");
    EXPECT_EQ(bash("weber", {"get", "ks", "--state", dir / "state", "--namespace", "=", "te"}), "team-a\n");
    EXPECT_THAT(bash("weber", {"get", "ks", "--state", dir / "state", "--namespace", "="}), HasSubstr("\nflux-system\n"));
}

TEST_F(Completion, InFish) {
    if (!std::filesystem::exists("/usr/bin/fish")) GTEST_SKIP() << "no fish on this machine";
    const std::string script = "weber completion fish | source\ncomplete -C 'weber re'\ncomplete -C 'weber get ks --state " + (dir / "state") + " a'\ncomplete -C 'weber get ks --state=" +
                               (dir / "state") + " --namespace=te'\n";
    EXPECT_THAT(in_shell("fish", script).out, HasSubstr("reconcile\tMake a cluster what git says: once, from here, or by asking the agent in the cluster\nresume\tGo on reconciling a suspended object\napps\n--namespace=team-a\n"));
}

TEST_F(Completion, InZsh) {
    if (!std::filesystem::exists("/usr/bin/zsh")) GTEST_SKIP() << "no zsh on this machine";
    // The completion system wants a terminal; its one call that shows candidates is replaced, the rest of the function is what runs.
    const std::string script = "autoload -U compinit\ncompinit -D\n_describe() { print -l -- \"${(@P)2}\" }\ncompset() { print -- prefix $2 }\n_files() { print files }\nsource <(weber completion zsh)\n"
                               "ask() { words=(weber \"$@\"); CURRENT=$#words; _weber }\nask re\nask get ks --state " + (dir / "state") + " a\nask get ks --state=" + (dir / "state") +
                               " --namespace=te\nask build ks x --path cl\n";
    EXPECT_EQ(in_shell("zsh", script).out, "reconcile:Make a cluster what git says: once, from here, or by asking the agent in the cluster\nresume:Go on reconciling a suspended object\napps\n"
                                           "prefix *=\nteam-a\nfiles\n");
}

} // namespace
} // namespace weber::agent_test
