// The yaml store of SOPS: whatever it reads it can write, and reads what it wrote without harm; the quick reader of events reads as libyaml does.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gitops/decrypt/stores.h"
#include "gitops/decrypt/yaml_events.h"

namespace {

using namespace weber::gitops::sops;

bool same(const YamlEvent& a, const YamlEvent& b) {
    return a.kind == b.kind && a.plain == b.plain && a.text == b.text && a.tag == b.tag && a.anchor == b.anchor &&
           (a.kind != YamlEventKind::scalar || a.text.empty() || a.start.line == b.start.line);
}

void compare_readers(std::string_view text) {
    const auto quick = simple_yaml_events(text);
    if (!quick) return;
    const auto slow = yaml_events(text);
    if (!slow || slow->size() != quick->size() + 1) std::abort(); // libyaml also tells the start of the stream
    for (std::size_t i = 0; i < quick->size(); ++i)
        if (!same((*quick)[i], (*slow)[i + 1])) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    compare_readers(text);
    (void)load_encrypted(Format::yaml, text);
    const auto branches = load_plain(Format::yaml, text);
    if (!branches) return 0;
    const auto written = emit_plain(Format::yaml, *branches);
    if (written) (void)load_plain(Format::yaml, *written);
    return 0;
}
