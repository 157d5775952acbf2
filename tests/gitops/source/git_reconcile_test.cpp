// A GitRepository from spec to artifact, status and events: the GitRepository part of sources.md 10. Real repositories, a real storage folder.
#include "gitops/source/git_reconcile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gitops/api/names.h"
#include "gitops/source/artifact.h"
#include "gitops/source/git_credentials.h"
#include "kube/base/digest.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using weber::testing::object_of;
using weber::testing::TempDir;

class MovedClock final : public kube::Clock {
public:
    kube::SystemTime time = kube::system_clock().now();
    [[nodiscard]] kube::SystemTime now() const override { return time; }
    [[nodiscard]] kube::MonotonicTime monotonic() const override { return kube::system_clock().monotonic(); }
};

class GitReconcile : public ::testing::Test {
protected:
    void SetUp() override {
        git("init -q -b master");
        commit("a.yaml", "a: 1\n", "first commit");
        settings.cache_dir = cache.path();
        settings.storage = &storage;
        settings.clock = &clock;
        settings.secret = [this](const NamespacedName& name) -> Result<Object> {
            if (const auto it = secrets.find(name.name); it != secrets.end()) return it->second;
            return fail(ErrorCode::not_found, "secrets \"" + name.name + "\" not found");
        };
        settings.on_status = [this](const GitRepositoryStatus& s) -> Result<void> {
            shown.push_back(s.find("Ready")->message);
            return {};
        };
        make("");
    }
    void git(const std::string& command) {
        const std::string whole = "cd " + repo.path() + " && GIT_CONFIG_GLOBAL=/dev/null git -c user.name=t -c user.email=t@t " + command + " >/dev/null 2>&1";
        ASSERT_EQ(std::system(whole.c_str()), 0) << command;
    }
    void commit(const std::string& file, const std::string& text, const std::string& message) {
        repo.write(file, text);
        git("add -A");
        git("commit -qm '" + message + "'");
    }
    // The object with more fields of the spec; its status starts as the CRD's default.
    void make(const std::string& spec, const std::string& url = "") {
        object = object_of("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: r, namespace: ns, generation: 1}\nspec:\n  interval: 1m\n  url: " +
                           (url.empty() ? "file://" + repo.path() : url) + "\n" + spec + "status: {observedGeneration: -1}\n");
    }
    // A changed spec on the same object: the status stays, the generation grows.
    void edit(const std::string& spec) {
        const Node status = *object.root().find("status");
        const auto generation = object.generation();
        make(spec);
        object.root().set("status", status);
        object.metadata_mut().set("generation", Node::integer(generation + 1));
    }
    GitRunResult run() {
        GitRunResult r = reconcile_git(object, settings);
        object.root().set("status", write_git_status(r.status));
        return r;
    }
    static std::string ready(const GitRunResult& r) {
        const Condition* c = r.status.find("Ready");
        return c == nullptr ? "" : c->status + "/" + c->reason + ": " + c->message;
    }
    static std::vector<std::string> texts(const std::vector<Event>& events) {
        std::vector<std::string> out;
        for (const Event& e : events) out.push_back(std::string(e.warning ? "error " : "info ") + e.reason + ": " + e.message);
        return out;
    }
    // mode, owner and name of each entry of the artifact
    [[nodiscard]] std::vector<std::string> list(const GitRunResult& r) const {
        const std::string command = "tar -tvzf " + store.path() + "/" + r.status.artifact->path + " | awk '{print $1, $2, $NF}' > " + cache.path() + "/list";
        EXPECT_EQ(std::system(command.c_str()), 0);
        std::ifstream in(cache.path() + "/list");
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }
    [[nodiscard]] std::vector<std::string> stored() const {
        std::vector<std::string> out;
        for (const auto& f : std::filesystem::directory_iterator(store.path() + "/gitrepository/ns/r")) out.push_back(f.path().filename().string());
        return out;
    }
    TempDir repo, cache, store;
    MovedClock clock;
    ArtifactStorage storage{store.path(), "source-controller.flux-system.svc.cluster.local."};
    std::map<std::string, Object> secrets;
    std::vector<std::string> shown;
    GitRunSettings settings;
    Object object;
};

