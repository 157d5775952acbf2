// `Object`: a Kubernetes object as a Node map with accessors. Copying is cheap (see node.h).
//
// Thread-safety: as Node.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/object_key.h"

namespace weber::kube {

class Object {
public:
    Object() = default;
    // `root` should be a map; accessors of anything else answer as for an empty object.
    explicit Object(Node root) : root_(std::move(root)) {}

    [[nodiscard]] const Node& root() const { return root_; }
    [[nodiscard]] Node& root() { return root_; }
    [[nodiscard]] Where where() const { return root_.where(); }

    [[nodiscard]] std::string_view api_version() const { return root_.text_at("apiVersion"); }
    [[nodiscard]] std::string_view kind() const { return root_.text_at("kind"); }
    [[nodiscard]] std::string_view name() const { return meta("name"); }
    [[nodiscard]] std::string_view ns() const { return meta("namespace"); }
    [[nodiscard]] std::string_view uid() const { return meta("uid"); }
    [[nodiscard]] std::string_view resource_version() const { return meta("resourceVersion"); }
    [[nodiscard]] std::int64_t generation() const; // 0 when absent
    [[nodiscard]] bool deleting() const { return !meta("deletionTimestamp").empty(); }
    // Group and version split at the slash; without one, the whole is the version.
    [[nodiscard]] std::string_view group() const;
    [[nodiscard]] std::string_view version() const;
    [[nodiscard]] GroupVersionKind gvk() const;
    [[nodiscard]] ObjectKey key() const;
    [[nodiscard]] std::string subject() const { return key().subject(); }

    // metadata.<field> as text, "" when absent.
    [[nodiscard]] std::string_view meta(std::string_view field) const;
    [[nodiscard]] const Node* metadata() const { return root_.find("metadata"); }
    Node& metadata_mut() { return root_.get_or_insert("metadata"); }
    void set_name(std::string_view v) { metadata_mut().set("name", Node::string(v)); }
    void set_ns(std::string_view v) { metadata_mut().set("namespace", Node::string(v)); }

    // "" when absent.
    [[nodiscard]] std::string_view label(std::string_view key) const;
    [[nodiscard]] std::string_view annotation(std::string_view key) const;
    [[nodiscard]] std::map<std::string, std::string> labels() const;
    [[nodiscard]] std::map<std::string, std::string> annotations() const;
    void set_label(std::string_view key, std::string_view value);
    void set_annotation(std::string_view key, std::string_view value);

    // Value at a path of map keys; nullptr when absent.
    [[nodiscard]] const Node* at(std::initializer_list<std::string_view> path) const { return root_.find_path(path); }

    // apiVersion, kind and metadata.name must be non-empty strings, metadata a map: else ErrorCode::invalid, with where.
    [[nodiscard]] Result<void> check_identity() const;

    friend bool operator==(const Object&, const Object&) = default;

private:
    Node root_;
};

// Objects of one or several YAML documents: null documents are skipped, `…List` kinds with `items` are expanded
// recursively. Errors: invalid when a document is not an object with identity.
Result<std::vector<Object>> objects_from_documents(const std::vector<Node>& documents);

} // namespace weber::kube

namespace weber {
using kube::Object;
using kube::ObjectKey;
} // namespace weber
