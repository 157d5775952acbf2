// CEL from text to value: any bytes compile or fail, what compiles evaluates within its cost, and what passes the check means the same without it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kube/base/json.h"
#include "kube/cel/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const Node kObject = *kube::read_json(
        R"({"self": {"status": {"ready": true}}, "dep": {"metadata": {"generation": 2}, "list": [1, 2.5, "x", null, {"a": 1}]}, "n": 5, "s": "text"})");
    static const cel::Environment kChecked{.variables = {{"self", cel::types::map(cel::types::string(), cel::types::dyn())},
                                                         {"dep", cel::types::map(cel::types::string(), cel::types::dyn())}}};
    const cel::ObjectBindings bindings(kObject);
    const auto parsed = cel::Program::compile(text, {.check = cel::Check::none});
    if (!parsed) return 0;
    const auto loose = parsed->evaluate(bindings, 200'000);
    const auto checked = cel::Program::compile(text, kChecked);
    if (!checked) return 0;
    const auto strict = checked->evaluate(bindings, 200'000);
    cel::Budget budget;
    if (loose && strict && !cel::equal(*loose, *loose, budget)) return 0; // NaN
    if (loose && strict && !budget.exhausted() && !cel::equal(*loose, *strict, budget) && !budget.exhausted()) std::abort();
    return 0;
}
