// `logs`: lines of the controllers' pods, by kind, name, namespace and level (cli.md 5, item 39). Nothing here runs pods, so a server in front of the embedded
// one tells what they would have written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

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

constexpr const char* kOthers =
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:04.000Z\",\"msg\":\"earlier\",\"controllerKind\":\"Kustomization\",\"name\":\"apps\",\"namespace\":\"flux-system\"}\n"
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:05.000Z\",\"logger\":\"setup\",\"msg\":\"of no object\",\"namespace\":\"flux-system\"}\n"
    "{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:06.000Z\",\"msg\":\"old key\",\"reconciler kind\":\"Bucket\",\"controllerKind\":\"Other\",\"name\":\"b\",\"namespace\":\"flux-system\"}\n";
constexpr const char* kRefused = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"container is waiting to start","reason":"BadRequest","code":400})";

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
            const bool broken = request.path.find("/broken-1/") != request.path.npos, second = request.path.find("/second-1/") != request.path.npos;
            if (broken) exchange.respond({.status = 400, .content_type = "application/json", .headers = {}, .body = kRefused});
            else exchange.respond({.status = 200, .content_type = "text/plain", .headers = {}, .body = second ? kOthers : kLines});
            return;
        }
        if (!definitions_ && request.path.find("customresourcedefinitions") != request.path.npos) {
            exchange.respond({.status = 403, .content_type = "application/json", .headers = {}, .body = kRefused});
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
    // One more controller with its pod.
    void controller(const std::string& name) {
        for (const std::string& text :
             {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}\nspec: {selector: {matchLabels: {app: " + name +
                  "}}, template: {metadata: {labels: {app: " + name + "}}, spec: {containers: [{name: manager, image: 'x/y:v1'}]}}}\n",
              "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "-1, namespace: flux-system, labels: {app: " + name + "}}\nspec: {containers: [{name: manager, image: 'x/y:v1'}]}\n"}) {
            const auto made = client_->create(Object(kube::read_yaml_one(text).value()));
            ASSERT_TRUE(made.has_value()) << made.error().to_string();
        }
    }
    // With the same words as flux, if it is at hand.
    Ran same(const std::string& words, int status) {
        std::vector<std::string> all;
        std::istringstream in(words);
        for (std::string w; in >> w;) all.push_back(w);
        const Ran ours = logs(all);
        EXPECT_EQ(ours.status, status) << words << ours.err;
        if (const auto flux = testing::peer("flux")) {
            const auto theirs = testing::run(*flux + " logs " + words, dir_.path(), {"KUBECONFIG=" + kubeconfig_});
            EXPECT_EQ(theirs.status, status) << words << theirs.err;
            EXPECT_EQ(ours.out, theirs.out) << words;
            EXPECT_EQ(ours.err, theirs.err) << words;
        }
        return ours;
    }
    bool definitions_ = true; // may be read
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

TEST_F(Logs, ArePrintedOneControllerAfterTheOther) {
    controller("second"); // before "weber"
    const std::string first = "2026-01-02T03:04:04.000Z info Kustomization/apps.flux-system - earlier \n";
    EXPECT_THAT(same("", 0).out, ::testing::StartsWith(first + "2026-01-02T03:04:05.000Z info  - of no object \n2026-01-02T03:04:06.000Z info Bucket/b.flux-system - old key \n2026-01-02T03:04:05.000Z info Kusto"));
    EXPECT_THAT(same("--kind bucket", 0).out, ::testing::HasSubstr("old key"));
    EXPECT_THAT(same("--kind other", 0).out, ::testing::HasSubstr("old key"));
    EXPECT_THAT(same("--since 0s --tail 5", 0).out, ::testing::StartsWith(first));
    EXPECT_THAT(logs({"--follow"}).out, ::testing::HasSubstr(first));
}

TEST_F(Logs, WhatCannotBeReadIsSaid) {
    controller("broken");
    const Ran some = same("", 1);
    EXPECT_THAT(some.err, "failed getting logs: container is waiting to start\n✗ failed to collect logs from all Flux pods\n");
    EXPECT_THAT(some.out, ::testing::HasSubstr("applied"));
    EXPECT_THAT(same("--follow", 0).err, ::testing::HasSubstr("container is waiting to start"));
    same("--since 5s --since-time 2026-01-02T03:04:05Z", 1);
    EXPECT_THAT(same("--since-time yesterday", 1).err, "✗ yesterday is not a valid (RFC3339) time\n");
    same("--flux-namespace elsewhere", 1);
    same("--level nope", 1);
    for (const char* pod : {"weber-1", "broken-1"}) ASSERT_TRUE(client_->remove({.gvk = {"", "v1", "Pod"}, .ns = "flux-system", .name = pod}).has_value());
    EXPECT_THAT(same("", 1).err, "✗ no Flux pods found in namespace \"flux-system\"\n");
}

TEST_F(Logs, NeedNoRightToReadDefinitions) {
    definitions_ = false;
    EXPECT_THAT(same("", 0).out, ::testing::HasSubstr("applied"));
}

} // namespace
} // namespace weber::agent_test
