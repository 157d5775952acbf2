// Values of Secrets that nobody has to know beforehand.
#pragma once

#include <string>

#include "kube/base/error.h"
#include "kube/credentials.h"

namespace weber::agent {

// `length` letters and digits, each of the 62 equally likely, from OpenSSL's generator. Error internal: it has no entropy.
Result<kube::SecretText> random_text(int length);

// "$2b$<cost>$…" by libxcrypt. bcrypt looks at the first 72 bytes only: a longer text is ErrorCode::invalid, as is one with a NUL byte.
Result<kube::SecretText> bcrypt_hash(const kube::SecretText& text, int cost);

} // namespace weber::agent
