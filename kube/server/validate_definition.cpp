// CustomResourceDefinitions (apiextensions/validation/validation.go, schema/validation.go): names, versions, columns, subresources, and of schemas
// what a structural one must have.
#include <algorithm>
#include <set>

#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

std::string joined(const Messages& why) {
    std::string out;
    for (const auto& m : why) out += (out.empty() ? "" : ",") + m;
    return out;
}

void label(Problems& p, const std::string& path, std::string_view value) {
    if (value.empty()) return;
    if (const auto why = joined(dns_1035_label(value)); !why.empty()) p.invalid(path, value, why);
}

void kind(Problems& p, const std::string& path, std::string_view value) {
    if (value.empty()) return p.required(path);
    std::string lower(value);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (const auto why = joined(dns_1035_label(lower)); !why.empty()) p.invalid(path, value, "may have mixed case, but should otherwise match: " + why);
}

void check_names(Problems& p, const Node& names) {
    const std::string path = "spec.names";
    if (names.text_at("plural").empty()) p.required(path + ".plural");
    label(p, path + ".plural", names.text_at("plural"));
    label(p, path + ".singular", names.text_at("singular"));
    kind(p, path + ".kind", names.text_at("kind"));
    if (!names.text_at("listKind").empty()) kind(p, path + ".listKind", names.text_at("listKind"));
    for (std::size_t i = 0; i < child(names, "shortNames").size(); ++i) label(p, at(path + ".shortNames", i), child(names, "shortNames").items()[i].text());
    if (!names.text_at("kind").empty() && names.text_at("kind") == names.text_at("listKind"))
        p.invalid(path + ".listKind", names.text_at("listKind"), "kind and listKind may not be the same");
    for (std::size_t i = 0; i < child(names, "categories").size(); ++i) label(p, at(path + ".categories", i), child(names, "categories").items()[i].text());
}

bool simple_path(Problems& p, const std::string& path, std::string_view text) {
    if (text.starts_with('.')) return true;
    p.invalid(path, text, "must be a simple json path starting with .");
    return false;
}

void check_scale_path(Problems& p, const std::string& path, const Node& scale, std::string_view field, std::string_view under) {
    const auto text = scale.text_at(field);
    const std::string here = path + ".scale." + std::string(field);
    if (text.empty()) return p.required(here);
    if (simple_path(p, here, text) && !text.starts_with(std::string(under) + ".")) p.invalid(here, text, "should be a json path under " + std::string(under));
}

void check_subresources(Problems& p, const std::string& path, const Node& subresources) {
    const Node& scale = child(subresources, "scale");
    if (!scale.is_map()) return;
    check_scale_path(p, path, scale, "specReplicasPath", ".spec");
    check_scale_path(p, path, scale, "statusReplicasPath", ".status");
    const auto selector = scale.text_at("labelSelectorPath");
    const std::string here = path + ".scale.labelSelectorPath";
    if (!selector.empty() && simple_path(p, here, selector) && !selector.starts_with(".spec.") && !selector.starts_with(".status."))
        p.invalid(here, selector, "should be a json path under either .spec or .status");
}

void check_column(Problems& p, const std::string& path, const Node& column) {
    static const std::set<std::string_view> kTypes{"boolean", "date", "integer", "number", "string"};
    static const std::set<std::string_view> kFormats{"byte", "date", "date-time", "double", "float", "int32", "int64", "password"};
    constexpr const char* kMustType = "must be one of boolean,date,integer,number,string";
    if (column.text_at("name").empty()) p.required(path + ".name");
    const auto type = column.text_at("type"), format = column.text_at("format"), json_path = column.text_at("jsonPath");
    if (type.empty())
        p.required(path + ".type", kMustType);
    else if (!kTypes.contains(type))
        p.invalid(path + ".type", type, kMustType);
    if (!format.empty() && !kFormats.contains(format)) p.invalid(path + ".format", format, "must be one of byte,date,date-time,double,float,int32,int64,password");
    if (json_path.empty())
        p.required(path + ".JSONPath");
    else
        simple_path(p, path + ".JSONPath", json_path);
}

