// `weber reconcile --once` killed (SIGKILL) in the middle, then run again: the state of a run that was not killed. With the embedded API server, whose
// state dies with the process, and a real one.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "agent/cluster.h"
#include "kube/base/json.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "tests/agent/run_binary.h"

namespace weber::agent_test {
namespace {

using ::testing::UnorderedElementsAreArray;

constexpr int kObjects = 30;

class KilledOnce : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        const char* config = std::getenv("WEBER_TEST_KUBECONFIG");
        if (GetParam() && config == nullptr)
            GTEST_SKIP() << "no real kube-apiserver: WEBER_TEST_KUBECONFIG is not set (tests/cluster/cluster.sh run -- …)";
        target_ = GetParam() ? std::vector<std::string>{"--kubeconfig", config} : std::vector<std::string>{"--state", dir / "state"};
        ns_ = "killed-" + std::to_string(::getpid());
        const std::string spec = "spec:\n  interval: 10m\n  prune: true\n  sourceRef: {kind: GitRepository, name: " + ns_ + "}\n";
        dir.write("f/clusters/a/sync.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns_ + "}\n---\n"
                  "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: " + ns_ + ", namespace: " + ns_ + "}\n"
                  "spec: {interval: 1m, url: 'https://example.org/f'}\n---\n"
                  "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: root, namespace: " + ns_ + "}\n" + spec + "  path: ./clusters/a\n---\n"
                  "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: " + ns_ + "}\n" + spec + "  path: ./app\n");
    }
    void TearDown() override {
        if (!GetParam() || ns_.empty()) return;
        const auto client = kube::Client::connect(*kube::load_kubeconfig({.files = {target_.back()}}));
        (void)(*client)->remove({.gvk = {"", "v1", "Namespace"}, .name = ns_});
    }
    std::vector<std::string> words() const {
        std::vector<std::string> out = {"reconcile", "--once", "--path", dir / "f", "--cluster", "a"};
        out.insert(out.end(), target_.begin(), target_.end());
        return out;
    }
    // The app of round `n` has its own objects; `every`: of which only each second one is left.
    std::vector<std::string> write_app(int n, bool every) const {
        std::string text;
        std::vector<std::string> names;
        for (int i = 0; i < kObjects; i += every ? 1 : 2) {
            names.push_back("r" + std::to_string(n) + "-" + std::to_string(i));
            text += "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + names.back() + ", namespace: " + ns_ + "}\n---\n";
        }
        dir.write("f/app/maps.yaml", text);
        return names;
    }
    // Kills the run when it has said `lines` lines; false when it ended before.
    bool killed_at(int lines) const {
        std::array<int, 2> pipe_ends{};
        EXPECT_EQ(::pipe2(pipe_ends.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 2);
        ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        std::vector<std::string> arguments = words();
        arguments.insert(arguments.begin(), "weber");
        std::vector<char*> argv;
        for (std::string& a : arguments) argv.push_back(a.data());
        argv.push_back(nullptr);
        pid_t child = 0;
        EXPECT_EQ(::posix_spawn(&child, WEBER_BINARY, &actions, nullptr, argv.data(), environ), 0);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(pipe_ends[1]);
        char c = 0;
        for (int seen = 0; seen < lines && ::read(pipe_ends[0], &c, 1) == 1;) seen += c == '\n' ? 1 : 0;
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ::close(pipe_ends[0]);
        return WIFSIGNALED(status);
    }
    std::vector<std::string> names_in_cluster() const {
        kube::ServerOptions options;
        if (!GetParam()) options.data_dir = target_.back();
        const auto cluster = GetParam() ? Result<agent::Cluster>(fail(ErrorCode::internal, "")) : agent::open_embedded(options);
        const auto real = GetParam() ? kube::Client::connect(*kube::load_kubeconfig({.files = {target_.back()}})) : Result<std::shared_ptr<kube::Client>>(nullptr);
        kube::Client& client = GetParam() ? **real : *cluster->client;
        std::vector<std::string> out;
        const auto found = client.list({"", "v1", "ConfigMap"}, {.ns = ns_, .label_selector = "kustomize.toolkit.fluxcd.io/name=app"});
        EXPECT_TRUE(found) << found.error().to_string();
        for (const Object& o : found->items) out.emplace_back(o.name());
        return out;
    }

    TempDir dir;
    std::vector<std::string> target_;
    std::string ns_;
};
INSTANTIATE_TEST_SUITE_P(Servers, KilledOnce, testing::Bool(), [](const auto& i) { return i.param ? "Real" : "Embedded"; });

TEST_P(KilledOnce, TheNextRunEndsWhereItWouldHave) {
    int killed = 0;
    for (int lines = 1; lines < 14; ++lines) { // a run says about twenty
        write_app(lines, true);
        killed += killed_at(lines) ? 1 : 0;
        const std::vector<std::string> wanted = write_app(lines, false); // what the killed run may have made must go
        const Ran r = weber(words());
        ASSERT_EQ(r.status, 0) << lines << '\n' << r.err;
        EXPECT_THAT(names_in_cluster(), UnorderedElementsAreArray(wanted)) << "killed at line " << lines;
        std::vector<std::string> again = words();
        again.insert(again.end(), {"-o", "json"});
        const Node report = kube::read_json(weber(again).out).value();
        EXPECT_EQ(report.find_path({"requests", "writes"})->as_int(), 0) << lines;
    }
    EXPECT_GT(killed, 8);
}

} // namespace
} // namespace weber::agent_test
