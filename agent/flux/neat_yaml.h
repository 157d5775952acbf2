// YAML for people, as the change reports of `flux diff` show it: not made to be read back. Strings are quoted by rules of its own, lists stand at the
// column of their key, texts of several lines are literal blocks.
//
// Pure and thread-safe.
#pragma once

#include <string>

#include "kube/base/node.h"

namespace weber::agent {

// Ends in a newline, save an empty list or map by itself, which is nothing. Keys in the order of the node.
std::string neat_yaml(const Node& node);

// The same tree with the keys of maps in an order for people: those that name a thing first, then short values before deep ones. Maps without such a key
// keep their order.
Node in_readable_order(const Node& node);

// Go's %q.
std::string go_quoted(std::string_view text);

} // namespace weber::agent
