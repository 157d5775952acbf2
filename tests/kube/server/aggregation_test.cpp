// ClusterRoles that consist of others: the same on both servers (on a real one with its controllers, so not --bare).
#include <gtest/gtest.h>
#include <unistd.h>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "tests/kube/server/either_server.h"

namespace weber::testing {
namespace {

const std::string kRoles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

class Aggregation : public EitherServer {
protected:
    Aggregation() : EitherServer(RealServer::with_controllers) {}
    void SetUp() override {
        EitherServer::SetUp();
        if (!api_) return;
        static int count = 0;
        own_ = "weber-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    }
    void TearDown() override {
        if (api_) (void)api_->remove(kRoles + "?labelSelector=weber-aggregation%3D" + own_);
    }

    [[nodiscard]] std::string called(const std::string& name) const { return own_ + "-" + name; }
    // The label by which the roles of this test choose each other.
    [[nodiscard]] std::string part(const std::string& value) const { return own_ + ": " + value; }
    // Labels and the rest of the object as YAML.
    Reply make(const std::string& name, const std::string& labels, const std::string& rest) const {
        return api_->post(kRoles, "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: " + called(name) + ", labels: {weber-aggregation: " + own_ + ", " + labels + "}}, " + rest + "}");
    }
    Reply relabel(const std::string& name, const std::string& labels) const {
        return api_->patch(kRoles + "/" + called(name), "merge", "{metadata: {labels: " + labels + "}}");
    }
    // Waits until the rules of a role are these.
    void expect_rules(const std::string& name, const std::string& rules) const {
        const Node wanted = *kube::read_json(json_of(rules));
        const Reply r = api_->wait(kRoles + "/" + called(name), [&](const Reply& reply) {
            const Node* have = reply.node("rules");
            return have ? *have == wanted : wanted.is_null();
        });
        EXPECT_EQ(r.at("rules"), wanted.is_null() ? "" : kube::write_json(wanted)) << name;
    }

    // Roles have no namespace that parts the tests on one real server, and its controller may still apply rules to a role just deleted: names and labels no other test uses do.
    std::string own_;
};

const std::string kMaps = "{verbs: [get], apiGroups: [''], resources: [configmaps]}";
const std::string kPods = "{verbs: [list, get], apiGroups: [''], resources: [pods]}";
const std::string kPaths = "{verbs: [get], nonResourceURLs: [/x]}";

TEST_P(Aggregation, RulesFollowTheRolesThatMatch) {
    EXPECT_EQ(make("a", part("one"), "rules: [" + kPods + ", " + kMaps + "]").status, 201);
    EXPECT_EQ(make("b", part("one"), "rules: [" + kMaps + ", " + kPaths + "]").status, 201);
    EXPECT_EQ(make("c", part("two"), "rules: [" + kMaps + "]").status, 201);
    const Reply sum = make("sum", "s: sum", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {" + part("one") + "}}, {matchExpressions: [{key: " + own_ + ", operator: In, values: [two]}]}]}");
    EXPECT_EQ(sum.status, 201) << sum.body;
    expect_rules("sum", "[" + kPods + ", " + kMaps + ", " + kPaths + "]"); // by name, each once
    ASSERT_EQ(relabel("a", "{" + part("none") + "}").status, 200);
    expect_rules("sum", "[" + kMaps + ", " + kPaths + "]");
    ASSERT_EQ(api_->remove(kRoles + "/" + called("b")).status, 200);
    expect_rules("sum", "[" + kMaps + "]");
    ASSERT_EQ(relabel("c", "{" + part("none") + "}").status, 200);
    expect_rules("sum", "null");
    const Reply end = api_->get(kRoles + "/" + called("sum"));
    EXPECT_TRUE(end.node("aggregationRule"));
}

TEST_P(Aggregation, WhatTheUserWroteIsReplacedAndTheControllerOwnsTheRules) {
    EXPECT_EQ(make("part", part("one"), "rules: [" + kMaps + "]").status, 201);
    EXPECT_EQ(make("sum", "s: sum", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {" + part("one") + "}}]}, rules: [" + kPods + "]").status, 201);
    expect_rules("sum", "[" + kMaps + "]");
    const Reply r = api_->get(kRoles + "/" + called("sum"));
    std::string owners;
    for (const Node& e : r.node("metadata.managedFields")->items())
        owners += std::string(e.text_at("manager")) + " " + std::string(e.text_at("operation")) + " " + kube::write_json(*e.find("fieldsV1")) + "\n";
    EXPECT_EQ(owners, "clusterrole-aggregation-controller Apply {\"f:rules\":{}}\n"
                      "tester Update {\"f:aggregationRule\":{\".\":{},\"f:clusterRoleSelectors\":{}},\"f:metadata\":{\"f:labels\":{\".\":{},\"f:s\":{},\"f:weber-aggregation\":{}}}}\n");
}

TEST_P(Aggregation, RolesThatAggregateMayBuildOnEachOtherAndNotOnThemselves) {
    EXPECT_EQ(make("top", "s: top", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {" + part("middle") + "}}]}").status, 201);
    EXPECT_EQ(make("middle", part("middle"), "aggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: " + own_ + ", operator: Exists}, {key: weber-aggregation, operator: Exists}]}]}").status, 201);
    EXPECT_EQ(make("bottom", part("bottom"), "rules: [" + kMaps + "]").status, 201);
    expect_rules("middle", "[" + kMaps + "]");
    expect_rules("top", "[" + kMaps + "]");
}

// One text for equal trees.
std::string digest_of(const Node& rules) {
    Node ordered = Node::list();
    for (const Node& rule : rules.items()) {
        Node r = Node::map();
        for (const auto field : {"verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"})
            if (const Node* list = rule.find(field)) r.set(field, *list);
        ordered.push_back(std::move(r));
    }
    return kube::sha256_hex(kube::write_json(ordered)).substr(0, 16);
}

TEST_P(Aggregation, RolesForPeopleHaveTheRulesOfARealCluster) {
    const std::pair<const char*, const char*> kDigests[] = {{"view", "bd310e1560b19b4b"}, {"edit", "1679e10ad4a2f2f9"}, {"admin", "4ee718c8888bd452"}, {"cluster-admin", "bb697b66221473ab"}, {"system:discovery", "f2ae0093603592bd"}};
    for (const auto& [name, digest] : kDigests) {
        const auto of = [](const Reply& r) { return r.node("rules") ? digest_of(*r.node("rules")) : std::string(); };
        const Reply r = api_->wait(kRoles + "/" + name, [&, wanted = std::string_view(digest)](const Reply& reply) { return of(reply) == wanted; });
        EXPECT_EQ(of(r), digest) << name << " " << r.body;
    }
}

INSTANTIATE_TEST_SUITE_P(Servers, Aggregation, ::testing::Bool(), [](const auto& info) { return info.param ? "Real" : "Embedded"; });

} // namespace
} // namespace weber::testing
