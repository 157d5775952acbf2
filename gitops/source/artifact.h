// Artifacts as Flux stores and serves them: a tar.gz of a source's files (sources.md 0.3, 0.4).
//
// The tar part is our own: it is two small functions, and a library for it would load a dozen compression libraries at every start.
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "gitops/source/snapshot.h"
#include "kube/base/error.h"

namespace weber::gitops {

// The files of `snapshot` as a tar.gz whose bytes depend on nothing but names and contents: files, and the directories that the snapshot
// names (else those of the files), in byte order of their names below each directory; owner 0, time 0, modes 0750, 0700 and 0600, USTAR (PAX where a name is too long). Errors: those of reading a file.
Result<std::string> pack_artifact(const Snapshot& snapshot);

struct UnpackLimits {
    std::size_t bytes = 2048u << 20;   // unpacked
    std::size_t files = 1'000'000;
};

// The regular files and directories of a tar.gz, held in memory. Links and devices are skipped. Errors: invalid (not a tar.gz, truncated, a path that is absolute or leaves
// the root), too_large.
Result<Snapshot> unpack_artifact(std::string_view tar_gz, std::string revision, const UnpackLimits& limits = {});

// Names of the algorithms that digests of artifacts may have; sha256 first.
std::span<const std::string> digest_algorithms();
// "<algorithm>:<hex>" of bytes, by one of these algorithms.
std::string artifact_digest(std::string_view bytes, std::string_view algorithm = "sha256");
// Does `digest` ("<algorithm>:<hex>"; without algorithm sha256) fit the bytes? Errors with Flux's texts (kustomization.md 2, step 12); unsupported for other
// algorithms.
Result<void> verify_artifact(std::string_view bytes, std::string_view digest);

} // namespace weber::gitops
