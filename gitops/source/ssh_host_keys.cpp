#include "gitops/source/ssh_host_keys.h"

#include <dlfcn.h>

#include <utility>

namespace weber::gitops {

namespace {

thread_local std::string t_preferred;

constexpr int kMethodHostKey = 1; // LIBSSH2_METHOD_HOSTKEY
constexpr const char* kAll = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,ssh-rsa";

template <class F>
F* of_libssh2(const char* name) {
    static void* const library = dlopen("libssh2.so.1", RTLD_NOW | RTLD_LOCAL); // libgit2 has loaded it
    return library != nullptr ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
}

} // namespace

PreferredHostKeys::PreferredHostKeys(std::string types) { t_preferred = std::move(types); }
PreferredHostKeys::~PreferredHostKeys() { t_preferred.clear(); }

} // namespace weber::gitops

// In the way of libssh2's own: libgit2 makes the session and shakes hands in one function, and this is the only moment in between. The linker exports it
// (CMakeLists.txt), so that libgit2, which is loaded later, finds it first.
extern "C" __attribute__((visibility("default"), used)) int libssh2_session_handshake(void* session, int socket) {
    using namespace weber::gitops;
    if (!t_preferred.empty())
        if (auto* prefer = of_libssh2<int(void*, int, const char*)>("libssh2_session_method_pref"))
            prefer(session, kMethodHostKey, (t_preferred + "," + kAll).c_str()); // types that it cannot do are left out; a failure leaves its own order
    auto* handshake = of_libssh2<int(void*, int)>("libssh2_session_handshake");
    return handshake != nullptr ? handshake(session, socket) : -1;
}
