// The line of the field that an API server refused.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

#include "kube/base/error.h"
#include "kube/base/object.h"

namespace weber::gitops {

// Of the node at `path` as API servers write it (`spec.ports[0].port`, `.spec.containers[name="a"].image`), or of the nearest one above it that
// knows its file; an empty Where when none does.
Where field_place(const Object& object, std::string_view path);

// Of the first field that `refusal` speaks of, by its causes or, for errors of type, by its text; of the object when it names none.
Where refused_place(const Object& object, const Error& refusal);

} // namespace weber::gitops
