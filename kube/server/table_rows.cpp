#include "kube/server/table_rows.h"

#include <algorithm>

#include "kube/base/join.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"
#include "kube/server/table.h"

namespace weber::kube::server {

std::string Row::text(std::initializer_list<std::string_view> path, std::string_view none) const {
    const Node* n = o.find_path(path);
    return n && !n->text().empty() ? std::string(n->text()) : std::string(none);
}

std::int64_t Row::number(std::initializer_list<std::string_view> path, std::int64_t none) const {
    const Node* n = o.find_path(path);
    return n ? n->as_int().value_or(none) : none;
}

bool Row::flag(std::initializer_list<std::string_view> path, bool none) const {
    const Node* n = o.find_path(path);
    return n ? n->as_bool(none) : none;
}

std::int64_t Row::size(std::initializer_list<std::string_view> path) const {
    const Node* n = o.find_path(path);
    return n ? static_cast<std::int64_t>(n->size()) : 0;
}

std::span<const Node> Row::items(std::initializer_list<std::string_view> path) const {
    const Node* n = o.find_path(path);
    return n ? n->items() : std::span<const Node>();
}

std::vector<std::string> Row::texts(std::string_view path) const {
    std::vector<std::string> out;
    for (const Node& n : json_path(o, path)) out.emplace_back(n.text());
    return out;
}

std::string Row::since(std::string_view time) const {
    const auto t = parse_rfc3339(time);
    return t ? human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *t)) : "<unknown>";
}

std::string Row::age() const { return since(meta_text(o, "creationTimestamp")); }

const Node* Row::condition(std::string_view type) const {
    for (const Node& c : items({"status", "conditions"}))
        if (c.text_at("type") == type) return &c;
    return nullptr;
}

Node name_cell(const Row& r) { return cell(meta_text(r.o, "name")); }
Node age_cell(const Row& r) { return cell(r.age()); }

std::string format_labels(const Node* labels) {
    std::vector<std::string> parts;
    if (labels)
        for (const auto& [key, value] : labels->entries()) parts.push_back(key.str() + "=" + std::string(value.text()));
    std::sort(parts.begin(), parts.end());
    return parts.empty() ? "<none>" : join(parts, ",");
}

namespace {

std::string expression_text(const Node& e) {
    const std::string key(e.text_at("key"));
    const std::string_view op = e.text_at("operator");
    if (op == "Exists") return key;
    if (op == "DoesNotExist") return "!" + key;
    std::vector<std::string> values;
    if (const Node* list = e.find("values"))
        for (const Node& v : list->items()) values.emplace_back(v.text());
    std::sort(values.begin(), values.end());
    return key + (op == "NotIn" ? " notin (" : " in (") + join(values, ",") + ")";
}

} // namespace

std::string format_label_selector(const Node* selector) {
    std::vector<std::pair<std::string, std::string>> parts; // key → text: requirements are sorted by their keys
    const Node* labels = selector ? selector->find("matchLabels") : nullptr;
    const Node* expressions = selector ? selector->find("matchExpressions") : nullptr;
    if (labels)
        for (const auto& [key, value] : labels->entries()) parts.emplace_back(key.str(), key.str() + "=" + std::string(value.text()));
    if (expressions)
        for (const Node& e : expressions->items()) parts.emplace_back(e.text_at("key"), expression_text(e));
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    for (auto& [key, text] : parts) texts.push_back(std::move(text));
    return texts.empty() ? "<none>" : join(texts, ",");
}

std::string with_more(const std::vector<std::string>& all, std::size_t max, std::string_view none) {
    if (all.empty()) return std::string(none);
    if (all.size() <= max) return join(all, ",");
    const std::vector<std::string> shown(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(max));
    return join(shown, ",") + " + " + std::to_string(all.size() - max) + " more...";
}

} // namespace weber::kube::server
