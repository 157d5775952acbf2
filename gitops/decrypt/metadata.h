// The `sops` section of an encrypted file (build.md 7; stores/metadata.go).
//
// Values; thread-safe as such.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gitops/decrypt/tree.h"

namespace weber::gitops::sops {

enum class Provider : std::uint8_t { age, pgp, kms, gcp_kms, hckms, azure_kv, hc_vault };
// "AWS KMS", "HashiCorp Vault" … for messages.
std::string_view provider_name(Provider provider);

// A key that can unwrap the data key.
struct MasterKey {
    Provider provider = Provider::age;
    std::string name;       // age recipient, PGP fingerprint, ARN, resource id … as SOPS names the key in messages
    std::string enc = {};   // the wrapped data key
    std::string created_at = {};
};
using KeyGroup = std::vector<MasterKey>; // each unwraps the same part

// At most one of the rules is set.
struct Rule {
    std::string unencrypted_suffix = {}, encrypted_suffix = {}, unencrypted_regex = {}, encrypted_regex = {};
    std::string unencrypted_comment_regex = {}, encrypted_comment_regex = {};
    bool operator==(const Rule&) const = default;
};
inline constexpr std::string_view kDefaultUnencryptedSuffix = "_unencrypted";

struct Metadata {
    std::vector<KeyGroup> groups = {};
    int shamir_threshold = 0; // groups needed; 0: one group
    std::string last_modified = {}; // RFC 3339, whole seconds
    std::string mac = {};
    std::string version = {};
    Rule rule = {};
    bool mac_only_encrypted = false;
};

// How a store lays the section out.
enum class Layout : std::uint8_t {
    nested,    // a top-level `sops` map (YAML, JSON, binary)
    section,   // a top-level `sops` map with flat keys (INI)
    flat,      // top-level keys `sops_…` (dotenv)
};

// Takes the section out of the first document (a `sops` key also out of the others). Errors: `sops metadata not found`, `No keys found in file`,
// `Cannot use more than one of …`, times that are none.
Result<Metadata> take_metadata(Branches& branches, Layout layout);

// Puts the section at the end of every document. Error: a key of the document is reserved.
Result<void> add_metadata(Branches& branches, const Metadata& metadata, Layout layout);

// The time as an RFC 3339 text of SOPS ("2024-01-01T00:00:00Z"): fractions of a second are dropped. Error invalid.
Result<std::string> parse_time(std::string_view text);

} // namespace weber::gitops::sops
