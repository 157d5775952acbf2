#include "gitops/source/ssh_methods.h"

#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "kube/base/join.h"

namespace weber::gitops {

namespace {

struct Offer {
    SshMethods methods;
    std::vector<std::string> known; // types of host keys
};
thread_local Offer t_offer;

enum Method : int { kKeyExchange = 0, kHostKey = 1 }; // LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_HOSTKEY
constexpr int kNotSupported = -33;                    // LIBSSH2_ERROR_METHOD_NOT_SUPPORTED

template <class F>
F* of_libssh2(const char* name) {
    static void* const library = dlopen("libssh2.so.1", RTLD_NOW | RTLD_LOCAL); // libgit2 has loaded it
    return library != nullptr ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
}

std::vector<std::string> supported_by(void* session, Method method) {
    auto* supported = of_libssh2<int(void*, int, const char***)>("libssh2_session_supported_algs");
    auto* release = of_libssh2<void(void*, void*)>("libssh2_free");
    const char** names = nullptr;
    const int count = supported != nullptr && release != nullptr ? supported(session, method, &names) : 0;
    if (count <= 0) return {};
    std::vector<std::string> all(names, names + count);
    release(session, static_cast<void*>(names));
    return all;
}

// (libssh2 would take out those that it cannot do itself, and copies over its own text then.)
std::vector<std::string> common(const std::vector<std::string>& wanted, const std::vector<std::string>& all) {
    std::vector<std::string> out;
    for (const std::string& name : wanted)
        if (std::ranges::find(all, name) != all.end() && std::ranges::find(out, name) == out.end()) out.push_back(name);
    return out;
}

bool prefer(void* session, Method method, const std::vector<std::string>& names) {
    auto* set = of_libssh2<int(void*, int, const char*)>("libssh2_session_method_pref");
    return set != nullptr && !names.empty() && set(session, method, kube::join(names, ",").c_str()) == 0;
}

// False: none of what may be offered can be.
bool prepare(void* session) {
    const auto& [methods, known] = t_offer;
    if (!methods.key_exchanges.empty() && !prefer(session, kKeyExchange, common(methods.key_exchanges, supported_by(session, kKeyExchange)))) return false;
    if (methods.host_keys.empty() && known.empty()) return true;
    const std::vector<std::string> all = supported_by(session, kHostKey);
    if (!methods.host_keys.empty()) return prefer(session, kHostKey, common(methods.host_keys, all));
    std::vector<std::string> order = known;
    order.insert(order.end(), all.begin(), all.end());
    prefer(session, kHostKey, common(order, all));
    return true;
}

Result<void> check(void* session, Method method, const std::vector<std::string>& wanted, const char* flag) {
    const std::vector<std::string> all = supported_by(session, method);
    if (wanted.empty() || !common(wanted, all).empty()) return {};
    return fail(ErrorCode::invalid, std::string(flag) + ": none of " + kube::join(wanted, ", ") + " is supported; there are " + kube::join(all, ", "));
}

} // namespace

Result<void> check_ssh_methods(const SshMethods& methods) {
    if (methods.key_exchanges.empty() && methods.host_keys.empty()) return {};
    auto* create = of_libssh2<void*(void*, void*, void*, void*)>("libssh2_session_init_ex");
    auto* destroy = of_libssh2<int(void*)>("libssh2_session_free");
    void* session = create != nullptr && destroy != nullptr ? create(nullptr, nullptr, nullptr, nullptr) : nullptr;
    if (session == nullptr) return fail(ErrorCode::internal, "libssh2 cannot be used");
    auto good = check(session, kKeyExchange, methods.key_exchanges, "--ssh-kex-algos");
    if (good) good = check(session, kHostKey, methods.host_keys, "--ssh-hostkey-algos");
    destroy(session);
    return good;
}

OfferedSshMethods::OfferedSshMethods(SshMethods methods, std::vector<std::string> known) { t_offer = {std::move(methods), std::move(known)}; }
OfferedSshMethods::~OfferedSshMethods() { t_offer = {}; }

} // namespace weber::gitops

// In the way of libssh2's own: libgit2 makes the session and shakes hands in one function, and this is the only moment in between. The linker exports it
// (CMakeLists.txt), so that libgit2, which is loaded later, finds it first.
extern "C" __attribute__((visibility("default"), used)) int libssh2_session_handshake(void* session, int socket) {
    using namespace weber::gitops;
    if (!prepare(session)) return kNotSupported;
    auto* handshake = of_libssh2<int(void*, int)>("libssh2_session_handshake");
    return handshake != nullptr ? handshake(session, socket) : -1;
}
