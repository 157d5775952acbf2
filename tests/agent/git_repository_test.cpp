// GitRepositories by `weber agent` on an API server: the GitRepository part of the checklist of sources.md section 10, as whoever watches the cluster sees it.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "kube/base/digest.h"
#include "kube/informer.h"
#include "tests/agent/agent_fleet.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace stdfs = std::filesystem;

class GitRepositories : public AgentFleet {
protected:
    // In the work tree.
    std::string git(const std::string& command) {
        const testing::Ran ran = testing::run_git(dir_.path(), "-C work " + command);
        EXPECT_EQ(ran.status, 0) << command << ": " << ran.err;
        return ran.out.substr(0, ran.out.find('\n'));
    }
    kube::Object repository(const std::string& name, const std::string& url, const std::string& spec) {
        return make("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: " + name + "}\nspec: {interval: 1h, timeout: 30s, url: '" + url + "'" +
                    (spec.empty() ? "" : ", " + spec) + "}\n");
    }
    kube::Object patch(const std::string& yaml) {
        const auto done = api().patch(source_ref(), kube::PatchType::merge, testing::object_of(yaml).root());
        EXPECT_TRUE(done.has_value());
        return done ? done->object : kube::Object();
    }
    kube::Object await_source(const std::function<bool(const kube::Object&)>& wanted) { return await(source_ref(), wanted); }
    // Asks for a run of `fleet` and waits for its end.
    kube::Object run_again() {
        ask(source_ref());
        const kube::Object asked = get(source_ref());
        return await_source([&](const kube::Object& o) { return text(o, {"status", "lastHandledReconcileAt"}) == std::string(asked.annotation("reconcile.fluxcd.io/requestedAt")); });
    }
    static std::string revision(const kube::Object& o) { return text(o, {"status", "artifact", "revision"}); }
    static std::string artifact(const kube::Object& o, const char* field) { return text(o, {"status", "artifact", field}); }
    std::string stored(const kube::Object& o) { return storage() + "/" + artifact(o, "path"); }
    std::size_t tarballs() {
        std::size_t n = 0;
        for (const auto& f : stdfs::directory_iterator(storage() + "/gitrepository/" + ns_ + "/fleet")) n += f.path().string().ends_with(".tar.gz");
        return n;
    }
    // Events of the GitRepository `fleet`, "REASON: message", once each.
    std::vector<std::string> events() {
        std::vector<std::string> out;
        const auto list = api().list({"", "v1", "Event"}, {.ns = ns_});
        for (const kube::Object& e : list.value().items)
            if (text(e, {"involvedObject", "kind"}) == "GitRepository" && text(e, {"involvedObject", "name"}) == "fleet") out.push_back(text(e, {"reason"}) + ": " + text(e, {"message"}));
        return out;
    }
    void await_event(const std::string& begin) {
        kube::Informer watch(*kube::Client::connect(cluster_.config()), {.target = {.gvk = {"", "v1", "Event"}, .ns = ns_}, .watch = {}, .project = {}});
        std::mutex mutex;
        std::condition_variable changed;
        bool seen = false;
        watch.add_handler({.added = [&](const kube::Object& e, bool) {
            const std::lock_guard lock(mutex);
            seen = seen || (text(e, {"involvedObject", "name"}) == "fleet" && (text(e, {"reason"}) + ": " + text(e, {"message"})).starts_with(begin));
            changed.notify_all();
        }});
        watch.start();
        {
            std::unique_lock lock(mutex);
            EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return seen; })) << begin;
        }
        watch.stop();
    }
    testing::Background agent_;
};
INSTANTIATE_TEST_SUITE_P(Servers, GitRepositories, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(GitRepositories, References) { // 2 to 10, 34
    const std::string main = commit({{"a.yaml", "x: y\n"}}).substr(10);
    git("push -q ../git/fleet.git main:refs/heads/master main:refs/heads/feature/x");
    for (const char* tag : {"1.0.0", "1.1.0", "2.0.0-rc.1"}) git("tag " + std::string(tag));
    git("tag -a -m signed v1.2.0");
    git("push -q --tags ../git/fleet.git");
    EXPECT_NE(git("rev-parse v1.2.0"), main) << "the tag is an object of its own";
    testing::run_git(dir_.path(), "init -q --bare -b main git/empty.git");
    const std::string url = serve(), empty = url.substr(0, url.rfind('/')) + "/empty.git";
    struct Row {
        std::string name, spec, revision, ready; // "" and what Ready says when there is none
    };
    const std::vector<Row> rows = {
        {"none", "", "master@sha1:" + main, ""},
        {"branch", "ref: {branch: main}", "main@sha1:" + main, ""},
        {"branch-with-slash", "ref: {branch: feature/x}", "feature/x@sha1:" + main, ""},
        {"annotated", "ref: {tag: v1.2.0}", "v1.2.0@sha1:" + main, ""},
        {"range", "ref: {semver: 1.x}", "v1.2.0@sha1:" + main, ""},
        {"prerelease", "ref: {semver: '>=1.0.0-0'}", "2.0.0-rc.1@sha1:" + main, ""},
        {"no-match", "ref: {semver: 9.x}", "", "False/GitOperationFailed: failed to checkout and determine revision: no match found for semver: 9.x"},
        {"whole-name", "ref: {name: refs/heads/main}", "refs/heads/main@sha1:" + main, ""},
        {"commit", "ref: {commit: '" + main + "'}", "sha1:" + main, ""},
        {"commit-of-branch", "ref: {branch: main, commit: '" + main + "'}", "main@sha1:" + main, ""},
        {"commit-and-name", "ref: {name: refs/heads/none, commit: '" + main + "'}", "refs/heads/none@sha1:" + main, ""},
        {"range-and-tag", "ref: {semver: 1.0.x, tag: v1.2.0}", "1.0.0@sha1:" + main, ""},
        {"no-branch", "ref: {branch: none}", "", "False/GitOperationFailed: failed to checkout and determine revision: unable to clone '" + url + "': couldn't find remote ref \"refs/heads/none\""},
        {"empty", "ref: {branch: main}", "", "False/EmptyGitRepository: git repository is empty"},
    };
    start(agent_);
    for (const Row& r : rows) repository(r.name, r.name == "empty" ? empty : url, r.spec);
    for (const Row& r : rows) {
        kube::ObjectRef ref = source_ref();
        ref.name = r.name;
        const kube::Object o = await(ref, [](const kube::Object& now) { return !condition(now, "Ready").empty() && !condition(now, "Ready").starts_with("Unknown"); });
        EXPECT_EQ(revision(o), r.revision) << r.name;
        EXPECT_THAT(condition(o, "Ready"), StartsWith(r.ready.empty() ? "True/Succeeded: stored artifact for revision '" + r.revision + "'" : r.ready)) << r.name;
        EXPECT_EQ(condition(o, "FetchFailed").empty(), r.ready.empty()) << r.name;
        if (r.ready.empty()) {
            EXPECT_THAT(artifact(o, "path"), EndsWith("/" + r.name + "/" + main + ".tar.gz"));
        }
    }
}

TEST_P(GitRepositories, TheArtifactIsServedAsFluxServesIt) { // 26, 28, 29, 40
    dir_.write("work/.sops.yaml", "creation_rules: []\n");
    dir_.write("work/.github/a", "x");
    dir_.write("work/a.png", "x");
    const std::string script = dir_.write("work/run.sh", "#!/bin/sh\n");
    stdfs::permissions(script, stdfs::perms::owner_all);
    stdfs::create_symlink("run.sh", dir_.path() + "/work/link");
    commit({{"deploy/x.yaml", "x: y\n"}, {"deploy/x.sops.yaml", "x: y\n"}});
    source(serve());
    start(agent_);
    const kube::Object o = await_source([](const kube::Object& now) { return condition(now, "Ready").starts_with("True"); });
    const auto fetched = testing::run("cd $HOME && curl -sf -o a.tar.gz '" + artifact(o, "url") + "' && tar -tvzf a.tar.gz --numeric-owner --full-time --utc", dir_.path());
    ASSERT_EQ(fetched.status, 0) << fetched.err;
    const std::string bytes = testing::read_file(dir_.path() + "/a.tar.gz");
    EXPECT_EQ(artifact(o, "digest"), "sha256:" + kube::sha256_hex(bytes));
    EXPECT_EQ(artifact(o, "size"), std::to_string(bytes.size()));
    for (const char* kept : {"deploy/x.sops.yaml", "deploy/x.yaml", "run.sh"}) EXPECT_THAT(fetched.out, HasSubstr(std::string(kept) + "\n"));
    for (const char* left_out : {".git", "a.png", " .sops.yaml", "link"}) EXPECT_THAT(fetched.out, Not(HasSubstr(left_out)));
    EXPECT_THAT(fetched.out, ::testing::ContainsRegex("-rwx------ 0/0 +[0-9]+ 1970-01-01 00:00:00(\\.0+)? run.sh\n"));
    EXPECT_THAT(fetched.out, ::testing::ContainsRegex("-rw------- 0/0 +[0-9]+ 1970-01-01 00:00:00(\\.0+)? deploy/x.yaml\n"));
    const std::string host = artifact(o, "url").substr(0, artifact(o, "url").size() - artifact(o, "path").size());
    for (const char* path : {"../agent.log", "gitrepository/../../agent.log", "..%2fagent.log"})
        EXPECT_THAT(testing::run("curl -s -o /dev/null -w '%{http_code}' --path-as-is '" + host + path + "'", dir_.path()).out, ::testing::AnyOf("404", "400")) << path;

    // The cache of git, which lies beside the artifacts, is nobody's: it has the history, and the files that rules keep back.
    for (const auto& f : stdfs::recursive_directory_iterator(storage() + "/git-cache"))
        if (f.is_regular_file()) {
            EXPECT_EQ(testing::run("curl -s -o /dev/null -w '%{http_code}' '" + host + stdfs::path(f).lexically_relative(storage()).string() + "'", dir_.path()).out, "404") << f.path();
        }

    // 12, 28: other rules, the same revision, another digest.
    patch("spec: {ignore: \"/*\\n!/deploy\"}\n");
    const kube::Object less = await_source([&](const kube::Object& now) { return condition(now, "Ready").starts_with("True") && artifact(now, "digest") != artifact(o, "digest"); });
    EXPECT_EQ(revision(less), revision(o));
    EXPECT_EQ(text(less, {"status", "observedIgnore"}), "/*\n!/deploy");
    EXPECT_THAT(testing::run("curl -sf '" + artifact(less, "url") + "' | tar -tz", dir_.path()).out, Not(HasSubstr("run.sh")));
}

TEST_P(GitRepositories, AnUnchangedRemoteIsQuietAndALostArtifactIsMadeAgain) { // 11, 13, 15, 16, 39
    const std::string first = commit({{"a.yaml", "x: y\n"}});
    source(serve());
    start(agent_);
    const kube::Object o = await_source([](const kube::Object& now) { return condition(now, "Ready").starts_with("True"); });
    await_event("NewArtifact: stored artifact for commit 'change'");
    const kube::Object again = run_again();
    const auto transition = [](const kube::Object& object) {
        for (const Node& c : object.at({"status", "conditions"})->items())
            if (c.text_at("type") == "Ready") return std::string(c.text_at("lastTransitionTime"));
        return std::string();
    };
    EXPECT_EQ(transition(again), transition(o));
    EXPECT_EQ(artifact(again, "lastUpdateTime"), artifact(o, "lastUpdateTime"));

    stdfs::remove(stored(o));
    run_again();
    await_source([&](const kube::Object& now) { return condition(now, "Ready").starts_with("True") && stdfs::exists(stored(o)); });
    EXPECT_EQ(kube::sha256_hex(testing::read_file(stored(o))), artifact(o, "digest").substr(7));

    std::ofstream(stored(o), std::ios::app) << "more";
    run_again();
    await_event("ArtifactVerificationFailed: ");
    await_source([&](const kube::Object& now) { return condition(now, "Ready").starts_with("True") && kube::sha256_hex(testing::read_file(stored(o))) == artifact(now, "digest").substr(7); });

    agent_.stop();
    const std::size_t told = events().size();
    start(agent_, "agent", {"--storage-adv-addr=source.example.org"});
    const kube::Object moved = await_source([](const kube::Object& now) { return artifact(now, "url").starts_with("http://source.example.org/"); });
    EXPECT_EQ(revision(moved), first);
    run_again();
    EXPECT_EQ(std::ranges::count_if(events(), [](const std::string& e) { return e.starts_with("NewArtifact"); }), 1) << told << " events before";
}

// What Flux's own controller left in a status of an artifact that held submodules: the artifact is built anew, and nothing of the old one's fields stays.
TEST_P(GitRepositories, AnArtifactOfAnotherControllerIsReplacedWhole) {
    const std::string first = commit({{"a.yaml", "x: y\n"}});
    source(serve());
    start(agent_);
    const kube::Object o = await_source([](const kube::Object& now) { return condition(now, "Ready").starts_with("True"); });
    const Node status = testing::object_of("status: {observedRecurseSubmodules: true, artifact: {metadata: {k: v}}}\n").root();
    ASSERT_TRUE(api().patch(source_ref(), kube::PatchType::merge, status, {.field_manager = "source-controller", .subresource = "status"}).has_value());
    const kube::Object again = run_again();
    EXPECT_EQ(revision(again), first);
    EXPECT_EQ(again.at({"status", "artifact", "metadata"}), nullptr);
    EXPECT_EQ(again.at({"status", "observedRecurseSubmodules"}), nullptr);
    for (const Node& f : again.root().find("metadata")->find("managedFields")->items())
        EXPECT_NE(f.text_at("manager"), "gotk-source-controller") << "Flux's has no prefix";
}

TEST_P(GitRepositories, OldArtifactsGoAndSoDoesTheFolder) { // 17, 18, 19
    commit({{"a.yaml", "x: 1\n"}});
    source(serve());
    start(agent_, "agent", {"--artifact-retention-ttl=1s"});
    await_source([](const kube::Object& now) { return condition(now, "Ready").starts_with("True"); });
    for (const char* text : {"x: 2\n", "x: 3\n", "x: 4\n"}) {
        fetch(commit({{"a.yaml", text}}));
        run_again(); // which begins with the removal of what is too old or too many
        EXPECT_LE(tarballs(), 2u);
    }
    patch("spec: {suspend: true}\n");
    const std::string missed = commit({{"a.yaml", "x: 5\n"}});
    const kube::Object suspended = run_again();
    EXPECT_NE(revision(suspended), missed);
    patch("spec: {suspend: false}\n");
    await_source([&](const kube::Object& now) { return revision(now) == missed && condition(now, "Ready").starts_with("True"); });
    patch("spec: {suspend: true}\n");
    ASSERT_TRUE(api().remove(source_ref()).has_value());
    await_gone(source_ref());
    EXPECT_FALSE(stdfs::exists(storage() + "/gitrepository/" + ns_ + "/fleet"));
}

TEST_P(GitRepositories, Credentials) { // 13, 20, 21, 24, 25, 35
    const std::string first = commit({{"a.yaml", "x: 1\n"}});
    const std::string url = serve({"--bearer", "planted-token"});
    source(url, "secretRef: {name: git}");
    repository("no-secret", "ssh://git@127.0.0.1:1/fleet.git", "");
    start(agent_);
    await_source([](const kube::Object& o) { return condition(o, "FetchFailed").starts_with("True/AuthenticationFailed: failed to get secret '" ) && condition(o, "FetchFailed").ends_with("secrets \"git\" not found"); });
    kube::ObjectRef ssh = source_ref();
    ssh.name = "no-secret";
    EXPECT_THAT(condition(await(ssh, [](const kube::Object& o) { return !condition(o, "FetchFailed").empty(); }), "FetchFailed"),
                StartsWith("True/AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required"));
    secret("git", {{"password", "x"}});
    await_source([](const kube::Object& o) { return condition(o, "FetchFailed").find("'password' requires 'username' to be set") != std::string::npos; });
    run_again(); // one that fails answers, too
    secret("git", {{"bearerToken", "planted-token"}, {"username", "somebody"}, {"password", "x"}});
    const kube::Object good = await_source([](const kube::Object& o) { return condition(o, "Ready").starts_with("True"); }); // by the retry, nobody asked
    EXPECT_EQ(revision(good), first);

    // A failure and a recovery on the same revision: one event says so.
    secret("git", {{"bearerToken", "wrong"}});
    run_again();
    await_source([](const kube::Object& o) { return condition(o, "Ready").starts_with("False"); });
    secret("git", {{"bearerToken", "planted-token"}});
    await_event("Succeeded: ");
    EXPECT_EQ(artifact(await_source([](const kube::Object& o) { return condition(o, "Ready").starts_with("True"); }), "digest"), artifact(good, "digest"));
    agent_.stop();
    EXPECT_THAT(testing::read_file(log()), Not(HasSubstr("planted-token")));
}

} // namespace
} // namespace weber::agent_test
