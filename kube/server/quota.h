// ResourceQuotas: what objects use of them (the admission plugin), and the count that a controller keeps.
//
// Source: apiserver's admission/plugin/resourcequota and pkg/quota/v1/evaluator. Scopes of VolumeAttributesClasses and usage of ResourceClaims are not counted.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "kube/server/core.h"
#include "kube/server/limits.h"

namespace weber::kube::server {

// One write that quotas of its namespace have a say in. While it lives, no other such write passes; without quotas it is nothing.
class QuotaGate {
public:
    QuotaGate(Core& core, const Call& call, bool is_new);
    // 403 when the new or changed object (`live` null: new) would use more than a quota allows, or the quota is not counted yet.
    Api<void> check(const Node& obj, const Node& live);
    // Adds to the quotas' status.used what `check` found. After the object was stored.
    void charge();

private:
    struct Quota {
        std::string name;
        Resources more;
    };
    Core& core_;
    const Call& call_;
    std::unique_lock<std::mutex> lock_;
    std::vector<ObjectPtr> quotas_;
    std::vector<Quota> charges_;
};

// Counts again what the objects of its namespace use; the quota's status is written when it changed.
void count_quota(Core& core, std::string_view ns, std::string_view name);

} // namespace weber::kube::server
