#include "kube/merge/manager.h"

#include <algorithm>
#include <map>

#include "kube/base/object.h"
#include "kube/base/json.h"
#include "kube/merge/last_applied.h"
#include "kube/merge/typed.h"

namespace weber::kube::merge {

namespace {

using Entries = std::vector<ManagedEntry>;

// More updaters than this and the oldest become one entry.
constexpr std::size_t kMaxUpdateManagers = 10;
constexpr std::string_view kAncient = "ancient-changes";
constexpr std::string_view kBeforeFirstApply = "before-first-apply";

Node without_managed_fields(Node object) {
    if (Node* metadata = object.find_mut("metadata")) metadata->erase("managedFields");
    return object;
}

// What nobody can own: identity and what the server fills in.
const FieldSet& server_fields() {
    static const FieldSet set = [] {
        Node meta = Node::map({{".", Node::map()}});
        for (std::string_view f : {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName", "f:generation",
                                   "f:managedFields", "f:resourceVersion"})
            meta.set(f, Node::map());
        return FieldSet(Node::map({{"f:apiVersion", Node::map()}, {"f:kind", Node::map()}, {"f:metadata", meta}}));
    }();
    return set;
}

template <class T>
Result<T> explained(std::string_view before, Result<T> result) {
    if (!result) result.error().message.insert(0, before);
    return result;
}

// Objects and comparisons at the versions that managers speak.
class Versions {
public:
    Versions(const Request& request) : request_(request) {}

    // nullopt: the version is gone, its managers are forgotten. Errors: invalid, when the object does not fit the version: a conversion that
    // only renames the version leaves fields that it does not declare.
    Result<std::optional<VersionedObject>> at(const Node& object, std::string_view api_version) const {
        const auto own = object.text_at("apiVersion");
        if (!request_.convert || api_version == (own.empty() ? request_.api_version : own)) return std::optional(VersionedObject{object, schema_of(api_version)});
        auto converted = request_.convert(object, api_version);
        if (!converted) return std::optional<VersionedObject>();
        if (const auto mismatches = check(converted->object, *converted->schema, {.allow_duplicates = false, .mask_values = request_.mask_values}); !mismatches.empty())
            return fail(ErrorCode::invalid, join_mismatches(mismatches));
        return converted;
    }

    // Of live → next; null when the version is gone.
    Result<const Comparison*> compare(const Node& live, const Node& next, const std::string& api_version) {
        const std::string key = request_.convert ? api_version : std::string(request_.api_version);
        if (const auto it = cache_.find(key); it != cache_.end()) return it->second ? &*it->second : nullptr;
        TRY(const auto before, explained("failed to convert old object: ", at(live, key)));
        TRY(const auto after, explained("failed to convert new object: ", at(next, key)));
        std::optional<Comparison> c;
        if (before && after) {
            c = compare_values(before->object, after->object, *after->schema);
            c->added = subtract_deep(c->added, request_.reset_fields);
            c->modified = subtract_deep(c->modified, request_.reset_fields);
            c->removed = subtract_deep(c->removed, request_.reset_fields);
        }
        const auto& stored = cache_[key] = std::move(c);
        return stored ? &*stored : nullptr;
    }

private:
    const TypeSchema* schema_of(std::string_view api_version) const {
        if (!request_.convert || api_version == request_.api_version) return request_.schema;
        const auto there = request_.convert(Node::map({{"apiVersion", Node::string(api_version)}}), api_version);
        return there ? there->schema : request_.schema;
    }

