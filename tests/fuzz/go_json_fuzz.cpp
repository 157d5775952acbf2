// The scanner that speaks Go's words must refuse exactly what the reader refuses.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kube/base/json.h"
#include "kube/server/go_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = weber::kube::read_json(text);
    const std::string error = weber::kube::server::go_json_error(text);
    if (read && !error.empty()) std::abort(); // what we read is JSON for Go, too
    return 0;
}
