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
using ValueRecipe = std::variant<RandomValue, BcryptValue, TemplateValue, EnvironmentValue>;

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

// Errors: invalid with file and line: YAML, unknown fields, missing ones, values out of range, the same Secret twice.
Result<std::vector<SecretSpec>> parse_secret_list(const std::string& text, const std::string& file);

} // namespace weber::agent
