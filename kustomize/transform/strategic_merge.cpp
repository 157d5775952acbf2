#include "kustomize/transform/strategic_merge.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "kustomize/transform/associative_list.h"
#include "kustomize/transform/linked.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kDirective = "$patch";

enum class Directive { merge, replace, remove };

// What a merge of two values came to. `dest` and `patch` say which of both, changed in place, is the result.
enum class Fate { cleared, dest, patch, kept_null };

Result<Directive> directive_of(std::string_view text) {
    if (text == "delete") return Directive::remove;
    if (text == "replace") return Directive::replace;
    if (text == "merge") return Directive::merge;
    return fail(ErrorCode::invalid, "unknown patch strategy '" + std::string(text) + "'");
}

bool missing(const Node* n) { return n == nullptr || n->is_null(); }

// Walks target and patch together. Both pointers may be the same node: what a patch adds is walked against itself, which drops
// its nulls and directives. Nodes are changed in place.
class Merge {
public:
    explicit Merge(const MergeSchema& schema) : schema_(schema) {}

    // Values written over ones that stand in several places, by link.
    [[nodiscard]] const std::vector<std::pair<std::uint32_t, Node>>& changed_links() const { return changed_links_; }

    Result<Fate> walk(Node* dest, Node* patch, SchemaType type) {
        const Node* first = !missing(dest) ? dest : !missing(patch) ? patch : nullptr;
        if (first == nullptr) return patch == nullptr && dest != nullptr && dest->style() != NodeStyle::absent ? Fate::kept_null : Fate::cleared;
        TRY_VOID(same_kind(*first, patch));
        if (type == 0) type = embedded_type(dest, patch);
        if (first->is_map()) return walk_map(dest, patch, type);
        if (first->is_list() && type != 0 && schema_.merges(type)) return walk_list(dest, patch, type);
        if (patch != nullptr) return patch->is_null() ? Fate::cleared : Fate::patch;
        return Fate::dest;
    }

private:
    static Result<void> same_kind(const Node& first, const Node* patch) {
        if (missing(patch)) return {};
        const bool same = first.is_map() ? patch->is_map() : first.is_list() ? patch->is_list() : patch->is_scalar();
        if (!same) return wrong_node_kind(first.kind(), *patch);
        return {};
    }

    // The type of a whole object inside a field without schema.
    [[nodiscard]] SchemaType embedded_type(const Node* dest, const Node* patch) const {
        for (const Node* n : {dest, patch}) {
            if (missing(n)) continue;
            const std::string_view kind = n->text_at("kind"), api_version = n->text_at("apiVersion");
            if (kind.empty() || api_version.empty()) continue;
            if (const SchemaType type = schema_.of(api_version, kind); type != 0) return type;
        }
        return 0;
    }

    // ---- maps ---------------------------------------------------------------------------------------------------

    static Result<Directive> take_map_directive(Node& patch) {
        const Node* value = patch.find(kDirective);
        if (value == nullptr) return Directive::merge;
        auto directive = directive_of(written_text(*value));
        if (!directive) return fail(std::move(directive).error().at(value->where()));
        patch.erase(kDirective);
        return directive;
    }

    Result<Fate> walk_map(Node* dest, Node* patch, SchemaType type) {
        Fate fate = Fate::dest;
        if (missing(dest)) {
            // Unknown directives of added maps go through: kyaml looks only at delete here, and meets them again below.
            if (patch->contains(kDirective)) {
                auto directive = take_map_directive(*patch);
                if (directive && *directive == Directive::remove) return Fate::cleared;
            }
            dest = patch;
            fate = Fate::patch;
        } else if (patch != nullptr) {
            if (patch->is_null()) return Fate::cleared;
            TRY(const Directive directive, take_map_directive(*patch));
            if (directive == Directive::remove) return Fate::cleared;
            if (directive == Directive::replace) {
                dest = patch;
                fate = Fate::patch;
            }
        }
        TRY_VOID(merge_fields(*dest, patch, type));
        return fate;
    }

    Result<void> merge_fields(Node& dest, Node* patch, SchemaType type) {
        if (patch == nullptr) return settle_fields(dest, type);
        std::vector<kube::Text> names;
        for (const Node::Entry& e : dest.entries()) names.push_back(e.key);
        for (const kube::Text& name : names) {
            Node* theirs = patch == &dest ? nullptr : patch->find_mut(name);
            const SchemaType field_type = type != 0 ? schema_.field(type, name) : SchemaType{0};
            const Node& unchanged = *dest.find(name);
            if (theirs == nullptr && patch != &dest && !needs_quotes(unchanged) && !settling_changes(unchanged, field_type)) continue;
            Node* ours = dest.find_mut(name);
            TRY_VOID(merge_field(dest, name, ours, patch == &dest ? ours : theirs, field_type));
        }
        if (patch == &dest) return {};
        std::vector<kube::Text> added;
        for (const Node::Entry& e : patch->entries())
            if (!dest.contains(e.key) && std::ranges::find(names, e.key) == names.end()) added.push_back(e.key);
        for (const kube::Text& name : added)
            TRY_VOID(merge_field(dest, name, nullptr, patch->find_mut(name), type != 0 ? schema_.field(type, name) : SchemaType{0}));
        return {};
    }

