// Types as cel-go prints them ("map(string, dyn)", "wrapper(int)", "google.protobuf.Timestamp") to types: test data names them so.
#pragma once

#include <string_view>
#include <vector>

#include "kube/cel/type.h"

namespace weber::cel {

// Only for well-formed texts; takes the type off the front of `text`.
inline TypePtr take_type(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of("(,)"), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(end);
    std::vector<TypePtr> params;
    if (text.starts_with('(')) {
        do {
            text.remove_prefix(1);
            while (text.starts_with(' ')) text.remove_prefix(1);
            params.push_back(take_type(text));
        } while (text.starts_with(','));
        text.remove_prefix(1);
    }
    if (name.starts_with('<')) return types::param(name.substr(1, name.size() - 2));
    if (name == "wrapper") return types::wrapper(params.at(0));
    if (name == "list") return types::list(params.at(0));
    if (name == "map") return types::map(params.at(0), params.at(1));
    if (name == "type" && !params.empty()) return types::type_of(params[0]);
    if (name == "dyn") return types::dyn();
    if (!params.empty()) return types::opaque(name, params);
    if (const TypePtr named = named_type(name)) return named;
    return types::message(name);
}

inline TypePtr type_from(std::string_view text) { return take_type(text); }

} // namespace weber::cel