TEST_F(GitReconcile, StoresAnArtifactAndIsReady) { // 2, 3, 14, 40
    const GitRunResult r = run();
    ASSERT_TRUE(r.status.artifact) << ready(r);
    const Artifact& a = *r.status.artifact;
    EXPECT_THAT(a.revision, StartsWith("master@sha1:"));
    EXPECT_EQ(a.path, "gitrepository/ns/r/" + a.revision.substr(12) + ".tar.gz");
    EXPECT_EQ(a.url, "http://source-controller.flux-system.svc.cluster.local./" + a.path);
    const std::string bytes = storage.read(a).value();
    EXPECT_EQ(a.digest, artifact_digest(bytes));
    EXPECT_EQ(a.size, static_cast<std::int64_t>(bytes.size()));
    struct stat st {};
    ASSERT_EQ(::stat((store.path() + "/" + a.path).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777u, 0600u);
    EXPECT_EQ(unpack_artifact(bytes, "r").value().fs->read("/source/a.yaml").value(), "a: 1\n");
    EXPECT_EQ(ready(r), "True/Succeeded: stored artifact for revision '" + a.revision + "'");
    EXPECT_EQ(r.status.find("Reconciling"), nullptr);
    EXPECT_EQ(r.status.observed_generation, 1);
    EXPECT_EQ(r.next, NextRun::interval);
    EXPECT_THAT(texts(r.events), ElementsAre("info NewArtifact: stored artifact for commit 'first commit'"));
    EXPECT_EQ(r.events[0].metadata.at("source.toolkit.fluxcd.io/digest"), a.digest);
    EXPECT_THAT(shown, Contains("building artifact: new upstream revision '" + a.revision + "'"));
    ASSERT_TRUE(r.snapshot);
    EXPECT_EQ(r.snapshot->revision, a.revision);
}

TEST_F(GitReconcile, TheArtifactHoldsWhatFluxsWould) { // 26, 27
    for (const char* file : {".github/w.yaml", "a.png", "x.sops.yaml", ".sops.yaml", "run.sh", "docs/d.md"}) repo.write(file, "x");
    ASSERT_EQ(std::system(("cd " + repo.path() + " && chmod 755 run.sh && ln -s a.yaml link").c_str()), 0);
    commit("b.yaml", "b: 1\n", "more");
    EXPECT_THAT(list(run()), ElementsAre("drwxr-x--- 0/0 .", "-rw------- 0/0 a.yaml", "-rw------- 0/0 b.yaml", "drwxr-x--- 0/0 docs", "-rw------- 0/0 docs/d.md",
                                         "-rwx------ 0/0 run.sh", "-rw------- 0/0 x.sops.yaml"));
    commit(".sourceignore", "docs/\n", "ignore");
    const auto second = list(run());
    EXPECT_THAT(second, Contains("-rw------- 0/0 a.png"));
    EXPECT_THAT(second, Contains("-rw------- 0/0 .sourceignore"));
    EXPECT_THAT(second, ::testing::Not(Contains(HasSubstr("docs/d.md"))));
}

// A directory is an entry when the rules leave it in, whatever becomes of what is below it (seen of source-controller 1.9.1).
TEST_F(GitReconcile, DirectoriesAreNamedForThemselves) {
    repo.write("pictures/a.png", "x");
    repo.write("deploy/d.yaml", "x");
    ASSERT_EQ(std::system(("cd " + repo.path() + " && mkdir links && ln -s ../a.yaml links/l").c_str()), 0);
    git("add -A");
    git("update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,module"); // a submodule that is not fetched
    git("commit -qm more");
    const GitRunResult r = run();
    EXPECT_THAT(list(r), ElementsAre("drwxr-x--- 0/0 .", "-rw------- 0/0 a.yaml", "drwxr-x--- 0/0 deploy", "-rw------- 0/0 deploy/d.yaml", "drwxr-x--- 0/0 links", "drwxr-x--- 0/0 module",
                                     "drwxr-x--- 0/0 pictures"));
    const Snapshot files = unpack_artifact(storage.read(*r.status.artifact).value(), "r").value();
    for (const auto& fs : {files.fs, r.snapshot->fs}) {
        EXPECT_TRUE(fs->is_dir("/source/pictures"));
        EXPECT_THAT(fs->list("/source").value(), ElementsAre("a.yaml", "deploy", "links", "module", "pictures"));
        EXPECT_THAT(fs->list("/source/pictures").value(), IsEmpty());
    }
    edit("  ignore: \"/*\\n!/deploy/d.yaml\"\n");
    EXPECT_THAT(list(run()), ElementsAre("drwxr-x--- 0/0 .", "-rw------- 0/0 deploy/d.yaml"));
}

// Fifty characters of the first line, whatever they are made of.
TEST_F(GitReconcile, SubjectsAreCutAsFluxCutsThem) {
    const auto told = [&](const std::string& message) {
        repo.write("message", message);
        const std::string command = "cd " + repo.path() + " && git add -A && GIT_CONFIG_GLOBAL=/dev/null git -c i18n.commitEncoding=ISO-8859-1 -c user.name=t -c user.email=t@t commit -q --allow-empty-message --cleanup=verbatim -F message 2>/dev/null";
        EXPECT_EQ(std::system(command.c_str()), 0);
        const GitRunResult r = run();
        return r.events.empty() ? "none" : r.events.back().message;
    };
    std::string umlauts, cut;
    for (int i = 0; i < 51; ++i) umlauts += "\u00e4";
    cut = umlauts.substr(0, 100);
    EXPECT_EQ(told(cut), "stored artifact for commit '" + cut + "'");
    EXPECT_EQ(told(umlauts), "stored artifact for commit '" + cut + "...'");
    EXPECT_EQ(told("one\ntwo\n\nbody"), "stored artifact for commit 'one'");
    EXPECT_EQ(told("caf\xe9\n"), "stored artifact for commit 'caf\ufffd'");
    EXPECT_EQ(told("\nlate"), "stored artifact for commit ''");
}

TEST_F(GitReconcile, AnUnchangedRemoteIsANoOp) { // 11, 29
    const GitRunResult first = run();
    clock.time += 60s;
    shown.clear();
    const GitRunResult second = run();
    EXPECT_EQ(write_git_status(second.status), write_git_status(first.status)) << "transition times included";
    EXPECT_THAT(second.events, IsEmpty());
    EXPECT_THAT(texts(second.traces), ElementsAre("info GitOperationSucceeded: no changes since last reconciliation: observed revision '" + first.status.artifact->revision + "'"));
    EXPECT_THAT(shown, IsEmpty());
}

TEST_F(GitReconcile, ANewCommitReplacesTheArtifactAndOldOnesGo) { // 17
    settings.retention_ttl = 60s;
    for (const char* n : {"1", "2", "3", "4"}) {
        commit("a.yaml", n, std::string("a subject that is a good deal longer than the fifty characters allowed ") + n);
        run();
    }
    const GitRunResult r = run();
    EXPECT_LE(stored().size(), 2u);
    clock.time += 120s;
    run();
    EXPECT_THAT(stored(), ElementsAre(EndsWith(r.status.artifact->revision.substr(12) + ".tar.gz")));
    commit("a.yaml", "5", "a subject that is a good deal longer than the fifty characters allowed");
    EXPECT_THAT(texts(run().events), ElementsAre("info NewArtifact: stored artifact for commit 'a subject that is a good deal longer than the fift...'"));
    EXPECT_THAT(shown.back(), StartsWith("building artifact: new upstream revision 'master@sha1:"));
}

TEST_F(GitReconcile, ChangedIgnoreRulesRebuildTheSameRevision) { // 12, 28
    commit("deploy/d.yaml", "d: 1\n", "deploy");
    const GitRunResult first = run();
    edit("  ignore: \"/*\\n!/deploy\"\n");
    const GitRunResult second = run();
    EXPECT_EQ(second.status.artifact->revision, first.status.artifact->revision);
    EXPECT_NE(second.status.artifact->digest, first.status.artifact->digest);
    EXPECT_EQ(second.status.observed_ignore, "/*\n!/deploy");
    EXPECT_EQ(second.status.observed_generation, 2);
    EXPECT_THAT(shown, Contains("stored artifact for revision '" + first.status.artifact->revision + "'")) << "Ready stays while only the generation is new";
    const Snapshot files = unpack_artifact(storage.read(*second.status.artifact).value(), "r").value();
    EXPECT_TRUE(files.fs->is_file("/source/deploy/d.yaml"));
    EXPECT_FALSE(files.fs->is_file("/source/a.yaml"));
    EXPECT_EQ(run().events.size(), 0u);
    edit("");
    EXPECT_EQ(run().status.artifact->digest, first.status.artifact->digest) << "bytes depend on content only";
    EXPECT_FALSE(read_git_status(object).observed_ignore);
}

TEST_F(GitReconcile, ALostOrDamagedArtifactIsBuiltAnew) { // 15, 16
    const GitRunResult first = run();
    const std::string file = store.path() + "/" + first.status.artifact->path;
    std::filesystem::remove(file);
    EXPECT_EQ(run().status.artifact->digest, first.status.artifact->digest);
    EXPECT_THAT(shown, Contains("building artifact: disappeared from storage"));
    store.write(first.status.artifact->path, "damaged");
    const GitRunResult r = run();
    EXPECT_THAT(texts(r.events), Contains("error ArtifactVerificationFailed: failed to verify integrity of artifact: computed digest doesn't match '" + first.status.artifact->digest + "'"));
    EXPECT_EQ(storage.check(*r.status.artifact), ArtifactStorage::Check::good);
}

TEST_F(GitReconcile, AStatusCannotLeadOutOfTheStorage) {
    Artifact a = *run().status.artifact;
    TempDir other;
    a.path = "../" + std::filesystem::path(other.path()).filename().string() + "/" + std::filesystem::path(other.write("x", "secret")).filename().string();
    EXPECT_EQ(storage.check(a), ArtifactStorage::Check::missing);
    EXPECT_FALSE(storage.read(a));
    storage.remove_file(a);
    EXPECT_TRUE(std::filesystem::exists(other.path() + "/x"));
}

TEST_F(GitReconcile, AFailureKeepsTheArtifactAndSaysWhyThenRecovers) { // 7, 13, 35
    const GitRunResult first = run();
    object.set_annotation(kRequestedAt, "t1");
    std::filesystem::rename(repo.path() + "/.git", repo.path() + "/gone");
    const GitRunResult bad = run();
    EXPECT_THAT(ready(bad), StartsWith("False/GitOperationFailed: failed to checkout and determine revision: unable to list remote for 'file://" + repo.path() + "': "));
    EXPECT_EQ(bad.status.find("Reconciling")->reason, "ProgressingWithRetry");
    EXPECT_EQ(bad.status.artifact, first.status.artifact) << "the last good one is kept";
    EXPECT_EQ(bad.status.last_handled_reconcile_at, "t1");
    EXPECT_EQ(bad.next, NextRun::backoff);
    EXPECT_THAT(texts(bad.events), ElementsAre(StartsWith("error GitOperationFailed: failed to checkout")));
    std::filesystem::rename(repo.path() + "/gone", repo.path() + "/.git");
    const GitRunResult good = run();
    EXPECT_THAT(ready(good), StartsWith("True/Succeeded"));
    EXPECT_THAT(texts(good.events), ElementsAre(StartsWith("info Succeeded: stored artifact for commit ")));
    EXPECT_EQ(good.status.find("FetchFailed"), nullptr);

}

TEST_F(GitReconcile, WhatTheRemoteLacksIsSaidInFluxsWords) { // 7
    git("tag light");
    const GitRunResult first = run();
    const std::string id = first.status.artifact->revision.substr(12), failed = "False/GitOperationFailed: failed to checkout and determine revision: ";
    const std::pair<std::string, std::string> rows[] = {
        {"semver: 9.x", "no match found for semver: 9.x"},
        {"semver: no range", "semver parse error: improper constraint: \"no range\""},
        {"name: 'refs/tags/light^{}'", "unable to resolve ref 'refs/tags/light^{}' to a specific commit"}, // annotated tags have that name
        {"name: refs/heads/none", "unable to resolve ref 'refs/heads/none' to a specific commit"},
        {"name: /refs/heads/master", "ref /refs/heads/master is invalid; Git refs cannot begin or end with a slash '/'"},
        {"name: refs/heads/master/", "ref refs/heads/master/ is invalid; Git refs cannot begin or end with a slash '/'"},
        {"commit: '0123456789012345678901234567890123456789'", "unable to resolve commit object for '0123456789012345678901234567890123456789': object not found"},
        {"commit: '" + id.substr(0, 8) + "'", "unable to resolve commit object for '" + id.substr(0, 8) + "': object not found"}, // no abbreviations
        {"commit: master", "unable to resolve commit object for 'master': object not found"},
        {"branch: none", "unable to clone 'file://" + repo.path() + "': couldn't find remote ref \"refs/heads/none\""}};
    for (const auto& [ref, message] : rows) {
        edit("  ref: {" + ref + "}\n");
        EXPECT_THAT(ready(run()), StartsWith(failed + message)) << ref;
    }
    edit("  ref: {commit: '" + id + "', branch: none}\n");
    EXPECT_THAT(ready(run()), StartsWith(failed + "unable to clone 'file://" + repo.path() + "': couldn't find remote ref \"refs/heads/none\"")) << "although the commit is at hand";
    for (const auto& [ref, revision] : {std::pair<std::string, std::string>{"commit: '" + id + "', name: refs/heads/none", "refs/heads/none@sha1:"}, {"commit: '" + id + "', branch: master", "master@sha1:"}}) {
        edit("  ref: {" + ref + "}\n");
        EXPECT_EQ(run().status.artifact->revision, revision + id) << ref;
    }
}

// Showing a status gives the object back as it is by then: newer than what this run has seen of it.
TEST_F(GitReconcile, ARunAnswersForWhatItHasSeen) {
    object.set_annotation(kRequestedAt, "t1");
    settings.on_status = [this](const GitRepositoryStatus&) -> Result<void> {
        object.set_annotation(kRequestedAt, "t2");
        object.metadata_mut().set("generation", Node::integer(2));
        return {};
    };
    const GitRunResult r = run();
    EXPECT_EQ(r.status.last_handled_reconcile_at, "t1");
    EXPECT_EQ(r.status.observed_generation, 1);
    for (const Condition& c : r.status.conditions) EXPECT_EQ(c.observed_generation, 1) << c.type;
}

// Flux recovers a source of a range or a commit by a whole clone, of which it knows the subject.
TEST_F(GitReconcile, ARecoveryNamesTheSubjectOfWhatWasCloned) {
    git("tag 1.0.0");
    for (const auto& [ref, named] : {std::pair<std::string, std::string>{"semver: 1.x", "first commit"}, {"branch: master", ""}}) {
        edit("  ref: {" + ref + "}\n");
        const std::string revision = run().status.artifact->revision;
        std::filesystem::rename(repo.path() + "/.git", repo.path() + "/gone");
        run();
        std::filesystem::rename(repo.path() + "/gone", repo.path() + "/.git");
        EXPECT_THAT(texts(run().events), ElementsAre("info Succeeded: stored artifact for commit '" + (named.empty() ? revision : named) + "'"));
    }
}

// Taken over from Flux with fields that this version refuses; now they are gone from the spec.
TEST_F(GitReconcile, AnArtifactOfMoreThanTheCheckoutIsBuiltAnew) {
    const GitRunResult first = run();
    for (const char* more : {"observedInclude: [{repository: {name: other}}]", "includedArtifacts: [{path: x, url: http://x, revision: r, digest: d, lastUpdateTime: '2026-01-01T00:00:00Z'}]",
                             "observedSparseCheckout: [a]", "observedRecurseSubmodules: true"}) {
        Node status = write_git_status(first.status);
        const Node other = object_of("{apiVersion: v1, kind: X, metadata: {name: x}, status: {" + std::string(more) + "}}").root();
        for (const auto& [key, value] : other.find("status")->entries()) status.set(key.str(), value);
        object.root().set("status", status);
        clock.time += 60s;
        const GitRunResult r = run();
        EXPECT_NE(r.status.artifact->last_update_time, first.status.artifact->last_update_time) << more;
        EXPECT_TRUE(r.status.more.empty()) << more;
    }
    const GitRunResult r = run();
    EXPECT_THAT(texts(r.traces), Contains(StartsWith("info GitOperationSucceeded: ")));
}

TEST_F(GitReconcile, WhatIsNotDoneYetStallsAndNamesTheField) { // 30 to 33
    for (const auto& [field, value] : {std::pair<std::string, std::string>{"sparseCheckout", "[./charts]"}, {"verify", "{mode: HEAD, secretRef: {name: keys}}"},
                                       {"include", "[{repository: {name: other}}]"}, {"recurseSubmodules", "true"}}) {
        make("  " + field + ": " + value + "\n");
        const GitRunResult r = run();
        EXPECT_TRUE(r.status.is_true("Stalled")) << field;
        EXPECT_THAT(ready(r), HasSubstr("spec." + field));
        EXPECT_EQ(r.status.find("Reconciling"), nullptr) << field;
        EXPECT_EQ(r.next, NextRun::terminal) << field;
        EXPECT_EQ(r.status.observed_generation, 1) << field;
        EXPECT_FALSE(r.status.artifact.has_value()) << field;
    }
    edit("");
    EXPECT_THAT(ready(run()), StartsWith("True/Succeeded")) << "an edit mends it";
    EXPECT_FALSE(read_git_status(object).is_true("Stalled"));
}

TEST_F(GitReconcile, AUrlThatIsNoneStalls) {
    make("", "ssh://git@github.com:org/repo.git");
    const GitRunResult r = run();
    EXPECT_EQ(ready(r), "False/URLInvalid: failed to parse url 'ssh://git@github.com:org/repo.git': parse \"ssh://git@github.com:org/repo.git\": invalid port \":org\" after host");
    for (const char* type : {"FetchFailed", "Stalled"}) EXPECT_TRUE(r.status.is_true(type)) << type;
    EXPECT_EQ(r.next, NextRun::terminal);
    EXPECT_EQ(r.status.observed_generation, 1);
    make("", "https://user:planted@host:x/");
    EXPECT_THAT(ready(run()), ::testing::Not(HasSubstr("planted")));
}

TEST_F(GitReconcile, AnEmptyRemoteIsSaidAndFetchedOnceItHasACommit) { // 34
    const TempDir remote;
    ASSERT_EQ(std::system(("git init -q --bare -b master " + remote.path()).c_str()), 0);
    make("", "file://" + remote.path());
    const GitRunResult empty = run();
    EXPECT_EQ(ready(empty), "False/EmptyGitRepository: git repository is empty");
    EXPECT_EQ(empty.status.find("FetchFailed")->reason, "EmptyGitRepository");
    EXPECT_FALSE(empty.status.is_true("Stalled"));
    git("push -q " + remote.path() + " master");
    EXPECT_THAT(ready(run()), StartsWith("True/Succeeded"));
}

TEST_F(GitReconcile, AMissingSecretIsAnAuthenticationFailureUntilItAppears) { // 24, 25
    make("  secretRef: {name: s}\n");
    EXPECT_EQ(ready(run()), "False/AuthenticationFailed: failed to get secret 'ns/s': failed to get secret 'ns/s': secrets \"s\" not found"); // Flux says it twice
    secrets.emplace("s", object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}, data: {}}"));
    EXPECT_THAT(ready(run()), StartsWith("True/Succeeded"));
    secrets.emplace("key", object_of("{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: ns}, data: {identity: aw==, known_hosts: aw==}}"));
    secrets.emplace("proxy", object_of("{apiVersion: v1, kind: Secret, metadata: {name: proxy, namespace: ns}, data: {address: c29ja3M1Oi8vMTI3LjAuMC4xOjE=}}")); // socks5://127.0.0.1:1
    make("  secretRef: {name: key}\n  proxySecretRef: {name: proxy}\n", "ssh://git@127.0.0.1/x");
    EXPECT_THAT(ready(run()), StartsWith("False/GitOperationFailed: failed to checkout and determine revision: unable to clone 'ssh://git@127.0.0.1/x': a SOCKS5 proxy for git over ssh is not supported"));
    make("  secretRef: {name: s}\n  proxySecretRef: {name: none}\n");
    EXPECT_EQ(ready(run()), "False/AuthenticationFailed: failed to configure proxy options: secret 'ns/none' not found");
    make("", "ssh://git@127.0.0.1/x");
    EXPECT_EQ(ready(run()), "False/AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required");
}

