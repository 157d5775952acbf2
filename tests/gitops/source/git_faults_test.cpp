// What goes wrong around a fetch: killed processes, damaged caches, cut and silent servers, a full disk, a rewritten history. Each time the condition says so,
// the last good artifact stays, and the next run mends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gitops/source/git_cache.h"
#include "gitops/source/git_reconcile.h"
#include "tests/gitops/source/git_server.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

namespace stdfs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class GitFaults : public ::testing::Test {
protected:
    void SetUp() override {
        run("git init -q -b main work && git init -q --bare -b main repo.git");
        commit("a", "one");
        if (!server_.start(dir_.path(), {"--cut", dir_.path() + "/cut"})) GTEST_SKIP() << "python3 does not run here";
        make("/repo.git");
        settings_.cache_dir = cache();
        settings_.storage = &storage_;
    }
    void run(const std::string& command) {
        const std::string whole = "cd " + dir_.path() + " && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t "
                                  "GIT_COMMITTER_EMAIL=t@t && (" + command + ") >/dev/null 2>&1";
        ASSERT_EQ(std::system(whole.c_str()), 0) << command;
    }
    void commit(const std::string& file, const std::string& text) {
        dir_.write("work/" + file, text);
        run("cd work && git add -A && git commit -qm change && git push -qf ../repo.git main");
    }
    void make(const std::string& path, const std::string& timeout = "30s") {
        const Node* status = object_.root().find("status");
        const Node kept = status != nullptr ? *status : Node::map({{"observedGeneration", Node::integer(-1)}});
        object_ = testing::object_of("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: r, namespace: ns, generation: 1}\n"
                                     "spec: {interval: 1m, timeout: " + timeout + ", ref: {branch: main}, url: 'http://127.0.0.1:" + std::to_string(server_.port) + path + "'}\n");
        object_.root().set("status", kept);
    }
    GitRunResult reconcile() {
        GitRunResult r = reconcile_git(object_, settings_);
        object_.root().set("status", write_git_status(r.status));
        return r;
    }
    // One that succeeds; its revision.
    std::string good() {
        const GitRunResult r = reconcile();
        EXPECT_THAT(ready(r), StartsWith("True/Succeeded"));
        EXPECT_TRUE(r.status.artifact && storage_.check(*r.status.artifact) == ArtifactStorage::Check::good);
        return r.status.artifact ? r.status.artifact->revision : "";
    }
    // One that fails: the artifact is still there, whole.
    std::string failed(const std::string& condition) {
        const auto before = read_artifact(object_);
        const GitRunResult r = reconcile();
        EXPECT_THAT(ready(r), StartsWith("False/"));
        EXPECT_EQ(r.next, NextRun::backoff);
        EXPECT_TRUE(r.status.artifact == before && before && storage_.check(*before) == ArtifactStorage::Check::good);
        const Condition* c = r.status.find(condition);
        return c == nullptr ? "no " + condition : c->reason + ": " + c->message;
    }
    static std::string ready(const GitRunResult& r) {
        const Condition* c = r.status.find("Ready");
        return c == nullptr ? "" : c->status + "/" + c->reason + ": " + c->message;
    }
    [[nodiscard]] std::string cache() const { return dir_.path() + "/cache"; }
    // Files of the only cached repository with that ending.
    [[nodiscard]] std::vector<stdfs::path> cached(const std::string& ending) const {
        std::vector<stdfs::path> out;
        for (const auto& f : stdfs::recursive_directory_iterator(cache()))
            if (f.is_regular_file() && f.path().string().ends_with(ending)) out.push_back(f.path());
        return out;
    }
    static void flip(const stdfs::path& file) {
        stdfs::permissions(file, stdfs::perms::owner_all);
        std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
        const auto middle = static_cast<std::streamoff>(stdfs::file_size(file) / 2);
        f.seekg(middle);
        const char c = static_cast<char>(f.get() ^ 0x80);
        f.seekp(middle);
        f.put(c);
    }

    testing::TempDir dir_;
    GitServer server_;
    ArtifactStorage storage_{dir_.path() + "/storage", "host"};
    GitRunSettings settings_;
    Object object_{Node::map()};
};

TEST_F(GitFaults, WhatAKilledProcessLeavesIsRemoved) {
    const std::string first = good();
    const stdfs::path repository = cached("HEAD").at(0).parent_path();
    std::ofstream(repository / "refs/weber/heads/main.lock") << "";
    std::ofstream(repository / "objects/pack/pack_git2_abc123") << "half";
    std::ofstream(repository / "objects/pack/pack-0123.pack") << "without an index";
    stdfs::create_directories(cache() + "/old.git.gone");
    commit("a", "two");
    EXPECT_THAT(failed("FetchFailed"), HasSubstr("lock"));
    EXPECT_THAT(verify_git_caches(cache()), IsEmpty()) << "nothing of value was lost";
    EXPECT_THAT(cached(".lock"), IsEmpty());
    EXPECT_THAT(cached("abc123"), IsEmpty());
    EXPECT_THAT(cached("0123.pack"), IsEmpty());
    EXPECT_FALSE(stdfs::exists(cache() + "/old.git.gone"));
    EXPECT_NE(good(), first);
}

