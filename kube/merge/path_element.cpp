#include "kube/merge/path_element.h"

#include <algorithm>
#include <array>

#include "kube/base/json.h"

namespace weber::kube::merge {

Text field_element(std::string_view name) {
    std::string wire;
    wire.reserve(name.size() + 2);
    wire += "f:";
    wire += name;
    return Text(wire);
}

namespace {

std::unexpected<Error> bad(std::string text) { return fail(ErrorCode::invalid, std::move(text)); }

Result<Text> key_element(const TypeSchema& list, const Node& item) {
    if (item.is_null()) return bad("associative list with keys may not have a null element");
    if (!item.is_map()) return bad("associative list with keys may not have non-map elements");
    std::array<std::pair<std::string_view, const Node*>, 8> found;
    std::size_t n = 0;
    for (std::string_view key : list.keys) {
        const Node* value = item.find(key);
        if (value == nullptr && list.element != nullptr)
            if (const FieldSchema* field = list.element->field(key)) value = field->key_default;
        if (value != nullptr && n < found.size()) found[n++] = {key, value};
    }
    if (n == 0) {
        std::string keys;
        for (std::string_view key : list.keys) keys += (keys.empty() ? "\"" : " \"") + std::string(key) + "\"";
        return bad("associative list with keys has an element that omits all key fields [" + keys +
                   "] (and doesn't have default values for any key fields)");
    }
    std::sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string wire = "k:{";
    for (std::size_t i = 0; i < n; ++i) {
        wire += i == 0 ? "\"" : ",\"";
        wire += found[i].first;
        wire += "\":";
        write_json(*found[i].second, wire);
    }
    wire += '}';
    return Text(wire);
}

Result<Text> value_element(const Node& item) {
    if (item.is_map()) return bad("associative list without keys has an element that's a map type");
    if (item.is_list()) return bad("not supported: associative list with lists as elements");
    if (item.is_null()) return bad("associative list without keys has an element that's an explicit null");
    std::string wire = "v:";
    write_json(item, wire);
    return Text(wire);
}

} // namespace

Result<Text> item_element(const TypeSchema& list, const Node& item) {
    return list.list_type == ListType::map ? key_element(list, item) : value_element(item);
}

std::string element_to_string(std::string_view element) {
    const std::string_view body = element.substr(std::min<std::size_t>(2, element.size()));
    if (element.starts_with("f:")) return "." + std::string(body);
    if (element.starts_with("v:")) return "[=" + std::string(body) + "]";
    if (!element.starts_with("k:")) return "[" + std::string(body) + "]";
    std::string out = "[";
    const auto keys = read_json(body);
    if (!keys) return "[" + std::string(body) + "]";
    for (const auto& [key, value] : keys->entries()) out += (out.size() > 1 ? "," : "") + key.str() + "=" + write_json(value);
    return out + "]";
}

} // namespace weber::kube::merge
