#include "kube/server/sent_object.h"

#include "kube/base/json.h"
#include "kube/server/engine.h"
#include "kube/server/go_restore.h"
#include "kube/server/object_meta.h"
#include "kube/server/patch_text.h"
#include "kube/server/strategic_patch.h"

namespace weber::kube::server {
namespace {

// Where a built-in kind lives in the real server's source, which its messages name: "core.ConfigMap", "apps.Deployment".
std::string internal_type(const ResourceInfo& resource) {
    const std::string group = resource.group.empty() ? "core" : resource.group.substr(0, resource.group.find('.'));
    return group + "." + resource.kind;
}

// A built-in kind got an object of another one. `sent`: "apps/v1", "Deployment".
ApiError not_convertible(const Call& call, const std::string& sent_version, const std::string& sent_kind) {
    const auto slash = sent_version.find('/');
    const std::string group = slash == std::string::npos ? "" : sent_version.substr(0, slash);
    const std::string version = slash == std::string::npos ? sent_version : sent_version.substr(slash + 1);
    const std::string start = sent_kind + " in version \"" + version + "\" cannot be handled as a " + call.resource->kind + ": ";
    if (!find_builtin_type(group, version, sent_kind))
        return bad_request(start + "no kind \"" + sent_kind + "\" is registered for version \"" + sent_version +
                           "\" in scheme \"pkg/runtime/scheme.go:111\"");
    return bad_request(start + "converting (" + version + "." + sent_kind + ") to (" + internal_type(*call.resource) + "): unknown conversion");
}

// The patch fits, what it makes does not: told about the whole result (of a strategic patch: about the patch).
ApiError bad_result(const ApiError& decoding, const std::string& result) {
    constexpr std::string_view kBefore = " cannot be handled as a ";
    std::string why = decoding.message;
    if (const auto at = why.find(kBefore); at != std::string::npos) why = why.substr(why.find(": ", at) + 2);
    return invalid("", "", "", {{"FieldValueInvalid", "Invalid value: " + write_json(Node::string(result)) + ": " + why, "patch"}});
}

} // namespace

Api<void> check_type(const Call& call, Node& obj) {
    const std::string& kind = call.resource->kind;
    if (obj.text_at("kind").empty()) obj.set("kind", Node::string(kind));
    if (obj.text_at("apiVersion").empty()) obj.set("apiVersion", Node::string(call.api_version()));
    const std::string sent_version(obj.text_at("apiVersion")), sent_kind(obj.text_at("kind"));
    if (sent_kind != kind) {
        if (call.resource->custom)
            return refuse(invalid(sent_kind, call.group(), meta_text(obj, "name"),
                                  {{"FieldValueInvalid", "Invalid value: " + write_json(Node::string(sent_kind)) + ": must be " + kind, "kind"}}));
        return refuse(not_convertible(call, sent_version, sent_kind));
    }
    const auto slash = sent_version.find('/');
    const bool known = slash == std::string::npos ? find_builtin_type("", sent_version, kind) != nullptr
                                                  : find_builtin_type(sent_version.substr(0, slash), sent_version.substr(slash + 1), kind) != nullptr;
    if (!call.resource->custom && !known) return refuse(not_convertible(call, sent_version, sent_kind));
    if (sent_version != call.api_version())
        return refuse(bad_request("the API version in the data (" + sent_version + ") does not match the expected API version (" +
                                  call.api_version() + ")"));
    return {};
}

Api<void> check_name(const Call& call, const Node& obj) {
    const auto ns = meta_text(obj, "namespace");
    if (call.resource->namespaced && !ns.empty() && ns != call.path.ns)
        return refuse(bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    const auto name = meta_text(obj, "name");
    if (name.empty())
        return refuse(bad_request("the name of the object (" + call.path.name + " based on URL) was undeterminable: name must be provided"));
    if (name != call.path.name)
        return refuse(bad_request("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                                  call.path.name + ")"));
    return {};
}

Api<void> read_object(Call& call, Node& obj) {
    API_TRY_VOID(check_type(call, obj));
    API_TRY_VOID(check_name(call, obj));
    return decode_object(call, obj);
}

Api<Node> patch_object(Call& call, PatchType type, const Node& live, const Node& patch) {
    API_TRY(Node next, patched(call, type, live, patch));
    API_TRY_VOID(check_name(call, next));
    call.warnings.clear();
    Node read = next;
    if (const auto why = type == PatchType::strategic ? restore_error(next, *call.version->schema) : std::string(); !why.empty())
        return refuse(bad_result(bad_request(why), go_text(patch)));
    if (auto decoded = decode_object(call, read); !decoded)
        return refuse(bad_result(decoded.error(), type == PatchType::strategic ? go_text(patch)
                                                                              : patched_text(next, type, patch, call.resource->custom ? nullptr : call.version->schema)));
    return read;
}

} // namespace weber::kube::server
