#include "kube/base/object.h"

namespace weber::kube {

namespace {

std::map<std::string, std::string> string_map(const Node* node) {
    std::map<std::string, std::string> out;
    if (node != nullptr)
        for (const auto& [key, value] : node->entries()) out.emplace(key.str(), value.text());
    return out;
}

void set_in_metadata(Node& root, std::string_view field, std::string_view key, std::string_view value) {
    root.get_or_insert("metadata").get_or_insert(field).set(key, Node::string(value));
}

} // namespace

std::int64_t Object::generation() const {
    const Node* n = root_.find_path({"metadata", "generation"});
    return n != nullptr ? n->as_int().value_or(0) : 0;
}

std::string_view Object::group() const {
    const std::string_view v = api_version();
    const auto slash = v.find('/');
    return slash == std::string_view::npos ? std::string_view() : v.substr(0, slash);
}

std::string_view Object::version() const {
    const std::string_view v = api_version();
    const auto slash = v.find('/');
    return slash == std::string_view::npos ? v : v.substr(slash + 1);
}

GroupVersionKind Object::gvk() const { return {std::string(group()), std::string(version()), std::string(kind())}; }
ObjectKey Object::key() const { return {std::string(group()), std::string(kind()), std::string(ns()), std::string(name())}; }

std::string_view Object::meta(std::string_view field) const {
    const Node* m = metadata();
    return m != nullptr ? m->text_at(field) : std::string_view();
}

std::string_view Object::label(std::string_view key) const {
    const Node* n = root_.find_path({"metadata", "labels", key});
    return n != nullptr ? n->text() : std::string_view();
}

std::string_view Object::annotation(std::string_view key) const {
    const Node* n = root_.find_path({"metadata", "annotations", key});
    return n != nullptr ? n->text() : std::string_view();
}

std::map<std::string, std::string> Object::labels() const { return string_map(root_.find_path({"metadata", "labels"})); }
std::map<std::string, std::string> Object::annotations() const { return string_map(root_.find_path({"metadata", "annotations"})); }
void Object::set_label(std::string_view key, std::string_view value) { set_in_metadata(root_, "labels", key, value); }
void Object::set_annotation(std::string_view key, std::string_view value) { set_in_metadata(root_, "annotations", key, value); }

Result<void> Object::check_identity() const {
    if (!root_.is_map()) return fail(ErrorCode::invalid, "expected a Kubernetes object (a map), found " + std::string(root_.kind_word()), where());
    const auto text = [](const Node* n) { return n != nullptr && n->is_string() && !n->text().empty(); };
    if (!text(root_.find("apiVersion"))) return fail(ErrorCode::invalid, "missing apiVersion in object", where());
    if (!text(root_.find("kind"))) return fail(ErrorCode::invalid, "missing kind in object", where());
    if (metadata() == nullptr || !metadata()->is_map()) return fail(ErrorCode::invalid, "missing metadata in object", where());
    if (!text(metadata()->find("name"))) return fail(ErrorCode::invalid, "missing metadata.name in object", where());
    return {};
}

namespace {

Result<void> collect(const Node& document, std::vector<Object>& out) {
    if (document.is_null()) return {};
    const Node* items = document.find("items");
    if (document.text_at("kind").ends_with("List") && items != nullptr && items->is_list()) {
        for (const Node& item : items->items()) TRY_VOID(collect(item, out));
        return {};
    }
    Object object(document);
    TRY_VOID(object.check_identity());
    out.push_back(std::move(object));
    return {};
}

} // namespace

Result<std::vector<Object>> objects_from_documents(const std::vector<Node>& documents) {
    std::vector<Object> out;
    for (const Node& document : documents) TRY_VOID(collect(document, out));
    return out;
}

} // namespace weber::kube