    Result<void> merge_field(Node& dest, const kube::Text& name, Node* ours, Node* theirs, SchemaType type) {
        auto fate = walk(ours, theirs, type);
        if (!fate) return fail(std::move(fate).error().at(theirs != nullptr ? theirs->where() : dest.where()));
        if (*fate == Fate::cleared) dest.erase(name);
        else if (*fate == Fate::patch && theirs != ours) write_over(dest, name, ours != nullptr ? ours->link() : 0, *theirs);
        else if (ours != nullptr) put_quotes(*ours);
        return {};
    }

    void write_over(Node& dest, const kube::Text& name, std::uint32_t link, const Node& value) {
        set_field(dest, name, value);
        if (link == 0) return;
        Node& now = *dest.find_mut(name);
        now.set_link(link);
        changed_links_.emplace_back(link, now);
    }

    // ---- lists that merge -------------------------------------------------------------------------------------------

    // `- $patch: delete` as an element speaks of the whole list. Only the first element with the key is looked at.
    static Result<Directive> take_list_directive(Node& patch) {
        const auto items = patch.items();
        const auto found = std::ranges::find_if(items, [](const Node& n) { return n.contains(kDirective); });
        if (found == items.end() || found->size() > 1) return Directive::merge;
        const std::string text(written_text(*found->find(kDirective)));
        TRY(const Directive directive, directive_of(text));
        TRY_VOID(edit_list(patch, [&](std::vector<Node>& list) {
            return set_element(list, std::span(&kDirective, 1), std::span(&text, 1), nullptr);
        }));
        return directive;
    }

    template <class F>
    static Result<void> edit_list(Node& node, F change) {
        std::vector<Node> items(node.items().begin(), node.items().end());
        TRY_VOID(change(items));
        put_items(node, std::move(items));
        return {};
    }

    static void put_items(Node& node, std::vector<Node> items) {
        node.clear();
        node.reserve(items.size());
        for (Node& item : items) node.push_back(std::move(item));
    }

    Result<Fate> walk_list(Node* dest, Node* patch, SchemaType type) {
        Fate fate = Fate::dest;
        if (missing(dest)) {
            dest = patch;
            fate = Fate::patch;
        } else if (patch != nullptr) {
            if (patch->is_null()) return Fate::cleared;
            TRY(const Directive directive, take_list_directive(*patch));
            if (directive == Directive::remove) return Fate::cleared;
            if (directive == Directive::replace) {
                dest = patch;
                fate = Fate::patch;
            }
        }
        TRY_VOID(merge_elements(*dest, patch, type));
        return fate;
    }

    // Key values of all elements, the patch's first, each tuple once.
    static std::vector<KeyValues> collect(const Node& dest, const Node* patch, std::span<const std::string_view> keys) {
        std::vector<KeyValues> tuples;
        for (const Node* list : {patch, &dest}) {
            if (list == nullptr) continue;
            for (const Node& item : list->items()) {
                KeyValues values = keys.empty() ? KeyValues{std::string(written_text(item))} : key_values(item, keys);
                if (std::ranges::find(tuples, values) == tuples.end()) tuples.push_back(std::move(values));
            }
        }
        return tuples;
    }

    struct Keys {
        KeyNames names;
        KeyValues values;
    };

