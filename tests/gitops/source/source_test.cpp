// References, ranges of versions, host keys and ignore rules: sources.md 0.5, 1.2 and 1.4.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include "gitops/source/git_url.h"
#include "gitops/source/ignore.h"
#include "gitops/source/known_hosts.h"
#include "gitops/source/open.h"
#include "gitops/source/semver.h"
#include "kube/base/digest.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using weber::testing::TempDir;

// ---- semver ------------------------------------------------------------------------------------------------------

struct RangeCase {
    const char* range;
    const char* version;
    bool in;
};
// Expectations as of Masterminds/semver v3 (its constraints_test.go states the same rules).
constexpr RangeCase kRanges[] = {
    {"*", "1.2.3", true},           {"*", "1.2.3-rc.1", false},      {">=1.0.0-0", "1.2.3-rc.1", true}, {"1.2.3", "1.2.3", true},
    {"1.2.3", "v1.2.3", true},      {"=1.2.3", "1.2.4", false},      {"!=1.2.3", "1.2.4", true},        {"1.x", "1.9.0", true},
    {"1.x", "2.0.0", false},        {"1.2.x", "1.2.9", true},        {"1.2.x", "1.3.0", false},         {"1", "1.5.0", true},
    {"~1.2", "1.2.7", true},        {"~1.2", "1.3.0", false},        {"~1.2.3", "1.2.2", false},        {"~1", "1.9.9", true},
    {"~>1.2.3", "1.2.9", true},     {"^1", "1.9.9", true},           {"^1.2.3", "1.2.2", false},        {"^1.2.3", "2.0.0", false},
    {"^0.2.3", "0.2.9", true},      {"^0.2.3", "0.3.0", false},      {"^0.0.3", "0.0.3", true},         {"^0.0.3", "0.0.4", false},
    {"^0", "0.9.0", true},          {"^0.0", "0.0.7", true},         {"^0.0", "0.1.0", false},          {">1.2", "1.2.9", false},
    {">1.2", "1.3.0", true},        {">11", "11.1.0", false},        {">11", "12.0.0", true},           {"<2", "1.9.9", true},
    {"<=1.2", "1.2.9", true},       {"<=1.2", "1.3.0", false},       {">=1.0.0 <2.0.0", "1.5.0", true}, {">=1.0.0 <2.0.0", "2.0.0", false},
    {">=1.0.0, <2.0.0", "1.5.0", true}, {"1.2 - 1.4", "1.3.0", true}, {"1.2 - 1.4", "1.5.0", false},     {"1.0.0 || 3.0.0", "3.0.0", true},
    {"1.0.0 || 3.0.0", "2.0.0", false}, {"=>1.1", "1.1.0", true},     {">= 1.1", "1.0.9", false},        {"1.0.0-beta", "1.0.0-beta", true},
    {">=1.3.0-0 <2.0.0", "1.3.0-rc.1", true}, {">=1.3.0-0, <2.0.0", "2.0.0-rc.1", true}, {">=1.0.0 <2.0.0", "1.3.0-rc.1", false}, {"<2.0.0 || 3.0.0-0", "1.3.0-rc.1", false},
    {"~1.2 !=1.2.5-0", "1.2.3-rc.1", true}, {"!=1.2 >=1.0.0-0", "1.2.3-rc.1", true}, {"!=1.2 >=1.0.0-0", "1.2.3", false}, {"!=1.x", "1.2.3", false}, {"!=*", "0.0.5", true},
    {"!=*", "0.0.0", false}, {">*", "0.0.1", true}, {">*", "0.0.0", false}};

TEST(Semver, RangesHoldWhatTheySay) {
    for (const RangeCase& c : kRanges) {
        const auto range = VersionRange::parse(c.range);
        ASSERT_TRUE(range) << c.range << ": " << range.error().message;
        const auto version = Version::parse(c.version);
        ASSERT_TRUE(version) << c.version;
        EXPECT_EQ(range->contains(*version), c.in) << c.range << " " << c.version;
    }
}