    const Request& request_;
    std::map<std::string, std::optional<Comparison>> cache_;
};

struct Conflict {
    const ManagedEntry* owner;
    FieldSet fields;
};

std::string describe(const ManagedEntry& owner) {
    std::string out = "\"" + owner.manager + "\"";
    if (!owner.subresource.empty()) out += " with subresource \"" + owner.subresource + "\"";
    if (!owner.apply) {
        out += " using " + owner.api_version;
    }
    return out;
}

// Under what the real server keeps an owner, and so the order in which it tells of several: JSON, which puts a subresource before none.
std::string owner_key(const ManagedEntry& owner) {
    Node key = Node::map({{"manager", Node::string(owner.manager)}, {"operation", Node::string(owner.apply ? "Apply" : "Update")}});
    if (!owner.apply) key.set("apiVersion", Node::string(owner.api_version));
    if (!owner.subresource.empty()) key.set("subresource", Node::string(owner.subresource));
    return write_json(key);
}

// `details`: those of one owner together.
Error conflict_error(std::vector<ErrorDetail> details) {
    Error e{.code = ErrorCode::conflict, .message = {}, .reason = "Conflict", .http_status = 409};
    e.details = std::move(details);
    std::string lines;
    std::string_view owner;
    for (const ErrorDetail& d : e.details) {
        if (d.message != owner) lines += (lines.empty() ? "conflicts" : "\nconflicts") + d.message.substr(std::string_view("conflict").size()) + ":";
        owner = d.message;
        lines += "\n- " + d.field;
    }
    e.message = e.details.size() == 1 ? "Apply failed with 1 conflict: " + e.details[0].message + ": " + e.details[0].field
                                      : "Apply failed with " + std::to_string(e.details.size()) + " conflicts: " + lines;
    return e;
}

Error conflict_error(std::vector<Conflict> conflicts) {
    std::ranges::stable_sort(conflicts, {}, [](const Conflict& c) { return owner_key(*c.owner); });
    std::vector<ErrorDetail> details;
    for (const Conflict& c : conflicts)
        for (std::string& path : c.fields.leaves().paths()) details.push_back({"FieldManagerConflict", "conflict with " + describe(*c.owner), std::move(path)});
    return conflict_error(std::move(details));
}

// Takes from all managers but `self` what changed from `live` to `next`. Errors: conflicts, unless forced.
Result<void> take_ownership(const Node& live, const Node& next, Entries& entries, const ManagedEntry* self, Versions& versions, bool force) {
    std::vector<Conflict> conflicts;
    std::vector<std::pair<ManagedEntry*, FieldSet>> changes;
    std::vector<ManagedEntry*> gone;
    for (ManagedEntry& e : entries) {
        if (&e == self) continue;
        TRY(const Comparison* c, versions.compare(live, next, e.api_version));
        if (c == nullptr) {
            gone.push_back(&e);
            continue;
        }
        FieldSet lost = intersect(e.fields, unite(c->modified, c->added));
        if (!lost.empty() && !force) conflicts.push_back({&e, lost});
        changes.emplace_back(&e, subtract(subtract(e.fields, lost), c->removed));
    }
    if (!conflicts.empty()) return std::unexpected(conflict_error(std::move(conflicts)));
    for (auto& [entry, fields] : changes) entry->fields = std::move(fields);
    for (ManagedEntry* g : gone) g->fields = {};
    return {};
}

// Puts back into `pruned` what others (or the new configuration) own of `merged`, at one version.
Node add_back_owned(const Node& merged, const Node& pruned, const FieldSet& owned, const TypeSchema& schema) {
    const FieldSet all = with_named_fields(field_set_of(merged, schema), schema);
    const FieldSet left = with_named_fields(field_set_of(pruned, schema), schema);
    return remove_fields(merged, subtract(all, unite(left, with_named_fields(owned, schema))), schema);
}

// Removes what the manager applied last time and not now, and nobody else owns.
Result<Node> prune(const Node& merged, const Entries& entries, const ManagedEntry* last, Versions& versions, std::string_view request_version) {
    if (last == nullptr || last->fields.empty()) return merged;
    TRY(const auto at_last, explained("failed to convert merged object to last applied version: ", versions.at(merged, last->api_version)));
    if (!at_last) return merged;
    const TypeSchema& schema = *at_last->schema;
    const FieldSet last_named = with_named_fields(last->fields, schema);
    Node pruned = remove_fields(at_last->object, last_named, schema);

    std::map<std::string, FieldSet> owned; // by version
    for (const ManagedEntry& e : entries) owned[e.api_version] = unite(owned[e.api_version], e.fields);
    const auto put_back = [&](const std::string& version, const FieldSet& fields) -> Result<void> {
        const std::string words = "failed add back owned items: failed to convert ", where = " object at version " + version + ": ";
        TRY(const auto m, explained(words + "merged" + where, versions.at(merged, version)));
        if (!m) return {};
        TRY(const auto p, explained(words + "pruned" + where, versions.at(pruned, version)));
        if (p) pruned = add_back_owned(m->object, p->object, fields, *m->schema);
        return {};
    };
    if (const auto it = owned.find(last->api_version); it != owned.end()) {
        TRY_VOID(put_back(it->first, it->second));
        owned.erase(it);
    }
    for (const auto& [version, fields] : owned) TRY_VOID(put_back(version, fields));

    // Only what this manager had owned may go.
    TRY(const auto back, explained("failed add back dangling items: ", versions.at(pruned, last->api_version)));
    if (!back) return merged;
    const FieldSet all = with_named_fields(field_set_of(at_last->object, schema), schema);
    const FieldSet left = with_named_fields(field_set_of(back->object, schema), schema);
    const Node result = remove_fields(at_last->object, intersect(subtract(all, left), last_named), schema);
    TRY(const auto out, versions.at(result, request_version));
    return out ? out->object : merged;
}

// Every owner's version must be able to show the object. Errors: the first that is not.
Result<void> check_versions(const Node& live, const Entries& entries, const Versions& versions) {
    for (const ManagedEntry& e : entries) TRY_VOID(versions.at(live, e.api_version));
    return {};
}

ManagedEntry* find_owner(Entries& entries, const ManagedEntry& who) {
    const auto it = std::ranges::find_if(entries, [&](const ManagedEntry& e) { return e.same_owner(who); });
    return it == entries.end() ? nullptr : &*it;
}

ManagedEntry identity(const Request& request, bool apply) {
    ManagedEntry e;
    e.manager = request.manager.empty() ? "unknown" : std::string(request.manager);
    e.apply = apply;
    e.api_version = request.api_version;
    e.subresource = request.subresource;
    e.time = request.now;
    return e;
}

// Gives what changed from `live` to `next` to `who`, adding to what it owned. Errors: a version that cannot show the object.
Result<void> track(const Node& live, const Node& next, Entries& entries, ManagedEntry who, const Request& request) {
    Versions versions(request);
    TRY_VOID(check_versions(live, entries, versions));
    // Taken from everybody, the same manager's earlier entry included.
    TRY_VOID(take_ownership(live, next, entries, nullptr, versions, true));
    TRY(const Comparison* c, versions.compare(live, next, who.api_version));
    if (c == nullptr) return {};
    FieldSet taken = subtract_deep(unite(c->modified, c->added), request.reset_fields);
    taken = subtract(taken, server_fields());
    if (taken.empty()) return {};
    if (ManagedEntry* mine = find_owner(entries, who)) {
        mine->fields = unite(taken, mine->fields);
        mine->time = who.time;
    } else {
        who.fields = std::move(taken);
        entries.push_back(std::move(who));
    }
    return {};
}

void cap_updaters(Entries& entries) {
    std::erase_if(entries, [](const ManagedEntry& e) { return e.fields.empty(); });
    std::vector<ManagedEntry*> updaters;
    for (ManagedEntry& e : entries)
        if (!e.apply && e.subresource.empty()) updaters.push_back(&e);
    if (updaters.size() <= kMaxUpdateManagers) return;
    std::ranges::stable_sort(updaters, {}, [](const ManagedEntry* e) { return e->time; });
    const std::size_t surplus = updaters.size() - kMaxUpdateManagers;
    std::map<std::string, ManagedEntry> buckets; // by version
    for (std::size_t i = 0; i <= surplus && i < updaters.size(); ++i) {
        ManagedEntry& bucket = buckets[updaters[i]->api_version];
        bucket.manager = kAncient;
        bucket.api_version = updaters[i]->api_version;
        bucket.time = std::max(bucket.time, updaters[i]->time);
        bucket.fields = unite(bucket.fields, updaters[i]->fields);
        updaters[i]->fields = {};
    }
    std::erase_if(entries, [](const ManagedEntry& e) { return e.fields.empty(); });
    for (auto& [version, bucket] : buckets) entries.push_back(std::move(bucket));
}

std::string patch_subject(const Node& applied, std::string_view api_version) {
    const Object o(applied);
    const auto slash = api_version.find('/');
    const std::string gv = slash == std::string_view::npos ? "/" + std::string(api_version) : std::string(api_version);
    return "(" + std::string(o.ns()) + "/" + std::string(o.name()) + "; " + gv + ", Kind=" + std::string(o.kind()) + ")";
}

// What client-side apply said last and still is so: these fields kubectl may take over. nullopt: it never spoke, or in another version.
std::optional<FieldSet> last_applied_fields(const Node& live, const Request& request) {
    const auto text = last_applied_text(live);
    auto said = text.empty() ? Result<Node>(fail(ErrorCode::invalid, "")) : read_json(text);
    if (!said || said->text_at("apiVersion") != request.api_version || !check(*said, *request.schema).empty()) return std::nullopt;
    const Comparison c = compare_values(*said, without_managed_fields(live), *request.schema);
    return subtract(subtract(subtract(field_set_of(*said, *request.schema), c.modified), c.added), c.removed);
}

Result<Node> apply_once(const Node& live, const Node& applied, const Request& request) {
    const TypeSchema& schema = *request.schema;
    const auto mismatches = check(applied, schema, {.allow_duplicates = false, .mask_values = request.mask_values});
    if (!mismatches.empty()) {
        const std::string text = join_mismatches(mismatches);
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "failed to create typed patch object " + patch_subject(applied, request.api_version) + ": " + text,
                          .reason = "",
                          .http_status = 500});
    }
    Entries entries = read_managed_fields(live);
    const Node before = live.is_null() ? Node::map() : without_managed_fields(live);
    if (!live.is_null() && entries.empty()) {
        // An object that was never tracked: what it holds belongs to whoever made it.
        ManagedEntry first = identity(request, false);
        first.manager = kBeforeFirstApply;
        TRY_VOID(track(request.zero.is_null() ? Node::map() : request.zero, before, entries, first, request));
    }

