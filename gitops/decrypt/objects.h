// Built objects that are encrypted, or have encrypted values (build.md 6.3).
//
// Thread-safe as far as the key ring is only read.
#pragma once

#include "gitops/decrypt/data_key.h"
#include "kube/base/object.h"

namespace weber::gitops {

// The annotation kustomize.toolkit.fluxcd.io/decrypt is `disabled` (any case).
bool decryption_disabled(const Object& object);

// The object in plain text; itself when nothing in it is encrypted. Errors of build.md 6.4: `failed to decrypt and format 'ns/name' Secret data: …`.
Result<Object> decrypt_object(const Object& object, const KeyRing& keys);

} // namespace weber::gitops
