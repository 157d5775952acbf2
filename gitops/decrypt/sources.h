// Encrypted files that a kustomization refers to, in plain text for the build (build.md 6.2). Nothing is written to a disk.
//
// Thread-safe as far as the key ring is only read.
#pragma once

#include <string>

#include "gitops/decrypt/file.h"
#include "gitops/source/snapshot.h"

namespace weber::gitops {

// The snapshot with plain text in the place of encrypted files of secret generators and patches, of the kustomization in `dir` and those it includes.
// `kustomization`: the file of `dir` as it will be built. Unless `options` say otherwise, the MACs of these files and of encrypted resources must fit; resources
// stay encrypted, since their objects are decrypted after the build. Errors: unreadable files, files over 5 MiB, two kustomization files in a directory, what
// `decrypt_file` says.
Result<Snapshot> decrypt_sources(const Snapshot& snapshot, const std::string& dir, const Node& kustomization, const KeyRing& keys, const sops::DecryptOptions& options = {});

} // namespace weber::gitops
