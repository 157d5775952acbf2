// How kyaml writes scalars into a tree: a value set without a type takes its type from its look and from the quotes that stood
// around the old value.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kustomize {

// A scalar without a type of its own: quoted (or with a line break) it is a string, plain it is what its text says (a node of style
// `untyped`, until a merge makes a text of it or another text takes its place).
Node bare_scalar(std::string_view text, NodeStyle style = NodeStyle::plain);

// Written without quotes.
inline bool is_bare(NodeStyle style) { return style == NodeStyle::plain || style == NodeStyle::untyped; }

// Is it a string and no unquoted date, or a scalar without type, which kyaml takes for one?
bool is_text(const Node& node);

// Puts `text` in the place of a scalar or null, keeping its style and position. Error on a list or map.
Result<void> set_bare_text(Node& target, std::string_view text);

// Puts a text where a scalar stands; the scalar keeps its type and quotes. A scalar without type (made by `create` or written by an earlier step) takes any.
// ErrorCode::invalid when the text is not of that type.
Result<void> overwrite(Node& target, std::string_view text);

// `value` as it reads after taking over another scalar's style: in quotes everything is a string.
Node restyled(Node value, NodeStyle style);

// Is it a string, or a scalar without type, without quotes that YAML 1.1 takes for something else (y, on, No)? kyaml puts quotes around those whenever it
// writes a field, and they outlive the value. Source: kyaml FieldSetter.Filter, IsYaml1_1NonString.
bool needs_quotes(const Node& value);
void put_quotes(Node& value); // where they are needed

// Sets map[key] as kyaml's FieldSetter does: a scalar that replaces a scalar takes over its style.
void set_field(Node& map, std::string_view key, Node value);

// "wrong node kind: expected ScalarNode but got MappingNode", with the place. The contents are left out: they may be secret.
std::unexpected<Error> wrong_node_kind(NodeKind expected, const Node& found);

// An error about the text in `scalar`, placed in the scalar's file: its line there when the text is a literal block, else the scalar's. A column would be one of
// the text: it is left out.
Error within_text(Error error, const Node& scalar);

// An unquoted date as it stood in a file, or written without a type: go-yaml v3 reads a time, which kustomize prints in RFC 3339. "" for all else; a text
// that the build made has neither line nor quotes.
std::string date_of(const Node& scalar);
// The same when kustomize writes the object and reads it again, as it does before JSON: inside brackets that puts quotes around a text with a colon.
std::string date_of(const Node& scalar, bool in_brackets);

// What go-yaml reads of a folded block that it wrote: it writes one line break more after a line that begins with no blank (none at all when the first line
// does), which stays in the text when an indented line follows, or several breaks end it. Source: go-yaml v3 emitterc.go, yaml_emitter_write_folded_scalar.
std::string refolded(std::string_view text);

// The text of a scalar as kyaml sees it: also "null" for a null that was written out.
std::string_view written_text(const Node& scalar);

// The style that kustomize gives a ConfigMap's value it generates or merges, which a later patch of the value keeps.
// Source: kyaml makeConfigMapValueRNode.
NodeStyle new_value_style(std::string_view value);

} // namespace weber::kustomize