    ManagedEntry who = identity(request, true);
    who.time.clear(); // set below, when something changed
    const ManagedEntry* earlier = find_owner(entries, who);
    Versions versions(request);
    if (!live.is_null()) TRY_VOID(check_versions(before, entries, versions));
    const std::optional<ManagedEntry> last = earlier != nullptr ? std::optional(*earlier) : std::nullopt;
    TRY(Node merged, merge_values(before, applied, schema));
    FieldSet set = subtract_deep(field_set_of(applied, schema), request.reset_fields);
    who.fields = set;
    if (ManagedEntry* mine = find_owner(entries, who)) {
        who.time = mine->time;
        *mine = who;
    } else {
        entries.push_back(who);
    }
    TRY(Node next, explained("failed to prune fields: ", prune(merged, entries, last ? &*last : nullptr, versions, request.api_version)));
    ManagedEntry* self = find_owner(entries, who);
    TRY_VOID(take_ownership(before, next, entries, self, versions, request.force));
    self->fields = subtract(self->fields, server_fields());

    const bool changed = !(next == before);
    // An apply that changes nobody's values leaves no time, even when it takes part in owning them.
    if (changed) self->time = request.now;
    cap_updaters(entries);
    write_managed_fields(next, std::move(entries));
    return next;
}

} // namespace

