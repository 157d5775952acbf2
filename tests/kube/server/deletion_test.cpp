// Deletion: finalizers, preconditions, owners and dependents, collections, namespaces.
#include <gtest/gtest.h>

#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

TEST(ServerDeletion, WaitsForFinalizers) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", finalizers: [x.io/f]"));
    const Reply pending = s->remove(kMaps + "/a");
    EXPECT_EQ(pending.at("kind"), "ConfigMap");
    EXPECT_FALSE(pending.at("metadata.deletionTimestamp").empty());
    EXPECT_EQ(s->patch(kMaps + "/a", "merge", "{metadata: {finalizers: [x.io/f, x.io/g]}}").status, 422);
    EXPECT_EQ(s->patch(kMaps + "/a", "merge", "{metadata: {finalizers: null}}").status, 200);
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
}

TEST(ServerDeletion, ChecksPreconditions) {
    const TestServer s;
    const Reply made = s->post(kMaps, config_map("a"));
    EXPECT_EQ(s->remove(kMaps + "/a", "{kind: DeleteOptions, apiVersion: v1, preconditions: {uid: other}}").status, 409);
    EXPECT_EQ(s->remove(kMaps + "/a", "{kind: DeleteOptions, apiVersion: v1, preconditions: {uid: " + made.at("metadata.uid") + "}}").status, 200);
}

TEST(ServerDeletion, OfAnOwnerTakesItsDependentsAlong) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    const std::string owned = ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid + "}]";
    s->post(kMaps, config_map("child", owned));
    s->post(kMaps, config_map("other"));
    s->remove(kMaps + "/owner");
    s->wait(kMaps + "/child", gone);
    EXPECT_EQ(s->get(kMaps + "/other").status, 200);
}

TEST(ServerDeletion, CanOrphanDependents) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    s->post(kMaps, config_map("child", ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid + "}]"));
    s->remove(kMaps + "/owner", "{kind: DeleteOptions, apiVersion: v1, propagationPolicy: Orphan}");
    s->wait(kMaps + "/owner", gone);
    EXPECT_EQ(s->get(kMaps + "/child").node("metadata.ownerReferences"), nullptr);
}

TEST(ServerDeletion, InTheForegroundWaitsForBlockingDependents) {
    const TestServer s;
    const std::string uid = s->post(kMaps, config_map("owner")).at("metadata.uid");
    s->post(kMaps, config_map("child", ", finalizers: [x.io/f], ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + uid +
                                           ", blockOwnerDeletion: true}]"));
    s->remove(kMaps + "/owner", "{kind: DeleteOptions, apiVersion: v1, propagationPolicy: Foreground}");
    s->wait(kMaps + "/child", [](const Reply& r) { return !r.at("metadata.deletionTimestamp").empty(); });
    EXPECT_EQ(s->get(kMaps + "/owner").status, 200);
    s->patch(kMaps + "/child", "merge", "{metadata: {finalizers: null}}");
    s->wait(kMaps + "/owner", gone);
}

TEST(ServerDeletion, OfACollectionHonoursSelectors) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: x}"));
    s->post(kMaps, config_map("b"));
    EXPECT_EQ(s->remove(kMaps + "?labelSelector=t").status, 200);
    EXPECT_EQ(s->get(kMaps + "/a").status, 404);
    EXPECT_EQ(s->get(kMaps + "/b").status, 200);
}

TEST(ServerNamespaces, TerminateWithTheirContents) {
    const TestServer s;
    ASSERT_EQ(s->post("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: n}}").status, 201);
    s->wait("/api/v1/namespaces/n/serviceaccounts/default", [](const Reply& r) { return r.status == 200; });
    const std::string maps = "/api/v1/namespaces/n/configmaps";
    s->post(maps, config_map("held", ", finalizers: [x.io/f]"));
    s->post(maps, config_map("free"));
    const Reply going = s->remove("/api/v1/namespaces/n");
    EXPECT_EQ(going.at("status.phase"), "Terminating");
    const Reply refused = s->post(maps, config_map("new"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.at("details.causes.0.reason"), "NamespaceTerminating");
    s->wait(maps + "/free", gone);
    EXPECT_EQ(s->get("/api/v1/namespaces/n").status, 200);
    s->patch(maps + "/held", "merge", "{metadata: {finalizers: null}}");
    s->wait("/api/v1/namespaces/n", gone);
    EXPECT_EQ(s->post(maps, config_map("new")).message(), "namespaces \"n\" not found");
}

TEST(ServerNamespaces, GetBackWhatEachOfThemHas) {
    const TestServer s;
    for (const std::string path : {"/api/v1/namespaces/default/serviceaccounts/default", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"}) {
        const std::string uid = s->wait(path, [](const Reply& r) { return r.status == 200; }).at("metadata.uid");
        EXPECT_EQ(s->remove(path).status, 200) << path;
        s->wait(path, [&](const Reply& r) { return r.status == 200 && r.at("metadata.uid") != uid; });
    }
}

} // namespace
} // namespace weber::testing
