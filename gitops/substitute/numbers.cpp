#include "gitops/substitute/numbers.h"

#include <cmath>

#include "kube/base/number.h"

namespace weber::gitops {

namespace {

constexpr double kLargestPlain = 1e21; // from here on JSON writes an exponent

} // namespace

bool number_is_canonical(const Node& number) {
    const std::string_view text = number.text();
    if (!number.is_integer() || text.size() > 15 || text.empty()) return false;
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return false;
    return digits.find_first_not_of("0123456789") == std::string_view::npos && text != "-0";
}

std::optional<Node> number_through_json(const Node& number) {
    if (number_is_canonical(number)) return number;
    std::optional<double> value = kube::parse_double(number.text());
    if (number.is_integer())
        if (const auto i = number.as_int()) value = static_cast<double>(*i);
    if (!value || std::isinf(*value) || std::isnan(*value)) return std::nullopt;
    const bool whole = *value == std::trunc(*value) && std::fabs(*value) < kLargestPlain;
    if (!whole) return Node::floating(*value);
    return Node::scalar(NodeKind::integer, kube::Text(*value == 0 ? "0" : kube::format_double(*value)));
}

Result<void> numbers_through_json(Node& node) {
    if (node.is_number()) {
        if (number_is_canonical(node)) return {};
        auto number = number_through_json(node);
        if (!number) {
            const std::string_view text = node.text();
            const std::string_view go = text.find_first_of("nN") == 1 && text.find_first_of("aA") == 2 ? "NaN" : text.starts_with('-') ? "-Inf" : "+Inf";
            return fail(ErrorCode::invalid, "YAMLToJSON: json: unsupported value: " + std::string(go), node.where());
        }
        node = std::move(*number);
    } else if (node.is_map()) {
        for (auto& entry : node.entries_mut()) TRY_VOID(numbers_through_json(entry.value));
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) TRY_VOID(numbers_through_json(item));
    }
    return {};
}

} // namespace weber::gitops
