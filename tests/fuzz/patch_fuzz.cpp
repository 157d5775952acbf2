// The three patch types. Input: an object, a line break, a patch, both JSON.
#include <cstdint>
#include <string_view>

#include "kube/base/json.h"
#include "kube/base/json_patch.h"
#include "kube/server/strategic_patch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kube;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    const JsonReadOptions limits{.file = {}, .bytes = 1u << 20, .depth = 100};
    const auto object = read_json(text.substr(0, line), limits), patch = read_json(text.substr(line + 1), limits);
    if (!object || !patch || !object->is_map()) return 0;
    Node merged = *object;
    apply_merge_patch(merged, *patch);
    if (const auto operations = JsonPatch::from_node(*patch)) {
        Node target = *object;
        (void)operations->apply(target);
    }
    if (patch->is_map()) (void)server::strategic_patch(*object, *patch, *find_builtin_type("apps", "v1", "Deployment"));
    return 0;
}
