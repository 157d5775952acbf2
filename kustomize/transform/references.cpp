#include "kustomize/transform/references.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "kube/base/text_hash.h"
#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

using Candidates = std::vector<Resource*>;

// Objects that had other names, by those names: what a reference may mean. Three sorted tables stand for maps of lists.
class Renamed {
public:
    explicit Renamed(const ResourceSet& resources) {
        for (const auto& r : resources.all()) {
            if (r->empty()) continue;
            namespaces_.insert(pair_hash(r->org_id().effective_namespace(), r->cur_id().effective_namespace()));
            anywhere_.insert(hash(r->org_id().effective_namespace()));
            by_raw_.insert(pair_hash(r->org_id().effective_namespace(), r->ns()) ^ kRaw);
            for (std::size_t i = 0; i < r->prev_ids().size(); ++i) add(*r, i);
        }
        for (Table* table : {&names_, &current_, &original_}) std::ranges::stable_sort(*table, {}, &Row::first);
    }

    // Each in the order of the set. `ns`: the effective namespace they are in now, or were in first.
    void with_name(std::string_view name, Candidates& out) const { find(names_, hash(name), out); }
    void with_name_in(std::string_view name, std::string_view ns, Candidates& out) const { find(current_, pair_hash(name, ns), out); }
    void with_name_from(std::string_view name, std::string_view ns, Candidates& out) const { find(original_, pair_hash(name, ns), out); }

    // Is there any object, renamed or not, that came from `origin` (an effective namespace) and is in `ns` now?
    [[nodiscard]] bool any_from(std::string_view origin) const { return anywhere_.contains(hash(origin)); }
    [[nodiscard]] bool any_from(std::string_view origin, std::string_view ns) const { return namespaces_.contains(pair_hash(origin, ns)); }
    [[nodiscard]] bool any_from_with_raw(std::string_view origin, std::string_view raw) const {
        return by_raw_.contains(pair_hash(origin, raw) ^ kRaw);
    }

private:
    using Row = std::pair<std::size_t, Resource*>;
    using Table = std::vector<Row>;
    static constexpr std::size_t kRaw = 0x9e3779b97f4a7c15;

    static std::size_t hash(std::string_view s) { return kube::text_hash(s); }
    static std::size_t pair_hash(std::string_view a, std::string_view b) { return hash(a) * 1'000'003 + hash(b); }

    // An earlier name that the resource had twice is entered once.
    void add(Resource& r, std::size_t i) {
        const std::vector<ResId>& ids = r.prev_ids();
        for (std::size_t j = 0; j < i; ++j)
            if (ids[j].name == ids[i].name) return;
        names_.emplace_back(hash(ids[i].name), &r);
        current_.emplace_back(pair_hash(ids[i].name, r.cur_id().effective_namespace()), &r);
        original_.emplace_back(pair_hash(ids[i].name, r.org_id().effective_namespace()), &r);
    }

    static void find(const Table& table, std::size_t key, Candidates& out) {
        for (auto it = std::ranges::lower_bound(table, key, {}, &Row::first); it != table.end() && it->first == key; ++it)
            out.push_back(it->second);
    }

    Table names_, current_, original_;
    std::unordered_set<std::size_t> namespaces_, anywhere_, by_raw_;
};

bool had_name(const Resource& r, std::string_view name) {
    return std::ranges::any_of(r.prev_ids(), [&](const ResId& id) { return id.name == name; });
}

bool had_kind(const Resource& r, const GvkPattern& kind) {
    return std::ranges::any_of(r.prev_ids(), [&](const ResId& id) { return kind.selects(id.gvk); });
}

// Namespaces of the service accounts a RoleBinding names: those may be referred to across namespaces.
Result<std::vector<std::string>> subject_namespaces(const Resource& referrer) {
    std::vector<std::string> namespaces;
    if (referrer.kind() != "RoleBinding") return namespaces;
    const Node* subjects = referrer.node().find("subjects");
    if (subjects == nullptr) return namespaces;
    for (const Node& subject : subjects->items()) {
        const Node* ns = subject.find("namespace");
        if (ns == nullptr || subject.text_at("kind") != "ServiceAccount") continue;
        if (!ns->is_string()) {
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "Invalid Input: namespace is blank for resource \"" + referrer.cur_id().to_string() + "\"",
                              .where = ns->where().line != 0 ? ns->where() : referrer.where(),
                              .hint = "give the ServiceAccount's namespace, or leave the field out"});
        }
        namespaces.emplace_back(ns->text());
    }
    std::ranges::sort(namespaces);
    namespaces.erase(std::unique(namespaces.begin(), namespaces.end()), namespaces.end());
    return namespaces;
}

