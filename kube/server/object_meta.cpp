#include "kube/server/object_meta.h"

#include <algorithm>
#include <array>

#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

constexpr std::array<std::string_view, 3> kRootFirst{"apiVersion", "kind", "metadata"};
constexpr std::array<std::string_view, 9> kMetaFirst{"name",       "generateName",      "namespace",         "uid",
                                                     "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
                                                     "deletionGracePeriodSeconds"};

template <std::size_t N>
Node reorder(const Node& map, const std::array<std::string_view, N>& first, std::string_view last) {
    Node out = Node::map();
    out.reserve(map.size());
    for (const auto key : first)
        if (const Node* v = map.find(key)) out.append_unchecked(Text(key), *v);
    const auto listed = [&](std::string_view k) { return std::find(first.begin(), first.end(), k) != first.end(); };
    for (const auto& e : map.entries())
        if (!listed(e.key.view()) && e.key.view() != last) out.append_unchecked(e.key, e.value);
    if (const Node* v = map.find(last)) out.append_unchecked(Text(last), *v);
    return out;
}

void fill(StoredObject& o, const Node& obj) {
    o.ns = meta_text(obj, "namespace");
    o.name = meta_text(obj, "name");
    o.uid = meta_text(obj, "uid");
    o.deleting = is_deleting(obj);
    o.labels.clear();
    o.owner_uids.clear();
    if (const Node* labels = obj.find_path({"metadata", "labels"}))
        for (const auto& e : labels->entries()) o.labels.emplace_back(e.key.str(), std::string(e.value.text()));
    if (const Node* owners = obj.find_path({"metadata", "ownerReferences"}))
        for (const auto& owner : owners->items()) o.owner_uids.emplace_back(owner.text_at("uid"));
    o.labels.shrink_to_fit();
}

Node without_times(const Node& managed) {
    Node out = Node::list();
    for (const auto& entry : managed.items()) {
        Node copy = entry;
        if (copy.is_map()) copy.erase("time");
        out.push_back(std::move(copy));
    }
    return out;
}

} // namespace

std::string_view meta_text(const Node& obj, std::string_view field) {
    const Node* m = obj.find("metadata");
    return m ? m->text_at(field) : std::string_view();
}

Node& meta_mut(Node& obj) {
    Node& m = obj.get_or_insert("metadata");
    if (!m.is_map()) m = Node::map();
    return m;
}

void set_meta(Node& obj, std::string_view field, std::string_view value) {
    if (value.empty())
        meta_mut(obj).erase(field);
    else
        meta_mut(obj).set(field, Node::string(value));
}

void erase_meta(Node& obj, std::string_view field) {
    if (obj.contains("metadata")) meta_mut(obj).erase(field);
}

std::int64_t meta_int(const Node& obj, std::string_view field, std::int64_t fallback) {
    const Node* n = obj.find_path({"metadata", field});
    return n ? n->as_int().value_or(fallback) : fallback;
}

std::vector<std::string> finalizers(const Node& obj) {
    std::vector<std::string> out;
    if (const Node* list = obj.find_path({"metadata", "finalizers"}))
        for (const auto& f : list->items()) out.emplace_back(f.text());
    return out;
}

void set_finalizers(Node& obj, const std::vector<std::string>& list) {
    if (list.empty()) return erase_meta(obj, "finalizers");
    Node n = Node::list();
    for (const auto& f : list) n.push_back(Node::string(f));
    meta_mut(obj).set("finalizers", std::move(n));
}

bool has_finalizer(const Node& obj, std::string_view name) {
    const auto list = finalizers(obj);
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool add_finalizer(Node& obj, std::string_view name) {
    auto list = finalizers(obj);
    if (std::find(list.begin(), list.end(), name) != list.end()) return false;
    list.emplace_back(name);
    set_finalizers(obj, list);
    return true;
}

bool remove_finalizer(Node& obj, std::string_view name) {
    auto list = finalizers(obj);
    const auto it = std::remove(list.begin(), list.end(), name);
    if (it == list.end()) return false;
    list.erase(it, list.end());
    set_finalizers(obj, list);
    return true;
}

std::string canonical_json(const Node& obj) {
    Node out = reorder(obj, kRootFirst, "status");
    if (const Node* m = obj.find("metadata"); m && m->is_map()) out.set("metadata", reorder(*m, kMetaFirst, "managedFields"));
    return write_json(out);
}

StoredObject to_stored(Node obj) {
    StoredObject o;
    set_meta(obj, "resourceVersion", kRvPlaceholder);
    fill(o, obj);
    o.json = canonical_json(obj);
    return o;
}

bool decode_stored(StoredObject& o) {
    auto parsed = read_json(o.json);
    if (!parsed || !parsed->is_map()) return false;
    const std::string ns = o.ns, name = o.name;
    fill(o, *parsed);
    o.ns = ns;
    o.name = name;
    return true;
}

Node parse_stored(const StoredObject& o) {
    auto parsed = read_json(o.json);
    return parsed ? std::move(*parsed) : Node();
}

bool same_but_times(const Node& a, const Node& b) {
    Node x = a, y = b;
    Node managed_x, managed_y;
    for (auto [n, out] : {std::pair{&x, &managed_x}, std::pair{&y, &managed_y}}) {
        if (const Node* m = n->find_path({"metadata", "managedFields"})) *out = without_times(*m);
        erase_meta(*n, "managedFields");
        erase_meta(*n, "resourceVersion");
    }
    return x == y && managed_x == managed_y;
}

} // namespace weber::kube::server
