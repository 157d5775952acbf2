// The list of Secrets that `weber bootstrap secrets` ensures: what stands in them is said, never written down.
//
//   secrets:
//   - name: nats-credentials
//     namespace: apps
//     type: Opaque                                   # default
//     data:
//       APP_PASSWORD: {random: 32}                   # letters and digits; prefix: puts text before them
//       APP_PASSWORD_HASH: {bcrypt: APP_PASSWORD}    # $2b$ hash of another value of this Secret; cost: 11
//       URL: {template: 'nats://app:${APP_PASSWORD}@nats'}  # ${KEY}, ${name/KEY} or ${namespace/name/KEY}
//       TOKEN: {environment: OP_SERVICE_ACCOUNT_TOKEN}
//       identity.agekey: {age: identity}             # a new age key: decrypts the files below
//   encrypted:                                       # Secrets that stand in the repository, encrypted with SOPS for that key
//   - file: infrastructure/overlays/{cluster}/cluster-secrets.yaml   # below the repository; {cluster}: of --cluster
//     key: flux-system/sops-age/identity.agekey
//     secret: {name: cluster-secrets, namespace: flux-system, data: {admin_password: {random: 24}}}
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kube/base/error.h"

namespace weber::agent {

struct RandomValue {
    int length = 32;
    std::string prefix = {};
};
struct BcryptValue {
    std::string key; // of the same Secret
    int cost = 11;
};
struct TemplateValue {
    std::string text;
};
struct EnvironmentValue {
    std::string variable;
};
struct AgeIdentityValue {};
using ValueRecipe = std::variant<RandomValue, BcryptValue, TemplateValue, EnvironmentValue, AgeIdentityValue>;

struct SecretEntry {
    std::string key;
    ValueRecipe recipe;
    Where where;
};

struct SecretSpec {
    std::string ns, name;
    std::string type = "Opaque";
    std::vector<SecretEntry> entries;
    Where where;
    [[nodiscard]] std::string subject() const { return "Secret/" + ns + "/" + name; }
};

// A value of a Secret as a template names it.
struct ValueRef {
    std::string ns, name, key;
};
// `text` is what stands between ${ and }; what it leaves out is taken from `self`. Error: invalid.
Result<ValueRef> parse_value_ref(std::string_view text, const SecretSpec& self);

// A file of the repository that holds a Secret, encrypted for an age key of the list.
struct EncryptedFileSpec {
    std::string path; // relative, may hold {cluster}
    ValueRef key;     // of an age identity
    SecretSpec secret;
};

struct SecretList {
    std::vector<SecretSpec> secrets;
    std::vector<EncryptedFileSpec> files = {};
};

// Errors: invalid with file and line: YAML, unknown fields, missing ones, values out of range, the same Secret twice, paths that leave the repository.
Result<SecretList> parse_secret_list(const std::string& text, const std::string& file);

} // namespace weber::agent
