// `build kustomization` and `diff kustomization`: what a Kustomization would apply, built from a directory here (cli.md 2.4).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/flux/session.h"
#include "gitops/api/kustomization.h"
#include "gitops/decrypt/data_key.h"
#include "gitops/source/remote_bases.h"
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
// What is wrong with --local-sources; "" when it is right.
std::string wrong_sources(const Flags& flags);
Result<LocalBuildOptions> local_build_options(const Invocation& in, std::string ns);

// The checks of 2.4 in their order, before anything is read.
Result<void> check(const LocalBuildOptions& options);

struct LocalBuild {
    gitops::Kustomization kustomization;
    std::optional<Object> live;     // the Kustomization as the cluster has it
    std::vector<Object> objects;    // owner labels set, encrypted values masked
    std::vector<std::string> secret_values = {}; // variables from Secrets and decrypted fields: for diffs and errors to leave out
};

// Builds what the options name, and Kustomizations found in it. `options` and `client` (null for a dry run) must outlive it. Writes nothing.
//
// Not thread-safe.
class LocalBuilder {
public:
    LocalBuilder(const LocalBuildOptions& options, kube::Client* client) : options_(options), client_(client) {}

    // The Kustomization of the options. Errors: `failed to get kustomization object: …`, those of the build.
    Result<LocalBuild> root();
    // A Kustomization among built objects, from the directory that --local-sources names for its source. Errors also `cannot get local path for …`.
    Result<LocalBuild> child(const Object& kustomization);

private:
    Result<LocalBuild> build(const Object& object, std::optional<Object> live, const std::string& root, const std::string& path);

    const LocalBuildOptions& options_;
    kube::Client* client_;
    gitops::RemoteBases remote_ = gitops::RemoteBases(gitops::RemoteBaseSettings());
};

// Another Kustomization than the one that built it.
bool is_child(const Object& object, const gitops::Kustomization& parent);

// The Kustomization and its objects; with `recursive` those of child Kustomizations follow, each as an element and each but once.
Result<std::vector<LocalBuild>> build_locally(const LocalBuildOptions& options, kube::Client* client);

// A Secret that SOPS encrypted: its `sops` field goes, each value becomes **SOPS**. In other Secrets so does a value that is an encrypted file. Other objects are
// left alone.
Object mask_sops(Object object);

// A Secret with values that mask_sops took away: of those only the keys can be compared.
bool is_masked(const Object& object);

} // namespace weber::agent
