#include "kustomize/resource.h"

#include <algorithm>
#include <functional>

#include "kube/base/text_hash.h"
#include "kustomize/id_index.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// The metadata.annotations or metadata.labels map; nullptr when absent or not a map.
const Node* meta_map(const Node& object, std::string_view field) {
    const Node* map = object.find_path({"metadata", field});
    return map && map->is_map() ? map : nullptr;
}

std::string_view meta_text(const Node& object, std::string_view field, std::string_view key) {
    const Node* map = meta_map(object, field);
    const Node* value = map ? map->find(key) : nullptr;
    return value ? value->text() : std::string_view();
}

Text text_of(const Node* node) { return node ? node->shared_text() : Text(); }

// One of two lists is the tail of the other; an empty list is a tail of an empty one only.
bool same_ending(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto& longer = a.size() >= b.size() ? a : b;
    const auto& shorter = a.size() >= b.size() ? b : a;
    if (shorter.empty()) return longer.empty();
    return std::equal(shorter.rbegin(), shorter.rend(), longer.rbegin());
}

// A value of such a map as the text that kustomize takes it for: a null is what was written.
Text meta_value(const Node& value) { return value.is_null() ? Text(written_text(value)) : value.shared_text(); }

// Merges string maps of metadata into `into`: entries of `into` win. The result holds strings only, sorted by key.
void merge_meta_map(Node& into, const Node& from, std::string_view field) {
    const Node* theirs = meta_map(from, field);
    const Node* own = meta_map(into, field);
    std::vector<std::pair<Text, Text>> merged;
    if (theirs)
        for (const Node::Entry& e : theirs->entries()) merged.emplace_back(e.key, meta_value(e.value));
    if (own) {
        for (const Node::Entry& e : own->entries()) {
            auto it = std::ranges::find_if(merged, [&](const auto& m) { return m.first == e.key; });
            if (it != merged.end()) it->second = meta_value(e.value);
            else merged.emplace_back(e.key, meta_value(e.value));
        }
    }
    Node& metadata = map_under(into, "metadata");
    metadata.erase(field);
    if (merged.empty()) return;
    std::ranges::sort(merged, {}, &std::pair<Text, Text>::first);
    Node map = Node::map();
    for (auto& [key, value] : merged) map.append_unchecked(std::move(key), Node::string(std::move(value)));
    metadata.set(field, std::move(map));
}

} // namespace

Node& map_under(Node& parent, std::string_view key) {
    Node& child = parent.get_or_insert(key);
    if (!child.is_map()) child = Node::map();
    return child;
}

// ---- ResId ------------------------------------------------------------------------------------------------------

std::string_view ResId::effective_namespace() const {
    if (cluster_scoped) return kNonNamespaceable;
    return ns.empty() ? kDefaultNamespace : ns.view();
}

bool ResId::in_default_namespace() const { return effective_namespace() == kDefaultNamespace; }

std::string ResId::to_string() const {
    std::string out = gvk.to_string() + "/";
    out.append(name.empty() ? std::string_view("[noName]") : name.view());
    return out.append(".").append(ns.empty() ? std::string_view("[noNs]") : ns.view());
}

std::size_t ResId::hash() const {
    std::size_t h = std::hash<Gvk>{}(gvk);
    h = h * 31 + kube::text_hash(name);
    return h * 31 + kube::text_hash(effective_namespace());
}

bool operator==(const ResId& a, const ResId& b) {
    return a.gvkn_equals(b) && a.effective_namespace() == b.effective_namespace();
}

// ---- Behavior ---------------------------------------------------------------------------------------------------

std::string_view to_string(Behavior behavior) {
    switch (behavior) {
    case Behavior::create: return "create";
    case Behavior::replace: return "replace";
    case Behavior::merge: return "merge";
    case Behavior::unspecified: return "unspecified";
    }
    return "unspecified";
}

Behavior behavior_from(std::string_view text) {
    if (text == "create") return Behavior::create;
    if (text == "replace") return Behavior::replace;
    if (text == "merge") return Behavior::merge;
    return Behavior::unspecified;
}

// ---- Resource ---------------------------------------------------------------------------------------------------

Resource::Resource(Node object) : node_(std::move(object)) { sync_id(); }

Resource::Resource(const Resource& o)
    : behavior(o.behavior), needs_hash(o.needs_hash), helm_generated(o.helm_generated),
      allow_name_change(o.allow_name_change), allow_kind_change(o.allow_kind_change), ref_var_names(o.ref_var_names),
      had_build_annotations(o.had_build_annotations), node_(o.node_), cur_(o.cur_), prev_(o.prev_),
      prefixes_(o.prefixes_), suffixes_(o.suffixes_) {}

void Resource::sync_id() {
    const Node* api_version = node_.find("apiVersion");
    const Node* kind = node_.find("kind");
    const Node* metadata = node_.find("metadata");
    const Node* name = metadata ? metadata->find("name") : nullptr;
    const Node* ns = metadata ? metadata->find("namespace") : nullptr;
    const std::string_view new_api_version = api_version ? api_version->text() : std::string_view();
    const std::string_view new_kind = kind ? kind->text() : std::string_view();
    const bool same_gvk = new_api_version == cur_.gvk.api_version() && new_kind == cur_.gvk.kind(); // most often: no need to look it up
    const Gvk gvk = same_gvk ? cur_.gvk : Gvk::of(new_api_version, new_kind);
    Text new_name = text_of(name), new_ns = text_of(ns);
    if (same_gvk && new_name == cur_.name && new_ns == cur_.ns) return;
    const bool other_gvk = !(gvk == cur_.gvk);
    cur_ = ResId{gvk, std::move(new_name), std::move(new_ns), gvk.cluster_scoped()};
    if (index_) index_->add(*this, cur_);
    if (!other_gvk) return;
    for (ResId& id : prev_) { // earlier ids follow the present group and version
        id.gvk = Gvk::of(gvk.group(), gvk.version(), id.gvk.kind());
        if (index_) index_->add(*this, id);
    }
}

