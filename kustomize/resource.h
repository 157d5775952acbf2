// A Kubernetes object inside a build, with what kustomize remembers about it: its present id, every id it had before,
// the prefixes and suffixes it went through, and how its generator wants it merged.
//
// kustomize keeps this memory in `internal.config.kubernetes.io/*` annotations of the object; here it lives beside the object.
//
// Thread-safety: none; a build is one thread's work. Trees of distinct builds may share Nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/base/node.h"
#include "kustomize/gvk.h"

namespace weber::kustomize {

using kube::Text;

inline constexpr std::string_view kNonNamespaceable = "_non_namespaceable_"; // effective namespace of cluster-scoped objects
inline constexpr std::string_view kDefaultNamespace = "default";

// kustomize's resid.ResId. Two ids are equal when gvk, name and *effective* namespace are.
struct ResId {
    Gvk gvk;
    Text name;
    Text ns;                     // as written; may be empty
    bool cluster_scoped = false; // only current ids know this; earlier ids hold kNonNamespaceable in `ns` instead

    // Never empty: kNonNamespaceable, "default" for an empty namespace, or the namespace.
    [[nodiscard]] std::string_view effective_namespace() const;
    [[nodiscard]] bool in_default_namespace() const;
    // "Kind.version.group/name.namespace" with [noGrp], [noNs]… for what is empty, as in kustomize's messages.
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] std::size_t hash() const; // consistent with ==

    friend bool operator==(const ResId& a, const ResId& b);
    // Same gvk and name, whatever the namespace.
    [[nodiscard]] bool gvkn_equals(const ResId& o) const { return gvk == o.gvk && name == o.name; }
};

enum class Behavior : std::uint8_t { unspecified, create, replace, merge };
[[nodiscard]] std::string_view to_string(Behavior behavior);
[[nodiscard]] Behavior behavior_from(std::string_view text); // unknown text: unspecified

// The map under `key`, made when nothing is there; anything else that stands there gives way to it.
Node& map_under(Node& parent, std::string_view key);

class IdIndex; // of the set that holds a resource; see resource_set.h

class Resource {
public:
    explicit Resource(Node object);
    // A copy belongs to no set.
    Resource(const Resource& o);
    Resource& operator=(const Resource&) = delete;

    // ---- the object ---------------------------------------------------------------------------------
    [[nodiscard]] const Node& node() const { return node_; }
    // For changes that cannot touch apiVersion, kind, metadata.name and metadata.namespace.
    [[nodiscard]] Node& edit() { return node_; }
    // After an edit that may have touched them: reads the id again (cheap when nothing changed).
    void sync_id();
    // Replaces the whole object and syncs the id.
    void set_node(Node object);
    // A patch deleted the object ($patch: delete): it stays in its set, empty, until `drop_empties`.
    [[nodiscard]] bool empty() const { return node_.is_null() || (node_.is_map() && node_.empty()); }
    // Only this makes `drop_empties` look.
    void make_empty();

    // ---- ids ----------------------------------------------------------------------------------------
    [[nodiscard]] const ResId& cur_id() const { return cur_; }
    // The first id it had. References stay valid until the next change of this resource.
    [[nodiscard]] const ResId& org_id() const { return prev_.empty() ? cur_ : prev_.front(); }
    // Earlier ids, oldest first, with the *present* group and version (as kustomize computes them).
    [[nodiscard]] const std::vector<ResId>& prev_ids() const { return prev_; }
    // Remembers the current id as an earlier one. Every transform that may change name, namespace or kind calls this first.
    void store_previous_id();
    // Gives an earlier id directly (generators under a given name, tests).
    void add_previous_id(std::string_view ns, std::string_view name, std::string_view kind);

    [[nodiscard]] const Gvk& gvk() const { return cur_.gvk; }
    [[nodiscard]] std::string_view kind() const { return cur_.gvk.kind(); }
    [[nodiscard]] std::string_view name() const { return cur_.name; }
    [[nodiscard]] std::string_view ns() const { return cur_.ns; }
    void set_name(std::string_view name);
    void set_namespace(std::string_view ns); // "" removes the field
    void set_kind(std::string_view kind);
    void set_gvk(const Gvk& gvk);

    // ---- metadata -----------------------------------------------------------------------------------
    // Text of a label or annotation, "" when absent.
    [[nodiscard]] std::string_view annotation(std::string_view key) const;
    [[nodiscard]] std::string_view label(std::string_view key) const;
    void set_annotation(std::string_view key, std::string_view value);
    void erase_annotation(std::string_view key); // also removes an annotations map that became empty

    // ---- context for name references ----------------------------------------------------------------
    // Non-empty prefixes and suffixes in the order they were added (innermost first).
    [[nodiscard]] const std::vector<std::string>& prefixes() const { return prefixes_; }
    [[nodiscard]] const std::vector<std::string>& suffixes() const { return suffixes_; }
    void add_prefix(std::string_view prefix); // "" is ignored
    void add_suffix(std::string_view suffix);
    // kustomize's Resource.PrefixesSuffixesEquals: same ending sub-slices; `allow_empty`: an empty list matches anything.
    [[nodiscard]] bool prefixes_suffixes_equal(const Resource& o, bool allow_empty) const;

    // ---- generators ---------------------------------------------------------------------------------
    Behavior behavior = Behavior::unspecified;
    bool needs_hash = false;        // the root build appends a content hash to the name
    bool helm_generated = false;    // made by a chart: the namespace transform leaves it alone
    // ---- patches ------------------------------------------------------------------------------------
    bool allow_name_change = false; // set on a patch: it may rename its target
    bool allow_kind_change = false;
    // ---- vars ---------------------------------------------------------------------------------------
    std::vector<std::string> ref_var_names;
    // True once kustomize would have written a build annotation: removing those at the end turns all annotation values
    // into strings and drops an empty annotations map.
    bool had_build_annotations = false;

    // Where the object stood: file name and line of its first line ("" and 0 for generated objects).
    [[nodiscard]] Where where() const { return node_.where(); }
    // Position in its set: grows with every append, kept by replace and merge.
    [[nodiscard]] std::uint64_t order() const { return order_; }

    // Takes over metadata and memory of the object this generated one replaces or merges into
    // (kustomize: CopyMergeMetaDataFieldsFrom). Own labels and annotations win; name and namespace are `other`'s.
    void copy_merge_metadata_from(const Resource& other);

private:
    friend class ResourceSet;
    friend class IdIndex;
    void remember(); // sets had_build_annotations

    Node node_;
    ResId cur_;
    std::vector<ResId> prev_;
    std::vector<std::string> prefixes_, suffixes_;
    IdIndex* index_ = nullptr; // of the set that holds this resource
    std::vector<std::pair<std::size_t, std::size_t>> announced_; // hashes of ids and names the index knows
    std::uint64_t order_ = 0;
};

} // namespace weber::kustomize
