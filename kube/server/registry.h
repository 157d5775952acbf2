// Which resources the server serves: the built-in ones and those of established CRDs. Immutable snapshots; a change makes a new one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"
#include "kube/base/schema.h"

namespace weber::kube::server {

struct PrinterColumn {
    std::string name, type, format, description, json_path;
    int priority = 0;
};

struct SubresourceInfo {
    std::string kind;
    std::set<std::string> verbs;
};

// One version of a resource.
struct VersionInfo {
    std::string name;
    std::string api_version;             // "v1", "apps/v1"
    bool storage = false;
    bool served = true;
    std::map<std::string, SubresourceInfo, std::less<>> subresources; // "status", "scale", "finalize", …
    // Custom resources only:
    Node open_api;                       // openAPIV3Schema
    std::vector<PrinterColumn> columns;  // additionalPrinterColumns
    std::string scale_spec, scale_status, scale_selector; // JSON paths of the scale subresource
    std::vector<std::string> selectable; // JSON paths usable in field selectors
    bool deprecated = false;
    std::string deprecation_warning;
    const TypeSchema* schema = nullptr;          // for merging and pruning; never null once registered
    std::shared_ptr<const void> schema_owner;    // custom resources: keeps `schema` alive
};

struct ResourceInfo {
    std::string group, plural, singular, kind, list_kind;
    bool namespaced = true;
    bool custom = false;
    std::string crd_name; // custom: the CRD's name
    std::vector<std::string> short_names, categories;
    std::set<std::string> verbs; // get list watch create update patch delete deletecollection
    std::vector<VersionInfo> versions; // served, by preference

    std::string store_id; // key in the store; "" = group/plural (events.k8s.io shares the core group's events)
    [[nodiscard]] std::string id() const { return store_id.empty() ? group + "/" + plural : store_id; }
    [[nodiscard]] const VersionInfo* version(std::string_view name) const;
    [[nodiscard]] const VersionInfo& storage_version() const;
};
using ResourcePtr = std::shared_ptr<const ResourceInfo>;

class Registry {
public:
    // The built-in resources alone (facts of kube/base/schema.h).
    static std::shared_ptr<const Registry> built_in();
    // A copy with these custom resources instead of its own (one per CRD).
    [[nodiscard]] std::shared_ptr<const Registry> with_custom(std::vector<ResourcePtr> custom) const;

    // By URL; null when not served.
    [[nodiscard]] ResourcePtr find(std::string_view group, std::string_view version, std::string_view plural) const;
    [[nodiscard]] ResourcePtr find_id(std::string_view id) const;   // "group/plural", any version
    [[nodiscard]] ResourcePtr find_kind(std::string_view group, std::string_view kind) const;
    [[nodiscard]] bool has_group(std::string_view group) const;
    [[nodiscard]] bool custom_group(std::string_view group) const; // no built-in resource is in it
    [[nodiscard]] bool has_version(std::string_view group, std::string_view version) const;

    struct Group {
        std::string name;
        std::vector<std::string> versions; // preferred first
        std::vector<ResourcePtr> resources;
    };
    // In the order of discovery; the core group first.
    [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

private:
    void finish();
    std::vector<ResourcePtr> builtin_, custom_;
    std::vector<Group> groups_;
    std::map<std::string, ResourcePtr, std::less<>> by_id_;
    std::uint64_t generation_ = 0;
};
using RegistryPtr = std::shared_ptr<const Registry>;

// Orders "v1" before "v2beta1" … as Kubernetes does: GA first, then by number, newest first. True when a comes before b.
bool version_before(std::string_view a, std::string_view b);

} // namespace weber::kube::server
