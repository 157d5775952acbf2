// Writing one of Flux's objects, or a Secret for it, as `create` does: made when it is not there, else its content and labels replaced.
#pragma once

#include "agent/flux/session.h"

namespace weber::agent {

// True when it was made, false when it was updated. `field`: the top-level field that is replaced ("spec", "stringData"); labels are replaced when
// the object has some, or always with `all_labels`. Conflicts with other writers are tried again.
Result<bool> upsert(const Session& s, const Object& object, std::string_view field, bool all_labels);

} // namespace weber::agent
