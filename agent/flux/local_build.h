// `build kustomization` and `diff kustomization`: what a Kustomization would apply, built from a directory here (cli.md 2.4).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/flux/session.h"
#include "gitops/api/kustomization.h"
#include "gitops/decrypt/data_key.h"
#include "gitops/substitute/variables.h"

namespace weber::agent {

struct LocalBuildOptions {
    std::string name, ns;
    std::string path;               // --path
    std::string file;               // --kustomization-file; "" = from the cluster
    bool dry_run = false;           // no cluster at all
    bool strict_substitute = false;
    bool verify_mac = true; // of encrypted files
    std::vector<std::string> ignore_paths = {};
    bool recursive = false;
    std::vector<std::string> local_sources = {}; // "Kind/ns/name=path"
    bool normalize = true;          // as they would be applied; false: as they are written
    bool ignore_not_found = false;  // a Kustomization that the cluster lacks is new
    std::optional<gitops::ValuesFile> values = {};       // --values: with it a dry run knows where to look variables up, and names those that it lacks
    std::shared_ptr<const gitops::KeyRing> keys = {};    // --age-key-file, --pgp-key-file: decrypts, else encrypted values are masked
};

std::vector<Flag> local_build_flags();
Result<LocalBuildOptions> local_build_options(const Invocation& in, std::string ns);

// The checks of 2.4 in their order, before anything is read.
Result<void> check(const LocalBuildOptions& options);

struct LocalBuild {
    gitops::Kustomization kustomization;
    std::optional<Object> live;     // the Kustomization as the cluster has it
    std::vector<Object> objects;    // owner labels set, encrypted values masked
    std::vector<std::string> secret_values = {}; // variables from Secrets and decrypted fields: for diffs and errors to leave out
};

// The Kustomization and its objects; with `recursive` those of child Kustomizations follow, each as an element. `client` null for a dry run.
// Writes nothing.
Result<std::vector<LocalBuild>> build_locally(const LocalBuildOptions& options, kube::Client* client);

// A Secret that SOPS encrypted: its `sops` field goes, each value becomes **SOPS**. Other objects are left alone.
Object mask_sops(Object object);

} // namespace weber::agent
