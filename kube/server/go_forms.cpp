#include "kube/server/go_forms.h"

#include <unordered_map>

#include "kube/base/schema_tables.h"

namespace weber::kube::server {

// The same definition appears as several types (with and without merge directives), which share their fields.
std::string_view definition_name(const TypeSchema& type) {
    static const auto names = [] {
        std::unordered_map<const FieldSchema*, std::string_view> out;
        for (const auto& d : schema_tables::kDefinitions) {
            const TypeSchema& t = schema_tables::tables().types[d.type];
            if (!t.fields.empty()) out.emplace(t.fields.data(), d.name);
        }
        return out;
    }();
    if (type.fields.empty()) return {};
    const auto it = names.find(type.fields.data());
    return it == names.end() ? std::string_view() : it->second;
}

} // namespace weber::kube::server
