// The objects of a build: order kept, found by id in constant time (kustomize's ResMap).
//
// The index keeps itself current: a Resource tells it about every new id (`Resource::sync_id`, `set_name`, …).
//
// Thread-safety: none; a build is one thread's work.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// A Selector with its regular expressions compiled and its label selectors parsed: make it once, match many.
class CompiledSelector {
public:
    static Result<CompiledSelector> compile(const Selector& selector);
    CompiledSelector(CompiledSelector&&) noexcept;
    CompiledSelector& operator=(CompiledSelector&&) noexcept;
    ~CompiledSelector();

    [[nodiscard]] bool match_gvk(const Gvk& gvk) const;
    [[nodiscard]] bool match_name(std::string_view name) const;
    [[nodiscard]] bool match_namespace(std::string_view ns) const;
    [[nodiscard]] bool match_labels(const Node& object) const;      // metadata.labels against label_selector
    [[nodiscard]] bool match_annotations(const Node& object) const; // metadata.annotations against annotation_selector
    // All of gvk, name and the namespace of an id, as replacements' select and reject compare them (`ns` as written).
    [[nodiscard]] bool match_id(const ResId& id) const {
        return match_gvk(id.gvk) && match_name(id.name) && match_namespace(id.ns);
    }
    // As ResMap.Select: original or current (effective) namespace, original or current name, current gvk, both selectors.
    [[nodiscard]] bool match(const Resource& resource) const;
    // The name, when only this literal name can match; "" otherwise.
    [[nodiscard]] std::string_view literal_name() const;
    [[nodiscard]] const Selector& source() const;

private:
    struct Impl;
    explicit CompiledSelector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

class ResourceSet {
public:
    using List = std::vector<std::unique_ptr<Resource>>;

    ResourceSet();
    ResourceSet(ResourceSet&&) noexcept;
    ResourceSet& operator=(ResourceSet&&) noexcept;
    ResourceSet(const ResourceSet&) = delete;
    ResourceSet& operator=(const ResourceSet&) = delete;
    ~ResourceSet();

    // In order. Pointers to resources stay valid until that resource is removed, or its set destroyed.
    [[nodiscard]] const List& all() const { return list_; }
    [[nodiscard]] std::size_t size() const { return list_.size(); }

    // ---- adding -------------------------------------------------------------------------------------
    // Fails with kustomize's "may not add resource with an already registered id: …" when the current id is taken.
    Result<void> append(std::unique_ptr<Resource> resource);
    Result<void> append_all(ResourceSet&& other);
    // No check: for callers that know.
    Resource& append_unchecked(std::unique_ptr<Resource> resource);
    // Adds generated resources by their behavior: create (or unspecified) appends, merge and replace need exactly one
    // resource with that id, present or earlier. kustomize's error texts.
    Result<void> absorb_all(ResourceSet&& generated);

    // ---- finding ------------------------------------------------------------------------------------
    // In order of the list. `any`: current or earlier ids; empty resources are skipped there, as kustomize does.
    [[nodiscard]] std::vector<Resource*> matching_current(const ResId& id) const;
    [[nodiscard]] std::vector<Resource*> matching_any(const ResId& id) const;
    // As above, whatever the namespace (vars).
    [[nodiscard]] std::vector<Resource*> matching_any_gvkn(const ResId& id) const;
    // Any resource with this name, present or earlier (in order). Cheap.
    [[nodiscard]] std::vector<Resource*> with_name(std::string_view name) const;
    // Exactly one resource by current or earlier id. Fails with kustomize's "no matches for Id …; failed to find unique
    // target for patch …" or "multiple matches for Id …".
    [[nodiscard]] Result<Resource*> get_by_id(const ResId& id) const;
    // Resources a Selector selects, in order (ResMap.Select).
    [[nodiscard]] Result<std::vector<Resource*>> select(const Selector& selector) const;
    [[nodiscard]] std::vector<Resource*> select(const CompiledSelector& selector) const;

    // ---- changing -----------------------------------------------------------------------------------
    // Takes out what `make_empty` emptied. Free when nothing was.
    void drop_empties();
    // Fails like append when two resources have come to share a current id (kustomize rebuilds its list after patches).
    [[nodiscard]] Result<void> check_unique() const;
    // Keeps those for which `keep` is true.
    template <class Keep>
    void retain(Keep keep) {
        std::erase_if(list_, [&](const std::unique_ptr<Resource>& r) {
            if (keep(*r)) return false;
            forget(*r);
            return true;
        });
    }
    // Reorders; `sorted` must hold exactly the pointers of all().
    void reorder(const std::vector<Resource*>& sorted);
    void clear();
    // Hands all resources out; the set is empty afterwards.
    List take();

private:
    void forget(Resource& resource);
    Result<void> append_replace_or_merge(std::unique_ptr<Resource> resource);

    List list_;
    std::unique_ptr<IdIndex> index_;
    std::uint64_t next_order_ = 1;
};

} // namespace weber::kustomize
