#include "kube/server/present.h"

#include "kube/base/json.h"
#include "kube/base/trim.h"
#include "kube/server/core.h"
#include "kube/server/object_meta.h"
#include "kube/server/strategy.h"
#include "kube/server/table.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kSpace = " ";

// Calls `each` with the parts of `text` between `separator`s, trimmed.
template <class F>
void for_parts(std::string_view text, char separator, F each) {
    while (!text.empty()) {
        const auto at = text.find(separator);
        each(trimmed(text.substr(0, at), kSpace));
        if (at == std::string_view::npos) return;
        text.remove_prefix(at + 1);
    }
}

Node columns_node(const Call& call) {
    Node out = Node::list();
    for (const auto& c : table_columns(*call.resource, *call.version))
        out.push_back(Node::map({{"name", Node::string(c.name)},
                                 {"type", Node::string(c.type)},
                                 {"format", Node::string(c.format)},
                                 {"description", Node::string(c.description)},
                                 {"priority", Node::integer(c.priority)}}));
    return out;
}

// A row's object is what the printers saw, the internal form.
Node row_object(const Call& call, Node obj) {
    hide_internal_annotations(call.id(), obj);
    return obj;
}

Node version_of(const Node& obj) {
    const auto rv = meta_text(obj, "resourceVersion");
    return rv.empty() ? Node::map() : Node::map({{"resourceVersion", Node::string(rv)}}); // a dry run made none
}

Node partial(const Node& obj) {
    Node out = Node::map({{"kind", Node::string("PartialObjectMetadata")}, {"apiVersion", Node::string("meta.k8s.io/v1")}});
    if (const Node* m = obj.find("metadata")) out.set("metadata", *m);
    return out;
}

Node row(const Call& call, const Presentation& p, const Node& obj) {
    Node r = Node::map();
    r.set("cells", table_cells(*call.resource, *call.version, obj, system_clock().now()));
    if (Node conditions = table_conditions(*call.resource, obj); !conditions.is_null()) r.set("conditions", std::move(conditions));
    if (p.include == Presentation::Include::metadata) r.set("object", row_object(call, partial(obj)));
    if (p.include == Presentation::Include::object) r.set("object", obj);
    if (p.include == Presentation::Include::none) r.set("object", Node());
    return r;
}

Node versioned(const Call& call, const StoredObject& o) { return Core::convert(*call.resource, parse_stored(o), *call.version); }

// Lists of custom resources show an empty continue token too. `rv` 0: of something that is computed and has none.
std::string list_meta(std::uint64_t rv, const std::string& token, std::size_t remaining, bool always_token) {
    Node m = Node::map();
    if (rv) m.set("resourceVersion", Node::string(std::to_string(rv)));
    if (!token.empty() || always_token) m.set("continue", Node::string(token));
    if (remaining) m.set("remainingItemCount", Node::integer(static_cast<std::int64_t>(remaining)));
    return write_json(m);
}

} // namespace

ApiError not_acceptable(std::string_view types, bool route) {
    ApiError e;
    e.code = 406;
    e.reason = "NotAcceptable";
    e.no_details = !route;
    e.message = (route ? "406: Not Acceptable\n\nAvailable representations: " : "only the following media types are accepted: ") + std::string(types);
    return e;
}

