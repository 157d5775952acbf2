// The yaml store of SOPS: whatever it reads it can write, and what it wrote reads as the same values; the quick reader of events reads as libyaml does.
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
    if (!slow || slow->list.size() != quick->list.size() + 1) std::abort(); // libyaml also tells the start of the stream
    for (std::size_t i = 0; i < quick->list.size(); ++i)
        if (!same(quick->list[i], slow->list[i + 1])) std::abort();
}

// Whether two documents hold the same, comments left out.
bool same_values(const Value& a, const Value& b);
bool same_values(const Branch& a, const Branch& b) {
    const auto next = [](const Branch& of, std::size_t& i) {
        while (i < of.size() && of[i].is_comment()) ++i;
        return i < of.size() ? &of[i++] : nullptr;
    };
    for (std::size_t i = 0, k = 0;;) {
        const Item *left = next(a, i), *right = next(b, k);
        if (left == nullptr || right == nullptr) return left == right;
        if (left->key != right->key || !same_values(left->value, right->value)) return false;
    }
}
bool same_values(const std::vector<Value>& a, const std::vector<Value>& b) {
    const auto next = [](const std::vector<Value>& of, std::size_t& i) {
        while (i < of.size() && of[i].kind == Kind::comment) ++i;
        return i < of.size() ? &of[i++] : nullptr;
    };
    for (std::size_t i = 0, k = 0;;) {
        const Value *left = next(a, i), *right = next(b, k);
        if (left == nullptr || right == nullptr) return left == right;
        if (!same_values(*left, *right)) return false;
    }
}
bool same_values(const Value& a, const Value& b) {
    const auto number = [](const Value& v) { return v.kind == Kind::integer || v.kind == Kind::floating; }; // 1.0 is written as 1
    if (a.kind != b.kind && !(number(a) && number(b))) return false;
    if (a.kind == Kind::branch) return same_values(a.branch, b.branch);
    if (a.kind == Kind::list) return same_values(a.list, b.list);
    return a.kind == Kind::time || number(a) || leaf_bytes(a) == leaf_bytes(b);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    compare_readers(text);
    (void)load_encrypted(Format::yaml, text);
    const auto branches = load_plain(Format::yaml, text);
    if (!branches) return 0;
    const auto written = emit_plain(Format::yaml, *branches);
    if (!written) return 0;
    const auto again = load_plain(Format::yaml, *written);
    if (!again || again->size() != branches->size()) std::abort();
    for (std::size_t i = 0; i < again->size(); ++i)
        if (!same_values((*branches)[i], (*again)[i])) std::abort();
    return 0;
}