    // Leaves out the keys that `used` does not know; all stay when it knows none.
    static Keys narrow(std::span<const std::string_view> names, const KeyValues& values, const std::vector<bool>& used) {
        if (std::ranges::find(used, true) == used.end()) return {{names.begin(), names.end()}, values};
        Keys keys;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!used[i]) continue;
            keys.names.push_back(names[i]);
            keys.values.push_back(values[i]);
        }
        return keys;
    }

    static std::vector<bool> used_keys(const std::vector<KeyValues>& tuples, std::size_t count) {
        std::vector<bool> used(count);
        for (const KeyValues& values : tuples)
            for (std::size_t i = 0; i < count; ++i) used[i] = used[i] || !values[i].empty();
        return used;
    }

    static Node* element_of(Node* list, const Keys& keys) {
        if (list == nullptr) return nullptr;
        const Node* found = find_element(*list, keys.names, keys.values);
        if (found == nullptr) return nullptr;
        const auto index = static_cast<std::size_t>(found - list->items().data()); // before unsharing moves the elements
        return &list->items_mut()[index];
    }

    Result<void> merge_elements(Node& dest, Node* patch, SchemaType type) {
        static constexpr std::string_view kScalarKey;
        const auto schema_keys = schema_.keys(type);
        const auto names = schema_keys.empty() ? std::span(&kScalarKey, 1) : schema_keys;
        std::vector<KeyValues> tuples = collect(dest, patch, schema_keys);
        if (tuples.empty()) return {};
        if (names.size() > 1) unify_values(tuples);
        const std::vector<bool> used = used_keys(tuples, names.size());

        std::vector<Node> merged;
        Keys keys;
        for (const KeyValues& values : tuples) {
            keys = narrow(names, values, used);
            TRY_VOID(merge_element(dest, patch, schema_.elements(type), keys, merged));
        }
        TRY_VOID(append_rest(merged, dest, keys.names));
        put_items(dest, std::move(merged));
        return {};
    }

    Result<void> merge_element(Node& dest, Node* patch, SchemaType type, const Keys& keys, std::vector<Node>& merged) {
        const Keys own = narrow(keys.names, keys.values, used_keys({keys.values}, keys.names.size()));
        Node* ours = element_of(&dest, own);
        Node* theirs = patch == &dest ? ours : element_of(patch, own);
        if (theirs == nullptr && ours != nullptr && !settling_changes(*ours, type)) return set_element(merged, keys.names, keys.values, ours);
        TRY(const Fate fate, walk(ours, theirs, type));
        Node* result = fate == Fate::dest ? ours : fate == Fate::patch ? theirs : nullptr;
        if (missing(result) || (result->is_map() && result->empty()))
            return edit_list(dest, [&](std::vector<Node>& list) { return set_element(list, keys.names, keys.values, nullptr); });
        for (std::size_t i = 0; i < keys.names.size(); ++i) {
            if (result->is_map() && !keys.names[i].empty() && !keys.values[i].empty() && !result->contains(keys.names[i]))
                result->set(keys.names[i], Node::string(keys.values[i]));
        }
        const Node element = *result;
        return set_element(merged, keys.names, keys.values, &element);
    }

    // What the target has and the patch does not, behind what is merged; elements that are there already are put again, which
    // is how kyaml treats those without their keys in a surprising way.
    static Result<void> append_rest(std::vector<Node>& merged, const Node& dest, const KeyNames& keys) {
        for (const Node& element : dest.items()) {
            KeyValues values;
            if (keys.front().empty()) {
                values.emplace_back(written_text(element));
                TRY_VOID(set_element(merged, keys, values, &element));
                continue;
            }
            for (const std::string_view key : keys) {
                if (!element.is_null() && !element.is_map()) return wrong_node_kind(NodeKind::map, element);
                const Node* field = element.find(key);
                if (field == nullptr) merged.push_back(element);
                else values.emplace_back(written_text(*field));
            }
            if (keys.size() > 1) TRY_VOID(set_element(merged, keys, values, nullptr));
            TRY_VOID(set_element(merged, keys, values, &element));
        }
        return {};
    }

    // ---- what no patch touches ------------------------------------------------------------------------------------------

    // Would walking a value without a patch change it? Most often not: then its tree stays shared.
    [[nodiscard]] bool settling_changes(const Node& dest, SchemaType type) const {
        if (dest.is_null()) return dest.style() == NodeStyle::absent;
        if (type == 0 && dest.is_map()) type = embedded_type(&dest, nullptr);
        if (dest.is_map()) {
            return std::ranges::any_of(dest.entries(), [&](const Node::Entry& e) {
                return needs_quotes(e.value) || settling_changes(e.value, type != 0 ? schema_.field(type, e.key) : SchemaType{0});
            });
        }
        if (!dest.is_list() || type == 0 || !schema_.merges(type)) return false;
        return !is_regular(dest, schema_.keys(type)) ||
               std::ranges::any_of(dest.items(), [&](const Node& n) { return settling_changes(n, schema_.elements(type)); });
    }

    Result<void> settle_fields(Node& dest, SchemaType type) {
        std::vector<kube::Text> names;
        for (const Node::Entry& e : dest.entries()) names.push_back(e.key);
        for (const kube::Text& name : names) {
            const SchemaType field_type = type != 0 ? schema_.field(type, name) : SchemaType{0};
            const Node& ours = *dest.find(name);
            if (needs_quotes(ours) || settling_changes(ours, field_type)) TRY_VOID(merge_field(dest, name, dest.find_mut(name), nullptr, field_type));
        }
        return {};
    }

    const MergeSchema& schema_;
    std::vector<std::pair<std::uint32_t, Node>> changed_links_;
};

} // namespace

Result<void> strategic_merge(Node& object, Node patch, const MergeSchema& schema) {
    Merge merge(schema);
    TRY(const Fate fate, merge.walk(&object, &patch, 0));
    if (fate == Fate::patch) object = std::move(patch);
    else if (fate != Fate::dest) object = Node();
    for (const auto& [link, now] : merge.changed_links()) update_linked(object, link, now);
    return {};
}

} // namespace weber::kustomize
