// Group, version and kind of an object, interned: a Gvk is one pointer, equality is a pointer comparison.
//
// Thread-safety: `Gvk::of` may be called from any thread; a Gvk is an immutable value.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace weber::kustomize {

// One interned group/version/kind. Lives until the process ends; there are as many as distinct kinds were read.
struct GvkInfo {
    std::string group;
    std::string version;
    std::string kind;
    std::string api_version;     // "group/version", or "version" for the core group
    bool cluster_scoped = false; // known for certain to be cluster scoped (unknown kinds are not), as kustomize's openapi says
    bool scope_known = false;    // by kustomize's short table, without its OpenAPI schema
};

class Gvk {
public:
    Gvk(); // all parts empty
    // `api_version` as it stands in an object ("apps/v1", "v1", "").
    static Gvk of(std::string_view api_version, std::string_view kind);
    static Gvk of(std::string_view group, std::string_view version, std::string_view kind);

    [[nodiscard]] const std::string& group() const { return info_->group; }
    [[nodiscard]] const std::string& version() const { return info_->version; }
    [[nodiscard]] const std::string& kind() const { return info_->kind; }
    [[nodiscard]] const std::string& api_version() const { return info_->api_version; }
    [[nodiscard]] bool cluster_scoped() const { return info_->cluster_scoped; }
    [[nodiscard]] bool scope_known() const { return info_->scope_known; }
    // Stable for the life of the process: a cheap key for per-kind caches.
    [[nodiscard]] const GvkInfo* info() const { return info_; }

    // "Kind.version.group" with [noKind], [noVer], [noGrp] for what is empty, as kustomize prints it.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const Gvk& a, const Gvk& b) { return a.info_ == b.info_; }

private:
    explicit Gvk(const GvkInfo* info) : info_(info) {}
    const GvkInfo* info_;
};

// A group/version/kind in which an empty part means "any". Compared literally (field specs, replicas, references).
struct GvkPattern {
    std::string group;
    std::string version;
    std::string kind;

    [[nodiscard]] bool selects(const Gvk& gvk) const {
        return (kind.empty() || kind == gvk.kind()) && (group.empty() || group == gvk.group()) &&
               (version.empty() || version == gvk.version());
    }
    // Does a pattern, seen as a literal gvk, lie within this one (kustomize: x.IsSelected(&this))?
    [[nodiscard]] bool selects(const GvkPattern& x) const {
        return (kind.empty() || kind == x.kind) && (group.empty() || group == x.group) &&
               (version.empty() || version == x.version);
    }
    // "Kind.version.group" with [noKind], [noVer], [noGrp], as kustomize prints it.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const GvkPattern&, const GvkPattern&) = default;
};

// Order of kinds inside transformer configurations (kyaml Gvk.IsLessThan): known kinds first, then text. Keys compare in that order.
using GvkOrderKey = std::pair<int, std::string>;
[[nodiscard]] GvkOrderKey gvk_order_key(const GvkPattern& gvk);

} // namespace weber::kustomize

template <>
struct std::hash<weber::kustomize::Gvk> {
    std::size_t operator()(const weber::kustomize::Gvk& g) const noexcept {
        return std::hash<const void*>{}(g.info());
    }
};
