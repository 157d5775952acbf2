#include "kube/server/engine.h"

#include <algorithm>

#include "kube/merge/manager.h"
#include "kube/server/convert.h"
#include "kube/server/crd_values.h"
#include "kube/server/object_meta.h"
#include "kube/server/strategy.h"
#include "kube/server/typed_decode.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kSigningRequests = "certificates.k8s.io/certificatesigningrequests";

merge::FieldSet fields(std::initializer_list<std::string_view> names) {
    Node n = Node::map();
    for (const auto name : names) n.set("f:" + std::string(name), Node::map());
    return merge::FieldSet(std::move(n));
}

// Paths that a request to the object itself cannot own.
merge::FieldSet main_reset_fields(const Call& call) {
    if (call.id() == kSigningRequests) return fields({"spec", "status"}); // nothing but metadata: the server fills in who asks
    return call.version->subresources.contains("status") ? fields({"status"}) : merge::FieldSet();
}

// What a write of the status leaves as it is.
merge::FieldSet status_reset_fields(const Call& call) {
    if (call.id() == kSigningRequests)
        return merge::FieldSet(Node::map({{"f:spec", Node::map()}, {"f:status", Node::map({{"f:conditions", Node::map()}})}}));
    if (call.resource->custom || call.resource->plural == "customresourcedefinitions") return fields({"spec", "metadata"});
    if (call.id() != "apps/deployments") return fields({"spec"});
    return merge::FieldSet(Node::map({{"f:spec", Node::map()}, {"f:metadata", Node::map({{"f:labels", Node::map()}})}}));
}

merge::Request request_of(const Call& call, std::string_view subresource, const std::string& now) {
    merge::Request r;
    r.manager = call.manager;
    r.api_version = call.version->api_version;
    r.subresource = subresource;
    r.now = now;
    r.schema = call.version->schema;
    if (!call.resource->custom) {
        r.zero = Node::map();
        complete_object(call, r.zero);
    }
    r.convert = [resource = call.resource](const Node& object, std::string_view api_version) -> std::optional<merge::VersionedObject> {
        for (const auto& v : resource->versions)
            if (v.api_version == api_version && v.served) return merge::VersionedObject{convert_version(*resource, object, v), v.schema};
        return std::nullopt;
    };
    if (subresource == "status")
        r.reset_fields = status_reset_fields(call);
    else if (subresource == "approval")
        r.reset_fields = merge::FieldSet(Node::map({{"f:spec", Node::map()}, {"f:status", Node::map({{"f:certificate", Node::map()}})}}));
    else
        r.reset_fields = main_reset_fields(call);
    r.mask_values = call.resource->kind == "Secret";
    return r;
}

// What an apply says when the merged object does not fit the type.
std::string not_convertible(const Call& call, const Node& patch, const std::string& why) {
    const std::string type = (call.resource->group.empty() ? "/" + call.version->name : call.version->api_version) + ", Kind=" + call.resource->kind;
    return "failed to convert new object (" + std::string(meta_text(patch, "namespace")) + "/" + std::string(meta_text(patch, "name")) + "; " + type +
           ") to proper version: unable to convert unstructured object to " + type + ": " +
           (why.starts_with("illegal base64") ? "error decoding from json: " + why : why);
}

// Metadata of custom resources goes through Go's type as well, which writes nothing that is empty.
void drop_empty_metadata(Node& obj) {
    Node* meta = obj.find_mut("metadata");
    if (!meta || !meta->is_map()) return;
    for (const auto field : {"annotations", "labels", "finalizers", "ownerReferences", "managedFields", "generateName", "selfLink", "uid", "resourceVersion"})
        if (const Node* n = meta->find(field); n && (n->is_string() ? n->text().empty() : n->empty() && !n->is_scalar())) meta->erase(field);
}

} // namespace

Api<void> decode_object(Call& call, Node& obj) {
    Node managed;
    if (const Node* m = obj.find_path({"metadata", "managedFields"})) managed = *m; // free-form inside
    auto decoded = decode_typed(obj, *call.version->schema, call.resource->custom);
    if (!decoded)
        return refuse(bad_request(call.resource->kind + " in version \"" + call.version->name + "\" cannot be handled as a " +
                                  call.resource->kind + ": " + decoded.error().message));
    if (call.resource->custom) drop_empty_metadata(obj);
    if (!managed.is_null()) meta_mut(obj).set("managedFields", std::move(managed));
    if (call.resource->custom) std::sort(decoded->unknown.begin(), decoded->unknown.end());
    if (!(decoded->unknown.empty() && call.repeated.empty()) && call.validation != FieldValidation::ignore) {
        std::string all;
        std::vector<std::string> problems = call.repeated;
        for (const auto& field : decoded->unknown) problems.push_back("unknown field \"" + field + "\"");
        for (const auto& text : problems) {
            if (call.validation == FieldValidation::warn) call.warnings.push_back(text);
            all += (all.empty() ? "" : ", ") + text;
        }
        if (call.validation == FieldValidation::strict)
            return refuse(bad_request(call.resource->kind + " in version \"" + call.version->name + "\" cannot be handled as a " +
                                      call.resource->kind + ": strict decoding error: " + all));
    }
    if (call.resource->custom) {
        if (const auto bad = misfit_of_embedded(obj, call.version->open_api))
            return refuse(bad_request(call.resource->kind + " in version \"" + call.version->name + "\" cannot be handled as a " + call.resource->kind + ": " +
                                      bad->field + ": " + bad->message));
        drop_custom_nulls(obj, call.version->open_api);
    }
    set_defaults(call, obj);
    to_internal(call.resource->id(), obj);
    return {};
}

Node track_update(const Call& call, const Node& live, Node next, std::string_view subresource) {
    const std::string now = now_text();
    return merge::update(live, std::move(next), request_of(call, subresource, now));
}

// Keys that an applied body has twice.
Api<void> tell_repeated(Call& call) {
    if (call.repeated.empty() || call.validation == FieldValidation::ignore) return {};
    if (call.validation == FieldValidation::warn) {
        call.warnings = call.repeated;
        return {};
    }
    std::string all;
    for (const auto& line : call.repeated) all += "\n  " + line;
    return refuse(bad_request("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:" + all));
}

Api<Node> apply_patch(Call& call, const Node& live, const Node& patch, bool force, std::string_view subresource) {
    const std::string now = now_text();
    merge::Request request = request_of(call, subresource, now);
    request.force = force;
    auto merged = merge::apply(live, patch, request);
    if (!merged) {
        if (merged.error().code == ErrorCode::conflict) return refuse(from_error(merged.error()));
        return refuse(unclassified(merged.error().message));
    }
    API_TRY_VOID(tell_repeated(call));
    Node obj = std::move(*merged);
    Node managed;
    if (const Node* m = obj.find_path({"metadata", "managedFields"})) managed = *m;
    if (auto decoded = decode_typed(obj, *call.version->schema, call.resource->custom); !decoded)
        return refuse(unclassified(not_convertible(call, patch, decoded.error().message)));
    if (call.resource->custom) drop_empty_metadata(obj);
    if (!managed.is_null()) meta_mut(obj).set("managedFields", std::move(managed));
    set_defaults(call, obj);
    return obj;
}

} // namespace weber::kube::server
