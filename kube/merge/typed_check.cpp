#include <set>

#include "kube/base/json.h"
#include "kube/merge/path_element.h"
#include "kube/merge/shape.h"
#include "kube/merge/typed.h"

namespace weber::kube::merge {

namespace {

class Checker {
public:
    Checker(const ValidateOptions& options, std::vector<std::string>& out) : options_(options), out_(out) {}

    void check(const Node& value, const TypeSchema& schema, const std::string& path) {
        switch (shape_of(schema, &value)) {
        case Shape::scalar: scalar(value, schema, path); break;
        case Shape::map: map(value, schema, path); break;
        case Shape::list: list(value, schema, path); break;
        }
    }

private:
    void report(const std::string& path, std::string text) { out_.push_back(path.empty() ? std::move(text) : path + ": " + text); }

    // As Go prints the wrapped value: `&{text}` with %v, `&value.valueUnstructured{Value:…}` with %#v.
    [[nodiscard]] std::string brief(const Node& value) const {
        if (options_.mask_values) return "a value of type " + std::string(value.kind_word());
        return "&{" + (value.is_scalar() ? std::string(value.text()) : write_json(value)) + "}";
    }
    [[nodiscard]] std::string verbose(const Node& value) const {
        if (options_.mask_values) return "a value of type " + std::string(value.kind_word());
        return "&value.valueUnstructured{Value:" + write_json(value) + "}";
    }
    static std::string go_type(const Node& value) {
        switch (value.kind()) {
        case NodeKind::string: return "string";
        case NodeKind::boolean: return "bool";
        case NodeKind::list: return "[]interface {}";
        case NodeKind::map: return "map[string]interface {}";
        default: return "<nil>";
        }
    }

    void scalar(const Node& value, const TypeSchema& schema, const std::string& path) {
        if (value.is_null()) return;
        switch (schema.kind) {
        case TypeKind::integer:
        case TypeKind::number:
            if (!value.is_number()) report(path, "expected numeric (int or float), got " + go_type(value));
            return;
        case TypeKind::boolean:
            if (!value.is_bool()) report(path, "expected boolean, got " + brief(value));
            return;
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::time:
        case TypeKind::micro_time:
            if (!value.is_string()) report(path, "expected string, got " + verbose(value));
            return;
        default:
            if (!value.is_scalar()) report(path, "expected any scalar, got " + brief(value));
        }
    }

    void map(const Node& value, const TypeSchema& schema, const std::string& path) {
        if (value.is_null()) return;
        if (!value.is_map()) return report(path, "expected map, got " + brief(value));
        for (const auto& [key, member] : value.entries()) {
            const TypeSchema* type = member_type(schema, key);
            if (type == nullptr) {
                report(path + "." + key.str(), "field not declared in schema");
                return; // the reference stops at the first unknown field of a map
            }
            if (!value_needs_walk(member, *type)) continue;
            check(member, *type, path + "." + key.str());
        }
    }

    // Spares the path text for the scalars that fit.
    static bool value_needs_walk(const Node& value, const TypeSchema& type) {
        if (value.is_null()) return false;
        if (type.kind == TypeKind::any) return false;
        return !(value.is_string() && (type.kind == TypeKind::string || type.kind == TypeKind::bytes));
    }

    void list(const Node& value, const TypeSchema& schema, const std::string& path) {
        if (value.is_null()) return;
        if (!value.is_list()) return report(path, "expected list, got " + brief(value));
        const bool associative = !is_atomic(schema, Shape::list);
        std::set<Text> seen;
        std::size_t index = 0;
        for (const Node& item : value.items()) {
            std::string step = "[" + std::to_string(index) + "]";
            if (associative) {
                auto element = item_element(schema, item);
                if (!element) return report(path, "element " + std::to_string(index) + ": " + element.error().message);
                step = element_to_string(*element);
                if (!seen.insert(*element).second && !options_.allow_duplicates) report(path, "duplicate entries for key " + step);
            }
            check(item, item_type(schema), path + step);
            ++index;
        }
    }

    const ValidateOptions& options_;
    std::vector<std::string>& out_;
};

} // namespace

std::vector<std::string> check(const Node& value, const TypeSchema& schema, const ValidateOptions& options) {
    std::vector<std::string> out;
    Checker(options, out).check(value, schema, "");
    return out;
}

std::string join_mismatches(const std::vector<std::string>& mismatches) {
    if (mismatches.size() == 1) return mismatches.front();
    std::string out = "errors:";
    for (const std::string& m : mismatches) out += "\n  " + m;
    return out;
}

} // namespace weber::kube::merge
