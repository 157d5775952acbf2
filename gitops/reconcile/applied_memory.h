// Which objects are still as an apply left them, told from what the caller's watches keep: an agent skips the dry run and the read of everything that neither
// the source nor anybody in the cluster touched.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "kube/base/object.h"
#include "kube/client.h"

namespace weber::gitops {

// A live object as a watch last showed it.
struct LiveMark {
    std::string uid = {};
    std::string resource_version = {};
    std::size_t owned = 0; // owned_hash
    bool current = false;  // kstatus
};
// nullopt: not there, or not watched.
using LiveView = std::function<std::optional<LiveMark>(const kube::ObjectRef& ref)>;

// Thread-safe. Some 80 bytes an object.
class AppliedMemory {
public:
    // `desired` is what was applied or checked, `live` the object as the server answered, `owned` its owned_hash. `rules`: a hash of the settings by which they
    // were found equal (ignore rules, managers to take over).
    void record(const Object& desired, const Object& live, std::size_t owned, std::size_t rules);
    void forget(const kube::ObjectKey& key);

    // The key of the live object, when `desired` and `rules` are what was recorded and `live` has the same uid and owned hash as then.
    [[nodiscard]] std::optional<kube::ObjectKey> settled(const Object& desired, const LiveMark& live, std::size_t rules) const;

private:
    struct Entry {
        std::size_t desired = 0, rules = 0, uid = 0, owned = 0; // hashes
        bool cluster_scoped = false;                            // the server drops a namespace
    };
    mutable std::mutex mutex_;
    std::unordered_map<std::size_t, Entry> entries_; // by hash of the desired key; `desired` covers the key itself
};

} // namespace weber::gitops
