#include <deque>
#include <unordered_map>

#include "kube/merge/path_element.h"
#include "kube/merge/shape.h"
#include "kube/merge/typed.h"

namespace weber::kube::merge {

namespace {

// Items of an associative list by key. Of a repeated key (live objects only) the item counts as unknown.
struct Indexed {
    std::vector<Text> order;
    std::unordered_map<Text, const Node*> by_key; // nullptr: repeated
};

Result<Indexed> index_items(const Node* list, const TypeSchema& schema, bool allow_duplicates) {
    Indexed out;
    if (list == nullptr) return out;
    std::size_t i = 0;
    for (const Node& item : list->items()) {
        auto key = item_element(schema, item);
        if (!key) return fail(ErrorCode::invalid, "element " + std::to_string(i) + ": " + key.error().message);
        ++i;
        const auto [it, fresh] = out.by_key.try_emplace(*key, &item);
        if (!fresh && !allow_duplicates) return fail(ErrorCode::invalid, "duplicate entries for key " + element_to_string(*key));
        if (!fresh) it->second = nullptr;
        out.order.push_back(std::move(*key));
    }
    return out;
}

Result<Node> merge(const Node* live, const Node* applied, const TypeSchema& schema);

Result<Node> merge_map(const Node* live, const Node* applied, const TypeSchema& schema) {
    Node out = live != nullptr && live->is_map() ? *live : Node::map();
    if (applied == nullptr) return out;
    for (const auto& [key, value] : applied->entries()) {
        const TypeSchema& type = member_type_or_deduced(schema, key);
        TRY(Node merged, merge(out.find(key), &value, type));
        out.set(key, std::move(merged));
    }
    return out;
}

// The order of structured-merge-diff: applied items keep their order; items only the live list has stay where they stood relative to the
// shared ones before them.
class ListMerge {
public:
    ListMerge(const Node& live, Indexed lhs, Indexed rhs, const TypeSchema& schema)
        : live_(live), lhs_(std::move(lhs)), rhs_(std::move(rhs)), schema_(schema) {
        for (const Text& key : rhs_.order)
            if (lhs_.by_key.contains(key)) shared_.push_back(key);
    }

    Result<Node> run() {
        Node out = Node::list();
        std::size_t l = 0, r = 0;
        const std::size_t ln = lhs_.order.size(), rn = rhs_.order.size();
        while (l < ln || r < rn) {
            if (l < ln && r < rn) {
                const Text& key = lhs_.order[l];
                if (key == rhs_.order[r]) {
                    TRY_VOID(take(key, out));
                    ++l, ++r;
                    if (!shared_.empty()) shared_.pop_front();
                    continue;
                }
                if (rhs_.by_key.contains(key) && !shared_.empty() && !(shared_.front() == key)) {
                    ++l; // shared, but its turn is not now
                    continue;
                }
            }
            if (l < ln) {
                const Text& key = lhs_.order[l];
                if (!rhs_.by_key.contains(key)) {
                    out.push_back(live_.items()[l++]);
                    continue;
                }
                if (taken_.contains(key)) ++l;
            }
            if (r < rn) {
                const Text& key = rhs_.order[r++];
                TRY_VOID(take(key, out));
                if (!shared_.empty() && shared_.front() == key) shared_.pop_front();
            }
        }
        return out;
    }

private:
    Result<void> take(const Text& key, Node& out) {
        taken_.emplace(key, true);
        const auto l = lhs_.by_key.find(key);
        TRY(Node item, merge(l != lhs_.by_key.end() ? l->second : nullptr, rhs_.by_key.at(key), item_type(schema_)));
        out.push_back(std::move(item));
        return {};
    }

    const Node& live_;
    Indexed lhs_, rhs_;
    const TypeSchema& schema_;
    std::deque<Text> shared_;
    std::unordered_map<Text, bool> taken_;
};

Result<Node> merge_list(const Node* live, const Node* applied, const TypeSchema& schema) {
    const Node* lhs = live != nullptr && live->is_list() ? live : nullptr;
    const Node* rhs = applied != nullptr && applied->is_list() ? applied : nullptr;
    TRY(Indexed r, index_items(rhs, schema, false));
    TRY(Indexed l, index_items(lhs, schema, true));
    static const Node none = Node::list();
    return ListMerge(lhs != nullptr ? *lhs : none, std::move(l), std::move(r), schema).run();
}

Result<Node> merge(const Node* live, const Node* applied, const TypeSchema& schema) {
    const Shape shape = shape_of(schema, applied != nullptr ? applied : live);
    const auto none = [](const Node* n) { return n == nullptr || n->empty(); };
    const bool leaf = shape == Shape::scalar || is_atomic(schema, shape) || (none(live) && none(applied));
    if (leaf) return applied != nullptr ? *applied : *live;
    return shape == Shape::map ? merge_map(live, applied, schema) : merge_list(live, applied, schema);
}

} // namespace

Result<Node> merge_values(const Node& live, const Node& applied, const TypeSchema& schema) {
    return merge(live.is_null() ? nullptr : &live, &applied, schema);
}

} // namespace weber::kube::merge
