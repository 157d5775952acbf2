// Where objects came from and which transformers touched them: the annotations of `buildMetadata`.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kustomize/resource_set.h"

namespace weber::kustomize {

inline constexpr std::string_view kOriginAnnotation = "config.kubernetes.io/origin";
inline constexpr std::string_view kTransformationsAnnotation = "alpha.config.kubernetes.io/transformations";

struct Origin {
    std::string path; // of the file or directory, from the directory the build started in, or from the root of `repo`
    std::string repo, ref = {}; // of a git repository (without passwords and tokens); "" = a local file
    std::string configured_in; // file of the generator or transformer configuration
    std::string by_api_version, by_kind, by_name, by_namespace; // that configuration; "" = none

    [[nodiscard]] Origin appended(std::string_view path) const; // one level deeper, or in the repository that a git URL names
    [[nodiscard]] std::string to_yaml() const;                  // the annotation's value
};

// Says that `origin` made every resource that does not have an origin yet.
void add_origin(ResourceSet& resources, const Origin& origin);
void set_origin(Resource& resource, const Origin& origin);

// Records a transformer run: as one more transformation, or as origin of resources that have none.
void add_transformation(ResourceSet& resources, const Origin& origin);

// The origin of a generator or transformer that was configured by `config`, an object read with its own origin annotation.
[[nodiscard]] Origin origin_of_plugin(const Resource& config);

} // namespace weber::kustomize