TEST_F(GitReconcile, AChangedAddressChangesTheUrlOnly) { // 39
    const GitRunResult first = run();
    ArtifactStorage moved(store.path(), "https://artifacts.example.com/");
    settings.storage = &moved;
    const GitRunResult r = run();
    EXPECT_EQ(r.status.artifact->url, "https://artifacts.example.com/" + first.status.artifact->path);
    EXPECT_THAT(r.events, IsEmpty());
}

TEST_F(GitReconcile, SuspendedAndDeleted) { // 18, 19
    run();
    object.metadata_mut().set("generation", Node::integer(7));
    object.set_annotation(kRequestedAt, "t2");
    const GitRepositoryStatus s = suspended_git_status(object);
    EXPECT_EQ(s.observed_generation, 7);
    EXPECT_EQ(s.last_handled_reconcile_at, "t2");
    for (const Condition& c : s.conditions) EXPECT_EQ(c.observed_generation, c.type == "Ready" ? 7 : 1) << "Ready is summed up again";
    Object fresh = object;
    fresh.root().set("status", Node::map({{"observedGeneration", Node::integer(-1)}}));
    EXPECT_EQ(suspended_git_status(fresh).observed_generation, -1) << "never looked at";
    EXPECT_EQ(suspended_git_status(fresh).last_handled_reconcile_at, "t2");
    const auto event = remove_artifacts(object, storage);
    ASSERT_TRUE(event && *event);
    EXPECT_EQ((*event)->message, "garbage collected artifacts for deleted resource");
    EXPECT_FALSE(remove_artifacts(object, storage).value()) << "nothing was there";
    EXPECT_FALSE(std::filesystem::exists(store.path() + "/gitrepository/ns/r"));
}

