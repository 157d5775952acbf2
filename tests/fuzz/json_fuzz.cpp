// The JSON reader: what it accepts is written and read again unchanged.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kube/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kube;
    const auto first = read_json({reinterpret_cast<const char*>(data), size}, {.file = {}, .bytes = 1u << 20, .depth = 100});
    if (!first) return 0;
    const std::string text = write_json(*first);
    const auto second = read_json(text);
    if (!second || write_json(*second) != text) std::abort();
    return 0;
}
