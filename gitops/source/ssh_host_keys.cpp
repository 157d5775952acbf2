#include "gitops/source/ssh_host_keys.h"

#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "kube/base/join.h"

namespace weber::gitops {

namespace {

thread_local std::vector<std::string> t_preferred;

constexpr int kMethodHostKey = 1; // LIBSSH2_METHOD_HOSTKEY

template <class F>
F* of_libssh2(const char* name) {
    static void* const library = dlopen("libssh2.so.1", RTLD_NOW | RTLD_LOCAL); // libgit2 has loaded it
    return library != nullptr ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
}

// The preferred types that libssh2 can do, then its others. (It would take out those that it cannot do itself, and copies over its own text then.)
std::string order_of_types(void* session) {
    auto* supported = of_libssh2<int(void*, int, const char***)>("libssh2_session_supported_algs");
    auto* release = of_libssh2<void(void*, void*)>("libssh2_free");
    const char** names = nullptr;
    const int count = supported != nullptr && release != nullptr ? supported(session, kMethodHostKey, &names) : 0;
    if (count <= 0) return {};
    const std::vector<std::string> all(names, names + count);
    release(session, static_cast<void*>(names));
    std::vector<std::string> order;
    const auto add = [&](const std::string& type) {
        if (std::ranges::find(all, type) != all.end() && std::ranges::find(order, type) == order.end()) order.push_back(type);
    };
    for (const std::string& type : t_preferred) add(type);
    for (const std::string& type : all) add(type);
    return kube::join(order, ",");
}

} // namespace

PreferredHostKeys::PreferredHostKeys(std::vector<std::string> types) { t_preferred = std::move(types); }
PreferredHostKeys::~PreferredHostKeys() { t_preferred.clear(); }

} // namespace weber::gitops

// In the way of libssh2's own: libgit2 makes the session and shakes hands in one function, and this is the only moment in between. The linker exports it
// (CMakeLists.txt), so that libgit2, which is loaded later, finds it first.
extern "C" __attribute__((visibility("default"), used)) int libssh2_session_handshake(void* session, int socket) {
    using namespace weber::gitops;
    if (!t_preferred.empty())
        if (auto* prefer = of_libssh2<int(void*, int, const char*)>("libssh2_session_method_pref"))
            if (const std::string order = order_of_types(session); !order.empty()) prefer(session, kMethodHostKey, order.c_str());
    auto* handshake = of_libssh2<int(void*, int)>("libssh2_session_handshake");
    return handshake != nullptr ? handshake(session, socket) : -1;
}
