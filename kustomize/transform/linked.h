// Scalars of one object that change together.
//
// A label or annotation that kustomize adds in several places of an object is one node there: whatever later writes into one of these places
// (a replacement, a patch, another label) changes them all, until a JSON patch makes the object anew.
// Source: kustomize filtersutil.SetEntry, kyaml FieldSetter.Filter.
//
// Pure; next_link is thread-safe.
#pragma once

#include <cstdint>

#include "kube/base/node.h"

namespace weber::kustomize {

// A number that no node has yet.
std::uint32_t next_link();

// Gives all scalars of `object` that carry `link` the value of `now`; nothing when `link` is 0.
void update_linked(Node& object, std::uint32_t link, const Node& now);

// Takes the links out of a tree that is put elsewhere.
void unlink(Node& tree);

} // namespace weber::kustomize
