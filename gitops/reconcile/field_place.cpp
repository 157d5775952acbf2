#include "gitops/reconcile/field_place.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace weber::gitops {

namespace {

const Node* item_at(const Node& list, std::string_view selector) {
    if (!list.is_list()) return nullptr;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(selector.data(), selector.data() + selector.size(), index);
    if (error == std::errc() && end == selector.data() + selector.size()) return index < list.size() ? &list.items()[index] : nullptr;
    const auto matches = [&](const Node& item) { // key="value" or key=value, several with commas
        static const re2::RE2 part(R"re(([A-Za-z0-9_]+)=(?:"([^"]*)"|([^,]*)),?)re");
        std::string_view rest = selector;
        std::string key, quoted, plain;
        while (!rest.empty()) {
            re2::StringPiece input(rest.data(), rest.size());
            if (!RE2::Consume(&input, part, &key, &quoted, &plain)) return false;
            if (item.text_at(key) != (quoted.empty() ? plain : quoted)) return false;
            rest = {input.data(), input.size()};
        }
        return true;
    };
    const auto found = std::ranges::find_if(list.items(), matches);
    return found != list.items().end() ? &*found : nullptr;
}

// The first key or `[…]` of `path`, taken off it.
std::string_view next_part(std::string_view& path) {
    while (path.starts_with('.')) path.remove_prefix(1);
    const std::size_t end = path.starts_with('[') ? std::min(path.find(']'), path.size() - 1) + 1 : std::min(path.find_first_of(".["), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end);
    return part;
}

} // namespace

Where field_place(const Object& object, std::string_view path) {
    Where best = object.where();
    const Node* node = &object.root();
    while (!path.empty() && node != nullptr) {
        const std::string_view whole = path.starts_with('.') ? path.substr(1) : path;
        if (const Node* all = node->is_map() ? node->find(whole) : nullptr) { // keys with dots
            if (const Where where = all->where(); !where.file.empty() && where.line != 0) best = where;
            return best;
        }
        const std::string_view part = next_part(path);
        if (part.empty()) break;
        if (part.starts_with('[')) node = item_at(*node, part.substr(1, part.size() - 2));
        else node = node->is_map() ? node->find(part) : nullptr;
        if (node == nullptr) break;
        if (const Where where = node->where(); !where.file.empty() && where.line != 0) best = where;
    }
    return best;
}

Where refused_place(const Object& object, const Error& refusal) {
    for (const kube::ErrorDetail& d : refusal.details)
        if (!d.field.empty()) return field_place(object, d.field);
    static const re2::RE2 typed(R"((?:\): |\n\s*)(\.[^\s:]+): )");
    std::string path;
    if (RE2::PartialMatch(refusal.message, typed, &path)) return field_place(object, path);
    return object.where();
}

} // namespace weber::gitops
