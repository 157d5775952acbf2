// CustomResourceDefinitions (apis/apiextensions/validation/validation.go): names, versions, columns, subresources, selectable fields, conversion.
#include <algorithm>
#include <set>

#include "kube/base/ascii.h"
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
    if (const auto why = joined(dns_1035_label(ascii_lower(value))); !why.empty()) p.invalid(path, value, "may have mixed case, but should otherwise match: " + why);
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

// Is the field the same in all versions? Then the real server keeps it, and talks of it, at the top.
bool shared(const Node& versions, std::string_view field) {
    return std::ranges::all_of(versions.items(), [&](const Node& v) { return child(v, field) == child(versions.items()[0], field); });
}

bool has_status(const Node& version) { return child(version, "subresources").contains("status"); }

void check_selectable(Problems& p, const std::string& path, const Node& fields, const Node& schema) {
    constexpr std::size_t kMost = 8;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto text = fields.items()[i].text_at("jsonPath");
        const std::string here = at(path, i) + ".jsonPath";
        if (text.empty()) {
            p.required(here);
            continue;
        }
        std::string why, name;
        const Node* found = field_of(schema, text, false, &why, &name);
        if (!found) {
            p.invalid(here, text, "is an invalid path: " + why);
            continue;
        }
        const auto type = found->text_at("type");
        if (name.substr(0, name.find_first_of(".[")) == "metadata") p.invalid(here, text, "must not point to fields in metadata");
        if (type != "string" && type != "boolean" && type != "integer")
            p.invalid(here, text, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.");
        if (!seen.insert(name).second) p.duplicate(here, Node::string(text));
    }
    if (seen.size() > kMost) p.list.push_back({"FieldValueTooMany", "Too many: " + std::to_string(seen.size()) + ": must have at most " + std::to_string(kMost) + " items", path});
}

// What all versions have in common the real server keeps, and talks of, at the top; the rest in each version.
struct Shared {
    bool schema, subresources, columns, selectable;
};

// What one place holds of a version: the top (`top`) what is shared, a version the rest.
void check_version_parts(Problems& p, const std::string& path, const Node& version, const Shared& shared, bool top, bool status) {
    const Node& schema = child(child(version, "schema"), "openAPIV3Schema");
    if (shared.schema == top && schema.is_map()) check_schema(p, path + (top ? ".validation.openAPIV3Schema" : ".schema.openAPIV3Schema"), schema, status);
    if (shared.subresources == top) check_subresources(p, path + ".subresources", child(version, "subresources"));
    const Node& columns = child(version, "additionalPrinterColumns");
    for (std::size_t i = 0; shared.columns == top && i < columns.size(); ++i) check_column(p, at(path + ".additionalPrinterColumns", i), columns.items()[i]);
    const Node& selectable = child(version, "selectableFields");
    if (shared.selectable != top || selectable.empty()) return;
    if (shared.schema != top || !schema.is_map())
        p.invalid(path + ".selectableFields", "",
                  top ? "may only be set when validations.schema is included" : "may only be set when `version.schema.openAPIV3Schema` is not included");
    else
        check_selectable(p, path + ".selectableFields", selectable, schema);
}

void check_deprecation(Problems& p, const std::string& path, const Node& version) {
    const Node* warning = version.find("deprecationWarning");
    if (!warning || warning->is_null()) return;
    if (!child(version, "deprecated").as_bool()) return p.invalid(path, *warning, "can only be set for deprecated versions");
    if (warning->text().size() > 256) p.invalid(path, *warning, "must be <= 256 characters long");
    if (warning->text().empty()) p.invalid(path, *warning, "must not be an empty string");
    for (std::size_t i = 0; i < warning->text().size(); ++i)
        if (const auto c = static_cast<unsigned char>(warning->text()[i]); c < 0x20 || c == 0x7f)
            return p.invalid(path, *warning, "must only contain printable UTF-8 characters; non-printable character found at index " + std::to_string(i));
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

Shared shared_parts(const Node& versions) {
    return {shared(versions, "schema"), shared(versions, "subresources"), shared(versions, "additionalPrinterColumns"), shared(versions, "selectableFields")};
}

void check_versions(Problems& p, const Node& versions) {
    if (versions.empty()) return p.invalid("spec.versions", Node(), "must have exactly one version marked as storage version");
    const Shared same = shared_parts(versions);
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
        check_deprecation(p, here + ".deprecationWarning", v);
        check_version_parts(p, here, v, same, false, has_status(v));
    }
    if (names.size() != versions.size()) p.invalid("spec.versions", shown_versions(versions, !same.schema, !same.subresources, !same.columns), "must contain unique version names");
    if (stored != 1)
        p.invalid("spec.versions", shown_versions(versions, !same.schema, !same.subresources, !same.columns), "must have exactly one version marked as storage version");
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

void check_conversion(Problems& p, const std::string& path, const Node& conversion) {
    if (conversion.is_null()) return;
    const auto strategy = conversion.text_at("strategy");
    if (strategy.empty())
        p.required(path + ".strategy");
    else
        p.one_of(path + ".strategy", strategy, {"None", "Webhook"});
    const Node &webhook = child(conversion, "webhook"), &client = child(webhook, "clientConfig");
    const std::string here = path + ".webhookClientConfig";
    if (strategy != "Webhook") {
        if (!client.is_null()) p.forbidden(here, "should not be set when strategy is not set to Webhook");
        if (!child(webhook, "conversionReviewVersions").empty()) p.forbidden(path + ".conversionReviewVersions", "should not be set when strategy is not set to Webhook");
        return;
    }
    if (client.is_null())
        p.required(here, "required when strategy is set to Webhook");
    else
        check_webhook_client(p, here, client);
    check_review_versions(p, path + ".conversionReviewVersions", child(webhook, "conversionReviewVersions"));
}

// Groups of the Kubernetes project need its approval. Of a change only what it changed is looked at.
void check_approval(Problems& p, std::string_view group, const Node& obj, const Node& live) {
    constexpr std::string_view kApproval = "api-approved.kubernetes.io";
    const bool guarded = group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io");
    const auto approval = [&](const Node& n) { return child(child(n, "metadata"), "annotations").text_at(kApproval); };
    enum class State : std::uint8_t { missing, invalid, bypassed, approved };
    const auto state = [](std::string_view text) {
        const auto host = text.find("://");
        return text.empty()                    ? State::missing
               : text.starts_with("unapproved") ? State::bypassed
               : host != std::string_view::npos && host > 0 && host + 3 < text.size() && text[host + 3] != '/' ? State::approved
                                                                                                              : State::invalid;
    };
    const State now = state(approval(obj));
    if (!guarded || now == State::approved || now == State::bypassed || (!live.is_null() && state(approval(live)) == now)) return;
    const std::string path = "metadata.annotations[" + std::string(kApproval) + "]", start = "protected groups must have approval annotation \"" + std::string(kApproval) + "\"";
    constexpr const char* kSee = ", see https://github.com/kubernetes/enhancements/pull/1111";
    if (now == State::missing)
        p.required(path, start + kSee);
    else
        p.invalid(path, approval(obj), start + " with either a URL or a reason starting with \"unapproved\"" + kSee);
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
    if (!versions.empty()) check_version_parts(p, "spec", versions.items()[0], shared_parts(versions), true, std::ranges::any_of(versions.items(), has_status));
    check_conversion(p, "spec.conversion", child(spec, "conversion"));
    if (live.is_null()) check_first_stored(p, versions);
    check_approval(p, group, obj, live);
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
