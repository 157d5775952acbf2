#include <map>

#include "kube/server/addresses.h"
#include "kube/server/quantity.h"
#include "kube/server/validate_rules.h"
#include "kube/server/warnings_parts.h"

namespace weber::kube::server {
void ip_warnings(const std::string& path, std::string_view value, Warnings& out) {
    if (const auto right = canonical_ip(value); right && *right != value)
        out.push_back(path + ": IPv6 address " + quoted(value) + " should be in RFC 5952 canonical format (" + quoted(*right) + ")");
}

void cidr_warnings(const std::string& path, std::string_view value, Warnings& out) {
    if (const auto right = canonical_cidr(value); right && *right != value)
        out.push_back(path + ": IPv6 CIDR value " + quoted(value) + " should be in RFC 5952 canonical format (" + quoted(*right) + ")");
}

std::string_view deprecated_node_label(std::string_view key) {
    static const std::map<std::string_view, std::string_view> kLabels{
        {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
        {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
        {"failure-domain.beta.kubernetes.io/region", "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
        {"failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
        {"beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
        {"app.kubernetes.io/created-by", "deprecated since v1.9"},
        {"scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"},
        {"node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"}};
    const auto it = kLabels.find(key);
    return it == kLabels.end() ? std::string_view() : it->second;
}

void node_term_warnings(const std::string& path, const Node& term, bool check_values, Warnings& out) {
    std::size_t i = 0;
    for (const Node& e : child(term, "matchExpressions").items()) {
        const std::string here = at(path + ".matchExpressions", i++), key(e.text_at("key"));
        if (const auto why = deprecated_node_label(key); !why.empty()) out.push_back(here + ".key: " + key + " is " + std::string(why));
        std::size_t n = 0;
        if (!check_values) continue;
        for (const Node& v : child(e, "values").items()) {
            const std::string place = at(here + ".values", n++);
            for (const auto& why : label_value(v.text())) out.push_back(place + ": " + std::string(v.text()) + " is invalid, " + why);
        }
    }
}

void fractional_bytes(const std::string& path, const Node& resources, std::string_view name, Warnings& out) {
    constexpr __int128 kWhole = 1'000'000'000, kMilli = 1'000'000; // MilliValue rounds up
    const Node* value = resources.find(name);
    const auto quantity = value != nullptr ? parse_quantity(value->text()) : std::nullopt;
    if (!quantity || ((quantity->nanos + kMilli - 1) / kMilli * kMilli) % kWhole == 0) return;
    out.push_back(key_of(path, name) + ": fractional byte value " + quoted(to_string(*quantity)) + " is invalid, must be an integer");
}

void claim_warnings(const std::string& path, const Node& spec, Warnings& out) {
    for (const std::string side : {"requests", "limits"})
        fractional_bytes(path + ".resources." + side, child(child(spec, "resources"), side), "storage", out);
}

} // namespace weber::kube::server
