// Server-side apply. Input: a live object, a line break, an applied one, both JSON; with the schema of a Deployment and without any.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kube/base/json.h"
#include "kube/merge/manager.h"
#include "kube/merge/typed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kube;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    const JsonReadOptions limits{.file = {}, .bytes = 1u << 20, .depth = 100};
    const auto live = read_json(text.substr(0, line), limits), applied = read_json(text.substr(line + 1), limits);
    if (!live || !applied || !live->is_map() || !applied->is_map() || applied->find_path({"metadata", "managedFields"})) return 0;
    for (const TypeSchema* schema : {find_builtin_type("apps", "v1", "Deployment"), &deduced_schema()}) {
        merge::Request request;
        request.manager = "fuzz";
        request.api_version = "apps/v1";
        request.now = "2026-01-01T00:00:00Z";
        request.schema = schema;
        request.force = true;
        const auto once = merge::apply(*live, *applied, request);
        if (!once) continue;
        const auto twice = merge::apply(*once, *applied, request); // applying again changes nothing
        if (!twice || !(*twice == *once)) std::abort();
        (void)merge::update(*live, *once, request);
        if (!merge::compare_values(*live, *live, *schema).same()) std::abort();
    }
    return 0;
}