// One field of one kind of referrer: where it is and what it refers to.
struct Reference {
    FieldWalker walker;
    std::string path;
    const GvkPattern* target;
};

// Fixes the references of one object.
class Referrer {
public:
    Referrer(Resource& self, const Renamed& renamed, std::vector<std::string> subjects)
        : self_(self), renamed_(renamed), own_namespace_(self.cur_id().effective_namespace()), subject_namespaces_(std::move(subjects)) {}

    Result<void> fix(const Reference& reference) {
        reference_ = &reference;
        auto done = reference.walker.walk(self_, [this](Node& node) { return fix_field(node); });
        if (!done)
            return fail(std::move(done).error().with_prefix("updating name reference in '" + reference.path + "' field of '" +
                                                            self_.cur_id().to_string() + "': "));
        return {};
    }

private:
    [[nodiscard]] bool refers_anywhere() const { return self_.cur_id().cluster_scoped; }

    Result<void> fix_field(Node& node) {
        if (node.is_null()) return {};
        if (node.is_map()) return fix_map(node);
        if (!node.is_list()) return fix_scalar(node);
        for (Node& item : node.items_mut()) {
            if (item.is_null()) continue;
            if (item.is_list()) return fail(ErrorCode::invalid, "an element is expected to be either a string or a map of string", item.where());
            TRY_VOID(item.is_map() ? fix_map(item) : fix_scalar(item));
        }
        return {};
    }

    Result<void> fix_scalar(Node& node) {
        const std::string name(written_text(node));
        Candidates candidates = reachable(name);
        TRY(Resource* referral, choose(name, std::move(candidates), /*with_namespace=*/false));
        if (referral == nullptr || referral->name() == name) return {};
        return set_bare_text(node, referral->name());
    }

    // A map with `name` and perhaps `namespace`, which says where to look and is rewritten too.
    Result<void> fix_map(Node& node) {
        const Node* name_field = node.find("name");
        if (name_field == nullptr) return fail(ErrorCode::invalid, "path config error; no 'name' field in node", node.where());
        const std::string name(written_text(*name_field));
        const Node* ns = node.find("namespace");
        Candidates candidates = ns != nullptr ? reachable_in(name, written_text(*ns)) : reachable(name);
        TRY(Resource* referral, choose(name, std::move(candidates), /*with_namespace=*/true));
        if (referral == nullptr || (referral->name() == name && referral->ns().empty())) return {};
        TRY_VOID(set_text(node, "name", referral->name()));
        if (referral->ns().empty()) return {}; // unset: stands for any, not for "default"
        return set_text(node, "namespace", referral->ns());
    }

    static Result<void> set_text(Node& map, std::string_view key, std::string_view text) {
        if (Node* field = map.find_mut(key)) return set_bare_text(*field, text);
        map.set(key, Node::string(text));
        return {};
    }

    // Objects with that earlier name which this one may refer to at all.
    [[nodiscard]] Candidates reachable(std::string_view name) const {
        Candidates found;
        if (refers_anywhere()) {
            renamed_.with_name(name, found);
            return found;
        }
        renamed_.with_name_in(name, own_namespace_, found);
        renamed_.with_name_in(name, kNonNamespaceable, found);
        for (const std::string& raw : subject_namespaces_) {
            const std::string_view ns = raw.empty() ? kDefaultNamespace : std::string_view(raw);
            if (ns == own_namespace_) continue;
            Candidates more;
            renamed_.with_name_in(name, ns, more);
            std::ranges::copy_if(more, std::back_inserter(found), [&](const Resource* r) { return r->ns() == raw; });
        }
        std::ranges::sort(found, {}, &Resource::order);
        return found;
    }

    // The same, of objects that were in `ns` at first; if nothing reachable was, of those that are in it now.
    [[nodiscard]] Candidates reachable_in(std::string_view name, std::string_view ns) const {
        const bool by_origin = ns != kNonNamespaceable && any_reachable_from(ns);
        Candidates found;
        if (!refers_anywhere()) found = reachable(name);
        else if (by_origin) renamed_.with_name_from(name, ns, found);
        else renamed_.with_name_in(name, ns, found);
        std::erase_if(found, [&](const Resource* r) {
            const std::string_view its = by_origin ? r->org_id().effective_namespace() : r->cur_id().effective_namespace();
            return its != ns || its == kNonNamespaceable;
        });
        return found;
    }

