// Label and field selectors in the syntax of the Kubernetes API ("app=x,tier in (a,b),!gone").
//
// Values; matching is thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

enum class SelectorOp : std::uint8_t { in, not_in, equals, not_equals, exists, not_exists, greater, less };

// One condition on one key. `values` is sorted and free of repeats; one value for all but in and not_in.
struct Requirement {
    std::string key;
    SelectorOp op = SelectorOp::exists;
    std::vector<std::string> values = {};

    // `value` is nullptr when the key is absent. not_in and not_equals hold for an absent key, in and equals do not.
    [[nodiscard]] bool matches(const std::string_view* value) const;
};

// Whose messages errors repeat: those of the copy of apimachinery's parser in kustomize's kyaml, or of apimachinery's own since 1.33, which API servers use.
enum class SelectorWords : std::uint8_t { kyaml, api_server };

// Source: apimachinery pkg/labels selector.go.
class LabelSelector {
public:
    LabelSelector() = default; // matches everything
    // Errors: ErrorCode::invalid, e.g. `unable to parse requirement: found 'x', expected: …`.
    static Result<LabelSelector> parse(std::string_view text, SelectorWords words = SelectorWords::kyaml);

    // `labels` is a map of strings, or nullptr for none (annotations work as well).
    [[nodiscard]] bool matches(const Node* labels) const;
    // Of metadata.labels of an object.
    [[nodiscard]] bool matches_object(const Node& object) const { return matches(object.find_path({"metadata", "labels"})); }
    [[nodiscard]] bool empty() const { return requirements_.empty(); }
    [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; } // sorted by key

private:
    std::vector<Requirement> requirements_;
};

// "metadata.name=x,status.phase!=Running": exact comparisons only. `\,`, `\=` and `\\` escape in values.
// Source: apimachinery pkg/fields selector.go.
class FieldSelector {
public:
    struct Term {
        std::string field; // dotted path of map keys
        std::string value;
        bool equal = true;
    };
    FieldSelector() = default; // matches everything
    // Errors: ErrorCode::invalid, `invalid selector: '…'; can't understand '…'` or `invalid field selector: …` of a value.
    static Result<FieldSelector> parse(std::string_view text);

    // An absent field has the value "". Which fields a kind supports is the caller's to check.
    [[nodiscard]] bool matches(const Node& object) const;
    [[nodiscard]] bool empty() const { return terms_.empty(); }
    [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }

private:
    std::vector<Term> terms_;
};

// A LabelSelector as objects carry it (`matchLabels`, `matchExpressions`) in the text syntax of the API; "" selects everything.
std::string selector_text(const Node& label_selector);

// Rules of label keys and values; empty result: valid. Else the reason as Kubernetes words it, several joined by "; ".
std::string label_key_problem(std::string_view key, SelectorWords words = SelectorWords::kyaml);
std::string label_value_problem(std::string_view value, SelectorWords words = SelectorWords::kyaml);

} // namespace weber::kube
