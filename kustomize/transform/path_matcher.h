// Finds all fields that a path of a replacement target means, as kyaml's PathMatcher does: field names, element numbers, "*" (every
// element), "[key=regex]" (every element whose field matches, anywhere in its text).
//
// Thread-safety: a PathPattern is immutable; FieldMatches belongs to one thread.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/regex.h"

namespace weber::kustomize {

// A path with its regular expressions compiled.
class PathPattern {
public:
    explicit PathPattern(std::vector<std::string> parts);

    struct Part {
        enum class Kind : std::uint8_t { field, number, every, elements } kind = Kind::field;
        std::string text;            // as written
        std::size_t number = 0;
        std::string key, value;      // elements: the field ("" for elements that are scalars) and what it must match
        std::optional<Regex> regex;  // elements: null when `value` is literal
        std::optional<Error> error;  // said when an element is tried
        [[nodiscard]] bool matches(const Node& value) const;
    };
    [[nodiscard]] std::span<const Part> parts() const { return parts_; }
    [[nodiscard]] std::span<const std::string> texts() const { return texts_; }

private:
    std::vector<std::string> texts_;
    std::vector<Part> parts_;
};

// Fields found. Pointers stay valid while the root is not changed by others.
struct FieldMatches {
    std::vector<Node*> fields;
    // Owns what stands in no tree: what is created below a null, and text of scalars read as YAML. Changes to it are lost, as
    // in kustomize.
    std::deque<Node> detached;
};

// `create`: the kind missing last fields get; nullopt: nothing is created.
Result<FieldMatches> match_fields(Node& root, std::span<const PathPattern::Part> path, std::optional<NodeKind> create);

} // namespace weber::kustomize
