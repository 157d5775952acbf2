// The kinds of Flux: their names on the command line, in messages and in the API.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/object_key.h"

namespace weber::agent {

// What a table shows besides NAME, READY and MESSAGE.
enum class Columns : std::uint8_t { revision, plain, no_suspend, image_repository, image_policy, image_update, external };

struct FluxKind {
    std::string_view group, kind;
    std::string_view parent;                // "sources", "images" …: the word before it in `get`; "" = none
    std::vector<std::string_view> words;    // in `get`: "kustomizations", "kustomization", "ks"
    std::string_view human;                 // "source git"
    Columns columns = Columns::revision;

    // Without a version: the one the server prefers.
    [[nodiscard]] kube::GroupVersionKind gvk() const { return {std::string(group), "", std::string(kind)}; }
};

// In the order of `get all`.
std::span<const FluxKind> flux_kinds();

// By kind, without regard to case; null when it is none of Flux's.
const FluxKind* flux_kind(std::string_view kind);

} // namespace weber::agent
