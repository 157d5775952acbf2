// The hooks of post_build.h, made from variables and keys: what agent, `reconcile --once`, `build` and `diff` put into their settings.
#pragma once

#include <memory>
#include <optional>

#include "gitops/decrypt/data_key.h"
#include "gitops/reconcile/post_build.h"
#include "gitops/substitute/variables.h"

namespace weber::kube {
class Client;
}

namespace weber::gitops {

struct HookSettings {
    bool strict_substitution = false; // gate StrictPostBuildSubstitutions
    ValuesFile values = {};           // `--values FILE`: its objects are found before all others, its variables win over substituteFrom
    // Gate ObjectLevelWorkloadIdentity: spec.decryption.serviceAccountName is no error. The account is for the KMS of a cloud; age and PGP keys need none.
    bool object_level_workload_identity = false;
    bool verify_mac = true;           // encrypted files must be as they were encrypted; false: as Flux (--sops-ignore-mac)
    std::optional<NamespacedName> age_secret = {}; // --sops-age-secret: for Kustomizations whose decryption names no Secret
    ObjectLookup read_age_secret = {}; // brings that Secret, from any thread; null: each run asks the API server
    std::shared_ptr<const KeyRing> local_keys = {}; // of the user at a command line: in the place of a Secret that is missing; null in the agent
    bool keys_when_needed = false;    // a decryption Secret that is missing is an error of what is encrypted only, not of the whole Kustomization
    ObjectLookup fallback = {};       // where nothing else has a ConfigMap or Secret: the source itself, for work that applies nothing; null: none
};

// Thread-safe. What cannot be read is an error of the first object that needs it, as Flux has it.
PostBuildFactory post_build_hooks(HookSettings settings);

// ConfigMaps and Secrets in the YAML files below `dir` of a source as they are written there: what a dry run of an empty cluster knows. Read at the
// first look-up; files that are no manifests are passed over.
ObjectLookup lookup_in(Snapshot snapshot, std::string dir);

// ConfigMaps and Secrets of a cluster, by the caller's own identity. The client must outlive the lookup.
ObjectLookup lookup_in(kube::Client& client);

} // namespace weber::gitops
