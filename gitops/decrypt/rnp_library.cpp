#include "gitops/decrypt/rnp_library.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>

namespace weber::gitops {

namespace {

struct Loaded {
    RnpLibrary library = {};
    std::string problem = {};

    Loaded() {
        void* handle = dlopen("librnp.so.0", RTLD_LAZY | RTLD_LOCAL); // for as long as the process lives
        if (handle == nullptr) {
            problem = dlerror();
            return;
        }
#define WEBER_RNP_LOAD(name)                                                                                              \
    library.name = reinterpret_cast<decltype(library.name)>(dlsym(handle, "rnp_" #name));                                 \
    if (library.name == nullptr) problem = "rnp_" #name " is missing";
        WEBER_RNP_FUNCTIONS(WEBER_RNP_LOAD)
#undef WEBER_RNP_LOAD
    }
};

const Loaded& loaded() {
    static const Loaded once;
    return once;
}

} // namespace

Result<const RnpLibrary*> load_rnp() {
    if (loaded().problem.empty()) return &loaded().library;
    return fail(Error{.code = ErrorCode::unsupported, .message = "PGP keys need librnp, which cannot be loaded: " + loaded().problem,
                      .hint = "install the Debian package librnp0"});
}

const RnpLibrary& rnp() { return loaded().library; }

namespace {
thread_local int t_quiet = 0;
}

QuietRnp::QuietRnp() { ++t_quiet; }
QuietRnp::~QuietRnp() { --t_quiet; }

} // namespace weber::gitops

// In the way of the C library's own, which librnp writes its notes with (CMakeLists.txt exports it).
extern "C" {
int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list args);
__attribute__((visibility("default"), used)) int __fprintf_chk(FILE* stream, int flag, const char* format, ...) {
    if (weber::gitops::t_quiet > 0 && stream == stderr) return 0;
    va_list args;
    va_start(args, format);
    const int written = __vfprintf_chk(stream, flag, format, args);
    va_end(args);
    return written;
}
}