TEST(Semver, OrdersAsSemverOrgDemands) {
    const char* ascending[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
                               "1.0.1", "1.1.0", "2.0.0", "10.0.0"};
    for (std::size_t i = 0; i + 1 < std::size(ascending); ++i)
        EXPECT_TRUE(Version::parse(ascending[i])->compare(*Version::parse(ascending[i + 1])) < 0) << ascending[i];
    EXPECT_TRUE(Version::parse("1.0.0+a")->compare(*Version::parse("1.0.0+b")) == 0);
}

TEST(Semver, RefusesWhatIsNoVersionOrRange) {
    for (const char* bad : {"1.2", "1", "01.2.3", "1.2.3-", "x", "", "1.2.3.4", "vv1.2.3"}) EXPECT_FALSE(Version::parse(bad)) << bad;
    for (const char* bad : {"", "foo", ">>1", "1.2.3.4", "||", "1 ||"}) EXPECT_FALSE(VersionRange::parse(bad)) << bad;
}

// ---- known_hosts -------------------------------------------------------------------------------------------------

std::string wire_key(std::string_view type, std::string_view body) {
    std::string out("\0\0\0", 3);
    out += static_cast<char>(type.size());
    return out + std::string(type) + std::string(body);
}

TEST(KnownHosts, NamesPortsPatternsHashesAndRevocation) {
    const std::string ed = wire_key("ssh-ed25519", "key-one"), other = wire_key("ssh-ed25519", "key-two"), rsa = wire_key("ssh-rsa", "key-three");
    const auto line = [](const std::string& names, const std::string& key) { return names + " ssh-x " + kube::base64_encode(key) + " comment\n"; };
    EXPECT_EQ(check_host_key(line("git.example.com", ed), "git.example.com", 22, ed), HostKey::known);
    EXPECT_EQ(check_host_key(line("git.example.com", ed), "git.example.com", 22, other), HostKey::changed);
    EXPECT_EQ(check_host_key(line("git.example.com", ed), "git.example.com", 22, rsa), HostKey::unknown) << "no key of that type is known";
    EXPECT_EQ(check_host_key(line("git.example.com", ed), "git.example.org", 22, ed), HostKey::unknown);
    EXPECT_EQ(check_host_key(line("git.example.com", ed), "git.example.com", 2222, ed), HostKey::unknown);
    EXPECT_EQ(check_host_key(line("[git.example.com]:2222", ed), "git.example.com", 2222, ed), HostKey::known);
    EXPECT_EQ(check_host_key(line("a,*.example.com,!bad.example.com", ed), "git.example.com", 22, ed), HostKey::known);
    EXPECT_EQ(check_host_key(line("a,*.example.com,!bad.example.com", ed), "bad.example.com", 22, ed), HostKey::unknown);
    EXPECT_EQ(check_host_key("# comment\n\nbroken\n" + line("h", other) + line("h", ed), "h", 22, ed), HostKey::known);
    EXPECT_EQ(check_host_key(line("h", ed) + "@revoked " + line("h", ed), "h", 22, ed), HostKey::changed);
    EXPECT_EQ(check_host_key("@cert-authority " + line("h", ed), "h", 22, ed), HostKey::unknown);
    // ssh-keygen -H of "example.com", salt of twenty zero bytes
    const std::string hashed = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|SRGPNbcAE3KPE3b6HB7fQ9J/69c=";
    EXPECT_EQ(check_host_key(line(hashed, ed), "example.com", 22, ed), HostKey::known);
    EXPECT_EQ(check_host_key(line(hashed, ed), "example.org", 22, ed), HostKey::unknown);
}

// ---- ignore rules ------------------------------------------------------------------------------------------------