bool yes(const Node& schema, std::string_view key) { return child(schema, key).as_bool(); }

// x-kubernetes-list-type and -map-keys. True: keys must be looked at when all else is right.
void check_list_type(Problems& p, const std::string& path, const Node& s) {
    const auto type = s.text_at("x-kubernetes-list-type");
    const Node& keys = child(s, "x-kubernetes-list-map-keys");
    const std::string here = path + ".x-kubernetes-list-map-keys";
    if (!type.empty() && s.text_at("type") != "array") {
        if (s.text_at("type").empty())
            p.required(path + ".type", "must be array if x-kubernetes-list-type is specified");
        else
            p.invalid(path + ".type", s.text_at("type"), "must be array if x-kubernetes-list-type is specified");
    }
    if (!type.empty() && type != "atomic" && type != "set" && type != "map") p.not_supported(path + ".x-kubernetes-list-type", Node::string(type), {"atomic", "map", "set"});
    if (!keys.empty() && type.empty()) p.required(path + ".x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty");
    if (!keys.empty() && !type.empty() && type != "map") p.invalid(path + ".x-kubernetes-list-type", type, "must be map if x-kubernetes-list-map-keys is non-empty");
    if (type != "map") return;
    const Node& items = child(s, "items");
    if (keys.empty()) return p.required(here, "must not be empty if x-kubernetes-list-type is map");
    if (!items.is_map()) return p.required(path + ".items", "must have a schema if x-kubernetes-list-type is map");
    if (items.text_at("type") != "object") p.invalid(path + ".items.type", items.text_at("type"), "must be object if parent array's x-kubernetes-list-type is map");
    std::set<std::string_view> seen;
    for (const Node& k : keys.items()) {
        const Node* property = child(items, "properties").find(k.text());
        if (!property) p.invalid(here, keys, "entries must all be names of item properties");
        if (property && (property->text_at("type") == "object" || property->text_at("type") == "array"))
            p.invalid(key_of(path + ".items.properties", k.text()) + ".type", items.text_at("type"), "must be a scalar type if parent array's x-kubernetes-list-type is map");
        if (!seen.insert(k.text()).second) p.invalid(here, keys, "must not contain duplicate entries");
    }
}

