// Reads structs from Node maps by tables of fields, as Go's decoders do: names match exactly, else whatever their case;
// null leaves a field alone; an unknown field is an error when `strict`.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/ascii.h"
#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/types.h"

namespace weber::kustomize {

struct Decoder {
    bool strict = true; // unknown fields are errors (kustomization files); else they are skipped (plugin configurations)
    bool lax = false;   // numbers and booleans may stand for strings (plugin configurations)

    Result<void> text(const Node& node, std::string& out) const;
    Result<void> boolean(const Node& node, bool& out) const;
    Result<void> integer(const Node& node, std::int64_t& out) const;
    Result<void> texts(const Node& node, std::vector<std::string>& out) const;
    Result<void> text_map(const Node& node, StringMap& out) const;
};

// The line in which the text of a scalar begins: a block scalar's stands below its key.
std::uint32_t text_begins(const Node& node);

// "expected a list, found string", with the place of the node.
[[nodiscard]] std::unexpected<Error> wrong_type(std::string_view expected, const Node& found);
[[nodiscard]] std::unexpected<Error> unknown_field(std::string_view name, const Node& value, std::span<const std::string_view> known);

template <class T>
struct Field {
    std::string_view name;
    Result<void> (*read)(const Decoder&, const Node&, T&);
};

template <class T>
Result<void> decode_map(const Decoder& d, const Node& node, std::span<const Field<T>> fields, T& out) {
    if (node.is_null()) return {};
    if (!node.is_map()) return wrong_type("a map", node);
    for (const Node::Entry& e : node.entries()) {
        const Field<T>* match = nullptr;
        for (const Field<T>& f : fields) {
            if (e.key == f.name) {
                match = &f;
                break;
            }
            if (!match && kube::same_but_case(e.key, f.name)) match = &f;
        }
        if (!match) {
            if (!d.strict) continue;
            std::vector<std::string_view> known;
            for (const Field<T>& f : fields) known.push_back(f.name);
            return unknown_field(e.key, e.value, known);
        }
        if (e.value.is_null()) continue;
        if (auto result = match->read(d, e.value, out); !result)
            return fail(std::move(result.error()).with_prefix(std::string(match->name) + ": "));
    }
    return {};
}

template <class T, class ReadOne>
Result<void> decode_list(const Node& node, std::vector<T>& out, ReadOne read_one) {
    if (node.is_null()) return {};
    if (!node.is_list()) return wrong_type("a list", node);
    out.clear();
    out.reserve(node.size());
    for (const Node& item : node.items()) {
        T value{};
        TRY_VOID(read_one(item, value));
        out.push_back(std::move(value));
    }
    return {};
}

// The option structs, wherever they stand.
Result<void> decode(const Decoder& d, const Node& node, Selector& out);
Result<void> decode(const Decoder& d, const Node& node, FieldSpec& out);
Result<void> decode(const Decoder& d, const Node& node, FieldSpecs& out);
Result<void> decode(const Decoder& d, const Node& node, PatchOptions& out);
Result<void> decode(const Decoder& d, const Node& node, Patch& out);
Result<void> decode(const Decoder& d, const Node& node, Image& out);
Result<void> decode(const Decoder& d, const Node& node, Replica& out);
Result<void> decode(const Decoder& d, const Node& node, Label& out);
Result<void> decode(const Decoder& d, const Node& node, FieldOptions& out);
Result<void> decode(const Decoder& d, const Node& node, ReplacementEntry& out);
Result<void> decode(const Decoder& d, const Node& node, GeneratorOptions& out);
Result<void> decode(const Decoder& d, const Node& node, GeneratorArgs& out);
Result<void> decode(const Decoder& d, const Node& node, SortOptions& out);
Result<void> decode(const Decoder& d, const Node& node, Var& out);
Result<void> decode(const Decoder& d, const Node& node, HelmChart& out);
Result<void> decode(const Decoder& d, const Node& node, HelmGlobals& out);
Result<void> decode(const Decoder& d, const Node& node, TransformerConfig& out);

} // namespace weber::kustomize
