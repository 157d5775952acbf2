// The vectors of build.md 7.
#pragma once

#include <string>
#include <string_view>

#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/digest.h"

namespace weber::gitops::test {

inline constexpr std::string_view kAgeSecret = "AGE-SECRET-KEY-1T0D2NH6XAF4C2NV500STTG69TX7W3M56M3232C6GRX5GN60STVVQYXQTMP";

inline std::string age_vector() {
    return kube::base64_decode("YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB6b2VjK3FmUTZ0cXVZVktCYWV0Z0lFNTNFcXYyaGtzRVhzK1VYemhUbWw0CldhbTJseENIbE5ad2pzeG1WRUQ0"
                               "bExNeHhuVjRrRGtlck9DdVdiRWpzd3MKLS0tIE10OUhKVXZBd2FObUkrT21sUnI1SVYvdm9zelFQKy9vUEV1YnR1QmRlRlUK42JlMo9tcZCZWNEeKwIyDpHtEDpeBqP8"
                               "In5Vb3Kb67Qvsr9DW24JvCv7XiqFXNhMoMWrAehUTp9FK3BjIZTGjw==")
        .value();
}

// 00 01 … 1f
inline SecretBytes data_key() {
    SecretBytes key(32);
    for (unsigned char i = 0; i < 32; ++i) key.data()[i] = i;
    return key;
}

inline std::string unhex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    return out;
}

} // namespace weber::gitops::test
