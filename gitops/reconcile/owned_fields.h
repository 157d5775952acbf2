// What our field manager holds of an object, as one number: it changes when somebody changes, removes or takes over a field that we applied, and stays
// when others write theirs (status, defaults, annotations of controllers).
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kube/base/object.h"

namespace weber::gitops {

// Over the entry of kustomize-controller/Apply (apply.md 11.2) and the values under it, and the names of managers whose fields the next apply takes
// over: kubectl's and `others` (as of takeover.h). 0: no such entry, so nothing of the object is ours.
std::size_t owned_hash(const Object& live, std::span<const std::string> others = {});
// The same, but who only set labels or annotations that tell Flux what to do (`kustomize.toolkit.fluxcd.io/prune` …) does not count. An apply takes such marks
// away; until there is one for another reason they hold. `owned`: the object's owned_hash, which is the answer, without hashing again, where nobody did.
std::size_t owned_hash_but_marks(const Object& live, std::size_t owned, std::span<const std::string> others = {});

// The entry speaks of the fields of another API version than the object is shown in: its hash here says nothing about its hash there.
bool owned_in_other_version(const Object& live);

} // namespace weber::gitops
