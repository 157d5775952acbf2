#include "kube/server/snapshot.h"

#include <map>

namespace weber::kube::server {

std::optional<std::vector<ObjectPtr>> objects_at(const Store& store, std::string_view resource, std::string_view ns, std::uint64_t rv) {
    const auto page = store.list(resource, ns);
    store.wait_durable(page.rv); // events reach the log a moment after the objects can be read
    const auto log = store.events_after(resource, rv, SIZE_MAX);
    if (!log) return std::nullopt;
    std::map<std::pair<std::string, std::string>, ObjectPtr> objects;
    for (const auto& o : page.objects) objects.emplace(std::pair(o->ns, o->name), o);
    for (auto it = log->events.rbegin(); it != log->events.rend(); ++it) { // undone, the newest first
        const StoredObject& o = *it->object;
        if (it->rv > page.rv || (!ns.empty() && o.ns != ns)) continue;
        if (it->previous)
            objects[{o.ns, o.name}] = it->previous;
        else
            objects.erase({o.ns, o.name});
    }
    std::vector<ObjectPtr> out;
    for (auto& [key, o] : objects) out.push_back(std::move(o));
    return out;
}

} // namespace weber::kube::server
