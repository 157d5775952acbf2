// Fetching over http and https from a real git http-backend: credentials, authorities, client certificates, redirects, large repositories.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

#include "gitops/source/open.h"
#include "tests/gitops/source/git_server.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using weber::testing::TempDir;

class GitHttp : public ::testing::Test {
protected:
    void SetUp() override {
        run("git init -q -b main work && cd work && echo one > a && git add -A && git commit -qm one");
        run("git clone -q --bare work repo.git");
    }
    void run(const std::string& command) {
        const std::string whole = "cd " + dir.path() + " && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t "
                                  "GIT_COMMITTER_EMAIL=t@t && (" + command + ") >/dev/null 2>&1";
        ASSERT_EQ(std::system(whole.c_str()), 0) << command;
    }
    void serve(const std::vector<std::string>& more = {}) {
        if (!server.start(dir.path(), more)) GTEST_SKIP() << "python3 does not run here";
    }
    std::string url(const std::string& path = "/repo.git", const std::string& scheme = "http") const {
        return scheme + "://127.0.0.1:" + std::to_string(server.port) + path;
    }
    Result<Fetched> get(const std::string& from, const GitCredentials& who = {}) {
        return fetch({.url = from, .ref = {.branch = "main"}, .cache_dir = dir.path() + "/cache", .credentials = who});
    }
    std::string text(const std::string& name) const {
        std::ifstream in(dir.path() + "/" + name);
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    }
    TempDir dir;
    GitServer server;
};

TEST_F(GitHttp, FetchesThenOnlyWhatIsNew) {
    serve();
    if (IsSkipped()) return;
    const auto first = get(url());
    ASSERT_TRUE(first) << first.error().to_string();
    EXPECT_TRUE(first->transferred);
    EXPECT_EQ(open_fetched(*first)->fs->read("/source/a").value(), "one\n");
    EXPECT_FALSE(get(url())->transferred);
    run("cd work && echo two > a && git commit -qam two && git push -q ../repo.git main");
    const auto second = get(url());
    ASSERT_TRUE(second) << second.error().to_string();
    EXPECT_TRUE(second->transferred);
    EXPECT_EQ(open_fetched(*second)->fs->read("/source/a").value(), "two\n");
}

TEST_F(GitHttp, ARepositoryLargerThanAnyBuffer) {
    run("cd work && head -c 8000000 /dev/urandom > big && git add -A && git commit -qm big && git push -q ../repo.git main");
    serve();
    if (IsSkipped()) return;
    const auto f = get(url());
    ASSERT_TRUE(f) << f.error().to_string();
    EXPECT_EQ(open_fetched(*f)->fs->read("/source/big").value(), text("work/big"));
}

TEST_F(GitHttp, FollowsARedirect) {
    serve();
    if (IsSkipped()) return;
    const auto f = get(url("/redirect/repo.git"));
    ASSERT_TRUE(f) << f.error().to_string();
}

TEST_F(GitHttp, UserAndPassword) {
    serve({"--user", "me", "--password", "planted"});
    if (IsSkipped()) return;
    const auto none = get(url());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::unauthorized) << none.error().to_string();
    GitCredentials who{.username = "me", .password = kube::SecretText("wrong")};
    EXPECT_EQ(get(url(), who).error().code, ErrorCode::unauthorized);
    who.password = kube::SecretText("planted");
    EXPECT_TRUE(get(url(), who));
    const std::string with_user = "http://me:planted@127.0.0.1:" + std::to_string(server.port);
    EXPECT_TRUE(get(with_user + "/repo.git"));
    EXPECT_THAT(get(with_user + "/nope.git").error().to_string(), Not(HasSubstr("planted")));
}

TEST_F(GitHttp, BearerToken) {
    serve({"--bearer", "planted"});
    if (IsSkipped()) return;
    EXPECT_EQ(get(url()).error().code, ErrorCode::unauthorized);
    EXPECT_TRUE(get(url(), {.bearer_token = kube::SecretText("planted")}));
    for (const char* lines : {"planted\n", "planted\r\nX-Other: 1"}) { // would be headers of their own; Go refuses them, too
        const auto refused = get(url(), {.bearer_token = kube::SecretText(lines)});
        ASSERT_FALSE(refused) << lines;
        EXPECT_THAT(refused.error().message, HasSubstr("invalid header field value for \"Authorization\""));
        EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("planted")));
    }
}

TEST_F(GitHttp, AMissingRepositoryIsNotFound) {
    serve();
    if (IsSkipped()) return;
    const auto f = get(url("/nope.git"));
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().code, ErrorCode::not_found) << f.error().to_string();
}

TEST_F(GitHttp, OwnAuthoritiesAndClientCertificates) {
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca");
    run("openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=127.0.0.1 && printf 'subjectAltName=IP:127.0.0.1' > ext && "
        "openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out s.crt");
    run("openssl req -newkey rsa:2048 -nodes -keyout c.key -out c.csr -subj /CN=client && openssl x509 -req -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out c.crt");
    serve({"--cert", dir.path() + "/s.crt", "--key", dir.path() + "/s.key", "--client-ca", dir.path() + "/ca.crt"});
    if (IsSkipped()) return;
    EXPECT_EQ(get(url("/repo.git", "https")).error().code, ErrorCode::unavailable) << "unknown authority";
    GitCredentials who{.ca = text("ca.crt")};
    EXPECT_FALSE(get(url("/repo.git", "https"), who)) << "no client certificate";
    who.certificate = text("c.crt");
    who.key = kube::SecretText(text("c.key"));
    const auto f = get(url("/repo.git", "https"), who);
    EXPECT_TRUE(f) << f.error().to_string();
}

} // namespace
} // namespace weber::gitops
