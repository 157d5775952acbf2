#include "kube/server/scale.h"

#include <functional>

#include "kube/base/selector.h"
#include "kube/server/convert.h"
#include "kube/server/engine.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"
#include "kube/server/scale_owners.h"
#include "kube/server/sent_object.h"

namespace weber::kube::server {
namespace {

std::vector<std::string> path_keys(std::string_view path) {
    std::vector<std::string> keys;
    while (path.starts_with('.')) {
        path.remove_prefix(1);
        const auto dot = path.find('.');
        keys.emplace_back(path.substr(0, dot));
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot);
    }
    return keys;
}

void set_path(Node& root, const std::vector<std::string>& keys, Node value) {
    Node* at = &root;
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) at = &at->get_or_insert(keys[i]);
    at->set(keys.back(), std::move(value));
}

std::string replicas_path(const Call& call) { return call.resource->custom ? call.version->scale_spec : ".spec.replicas"; }

std::int64_t first_int(const Node& obj, std::string_view path) {
    const auto found = json_path(obj, path);
    return found.empty() ? 0 : found[0].as_int().value_or(0);
}

// The selector as Scale's status shows it.
std::string shown_selector(const Call& call, const Node& obj) {
    if (call.resource->custom) {
        if (call.version->scale_selector.empty()) return "";
        const auto found = json_path(obj, call.version->scale_selector);
        return found.empty() ? "" : std::string(found[0].text());
    }
    const Node* selector = obj.find_path({"spec", "selector"});
    if (!selector) return "";
    return selector_text(call.resource->plural == "replicationcontrollers" ? Node::map({{"matchLabels", *selector}}) : *selector);
}

Node scale_of(const Call& call, const Node& obj) {
    Node meta = Node::map();
    for (const auto field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
        if (const Node* n = obj.find_path({"metadata", field})) meta.set(field, *n);
    Node spec = Node::map();
    if (const auto replicas = first_int(obj, replicas_path(call)); replicas != 0) spec.set("replicas", Node::integer(replicas));
    Node status = Node::map({{"replicas", Node::integer(first_int(
                                              obj, call.resource->custom ? call.version->scale_status : ".status.replicas"))}});
    if (const auto selector = shown_selector(call, obj); !selector.empty()) status.set("selector", Node::string(selector));
    return Node::map({{"kind", Node::string("Scale")},
                      {"apiVersion", Node::string("autoscaling/v1")},
                      {"metadata", std::move(meta)},
                      {"spec", std::move(spec)},
                      {"status", std::move(status)}});
}

// A Scale has a type, and a table, of its own, whatever it scales.
const ResourcePtr& scale_resource() {
    static const ResourcePtr resource = [] {
        auto r = std::make_shared<ResourceInfo>();
        r->group = "autoscaling";
        r->plural = "scales";
        r->kind = "Scale";
        VersionInfo v;
        v.name = "v1";
        v.api_version = "autoscaling/v1";
        v.storage = true;
        v.schema = find_builtin_type("autoscaling", "v1", "Scale");
        r->versions.push_back(std::move(v));
        return ResourcePtr(std::move(r));
    }();
    return resource;
}

// The call as one about the Scale.
Call scale_call(const Call& call) {
    Call scale = call;
    scale.resource = scale_resource();
    scale.version = &scale.resource->versions[0];
    return scale;
}

Api<HttpResponse> answer(const Call& call, const Presentation& form, const Written& w) {
    Presentation shown = form;
    if (form.form == Presentation::Form::metadata) shown.form = Presentation::Form::object;
    const Call scale = scale_call(call);
    return respond_json(scale, w.status, present(scale, shown, scale_of(call, w.object)));
}

std::vector<ReplicasPath> replicas_paths(const ResourceInfo& resource) {
    std::vector<ReplicasPath> out;
    for (const VersionInfo& v : resource.versions) out.push_back({v.api_version, path_keys(resource.custom ? v.scale_spec : ".spec.replicas")});
    return out;
}

// What a written Scale must be. Those of custom resources are checked with the object.
Api<void> check_scale(const Call& call, const Node& scale) {
    const std::int64_t n = first_int(scale, ".spec.replicas");
    if (n >= 0 || call.resource->custom) return {};
    return refuse(invalid("Scale", "autoscaling", call.path.name,
                          {{"FieldValueInvalid", "Invalid value: " + std::to_string(n) + ": must be greater than or equal to 0", "spec.replicas"}}));
}

// The object after its Scale was written. A Scale that names no resourceVersion is written whatever the object's.
Node with_scale(const Call& call, const Node& live, const Node& scale) {
    Node next = live;
    set_path(next, path_keys(replicas_path(call)), Node::integer(first_int(scale, ".spec.replicas")));
    if (const auto rv = meta_text(scale, "resourceVersion"); !rv.empty()) set_meta(next, "resourceVersion", std::string(rv));
    merge::write_managed_fields(next, object_owners(live, scale, replicas_paths(*call.resource), call.api_version()));
    return next;
}

// Writes what `change` makes of the Scale.
Api<HttpResponse> scale_change(Core& core, Call& call, const Presentation& form, std::string_view uid, const std::function<Api<Node>(Call&, const Node&)>& change, Ack& ack) {
    Core::ChangeOptions options;
    options.subresource = "scale";
    options.precondition_uid = uid;
    Call scale = scale_call(call);
    API_TRY(const Written w, core.change(
                                 call, options,
                                 [&](const Node& live) -> Api<Node> {
                                     Node before = scale_of(call, live);
                                     merge::write_managed_fields(before, scale_owners(live, replicas_paths(*call.resource)));
                                     API_TRY(const Node after, change(scale, before));
                                     call.warnings = scale.warnings;
                                     API_TRY_VOID(check_scale(call, after));
                                     return with_scale(call, live, after);
                                 },
                                 ack));
    return answer(call, form, w);
}

} // namespace

Api<HttpResponse> scale_read(Core& core, Call& call) {
    API_TRY(const Presentation form, negotiate(call));
    const ObjectPtr o = core.store.get(call.id(), call.path.ns, call.path.name);
    if (!o) return refuse(call.not_found());
    return answer(call, form, Written{convert_version(*call.resource, parse_stored(*o), *call.version)});
}

Api<HttpResponse> scale_update(Core& core, Call& call, const Presentation& form, Node sent, Ack& ack) {
    Call scale = scale_call(call);
    API_TRY_VOID(read_object(scale, sent));
    const auto change = [&](Call& c, const Node& before) -> Api<Node> {
        c.warnings = scale.warnings;
        return track_update(c, before, sent, "scale");
    };
    return scale_change(core, call, form, meta_text(sent, "uid"), change, ack);
}

Api<HttpResponse> scale_patch(Core& core, Call& call, const Presentation& form, PatchType type, const Node& patch, Ack& ack) {
    const auto change = [&](Call& scale, const Node& before) -> Api<Node> {
        if (type == PatchType::apply) {
            API_TRY(Node next, apply_patch(scale, before, patch, call.http->flag("force"), "scale"));
            API_TRY_VOID(check_name(scale, next));
            return next;
        }
        API_TRY(Node next, patch_object(scale, type, before, patch));
        return track_update(scale, before, std::move(next), "scale");
    };
    return scale_change(core, call, form, {}, change, ack);
}

} // namespace weber::kube::server
