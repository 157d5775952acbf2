// The transport that other tests rely on to fail.
#include "tests/support/faulty_transport.h"

#include <gtest/gtest.h>

#include "tests/kube/scripted_transport.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;

namespace {

TEST(FaultyTransport, KnowsVerbs) {
    const struct {
        const char *method, *target, *type, *verb;
    } cases[] = {
        {"GET", "/api/v1/namespaces", "", "list"},
        {"GET", "/api/v1/namespaces/a", "", "get"},
        {"GET", "/api/v1/namespaces/a/status", "", "get"},
        {"GET", "/api/v1/namespaces/a/pods", "", "list"},
        {"GET", "/api/v1/namespaces/a/pods/p", "", "get"},
        {"GET", "/api/v1/pods?watch=true&x=y", "", "watch"},
        {"GET", "/apis/apps/v1/namespaces/a/deployments/d", "", "get"},
        {"GET", "/apis/apps/v1/deployments?limit=500", "", "list"},
        {"GET", "/apis/apps/v1", "", "other"},
        {"GET", "/api", "", "other"},
        {"GET", "/version", "", "other"},
        {"POST", "/api/v1/namespaces", "", "create"},
        {"PUT", "/api/v1/namespaces/a/configmaps/c", "", "update"},
        {"PATCH", "/api/v1/namespaces/a/configmaps/c", "application/merge-patch+json", "patch"},
        {"PATCH", "/api/v1/namespaces/a/configmaps/c", "application/apply-patch+yaml", "apply"},
        {"PATCH", "/api/v1/namespaces/a/configmaps/c?dryRun=All", "application/apply-patch+yaml", "dry-run apply"},
        {"DELETE", "/api/v1/namespaces/a", "", "delete"},
        {"DELETE", "/api/v1/namespaces/a/configmaps", "", "deletecollection"},
    };
    for (const auto& c : cases)
        EXPECT_EQ(verb_of({.method = c.method, .target = c.target, .headers = {{"Content-Type", c.type}}}), c.verb) << c.method << " " << c.target;
}

TEST(FaultyTransport, FailsWhatTheRuleSaysAndCountsAll) {
    auto real = std::make_shared<ScriptedTransport>([](const HttpRequest&, int) { return json_answer(200, "{}"); });
    FaultyTransport faulty(real);
    faulty.fail({.kind = FaultKind::conflict, .verb = "get", .path = "configmaps", .nth = 2});
    faulty.fail({.kind = FaultKind::cut, .verb = "delete", .probability = 1, .times = 1, .after = true});
    std::vector<HttpRequest> gets(3, {.target = "/api/v1/namespaces/a/configmaps/c"});
    const auto answers = faulty.send_all(gets, 2);
    EXPECT_EQ(answers[0]->status, 200);
    EXPECT_EQ(answers[1]->status, 409);
    EXPECT_EQ(answers[2]->status, 200);
    EXPECT_EQ(real->seen().size(), 2u);
    const HttpRequest remove{.method = "DELETE", .target = "/api/v1/namespaces/a"};
    EXPECT_FALSE(faulty.send(remove));
    EXPECT_EQ(real->seen().size(), 3u) << "the server got it";
    EXPECT_TRUE(faulty.send(remove));
    EXPECT_EQ(faulty.count("get"), 3);
    EXPECT_EQ(faulty.writes(), 2);
    EXPECT_EQ(faulty.faults(), 2);
    faulty.fail({.kind = FaultKind::throttled, .probability = 0.5});
    int throttled = 0;
    for (int i = 0; i < 1000; ++i) throttled += faulty.send({.target = "/version"})->status == 429;
    EXPECT_GT(throttled, 400);
    EXPECT_LT(throttled, 600);
    faulty.heal();
    EXPECT_EQ(faulty.send({.target = "/version"})->status, 200);
}

} // namespace