void Resource::set_node(Node object) {
    node_ = std::move(object);
    if (empty()) return make_empty();
    sync_id();
}

// kustomize's memory makes a map of annotations that were null.
void Resource::remember() {
    if (std::exchange(had_build_annotations, true)) return;
    const Node* annotations = node_.find_path({"metadata", "annotations"});
    if (annotations != nullptr && annotations->is_null()) node_.find_mut("metadata")->set("annotations", Node::map());
}

// The id stays what it was: kustomize, too, finds the empty resource no more, but still drops it by position.
void Resource::make_empty() {
    node_ = Node();
    if (index_) index_->note_empty();
}

void Resource::store_previous_id() {
    remember();
    if (cur_.name.empty()) return;
    // kustomize's memory separates entries by commas: a name cannot hold one, so entries are kept as they are.
    Text ns = cur_.cluster_scoped ? Text(kNonNamespaceable) : cur_.ns.empty() ? Text(kDefaultNamespace) : cur_.ns;
    prev_.push_back(ResId{cur_.gvk, cur_.name, std::move(ns), false}); // equals the current id: the index knows it
}

void Resource::add_previous_id(std::string_view ns, std::string_view name, std::string_view kind) {
    remember();
    prev_.push_back(ResId{Gvk::of(cur_.gvk.group(), cur_.gvk.version(), kind), Text(name), Text(ns), false});
    if (index_) index_->add(*this, prev_.back());
}

void Resource::set_name(std::string_view name) {
    if (cur_.name == name) return;
    map_under(node_, "metadata").set("name", Node::string(name));
    sync_id();
}

void Resource::set_namespace(std::string_view ns) {
    if (ns.empty()) {
        if (const Node* metadata = node_.find("metadata"); metadata && metadata->contains("namespace"))
            node_.find_mut("metadata")->erase("namespace");
    } else if (cur_.ns != ns) {
        map_under(node_, "metadata").set("namespace", Node::string(ns));
    }
    sync_id();
}

void Resource::set_kind(std::string_view kind) {
    if (this->kind() == kind) return;
    node_.set("kind", Node::string(kind));
    sync_id();
}

void Resource::set_gvk(const Gvk& gvk) {
    if (cur_.gvk == gvk) return;
    node_.set("kind", Node::string(gvk.kind()));
    node_.set("apiVersion", Node::string(gvk.api_version()));
    sync_id();
}

std::string_view Resource::annotation(std::string_view key) const { return meta_text(node_, "annotations", key); }
std::string_view Resource::label(std::string_view key) const { return meta_text(node_, "labels", key); }

void Resource::set_annotation(std::string_view key, std::string_view value) {
    Node& annotations = map_under(map_under(node_, "metadata"), "annotations");
    annotations.set(key, Node::string(value));
}

void Resource::erase_annotation(std::string_view key) {
    const Node* map = meta_map(node_, "annotations");
    if (!map || !map->contains(key)) return;
    Node& metadata = *node_.find_mut("metadata");
    Node& annotations = *metadata.find_mut("annotations");
    annotations.erase(key);
    if (annotations.empty()) metadata.erase("annotations");
}

void Resource::add_prefix(std::string_view prefix) {
    if (prefix.empty()) return;
    remember();
    prefixes_.emplace_back(prefix);
}

void Resource::add_suffix(std::string_view suffix) {
    if (suffix.empty()) return;
    remember();
    suffixes_.emplace_back(suffix);
}

bool Resource::prefixes_suffixes_equal(const Resource& o, bool allow_empty) const {
    bool prefix_open = allow_empty && (prefixes_.empty() || o.prefixes_.empty());
    bool suffix_open = allow_empty && (suffixes_.empty() || o.suffixes_.empty());
    return (prefix_open || same_ending(prefixes_, o.prefixes_)) && (suffix_open || same_ending(suffixes_, o.suffixes_));
}

void Resource::copy_merge_metadata_from(const Resource& other) {
    merge_meta_map(node_, other.node_, "labels");
    merge_meta_map(node_, other.node_, "annotations");
    set_name(other.name());
    set_namespace(other.ns());
    // kustomize keeps the old object's build annotations, save that the hash is dropped when the new one does not want it.
    needs_hash = needs_hash && other.needs_hash;
    behavior = other.behavior;
    helm_generated = other.helm_generated;
    allow_name_change = other.allow_name_change;
    allow_kind_change = other.allow_kind_change;
    had_build_annotations = true;
    prefixes_ = other.prefixes_;
    suffixes_ = other.suffixes_;
    prev_ = other.prev_;
    for (ResId& id : prev_) id.gvk = Gvk::of(cur_.gvk.group(), cur_.gvk.version(), id.gvk.kind());
    ref_var_names = other.ref_var_names;
    if (index_) index_->add_all(*this);
}

} // namespace weber::kustomize
