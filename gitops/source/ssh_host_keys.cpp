#include "gitops/source/ssh_host_keys.h"

#include <dlfcn.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace weber::gitops {

namespace {

thread_local std::string t_preferred;

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
    const std::vector<std::string_view> all(names, names + count);
    std::vector<std::string_view> order;
    const auto add = [&](std::string_view type) {
        if (std::ranges::find(all, type) != all.end() && std::ranges::find(order, type) == order.end()) order.push_back(type);
    };
    for (std::string_view rest = t_preferred; !rest.empty();) {
        const auto comma = rest.find(',');
        add(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    for (std::string_view type : all) add(type);
    std::string out;
    for (std::string_view type : order) out.append(out.empty() ? "" : ",").append(type);
    release(session, static_cast<void*>(names));
    return out;
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
            if (const std::string order = order_of_types(session); !order.empty()) prefer(session, kMethodHostKey, order.c_str());
    auto* handshake = of_libssh2<int(void*, int)>("libssh2_session_handshake");
    return handshake != nullptr ? handshake(session, socket) : -1;
}
