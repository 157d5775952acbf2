// Reading and writing manifests: YAML by libyaml's event interface, one tree for kustomize and kube.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

// Caps against bombs. Exceeding one is ErrorCode::too_large with file and line.
struct YamlLimits {
    std::size_t bytes = 64u << 20;      // of the input
    std::uint32_t depth = 512;          // nested lists and maps
    std::uint32_t documents = 200'000;
    std::uint32_t nodes = 20'000'000;   // made by parsing
    // Nodes that aliases stand for. An alias shares its anchor's tree, but whoever walks the tree pays for it:
    // go-yaml's rule, at most 10 % of the nodes for big documents, is kept as a plain cap.
    std::uint32_t alias_expansion = 400'000;
};

// How plain scalars become types.
enum class YamlSchema : std::uint8_t {
    go_yaml_v3, // kustomize, kyaml: yes/no/on/off are strings, 0o17 and 0777 are integers
    yaml_1_1,   // kubectl, sigs.k8s.io/yaml (goyaml.v2): yes/no/on/off are booleans too
};

struct YamlReadOptions {
    std::string_view file = {}; // name for positions and errors
    std::uint32_t first_line = 1; // of that file: of a text that stands inside another; "line n" in a message still counts from the text's first
    YamlSchema schema = YamlSchema::go_yaml_v3;
    YamlLimits limits = {};
    bool unique_keys = true;    // a repeated map key is an error (go-yaml v3: `mapping key "x" already defined at line n`)
    std::vector<std::string>* repeated = nullptr; // without unique_keys: gets `line 4: key "c" already set in map` for each, as go-yaml v2 says it
};

// All documents of `text`, in order. Empty documents (nothing, or comments only) are null nodes;
// a text without any content gives none. UTF-8 with or without BOM, CRLF accepted. Anchors are resolved, merge keys (<<) are
// merged in as go-yaml does (explicit keys win). A map key must be a scalar; its text becomes the key.
// Errors: ErrorCode::invalid with file and line, message as go-yaml words it (`did not find expected ',' or ']'`); too_large.
Result<std::vector<Node>> read_yaml(std::string_view text, const YamlReadOptions& options = {});

// Exactly one document; none is null, several are ErrorCode::invalid.
Result<Node> read_yaml_one(std::string_view text, const YamlReadOptions& options = {});

enum class YamlKeyOrder : std::uint8_t { as_is, sorted };

struct YamlWriteOptions {
    YamlKeyOrder order = YamlKeyOrder::sorted; // kustomize and kubectl sort
    // Lists inside maps stand at the map's own column, as sigs.k8s.io/yaml and kustomize write them.
    bool compact_sequences = true;
};

// One document, final newline included, no `---`. Style as sigs.k8s.io/yaml writes (the form of `kustomize build` and
// `kubectl get -o yaml`): a string that would read as another type is quoted, multi-line strings are literal blocks.
std::string write_yaml(const Node& node, const YamlWriteOptions& options = {});
void write_yaml(const Node& node, std::string& out, const YamlWriteOptions& options = {});

// Documents separated by `---\n`.
std::string write_yaml_all(const std::vector<Node>& nodes, const YamlWriteOptions& options = {});

// `written`, as YamlDocument::write wrote the first document of `original` after some of its values changed, with the comments of `original` beside, above
// and below the entries they belong to, also inside brackets, and keys in the quotes they had. Comments of entries that are gone are left out.
std::string with_yaml_form(std::string written, std::string_view original);

// What a plain scalar `text` is under `schema`; NodeKind::string when nothing else fits.
NodeKind resolve_plain(std::string_view text, YamlSchema schema);
// Of a text that resolves to a boolean: is it true, yes, y or on, in any case?
inline bool plain_truth(std::string_view text) {
    const char c = text.front();
    return c == 't' || c == 'T' || c == 'y' || c == 'Y' || (text.size() == 2 && (c == 'o' || c == 'O'));
}

// The node of such a text. What kustomize makes a text of (an annotation) is spelled as it was; yes and on are words of YAML 1.1 alone.
inline Node boolean_as_written(std::string_view text, YamlSchema schema) {
    if (schema != YamlSchema::go_yaml_v3 || text == "true" || text == "false") return Node::boolean(plain_truth(text));
    return Node::scalar(NodeKind::boolean, Text(text));
}

// How a null was written, as its style: of "", "~", "null", "Null" or "NULL".
inline NodeStyle null_style(std::string_view text) {
    return text.empty() ? NodeStyle::absent : text == "~" ? NodeStyle::tilde : text == "Null" ? NodeStyle::titled : text == "NULL" ? NodeStyle::upper : NodeStyle::plain;
}
inline const char* null_text(NodeStyle style) {
    switch (style) {
    case NodeStyle::absent: return "";
    case NodeStyle::tilde: return "~";
    case NodeStyle::titled: return "Null";
    case NodeStyle::upper: return "NULL";
    default: return "null";
    }
}

} // namespace weber::kube
