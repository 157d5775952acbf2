// Certificates of the embedded server: one CA per data folder, a server certificate signed by it. ECDSA P-256, by OpenSSL.
#pragma once

#include <string>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube::server {

struct KeyPair {
    std::string certificate; // PEM
    std::string key;         // PEM, PKCS#8
};

// A CA certificate valid for ten years.
Result<KeyPair> make_ca(const std::string& common_name);

// A server certificate for the given IP addresses and DNS names, signed by `ca`, valid for one year.
Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::vector<std::string>& ips,
                                        const std::vector<std::string>& dns_names);

// `bytes` random bytes as lower-case hex, from OpenSSL's CSPRNG.
std::string random_hex(std::size_t bytes);

// A random (version 4) UUID.
std::string random_uuid();

} // namespace weber::kube::server