    [[nodiscard]] bool any_reachable_from(std::string_view ns) const {
        if (refers_anywhere()) return renamed_.any_from(ns);
        return renamed_.any_from(ns, own_namespace_) || renamed_.any_from(ns, kNonNamespaceable) ||
               std::ranges::any_of(subject_namespaces_, [&](const std::string& raw) { return renamed_.any_from_with_raw(ns, raw); });
    }

    // kustomize: Filter.selectReferral. nullptr: no object is meant.
    Result<Resource*> choose(std::string_view name, Candidates candidates, bool with_namespace) const {
        const std::optional<GvkPattern> role = role_reference();
        std::erase_if(candidates, [&](const Resource* r) {
            if (!had_name(*r, name) || !had_kind(*r, *reference_->target) || (role && !had_kind(*r, *role))) return true;
            return !refers_anywhere() && !r->cur_id().cluster_scoped && r->kind() != "ServiceAccount" &&
                   r->cur_id().effective_namespace() != own_namespace_;
        });
        if (candidates.size() == 1) return candidates.front();
        std::erase_if(candidates, [&](const Resource* r) { return !r->prefixes_suffixes_equal(self_, true); });
        if (candidates.size() > 1) std::erase_if(candidates, [&](const Resource* r) { return !r->prefixes_suffixes_equal(self_, false); });
        if (candidates.empty()) return nullptr;
        const Resource& first = *candidates.front();
        const bool identical = std::ranges::all_of(candidates, [&](const Resource* r) {
            return r->name() == first.name() && (!with_namespace || r->ns() == first.ns());
        });
        if (identical) return candidates.front();
        return ambiguous(candidates);
    }

    // What kind `roleRef` names, when that is the field at hand.
    [[nodiscard]] std::optional<GvkPattern> role_reference() const {
        if (!reference_->path.ends_with("roleRef/name")) return std::nullopt;
        const Node* group = self_.node().find_path({"roleRef", "apiGroup"});
        const Node* kind = self_.node().find_path({"roleRef", "kind"});
        if (group == nullptr || kind == nullptr) return std::nullopt;
        return GvkPattern{.group = std::string(group->text()), .version = {}, .kind = std::string(kind->text())};
    }

    [[nodiscard]] std::unexpected<Error> ambiguous(const Candidates& candidates) const {
        std::string ids, places;
        for (const Resource* r : candidates) {
            ids += (ids.empty() ? "" : ", ") + r->cur_id().to_string();
            if (const std::string place = r->where().to_string(); !place.empty()) places += (places.empty() ? "" : ", ") + place;
        }
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "found multiple possible referrals: " + ids,
                          .where = self_.where(),
                          .object = self_.cur_id().to_string(),
                          .hint = places.empty() ? "" : "the candidates stand at " + places});
    }

    Resource& self_;
    const Renamed& renamed_;
    const std::string own_namespace_;
    const std::vector<std::string> subject_namespaces_;
    const Reference* reference_ = nullptr;
};

// The fields that matter for objects of one original kind, in the order of the table.
std::vector<Reference> references_of(const Gvk& gvk, const std::vector<NameBackReference>& table) {
    std::vector<Reference> found;
    for (const NameBackReference& back : table) {
        for (const FieldSpec& spec : back.referrers) {
            if (!spec.gvk.selects(gvk)) continue;
            found.push_back({FieldWalker::for_path(spec.path, spec.create, FieldWalker::Creates::nothing), spec.path, &back.gvk});
        }
    }
    return found;
}

} // namespace

Result<void> fix_name_references(ResourceSet& resources, const std::vector<NameBackReference>& table) {
    const bool any_renamed = std::ranges::any_of(resources.all(), [](const auto& r) { return !r->prev_ids().empty(); });
    if (!any_renamed) {
        for (const auto& r : resources.all()) TRY_VOID(subject_namespaces(*r)); // wrong ones are reported all the same
        return {};
    }
    const Renamed renamed(resources);
    std::unordered_map<const GvkInfo*, std::vector<Reference>> by_kind;
    for (const auto& r : resources.all()) {
        if (r->empty()) continue;
        const Gvk gvk = r->org_id().gvk;
        auto [it, fresh] = by_kind.try_emplace(gvk.info());
        if (fresh) it->second = references_of(gvk, table);
        if (it->second.empty()) continue;
        TRY(auto subjects, subject_namespaces(*r));
        Referrer referrer(*r, renamed, std::move(subjects));
        for (const Reference& reference : it->second) TRY_VOID(referrer.fix(reference));
        r->sync_id();
    }
    return {};
}

} // namespace weber::kustomize
