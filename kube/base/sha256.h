// SHA-256 (FIPS 180-4) of short texts, without OpenSSL: a build that names a few ConfigMaps by their content would otherwise spend more
// time on loading libcrypto than on everything else. Long texts are OpenSSL's, which uses the processor's own instructions.
//
// Pure and thread-safe.
#pragma once

#include <array>
#include <string_view>

namespace weber::kube {

// The digest's 32 bytes, of any text.
std::array<unsigned char, 32> small_sha256(std::string_view data);

} // namespace weber::kube
