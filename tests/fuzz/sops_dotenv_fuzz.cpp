// The dotenv store of SOPS: whatever it reads it can write, and reads what it wrote without harm.
#include <cstdint>
#include <string_view>

#include "gitops/decrypt/stores.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::gitops::sops;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)load_encrypted(Format::dotenv, text);
    const auto branches = load_plain(Format::dotenv, text);
    if (!branches) return 0;
    const auto written = emit_plain(Format::dotenv, *branches);
    if (written) (void)load_plain(Format::dotenv, *written);
    return 0;
}
