// The variables of a Kustomization: spec.postBuild.substituteFrom in order, then spec.postBuild.substitute (build.md 5.1).
//
// Thread-safe as far as the lookups are.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/api/kustomization.h"
#include "gitops/substitute/expand.h"
#include "kube/base/object.h"

namespace weber::gitops {

// Reads a ConfigMap or Secret (`kind`). Error not_found, worded as an API server does: `configmaps "x" not found`.
using ObjectLookup = std::function<Result<Object>(std::string_view kind, const std::string& ns, const std::string& name)>;

// Every newline is deleted from every value. Errors: `substitute from 'ConfigMap/x' error: …`, without values.
// `extra` come between substituteFrom and substitute.
Result<Variables> load_variables(const PostBuildSpec& spec, const std::string& ns, const ObjectLookup& lookup, const Variables& extra = {});

// What a file of values for work without a cluster holds.
struct ValuesFile {
    Variables variables = {};        // of a plain map
    std::vector<Object> objects = {}; // ConfigMaps and Secrets that stand for the cluster's
};

// YAML: documents that are ConfigMaps or Secrets, or maps of names and scalars. Errors: invalid, with file and line.
Result<ValuesFile> parse_values(std::string_view text, std::string_view file);

// Looks among `objects`; an object without namespace stands for every namespace. The last of equals wins.
ObjectLookup lookup_in(std::vector<Object> objects);
// The first lookup that has the object; not found when none has.
ObjectLookup first_of(std::vector<ObjectLookup> lookups);
// The error of a ConfigMap or Secret that is not there.
Error absent(std::string_view kind, std::string_view name);

// The entries of a Secret: `data` decoded, `stringData` over it; of a ConfigMap: `data`. Error invalid: not base64, named by its key.
Result<Variables> entries_of(const Object& object);

} // namespace weber::gitops
