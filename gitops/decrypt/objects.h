// Built objects that are encrypted, or have encrypted values (build.md 6.3).
//
// Thread-safe as far as the key ring is only read.
#pragma once

#include "gitops/decrypt/file.h"
#include "kube/base/object.h"

namespace weber::gitops {

// The annotation kustomize.toolkit.fluxcd.io/decrypt is `disabled` (any case).
bool decryption_disabled(const Object& object);

// The object in plain text; itself when nothing in it is encrypted. `options` are for the values of a Secret, which are whole files; the MAC of an object with a
// `sops` section is looked at in its file (decrypt_sources). Errors of build.md 6.4: `failed to decrypt and format 'ns/name' Secret data: …`.
Result<Object> decrypt_object(const Object& object, const KeyRing& keys, const sops::DecryptOptions& options = {});

} // namespace weber::gitops