TEST_F(GitReconcile, AFullDiskIsAStorageFailureAndTheOldArtifactStays) {
    const GitRunResult first = run();
    commit("a.yaml", "2", "two");
    std::filesystem::create_directories(store.path() + "/blocked");
    ArtifactStorage full("/dev/full/nowhere", "x"); // nothing can be written below
    settings.storage = &full;
    const GitRunResult r = run();
    EXPECT_THAT(ready(r), StartsWith("False/ArchiveOperationFailed: "));
    EXPECT_TRUE(r.status.is_true("StorageOperationFailed"));
    EXPECT_EQ(storage.check(*first.status.artifact), ArtifactStorage::Check::good);
}

// ---- credentials -------------------------------------------------------------------------------------------------

Object secret(const std::map<std::string, std::string>& values) {
    Object o = object_of("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}, data: {}}");
    for (const auto& [key, value] : values) o.root().find_mut("data")->set(key, Node::string(kube::base64_encode(value)));
    return o;
}

TEST(GitSecrets, HttpKeys) { // 20, 21, 22
    EXPECT_EQ(git_credentials("https://h/p", secret({{"password", "planted"}})).error().message,
              "failed to configure authentication options: invalid 'https' auth option: 'password' requires 'username' to be set");
    const auto basic = git_credentials("https://h/p", secret({{"username", "u"}, {"password", "p"}, {"ca.crt", "new"}, {"caFile", "old"}}));
    ASSERT_TRUE(basic);
    EXPECT_EQ(basic->username + basic->password.reveal() + basic->ca, "upnew");
    const auto bearer = git_credentials("https://h/p", secret({{"username", "u"}, {"password", "p"}, {"bearerToken", "t"}}));
    ASSERT_TRUE(bearer);
    EXPECT_EQ(bearer->username + bearer->bearer_token.reveal(), "t");
    const auto both = git_credentials("https://u:p@h/p", secret({{"bearerToken", "t"}})); // which the run refuses
    EXPECT_EQ(both->username + both->bearer_token.reveal(), "ut");
    // What the Secret does not say the URL may.
    const auto user = git_credentials("https://u%40x@h/p", secret({{"password", "p"}}));
    ASSERT_TRUE(user) << user.error().to_string();
    EXPECT_EQ(user->username + " " + user->password.reveal(), "u@x p");
    const auto password = git_credentials("https://u:p%3aq@h/p", secret({{"username", "other"}}));
    EXPECT_EQ(password->username + " " + password->password.reveal(), "other p:q");
    EXPECT_EQ(git_credentials("https://h/p", secret({{"ca.crt", ""}, {"caFile", "old"}}))->ca, "old");
    EXPECT_EQ(git_credentials("https://h/p", secret({{"certFile", "c"}, {"keyFile", "k"}}))->certificate, "") << "names of other kinds";
    EXPECT_FALSE(git_credentials("https://h/p", secret({{"tls.crt", "c"}})));
    EXPECT_TRUE(git_credentials("https://h/p", std::nullopt));
    EXPECT_EQ(git_credentials("https://h/p", secret({{"githubAppID", "1"}})).error().message,
              "secretRef 'ns/s' has github app data but provider is not set to github");
}

