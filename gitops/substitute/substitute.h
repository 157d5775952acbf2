// Post-build substitution of one object (build.md 5.1): as if it were printed as YAML, expanded as text and parsed again.
//
// Thread-safe: a Substitution is immutable; objects may be substituted on several threads at once.
#pragma once

#include <optional>
#include <string>

#include "gitops/substitute/expand.h"
#include "kube/base/object.h"

namespace weber::gitops {

struct SubstituteOptions {
    bool strict = false; // a variable without value is an error
    bool always = false; // substituteStrategy: Always – also when there are no variables at all
};

// False: the object's label or annotation kustomize.toolkit.fluxcd.io/substitute is `disabled`.
bool wants_substitution(const Object& object);

class Substitution {
public:
    Substitution(Variables variables, const SubstituteOptions& options);

    // The object with its values; itself when it does not want substitution, or nothing is to be done.
    // Errors: `envsubst error: …`, without any value.
    [[nodiscard]] Result<Object> apply(const Object& object) const;

    // The long way for every object: printed, expanded, parsed. `apply` gives the same result; tests compare them.
    [[nodiscard]] Result<Node> by_text(const Node& object) const;

private:
    Variables variables_;
    SubstituteOptions options_;
    std::optional<std::string> bad_name_; // a variable whose name no expression can have
};

// The longest part of what by_text would do can be left out where an expression stands in a scalar of its own and its result reads as one scalar
// again. True: `object` was changed in place as by_text would change it. False: untouched or half changed, by_text must decide.
bool substitute_in_place(Node& object, const Variables& variables, bool strict);

} // namespace weber::gitops
