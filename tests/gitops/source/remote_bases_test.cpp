// Kustomizations that name git repositories and http files, fetched from file:// and from a git http-backend.
#include "gitops/source/remote_bases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "gitops/source/repository_files.h"
#include "kustomize/build.h"
#include "tests/gitops/source/git_server.h"
#include "tests/support/peers.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using weber::testing::TempDir;

class RemoteBasesTest : public ::testing::Test {
protected:
    void SetUp() override {
        run("git init -q -b main work && cd work && mkdir -p base more && printf 'resources: [c.yaml, link.yaml, ../more]\\nnamePrefix: one-\\n' > base/kustomization.yaml && " +
            configmap("c", "base/c.yaml") + " && " + configmap("linked", "base/real.txt") + " && ln -s real.txt base/link.yaml && ln -s /etc/hostname base/out.yaml && "
            "printf 'resources: [out.yaml]\\n' > more/away.yaml && printf 'resources: [m.yaml]\\n' > more/kustomization.yaml && " + configmap("m", "more/m.yaml") +
            " && mkdir leak && cp more/away.yaml leak/kustomization.yaml && ln -s /etc/hostname leak/out.yaml && git add -A && git commit -qm one && git tag v1 && "
            "sed -i s/one-/two-/ base/kustomization.yaml && git commit -qam two && git clone -q --bare . ../repo.git");
    }
    static std::string configmap(const std::string& name, const std::string& file) {
        return "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: " + name + "}\\n' > " + file;
    }
    void run(const std::string& command) {
        const std::string whole = "cd " + dir.path() + " && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t "
                                  "GIT_COMMITTER_EMAIL=t@t && (" + command + ") >/dev/null 2>&1";
        ASSERT_EQ(std::system(whole.c_str()), 0) << command;
    }
    void serve(const std::vector<std::string>& more = {}) {
        if (!server.start(dir.path(), more)) GTEST_SKIP() << "python3 does not run here";
    }
    std::string http(const std::string& path, const std::string& user = "") const { return "http://" + user + "127.0.0.1:" + std::to_string(server.port) + path; }
    std::string file(const std::string& path) const { return "file://" + dir.path() + path; }
    // A kustomization of one resource, built.
    Result<std::string> build(const std::string& resource) {
        kustomize::MemoryFileSystem fs;
        fs.write("/app/kustomization.yaml", "\nresources:\n- '" + resource + "'\n");
        auto output = kustomize::build(fs, "/app", {.remote = &remote});
        if (!output) return std::unexpected(output.error());
        return kustomize::to_yaml(output->resources);
    }
    static std::string built(const std::string& prefix) {
        std::string out;
        for (const char* name : {"c", "linked", "m"})
            out += std::string(out.empty() ? "" : "---\n") + "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + prefix + name + "\n";
        return out;
    }
    // The build fails with `part` in what the user reads, which names the entry and no password.
    void expect_error(const std::string& resource, const std::string& part) {
        const auto output = build(resource);
        ASSERT_FALSE(output) << *output;
        EXPECT_THAT(output.error().to_string(), HasSubstr(part));
        EXPECT_THAT(output.error().to_string(), HasSubstr("/app/kustomization.yaml:3"));
        EXPECT_THAT(output.error().to_string(), Not(HasSubstr("planted")));
    }
    TempDir dir;
    GitServer server;
    RemoteBases remote;
};

TEST_F(RemoteBasesTest, EveryWayToNameAState) {
    EXPECT_EQ(build(file("/repo.git//base")).value_or("fails"), built("two-"));
    EXPECT_EQ(build(file("/repo.git/base")).value_or("fails"), built("two-"));
    for (const char* query : {"?ref=v1", "?version=v1", "?ref=refs/tags/v1", "?ref=tags/v1&timeout=90", "?submodules=false&ref=v1"})
        EXPECT_EQ(build(file("/repo.git//base") + query).value_or("fails"), built("one-")) << query;
    EXPECT_EQ(build("git::" + file("/work//base?ref=main")).value_or("fails"), built("two-"));
    std::string id;
    {
        FILE* out = ::popen(("git -C " + dir.path() + "/work rev-parse v1").c_str(), "r");
        char text[41] = {};
        ASSERT_EQ(std::fread(text, 1, 40, out), 40U);
        ::pclose(out);
        id = text;
    }
    EXPECT_EQ(build(file("/repo.git//base?ref=" + id)).value_or("fails"), built("one-"));
}

