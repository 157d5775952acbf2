#include "kustomize/transform/name_hash.h"

#include <algorithm>
#include <utility>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kustomize/transform/json_form.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// Hexadecimal digits that could spell words give way to others. Source: kubectl util/hash.
char harmless(char digit) {
    switch (digit) {
    case '0': return 'g';
    case '1': return 'h';
    case '3': return 'k';
    case 'a': return 'm';
    case 'e': return 't';
    default: return digit;
    }
}

// As Go has it after a trip through JSON, which is what kustomize hashes: a date is a time, a number a float64.
Node in_json(const Node& map) {
    const auto differs = [](const Node::Entry& e) { return !e.value.is_string() || !date_of(e.value).empty(); };
    if (std::ranges::none_of(map.entries(), differs)) return map;
    Node values = map;
    to_json_values(values);
    for (Node::Entry& e : values.entries_mut())
        if (const auto number = e.value.is_number() ? e.value.as_double() : std::nullopt) e.value = Node::floating(*number);
    return values;
}

// A field as the hash sees it: a map as it is, a scalar's text, "" when absent.
Node hashed_field(const Node& object, std::string_view field) {
    const Node* value = object.find(field);
    if (value == nullptr) return Node::string("");
    if (value->is_map()) return in_json(*value);
    if (value->is_list()) return *value;
    return Node::string(value->text());
}

// kustomize looks the name up under the key "metadata/name", which no object has: the name counts as empty.
Node hashed_content(const Node& object) {
    const std::string_view kind = object.text_at("kind");
    if (kind != "ConfigMap" && kind != "Secret") return object;
    Node content = Node::map({{"kind", Node::string(kind)}, {"name", Node::string("")}, {"data", hashed_field(object, "data")}});
    const std::string_view more = kind == "Secret" ? "stringData" : "binaryData";
    if (const Node* value = object.find(more); value != nullptr && value->is_map()) content.set(more, in_json(*value));
    if (kind == "Secret") content.set("type", hashed_field(object, "type"));
    return content;
}

} // namespace

std::string content_hash(const Node& object) {
    Node content = hashed_content(object);
    content.sort_keys_deep();
    std::string hash = kube::sha256_hex(kube::write_json(content, kube::JsonEscape::html)).substr(0, 10);
    for (char& c : hash) c = harmless(c);
    return hash;
}

Result<void> append_name_hashes(ResourceSet& resources) {
    for (const auto& r : resources.all()) {
        if (!r->needs_hash) continue;
        const std::string name = std::string(r->name()) + "-" + content_hash(r->node());
        r->store_previous_id();
        r->set_name(name);
    }
    return {};
}

} // namespace weber::kustomize
