// Killed in the middle (kill -9), then run again: the same final state, nothing orphaned. The run happens in a child process, this test binary again.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/gitops/reconcile/fleet.h"

extern char** environ;

namespace weber::gitops {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

constexpr int kObjects = 40;
constexpr int kNeverKilled = 1'000'000;

// Kills its own process at the n-th thing that is said.
class Killer final : public ProgressSink {
public:
    explicit Killer(int at) : at_(at) {}
    void on_progress(const Progress&) override {
        if (++said_ == at_) ::kill(::getpid(), SIGKILL);
    }

private:
    const int at_;
    int said_ = 0;
};

// Only as a child of the test below.
TEST(CrashChild, Run) {
    const char* socket = std::getenv("WEBER_CRASH_SOCKET");
    if (socket == nullptr) GTEST_SKIP() << "a part of Crash.KilledAnywhereThenRunAgain";
    const auto client = kube::Client::connect(kube::unix_socket_config(socket));
    ASSERT_TRUE(client);
    OnceOptions options;
    options.path = std::getenv("WEBER_CRASH_FLEET");
    Killer killer(std::atoi(std::getenv("WEBER_CRASH_AT")));
    const auto r = reconcile_once(**client, options, &killer);
    ASSERT_TRUE(r) << r.error().to_string();
    EXPECT_TRUE(r->ok());
}

class Crash : public weber::testing::FleetTest {
protected:
    // True when it was killed, false when it came to its end.
    bool run_child(int at) {
        const std::vector<std::string> extra{"WEBER_CRASH_SOCKET=" + cluster.server()->unix_path(), "WEBER_CRASH_FLEET=" + dir.path(), "WEBER_CRASH_AT=" + std::to_string(at)};
        std::vector<char*> env;
        for (char** e = environ; *e != nullptr; ++e) env.push_back(*e);
        for (const std::string& e : extra) env.push_back(const_cast<char*>(e.c_str()));
        env.push_back(nullptr);
        std::string self = "/proc/self/exe", filter = "--gtest_filter=CrashChild.Run", brief = "--gtest_brief=1";
        char* argv[] = {self.data(), filter.data(), brief.data(), nullptr};
        pid_t child = 0;
        EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv, env.data()), 0);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) {
            EXPECT_EQ(WTERMSIG(status), SIGKILL);
            return true;
        }
        EXPECT_EQ(WEXITSTATUS(status), 0);
        return false;
    }
    std::vector<std::string> objects() {
        std::vector<std::string> out;
        const auto list = cluster.client().list({"", "v1", "ConfigMap"}, {.ns = ns, .label_selector = std::string(kOwnerName)});
        EXPECT_TRUE(list);
        for (const Object& o : list->items) out.emplace_back(o.name());
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(Servers, Crash, ::testing::Values(weber::testing::ClusterKind::embedded), weber::testing::cluster_name);

TEST_P(Crash, KilledAnywhereThenRunAgain) {
    int killed = 0;
    for (int at = 1;; at += 2) { // every second thing that a run says
        const std::string app = "app" + std::to_string(at);
        declare(app);
        std::vector<std::string> wanted;
        for (int i = 0; i < kObjects; ++i) config_map(app, app + "-" + std::to_string(i));
        const bool was_killed = run_child(at);
        killed += was_killed ? 1 : 0;
        // What left the source between the crash and the next run must go, even if it was made just before the crash.
        for (int i = 0; i < kObjects; ++i)
            if (i % 2 == 0) wanted.push_back(app + "-" + std::to_string(i));
            else remove(app + "/" + app + "-" + std::to_string(i) + ".yaml");
        const OnceResult r = once();
        ASSERT_TRUE(r.ok()) << at;
        EXPECT_THAT(objects(), UnorderedElementsAreArray(wanted)) << "killed at " << at;
        EXPECT_EQ(inventory(app).size(), wanted.size()) << at;
        EXPECT_EQ(once().requests.writes(), 0u) << at;
        remove("clusters/test/" + app + ".yaml");
        remove(app);
        ASSERT_TRUE(once().ok());
        ASSERT_THAT(objects(), IsEmpty()) << at;
        if (!was_killed) break;
    }
    EXPECT_GT(killed, 8);
    EXPECT_FALSE(run_child(kNeverKilled));
}

} // namespace
} // namespace weber::gitops