TEST_F(RemoteBasesTest, TwoStatesInOneBuild) {
    kustomize::MemoryFileSystem fs;
    fs.write("/app/kustomization.yaml", "resources:\n- '" + file("/repo.git//base?ref=v1") + "'\n- '" + file("/repo.git//base?ref=main") + "'\n");
    const auto output = kustomize::build(fs, "/app", {.remote = &remote});
    ASSERT_TRUE(output) << output.error().to_string();
    EXPECT_EQ(kustomize::to_yaml(output->resources), built("one-") + "---\n" + built("two-"));
}

// The same as kustomize, which runs git.
TEST_F(RemoteBasesTest, PrintsWhatKustomizePrints) {
    const auto kustomize = weber::testing::peer("kustomize");
    if (!kustomize) GTEST_SKIP() << "no kustomize: run tests/cluster/tools.sh kustomize";
    for (const char* below : {"//base", "/base?ref=v1", "//more?ref=main", "//base?ref=nope", "//none", "//leak", ""}) {
        run("mkdir -p app && printf \"resources: ['" + file("/repo.git") + below + "']\" > app/kustomization.yaml");
        const bool works = std::system((*kustomize + " build " + dir.path() + "/app > " + dir.path() + "/expected 2>/dev/null").c_str()) == 0;
        const auto ours = build(file("/repo.git") + below);
        EXPECT_EQ(ours.has_value(), works) << below;
        if (!ours) continue;
        EXPECT_EQ(*ours, weber::testing::read_file(dir.path() + "/expected")) << below;
    }
}

TEST_F(RemoteBasesTest, ErrorsNameTheEntryAndTheCause) {
    expect_error(file("/repo.git//base?ref=nope"), "couldn't find remote ref \"nope\"");
    expect_error(file("/none.git//base"), "fetching 'file://");
    expect_error(file("/repo.git//none"), "has no such directory");
    const auto leak = build(file("/repo.git//leak")); // a link to the disk
    ASSERT_FALSE(leak);
    EXPECT_THAT(leak.error().to_string(), ::testing::AllOf(HasSubstr("repo.git//leak/kustomization.yaml:1: "), HasSubstr("leaves the repository")));
    expect_error("https://planted:planted@127.0.0.1:1/o/r//base?ref=v1&token=planted", "cannot fetch https://127.0.0.1:1/o/r");
}

TEST_F(RemoteBasesTest, OverHttp) {
    serve();
    if (IsSkipped()) return;
    EXPECT_EQ(build(http("/repo.git//base?ref=v1")).value_or("fails"), built("one-"));
    expect_error(http("/nope.git//base"), "repository not found");
}

