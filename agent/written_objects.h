// Objects of one kind as they are now: the informer's cache, or what this process wrote since. Without it a run would begin with a status older than its own.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "gitops/api/kustomization.h"
#include "kube/informer.h"

namespace weber::agent {

gitops::NamespacedName name_of(const Object& object);

// Holds what the cache does not know yet and nothing else: a fleet's objects are not kept twice. Thread-safe.
class WrittenObjects {
public:
    // `object`: the API server's answer to a write. `cache` (here and below): what `handler` was given to; null: not yet started, everything is kept.
    void wrote(const Object& object, const kube::Informer* cache);
    // nullopt: there is none.
    std::optional<Object> current(const kube::Informer* cache, const gitops::NamespacedName& name);
    // For the informer: lets go of what the cache holds by then. Must not outlive this.
    kube::InformerHandler handler();
    [[nodiscard]] std::size_t size() const; // objects that are kept

private:
    void seen(const Object& cached);

    mutable std::mutex mutex_; // guards written_
    std::map<gitops::NamespacedName, Object> written_;
};

} // namespace weber::agent
