// What an ssh connection offers to the server: libgit2 1.5 has no way to say so. A server with keys of several types shows the one that the client likes best; that
// must be one that known_hosts has.
#pragma once

#include <string>
#include <vector>

#include "kube/base/error.h"

namespace weber::gitops {

// In order of preference. An empty list: all that libssh2 can do.
struct SshMethods {
    std::vector<std::string> key_exchanges = {}; // curve25519-sha256 … (source-controller's --ssh-kex-algos)
    std::vector<std::string> host_keys = {};     // ssh-ed25519 … (--ssh-hostkey-algos)
};

// Error invalid when libssh2 can do none of a list that is not empty; it names the flag and what there is. Thread-safe.
Result<void> check_ssh_methods(const SshMethods& methods);

// While it lives, connections that libgit2 makes on this thread offer `methods`, or without a list of host keys there all of them, `known` first. Names that libssh2
// does not know are passed over. One at a time on a thread.
class OfferedSshMethods {
public:
    OfferedSshMethods(SshMethods methods, std::vector<std::string> known);
    ~OfferedSshMethods();
    OfferedSshMethods(const OfferedSshMethods&) = delete;
    OfferedSshMethods& operator=(const OfferedSshMethods&) = delete;
};

} // namespace weber::gitops
