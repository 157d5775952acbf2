// known_hosts lines of OpenSSH: is this the key of that host?
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weber::gitops {

enum class HostKey : std::uint8_t {
    known,   // a line has this key for the host
    changed, // lines are about the host, but have other keys of this type, or the key is revoked
    unknown, // no line is about the host
};

// `key`: the key as it stands on the wire (raw, not base64). Names may be plain, with wildcards, `[host]:port`, or hashed (`|1|salt|hash`).
// `port` 22 is written without. Lines that cannot be read are passed over.
HostKey check_host_key(std::string_view known_hosts, std::string_view host, int port, std::string_view key);

// The types of the keys that it has for the host ("ssh-ed25519"), each once, in its order.
std::vector<std::string> host_key_types(std::string_view known_hosts, std::string_view host, int port);
// Of a key as it stands on the wire; "" when it is none.
std::string_view host_key_type(std::string_view key);

} // namespace weber::gitops
