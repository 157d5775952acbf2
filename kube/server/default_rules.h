// The table behind defaults.h: one function a type. Not for other files.
#pragma once

#include <map>
#include <string_view>

#include "kube/base/node.h"

namespace weber::kube::server {

using DefaultRule = void (*)(Node&);
using DefaultRules = std::map<std::string_view, DefaultRule>; // by definition name

void add_pod_defaults(DefaultRules& rules);      // pods, containers, volumes, probes
void add_workload_defaults(DefaultRules& rules); // Deployment … CronJob, HorizontalPodAutoscaler
void add_other_defaults(DefaultRules& rules);    // all the rest

// Zero or absent is "not set" for Go.
inline void default_text(Node& n, std::string_view key, std::string_view value) {
    if (n.text_at(key).empty()) n.set(key, Node::string(value));
}
inline void default_int(Node& n, std::string_view key, std::int64_t value) {
    const Node* old = n.find(key);
    if (!old || old->is_null()) n.set(key, Node::integer(value));
}
inline void default_nonzero(Node& n, std::string_view key, std::int64_t value) {
    const Node* old = n.find(key);
    if (!old || old->is_null() || old->as_int() == 0) n.set(key, Node::integer(value));
}
inline void default_bool(Node& n, std::string_view key, bool value) {
    const Node* old = n.find(key);
    if (!old || old->is_null()) n.set(key, Node::boolean(value));
}
inline Node& default_map(Node& n, std::string_view key) {
    Node& value = n.get_or_insert(key);
    if (value.is_null()) value = Node::map();
    return value;
}
inline bool has(const Node& n, std::string_view key) {
    const Node* v = n.find(key);
    return v && !v->is_null();
}
// Copies entries of `from` that `to` lacks.
inline void default_entries(Node& to, const Node& from) {
    for (const auto& e : from.entries())
        if (!to.contains(e.key.view())) to.set(e.key, e.value);
}

} // namespace weber::kube::server
