// Finds a function of a library that is loaded on demand. README.md says how it works.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

namespace {

// As trampoline.h lays them out.
struct Library {
    const char* soname;
    const char* package;
};

struct Function {
    std::atomic<const void*> target;
    const char* name;
    const Library* library;
};
static_assert(sizeof(Function) == 3 * sizeof(void*));

[[noreturn]] void give_up(const Library& library) {
    const char* why = dlerror();
    std::fprintf(stderr, "weber: %s cannot be loaded: %s; install the Debian package %s\n", library.soname, why == nullptr ? "unknown error" : why,
                 library.package);
    _exit(1);
}

} // namespace

// Where the function is from now on. Does not return when the library or the function is missing: like a program whose library is missing at the start, there is nothing
// to go on with. May run in several threads at once: all find the same.
extern "C" [[gnu::visibility("hidden")]] const void* weber_on_demand_resolve(Function* function) {
    const int error = errno;
    void* library = dlopen(function->library->soname, RTLD_LAZY | RTLD_LOCAL); // for as long as the process lives
    const void* target = library == nullptr ? nullptr : dlsym(library, function->name);
    if (target == nullptr) give_up(*function->library);
    function->target.store(target, std::memory_order_release);
    errno = error;
    return target;
}
