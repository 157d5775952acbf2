// What differs between two documents, place by place, with the rules of the library that `flux diff` prints with (dyff 1.10): entries of lists are known by
// a field where one tells them apart, else by their value.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kube/base/node.h"

namespace weber::agent {

enum class ChangeKind : std::uint8_t { added, removed, changed, reordered };

struct ChangeDetail {
    ChangeKind kind;
    Node before; // of `added`: nothing. `removed` and `added` hold a map or list of the entries that went or came; `reordered` both lists in their order
    Node after;
};

// All that happened at one path ("spec.template.spec.containers.main"; "" = the document itself), in the order in which it is told.
struct Change {
    std::string path;
    std::vector<ChangeDetail> details;
};

// A place comes before what lies below it, keys in go-yaml's order.
std::vector<Change> changes_between(const Node& before, const Node& after);

} // namespace weber::agent
