// BLAKE3 in its plain mode with 32 bytes of output, which OpenSSL lacks (https://github.com/BLAKE3-team/BLAKE3-specs). One core, no vector instructions.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace weber::kube {

std::string blake3_hex(std::string_view data);

} // namespace weber::kube