TEST_F(RemoteBasesTest, CredentialsOfTheUrl) {
    serve({"--user", "me", "--password", "planted"});
    if (IsSkipped()) return;
    EXPECT_EQ(build(http("/repo.git//base", "me:planted@")).value_or("fails"), built("two-"));
    EXPECT_EQ(build(http("/plain/work/base/c.yaml", "me:planted@")).value_or("fails"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n");
    expect_error(http("/nope.git//base", "me:planted@"), "repository not found");
    expect_error(http("/repo.git//base"), "give user and token in the URL");
}

TEST_F(RemoteBasesTest, HttpFiles) {
    serve();
    if (IsSkipped()) return;
    EXPECT_EQ(build(http("/plain/work/base/c.yaml")).value_or("fails"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n");
    EXPECT_EQ(build(http("/redirect/plain/work/base/c.yaml")).value_or("fails"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n");
    expect_error(http("/plain/none.yaml?token=planted"), "HTTP Error: status code 404 (Not Found)");
}

TEST_F(RemoteBasesTest, SizesAndTimesAreBounded) {
    serve();
    if (IsSkipped()) return;
    RemoteBases small({.max_file_bytes = 10});
    EXPECT_EQ(small.fetch_file(http("/plain/work/base/c.yaml")).error().code, ErrorCode::too_large);
    RemoteBases quick({.file_timeout = std::chrono::milliseconds(200)});
    EXPECT_EQ(quick.fetch_file(http("/silent")).error().code, ErrorCode::timeout);
    // The URL names its time; without it the default of 27 seconds would count.
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(remote.fetch_file(http("/silent?timeout=200ms")).error().code, ErrorCode::timeout);
    EXPECT_EQ(remote.fetch_repository(*kustomize::parse_repo_url(http("/silent/repo.git//base?timeout=200ms"))).error().code, ErrorCode::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(26));
    RemoteBases strict({.max_timeout = std::chrono::milliseconds(200)}); // what a URL may ask for is bounded
    EXPECT_EQ(strict.fetch_file(http("/silent?timeout=1h")).error().code, ErrorCode::timeout);
    RemoteBases narrow({.max_repository_bytes = 10});
    EXPECT_EQ(narrow.fetch_repository(*kustomize::parse_repo_url(http("/repo.git"))).error().code, ErrorCode::too_large);
    RemoteBases few({.max_files = 2});
    EXPECT_EQ(few.fetch_repository(*kustomize::parse_repo_url(http("/repo.git"))).error().code, ErrorCode::too_large);
    std::stop_source stop;
    stop.request_stop();
    RemoteBases stopped({.stop = stop.get_token()});
    EXPECT_EQ(stopped.fetch_file(http("/silent")).error().code, ErrorCode::cancelled);
    EXPECT_EQ(stopped.fetch_repository(*kustomize::parse_repo_url(http("/repo.git"))).error().code, ErrorCode::cancelled);
}

TEST_F(RemoteBasesTest, Submodules) {
    serve();
    if (IsSkipped()) return;
    run("git init -q -b main outer && cd outer && git -c protocol.file.allow=always submodule add -q ../repo.git sub && git config -f .gitmodules submodule.sub.url ../repo.git && "
        "printf 'resources: [sub/base]\\n' > kustomization.yaml && git add -A && git commit -qm outer && git clone -q --bare . ../outer.git");
    EXPECT_EQ(build(http("/outer.git")).value_or("fails"), built("two-"));
    RemoteBases fresh;
    EXPECT_FALSE(fresh.fetch_repository(*kustomize::parse_repo_url(http("/outer.git?submodules=false")))->files->is_file("/repository/sub/base/c.yaml"));
    expect_error(file("/outer.git"), "transport 'file' not allowed"); // as git
    RemoteBases none({.max_submodules = 0});
    EXPECT_EQ(none.fetch_repository(*kustomize::parse_repo_url(http("/outer.git"))).error().code, ErrorCode::too_large);
}

TEST_F(RemoteBasesTest, AnswersAreKeptForARunOrNot) {
    RemoteBases anew({.keep_answers = false});
    const auto url = *kustomize::parse_repo_url(file("/work"));
    const auto has = [&](RemoteBases& from) { return from.fetch_repository(url)->files->is_file("/repository/new"); };
    EXPECT_FALSE(has(remote));
    EXPECT_FALSE(has(anew));
    run("cd work && touch new && git add -A && git commit -qm new");
    EXPECT_FALSE(has(remote));
    EXPECT_TRUE(has(anew));
}

TEST_F(RemoteBasesTest, OneForManyThreads) {
    std::vector<std::string> got(8);
    {
        std::vector<std::jthread> threads;
        for (std::string& text : got) threads.emplace_back([&text, this] { text = build(file("/repo.git//base?ref=v1")).value_or("fails"); });
    }
    for (const std::string& text : got) EXPECT_EQ(text, built("one-"));
}

TEST_F(RemoteBasesTest, LocalRepositoriesCanBeRefused) {
    RemoteBases strict({.local_repositories = false});
    EXPECT_EQ(strict.fetch_repository(*kustomize::parse_repo_url(file("/repo.git"))).error().code, ErrorCode::forbidden);
}

TEST(Submodules, AreReadAsGitReadsThem) {
    const auto found = read_gitmodules("# c\n[core]\n\turl = no\n[submodule \"a\"]\n\tpath = x/y ; comment\n\turl = \"https://h/a#b\"\n[submodule \"b\"]\npath=b\nurl=../c\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].path, "x/y");
    EXPECT_EQ(found[0].url, "https://h/a#b");
    EXPECT_EQ(found[1].url, "../c");
    EXPECT_EQ(submodule_url("https://h/o/r.git", "../c"), "https://h/o/c");
    EXPECT_EQ(submodule_url("https://h/o/r/", "./c"), "https://h/o/r/c");
    EXPECT_EQ(submodule_url("git@h:o/r", "../../x/c"), "git@h:x/c");
    EXPECT_EQ(submodule_url("https://h/o/r", "https://k/c"), "https://k/c");
}

} // namespace
} // namespace weber::gitops
