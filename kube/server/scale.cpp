#include "kube/server/scale.h"

#include <algorithm>
#include <span>

#include "kube/server/convert.h"
#include "kube/server/engine.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"

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

// A label selector as text, the way Scale's status shows it.
std::string selector_text(const Call& call, const Node& obj) {
    if (call.resource->custom) {
        if (call.version->scale_selector.empty()) return "";
        const auto found = json_path(obj, call.version->scale_selector);
        return found.empty() ? "" : std::string(found[0].text());
    }
    const Node* labels = obj.find_path({"spec", "selector", "matchLabels"});
    if (!labels) labels = call.resource->plural == "replicationcontrollers" ? obj.find_path({"spec", "selector"}) : nullptr;
    if (!labels) return "";
    std::vector<std::string> parts;
    for (const auto& e : labels->entries()) parts.push_back(e.key.str() + "=" + std::string(e.value.text()));
    std::sort(parts.begin(), parts.end());
    std::string out;
    for (const auto& p : parts) out += (out.empty() ? "" : ",") + p;
    return out;
}

Node scale_of(const Call& call, const Node& obj) {
    Node meta = Node::map();
    for (const auto field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
        if (const Node* n = obj.find_path({"metadata", field})) meta.set(field, *n);
    Node spec = Node::map();
    if (const auto replicas = first_int(obj, replicas_path(call)); replicas != 0) spec.set("replicas", Node::integer(replicas));
    Node status = Node::map({{"replicas", Node::integer(first_int(
                                              obj, call.resource->custom ? call.version->scale_status : ".status.replicas"))}});
    if (const auto selector = selector_text(call, obj); !selector.empty()) status.set("selector", Node::string(selector));
    return Node::map({{"kind", Node::string("Scale")},
                      {"apiVersion", Node::string("autoscaling/v1")},
                      {"metadata", std::move(meta)},
                      {"spec", std::move(spec)},
                      {"status", std::move(status)}});
}

// A Scale has a table of its own, whatever it scales.
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
        r->versions.push_back(std::move(v));
        return ResourcePtr(std::move(r));
    }();
    return resource;
}

Api<HttpResponse> answer(const Call& call, const Presentation& form, const Written& w) {
    Call scale = call;
    scale.resource = scale_resource();
    scale.version = &scale.resource->versions[0];
    Presentation shown = form;
    if (form.form == Presentation::Form::metadata) shown.form = Presentation::Form::object;
    return respond_json(call, shown, w.status, present(scale, shown, scale_of(call, w.object)));
}

Api<std::int64_t> wanted(const Call& call, const Node& scale) {
    const Node* n = scale.find_path({"spec", "replicas"});
    const auto value = n ? n->as_int() : std::optional<std::int64_t>(0);
    if (!value) return refuse(bad_request("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is not a number"));
    if (*value < 0)
        return refuse(invalid("Scale", "autoscaling", call.path.name,
                              {{"FieldValueInvalid",
                                "Invalid value: " + std::to_string(*value) + ": must be greater than or equal to 0", "spec.replicas"}}));
    return *value;
}

Node with_replicas(const Call& call, const Node& live, std::int64_t replicas) {
    Node next = live;
    set_path(next, path_keys(replicas_path(call)), Node::integer(replicas));
    return next;
}

// Conflicts over a Scale are told in its own version.
Api<Node> as_scale(const Call& call, Api<Node> applied) {
    if (applied || applied.error().code != 409) return applied;
    ApiError e = std::move(applied).error();
    const std::string main = " using " + call.api_version(), scale = " using autoscaling/v1";
    const auto reword = [&](std::string& text) {
        for (auto at = text.find(main); at != std::string::npos; at = text.find(main, at + scale.size())) text.replace(at, main.size(), scale);
    };
    reword(e.message);
    for (auto& c : e.causes) reword(c.message);
    return refuse(std::move(e));
}

// Does an entry of managedFields hold this field ("spec", "replicas")?
bool owns(const Node& entry, const std::vector<std::string>& keys) {
    const Node* n = entry.find("fieldsV1");
    for (const auto& key : keys) n = n != nullptr ? n->find("f:" + key) : nullptr;
    return n != nullptr;
}

// Takes the field away; parents that hold nothing else go with it.
void disown(Node& fields, std::span<const std::string> keys) {
    const std::string key = "f:" + keys.front();
    Node* inside = fields.find_mut(key);
    if (inside == nullptr) return;
    if (keys.size() > 1) disown(*inside, keys.subspan(1));
    if (keys.size() == 1 || inside->empty()) fields.erase(key);
}

Node only_field(std::span<const std::string> keys) {
    return keys.empty() ? Node::map() : Node::map({{kube::Text("f:" + keys.front()), only_field(keys.subspan(1))}});
}

