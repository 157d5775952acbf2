#include "gitops/api/field_reader.h"

#include <algorithm>

#include "kube/base/clock.h"

namespace weber::gitops {

FieldReader::FieldReader(const Node* node, std::string path, std::optional<Error>& error) : node_(node), path_(std::move(path)), error_(&error) {
    if (node_ != nullptr && node_->is_null()) node_ = nullptr;
    if (node_ != nullptr && !node_->is_map()) {
        problem(*node_, "", "expected an object, found " + std::string(node_->kind_word()));
        node_ = nullptr;
    }
}

std::string FieldReader::path_of(std::string_view key) const { return key.empty() ? path_ : path_ + "." + std::string(key); }

void FieldReader::problem(const Node& at, std::string_view key, std::string message, ErrorCode code) {
    if (error_->has_value()) return;
    *error_ = Error{.code = code, .message = path_of(key) + ": " + std::move(message), .where = at.where()};
}

const Node* FieldReader::take(std::string_view key, bool required) {
    known_.push_back(key);
    const Node* value = node_ != nullptr ? node_->find(key) : nullptr;
    if (value != nullptr && value->is_null()) value = nullptr;
    if (value == nullptr && required) problem(node_ != nullptr ? *node_ : Node(), key, "Required value");
    return value;
}

std::string FieldReader::text(std::string_view key, bool required) {
    const Node* value = take(key, required);
    if (value == nullptr) return {};
    if (!value->is_string()) problem(*value, key, "expected a string, found " + std::string(value->kind_word()) + " (quote it)");
    return std::string(value->text());
}

bool FieldReader::boolean(std::string_view key, bool fallback, bool required) {
    const Node* value = take(key, required);
    if (value == nullptr) return fallback;
    if (!value->is_bool()) problem(*value, key, "expected true or false, found " + std::string(value->kind_word()));
    return value->as_bool(fallback);
}

std::optional<std::chrono::nanoseconds> FieldReader::duration(std::string_view key, bool required) {
    const std::string value = text(key, required);
    if (value.empty()) return std::nullopt;
    auto parsed = kube::parse_go_duration(value);
    if (!parsed) {
        problem(*node_->find(key), key, "expected a duration such as 10m or 1h30m, found \"" + value + "\"");
        return std::nullopt;
    }
    return *parsed;
}

std::map<std::string, std::string> FieldReader::texts(std::string_view key) {
    std::map<std::string, std::string> out;
    const Node* value = take(key, false);
    if (value == nullptr) return out;
    if (!value->is_map()) problem(*value, key, "expected a map of strings, found " + std::string(value->kind_word()));
    for (const auto& [k, v] : value->entries()) {
        if (!v.is_string()) problem(v, std::string(key) + "." + k.str(), "expected a string, found " + std::string(v.kind_word()) + " (quote it)");
        out.emplace(k.str(), v.text());
    }
    return out;
}

std::vector<std::string> FieldReader::list_of_text(std::string_view key) {
    std::vector<std::string> out;
    const Node* value = take(key, false);
    if (value == nullptr) return out;
    if (!value->is_list()) problem(*value, key, "expected a list of strings, found " + std::string(value->kind_word()));
    for (const Node& item : value->items()) {
        if (!item.is_string()) problem(item, key, "expected a string, found " + std::string(item.kind_word()));
        out.emplace_back(item.text());
    }
    return out;
}

const Node* FieldReader::raw(std::string_view key) { return take(key, false); }
FieldReader FieldReader::object(std::string_view key, bool required) { return {take(key, required), path_of(key), *error_}; }

std::vector<FieldReader> FieldReader::objects(std::string_view key) {
    std::vector<FieldReader> out;
    const Node* value = take(key, false);
    if (value == nullptr) return out;
    if (!value->is_list()) problem(*value, key, "expected a list, found " + std::string(value->kind_word()));
    std::size_t i = 0;
    for (const Node& item : value->items()) out.emplace_back(&item, path_of(key) + "[" + std::to_string(i++) + "]", *error_);
    return out;
}

std::string FieldReader::choice(std::string_view key, std::initializer_list<std::string_view> allowed, bool required) {
    std::string value = text(key, required);
    if (value.empty() || std::ranges::find(allowed, value) != allowed.end()) return value;
    std::string words;
    for (std::string_view a : allowed) words += (words.empty() ? "" : ", ") + std::string(a);
    problem(*node_->find(key), key, "Unsupported value: \"" + value + "\": supported values: " + words);
    return value;
}

void FieldReader::unsupported(std::string_view key, std::string_view what) {
    const Node* value = take(key, false);
    if (value == nullptr || (value->is_list() && value->empty())) return;
    std::string text = "this version of weber does not support this field yet";
    if (!what.empty()) text += " (" + std::string(what) + ")";
    problem(*value, key, std::move(text), ErrorCode::unsupported);
}

void FieldReader::finish() {
    if (node_ == nullptr) return;
    for (const auto& [key, value] : node_->entries())
        if (std::ranges::find(known_, key.view()) == known_.end()) problem(value, key, "unknown field");
}

} // namespace weber::gitops
