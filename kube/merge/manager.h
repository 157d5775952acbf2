// Server-side apply and update tracking: an object, a request, and metadata.managedFields in between (spec apply.md section 11;
// apimachinery's managedfields package).
//
// Pure and thread-safe; time comes in as text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/schema.h"
#include "kube/merge/field_set.h"

namespace weber::kube::merge {

// One entry of metadata.managedFields.
struct ManagedEntry {
    std::string manager;
    bool apply = false; // operation Apply, else Update
    std::string api_version;
    std::string subresource;
    std::string time; // RFC 3339, "" = none
    FieldSet fields;

    // Same owner: an applier is one owner across API versions, an updater is not.
    [[nodiscard]] bool same_owner(const ManagedEntry& o) const {
        return apply == o.apply && manager == o.manager && subresource == o.subresource && (apply || api_version == o.api_version);
    }
};

// Entries of an object; unusable ones (unknown operation, no fieldsV1) are left out.
std::vector<ManagedEntry> read_managed_fields(const Node& object);
// Does every entry say who, how and in which format? If not, a request's list counts for nothing.
bool managed_fields_readable(const Node& list);
// Sorted as kube-apiserver does (Apply first, then time, manager, version) and put into `object`; no entry removes the field.
void write_managed_fields(Node& object, std::vector<ManagedEntry> entries);

// The object at another served version, and that version's schema. nullopt: the version is not known any more.
struct VersionedObject {
    Node object;
    const TypeSchema* schema = nullptr;
};
using Converter = std::function<std::optional<VersionedObject>(const Node& object, std::string_view api_version)>;

struct Request {
    std::string_view manager;           // fieldManager
    std::string_view api_version;       // of the request
    std::string_view subresource = {};  // "" or "status", "scale", …
    std::string_view now = {};          // RFC 3339
    const TypeSchema* schema = nullptr; // of api_version; never null
    Node zero = {};                     // what a new object of the type starts from (the structs that it always has); null: nothing
    Converter convert = {};             // empty: managers of other versions are treated as if at this version
    FieldSet reset_fields = {};         // paths that this request cannot own ({status} on the main resource)
    bool force = false;                 // apply only
    bool mask_values = false;           // error texts do not quote values (Secrets)
};

// Server-side apply of `applied` (its metadata.managedFields must be absent) to `live` (null: a new object).
// Returns the object with managedFields; equal to `live` when nothing changed (time of the manager then kept).
// Errors: conflict, with details (FieldManagerConflict) and kube-apiserver's text; invalid when `applied` does not fit the schema: message
// `failed to create typed patch object (ns/name; v1, Kind=ConfigMap): …`, or the object not that of a manager's version: `failed to convert new object: …`.
Result<Node> apply(const Node& live, const Node& applied, const Request& request);

// managedFields of `next` after a create, update or non-apply patch (`live` null: a new object). An explicitly emptied managedFields in `next`
// ([] or [{}]) resets ownership: nothing is tracked by this request (a request to a subresource cannot, nor can it send a list). All ownership is forgotten when the object does not fit the version of one
// of its managers.
Node update(const Node& live, Node next, const Request& request);

} // namespace weber::kube::merge
