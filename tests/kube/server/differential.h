// Sequences of requests whose answers must be the same from every API server: read from the tables in differential/, or generated from a
// seed; played against a server; answers made comparable; compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kube/base/node.h"
#include "tests/kube/server/test_server.h"

namespace weber::testing {

struct Step {
    std::string method, path, type, accept, body; // `$ns` stands for the sequence's namespace in path and body
    std::string wait;                             // instead of a request: ask this path until it answers 200
    std::string as = {};                          // user to impersonate; "" = the administrator
    bool text = false;                            // how the answer is written counts, not only what it says
};

struct Sequence {
    std::string name;
    std::vector<Step> steps;
};

std::vector<Sequence> read_sequences(const std::string& file);
// A sequence of changes of a few objects by several managers; equal seeds give equal sequences.
Sequence random_sequence(std::uint32_t seed);
// The same of a custom resource whose definition (sets, keyed lists, atomic maps, defaults, limits) the sequence makes first.
Sequence random_custom_sequence(std::uint32_t seed);
// Of a resource with several versions, written at each of them: a custom one, or HorizontalPodAutoscalers.
Sequence random_versions_sequence(std::uint32_t seed);
// Of what surrounds a write: subresources, directives, preconditions, deletions, lists.
Sequence random_verbs_sequence(std::uint32_t seed);
// Of one of nine more kinds.
Sequence random_kinds_sequence(std::uint32_t seed);

// Makes a namespace, plays the steps in it, deletes it. One answer a step (none for waits): {"status", "body", "warnings"}, with uids, times,
// resourceVersions and allocated addresses replaced by a word.
std::vector<Node> play(const Api& api, const Sequence& sequence);

// Where two answers differ, one line each, ours first; empty = equal.
std::vector<std::string> differences(const Node& ours, const Node& theirs);

} // namespace weber::testing