TEST(GitSecrets, SshKeysAndProxies) {
    EXPECT_THAT(git_credentials("ssh://h/p", std::nullopt).error().message, HasSubstr("'identity' is required"));
    EXPECT_THAT(git_credentials("ssh://", std::nullopt).error().message, HasSubstr("'host' is required"));
    EXPECT_THAT(git_credentials("ssh://h/p", secret({{"identity", "k"}})).error().message, HasSubstr("'known_hosts' is required"));
    auto ssh = git_credentials("ssh://h/p", secret({{"identity", "k"}, {"known_hosts", "h"}, {"password", "pass"}, {"identity.pub", "ignored"}}));
    ASSERT_TRUE(ssh);
    EXPECT_EQ(ssh->identity.reveal() + ssh->known_hosts + ssh->passphrase.reveal(), "khpass");
    ASSERT_TRUE(add_proxy(*ssh, secret({{"address", "http://p:1"}, {"username", "u"}})));
    EXPECT_EQ(ssh->proxy + ssh->proxy_user, "http://p:1u");
    const auto refused = [&](const std::map<std::string, std::string>& values) { return add_proxy(*ssh, secret(values)).error().message; };
    EXPECT_EQ(refused({{"username", "u"}}), "failed to configure proxy options: secret 'ns/s': key 'address' not found");
    EXPECT_EQ(refused({{"address", ""}}), "failed to configure proxy options: secret 'ns/s': proxy address is empty");
    EXPECT_EQ(refused({{"address", "ftp://x"}}), "failed to configure proxy options: secret 'ns/s': proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'");
    EXPECT_THAT(refused({{"address", "u:planted@h:1"}}), ::testing::Not(HasSubstr("planted")));
    EXPECT_EQ(git_credentials("ssh://h/p", secret({{"identity", "k"}, {"known_hosts", "h"}, {"username", "u"}}))->username, "") << "the URL's, or git";
}

