// Digests and encodings (OpenSSL inside; libmd for SHA-256 of short texts).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::kube {

std::string sha256_hex(std::string_view data);
std::string sha1_hex(std::string_view data);
std::string hex_encode(std::string_view bytes);
std::string base64_encode(std::string_view bytes);          // standard alphabet, padded
// Standard alphabet, padding required, `\r` and `\n` ignored as Go does. Error text never holds the input.
Result<std::string> base64_decode(std::string_view text);
// The same into `out`, whose memory is used again: for many texts one after the other. After an error `out` holds anything.
Result<void> base64_decode_into(std::string_view text, std::string& out);

} // namespace weber::kube
