#include "kube/status_reader.h"

#include <algorithm>

namespace weber::kube {

namespace {

ObjectStatus unknown(Error error, std::optional<Object> object = {}) {
    return {.status = {.code = StatusCode::unknown}, .error = std::move(error), .object = std::move(object)};
}

ObjectStatus of_read_error(Error error) {
    if (error.http_status == 404 && error.code == ErrorCode::not_found)
        return {.status = {.code = StatusCode::not_found, .message = "Resource not found"}};
    return unknown(std::move(error));
}

// The caller's time is over, as opposed to a server that is slow.
bool ends_polling(const Error& e) { return e.code == ErrorCode::cancelled || (e.code == ErrorCode::timeout && e.http_status == 0); }

std::string joined(const Node* values) {
    std::vector<std::string> sorted;
    if (values)
        for (const Node& v : values->items()) sorted.emplace_back(v.text());
    std::ranges::sort(sorted);
    std::string out;
    for (const std::string& v : sorted) out += (out.empty() ? "" : ",") + v;
    return out;
}

// Its readers list what the object's selector chooses, so it must have one.
bool must_have_selector(const Object& o) { return needs_pods(o) || (o.group() == "apps" && o.kind() == "Deployment"); }

// Sharpens `own` by the pods of the object's selector.
Result<void> look_at_pods(Client& client, ObjectStatus& own, const Call& call, SystemTime now) {
    const Node* selector = own.object->at({"spec", "selector"});
    if (!selector) {
        own = unknown(Error{.code = ErrorCode::invalid, .message = "no selector found"}, std::move(own.object));
        return {};
    }
    if (own.status.code != StatusCode::in_progress || !needs_pods(*own.object)) return {};
    auto text = label_selector_text(*selector);
    if (!text) {
        own = unknown(std::move(text.error()), std::move(own.object));
        return {};
    }
    auto pods = client.list({"", "v1", "Pod"}, {.ns = std::string(own.object->ns()), .label_selector = *text}, call);
    if (pods) {
        own.status = with_pods(std::move(own.status), pods->items, now);
        return {};
    }
    if (ends_polling(pods.error())) return std::unexpected(std::move(pods.error()));
    own = unknown(std::move(pods.error()), std::move(own.object));
    return {};
}

} // namespace

Result<std::string> label_selector_text(const Node& selector) {
    std::vector<std::pair<std::string, std::string>> parts; // key, text
    if (const Node* labels = selector.find("matchLabels"))
        for (const Node::Entry& e : labels->entries()) parts.emplace_back(std::string_view(e.key), std::string(std::string_view(e.key)) + "=" + std::string(e.value.text()));
    if (const Node* expressions = selector.find("matchExpressions")) {
        for (const Node& e : expressions->items()) {
            const std::string key(e.text_at("key"));
            const std::string_view op = e.text_at("operator");
            if (op == "In" || op == "NotIn")
                parts.emplace_back(key, key + (op == "In" ? " in (" : " notin (") + joined(e.find("values")) + ")");
            else if (op == "Exists" || op == "DoesNotExist")
                parts.emplace_back(key, (op == "Exists" ? "" : "!") + key);
            else
                return fail(ErrorCode::invalid, "\"" + std::string(op) + "\" is not a valid label selector operator");
        }
    }
    std::ranges::stable_sort(parts, {}, [](const auto& p) { return p.first; });
    std::string out;
    for (const auto& [key, text] : parts) out += (out.empty() ? "" : ",") + text;
    return out;
}

const StatusReader* StatusReaders::reader_of(const GroupKind& kind) const {
    for (const auto& reader : custom_)
        if (reader->supports(kind)) return reader.get();
    return nullptr;
}

ObjectStatus StatusReaders::compute(Object object, SystemTime now) const {
    const StatusReader* custom = reader_of(object.gvk().group_kind());
    auto status = custom ? custom->compute(object, now) : compute_flux_status(object, now);
    if (!status) return unknown(std::move(status.error()), std::move(object));
    return {.status = std::move(*status), .object = std::move(object)};
}

Result<std::vector<ObjectStatus>> StatusReaders::read(Client& client, std::span<const ObjectRef> refs, std::size_t in_flight, const Call& call,
                                                      SystemTime now) const {
    std::vector<ObjectStatus> out;
    out.reserve(refs.size());
    for (Result<Object>& object : client.get_all(refs, in_flight, {}, call)) {
        if (!object && ends_polling(object.error())) return std::unexpected(std::move(object.error()));
        out.push_back(object ? compute(std::move(*object), now) : of_read_error(std::move(object.error())));
        ObjectStatus& own = out.back();
        if (own.object && !own.error && must_have_selector(*own.object) && !reader_of(own.object->gvk().group_kind()))
            TRY_VOID(look_at_pods(client, own, call, now));
    }
    return out;
}

} // namespace weber::kube
