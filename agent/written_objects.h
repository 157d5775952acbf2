// Objects of one kind as they are now: the informer's cache, or what this process wrote since. Without it a run would begin with a status older than its own.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "gitops/api/kustomization.h"
#include "kube/informer.h"

namespace weber::agent {

// "10" < "9" by value: resourceVersions of one server are ordered numbers. Texts that are no numbers are never older.
bool is_older(const std::string& resource_version, const std::string& than);

gitops::NamespacedName name_of(const Object& object);

// Thread-safe.
class WrittenObjects {
public:
    void wrote(const Object& object);
    // nullopt: there is none. `cache` may be null.
    std::optional<Object> current(const kube::Informer* cache, const gitops::NamespacedName& name);

private:
    std::mutex mutex_; // guards written_
    std::map<gitops::NamespacedName, Object> written_;
};

} // namespace weber::agent