// kubectl's own manager moves from client-side apply: it may take what the annotation says, and keeps the annotation up to date.
Result<Node> apply(const Node& live, const Node& applied, const Request& request) {
    auto done = apply_once(live, applied, request);
    if (request.manager != "kubectl") return done;
    if (!done && done.error().code == ErrorCode::conflict) {
        const auto allowed = last_applied_fields(live, request);
        if (!allowed) return done;
        const auto paths = allowed->paths();
        std::vector<ErrorDetail> left = done.error().details;
        std::erase_if(left, [&](const ErrorDetail& d) { return std::ranges::find(paths, d.field) != paths.end(); });
        if (!left.empty()) return std::unexpected(conflict_error(std::move(left)));
        Request forced = request;
        forced.force = true;
        done = apply_once(live, applied, forced);
    }
    if (done && !last_applied_text(*done).empty()) set_last_applied(*done, applied);
    return done;
}

Node update(const Node& live, Node next, const Request& request) {
    // Whoever writes a subresource cannot move ownership by hand.
    const Node* sent = request.subresource.empty() ? next.find_path({"metadata", "managedFields"}) : nullptr;
    const bool reset = sent != nullptr && sent->is_list() && (sent->empty() || (sent->size() == 1 && sent->items()[0].empty()));
    if (reset) return without_managed_fields(std::move(next));
    // Entries that the request sends (a changed list is how ownership is moved by hand) win over the live ones.
    Entries entries = sent != nullptr && !sent->empty() && managed_fields_readable(*sent) ? read_managed_fields(next) : read_managed_fields(live);
    next = without_managed_fields(std::move(next));
    // An object that was made without tracking stays without, until somebody applies.
    if (const Node* uid = live.find_path({"metadata", "uid"}); entries.empty() && uid && !uid->text().empty()) return next;
    const Node before = !live.is_null() ? without_managed_fields(live) : request.zero.is_null() ? Node::map() : request.zero;
    // An owner's version that cannot show the object: nobody knows any more who owns what.
    if (!track(before, next, entries, identity(request, false), request)) return next;
    cap_updaters(entries);
    write_managed_fields(next, std::move(entries));
    return next;
}

} // namespace weber::kube::merge
