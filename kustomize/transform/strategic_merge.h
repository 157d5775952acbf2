// Strategic merge of one tree into another, exactly as kyaml's merge2 does it for kustomize: lists of known types merge by
// their keys with new elements first, null deletes, `$patch: delete|replace|merge` on maps, list elements and lists.
//
// Pure and thread-safe.
#pragma once

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/transform/merge_schema.h"

namespace weber::kustomize {

// Merges `patch` into `object`; an object that the patch deletes becomes null. `patch` is used up.
// Types come from apiVersion and kind of the object, and of objects embedded in it.
// Errors: ErrorCode::invalid for values of different kinds ("wrong node kind: …") and unknown `$patch` values.
//
// Source: kyaml yaml/merge2, yaml/walk, yaml/schema. Known oddities are kept: an element without its merge key swallows those
// before it; `$patch: replace` on a list element that exists does nothing; a number that replaces a quoted string stays quoted.
Result<void> strategic_merge(Node& object, Node patch, const MergeSchema& schema);

} // namespace weber::kustomize
