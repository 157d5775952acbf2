#include "kustomize/resource_set.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <unordered_map>
#include <utility>

#include "kustomize/id_index.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

bool had_id(const Resource& r, const ResId& id) {
    return r.cur_id() == id || std::ranges::find(r.prev_ids(), id) != r.prev_ids().end();
}

void sort_by_order(std::vector<Resource*>& list) {
    std::ranges::sort(list, {}, [](const Resource* r) { return r->order(); });
}

// Go's %#v of a ResId, as kustomize's messages about generated resources print it.
std::string go_syntax(const ResId& id) {
    auto quoted = [](std::string_view s) { return "\"" + std::string(s) + "\""; };
    return "resid.ResId{Gvk:resid.Gvk{Group:" + quoted(id.gvk.group()) + ", Version:" + quoted(id.gvk.version()) +
           ", Kind:" + quoted(id.gvk.kind()) + ", isClusterScoped:" + (id.cluster_scoped ? "true" : "false") +
           "}, Name:" + quoted(id.name) + ", Namespace:" + quoted(id.ns) + "}";
}

// Merges the string map `field` of a ConfigMap or Secret: entries of the generated object win.
void merge_data(Resource& generated, const Resource& old, std::string_view field) {
    const Node* theirs = old.node().find(field);
    const Node* own = generated.node().find(field);
    StringMap merged;
    if (theirs)
        for (const Node::Entry& e : theirs->entries()) merged[e.key.str()] = e.value.text();
    if (own)
        for (const Node::Entry& e : own->entries()) merged[e.key.str()] = e.value.text();
    Node& object = generated.edit();
    object.erase(field);
    if (merged.empty()) return;
    Node map = Node::map();
    for (const auto& [key, value] : merged) map.append_unchecked(Text(key), Node::string(value, new_value_style(value)));
    object.set(field, std::move(map));
}

} // namespace

// ---- ResourceSet ------------------------------------------------------------------------------------------------

ResourceSet::ResourceSet() : index_(std::make_unique<IdIndex>()) {}
ResourceSet::ResourceSet(ResourceSet&&) noexcept = default;
ResourceSet& ResourceSet::operator=(ResourceSet&&) noexcept = default;
ResourceSet::~ResourceSet() = default;

Resource& ResourceSet::append_unchecked(std::unique_ptr<Resource> resource) {
    Resource& r = *resource;
    r.index_ = index_.get();
    r.order_ = next_order_++;
    index_->add_all(r);
    list_.push_back(std::move(resource));
    return r;
}

Result<void> ResourceSet::append(std::unique_ptr<Resource> resource) {
    const ResId& id = resource->cur_id();
    const Resource* other = nullptr;
    if (index_->any_with_id(id, [&](const Resource* r) { return r->cur_id() == id && (other = r); })) {
        Error error{.code = ErrorCode::already_exists,
                    .message = "may not add resource with an already registered id: " + id.to_string(),
                    .where = resource->where()};
        if (std::string first = other->where().to_string(); !first.empty()) error.hint = "first seen at " + first;
        return fail(std::move(error));
    }
    append_unchecked(std::move(resource));
    return {};
}

Result<void> ResourceSet::append_all(ResourceSet&& other) {
    if (list_.empty()) {
        *this = std::move(other); // its ids are known to be distinct as far as kustomize checks them
        other = ResourceSet();
        return {};
    }
    for (std::unique_ptr<Resource>& r : other.take()) TRY_VOID(append(std::move(r)));
    return {};
}

Result<void> ResourceSet::absorb_all(ResourceSet&& generated) {
    for (std::unique_ptr<Resource>& r : generated.take()) TRY_VOID(append_replace_or_merge(std::move(r)));
    return {};
}

Result<void> ResourceSet::append_replace_or_merge(std::unique_ptr<Resource> resource) {
    const ResId id = resource->cur_id();
    std::vector<Resource*> matches = matching_any(id);
    Behavior behavior = resource->behavior;
    bool merges = behavior == Behavior::merge || behavior == Behavior::replace;
    if (matches.empty()) {
        if (!merges) return append(std::move(resource));
        return fail(ErrorCode::not_found, "id " + go_syntax(id) + " does not exist; cannot merge or replace");
    }
    if (matches.size() > 1) {
        std::string names;
        for (const Resource* m : matches) names += (names.empty() ? "" : " ") + m->cur_id().to_string();
        return fail(ErrorCode::invalid, "found multiple objects [" + names + "] that could accept merge of " + id.to_string());
    }
    if (!merges) {
        return fail(ErrorCode::already_exists, "id " + go_syntax(id) + " exists; can not use behavior: '" +
                                                   std::string(to_string(behavior)) + "', behavior must be merge or replace");
    }
    Resource& old = *matches.front();
    resource->copy_merge_metadata_from(old);
    if (behavior == Behavior::merge) {
        merge_data(*resource, old, "data");
        merge_data(*resource, old, "binaryData");
        std::string origin(old.annotation("config.kubernetes.io/origin"));
        if (!origin.empty()) resource->set_annotation("config.kubernetes.io/origin", origin);
    }
    // Found by an earlier id, replaced by the current one. Source: kustomize resWrangler.Replace.
    const std::vector<Resource*> replaceable = matching_current(resource->cur_id());
    if (replaceable.size() != 1) {
        return fail(Error{.code = ErrorCode::not_found,
                          .message = replaceable.empty() ? "cannot find resource with id " + resource->cur_id().to_string() + " to replace"
                                                         : "in Replace: id matched " + std::to_string(replaceable.size()) + " resources",
                          .object = old.cur_id().to_string(),
                          .hint = "a patch gave the object of " + old.where().to_string() + " that kind; generate it where that is done"});
    }
    Resource& replaced = *replaceable.front();
    auto slot = std::ranges::find(list_, &replaced, [](const auto& p) { return p.get(); });
    assert(slot != list_.end());
    resource->index_ = index_.get();
    resource->order_ = replaced.order_;
    forget(replaced);
    *slot = std::move(resource);
    index_->add_all(**slot);
    return {};
}

