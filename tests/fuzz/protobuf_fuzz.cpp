// Bodies in Kubernetes' protobuf encoding.
#include <cstdint>
#include <string_view>

#include "kube/server/protobuf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)weber::kube::server::read_protobuf({reinterpret_cast<const char*>(data), size});
    return 0;
}