TEST_F(GitFaults, ADamagedCacheIsFoundAtTheStartAndFetchedAnew) {
    for (const char* what : {".pack", ".idx", "heads/main"}) {
        good();
        EXPECT_THAT(verify_git_caches(cache()), IsEmpty());
        flip(cached(what).at(0));
        const auto removed = verify_git_caches(cache());
        ASSERT_THAT(removed, SizeIs(1)) << what;
        EXPECT_THAT(removed[0], HasSubstr("is damaged"));
        EXPECT_THAT(cached(""), IsEmpty());
        commit("a", what);
        good();
    }
}

TEST_F(GitFaults, ACacheThatNobodyUsesIsPruned) {
    good();
    EXPECT_THAT(verify_git_caches(cache(), std::chrono::hours(0)), SizeIs(1));
    EXPECT_THAT(cached(""), IsEmpty());
}

TEST_F(GitFaults, ACacheThatIsDamagedMeanwhileIsFetchedAnew) {
    for (const char* what : {".pack", ".idx", "heads/main"}) {
        const std::string revision = good();
        flip(cached(what).at(0));
        stdfs::remove_all(dir_.path() + "/storage"); // it has to be read
        EXPECT_EQ(good(), revision) << what;
    }
}

TEST_F(GitFaults, FetchesOfOneRepositoryWaitForEachOther) { // several GitRepositories may name the same URL
    run("cd work && git tag v1 && git push -q ../repo.git v1");
    const std::string url = "http://127.0.0.1:" + std::to_string(server_.port) + "/repo.git";
    std::vector<std::string> said(12);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < said.size(); ++i)
            threads.emplace_back([&, i] {
                FetchOptions how{.url = url, .ref = {}, .cache_dir = cache()};
                (i % 2 == 0 ? how.ref.branch : how.ref.tag) = i % 2 == 0 ? "main" : "v1";
                how.anew = i == 6; // by whoever found it damaged
                const auto got = fetch(how);
                said[i] = got ? "" : got.error().to_string();
            });
    }
    EXPECT_THAT(said, ::testing::Each(""));
    EXPECT_THAT(verify_git_caches(cache()), IsEmpty());
}

TEST_F(GitFaults, ATruncatedPackIsRefused) {
    const std::string first = good();
    commit("b", std::string(5000, 'x'));
    dir_.write("cut", "");
    EXPECT_THAT(failed("FetchFailed"), StartsWith("GitOperationFailed: failed to checkout and determine revision: unable to clone 'http://"));
    stdfs::remove(dir_.path() + "/cut");
    EXPECT_NE(good(), first);
}

TEST_F(GitFaults, ASilentServerIsGivenUpAtTheTimeout) {
    const std::string first = good();
    make("/silent", "1s");
    EXPECT_THAT(failed("FetchFailed"), HasSubstr("the deadline passed"));
    make("/repo.git");
    EXPECT_EQ(good(), first);
}

TEST_F(GitFaults, ARewrittenHistoryIsFollowed) {
    const std::string first = good();
    dir_.write("work/a", "instead");
    run("cd work && git commit -qa --amend -m instead && git push -qf ../repo.git main");
    EXPECT_NE(good(), first);
}

// A disk that takes no more than a few KiB of a file: what a full one is to those who write.
class SmallDisk {
public:
    SmallDisk() {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{.rlim_cur = 20'000, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

private:
    rlimit before_{};
};

TEST_F(GitFaults, AFullDiskIsSaidAndTheArtifactKept) {
    const std::string first = good();
    run("head -c 100000 /dev/urandom > work/big && cd work && git add -A && git commit -qm big && git push -q ../repo.git main");
    std::string said;
    {
        const SmallDisk full;
        said = failed("FetchFailed");
    }
    EXPECT_THAT(said, StartsWith("GitOperationFailed: ")) << "the cache cannot grow";
    const std::string second = good();
    EXPECT_NE(second, first);

    run("cd work && head -c 100000 /dev/urandom > big && git commit -qam bigger && git push -q ../repo.git main");
    ASSERT_TRUE(fetch({.url = "http://127.0.0.1:" + std::to_string(server_.port) + "/repo.git", .ref = {.branch = "main"}, .cache_dir = cache()}));
    {
        const SmallDisk full;
        said = failed("StorageOperationFailed");
    }
    EXPECT_THAT(said, HasSubstr("unable to archive artifact to storage: cannot write the file")) << "the storage cannot";
    EXPECT_NE(good(), second);
}

} // namespace
} // namespace weber::gitops