std::vector<Resource*> ResourceSet::matching_current(const ResId& id) const {
    std::vector<Resource*> found;
    index_->any_with_id(id, [&](Resource* r) {
        if (r->cur_id() == id) found.push_back(r);
        return false;
    });
    sort_by_order(found);
    return found;
}

std::vector<Resource*> ResourceSet::matching_any(const ResId& id) const {
    std::vector<Resource*> found;
    index_->any_with_id(id, [&](Resource* r) {
        if (!r->empty() && had_id(*r, id)) found.push_back(r);
        return false;
    });
    sort_by_order(found);
    return found;
}

std::vector<Resource*> ResourceSet::matching_any_gvkn(const ResId& id) const {
    std::vector<Resource*> found = with_name(id.name);
    std::erase_if(found, [&](const Resource* r) {
        if (r->empty()) return true;
        return !r->cur_id().gvkn_equals(id) &&
               std::ranges::none_of(r->prev_ids(), [&](const ResId& prev) { return prev.gvkn_equals(id); });
    });
    return found;
}

std::vector<Resource*> ResourceSet::with_name(std::string_view name) const {
    std::vector<Resource*> found;
    index_->need_names(list_);
    index_->any_with_name(name, [&](Resource* r) {
        if (r->name() == name || std::ranges::any_of(r->prev_ids(), [&](const ResId& id) { return id.name == name; }))
            found.push_back(r);
        return false;
    });
    sort_by_order(found);
    return found;
}

Result<Resource*> ResourceSet::get_by_id(const ResId& id) const {
    std::vector<Resource*> found = matching_any(id);
    if (found.size() == 1) return found.front();
    std::string text = id.to_string();
    return fail(ErrorCode::not_found, std::string(found.empty() ? "no" : "multiple") + " matches for Id " + text +
                                          "; failed to find unique target for patch " + text);
}

Result<std::vector<Resource*>> ResourceSet::select(const Selector& selector) const {
    TRY(CompiledSelector compiled, CompiledSelector::compile(selector));
    return select(compiled);
}

std::vector<Resource*> ResourceSet::select(const CompiledSelector& selector) const {
    std::vector<Resource*> found;
    if (std::string_view name = selector.literal_name(); !name.empty()) {
        found = with_name(name);
        std::erase_if(found, [&](const Resource* r) { return !selector.match(*r); });
        return found;
    }
    for (const auto& r : list_)
        if (selector.match(*r)) found.push_back(r.get());
    return found;
}

void ResourceSet::drop_empties() {
    if (index_->take_empties()) retain([](const Resource& r) { return !r.empty(); });
}

Result<void> ResourceSet::check_unique() const {
    for (const auto& r : list_) {
        if (r->empty()) continue;
        for (const Resource* other : matching_current(r->cur_id())) {
            if (other == r.get() || other->empty() || other->order() > r->order()) continue;
            return fail(ErrorCode::already_exists,
                        "may not add resource with an already registered id: " + r->cur_id().to_string(), r->where());
        }
    }
    return {};
}

void ResourceSet::reorder(const std::vector<Resource*>& sorted) {
    assert(sorted.size() == list_.size());
    std::unordered_map<const Resource*, std::unique_ptr<Resource>> owned;
    owned.reserve(list_.size());
    for (auto& r : list_) {
        const Resource* key = r.get();
        owned.emplace(key, std::move(r));
    }
    list_.clear();
    next_order_ = 1;
    for (Resource* r : sorted) {
        auto it = owned.find(r);
        assert(it != owned.end() && it->second);
        r->order_ = next_order_++;
        list_.push_back(std::move(it->second));
    }
}

void ResourceSet::forget(Resource& resource) {
    index_->remove(resource);
    resource.index_ = nullptr;
}

void ResourceSet::clear() {
    take();
}

ResourceSet::List ResourceSet::take() {
    for (auto& r : list_) {
        r->index_ = nullptr;
        r->announced_.clear();
    }
    index_->clear();
    return std::exchange(list_, {});
}

} // namespace weber::kustomize
