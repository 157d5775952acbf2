#include "kube/server/scale_owners.h"

#include <algorithm>
#include <span>

namespace weber::kube::server {
namespace {

using merge::FieldSet;
using merge::ManagedEntry;

const std::vector<std::string> kReplicas{"spec", "replicas"}; // in a Scale

Node nested(std::span<const std::string> keys) {
    return keys.empty() ? Node::map() : Node::map({{Text("f:" + keys.front()), nested(keys.subspan(1))}});
}
FieldSet only(const std::vector<std::string>& keys) { return FieldSet(nested(keys)); }

bool owns(const ManagedEntry& e, const std::vector<std::string>& keys) { return !keys.empty() && !intersect(e.fields, only(keys)).empty(); }

const ReplicasPath* path_of(const std::vector<ReplicasPath>& paths, std::string_view api_version) {
    const auto it = std::ranges::find(paths, api_version, &ReplicasPath::api_version);
    return it == paths.end() ? nullptr : &*it;
}

auto same(std::vector<ManagedEntry>& entries, const ManagedEntry& who) {
    return std::ranges::find_if(entries, [&](const ManagedEntry& e) { return e.same_owner(who); });
}

} // namespace

std::vector<ManagedEntry> scale_owners(const Node& object, const std::vector<ReplicasPath>& paths) {
    std::vector<ManagedEntry> out;
    for (ManagedEntry& e : merge::read_managed_fields(object)) {
        const ReplicasPath* path = path_of(paths, e.api_version);
        if (path == nullptr || !owns(e, path->keys)) continue;
        e.api_version = "autoscaling/v1";
        e.fields = only(kReplicas);
        out.push_back(std::move(e));
    }
    return out;
}

std::vector<ManagedEntry> object_owners(const Node& object, const Node& scale, const std::vector<ReplicasPath>& paths, std::string_view api_version) {
    std::vector<ManagedEntry> out, now = merge::read_managed_fields(scale);
    for (ManagedEntry& e : merge::read_managed_fields(object)) {
        const ReplicasPath* path = path_of(paths, e.api_version);
        if (path == nullptr) continue;
        if (owns(e, path->keys)) {
            if (const auto kept = same(now, e); kept != now.end())
                now.erase(kept);
            else
                e.fields = subtract(e.fields, only(path->keys));
        }
        out.push_back(std::move(e));
    }
    for (ManagedEntry& e : now) {
        if (!owns(e, kReplicas)) continue;
        e.time.clear();
        if (const auto there = same(out, e); there != out.end()) { // its other fields are forgotten, as the real server forgets them
            e.time = there->time;
            out.erase(there);
        }
        e.api_version = api_version;
        e.fields = only(path_of(paths, api_version)->keys);
        out.push_back(std::move(e));
    }
    return out;
}

} // namespace weber::kube::server
