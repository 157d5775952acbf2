#include "kustomize/id_index.h"

#include <functional>
#include <utility>

namespace weber::kustomize {

// ---- HintTable --------------------------------------------------------------------------------------------------

void HintTable::insert(std::size_t hash, Resource* resource) {
    if ((filled_ + 1) * 4 > slots_.size() * 3) grow();
    std::size_t i = hash & mask();
    for (; slots_[i].state != State::free; i = (i + 1) & mask())
        if (slots_[i].state == State::used && slots_[i].hash == hash && slots_[i].resource == resource) return;
    slots_[i] = Slot{hash, resource, State::used};
    ++filled_;
}

void HintTable::erase(std::size_t hash, const Resource* resource) {
    if (slots_.empty()) return;
    for (std::size_t i = hash & mask(); slots_[i].state != State::free; i = (i + 1) & mask()) {
        if (slots_[i].state == State::used && slots_[i].hash == hash && slots_[i].resource == resource) {
            slots_[i] = Slot{0, nullptr, State::erased};
            return;
        }
    }
}

void HintTable::clear() {
    slots_.clear();
    filled_ = 0;
}

void HintTable::grow() {
    std::size_t used = 0;
    for (const Slot& slot : slots_) used += slot.state == State::used;
    std::size_t size = 16;
    while (size < (used + 1) * 2) size *= 2;
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
    filled_ = 0;
    for (const Slot& slot : old) {
        if (slot.state != State::used) continue;
        std::size_t i = slot.hash & mask();
        while (slots_[i].state != State::free) i = (i + 1) & mask();
        slots_[i] = slot;
        ++filled_;
    }
}

// ---- IdIndex ----------------------------------------------------------------------------------------------------

std::size_t IdIndex::hash_of(std::string_view name) { return std::hash<std::string_view>{}(name); }

void IdIndex::add(Resource& resource, const ResId& id) {
    std::size_t id_hash = id.hash(), name_hash = hash_of(id.name);
    resource.announced_.emplace_back(id_hash, name_hash);
    ids_.insert(id_hash, &resource);
    if (names_ready_) names_.insert(name_hash, &resource);
}

void IdIndex::add_all(Resource& resource) {
    add(resource, resource.cur_id());
    for (const ResId& id : resource.prev_ids()) add(resource, id);
}

void IdIndex::add_names(Resource& resource) {
    for (const auto& [id_hash, name_hash] : resource.announced_) names_.insert(name_hash, &resource);
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
