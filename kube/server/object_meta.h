// Small readers and writers of an object's metadata, and its canonical JSON.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"
#include "kube/server/store.h"

namespace weber::kube::server {

std::string_view meta_text(const Node& obj, std::string_view field); // metadata.<field>, "" when absent
Node& meta_mut(Node& obj);
void set_meta(Node& obj, std::string_view field, std::string_view value); // "" erases
void erase_meta(Node& obj, std::string_view field);
std::int64_t meta_int(const Node& obj, std::string_view field, std::int64_t fallback = 0);

std::vector<std::string> finalizers(const Node& obj);
void set_finalizers(Node& obj, const std::vector<std::string>& list); // empty erases the field
bool has_finalizer(const Node& obj, std::string_view name);
bool add_finalizer(Node& obj, std::string_view name);    // false when it was there
bool remove_finalizer(Node& obj, std::string_view name); // false when it was not there
inline bool is_deleting(const Node& obj) { return !meta_text(obj, "deletionTimestamp").empty(); }

// Compact JSON with apiVersion, kind, metadata first, and in metadata name … resourceVersion first: equal objects give
// equal bytes up to the order inside spec, and the store finds its placeholder.
std::string canonical_json(const Node& obj);

// What the store needs to know of `obj`; its JSON has the placeholder as resourceVersion.
StoredObject to_stored(Node obj);
// Fills name, uid, labels … from `json` (for objects read from disk). False when it is not an object.
bool decode_stored(StoredObject& o);
// The object as a tree. Stored JSON is our own, so it parses; null otherwise.
Node parse_stored(const StoredObject& o);

// Equal but for the times in managedFields (and resourceVersion)?
bool same_but_times(const Node& a, const Node& b);

} // namespace weber::kube::server
