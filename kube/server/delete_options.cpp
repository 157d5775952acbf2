#include "kube/server/delete_options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "kube/base/json.h"
#include "kube/base/schema.h"
#include "kube/base/yaml.h"
#include "kube/server/go_json.h"
#include "kube/server/present.h"
#include "kube/server/protobuf.h"
#include "kube/server/request.h"
#include "kube/server/typed_decode.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kOptions = "DeleteOptions";

Api<Node> from_query(const HttpRequest& http) {
    Node out = Node::map();
    API_TRY(const std::int64_t grace, number_param(http, "gracePeriodSeconds"));
    if (http.has_param("gracePeriodSeconds")) out.set("gracePeriodSeconds", Node::integer(grace));
    if (http.has_param("orphanDependents")) out.set("orphanDependents", Node::boolean(http.flag("orphanDependents")));
    if (http.has_param("propagationPolicy")) out.set("propagationPolicy", Node::string(http.param("propagationPolicy")));
    Node dry = Node::list();
    for (const auto& v : http.params("dryRun")) dry.push_back(Node::string(v));
    if (!dry.empty()) out.set("dryRun", std::move(dry));
    return out;
}

// Options may come as those of any group and version; other kinds that every group has can be read, but are none.
Api<void> check_kind(const Node& body) {
    const std::string kind(body.text_at("kind").empty() ? kOptions : body.text_at("kind"));
    const std::string version(body.text_at("apiVersion").empty() ? "meta.k8s.io/v1" : body.text_at("apiVersion"));
    if (std::ranges::count(version, '/') > 1) return refuse(bad_request("unexpected GroupVersion string: " + version));
    if (kind == kOptions) return {};
    constexpr std::array<std::string_view, 7> kEverywhere{"Status", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList", "CreateOptions", "UpdateOptions"};
    constexpr std::array<std::string_view, 6> kOfMeta{"ListOptions", "GetOptions", "PatchOptions", "Table", "TableOptions", "PartialObjectMetadata"};
    const auto has = [&](const auto& kinds) { return std::ranges::find(kinds, kind) != kinds.end(); };
    if (has(kEverywhere) || (version == "meta.k8s.io/v1" && has(kOfMeta)))
        return refuse(bad_request("converting (v1." + kind + ") to (v1.DeleteOptions): unknown conversion"));
    return refuse(bad_request("no kind \"" + kind + "\" is registered for version \"" + version + "\" in scheme \"pkg/runtime/scheme.go:111\""));
}

Api<Node> from_body(const HttpRequest& http) {
    std::string_view type = http.content_type;
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    const bool yaml = type == "application/yaml";
    if (type == kProtobufType) {
        auto object = read_protobuf(http.body);
        if (!object) return refuse(bad_request(object.error().message));
        API_TRY_VOID(check_kind(*object));
        return std::move(*object);
    }
    if (!type.empty() && type != "application/json" && !yaml) return refuse(unsupported_media(kMediaTypes));
    auto parsed = yaml ? read_yaml_one(http.body, {.schema = YamlSchema::yaml_1_1, .limits = {.bytes = 4u << 20}, .unique_keys = false}) : read_json(http.body, {.bytes = 4u << 20});
    if (!parsed && yaml) return refuse(bad_request(go_yaml_error(parsed.error().message)));
    if (parsed && parsed->is_null()) return Node::map();
    if (!parsed || !parsed->is_map()) return refuse(bad_request(go_type_meta_error(http.body, parsed)));
    API_TRY_VOID(check_kind(*parsed));
    const TypeSchema* schema = find_builtin_definition("meta.v1.DeleteOptions");
    if (const auto decoded = schema ? decode_typed(*parsed, *schema, false) : Decoded(); !decoded) return refuse(bad_request(decoded.error().message));
    return std::move(*parsed);
}

} // namespace

Api<DeleteOptions> read_delete_options(const HttpRequest& http) {
    API_TRY(const Node options, http.body.empty() ? from_query(http) : from_body(http));
    DeleteOptions o;
    if (const Node* n = options.find("orphanDependents"); n && n->is_bool()) o.orphan_dependents = n->as_bool();
    if (const Node* n = options.find("gracePeriodSeconds")) o.grace_period = n->as_int();
    if (const Node* p = options.find("preconditions")) {
        o.uid = p->text_at("uid");
        o.resource_version = p->text_at("resourceVersion");
    }
    std::vector<ErrorDetail> causes;
    using P = DeleteOptions::Propagation;
    if (const Node* policy = options.find("propagationPolicy"); policy && policy->is_string()) {
        const std::string_view text = policy->text();
        o.propagation = text == "Background" ? P::background : text == "Foreground" ? P::foreground : text == "Orphan" ? P::orphan : P::unset;
        if (o.orphan_dependents)
            causes.push_back({"FieldValueInvalid", "Invalid value: " + write_json(*policy) + ": orphanDependents and deletionPropagation cannot be both set", "propagationPolicy"});
        if (o.propagation == P::unset)
            causes.push_back({"FieldValueNotSupported", "Unsupported value: " + write_json(*policy) + R"(: supported values: "Foreground", "Background", "Orphan", "nil")", "propagationPolicy"});
    }
    std::vector<std::string> dry;
    if (const Node* list = options.find("dryRun"))
        for (const Node& d : list->items()) dry.emplace_back(d.text());
    check_dry_run(dry, causes);
    if (!causes.empty()) return refuse(invalid(kOptions, "meta.k8s.io", "", std::move(causes)));
    o.dry_run = !dry.empty();
    return o;
}

} // namespace weber::kube::server
