// JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on Nodes.
//
// Pure and thread-safe; a JsonPatch may be applied from several threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

// The unescaped reference tokens of a JSON pointer ("/a~1b/0" → "a/b", "0"). What stands before the first slash is
// ignored, as evanphx/json-patch does; a text without a slash gives no tokens.
std::vector<std::string> parse_json_pointer(std::string_view pointer);

// A reference token as it stands in a JSON pointer: "a/b" → "a~1b", "~" → "~0" (RFC 6901, 3).
std::string escape_json_pointer(std::string_view token);

// Behaviour and error texts are those of evanphx/json-patch v4, which kustomize and kube-apiserver use: `add` needs an
// existing parent; array indices may be negative, `-` appends; `replace` of an absent map key adds it; only `replace`
// and `test` may name the whole document (""); an absent `value` is null.
class JsonPatch {
public:
    struct Operation {
        std::string op;          // checked when applied
        std::string path, from;
        bool has_path = false, has_from = false, has_value = false;
        Node value;
    };

    JsonPatch() = default;
    // A list of maps. Errors: ErrorCode::invalid with the place of what is not.
    static Result<JsonPatch> from_node(const Node& operations);

    // Changes `document`; on error it is left as it was. Errors: ErrorCode::invalid; message as json-patch words it, e.g.
    // `remove operation does not apply: doc is missing path: "/a": missing value`.
    Result<void> apply(Node& document) const;

    [[nodiscard]] bool empty() const { return operations_.empty(); }
    [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }

private:
    std::vector<Operation> operations_;
};

// RFC 7386: maps merge, null removes, anything else replaces. Cost: the size of `patch`.
void apply_merge_patch(Node& target, const Node& patch);

} // namespace weber::kube
