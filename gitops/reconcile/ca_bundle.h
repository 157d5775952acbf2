// CustomResourceDefinitions whose webhook certificate bundle is not one (apply.md 4.4).
//
// Pure and thread-safe.
#pragma once

#include "kube/base/object.h"

namespace weber::gitops {

// The object without `spec.conversion.webhook.clientConfig.caBundle` when that is set but no base64 of PEM certificates: API servers refuse
// it, and whoever injects the real bundle fills it in. Anything else is returned as it is.
Object without_invalid_ca_bundle(const Object& object);

} // namespace weber::gitops
