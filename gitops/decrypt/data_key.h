// The data key of a file: unwrapped by whatever key of ours fits, wrapped for the recipients of a new file.
//
// Thread-safe as far as the key ring is (it is only read).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gitops/decrypt/age.h"
#include "gitops/decrypt/metadata.h"
#include "gitops/decrypt/pgp.h"

namespace weber::gitops {

namespace sops {

// Data keys that were unwrapped once and will be needed again: a resource's MAC is looked at before the build, its objects are decrypted after it, and unwrapping is
// most of the work on a small file. Bounded; the keys lie in locked memory and are wiped with this. Thread-safe.
class OpenedDataKeys {
public:
    // Takes note of a file's data key, unless there are too many already.
    void keep(const Metadata& metadata, const SecretBytes& data_key);
    // A copy of the data key of the file with this section.
    [[nodiscard]] std::optional<SecretBytes> find(const Metadata& metadata) const;

private:
    mutable std::mutex mutex_; // guards what follows
    std::map<std::string, SecretBytes, std::less<>> by_wrapped_;
};

} // namespace sops

// Keys at hand.
struct KeyRing {
    std::vector<AgeIdentity> age = {};
    PgpKeys pgp = {};
    std::unique_ptr<sops::OpenedDataKeys> opened = std::make_unique<sops::OpenedDataKeys>();
};

namespace sops {

// One that was opened before; else age first, then PGP, then the file's order. Error invalid with SOPS' report: `Failed to get the data key required to decrypt the
// SOPS file.` and a line for each key; unsupported when only keys of a cloud or Vault could unwrap it, naming the provider.
Result<SecretBytes> unwrap_data_key(const Metadata& metadata, const KeyRing& keys);

// Fills `enc` of every key (and the times of PGP keys, `now`). Errors: unsupported providers, unknown PGP fingerprints.
Result<void> wrap_data_key(Metadata& metadata, const SecretBytes& data_key, const KeyRing& keys, const std::string& now);

} // namespace sops
} // namespace weber::gitops
