#include "kustomize/id_index.h"

#include <algorithm>
#include <utility>

#include "kube/base/text_hash.h"

namespace weber::kustomize {

// ---- HintTable --------------------------------------------------------------------------------------------------

void HintTable::insert(std::size_t hash, Resource* resource) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    const auto link = static_cast<std::uint32_t>(links_.size());
    links_.push_back({.resource = resource});
    Slot& slot = slots_[find(hash)];
    if (!slot.used) ++used_;
    if (slot.first == kEnd) slot = Slot{.hash = hash, .first = link, .last = link, .used = true};
    else links_[std::exchange(slot.last, link)].next = link;
}

void HintTable::erase(std::size_t hash, const Resource* resource) {
    if (slots_.empty()) return;
    Slot& slot = slots_[find(hash)];
    std::uint32_t before = kEnd;
    for (std::uint32_t i = slot.first; i != kEnd; before = i, i = links_[i].next) {
        if (links_[i].resource != resource) continue;
        (before == kEnd ? slot.first : links_[before].next) = links_[i].next;
        if (slot.last == i) slot.last = before;
        return;
    }
}

void HintTable::clear() {
    slots_.clear();
    links_.clear();
    used_ = 0;
}

void HintTable::grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(16, slots_.size() * 2)));
    used_ = 0;
    for (const Slot& slot : old) {
        if (slot.first == kEnd) continue; // all its resources left
        slots_[find(slot.hash)] = slot;
        ++used_;
    }
}

// ---- IdIndex ----------------------------------------------------------------------------------------------------

std::size_t IdIndex::hash_of(std::string_view name) { return kube::text_hash(name); }

void IdIndex::add(Resource& resource, const ResId& id) {
    std::size_t id_hash = id.hash(), name_hash = hash_of(id.name);
    const auto has_id = [&](const auto& known) { return known.first == id_hash; };
    const auto has_name = [&](const auto& known) { return known.second == name_hash; };
    if (std::ranges::any_of(resource.announced_, has_id)) return;
    const bool new_name = std::ranges::none_of(resource.announced_, has_name);
    resource.announced_.emplace_back(id_hash, name_hash);
    ids_.insert(id_hash, &resource);
    if (names_ready_ && new_name) names_.insert(name_hash, &resource);
}

void IdIndex::add_all(Resource& resource) {
    add(resource, resource.cur_id());
    for (const ResId& id : resource.prev_ids()) add(resource, id);
}

void IdIndex::add_names(Resource& resource) {
    const auto& known = resource.announced_;
    for (std::size_t i = 0; i < known.size(); ++i) {
        const auto same = [&](const auto& earlier) { return earlier.second == known[i].second; };
        if (std::none_of(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(i), same)) names_.insert(known[i].second, &resource);
    }
}

void IdIndex::remove(Resource& resource) {
    for (const auto& [id_hash, name_hash] : resource.announced_) {
        ids_.erase(id_hash, &resource);
        if (names_ready_) names_.erase(name_hash, &resource);
    }
    resource.announced_.clear();
}

void IdIndex::clear() {
    ids_.clear();
    names_.clear();
    names_ready_ = false;
}

} // namespace weber::kustomize
