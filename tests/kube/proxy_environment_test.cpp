// NO_PROXY and its friends, as kubectl takes them.
#include "kube/proxy_environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "kube/http_client.h"
#include "tests/kube/fault_server.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;

namespace {

TEST(ProxyEnvironment, WhichServersAreAskedForDirectly) {
    const struct {
        const char *no_proxy, *host, *port;
        bool direct;
    } cases[] = {
        {"", "api.example.org", "443", false},
        {"", "localhost", "6443", true},
        {"", "LOCALHOST", "6443", true},
        {"", "127.0.0.1", "6443", true},
        {"", "127.8.9.10", "6443", true},
        {"", "::1", "6443", true},
        {"", "10.0.0.1", "6443", false},
        {"*", "api.example.org", "443", true},
        {"other, *", "10.0.0.1", "443", true},
        {"example.org", "example.org", "443", true},
        {"example.org", "api.example.org", "443", true},
        {"example.org", "myexample.org", "443", false},
        {"EXAMPLE.org", "API.example.ORG", "443", true},
        {".example.org", "api.example.org", "443", true},
        {".example.org", "example.org", "443", false},
        {"*.example.org", "api.example.org", "443", true},
        {"*.example.org", "example.org", "443", false},
        {"example.org:6443", "api.example.org", "6443", true},
        {"example.org:6443", "api.example.org", "443", false},
        {" a ,, example.org ,b", "example.org", "443", true},
        {"10.0.0.1", "10.0.0.1", "443", true},
        {"10.0.0.1", "10.0.0.11", "443", false},
        {"10.0.0.1:6443", "10.0.0.1", "6443", true},
        {"10.0.0.1:6443", "10.0.0.1", "443", false},
        {"10.0.0.0/8", "10.200.3.4", "443", true},
        {"10.0.0.0/8", "11.0.0.1", "443", false},
        {"10.96.0.0/12", "10.111.255.255", "443", true},
        {"10.96.0.0/12", "10.112.0.0", "443", false},
        {"0.0.0.0/0", "8.8.8.8", "443", true},
        {"0.0.0.0/0", "name", "443", false},
        {"10.0.0.0/33", "10.0.0.1", "443", false},
        {"10.0.0.0/", "10.0.0.1", "443", false},
        {"fd00::/8", "fd12::1", "443", true},
        {"fd00::/8", "fe80::1", "443", false},
        {"fd12::1", "fd12::1", "443", true},
        {"fd12::1", "FD12:0::1", "443", true},
        {"[fd12::1]:443", "fd12::1", "443", true},
        {"[fd12::1]:443", "fd12::1", "6443", false},
        {"::/0", "10.0.0.1", "443", false},
        {":443", "a", "443", false},
        {".", "a", "443", false},
    };
    for (const auto& c : cases) {
        const ProxyEnvironment e{.http = "http://p", .https = "http://q", .no_proxy = c.no_proxy};
        EXPECT_EQ(e.proxy_for(true, c.host, c.port), c.direct ? "" : "http://q") << c.no_proxy << " " << c.host << ":" << c.port;
        EXPECT_EQ(e.proxy_for(false, c.host, c.port), c.direct ? "" : "http://p") << c.no_proxy << " " << c.host << ":" << c.port;
    }
    EXPECT_EQ((ProxyEnvironment{.http = "http://p"}).proxy_for(true, "h", "443"), "") << "one scheme's proxy is not the other's";
}

TEST(ProxyEnvironment, DecidesForClientsWithoutAProxyOfTheirOwn) {
    FaultServer proxy([](const SeenRequest& r, int) { return answer(200, r.target); });
    FaultServer direct([](const SeenRequest&, int) { return answer(200, "direct"); });
    const auto said = [](const std::string& url, const std::string& own_proxy = {}) {
        const auto r = (*HttpClient::create({.server = url, .unix_socket = {}, .proxy_url = own_proxy}))->send({.target = "/"});
        return r ? r->body : r.error().to_string();
    };
    for (const char* name : {"HTTP_PROXY", "http_proxy"}) { // libcurl knows the latter only
        ::setenv(name, proxy.url().c_str(), 1);
        EXPECT_EQ(said("http://cluster.invalid:8080"), "http://cluster.invalid:8080/") << name;
        EXPECT_EQ(said(direct.url()), "direct") << "the own machine";
        EXPECT_EQ(said(direct.url(), proxy.url()), direct.url() + "/") << "what a kubeconfig says goes for all addresses";
        ::setenv("NO_PROXY", "cluster.invalid", 1);
        EXPECT_NE(said("http://cluster.invalid:8080").find("cluster.invalid"), std::string::npos);
        EXPECT_EQ(said("http://cluster.invalid:8080", proxy.url()), "http://cluster.invalid:8080/");
        ::unsetenv("NO_PROXY");
        ::unsetenv(name);
    }
    ::setenv("all_proxy", proxy.url().c_str(), 1);
    EXPECT_NE(said("http://cluster.invalid:8080"), "http://cluster.invalid:8080/") << "Go does not know it";
    ::unsetenv("all_proxy");
}

// client-go's DefaultServerURL.
TEST(ProxyEnvironment, AnAddressWithoutASchemeIsHttpsWhenTlsIsConfigured) {
    FaultServer server([](const SeenRequest&, int) { return answer(200, "plain"); });
    const std::string bare = server.url().substr(7);
    ClientConfig config{.server = bare, .unix_socket = {}, .proxy_url = "direct"};
    EXPECT_EQ((*HttpClient::create(config))->send({.target = "/"})->body, "plain");
    config.tls.insecure = true;
    const auto secure = (*HttpClient::create(config))->send({.target = "/", .timeout = std::chrono::milliseconds(300)});
    ASSERT_FALSE(secure);
    EXPECT_NE(secure.error().message.find("https://" + bare), std::string::npos) << secure.error().message;
}

} // namespace
