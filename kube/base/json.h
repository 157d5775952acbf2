// JSON text and Node, both ways.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

struct JsonReadOptions {
    std::string_view file = {};        // name for errors and positions
    std::size_t bytes = 256u << 20;    // cap on the input
    std::size_t depth = 512;           // cap on nesting
    std::vector<std::string>* repeated = nullptr; // gets the paths of keys that come again ("metadata.labels.a", "list[0].b"), each once
};

// One JSON value. Numbers keep their text; a number with fraction or exponent is `floating`, else `integer`.
// A repeated key: the last one wins, as in Go. Errors: invalid (byte offset in the message), too_large.
Result<Node> read_json(std::string_view text, const JsonReadOptions& options = {});

enum class JsonEscape : std::uint8_t {
    none, // only what JSON demands
    html, // < > & as \u003c…, as Go's encoding/json does by default
};

// Compact JSON, map order kept, no final newline. Integers in YAML forms (0x1F, 0777) are written in decimal; .nan and
// .inf, which JSON cannot say, as null. Invalid UTF-8 becomes U+FFFD.
std::string write_json(const Node& node, JsonEscape escape = JsonEscape::none);
void write_json(const Node& node, std::string& out, JsonEscape escape = JsonEscape::none);

// Indented by `indent` blanks, keys sorted when asked, with a final newline: for people and `-o json`.
std::string write_json_pretty(const Node& node, int indent = 4, bool sort_keys = false, JsonEscape escape = JsonEscape::none);

} // namespace weber::kube