Api<Presentation> negotiate(const Call& call) {
    if (call.resource->custom) return negotiate(*call.http, std::nullopt);
    const bool list = call.http->method == "GET" && call.path.name.empty();
    return negotiate(*call.http, list ? ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch" : "");
}

Api<Presentation> negotiate(const HttpRequest& http, std::optional<std::string_view> route_types) {
    Presentation best;
    bool found = trimmed(http.accept, kSpace).empty();
    bool known_media = false; // but not what is asked for in it
    for_parts(http.accept, ',', [&](std::string_view clause) {
        if (found) return;
        Presentation p;
        std::string_view media, as, group, version;
        bool first = true;
        for_parts(clause, ';', [&](std::string_view part) {
            if (first) {
                media = part;
                first = false;
                return;
            }
            const auto eq = part.find('=');
            const auto key = trimmed(part.substr(0, eq), kSpace);
            const auto value = eq == std::string_view::npos ? std::string_view() : trimmed(part.substr(eq + 1), kSpace);
            if (key == "as") as = value;
            if (key == "g") group = value;
            if (key == "v") version = value;
        });
        if (media == "application/yaml")
            p.yaml = true;
        else if (media != "application/json" && media != "*/*" && (media != "application/*" || route_types.has_value())) // which go-restful does not know
            return;
        known_media = true;
        if (!as.empty() && (group != "meta.k8s.io" || (version != "v1" && version != "v1beta1"))) return;
        if (as == "Table")
            p.form = Presentation::Form::table;
        else if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList")
            p.form = Presentation::Form::metadata, p.list = as == "PartialObjectMetadataList";
        else if (!as.empty())
            return;
        best = p;
        found = true;
    });
    if (!found) {
        const bool route = !known_media && route_types.has_value();
        return refuse(not_acceptable(std::string(kMediaTypes) + std::string(route ? *route_types : ""), route));
    }
    const auto include = http.param("includeObject");
    if (best.form == Presentation::Form::table && !include.empty() && include != "None" && include != "Object" && include != "Metadata")
        return refuse(bad_request("Unable to convert to Table as requested: includeObject: Invalid value: \"" + std::string(include) +
                                        "\": must be 'Metadata', 'Object', 'None', or empty"));
    if (include == "None") best.include = Presentation::Include::none;
    if (include == "Object") best.include = Presentation::Include::object;
    return best;
}

std::string present(const Call& call, const Presentation& p, const Node& obj) {
    if (p.form == Presentation::Form::object) return canonical_json(obj);
    if (p.form == Presentation::Form::metadata) return write_json(partial(obj));
    Node table = Node::map({{"kind", Node::string("Table")}, {"apiVersion", Node::string("meta.k8s.io/v1")}});
    table.set("metadata", version_of(obj));
    table.set("columnDefinitions", columns_node(call));
    table.set("rows", Node::list({row(call, p, obj)}));
    return write_json(table);
}

std::string present(const Call& call, const Presentation& p, const StoredObject& o, bool table_headers) {
    if (p.form == Presentation::Form::object) {
        if (call.version->storage) return o.json;
        return canonical_json(versioned(call, o));
    }
    if (p.form == Presentation::Form::metadata || table_headers) return present(call, p, versioned(call, o));
    const Node obj = versioned(call, o);
    Node table = Node::map({{"kind", Node::string("Table")}, {"apiVersion", Node::string("meta.k8s.io/v1")}});
    table.set("metadata", version_of(obj));
    table.set("columnDefinitions", Node());
    table.set("rows", Node::list({row(call, p, obj)}));
    return write_json(table);
}

std::string present_list(const Call& call, const Presentation& p, const std::vector<ObjectPtr>& items, std::uint64_t rv,
                         const std::string& token, std::size_t remaining) {
    const bool stored = call.resource->id() != "/componentstatuses";
    const std::string meta = list_meta(stored ? rv : 0, token, remaining, call.resource->custom && p.form == Presentation::Form::object);
    std::string out;
    if (p.form == Presentation::Form::table) {
        out = R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":)" + meta + ",\"columnDefinitions\":" +
              write_json(columns_node(call)) + ",\"rows\":[";
        if (items.empty() && !has_printer(*call.resource)) { // Go's empty slice of rows
            out.resize(out.size() - 1);
            return out + "null}";
        }
        bool first = true;
        for (const auto& o : in_row_order(*call.resource, items)) {
            if (!first) out += ',';
            first = false;
            write_json(row(call, p, versioned(call, *o)), out);
        }
        return out + "]}";
    }
    const bool metadata = p.form == Presentation::Form::metadata;
    std::size_t bytes = 256;
    if (!metadata)
        for (const auto& o : items) bytes += o->json.size() + 1;
    out.reserve(bytes);
    out += R"({"kind":")" + (metadata ? "PartialObjectMetadataList" : call.resource->list_kind) + R"(","apiVersion":")" +
           (metadata ? "meta.k8s.io/v1" : call.api_version()) + R"(","metadata":)" + meta + ",\"items\":[";
    // Items of built-in lists carry no type of their own (as typed Go lists); those of custom resources do.
    const std::string type = R"({"apiVersion":")" + call.api_version() + R"(","kind":")" + call.resource->kind + "\",";
    if (metadata && items.empty()) { // Go's empty slice of metadata
        out.resize(out.size() - 1);
        return out + "null}";
    }
    bool first = true;
    for (const auto& o : items) {
        if (!first) out += ',';
        first = false;
        if (!metadata && call.version->storage) {
            if (!call.resource->custom && std::string_view(o->json).starts_with(type))
                out.append("{").append(o->json, type.size(), std::string::npos);
            else
                out += o->json;
            continue;
        }
        const std::string json = present(call, p, *o);
        if (!metadata && !call.resource->custom && std::string_view(json).starts_with(type))
            out.append("{").append(json, type.size(), std::string::npos);
        else
            out += json;
    }
    return out + "]}";
}

void add_warnings(const Call& call, HttpResponse& r) {
    for (const auto& w : call.warnings) {
        std::string text;
        for (const char c : w) {
            if (c == '"' || c == '\\') text += '\\';
            text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
        r.headers.emplace_back("Warning", "299 - \"" + text + "\"");
    }
}

HttpResponse respond_json(const Call& call, int status, std::string json) {
    HttpResponse r;
    r.status = status;
    r.body = std::move(json);
    r.body += '\n';
    add_warnings(call, r);
    return r;
}

} // namespace weber::kube::server
