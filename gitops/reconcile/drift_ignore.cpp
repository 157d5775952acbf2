#include "gitops/reconcile/drift_ignore.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gitops/api/names.h"
#include "kube/base/json.h"
#include "kube/base/json_patch.h"
#include "kube/base/selector.h"

namespace weber::gitops {

namespace {

using Path = std::vector<std::string>;

std::optional<std::size_t> index_of(const std::string& token, std::size_t size) {
    std::size_t i = 0;
    const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), i);
    if (code != std::errc() || end != token.data() + token.size() || i >= size) return std::nullopt;
    return i;
}

const Node* value_at(const Node& root, std::span<const std::string> path) {
    const Node* at = &root;
    for (const std::string& token : path) {
        if (at->is_list()) {
            const auto i = index_of(token, at->size());
            at = i ? &at->items()[*i] : nullptr;
        } else {
            at = at->find(token);
        }
        if (at == nullptr) return nullptr;
    }
    return at;
}

// The node that holds the last token; nullptr when there is none or it is a scalar.
Node* parent_of(Node& root, const Path& path) {
    Node* at = &root;
    for (std::size_t k = 0; k + 1 < path.size(); ++k) {
        if (at->is_list()) {
            const auto i = index_of(path[k], at->size());
            at = i ? &at->items_mut()[*i] : nullptr;
        } else {
            at = at->is_map() ? at->find_mut(path[k]) : nullptr;
        }
        if (at == nullptr) return nullptr;
    }
    return at->is_list() || at->is_map() ? at : nullptr;
}

void remove_at(Node& root, const Path& path) {
    if (value_at(root, path) == nullptr) return;
    Node* parent = parent_of(root, path);
    if (parent == nullptr) return;
    if (parent->is_list())
        parent->erase_item(*index_of(path.back(), parent->size()));
    else
        parent->erase(path.back());
}

void replace_at(Node& root, const Path& path, const Node& value) {
    if (value_at(root, path) == nullptr) return; // not ours to add
    Node* parent = parent_of(root, path);
    if (parent->is_list())
        parent->items_mut()[*index_of(path.back(), parent->size())] = value;
    else
        parent->set(path.back(), value);
}

// The child of a field set that stands for list item `item`: `k:{…}` whose key fields all equal the item's.
const Node* keyed_child(const Node& set, const Node& item) {
    for (const auto& [key, child] : set.entries()) {
        if (!key.view().starts_with("k:")) continue;
        const auto keys = kube::read_json(key.view().substr(2));
        if (!keys) continue;
        const bool same = std::ranges::all_of(keys->entries(), [&](const auto& e) {
            const Node* have = item.find(e.key);
            return have != nullptr && *have == e.value;
        });
        if (same) return &child;
    }
    return nullptr;
}

bool set_holds(const Node& fields, const Node& live, const Path& path) {
    const Node* set = &fields;
    const Node* at = &live;
    for (const std::string& token : path) {
        const Node* next_live = at != nullptr ? value_at(*at, std::array{token}) : nullptr;
        set = at != nullptr && at->is_list() ? (next_live != nullptr ? keyed_child(*set, *next_live) : nullptr) : set->find("f:" + token);
        if (set == nullptr) return false;
        at = next_live;
    }
    return true;
}

bool another_applier_owns(const Object& live, const Path& path) {
    const Node* entries = live.at({"metadata", "managedFields"});
    if (entries == nullptr) return false;
    return std::ranges::any_of(entries->items(), [&](const Node& e) {
        if (e.text_at("operation") != "Apply" || e.text_at("manager") == kFieldManager || !e.text_at("subresource").empty()) return false;
        const Node* fields = e.find("fieldsV1");
        return fields != nullptr && set_holds(*fields, live.root(), path);
    });
}

