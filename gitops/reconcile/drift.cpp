#include "gitops/reconcile/drift.h"

#include <algorithm>

#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/yaml.h"

namespace weber::gitops {

namespace {

// HorizontalPodAutoscalers: old servers repeat metrics in dry runs (apply.md 4.3).
Node hpa_fixed(const Object& o) {
    Node root = o.root();
    if (o.kind() != "HorizontalPodAutoscaler" || o.group() != "autoscaling") return root;
    Node* spec = root.find_mut("spec");
    Node* metrics = spec != nullptr ? spec->find_mut("metrics") : nullptr;
    if (metrics == nullptr) return root;
    Node kept = Node::list();
    for (const Node& m : metrics->items())
        if (!m.text_at("type").empty() && std::ranges::find(kept.items(), m) == kept.items().end()) kept.push_back(m);
    *metrics = std::move(kept);
    return root;
}

Node map_at(const Object& o, std::string_view field) {
    const Node* n = o.at({"metadata", field});
    return n != nullptr && n->is_map() ? *n : Node::map();
}

// What people look at: no bookkeeping.
Node shown(const Object& o) {
    Node root = o.root();
    root.erase("status");
    if (Node* metadata = root.find_mut("metadata"))
        for (std::string_view key : {"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"}) metadata->erase(key);
    return root;
}

// kubectl keeps the whole object here, a Secret's values too.
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

Node* last_applied(Node& root) {
    Node* metadata = root.find_mut("metadata");
    Node* annotations = metadata != nullptr ? metadata->find_mut("annotations") : nullptr;
    return annotations != nullptr && annotations->is_map() ? annotations->find_mut(kLastApplied) : nullptr;
}

void mask_last_applied(Node& before, Node& after) {
    Node *b = last_applied(before), *a = last_applied(after);
    const bool differ = b != nullptr && a != nullptr && !(*b == *a);
    if (b != nullptr) *b = Node::string(differ ? "*** (before)" : "***");
    if (a != nullptr) *a = Node::string(differ ? "*** (after)" : "***");
}

bool holds(const Node& node, const std::vector<std::string>& values) {
    return node.is_scalar() && std::ranges::any_of(values, [&](const std::string& v) { return v.size() >= kShortestMasked && node.text().find(v) != std::string_view::npos; });
}

// Masks texts with one of the values, and what stood in their place before. Either side may be null.
void veil(Node* before, Node* after, const std::vector<std::string>& values) {
    if ((before != nullptr && holds(*before, values)) || (after != nullptr && holds(*after, values))) {
        const bool differ = before != nullptr && after != nullptr && !(*before == *after);
        if (before != nullptr) *before = Node::string(differ ? "*** (before)" : "***");
        if (after != nullptr) *after = Node::string(differ ? "*** (after)" : "***");
        return;
    }
    const auto maps = [](const Node* n) { return n != nullptr && n->is_map(); };
    const auto lists = [](const Node* n) { return n != nullptr && n->is_list(); };
    if (maps(before))
        for (Node::Entry& e : before->entries_mut()) veil(&e.value, maps(after) ? after->find_mut(e.key) : nullptr, values);
    if (maps(after))
        for (Node::Entry& e : after->entries_mut())
            if (!maps(before) || !before->contains(e.key)) veil(nullptr, &e.value, values);
    const std::size_t before_size = lists(before) ? before->size() : 0, after_size = lists(after) ? after->size() : 0;
    for (std::size_t i = 0; i < std::max(before_size, after_size); ++i)
        veil(i < before_size ? &before->items_mut()[i] : nullptr, i < after_size ? &after->items_mut()[i] : nullptr, values);
}

class Diff {
public:
    explicit Diff(bool secret) : secret_(secret) {}

    void compare(const std::string& path, const Node* before, const Node* after) {
        if (before != nullptr && after != nullptr) {
            if (*before == *after) return;
            if (before->is_map() && after->is_map()) return maps(path, *before, *after);
            if (before->is_list() && after->is_list()) return lists(path, *before, *after);
        }
        paths.push_back(path);
        const bool masked = secret_ && (path.starts_with("data") || path.starts_with("stringData"));
        const bool both = before != nullptr && after != nullptr;
        if (before != nullptr) line('-', path, *before, masked ? (both ? "*** (before)" : "***") : nullptr);
        if (after != nullptr) line('+', path, *after, masked ? (both ? "*** (after)" : "***") : nullptr);
    }

