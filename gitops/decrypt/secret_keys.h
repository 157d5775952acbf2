// Decryption keys of a Kubernetes Secret, as `spec.decryption.secretRef` names it (build.md 6.1).
//
// Thread-safe.
#pragma once

#include <string>

#include "gitops/decrypt/data_key.h"
#include "kube/base/object.h"

namespace weber::gitops {

enum class KeySecret : std::uint8_t {
    of_kustomization, // every kind of key
    of_controller,    // --sops-age-secret: age keys only
};

// Adds the keys of `secret` to `keys`. Entries of other names, and credentials of clouds and Vault, are left alone.
// Error: `failed to import 'x.asc' data from sops decryption Secret 'ns/name': …`, without key material.
Result<void> import_keys(const Object& secret, KeySecret kind, KeyRing& keys);

} // namespace weber::gitops
