// /openapi/v2 in its two encodings: what Go clients read in protobuf is what the JSON says.
#include <gtest/gtest.h>

#include <map>

#include "kube/base/json.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {
namespace {

// Length-delimited fields of a message by number, in order; other fields are passed over.
std::multimap<std::uint64_t, std::string_view> fields(std::string_view message) {
    std::multimap<std::uint64_t, std::string_view> out;
    const auto varint = [&message] {
        std::uint64_t v = 0;
        for (int shift = 0; !message.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(message.front());
            message.remove_prefix(1);
            v |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) break;
        }
        return v;
    };
    while (!message.empty()) {
        const std::uint64_t tag = varint();
        if ((tag & 7) == 0) {
            varint();
        } else if ((tag & 7) == 1) {
            message.remove_prefix(std::min<std::size_t>(8, message.size()));
        } else {
            EXPECT_EQ(tag & 7, 2u);
            const std::uint64_t size = varint();
            EXPECT_LE(size, message.size());
            out.emplace(tag >> 3, message.substr(0, size));
            message.remove_prefix(std::min<std::size_t>(size, message.size()));
        }
    }
    return out;
}
std::string_view field(std::string_view message, std::uint64_t number) {
    const auto all = fields(message);
    const auto it = all.find(number);
    return it == all.end() ? std::string_view() : it->second;
}
// A repeated message of a name and a value.
std::map<std::string, std::string_view, std::less<>> named(std::string_view message, std::uint64_t number) {
    std::map<std::string, std::string_view, std::less<>> out;
    const auto all = fields(message);
    for (auto [it, end] = all.equal_range(number); it != end; ++it) out.emplace(field(it->second, 1), field(it->second, 2));
    return out;
}

TEST(ServerOpenApi, ProtobufSaysWhatTheJsonSays) {
    const TestServer s;
    const auto json = kube::read_json(s->send({.method = "GET", .path = "/openapi/v2", .accept = "application/json"}).body);
    ASSERT_TRUE(json);
    const Reply binary = s->send({.method = "GET", .path = "/openapi/v2", .accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"});
    ASSERT_EQ(binary.status, 200);
    EXPECT_EQ(field(binary.body, 1), "2.0");
    const auto definitions = named(field(binary.body, 9), 1);
    const Node& told = *json->find("definitions");
    ASSERT_GT(told.size(), 100u);
    EXPECT_EQ(definitions.size(), told.size());
    for (const auto& [name, schema] : told.entries()) {
        const auto it = definitions.find(name.view());
        ASSERT_NE(it, definitions.end()) << name.view();
        const auto properties = named(field(it->second, 25), 1);
        const Node* expected = schema.find("properties");
        EXPECT_EQ(properties.size(), expected ? expected->size() : 0) << name.view();
        for (const auto& [key, value] : expected ? expected->entries() : std::span<const Node::Entry>()) {
            const auto p = properties.find(key.view());
            ASSERT_NE(p, properties.end()) << name.view() << "." << key.view();
            EXPECT_EQ(field(p->second, 1), value.text_at("$ref"));
            EXPECT_EQ(field(field(p->second, 22), 1), value.text_at("type"));
        }
    }
    const std::string_view deployment = definitions.at("io.k8s.api.apps.v1.Deployment");
    EXPECT_EQ(field(named(deployment, 31).at("x-kubernetes-group-version-kind"), 2), R"([{"group":"apps","kind":"Deployment","version":"v1"}])");
    const std::string_view spec = definitions.at(std::string(field(named(field(deployment, 25), 1).at("spec"), 1).substr(14)));
    EXPECT_EQ(field(named(named(field(spec, 25), 1).at("strategy"), 31).at("x-kubernetes-patch-strategy"), 2), "\"retainKeys\"");
    EXPECT_TRUE(named(field(binary.body, 8), 2).contains("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"));
}

// What clients read of a custom kind: its list, which fields select, either-or types, where its subresources are.
TEST(ServerOpenApi, CustomKindsHaveWhatKubeApiserverSaysOfThem) {
    const TestServer s;
    const Reply made = s->post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ws.x.io},
        spec: {group: x.io, scope: Namespaced, names: {plural: ws, kind: W, singular: w, listKind: WList}, versions: [{name: v1, served: true, storage: true,
        subresources: {status: {}, scale: {specReplicasPath: .spec.n, statusReplicasPath: .status.n}}, selectableFields: [{jsonPath: .spec.color}],
        schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}, n: {type: integer}, port: {x-kubernetes-int-or-string: true}}},
        status: {type: object, properties: {n: {type: integer}}}}}}}]}})");
    ASSERT_EQ(made.status, 201) << made.body;
    const Reply r = s->wait("/openapi/v3/apis/x.io/v1", [](const Reply& reply) { return reply.status == 200; });
    const Node* schemas = r.node("components.schemas");
    const Node* paths = r.node("paths");
    ASSERT_TRUE(schemas && paths);
    const Node *kind = schemas->find("io.x.v1.W"), *list = schemas->find("io.x.v1.WList");
    ASSERT_TRUE(kind && list);
    EXPECT_EQ(kube::write_json(*kind->find("x-kubernetes-selectable-fields")), R"([{"fieldPath":"spec.color"}])");
    EXPECT_EQ(kube::write_json(*kind->find_path({"properties", "spec", "properties", "port", "anyOf"})), R"([{"type":"integer"},{"type":"string"}])");
    EXPECT_EQ(list->find_path({"properties", "items", "items"})->text_at("$ref"), "#/components/schemas/io.x.v1.W");
    EXPECT_EQ(list->find("x-kubernetes-group-version-kind")->items()[0].text_at("kind"), "WList");
    for (const auto path : {"/apis/x.io/v1/ws", "/apis/x.io/v1/namespaces/{namespace}/ws", "/apis/x.io/v1/namespaces/{namespace}/ws/{name}",
                            "/apis/x.io/v1/namespaces/{namespace}/ws/{name}/status", "/apis/x.io/v1/namespaces/{namespace}/ws/{name}/scale"})
        EXPECT_TRUE(paths->contains(path)) << path;
    EXPECT_EQ(paths->size(), 5u);
}

} // namespace
} // namespace weber::testing
