// Finds resources of one set by id or by name in constant time. Private to resource.cpp and resource_set.cpp.
//
// Entries are hints: every id and name a resource ever announced leads to it, and a reader checks whether the resource
// still has it. So nothing needs to be taken out when an id changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "kustomize/resource.h"

namespace weber::kustomize {

// Hash → resources. Many may share one: all overlays of a base have its objects' first ids. A pair must be inserted once.
class HintTable {
public:
    void insert(std::size_t hash, Resource* resource);
    void erase(std::size_t hash, const Resource* resource);
    void clear();

    // Calls f(Resource*) for each resource under the hash, in the order of their insertion, until it returns true; says whether one did.
    template <class F>
    bool any(std::size_t hash, F f) const {
        if (slots_.empty()) return false;
        const Slot& slot = slots_[find(hash)];
        for (std::uint32_t i = slot.first; i != kEnd; i = links_[i].next)
            if (f(links_[i].resource)) return true;
        return false;
    }

private:
    static constexpr std::uint32_t kEnd = 0xffffffff;
    struct Slot { // open addressing; free: no link ever
        std::size_t hash = 0;
        std::uint32_t first = kEnd, last = kEnd;
        bool used = false;
    };
    struct Link {
        Resource* resource = nullptr;
        std::uint32_t next = kEnd;
    };
    // The slot of the hash, or the free one where it belongs.
    [[nodiscard]] std::size_t find(std::size_t hash) const {
        std::size_t i = hash & (slots_.size() - 1);
        while (slots_[i].used && slots_[i].hash != hash) i = (i + 1) & (slots_.size() - 1);
        return i;
    }
    void grow();

    std::vector<Slot> slots_; // a power of two
    std::size_t used_ = 0;
    std::vector<Link> links_;
};

class IdIndex {
public:
    // The resource's current id and all earlier ones.
    void add_all(Resource& resource);
    // One id that the resource has or had.
    void add(Resource& resource, const ResId& id);
    // Drops every entry that leads to the resource.
    void remove(Resource& resource);
    void clear();

    template <class F>
    bool any_with_id(const ResId& id, F f) const {
        return ids_.any(id.hash(), f);
    }
    // Only after need_names().
    template <class F>
    bool any_with_name(std::string_view name, F f) const {
        return names_.any(hash_of(name), f);
    }
    // The name table is filled at its first use: most builds never look by name.
    template <class Resources>
    void need_names(const Resources& all) {
        if (names_ready_) return;
        names_ready_ = true;
        for (const auto& r : all) add_names(*r);
    }

    // A resource of the set became empty; says so once.
    void note_empty() { has_empties_ = true; }
    bool take_empties() { return std::exchange(has_empties_, false); }

private:
    static std::size_t hash_of(std::string_view name);
    void add_names(Resource& resource);

    HintTable ids_, names_;
    bool names_ready_ = false;
    bool has_empties_ = false;
};

} // namespace weber::kustomize
