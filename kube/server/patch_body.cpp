#include "kube/server/patch_body.h"

#include "kube/base/json.h"
#include "kube/base/json_patch.h"
#include "kube/base/yaml.h"
#include "kube/server/go_json.h"
#include "kube/server/object_meta.h"
#include "kube/server/strategic_patch.h"

namespace weber::kube::server {
namespace {

constexpr std::size_t kMaxOperations = 10'000;
constexpr const char* kCustomTypes = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

ApiError does_not_fit() {
    ApiError e;
    e.code = 422;
    e.reason = "Invalid";
    e.message = "the server rejected our request due to an error in our request";
    return e;
}

// The merge schema fits the URL's type; the wording of mismatches is the apply handler's.
Api<Node> read_apply(Call& call) {
    const std::string& body = call.http->body;
    const auto first = body.find_first_not_of(" \t\r\n");
    const bool json = first != std::string::npos && body[first] == '{';
    std::vector<std::string> repeated;
    auto parsed = json ? read_json(body, {.bytes = 4u << 20, .repeated = &repeated}) : Result<Node>(fail(ErrorCode::invalid, ""));
    if (!parsed || !repeated.empty()) { // flow mappings that are not JSON are YAML too; which lines repeat a key only the YAML reader says
        repeated.clear();
        parsed = read_yaml_one(body, {.schema = YamlSchema::yaml_1_1, .limits = {.bytes = 4u << 20}, .unique_keys = false, .repeated = &repeated});
    }
    if (!parsed) return refuse(bad_request("error decoding YAML: error converting YAML to JSON: " + go_yaml_error(parsed.error().message)));
    call.repeated = std::move(repeated); // told when everything else about the patch is right
    if (parsed->is_null()) return refuse(bad_request("invalid object type: /, Kind="));
    if (!parsed->is_map())
        return refuse(bad_request("error decoding YAML: error unmarshaling JSON: while decoding JSON: " + go_misfit(*parsed, "map[string]interface {}")));
    Node obj = std::move(*parsed);
    const std::string version(obj.text_at("apiVersion")), kind(obj.text_at("kind"));
    if (kind.empty()) return refuse(bad_request("Object 'Kind' is missing in '" + write_json(obj) + "'"));
    const bool scale = call.path.subresource == "scale";
    if (version != (scale ? "autoscaling/v1" : call.api_version()) || kind != (scale ? "Scale" : call.resource->kind))
        return refuse(bad_request("invalid object type: " + (version.find('/') == std::string::npos ? "/" + version : version) + ", Kind=" + kind));
    if (const Node* m = obj.find_path({"metadata", "managedFields"})) {
        if (!m->is_null()) return refuse(bad_request("metadata.managedFields must be nil"));
        erase_meta(obj, "managedFields");
    }
    if (const Node* t = obj.find_path({"metadata", "creationTimestamp"}); t && t->is_null()) erase_meta(obj, "creationTimestamp");
    if (const auto ns = meta_text(obj, "namespace"); !ns.empty()) {
        if (!call.resource->namespaced)
            erase_meta(obj, "namespace");
        else if (ns != call.path.ns)
            return refuse(bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    }
    return obj;
}

} // namespace

Api<PatchType> patch_type(const Call& call) {
    std::string_view type = call.http->content_type;
    type = type.substr(0, type.find(';'));
    if (type == "application/json-patch+json") return PatchType::json;
    if (type == "application/merge-patch+json") return PatchType::merge;
    if (type == "application/strategic-merge-patch+json" && !call.resource->custom) return PatchType::strategic;
    if (type == "application/apply-patch+yaml") return PatchType::apply;
    if (call.resource->custom) return refuse(unsupported_media(kCustomTypes));
    ApiError e; // built-in kinds: refused before any handler of theirs sees it
    e.code = 415;
    e.reason = "UnsupportedMediaType";
    e.message = "415: Unsupported Media Type";
    return refuse(std::move(e));
}

Api<Node> read_patch(Call& call, PatchType type) {
    if (type == PatchType::apply) return read_apply(call);
    std::vector<std::string> repeated;
    auto parsed = read_json(call.http->body, {.bytes = 4u << 20, .repeated = &repeated});
    for (const auto& path : repeated)
        call.repeated.push_back((type == PatchType::json ? "json patch duplicate field " : "duplicate field ") + write_json(Node::string(path)));
    if (!parsed) {
        std::string why = go_json_error(call.http->body);
        if (why.empty()) why = parsed.error().message;
        return refuse(bad_request((type == PatchType::strategic ? "" : "error decoding patch: ") + why));
    }
    if (parsed->is_null() && type == PatchType::merge) return refuse(bad_request("Invalid JSON Patch"));
    if (parsed->is_null()) return type == PatchType::json ? Node::list() : Node::map(); // what Go's decoding makes of it
    const auto misfit = [type](const Node& n, std::string_view go_type) {
        return refuse(bad_request((type == PatchType::strategic ? "" : "error decoding patch: ") + go_misfit(n, go_type)));
    };
    if (type == PatchType::json) {
        if (!parsed->is_list()) return misfit(*parsed, "[]handlers.jsonPatchOp");
        for (const Node& operation : parsed->items())
            if (!operation.is_map()) return misfit(operation, "handlers.jsonPatchOp");
        if (parsed->size() > kMaxOperations) {
            ApiError e;
            e.code = 413;
            e.reason = "RequestEntityTooLarge";
            e.message = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got " + std::to_string(parsed->size());
            e.no_details = true;
            return refuse(std::move(e));
        }
    } else if (!parsed->is_map()) {
        return misfit(*parsed, "map[string]interface {}");
    }
    return std::move(*parsed);
}

Api<Node> patched(const Call& call, PatchType type, const Node& live, const Node& patch) {
    Node next = live;
    if (type == PatchType::merge) {
        apply_merge_patch(next, patch);
        return next;
    }
    if (type == PatchType::json) {
        const auto operations = JsonPatch::from_node(patch);
        if (!operations) return refuse(bad_request(operations.error().message));
        if (!operations->apply(next)) return refuse(does_not_fit());
        return next;
    }
    auto merged = strategic_patch(next, patch, *call.version->schema);
    if (merged) return std::move(*merged);
    const Error& why = merged.error();
    if (why.http_status != 422) return refuse(why.http_status == 400 ? bad_request(why.message) : unclassified(why.message));
    return refuse(does_not_fit());
}

} // namespace weber::kube::server