TEST(GitSecrets, AKeyWithoutItsPassphraseIsNamed) { // 1.2
    const testing::TempDir dir;
    const auto key = [&](const std::string& make) {
        const std::string file = dir.path() + "/key";
        EXPECT_EQ(std::system(("rm -f " + file + " && " + make + " " + file + " >/dev/null 2>&1").c_str()), 0) << make;
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    };
    const std::string wanted = "SSH identity key is encrypted but no 'password' field was provided in the secret 'ns/s'";
    for (const char* locked : {"ssh-keygen -q -t ed25519 -N planted -f", "ssh-keygen -q -t rsa -b 2048 -m PEM -N planted -f", "ssh-keygen -q -t rsa -b 2048 -m PKCS8 -N planted -f",
                               "openssl genpkey -algorithm ed25519 -aes256 -pass pass:planted -out"}) {
        const std::string text = key(locked);
        EXPECT_EQ(git_credentials("ssh://h/p", secret({{"identity", text}, {"known_hosts", "h"}})).error().message, wanted) << locked;
        EXPECT_TRUE(git_credentials("ssh://h/p", secret({{"identity", text}, {"known_hosts", "h"}, {"password", "planted"}}))) << locked;
    }
    for (const char* open : {"ssh-keygen -q -t ed25519 -N '' -f", "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f"})
        EXPECT_TRUE(git_credentials("ssh://h/p", secret({{"identity", key(open)}, {"known_hosts", "h"}}))) << open;
}

TEST(GitStatus, TheStrongestSignDecides) {
    const kube::SystemTime now = kube::system_clock().now();
    const auto ready = [&](std::vector<Condition> conditions) {
        GitRepositoryStatus s;
        for (Condition& c : conditions) set_condition(s, std::move(c), now);
        summarize(s, 1, now);
        const Condition* c = s.find("Ready");
        return c == nullptr ? std::string() : c->status + "/" + c->reason;
    };
    EXPECT_EQ(ready({}), "");
    EXPECT_EQ(ready({{"ArtifactInStorage", "True", "Stored", "", 1, ""}}), "True/Stored");
    EXPECT_EQ(ready({{"ArtifactInStorage", "True", "Stored", "", 1, ""}, {"FetchFailed", "True", "Bad", "", 1, ""}}), "False/Bad");
    EXPECT_EQ(ready({{"FetchFailed", "True", "Fetch", "", 1, ""}, {"StorageOperationFailed", "True", "Storage", "", 1, ""}}), "False/Storage");
    EXPECT_EQ(ready({{"ArtifactInStorage", "True", "Stored", "", 1, ""}, {"SourceVerified", "False", "Unsigned", "", 1, ""}}), "False/Unsigned");
}

} // namespace
} // namespace weber::gitops