    std::string text;
    std::vector<std::string> paths;

private:
    void line(char sign, const std::string& path, const Node& value, const char* mask) {
        if (mask != nullptr && value.is_map()) { // a whole `data`: its keys are shown, the values are not
            for (const auto& [key, v] : value.entries()) line(sign, path + "." + key.str(), v, mask);
            return;
        }
        if (mask != nullptr) {
            text += std::string{sign, ' '} + path + ": " + mask + "\n";
            return;
        }
        const std::string yaml = kube::write_yaml(Node::map({{path, value}}), {.order = kube::YamlKeyOrder::as_is});
        for (std::size_t begin = 0; begin < yaml.size();) {
            const std::size_t end = std::min(yaml.find('\n', begin), yaml.size());
            text += std::string{sign, ' '} + yaml.substr(begin, end - begin) + "\n";
            begin = end + 1;
        }
    }
    void maps(const std::string& path, const Node& before, const Node& after) {
        const auto below = [&](const kube::Text& key) { return path.empty() ? key.str() : path + "." + key.str(); };
        for (const auto& [key, value] : before.entries()) compare(below(key), &value, after.find(key));
        for (const auto& [key, value] : after.entries())
            if (!before.contains(key)) compare(below(key), nullptr, &value);
    }
    void lists(const std::string& path, const Node& before, const Node& after) {
        const std::size_t n = std::max(before.size(), after.size());
        for (std::size_t i = 0; i < n; ++i)
            compare(path + "[" + std::to_string(i) + "]", i < before.size() ? &before.items()[i] : nullptr, i < after.size() ? &after.items()[i] : nullptr);
    }
    bool secret_;
};

} // namespace

Node compared_body(const Object& object) {
    Node root = hpa_fixed(object);
    root.erase("metadata");
    root.erase("status");
    return root;
}

void veil_values(Object& before, Object& after, const std::vector<std::string>& secret_values) { veil(&before.root(), &after.root(), secret_values); }

bool has_drifted(const Object& live, const Object& dry_run) {
    if (dry_run.resource_version().empty()) return true;
    if (!(map_at(live, "labels") == map_at(dry_run, "labels")) || !(map_at(live, "annotations") == map_at(dry_run, "annotations"))) return true;
    return !(compared_body(live) == compared_body(dry_run));
}

std::string diff_text(const Object* before, const Object* after, const std::vector<std::string>& secret_values) {
    const Object* any = after != nullptr ? after : before;
    if (any == nullptr) return {};
    const bool secret = is_secret(*any);
    Diff diff(secret);
    Node b = before != nullptr ? shown(*before) : Node::map();
    Node a = after != nullptr ? shown(*after) : Node::map();
    if (secret) mask_last_applied(b, a);
    if (!secret_values.empty()) veil(&b, &a, secret_values);
    diff.compare("", &b, &a);
    return std::move(diff.text);
}

namespace {

// `other` is the same field of the other side, unmasked.
void mask_map(Object& object, std::string_view field, const Node* other, const char* when_different) {
    Node* map = object.root().find_mut(field);
    if (map == nullptr) return;
    if (!map->is_map()) {
        if (!map->is_null()) *map = Node::string("***");
        return;
    }
    for (auto& [key, value] : map->entries_mut()) {
        const Node* theirs = other != nullptr ? other->find(key) : nullptr;
        value = Node::string(theirs == nullptr || *theirs == value ? "***" : when_different);
    }
}

} // namespace

void mask_secrets(Object& before, Object& after, const std::vector<std::string>& secret_values) {
    if (!secret_values.empty()) veil_values(before, after, secret_values);
    const Object b = before, a = after;
    if (is_secret(before) || is_secret(after)) mask_last_applied(before.root(), after.root());
    for (std::string_view field : {"data", "stringData"}) {
        if (is_secret(before)) mask_map(before, field, a.root().find(field), "*** (before)");
        if (is_secret(after)) mask_map(after, field, b.root().find(field), "*** (after)");
    }
}

std::vector<std::string> changed_paths(const Object& before, const Object& after) {
    Diff diff(true);
    const Node b = shown(before), a = shown(after);
    diff.compare("", &b, &a);
    return std::move(diff.paths);
}

} // namespace weber::gitops