// apimachinery's scalehandler.go: updaters that keep the replicas get an entry for them alone, which has no time; a Scale that nobody owns is not
// tracked at all.
Node with_scale_owners(const Call& call, const Node& live, Node next, bool applied) {
    const auto keys = path_keys(replicas_path(call));
    const Node* before = live.find_path({"metadata", "managedFields"});
    const bool owned = before != nullptr && std::any_of(before->items().begin(), before->items().end(), [&](const Node& e) { return owns(e, keys); });
    if (!owned && !applied) {
        if (before != nullptr)
            meta_mut(next).set("managedFields", *before);
        else
            erase_meta(next, "managedFields");
        return next;
    }
    const Node* after = next.find_path({"metadata", "managedFields"});
    if (after == nullptr) return next;
    // In a Scale no replicas are no field: who sets 0 owns nothing.
    const bool none = !applied && first_int(next, replicas_path(call)) == 0 && first_int(live, replicas_path(call)) != 0;
    Node appliers = Node::list(), untimed = Node::list(), timed = Node::list(); // their order in the list
    for (const Node& entry : after->items()) {
        if (entry.text_at("operation") == "Apply" || !owns(entry, keys)) {
            (entry.text_at("operation") == "Apply" ? appliers : entry.contains("time") ? timed : untimed).push_back(entry);
            continue;
        }
        Node alone = entry, rest = entry;
        alone.erase("time");
        alone.set("fieldsV1", only_field(keys));
        if (!none) untimed.push_back(std::move(alone));
        disown(*rest.find_mut("fieldsV1"), keys);
        if (!rest.find("fieldsV1")->empty()) (rest.contains("time") ? timed : untimed).push_back(std::move(rest));
    }
    for (Node* more : {&untimed, &timed})
        for (Node& e : more->items_mut()) appliers.push_back(std::move(e));
    meta_mut(next).set("managedFields", std::move(appliers));
    return next;
}

// The real server keeps no time with an apply of a Scale.
Api<Node> untimed(const Call& call, Api<Node> applied) {
    if (!applied) return applied;
    Node* list = meta_mut(*applied).find_mut("managedFields");
    if (!list) return applied;
    for (Node& e : list->items_mut())
        if (e.text_at("operation") == "Apply" && e.text_at("subresource") == "scale" && e.text_at("manager") == call.manager) e.erase("time");
    return applied;
}

} // namespace

Api<HttpResponse> scale_read(Core& core, Call& call) {
    API_TRY(const Presentation form, negotiate(*call.http));
    const ObjectPtr o = core.store.get(call.id(), call.path.ns, call.path.name);
    if (!o) return refuse(call.not_found());
    return answer(call, form, Written{convert_version(*call.resource, parse_stored(*o), *call.version)});
}

Api<HttpResponse> scale_update(Core& core, Call& call, const Presentation& form, const Node& scale, Ack& ack) {
    if (const auto name = meta_text(scale, "name"); name != call.path.name)
        return refuse(bad_request(name.empty() ? "the name of the object (" + call.path.name + " based on URL) was undeterminable: name must be provided"
                                               : "the name of the object (" + std::string(name) + ") does not match the name on the URL (" + call.path.name + ")"));
    API_TRY(const std::int64_t replicas, wanted(call, scale));
    Core::ChangeOptions options;
    options.subresource = "scale";
    options.precondition_uid = meta_text(scale, "uid");
    const std::string rv(meta_text(scale, "resourceVersion"));
    API_TRY(const Written w, core.change(
                                 call, options,
                                 [&](const Node& live) -> Api<Node> {
                                     Node next = with_replicas(call, live, replicas);
                                     if (!rv.empty()) set_meta(next, "resourceVersion", rv);
                                     return with_scale_owners(call, live, track_update(call, live, std::move(next), "scale"), false);
                                 },
                                 ack));
    return answer(call, form, w);
}

Api<HttpResponse> scale_patch(Core& core, Call& call, const Presentation& form, PatchType type, const Node& patch, Ack& ack) {
    Core::ChangeOptions options;
    options.subresource = "scale";
    API_TRY(const Written w, core.change(
                                 call, options,
                                 [&](const Node& live) -> Api<Node> {
                                     if (type == PatchType::apply) {
                                         API_TRY(const std::int64_t n, wanted(call, patch));
                                         const bool says = patch.find_path({"spec", "replicas"}) != nullptr; // else the manager owns nothing of it any more
                                         if (const auto rv = meta_text(patch, "resourceVersion"); !rv.empty() && rv != meta_text(live, "resourceVersion"))
                                             return refuse(modified_conflict(call.plural(), call.group(), call.path.name));
                                         Node main = Node::map({{"apiVersion", Node::string(call.api_version())},
                                                                {"kind", Node::string(call.resource->kind)},
                                                                {"metadata", Node::map({{"name", Node::string(call.path.name)}})}});
                                         if (says) set_path(main, path_keys(replicas_path(call)), Node::integer(n));
                                         API_TRY(Node next, untimed(call, as_scale(call, apply_patch(call, live, main, call.http->flag("force"), "scale"))));
                                         if (first_int(next, replicas_path(call)) == 0) set_path(next, path_keys(replicas_path(call)), Node::integer(0));
                                         return with_scale_owners(call, live, std::move(next), true);
                                     }
                                     API_TRY(const Node scale, patched(call, type, scale_of(call, live), patch));
                                     API_TRY(const std::int64_t n, wanted(call, scale));
                                     return with_scale_owners(call, live, track_update(call, live, with_replicas(call, live, n), "scale"), false);
                                 },
                                 ack));
    return answer(call, form, w);
}

} // namespace weber::kube::server
