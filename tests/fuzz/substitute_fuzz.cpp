// The substitution parser, and the short way of substituting an object against the long way.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gitops/substitute/substitute.h"
#include "kube/base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const gitops::Variables kVariables = {{"a", "hello"}, {"b", "x: y"}, {"n", "0755"}, {"e", ""}, {"q", "'"}, {"neg", "-2"},
                                                {"u", "h\xC3\xA9"}, {"bytes", "x\xFF\xC3"}};
    (void)gitops::expand(text, kVariables, true);
    (void)gitops::expand(text, kVariables, false);
    if (!kube::is_valid_utf8(text)) return 0; // no reader lets that through
    const Node object = Node::map({{"kind", Node::string("Thing")}, {"spec", Node::map({{"k", Node::string(text)}})}});
    Node quick = object;
    if (!gitops::substitute_in_place(quick, kVariables, false)) return 0;
    const auto slow = gitops::Substitution(kVariables, {}).by_text(object);
    if (!slow || *slow != quick) std::abort();
    return 0;
}
