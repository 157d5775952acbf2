// The image transform.
#pragma once

#include <vector>

#include "kube/base/error.h"
#include "kustomize/resource_set.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Applies one image entry after the other: to the `image` of every item of a list called containers or initContainers, wherever
// it stands, then to the fields of the specs. CustomResourceDefinitions are left alone. `name` is a regular expression
// matched against the whole name. Errors: a `name` that is no regular expression, an image that is not a string.
// Source: kustomize ImageTagTransformer, filters/imagetag, internal/image.
Result<void> apply_images(ResourceSet& resources, const std::vector<Image>& images, const FieldSpecs& specs);

struct ImageParts {
    std::string_view name, tag, digest;
};
// "registry:5000/a/b:tag@digest" taken apart.
ImageParts split_image(std::string_view image);

} // namespace weber::kustomize
