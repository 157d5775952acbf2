// Which types of host keys an ssh connection asks for. A server with keys of several types shows the one that the client likes best; that must be one that
// known_hosts has, and libgit2 1.5 has no way to say so.
#pragma once

#include <string>
#include <vector>

namespace weber::gitops {

// While it lives, connections that libgit2 makes on this thread ask for these types first ("ssh-ed25519", "ecdsa-sha2-nistp256"), then for all others.
// None changes nothing. One at a time on a thread.
class PreferredHostKeys {
public:
    explicit PreferredHostKeys(std::vector<std::string> types);
    ~PreferredHostKeys();
    PreferredHostKeys(const PreferredHostKeys&) = delete;
    PreferredHostKeys& operator=(const PreferredHostKeys&) = delete;
};

} // namespace weber::gitops
