// What strategic merge must know of types: which lists merge, by which keys. Facts of the OpenAPI schema kustomize 5.8 carries
// (Kubernetes 1.21), or of one the user names in `openapi`.
//
// Thread-safety: immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

struct SchemaTables;

// A type within a schema; 0 means that nothing is known.
using SchemaType = std::uint16_t;

class MergeSchema {
public:
    static const MergeSchema& builtin();
    // From an OpenAPI document (`definitions` with x-kubernetes-group-version-kind); kinds it lacks are the built-in schema's when
    // that is asked for, else unknown. Errors: invalid, too_large.
    static Result<MergeSchema> from_openapi(const Node& document, bool over_builtin = false);

    MergeSchema(MergeSchema&&) noexcept;
    MergeSchema& operator=(MergeSchema&&) noexcept;
    ~MergeSchema();

    [[nodiscard]] SchemaType of(std::string_view api_version, std::string_view kind) const;
    // Type of a map's field (its own, or that of any value of a map type), and of a list's elements.
    [[nodiscard]] SchemaType field(SchemaType type, std::string_view name) const;
    [[nodiscard]] SchemaType elements(SchemaType type) const;
    // Is it a list that strategic merge merges? Then by these keys; none: a set of scalars.
    [[nodiscard]] bool merges(SchemaType type) const;
    [[nodiscard]] std::span<const std::string_view> keys(SchemaType type) const;

private:
    struct Owned;
    explicit MergeSchema(const SchemaTables& tables);
    explicit MergeSchema(std::unique_ptr<Owned> owned);
    // The built-in schema's name of a type that lies under this one; 0: it is our own.
    [[nodiscard]] SchemaType beneath(SchemaType type) const;
    [[nodiscard]] SchemaType lifted(SchemaType type) const;
    const SchemaTables* tables_;
    std::unique_ptr<Owned> owned_; // null for the built-in one
    bool over_builtin_ = false;
};

} // namespace weber::kustomize
