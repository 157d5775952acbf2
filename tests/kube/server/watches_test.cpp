// Lists in pages, by selectors and as tables; watches from a version, with bookmarks, and to their end.
#include <gtest/gtest.h>

#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

TEST(ServerLists, ComeInPages) {
    const TestServer s;
    for (int i = 0; i < 7; ++i) ASSERT_EQ(s->post(kMaps, config_map("m" + std::to_string(i), ", labels: {t: x}")).status, 201);
    std::vector<std::string> all;
    std::string token;
    int pages = 0;
    do {
        const Reply page = s->get(kMaps + "?limit=3&labelSelector=t%3Dx" + (token.empty() ? "" : "&continue=" + token));
        ASSERT_EQ(page.status, 200) << page.body;
        for (auto& n : names(page)) all.push_back(n);
        token = page.at("metadata.continue");
        ++pages;
    } while (!token.empty() && pages < 10);
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(all, (std::vector<std::string>{"m0", "m1", "m2", "m3", "m4", "m5", "m6"}));
    EXPECT_EQ(s->get("/api/v1/configmaps?limit=3").at("metadata.remainingItemCount"), "8") << "seven of ours, kube-root-ca.crt of four namespaces";
}

TEST(ServerLists, AreFilteredByLabelsAndFields) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: \"1\", u: x}"));
    s->post(kMaps, config_map("b", ", labels: {t: \"2\"}"));
    const auto list = [&](const std::string& query) { return names(s->get(kMaps + "?" + query)); };
    using Names = std::vector<std::string>;
    EXPECT_EQ(list("labelSelector=t%3D1"), Names{"a"});
    EXPECT_EQ(list("labelSelector=t%20in%20(1,2)"), (Names{"a", "b"}));
    EXPECT_EQ(list("labelSelector=t,!u"), Names{"b"});
    EXPECT_EQ(list("fieldSelector=metadata.name%3Db"), Names{"b"});
    EXPECT_EQ(s->get(kMaps + "?fieldSelector=data.k%3Dv").status, 400);
}

TEST(ServerLists, ShowTablesAndMetadata) {
    const TestServer s;
    s->post(kDeployments, deployment("d"));
    const Reply table = s->send({.path = kDeployments, .accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"});
    EXPECT_EQ(table.at("kind"), "Table");
    EXPECT_EQ(table.at("columnDefinitions.0.name"), "Name");
    EXPECT_EQ(table.at("rows.0.cells.0"), "d");
    const Reply meta = s->send({.path = kDeployments + "/d", .accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"});
    EXPECT_EQ(meta.at("kind"), "PartialObjectMetadata");
    EXPECT_EQ(meta.node("spec"), nullptr);
    const Reply yaml = s->send({.path = kDeployments + "/d", .accept = "application/yaml"});
    EXPECT_TRUE(yaml.body.starts_with("apiVersion: apps/v1\nkind: Deployment\n")) << yaml.body.substr(0, 80);
}

TEST(ServerWatch, ResumesFromAResourceVersion) {
    const TestServer s;
    s->post(kMaps, config_map("before"));
    const std::string rv = s->get(kMaps).at("metadata.resourceVersion");
    s->post(kMaps, config_map("a"));
    s->patch(kMaps + "/a", "merge", "{data: {k: w}}");
    s->remove(kMaps + "/a");
    WatchReader w(s.api(), kMaps + "?watch=true&resourceVersion=" + rv);
    EXPECT_EQ(w.next_text(), "ADDED a");
    EXPECT_EQ(w.next_text(), "MODIFIED a");
    EXPECT_EQ(w.next_text(), "DELETED a");
    s->post(kMaps, config_map("later"));
    EXPECT_EQ(w.next_text(), "ADDED later");
}

TEST(ServerWatch, SendsInitialEventsAndABookmark) {
    const TestServer s;
    s->post(kMaps, config_map("a", ", labels: {t: x}"));
    WatchReader w(s.api(), kMaps + "?watch=true&labelSelector=t&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
    EXPECT_EQ(w.next_text(), "ADDED a");
    const Node bookmark = w.next();
    EXPECT_EQ(bookmark.text_at("type"), "BOOKMARK");
    EXPECT_EQ(bookmark.find_path({"object", "metadata", "annotations", "k8s.io/initial-events-end"})->text(), "true");
}

TEST(ServerWatch, ReportsObjectsThatStartAndStopToMatch) {
    const TestServer s;
    WatchReader w(s.api(), kMaps + "?watch=true&labelSelector=t%3Dx&resourceVersion=" + s->get(kMaps).at("metadata.resourceVersion"));
    s->post(kMaps, config_map("a"));
    s->patch(kMaps + "/a", "merge", "{metadata: {labels: {t: x}}}");
    s->patch(kMaps + "/a", "merge", "{metadata: {labels: {t: y}}}");
    EXPECT_EQ(w.next_text(), "ADDED a");
    EXPECT_EQ(w.next_text(), "DELETED a");
}

TEST(ServerWatch, SaysThatAVersionIsTooOld) {
    const TestServer s;
    s->post(kMaps, config_map("a"));
    for (int i = 0; i < 4200; ++i) ASSERT_EQ(s->patch(kMaps + "/a", "merge", "{data: {k: v" + std::to_string(i) + "}}").status, 200);
    WatchReader w(s.api(), kMaps + "?watch=true&resourceVersion=1");
    const Node event = w.next();
    EXPECT_EQ(event.text_at("type"), "ERROR");
    EXPECT_EQ(event.find("object")->text_at("reason"), "Expired");
    EXPECT_EQ(event.find("object")->find("code")->as_int(), 410);
    EXPECT_TRUE(w.ended());
}

TEST(ServerWatch, EndsAfterItsTime) {
    const TestServer s;
    WatchReader w(s.api(), kMaps + "?watch=true&timeoutSeconds=1&resourceVersion=" + s->get(kMaps).at("metadata.resourceVersion"));
    EXPECT_TRUE(w.ended());
}

} // namespace
} // namespace weber::testing
