// What is ours around librnp: keys and messages of any content.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gitops/decrypt/pgp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::gitops;
    setenv("RNP_LOG_CONSOLE", "0", 1);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    PgpKeys keys;
    (void)keys.import(text);
    (void)keys.decrypt(text);
    return 0;
}