struct IgnoreCase {
    const char* patterns; // of .sourceignore at the root
    const char* path;
    bool ignored;
};
constexpr IgnoreCase kIgnores[] = {
    {"", "a.yaml", false},          {"", "x/picture.png", true},    {"", ".github/w.yaml", true},     {"", "a/.sops.yaml", true},
    {"", ".git/config", true},      {"", "sub/.gitignore", true},   {"*.md", "picture.png", false},   {"*.md", ".git/config", true},
    {"*.md", "docs/a.md", true},    {"/a.md", "docs/a.md", false},  {"/a.md", "a.md", true},          {"docs/", "docs/a.yaml", true},
    {"docs/", "docs", false},       {"a/b", "a/b/c", true},         {"a/b", "x/a/b", false},          {"**/b", "x/y/b", true},
    {"a/**/z", "a/z", true},        {"a/**/z", "a/b/c/z", true},    {"a/**", "a/b", true},            {"*\n!keep.yaml", "keep.yaml", false},
    {"*\n!keep.yaml", "b.yaml", true}, {"# c\n\\#x", "#x", true},    {"x \n", "x", true},              {"x\\ ", "x ", true},
    {"[ab].yaml", "a.yaml", true},  {"[^a].yaml", "a.yaml", false}, {"dir/*\n!dir/keep", "dir/keep", false}, {"?.yaml", "ab.yaml", false}};

TEST(Ignore, PatternsAreThoseOfGitignore) {
    for (const IgnoreCase& c : kIgnores) {
        const IgnoreRules rules = IgnoreRules::make({{"", c.patterns}}, "");
        EXPECT_EQ(rules.ignores(c.path, false), c.ignored) << "'" << c.patterns << "' " << c.path;
    }
}

// Answers of fluxcd/pkg/sourceignore 0.18, where git itself would often say something else.
constexpr IgnoreCase kFluxsOwn[] = {
    {"/**", "a", false},                {"/**/", "a/b", false},          {"**/a/b", "a/x/a/b", false},      {"**/a/b", "a/b", true},    {"a/**b", "a/xb", false},  {"**b/c", "xb/c", false},
    {"a//b", "a/b", true},              {"**//b", "x/b", false},         {"a/**/**/b", "a/x/y/b", true},    {"a/**/b/c", "a/b/x/b/c", false}, {"*/c", "a/b/c", false}, {"a/*", "a/b/c", true},
    {"[!a].yaml", "a.yaml", true},      {"[!a].yaml", "b.yaml", false},  {"[^a].yaml", "b.yaml", true},     {"[]a]", "a", false},       {"[", "[", false},         {"a[", "a[", false},
    {"[a-]", "-", false},               {"x\\", "x\\", false},           {"?.yaml", "\u00fc.yaml", true},   {"[\u00fc-\u00fd].yaml", "\u00fc.yaml", true},
    {"/", "a.png", false},              {"!", "a.png", false},           {"\t", "a.png", true},             {"a\\  ", "a", false},      {"a\t", "a", false},       {"./a", "a", false}};

