// Values seen through a schema: the operations that server-side apply is made of. Behaviour of structured-merge-diff's typed package
// (spec apply.md section 11).
//
// Pure and thread-safe. Pointers may be null where a value may be absent; schemas must outlive the call.
#pragma once

#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/schema.h"
#include "kube/merge/field_set.h"

namespace weber::kube::merge {

struct ValidateOptions {
    bool allow_duplicates = false; // repeated keys in associative lists (live objects may hold them)
    bool mask_values = false;      // error texts do not quote values (Secrets)
};

// Every mismatch between `value` and `schema`: ".spec.foo: field not declared in schema". Empty = fits.
std::vector<std::string> check(const Node& value, const TypeSchema& schema, const ValidateOptions& options = {});

// The mismatches as one text, as structured-merge-diff prints them: alone, or "errors:\n  …\n  …".
std::string join_mismatches(const std::vector<std::string>& mismatches);

// Which paths `value` sets.
FieldSet field_set_of(const Node& value, const TypeSchema& schema);

// `live` with `applied` laid over it: maps and objects by key, associative lists by item (the order of `applied` wins), all else replaced.
// Errors: invalid, when associative lists of `applied` have repeated or unusable keys.
Result<Node> merge_values(const Node& live, const Node& applied, const TypeSchema& schema);

struct Comparison {
    FieldSet added;
    FieldSet modified;
    FieldSet removed;
    [[nodiscard]] bool same() const { return added.empty() && modified.empty() && removed.empty(); }
};
// What changed from `before` to `after`; null stands for no object.
Comparison compare_values(const Node& before, const Node& after, const TypeSchema& schema);

// `value` without what `paths` name. A map or list below that becomes empty is null then.
Node remove_fields(const Node& value, const FieldSet& paths, const TypeSchema& schema);

// `set` plus each declared field that a path of it runs through: {a.b.c} gains a when `a` is a field of an object (not a key of a map).
FieldSet with_named_fields(const FieldSet& set, const TypeSchema& schema);

} // namespace weber::kube::merge
