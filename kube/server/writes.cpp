#include "kube/server/writes.h"

#include <algorithm>
#include <utility>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/base/schema.h"
#include "kube/base/yaml.h"
#include "kube/server/convert.h"
#include "kube/server/delete_options.h"
#include "kube/server/engine.h"
#include "kube/server/go_json.h"
#include "kube/server/object_meta.h"
#include "kube/server/patch_body.h"
#include "kube/server/protobuf.h"
#include "kube/server/reads.h"
#include "kube/server/scale.h"
#include "kube/server/sent_object.h"
#include "kube/server/strategy.h"
#include "kube/server/typed_decode.h"

namespace weber::kube::server {
namespace {

std::string_view media_type(const Call& call) {
    std::string_view t = call.http->content_type;
    t = t.substr(0, t.find(';'));
    while (!t.empty() && t.back() == ' ') t.remove_suffix(1);
    return t;
}

// A body in an error message: its beginning when it looks like JSON, else in hex.
std::string summary(std::string_view body) {
    constexpr std::size_t kMost = 30;
    if (body.empty()) return "<empty>";
    const std::string start(body.substr(0, kMost));
    return (body.front() == '{' ? start : hex_encode(start)) + (body.size() > kMost ? " ..." : "");
}

HttpResponse written_response(const Call& call, const Presentation& form, const Written& w) {
    return respond_json(call, w.status, present(call, form, w.object));
}

std::string success_status(const ResourceInfo& resource, std::string_view name, std::string_view uid) {
    Node details = Node::map({{"name", Node::string(name)}});
    if (!resource.group.empty()) details.set("group", Node::string(resource.group));
    details.set("kind", Node::string(resource.plural));
    details.set("uid", Node::string(uid));
    Node s = Node::map({{"kind", Node::string("Status")}, {"apiVersion", Node::string("v1")}, {"metadata", Node::map()},
                        {"status", Node::string("Success")}});
    s.set("details", std::move(details));
    return write_json(s);
}

// Namespaces/finalize: the body's spec.finalizers replace the live ones.
Node with_finalizers(const Node& live, const Node& body) {
    Node next = live;
    const Node* list = body.find_path({"spec", "finalizers"});
    if (list && !list->empty())
        next.get_or_insert("spec").set("finalizers", *list);
    else
        next.get_or_insert("spec").erase("finalizers");
    return next;
}

} // namespace

Api<Node> read_body(Call& call) {
    const auto type = media_type(call);
    const std::string& body = call.http->body;
    const bool yaml = type == "application/yaml";
    if (type == kProtobufType && !call.resource->custom) {
        auto object = read_protobuf(body);
        if (object) return std::move(*object);
        if (object.error().code == ErrorCode::unsupported) return refuse(unsupported_media("application/json, application/yaml"));
        return refuse(bad_request(object.error().message));
    }
    if (!type.empty() && type != "application/json" && type != "*/*" && !yaml)
        return refuse(unsupported_media(call.resource->custom ? "application/json, application/yaml" : "application/json, application/yaml, application/vnd.kubernetes.protobuf"));
    std::vector<std::string> repeated;
    auto parsed = yaml ? read_yaml_one(body, {.schema = YamlSchema::yaml_1_1, .limits = {.bytes = 4u << 20}, .unique_keys = false, .repeated = &repeated})
                       : read_json(body, {.bytes = 4u << 20, .repeated = &repeated});
    for (const auto& r : repeated) call.repeated.push_back(yaml ? r : "duplicate field " + write_json(Node::string(r)));
    if (!parsed || !parsed->is_map())
        return refuse(bad_request("the object provided is unrecognized (must be of type " + call.resource->kind + "): " +
                                  (yaml && !parsed ? go_yaml_error(parsed.error().message) : go_type_meta_error(body, parsed)) + " (" + summary(body) + ")"));
    return std::move(*parsed);
}

Api<HttpResponse> write_create(Core& core, Call& call, Ack& ack) {
    API_TRY(const Presentation form, negotiate(call));
    API_TRY_VOID(read_write_options(call, "CreateOptions", false));
    API_TRY(Node obj, read_body(call));
    API_TRY_VOID(check_type(call, obj));
    API_TRY_VOID(decode_object(call, obj));
    API_TRY(const Written w, core.create(call, std::move(obj), ack));
    return written_response(call, form, w);
}

Api<HttpResponse> write_update(Core& core, Call& call, Ack& ack) {
    API_TRY(const Presentation form, negotiate(call));
    API_TRY_VOID(read_write_options(call, "UpdateOptions", false));
    API_TRY(Node obj, read_body(call));
    if (call.path.subresource == "scale") return scale_update(core, call, form, std::move(obj), ack);
    API_TRY_VOID(read_object(call, obj));
    const std::string sub = call.path.subresource;
    Core::ChangeOptions options;
    options.create_allowed = sub.empty() && strategy_of(*call.resource, *call.version).create_on_update;
    options.precondition_uid = meta_text(obj, "uid");
    options.subresource = sub;
    API_TRY(const Written w, core.change(
                                 call, options,
                                 [&](const Node& live) -> Api<Node> {
                                     if (sub == "finalize") return track_update(call, live, with_finalizers(live, obj), sub);
                                     return track_update(call, live, obj, sub);
                                 },
                                 ack));
    return written_response(call, form, w);
}

Api<HttpResponse> write_patch(Core& core, Call& call, Ack& ack) {
    API_TRY(const Presentation form, negotiate(call));
    API_TRY(const PatchType type, patch_type(call));
    API_TRY_VOID(read_write_options(call, "PatchOptions", type == PatchType::apply));
    // A patch of nothing is not even read.
    if (type != PatchType::apply && !core.store.get(call.id(), call.path.ns, call.path.name)) return refuse(call.not_found());
    API_TRY(Node patch, read_patch(call, type));
    if (call.path.subresource == "scale") return scale_patch(core, call, form, type, patch, ack);
    const std::string sub = call.path.subresource;
    Core::ChangeOptions options;
    options.subresource = sub;
    if (type == PatchType::apply) {
        options.create_allowed = sub.empty();
        const bool force = call.http->flag("force");
        const auto apply = [&](const Node& live) -> Api<Node> {
            API_TRY(Node next, apply_patch(call, live, patch, force, sub));
            API_TRY_VOID(check_name(call, next));
            return next;
        };
        API_TRY(const Written w, core.change(call, options, apply, ack));
        return written_response(call, form, w);
    }
    API_TRY(const Written w, core.change(
                                 call, options,
                                 [&](const Node& live) -> Api<Node> {
                                     API_TRY(Node next, patch_object(call, type, live, patch));
                                     return track_update(call, live, std::move(next), sub);
                                 },
                                 ack));
    return written_response(call, form, w);
}

Api<HttpResponse> write_delete(Core& core, Call& call, Ack& ack) {
    API_TRY(const Presentation form, negotiate(call));
    API_TRY(const DeleteOptions options, read_delete_options(*call.http));
    API_TRY(const Written w, core.remove(call, options, ack));
    if (w.removed && !strategy_of(*call.resource, *call.version).returns_deleted)
        return respond_json(call, 200, success_status(*call.resource, call.path.name, meta_text(w.object, "uid")));
    const bool accepted = !w.removed && options.orphan_dependents && !*options.orphan_dependents;
    return respond_json(call, accepted ? 202 : 200, present(call, form, w.object));
}

Api<HttpResponse> write_delete_collection(Core& core, Call& call, Ack& ack) {
    API_TRY(const Presentation form, negotiate(call));
    API_TRY_VOID(check_list_options(call));
    API_TRY(const DeleteOptions options, read_delete_options(*call.http));
    API_TRY(const Selected page, select_objects(core, call));
    std::vector<ObjectPtr> gone;
    for (const auto& o : page.items) {
        auto w = core.remove(*call.resource, o->ns, o->name, options, ack);
        if (!w && w.error().code != 404) return refuse(std::move(w).error());
        gone.push_back(o);
    }
    return respond_json(call, 200, present_list(call, form, gone, page.rv, page.token, page.remaining));
}

} // namespace weber::kube::server
