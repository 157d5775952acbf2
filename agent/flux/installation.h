// The controllers of a cluster: Deployments and definitions labelled app.kubernetes.io/part-of=flux.
#pragma once

#include <string>
#include <vector>

#include "agent/flux/session.h"

namespace weber::agent {

inline constexpr const char* kPartOfFlux = "app.kubernetes.io/part-of=flux";

struct Installation {
    std::string distribution = {};   // "flux-v2.7.5": labels of the GitRepository definition; "" = not labelled
    std::string version = {};        // "v2.7.5", from there, too
    bool defined = false;            // that definition is there
    bool bootstrapped = false;       // that definition is applied by a Kustomization
};

Result<Installation> find_installation(const Session& s);

// The definitions with that label.
Result<std::vector<Object>> find_definitions(const Session& s);

// The tool that put Flux into the cluster by its label app.kubernetes.io/managed-by ("Helm"); "" = none, Flux itself, or nothing is there.
// Errors: `cluster info unavailable: …`
Result<std::string> other_manager(const Session& s);

// The Deployments of the namespace.
Result<std::vector<Object>> find_deployments(const Session& s);

// Waits until the Deployments are rolled out, Session::left() at most, and says of each whether it is ready, in order of their names; with `images` also what it
// runs. True: all are.
Result<bool> wait_for_deployments(const Invocation& in, const Session& s, std::vector<Object> deployments, bool images = false);

// Images of a Deployment's containers.
std::vector<std::string> images_of(const Object& deployment);

} // namespace weber::agent
