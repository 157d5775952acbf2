#include "tests/kube/merge/state.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"
#include "kube/merge/crd_schema.h"

namespace weber::testing {

using namespace kube;

Node yaml(std::string_view text) {
    auto node = read_yaml_one(text);
    EXPECT_TRUE(node) << node.error().to_string() << "\n" << text;
    return node ? std::move(*node) : Node();
}

State::State(std::string_view schema) : schema_(merge::crd_type(schema.empty() ? Node() : yaml(schema))) {}

void State::add_version(const std::string& version, const std::map<std::string, std::string>& renamed) { versions_[version] = renamed; }

void State::run(const Operation& op) {
    Node object = yaml(op.object);
    ++clock_;
    const std::string now = "2026-01-01T00:00:" + std::string(clock_ < 10 ? "0" : "") + std::to_string(clock_) + "Z";
    merge::Request request;
    request.manager = op.manager;
    request.api_version = op.version;
    request.subresource = op.subresource;
    request.now = now;
    request.schema = schema_.get();
    request.force = op.kind == Operation::Kind::force_apply;
    // Objects are kept at v1; other versions rename fields.
    const auto renamed = [&](Node n, const std::string& version, bool back) {
        if (const auto it = versions_.find(version); it != versions_.end())
            for (const auto& [v1, other] : it->second) n.rename_key(back ? other : v1, back ? v1 : other);
        return n;
    };
    request.convert = [&](const Node& n, std::string_view version) -> std::optional<merge::VersionedObject> {
        if (version != "v1" && !versions_.contains(std::string(version))) return std::nullopt;
        return merge::VersionedObject{renamed(renamed(n, op.version, true), std::string(version), false), schema_.get()};
    };
    const Node live = renamed(live_, op.version, false);
    if (op.kind == Operation::Kind::update) {
        if (const Node* managed = live.find_path({"metadata", "managedFields"}); managed && !object.find_path({"metadata", "managedFields"}))
            object.get_or_insert("metadata").set("managedFields", *managed);
        live_ = renamed(merge::update(live, std::move(object), request), op.version, true);
        return;
    }
    auto result = merge::apply(live, object, request);
    if (!op.error.empty()) {
        ASSERT_FALSE(result) << "was to be refused: " << op.object;
        EXPECT_EQ(result.error().message, op.error);
        return;
    }
    ASSERT_TRUE(result) << result.error().message;
    live_ = renamed(std::move(*result), op.version, true);
}

Node State::object() const {
    Node out = live_;
    if (Node* meta = out.find_mut("metadata")) {
        meta->erase("managedFields");
        if (meta->empty()) out.erase("metadata");
    }
    return out;
}

Owners State::owners() const {
    Owners out;
    for (const auto& e : merge::read_managed_fields(live_))
        out[e.manager + (e.apply ? "" : " update") + (e.subresource.empty() ? "" : " " + e.subresource)] = e.fields.paths();
    return out;
}

std::string State::time_of(std::string_view manager) const {
    for (const auto& e : merge::read_managed_fields(live_))
        if (e.manager == manager) return e.time;
    return "absent";
}

} // namespace weber::testing
