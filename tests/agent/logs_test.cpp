// `logs`: lines of the controllers' pods, by kind, name, namespace and level (cli.md 5, item 39). Nothing here runs pods, so a server in front of the embedded
// one tells what they would have written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/base/yaml.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/server/http_front.h"
#include "kube/server/server.h"
#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

constexpr const char* kLines =
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:05.000Z\",\"msg\":\"applied\",\"controllerKind\":\"Kustomization\",\"name\":\"apps\",\"namespace\":\"flux-system\"}\n"
    "I0102 03:04:05 not JSON at all\n"
    "{\"level\":\"error\",\"ts\":\"2026-01-02T03:04:06.000Z\",\"msg\":\"failed\",\"controllerKind\":\"Kustomization\",\"name\":\"apps\",\"namespace\":\"flux-system\",\"error\":\"why\"}\n"
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:07.000Z\",\"msg\":\"applied\",\"controllerKind\":\"Kustomization\",\"name\":\"other\",\"namespace\":\"flux-system\"}\n"
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:08.000Z\",\"msg\":\"stored\",\"controllerKind\":\"GitRepository\",\"name\":\"apps\",\"namespace\":\"flux-system\"}\n"
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:09.000Z\",\"msg\":\"elsewhere\",\"controllerKind\":\"Kustomization\",\"name\":\"apps\",\"namespace\":\"team-a\"}\n";

class Logs : public ::testing::Test {
protected:
    void SetUp() override {
        auto started = kube::Server::start({});
        ASSERT_TRUE(started.has_value()) << started.error().to_string();
        server_ = std::move(*started);
        client_ = kube::Client::connect(kube::parse_kubeconfig(server_->kubeconfig(), "test", {}, true).value()).value();
        for (const char* text :
             {"apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n",
              "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: weber, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}\n"
              "spec: {selector: {matchLabels: {app: w}}, template: {metadata: {labels: {app: w}}, spec: {containers: [{name: manager, image: 'x/weber:v1'}]}}}\n",
              "apiVersion: v1\nkind: Pod\nmetadata: {name: weber-1, namespace: flux-system, labels: {app: w}}\nspec: {containers: [{name: manager, image: 'x/weber:v1'}]}\n"}) {
            const auto made = client_->create(Object(kube::read_yaml_one(text).value()));
            ASSERT_TRUE(made.has_value()) << made.error().to_string();
        }
        auto front = kube::server::HttpFront::start({}, [this](kube::server::HttpRequest&& request, const std::shared_ptr<kube::server::Exchange>& exchange) { answer(request, *exchange); });
        ASSERT_TRUE(front.has_value());
        front_ = std::move(*front);
        kubeconfig_ = dir_.write("kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:" + std::to_string(front_->port()) +
                                                   "'}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n");
    }
    void answer(const kube::server::HttpRequest& request, kube::server::Exchange& exchange) {
        if (request.path.ends_with("/log")) {
            exchange.respond({.status = 200, .content_type = "text/plain", .headers = {}, .body = kLines});
            return;
        }
        std::string target = request.path;
        for (const auto& [key, value] : request.query) target += (target == request.path ? "?" : "&") + key + "=" + kube::url_escape(value);
        kube::HttpRequest passed{.method = request.method, .target = target, .body = request.body};
        if (!request.accept.empty()) passed.headers.push_back({"Accept", request.accept});
        if (!request.content_type.empty()) passed.headers.push_back({"Content-Type", request.content_type});
        auto got = client_->transport().send(std::move(passed));
        if (got) exchange.respond({.status = got->status, .content_type = std::string(got->header("Content-Type")), .headers = {}, .body = std::move(got->body)});
        else exchange.respond({.status = 502, .content_type = "text/plain", .headers = {}, .body = got.error().message});
    }
    Ran logs(std::vector<std::string> words) {
        words.insert(words.begin(), "logs");
        words.insert(words.end(), {"--kubeconfig", kubeconfig_});
        return weber(words, {.program = "flux"});
    }
    TempDir dir_;
    std::unique_ptr<kube::Server> server_;
    std::shared_ptr<kube::Client> client_;
    std::string kubeconfig_;
    std::unique_ptr<kube::server::HttpFront> front_; // last: its threads use the rest
};

TEST_F(Logs, AreFilteredAsFluxDoes) {
    const Ran apps = logs({"--kind", "kustomization", "--name", "apps"});
    EXPECT_EQ(apps.status, 0) << apps.err;
    EXPECT_EQ(apps.out, "2026-01-02T03:04:05.000Z info Kustomization/apps.flux-system - applied \n2026-01-02T03:04:06.000Z error Kustomization/apps.flux-system - failed why\n");
    const auto flux = testing::peer("flux");
    for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"--kind", "kustomization", "--name", "apps"}, {"--level", "error"}, {"-A"}, {"--kind", "GitRepository"},
                                                  {"-n", "team-a", "--flux-namespace", "flux-system"}, {"--name", "nobody"}}) {
        std::string line = "logs";
        for (const std::string& w : words) line += " " + w;
        const Ran ours = logs(words);
        EXPECT_EQ(ours.status, 0) << line << ours.err;
        if (!flux) continue;
        const auto theirs = testing::run(*flux + " " + line, dir_.path(), {"KUBECONFIG=" + kubeconfig_});
        EXPECT_EQ(theirs.status, 0) << line << theirs.err;
        EXPECT_EQ(ours.out, theirs.out) << line;
        EXPECT_EQ(ours.err, theirs.err) << line;
    }
}

} // namespace
} // namespace weber::agent_test