TEST(Ignore, PatternsAreReadAsFluxReadsThem) {
    for (const IgnoreCase& c : kFluxsOwn) EXPECT_EQ(IgnoreRules::make({{"", c.patterns}}, "").ignores(c.path, false), c.ignored) << "'" << c.patterns << "' " << c.path;
    EXPECT_FALSE(IgnoreRules::make({}, "a\n" + std::string(65'536, 'x') + "\nb\n").ignores("b", false)) << "nothing is read behind such a line";
    EXPECT_TRUE(IgnoreRules::make({}, "a\n" + std::string(65'535, 'x') + "\nb\n").ignores("b", false));
}

TEST(Ignore, FilesAreScopedToTheirDirectoryAndTheSpecComesLast) {
    const IgnoreRules rules = IgnoreRules::make({{"", "*.txt"}, {"sub", "/a.yaml\n!b.txt"}}, "c.yaml");
    EXPECT_TRUE(rules.ignores("sub/a.yaml", false));
    EXPECT_FALSE(rules.ignores("a.yaml", false));
    EXPECT_FALSE(rules.ignores("sub/b.txt", false));
    EXPECT_TRUE(rules.ignores("b.txt", false));
    EXPECT_TRUE(rules.ignores("sub/c.yaml", false));
}

TEST(Ignore, AnEmptySpecIgnoreAddsNoPatterns) { EXPECT_TRUE(IgnoreRules::make({}, "").ignores("a.png", false)); }

TEST(Ignore, PatternsTakeLinearTime) {
    const std::string text(10'000, 'a');
    EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", text));
}

// ---- git ---------------------------------------------------------------------------------------------------------

class Git : public ::testing::Test {
protected:
    void git(const std::string& command) {
        const std::string whole = "cd " + repo.path() + " && GIT_CONFIG_GLOBAL=/dev/null git -c user.name=t -c user.email=t@t " + command + " >/dev/null 2>&1";
        ASSERT_EQ(std::system(whole.c_str()), 0) << command;
    }
    void commit(const std::string& file, const std::string& text) {
        repo.write(file, text);
        git("add -A");
        git("commit -qm x");
    }
    Result<Fetched> get(const GitReference& ref) { return fetch({.url = "file://" + repo.path(), .ref = ref, .cache_dir = cache.path()}); }
    std::string revision(const GitReference& ref) {
        const auto f = get(ref);
        return f ? f->revision.substr(0, f->revision.find("sha1:") + 5) : f.error().to_string();
    }
    std::string text(const GitReference& ref) {
        const auto f = get(ref);
        if (!f) return f.error().to_string();
        const auto s = open_fetched(*f);
        if (!s) return s.error().to_string();
        return s->fs->read(s->fs->mount() + "/a").value_or("?");
    }
    void SetUp() override {
        git("init -q -b main");
        commit("a", "1");
        git("tag v1.0.0");
        commit("a", "2");
        git("tag -a v1.1.0 -m annotated");
        git("branch feature/x");
        commit("a", "3");
        git("tag v2.0.0-rc.1");
        git("tag not-a-version");
        git("update-ref refs/pull/4/head HEAD");
    }
    TempDir repo, cache;
};

TEST_F(Git, EveryKindOfReference) {
    EXPECT_EQ(revision({.branch = "main"}), "main@sha1:");
    EXPECT_EQ(text({.branch = "feature/x"}), "2");
    EXPECT_EQ(revision({.branch = "feature/x"}), "feature/x@sha1:");
    EXPECT_EQ(revision({.tag = "v1.1.0"}), "v1.1.0@sha1:");
    EXPECT_EQ(text({.tag = "v1.0.0"}), "1");
    EXPECT_EQ(revision({.semver = ">=1.0.0"}), "v1.1.0@sha1:");
    EXPECT_EQ(revision({.semver = ">=1.0.0-0"}), "v2.0.0-rc.1@sha1:");
    EXPECT_EQ(revision({.name = "refs/pull/4/head"}), "refs/pull/4/head@sha1:");
    EXPECT_EQ(text({.name = "refs/tags/v1.1.0^{}"}), "2");
    const std::string one = get({.tag = "v1.0.0"})->commit;
    EXPECT_EQ(get({.commit = one})->revision, "sha1:" + one);
    EXPECT_EQ(get({.branch = "main", .commit = one})->revision, "main@sha1:" + one);
    // commit, name, semver, tag, branch: the first that is set counts
    EXPECT_EQ(text({.branch = "main", .tag = "v1.0.0"}), "1");
    EXPECT_EQ(text({.branch = "main", .tag = "v1.0.0", .semver = "1.1.x"}), "2");
    EXPECT_EQ(text({.semver = "1.1.x", .name = "refs/heads/main"}), "3");
    EXPECT_EQ(text({.name = "refs/heads/main", .commit = one}), "1");
}

// Build metadata are no part of the order: the newest commit counts, wherever its tag stands in the list.
TEST_F(Git, OfEqualVersionsTheNewestIsTaken) {
    const auto dated = [&](const std::string& day, const std::string& text) {
        repo.write("a", text);
        git("add -A");
        const std::string date = "2026-01-" + day + "T00:00:00Z";
        git("commit -qm x");
        ASSERT_EQ(std::system(("cd " + repo.path() + " && GIT_CONFIG_GLOBAL=/dev/null GIT_COMMITTER_DATE=" + date + " git -c user.name=t -c user.email=t@t commit -q --amend --no-edit --date " + date).c_str()), 0);
    };
    dated("02", "middle");
    git("tag v3.0.0+a");
    dated("03", "newest");
    git("tag -a v3.0.0+b -m x");
    dated("01", "oldest");
    git("tag v3.0.0+c");
    EXPECT_EQ(text({.semver = "3.x"}), "newest");
    EXPECT_EQ(revision({.semver = "3.x"}), "v3.0.0+b@sha1:");
    EXPECT_FALSE(get({.semver = "3.x"})->transferred) << "what is there is not fetched again";
}

TEST_F(Git, AnnotatedTagsArePeeled) {
    const auto f = get({.tag = "v1.1.0"});
    ASSERT_TRUE(f);
    EXPECT_EQ(f->commit, get({.branch = "feature/x"})->commit);
}

TEST_F(Git, TheSecondFetchTransfersNothingUnlessSomethingIsNew) {
    EXPECT_TRUE(get({.branch = "main"})->transferred);
    EXPECT_FALSE(get({.branch = "main"})->transferred);
    const auto old = get({.branch = "main"});
    commit("a", "4");
    const auto fresh = get({.branch = "main"});
    EXPECT_TRUE(fresh->transferred);
    EXPECT_EQ(open_fetched(*fresh)->fs->read("/source/a").value(), "4");
    EXPECT_EQ(open_fetched(*old)->fs->read("/source/a").value(), "3") << "a snapshot stays what it was";
    // history rewritten
    git("reset -q --hard HEAD~2");
    EXPECT_EQ(text({.branch = "main"}), "2");
}

TEST_F(Git, WhatIsMissingIsNamed) {
    EXPECT_THAT(get({.branch = "nope"}).error().to_string(), HasSubstr("couldn't find remote ref \"refs/heads/nope\""));
    EXPECT_THAT(get({.semver = ">=9"}).error().to_string(), HasSubstr("no match found for semver: >=9"));
    EXPECT_THAT(get({.semver = "what"}).error().to_string(), HasSubstr("improper constraint: \"what\""));
    EXPECT_EQ(get({.commit = "0123456789012345678901234567890123456789"}).error().code, ErrorCode::not_found);
    EXPECT_THAT(get({}).error().to_string(), HasSubstr("refs/heads/master")) << "nothing set: branch master";
    const auto gone = fetch({.url = "file:///nonexistent/repo.git", .cache_dir = cache.path()});
    EXPECT_FALSE(gone);
}

TEST_F(Git, AServerThatNeverAnswersMeetsTheDeadline) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 5), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string port = std::to_string(ntohs(address.sin_port));
    for (const std::string& url : {"http://user:planted@127.0.0.1:" + port + "/x.git", "ssh://git@127.0.0.1:" + port + "/x.git"}) {
        const auto began = std::chrono::steady_clock::now();
        const auto f = fetch({.url = url, .cache_dir = cache.path(), .timeout = std::chrono::milliseconds(300)});
        ASSERT_FALSE(f);
        EXPECT_EQ(f.error().code, ErrorCode::timeout) << f.error().to_string();
        EXPECT_THAT(f.error().to_string(), HasSubstr("the deadline passed"));
        EXPECT_THAT(f.error().to_string(), Not(HasSubstr("planted")));
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
    }
    std::stop_source stop;
    stop.request_stop();
    const auto f = fetch({.url = "http://127.0.0.1:" + port + "/x.git", .cache_dir = cache.path(), .stop = stop.get_token()});
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().code, ErrorCode::cancelled);
    ::close(listener);
}

TEST_F(Git, ACommitIsReadWithoutACheckoutAndAWorkingTreeAsItLies) {
    repo.write("a", "changed");
    const auto tree = open_working_tree(repo.path());
    ASSERT_TRUE(tree);
    EXPECT_THAT(tree->revision, StartsWith("main@sha256:"));
    EXPECT_EQ(tree->fs->read(tree->fs->mount() + "/a").value(), "changed");
    const auto head = open_commit(repo.path(), "HEAD");
    ASSERT_TRUE(head);
    EXPECT_THAT(head->revision, StartsWith("main@sha1:"));
    EXPECT_EQ(head->fs->read("/source/a").value(), "3");
    EXPECT_EQ(open_commit(repo.path(), "v1.0.0")->fs->read("/source/a").value(), "1");
    git("checkout -q a");
    EXPECT_EQ(open_working_tree(repo.path())->revision, head->revision) << "nothing changed: the commit's revision";
}

TEST_F(Git, ASubdirectoryCanBeTheRoot) {
    commit("fleet/b", "in");
    const auto s = open_commit(repo.path() + "/fleet", "HEAD");
    ASSERT_TRUE(s) << s.error().to_string();
    EXPECT_EQ(s->fs->read("/source/b").value(), "in");
    EXPECT_FALSE(s->fs->is_file("/source/a"));
}

TEST_F(Git, SourceignoreOfTheCommitCounts) {
    repo.write("sub/x.yaml", "x");
    commit(".sourceignore", "sub/\n");
    const auto s = open_commit(repo.path(), "HEAD");
    EXPECT_FALSE(s->fs->is_file("/source/sub/x.yaml"));
    EXPECT_TRUE(s->fs->is_file("/source/.sourceignore"));
    EXPECT_FALSE(open_commit(repo.path(), "HEAD", "a\n")->fs->is_file("/source/a"));
}

struct UrlCase {
    const char* url;
    const char* objection;
};
constexpr UrlCase kUrls[] = { // the words of Go's net/url
    {"http://", ""}, {"http:///x.git", ""}, {"http://127.0.0.1:99999/x.git", ""}, {"ssh://", ""}, {"http://h/a b", ""}, {"http://h%c3%bc/x", ""}, {"https://h/x?y=%zz", ""}, {"http://h:/x", ""},
    {"http://\u00fc/x", ""}, {"http://@h/x", ""}, {"http://a@b@c/x", ""}, {"ssh://git@github.com/org/repo", ""}, {"http://[::1]:80/x", ""},
    {"ssh://git@github.com:org/repo", "invalid port \":org\" after host"}, {"http://[::1]:x/y", "invalid port \":x\" after host"}, {"http://1:2:3/x", "invalid port \":2:3\" after host"},
    {"http://::1/x", "invalid port \"::1\" after host"}, {"https://host with blank/x.git", "invalid character \" \" in host name"}, {"http://a\\b/", "invalid character \"\\\\\" in host name"},
    {"http://h^/x", "invalid character \"^\" in host name"}, {"http://[::1/x.git", "missing ']' in host"}, {"http://%zz/x.git", "invalid URL escape \"%zz\""}, {"http://h%41/x", "invalid URL escape \"%41\""},
    {"http://h/%zz", "invalid URL escape \"%zz\""}, {"http://h/a%2", "invalid URL escape \"%2\""}, {"http://u%zz@h/", "invalid URL escape \"%zz\""}, {"https://h/x#%zz", "invalid URL escape \"%zz\""},
    {"http://u:p w@h/x", "net/url: invalid userinfo"}, {"http://h\x01/", "net/url: invalid control character in URL"}};

TEST(GitUrl, IsRefusedAsGoRefusesIt) {
    for (const UrlCase& c : kUrls) EXPECT_EQ(url_objection(c.url), c.objection) << c.url;
}

TEST(PublicUrl, HasNoCredentials) {
    EXPECT_EQ(public_url("https://user:pass@h/p?x=@"), "https://h/p?x=@");
    EXPECT_EQ(public_url("https://h/p@v"), "https://h/p@v");
    EXPECT_EQ(public_url("ssh://git@h/p"), "ssh://git@h/p") << "no secret";
    EXPECT_EQ(public_url("ssh://git:pass@h/p"), "ssh://h/p");
    EXPECT_EQ(public_url("git@h:p"), "git@h:p");
}

} // namespace
} // namespace weber::gitops