Result<std::unique_ptr<re2::RE2>> anchored(const Node& target, std::string_view field) {
    const std::string_view text = target.text_at(field);
    if (text.empty()) return nullptr;
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto re = std::make_unique<re2::RE2>("^(?:" + std::string(text) + ")$", options);
    if (!re->ok())
        return fail(ErrorCode::invalid, "failed to create ignore rule selector: invalid " + std::string(field) + " regex: " + re->error(), target.where());
    return re;
}

Result<kube::LabelSelector> selector_at(const Node& target, std::string_view field, std::string_view what) {
    auto selector = kube::LabelSelector::parse(target.text_at(field));
    if (!selector)
        return fail(ErrorCode::invalid, "failed to create ignore rule selector: invalid " + std::string(what) + " selector: " + selector.error().message,
                    target.where());
    return selector;
}

} // namespace

struct DriftIgnoreRules::Rule {
    std::vector<Path> paths;
    std::array<std::unique_ptr<re2::RE2>, 5> patterns; // group, version, kind, name, namespace; null matches all
    kube::LabelSelector labels, annotations;

    [[nodiscard]] bool matches(const Object& o) const {
        const std::array<std::string_view, 5> values{o.group(), o.version(), o.kind(), o.name(), o.ns()};
        for (std::size_t i = 0; i < values.size(); ++i)
            if (patterns[i] && !re2::RE2::PartialMatch(values[i], *patterns[i])) return false;
        return labels.matches(o.at({"metadata", "labels"})) && annotations.matches(o.at({"metadata", "annotations"}));
    }
};

DriftIgnoreRules::DriftIgnoreRules() = default;
DriftIgnoreRules::~DriftIgnoreRules() = default;
DriftIgnoreRules::DriftIgnoreRules(DriftIgnoreRules&&) noexcept = default;
DriftIgnoreRules& DriftIgnoreRules::operator=(DriftIgnoreRules&&) noexcept = default;

Result<DriftIgnoreRules> DriftIgnoreRules::make(std::span<const IgnoreRule> rules) {
    static constexpr std::array<std::string_view, 5> kFields{"group", "version", "kind", "name", "namespace"};
    DriftIgnoreRules out;
    for (const IgnoreRule& r : rules) {
        auto rule = std::make_unique<Rule>();
        for (const std::string& path : r.paths) {
            if (!path.starts_with('/'))
                return fail(ErrorCode::invalid, "spec.ignore: path '" + path + "' is not a JSON pointer: it must begin with '/'", r.where);
            rule->paths.push_back(kube::parse_json_pointer(path));
        }
        for (std::size_t i = 0; i < kFields.size(); ++i) {
            TRY(rule->patterns[i], anchored(r.target, kFields[i]));
        }
        TRY(rule->labels, selector_at(r.target, "labelSelector", "label"));
        TRY(rule->annotations, selector_at(r.target, "annotationSelector", "annotation"));
        out.rules_.push_back(std::move(rule));
    }
    return out;
}

bool DriftIgnoreRules::matches(const Object& object) const {
    return std::ranges::any_of(rules_, [&](const auto& rule) { return rule->matches(object); });
}

Object DriftIgnoreRules::without_ignored(const Object& object, const Object& answer) const {
    Object out = object;
    for (const auto& rule : rules_) {
        if (!rule->matches(answer)) continue;
        for (const Path& path : rule->paths) remove_at(out.root(), path);
    }
    return out;
}

Object DriftIgnoreRules::payload(const Object& desired, const Object& live, const Object& answer) const {
    Object out = desired;
    for (const auto& rule : rules_) {
        if (!rule->matches(answer)) continue;
        for (const Path& path : rule->paths) {
            const Node* before = value_at(live.root(), path);
            const Node* after = value_at(answer.root(), path);
            if (before == after || (before != nullptr && after != nullptr && *before == *after)) continue;
            if (before == nullptr || another_applier_owns(live, path))
                remove_at(out.root(), path);
            else
                replace_at(out.root(), path, *before);
        }
    }
    return out;
}

} // namespace weber::gitops
