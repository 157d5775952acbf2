// Label and field selectors as they stand in URLs.
#include <cstdint>
#include <string_view>

#include "kube/base/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const Node kObject =
        Node::map({{"metadata", Node::map({{"name", Node::string("a")}, {"labels", Node::map({{"a", Node::string("b")}, {"n", Node::string("5")}})}})}});
    if (const auto labels = kube::LabelSelector::parse(text)) (void)labels->matches_object(kObject);
    if (const auto fields = kube::FieldSelector::parse(text)) (void)fields->matches(kObject);
    return 0;
}
