#include "kube/server/strategic_patch.h"

#include <algorithm>
#include <vector>

namespace weber::kube::server {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

std::unexpected<Error> bad_patch(std::string message) {
    return fail(Error{.code = ErrorCode::invalid, .message = std::move(message), .http_status = 400});
}
std::unexpected<Error> unclassified(std::string message) {
    return fail(Error{.code = ErrorCode::invalid, .message = std::move(message), .http_status = 500});
}

// What the type says about one field.
struct FieldMeta {
    const TypeSchema* type = nullptr; // of the field; null: not known
    [[nodiscard]] bool merge() const { return type && type->patch_merge; }
    [[nodiscard]] std::string_view key() const { return type ? type->patch_merge_key : std::string_view(); }
    [[nodiscard]] const TypeSchema& element() const { return type && type->element ? *type->element : deduced_schema(); }
};

FieldMeta field_meta(const TypeSchema& owner, std::string_view name) {
    if (owner.kind == TypeKind::object) {
        const FieldSchema* f = owner.field(name);
        return {f ? f->type : nullptr};
    }
    return {owner.kind == TypeKind::map ? owner.element : nullptr};
}

bool same_shape(const Node& a, const Node& b) { return a.kind() == b.kind() || (a.is_number() && b.is_number()); }

// Without entries and items that carry a directive. False: the value itself is one.
bool strip_directives(Node& v) {
    if (v.is_map()) {
        if (v.contains(kDirective)) return false;
        std::vector<std::string> drop;
        for (auto& e : v.entries_mut())
            if (!strip_directives(e.value)) drop.push_back(e.key.str());
        for (const auto& key : drop) v.erase(key);
    } else if (v.is_list()) {
        Node out = Node::list();
        for (Node& item : v.items_mut())
            if (strip_directives(item)) out.push_back(std::move(item));
        v = std::move(out);
    }
    return true;
}

void strip_nulls(Node& v) {
    if (v.is_map()) {
        std::vector<std::string> drop;
        for (auto& e : v.entries_mut()) {
            if (e.value.is_null())
                drop.push_back(e.key.str());
            else
                strip_nulls(e.value);
        }
        for (const auto& key : drop) v.erase(key);
    } else if (v.is_list()) {
        for (Node& item : v.items_mut()) strip_nulls(item);
    }
}

void put(Node& target, std::string_view key, Node value) {
    strip_nulls(value);
    if (strip_directives(value))
        target.set(key, std::move(value));
    else
        target.erase(key);
}

std::unexpected<Error> no_merge_key(const Node& item, std::string_view key) {
    return unclassified("map: " + go_text(item) + " does not contain declared merge key: " + std::string(key));
}

bool same_item(const Node& a, const Node& b, std::string_view key) {
    if (key.empty()) return a == b;
    const Node *x = a.find(key), *y = b.find(key);
    return x && y && *x == *y;
}

std::ptrdiff_t index_of(const std::vector<Node>& list, const Node& item, std::string_view key) {
    for (std::size_t i = 0; i < list.size(); ++i)
        if (same_item(list[i], item, key)) return static_cast<std::ptrdiff_t>(i);
    return -1;
}

// By place in `order`; items that are not in it come last.
void sort_like(std::vector<Node>& items, const std::vector<Node>& order, std::string_view key) {
    std::stable_sort(items.begin(), items.end(), [&](const Node& a, const Node& b) {
        const auto i = index_of(order, a, key), j = index_of(order, b, key);
        return i >= 0 && (j < 0 || i < j);
    });
}

// Items of the patch in the patch's order, the server's own among them where the server had them.
Node arranged(const std::vector<Node>& merged, const std::vector<Node>& patch_order, const std::vector<Node>& server_order, std::string_view key) {
    std::vector<Node> ours, theirs;
    for (const Node& item : merged) (index_of(patch_order, item, key) >= 0 ? theirs : ours).push_back(item);
    sort_like(theirs, patch_order, key);
    sort_like(ours, server_order, key);
    Node out = Node::list();
    std::size_t i = 0, j = 0;
    while (i < ours.size() || j < theirs.size()) {
        bool take_ours = j >= theirs.size();
        if (i < ours.size() && j < theirs.size()) {
            const auto a = index_of(server_order, ours[i], key), b = index_of(server_order, theirs[j], key);
            take_ours = a >= 0 && b >= 0 && a < b;
        }
        out.push_back(take_ours ? ours[i++] : theirs[j++]);
    }
    return out;
}

std::vector<Node> items_of(const Node& list) { return {list.items().begin(), list.items().end()}; }

Result<Node> merge_map(Node live, Node patch, const TypeSchema& type);

// Lists of maps: deletions and replacement first, then item by item.
Result<std::vector<Node>> merge_items(std::vector<Node>& live, std::vector<Node>& patch, const FieldMeta& meta) {
    const auto key = meta.key();
    std::vector<Node> plain;
    bool replace = false;
    for (Node& item : patch) {
        const Node* directive = item.find(kDirective);
        if (!directive) {
            plain.push_back(item);
        } else if (directive->text() == "delete") {
            if (!item.contains(key)) return no_merge_key(item, key);
            std::erase_if(live, [&](const Node& l) { return same_item(l, item, key); });
        } else if (directive->text() == "replace") {
            replace = true;
        } else if (directive->text() == "merge") {
            return unclassified("merging lists cannot yet be specified in the patch");
        } else {
            return unclassified("unknown patch type: " + std::string(directive->text()) + " in map: " + go_text(item));
        }
    }
    if (replace) {
        live = plain;
        patch.clear();
        return live;
    }
    patch = plain;
    std::vector<Node> merged = live;
    for (const Node& item : plain) {
        if (!item.is_map()) return unclassified("expected a map, but received a " + std::string(item.kind_word()));
        if (!item.contains(key)) return no_merge_key(item, key);
        const auto at = index_of(merged, item, key);
        if (at < 0) {
            merged.push_back(item);
            continue;
        }
        TRY(merged[static_cast<std::size_t>(at)], merge_map(merged[static_cast<std::size_t>(at)], item, meta.element()));
    }
    return merged;
}

// All elements of both lists must be of one kind, and that not a list.
Result<void> check_elements(const std::vector<Node>& left, const std::vector<Node>& right) {
    const NodeKind kind = (left.empty() ? right : left).front().kind();
    if (kind == NodeKind::list) return fail(Error{.code = ErrorCode::invalid, .message = "lists of lists are not supported", .http_status = 422});
    const auto other = [&](const Node& n) { return n.kind() != kind; };
    if (std::ranges::none_of(left, other) && std::ranges::none_of(right, other)) return {};
    const auto text = [](const std::vector<Node>& list) {
        Node n = Node::list();
        for (const Node& item : list) n.push_back(item);
        return go_text(n);
    };
    return unclassified("list element types are not identical: [" + text(left) + " " + text(right) + "]");
}

Result<Node> merge_list(const Node& live, const Node& patch, const FieldMeta& meta, bool delete_items) {
    if (live.empty() && patch.empty()) return live;
    std::vector<Node> left = items_of(live), right = items_of(patch);
    TRY_VOID(check_elements(left, right));
    const bool maps = (left.empty() ? right : left).front().is_map();
    if (!maps) {
        if (delete_items) {
            std::erase_if(left, [&](const Node& l) { return index_of(right, l, "") >= 0; });
            Node out = Node::list();
            for (Node& n : left) out.push_back(std::move(n));
            return out;
        }
        std::vector<Node> merged = left;
        for (const Node& n : right)
            if (index_of(merged, n, "") < 0) merged.push_back(n);
        return arranged(merged, right, left, "");
    }
    if (meta.key().empty()) return unclassified("cannot merge lists without merge key for " + std::string(meta.type ? "list" : "unknown"));
    TRY(std::vector<Node> merged, merge_items(left, right, meta));
    return arranged(merged, right, left, meta.key()); // new items as they came: directives inside are fields that nobody knows
}

Result<void> retain_keys(Node& live, Node& patch) {
    const Node* found = patch.find(kRetainKeys);
    if (!found) return {};
    const Node keep = *found;
    patch.erase(kRetainKeys);
    const auto kept = [&](std::string_view key) {
        return std::any_of(keep.items().begin(), keep.items().end(), [&](const Node& k) { return k.text() == key; });
    };
    constexpr const char* kMessage = "invalid patch format of retainKeys";
    if (!keep.is_list()) return bad_patch(kMessage);
    for (const auto& e : patch.entries()) {
        const auto key = e.key.view();
        if (e.value.is_null() || key.starts_with(kDeletePrimitives) || key.starts_with(kOrder)) continue;
        if (!kept(key)) return bad_patch(kMessage);
    }
    std::vector<std::string> drop;
    for (const auto& e : live.entries())
        if (!kept(e.key.view())) drop.push_back(e.key.str());
    for (const auto& key : drop) live.erase(key);
    return {};
}

// The patch's items must stand in the order that it asks for. Deletions have no place.
Result<void> check_order(const Node& patch, const Node& order, std::string_view key) {
    if (patch.empty() || order.empty()) return {};
    std::size_t at = 0;
    for (const Node& item : patch.items()) {
        if (const Node* directive = item.find(kDirective); directive && (at < order.size() || directive->text() == "delete")) continue;
        while (at < order.size() && !same_item(item, order.items()[at], key)) ++at;
        if (at++ < order.size()) continue;
        return unclassified("The order in patch list:\n" + go_text(patch) + "\n doesn't match $setElementOrder list:\n" + go_text(order) + "\n");
    }
    return {};
}

// $setElementOrder lists: the lists that they name are merged here, in that order.
Result<void> merge_ordered(Node& live, Node& patch, const TypeSchema& type) {
    std::vector<std::string> directives;
    for (const auto& e : patch.entries())
        if (e.key.view().starts_with(kOrder)) directives.push_back(e.key.str());
    for (const auto& directive : directives) {
        const Node order = *patch.find(directive);
        patch.erase(directive);
        const std::string name = directive.substr(kOrder.size());
        if (!order.is_list()) return bad_patch("invalid patch format of setElementOrder list");
        const FieldMeta meta = field_meta(type, name);
        const Node *mine = live.find(name), *theirs = patch.find(name);
        if ((mine && !mine->is_list()) || (theirs && !theirs->is_list())) continue;
        if (theirs) TRY_VOID(check_order(*theirs, order, meta.key()));
        Node merged;
        if (mine && theirs) {
            if (meta.merge()) {
                TRY(merged, merge_list(*mine, *theirs, meta, false));
            } else {
                merged = *theirs;
            }
        } else if (mine) {
            merged = *mine;
        } else if (theirs) {
            merged = *theirs;
            strip_directives(merged);
        } else {
            continue;
        }
        Node done = arranged(items_of(merged), items_of(order), mine ? items_of(*mine) : std::vector<Node>(), meta.key());
        live.set(name, std::move(done));
        patch.erase(name);
    }
    return {};
}

Result<Node> merge_map(Node live, Node patch, const TypeSchema& type) {
    if (const Node* directive = patch.find(kDirective)) {
        if (directive->text() == "delete") return Node::map();
        if (directive->text() != "replace")
            return unclassified("unknown patch type: " + std::string(directive->text()) + " in map: " + go_text(patch));
        patch.erase(kDirective);
        return patch;
    }
    if (!live.is_map()) live = Node::map();
    TRY_VOID(retain_keys(live, patch));
    TRY_VOID(merge_ordered(live, patch, type));
    for (const auto& e : patch.entries()) {
        std::string key = e.key.str();
        const bool delete_items = e.key.view().starts_with(kDeletePrimitives);
        if (delete_items) key = key.substr(kDeletePrimitives.size());
        if (e.value.is_null()) {
            live.erase(key);
            continue;
        }
        const Node* old = live.find(key);
        if (!old || !same_shape(*old, e.value)) {
            if (!delete_items) put(live, key, e.value);
            continue;
        }
        const FieldMeta meta = field_meta(type, key);
        if (old->is_map()) {
            if (meta.type && meta.type->patch_replace_keys) {
                live.set(key, e.value);
                continue;
            }
            TRY(Node merged, merge_map(*old, e.value, meta.type ? *meta.type : deduced_schema()));
            live.set(key, std::move(merged));
        } else if (old->is_list()) {
            if (!meta.merge() && !delete_items) {
                live.set(key, e.value);
                continue;
            }
            TRY(Node merged, merge_list(*old, e.value, meta, delete_items));
            live.set(key, std::move(merged));
        } else {
            put(live, key, e.value);
        }
    }
    return live;
}

} // namespace

std::string go_text(const Node& value) {
    std::string out;
    if (value.is_map()) {
        std::vector<std::pair<std::string, std::string>> parts;
        for (const auto& e : value.entries()) parts.emplace_back(e.key.str(), go_text(e.value));
        std::sort(parts.begin(), parts.end());
        for (const auto& [key, text] : parts) out += (out.empty() ? "" : " ") + key + ":" + text;
        return "map[" + out + "]";
    }
    if (value.is_list()) {
        bool first = true;
        for (const auto& item : value.items()) {
            out += (first ? "" : " ") + go_text(item);
            first = false;
        }
        return "[" + out + "]";
    }
    return value.is_null() ? "<nil>" : std::string(value.text());
}

Result<Node> strategic_patch(const Node& live, const Node& patch, const TypeSchema& type) { return merge_map(live, patch, type); }

} // namespace weber::kube::server