// The values of keys must always be there.
void check_keys(Problems& p, const std::string& path, const Node& s) {
    const auto type = s.text_at("x-kubernetes-list-type");
    const Node& items = child(s, "items");
    if ((type == "map" || type == "set") && yes(items, "nullable")) p.forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is " + std::string(type));
    if (type != "map") return;
    for (const Node& k : child(s, "x-kubernetes-list-map-keys").items()) {
        const Node* property = child(items, "properties").find(k.text());
        if (!property) continue;
        const std::string here = key_of(path + ".items.properties", k.text());
        const auto& required = child(items, "required").items();
        if (!property->contains("default") && std::ranges::none_of(required, [&](const Node& r) { return r.text() == k.text(); }))
            p.required(here + ".default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
        if (yes(*property, "nullable")) p.forbidden(here + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
}

enum class Level : std::uint8_t { root, item, field };

// A structural schema: every value has a type.
void check_types(Problems& p, const std::string& path, const Node& s, Level level) {
    const auto type = s.text_at("type");
    if (type == "array" && !child(s, "items").is_map()) p.required(path + ".items", "must be specified");
    if (type.empty() && !yes(s, "x-kubernetes-int-or-string") && !yes(s, "x-kubernetes-preserve-unknown-fields"))
        p.required(path + ".type", level == Level::root   ? "must not be empty at the root"
                                   : level == Level::item ? "must not be empty for specified array items"
                                                          : "must not be empty for specified object fields");
    if (level == Level::root && !type.empty() && type != "object") p.invalid(path + ".type", type, "must be object at the root");
}

void each_level(Problems& p, const std::string& path, const Node& s, Level level, void (*check)(Problems&, const std::string&, const Node&, Level)) {
    check(p, path, s, level);
    for (const auto& e : child(s, "properties").entries()) each_level(p, key_of(path + ".properties", e.key.view()), e.value, Level::field, check);
    if (child(s, "items").is_map()) each_level(p, path + ".items", child(s, "items"), Level::item, check);
    if (child(s, "additionalProperties").is_map()) each_level(p, path + ".additionalProperties", child(s, "additionalProperties"), Level::field, check);
}

void check_schema(Problems& p, const std::string& path, const Node& schema) {
    const std::size_t before = p.list.size();
    each_level(p, path, schema, Level::root, [](Problems& q, const std::string& here, const Node& s, Level) { check_list_type(q, here, s); });
    if (p.list.size() == before) each_level(p, path, schema, Level::root, check_types);
    if (p.list.size() == before) each_level(p, path, schema, Level::root, [](Problems& q, const std::string& here, const Node& s, Level) { check_keys(q, here, s); });
}

// Is the field the same in all versions? Then the real server keeps it, and talks of it, at the top.
bool shared(const Node& versions, std::string_view field) {
    return std::ranges::all_of(versions.items(), [&](const Node& v) { return child(v, field) == child(versions.items()[0], field); });
}

// What a version says, at `path` the part that holds it.
void check_version_parts(Problems& p, const Node& version, const std::string& schema_path, const std::string& sub_path, const std::string& column_path) {
    if (const Node& schema = child(child(version, "schema"), "openAPIV3Schema"); !schema_path.empty() && schema.is_map()) check_schema(p, schema_path, schema);
    if (!sub_path.empty()) check_subresources(p, sub_path, child(version, "subresources"));
    const Node& columns = child(version, "additionalPrinterColumns");
    for (std::size_t i = 0; !column_path.empty() && i < columns.size(); ++i) check_column(p, at(column_path, i), columns.items()[i]);
}

Node shown_versions(const Node& versions, bool schema, bool subresources, bool columns) {
    Node shown = Node::list();
    const auto part = [](const Node& v, std::string_view field, bool show) { return show ? child(v, field) : Node(); };
    for (const Node& v : versions.items())
        shown.push_back(Node::map({{"Name", child(v, "name")}, {"Served", child(v, "served")}, {"Storage", child(v, "storage")},
                                   {"Deprecated", Node::boolean(child(v, "deprecated").as_bool())}, {"DeprecationWarning", child(v, "deprecationWarning")},
                                   {"Schema", part(v, "schema", schema)}, {"Subresources", part(v, "subresources", subresources)},
                                   {"AdditionalPrinterColumns", part(v, "additionalPrinterColumns", columns)}, {"SelectableFields", Node()}}));
    return shown;
}

void check_versions(Problems& p, const Node& versions) {
    if (versions.empty()) return p.invalid("spec.versions", Node(), "must have exactly one version marked as storage version");
    const bool same_schema = shared(versions, "schema"), same_sub = shared(versions, "subresources"), same_columns = shared(versions, "additionalPrinterColumns");
    std::size_t i = 0, stored = 0;
    std::set<std::string_view> names;
    for (const Node& v : versions.items()) {
        const std::string here = at("spec.versions", i++);
        if (!child(v, "schema").contains("openAPIV3Schema")) p.required(here + ".schema.openAPIV3Schema");
    }
    i = 0;
    for (const Node& v : versions.items()) {
        const std::string here = at("spec.versions", i++);
        if (child(v, "storage").as_bool()) ++stored;
        names.insert(v.text_at("name"));
        label(p, here + ".name", v.text_at("name"));
        if (!v.text_at("deprecationWarning").empty() && !child(v, "deprecated").as_bool())
            p.invalid(here + ".deprecationWarning", v.text_at("deprecationWarning"), "can only be set for deprecated versions");
        check_version_parts(p, v, same_schema ? "" : here + ".schema.openAPIV3Schema", same_sub ? "" : here + ".subresources", same_columns ? "" : here + ".additionalPrinterColumns");
    }
    if (names.size() != versions.size()) p.invalid("spec.versions", shown_versions(versions, !same_schema, !same_sub, !same_columns), "must contain unique version names");
    if (stored != 1)
        p.invalid("spec.versions", shown_versions(versions, !same_schema, !same_sub, !same_columns), "must have exactly one version marked as storage version");
    label(p, "spec.version", versions.items()[0].text_at("name"));
}

void check_stored(Problems& p, const Node& obj, const Node& versions) {
    const Node& stored = child(child(obj, "status"), "storedVersions");
    for (std::size_t i = 0; i < stored.size(); ++i) {
        const std::string name(stored.items()[i].text());
        if (std::ranges::any_of(versions.items(), [&](const Node& v) { return v.text_at("name") == name; })) continue;
        p.invalid(at("status.storedVersions", i), name,
                  "missing from spec.versions; " + name + " was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in " +
                      name + " and removes " + name + " from status.storedVersions");
    }
}

// A new definition's list of stored versions is the first that says it is stored.
void check_first_stored(Problems& p, const Node& versions) {
    std::string first;
    for (const Node& v : versions.items()) {
        if (!child(v, "storage").as_bool()) continue;
        const std::string name(v.text_at("name"));
        if (first.empty())
            first = name;
        else if (name != first)
            p.invalid("status.storedVersions", Node::list({Node::string(first)}), "must have the storage version " + name);
    }
    if (first.empty()) p.invalid("status.storedVersions", Node(), "must have at least one stored version");
}

} // namespace

void check_definition(Problems& p, const Node& obj, const Node& live) {
    const Node& spec = child(obj, "spec");
    const Node &names = child(spec, "names"), &versions = child(spec, "versions");
    const auto group = spec.text_at("group"), name = child(obj, "metadata").text_at("name");
    if (live.is_null() && name != std::string(names.text_at("plural")) + "." + std::string(group)) p.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
    if (group.empty())
        p.required("spec.group");
    else if (const auto why = joined(dns_subdomain(group)); !why.empty())
        p.invalid("spec.group", group, why);
    else if (group.find('.') == std::string_view::npos)
        p.invalid("spec.group", group, "should be a domain with at least one dot");
    if (spec.text_at("scope").empty())
        p.required("spec.scope");
    else
        p.one_of("spec.scope", spec.text_at("scope"), {"Cluster", "Namespaced"});
    check_versions(p, versions);
    check_names(p, names);
    if (!versions.empty())
        check_version_parts(p, versions.items()[0], shared(versions, "schema") ? "spec.validation.openAPIV3Schema" : "", shared(versions, "subresources") ? "spec.subresources" : "",
                            shared(versions, "additionalPrinterColumns") ? "spec.additionalPrinterColumns" : "");
    if (live.is_null()) check_first_stored(p, versions);
    if (yes(spec, "preserveUnknownFields") && (live.is_null() || !yes(child(live, "spec"), "preserveUnknownFields")))
        p.invalid("spec.preserveUnknownFields", Node::boolean(true), "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
    if (live.is_null()) return;
    const Node& before = child(live, "spec");
    for (const auto field : {"group", "scope"}) p.immutable(std::string("spec.") + field, spec.find(field), before.find(field));
    check_stored(p, obj, versions);
    bool established = false;
    for (const Node& c : child(child(live, "status"), "conditions").items()) established = established || (c.text_at("type") == "Established" && c.text_at("status") == "True");
    if (established)
        for (const auto field : {"kind", "plural"}) p.immutable(std::string("spec.names.") + field, names.find(field), child(before, "names").find(field));
}

} // namespace weber::kube::server
