// Names of things in a cluster: group, version, kind, namespace, name.
//
// Values; thread-safe as such.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::kube {

struct GroupVersion {
    std::string group; // "" = core
    std::string version;

    // "v1" or "apps/v1".
    [[nodiscard]] std::string to_string() const;
    // Splits at the only slash; more than one slash is an error (`unexpected GroupVersion string: …`).
    static Result<GroupVersion> parse(std::string_view api_version);
    auto operator<=>(const GroupVersion&) const = default;
};

struct GroupKind {
    std::string group;
    std::string kind;
    // "Deployment.apps", "ConfigMap" – as apimachinery prints it.
    [[nodiscard]] std::string to_string() const;
    auto operator<=>(const GroupKind&) const = default;
};

struct GroupVersionKind {
    std::string group;
    std::string version;
    std::string kind;
    [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
    [[nodiscard]] GroupKind group_kind() const { return {group, kind}; }
    auto operator<=>(const GroupVersionKind&) const = default;
};

// Identity of an object independent of its API version.
struct ObjectKey {
    std::string group;
    std::string kind;
    std::string ns; // "" = cluster-scoped
    std::string name;

    // "Kind/namespace/name" or "Kind/name": the subject in Flux's messages and events (`apply.md` 7.2).
    [[nodiscard]] std::string subject() const;
    // "namespace_name_group_kind", `:` in RBAC names as `__`: the inventory id (`apply.md` 8).
    [[nodiscard]] std::string inventory_id() const;
    static Result<ObjectKey> from_inventory_id(std::string_view id);
    [[nodiscard]] GroupKind group_kind() const { return {group, kind}; }
    auto operator<=>(const ObjectKey&) const = default;
};

} // namespace weber::kube

template <>
struct std::hash<weber::kube::ObjectKey> {
    std::size_t operator()(const weber::kube::ObjectKey& k) const noexcept;
};
template <>
struct std::hash<weber::kube::GroupVersionKind> {
    std::size_t operator()(const weber::kube::GroupVersionKind& k) const noexcept;
};
template <>
struct std::hash<weber::kube::GroupKind> {
    std::size_t operator()(const weber::kube::GroupKind& k) const noexcept;
};
