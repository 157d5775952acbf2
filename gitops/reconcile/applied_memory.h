// Which objects are still as an apply left them, told from their metadata alone: what lets an agent with metadata-only watches skip the dry run
// and the read of everything that neither the source nor anybody in the cluster touched.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "kube/base/object.h"
#include "kube/client.h"

namespace weber::gitops {

// What the caller's watches hold of an object, its metadata at least; nullopt: not there, or not watched.
using LiveView = std::function<std::optional<Object>(const kube::ObjectRef& ref)>;

// Thread-safe. Some 60 bytes an object.
class AppliedMemory {
public:
    // `desired` is what was applied or checked, `live` the whole object as the server answered. `rules`: a hash of the settings by which they were found
    // equal (ignore rules, managers to take over).
    void record(const Object& desired, const Object& live, std::size_t rules);
    void forget(const kube::ObjectKey& key);

    struct Settled {
        bool current = false; // the object was Current when it was recorded
    };
    // `desired` is what was recorded, and `live` shows the same uid, labels, annotations, generation and managed fields (status left out) as then.
    // Objects without a generation, which have no status either, must have the same resourceVersion.
    [[nodiscard]] std::optional<Settled> settled(const Object& desired, const Object& live, std::size_t rules) const;

private:
    struct Entry {
        std::size_t desired = 0, rules = 0, live = 0; // hashes
        bool current = false;
    };
    mutable std::mutex mutex_;
    std::unordered_map<std::size_t, Entry> entries_; // by hash of the key; `desired` holds the key as well
};

} // namespace weber::gitops
