#include "kube/server/present.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

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

Node partial(const Presentation& p, const Node& obj) {
    Node out = Node::map({{"kind", Node::string("PartialObjectMetadata")}, {"apiVersion", Node::string(p.meta_version)}});
    if (const Node* m = obj.find("metadata")) out.set("metadata", *m);
    return out;
}

Node row(const Call& call, const Presentation& p, const Node& obj) {
    Node r = Node::map();
    r.set("cells", table_cells(*call.resource, *call.version, obj, system_clock().now()));
    if (Node conditions = table_conditions(*call.resource, obj); !conditions.is_null()) r.set("conditions", std::move(conditions));
    if (p.include == Presentation::Include::metadata) r.set("object", row_object(call, partial(p, obj)));
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

// One clause of an Accept header: "application/json;as=Table;v=v1;g=meta.k8s.io".
struct AcceptClause {
    std::string_view type;
    double quality = 1;
    std::vector<std::pair<std::string_view, std::string_view>> params;

    // goautoneg's order, which is none when both qualities and wildcards differ; it is used as it is.
    [[nodiscard]] bool before(const AcceptClause& other) const {
        if (quality > other.quality) return true;
        if (!type.starts_with('*') && other.type.starts_with('*')) return true;
        return !type.ends_with("/*") && other.type.ends_with("/*");
    }
};

std::vector<AcceptClause> accept_clauses(std::string_view header) {
    std::vector<AcceptClause> out;
    for_parts(header, ',', [&](std::string_view text) {
        AcceptClause clause;
        bool first = true;
        for_parts(text, ';', [&](std::string_view part) {
            const auto eq = part.find('=');
            if (first) {
                clause.type = part == "*" ? "*/*" : part;
                first = false;
            } else if (eq != std::string_view::npos && part.find('=', eq + 1) == std::string_view::npos && eq + 1 < part.size()) {
                const auto key = trimmed(part.substr(0, eq), kSpace), value = part.substr(eq + 1);
                if (key == "q")
                    clause.quality = std::strtod(std::string(value).c_str(), nullptr);
                else
                    clause.params.emplace_back(key, trimmed(value, kSpace));
            }
        });
        if (std::ranges::count(clause.type, '/') == 1) out.push_back(std::move(clause));
    });
    for (std::size_t i = 1; i < out.size(); ++i) // the sort that Go uses for so few
        for (std::size_t j = i; j > 0 && out[j].before(out[j - 1]); --j) std::swap(out[j], out[j - 1]);
    return out;
}

// What a clause asks for; nullopt when it cannot be served and the next one counts.
std::optional<Presentation> served(const AcceptClause& clause) {
    Presentation p;
    p.yaml = clause.type == "application/yaml";
    if (!p.yaml && clause.type != "application/json" && clause.type != "application/*" && clause.type != "*/*") return std::nullopt;
    bool converts = false;
    std::string_view as, group, version;
    for (const auto& [key, value] : clause.params) {
        if (key == "as") as = value;
        if (key == "g") group = value;
        if (key == "v") version = value;
        converts = converts || key == "as" || key == "g" || key == "v";
        if (key == "pretty") p.pretty = value == "1";
        if (key == "stream" && (p.yaml || value != "watch")) return std::nullopt;
        if (key == "sv" && value != "v1") return std::nullopt;
    }
    if (!converts) return p;
    if (group != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) return std::nullopt;
    p.meta_version = version == "v1" ? "meta.k8s.io/v1" : "meta.k8s.io/v1beta1";
    p.list = as == "PartialObjectMetadataList";
    p.form = as == "Table" ? Presentation::Form::table : Presentation::Form::metadata;
    if (as != "Table" && as != "PartialObjectMetadata" && !p.list) return std::nullopt;
    return p;
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
    const std::vector<AcceptClause> clauses = accept_clauses(http.accept);
    const auto routed = [](const AcceptClause& c) { return c.type == "*/*" || c.type == "application/json" || c.type == "application/yaml"; }; // go-restful knows no application/*
    if (route_types && !clauses.empty() && std::ranges::none_of(clauses, routed)) return refuse(not_acceptable(std::string(kMediaTypes) + std::string(*route_types), true));
    Presentation best;
    bool found = trimmed(http.accept, kSpace).empty();
    for (const AcceptClause& c : clauses) {
        const auto p = found ? std::nullopt : served(c);
        if (p) best = *p;
        found = found || p;
    }
    if (!found) return refuse(not_acceptable(kMediaTypes, false));
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
    if (p.form == Presentation::Form::metadata) return write_json(partial(p, obj));
    Node table = Node::map({{"kind", Node::string("Table")}, {"apiVersion", Node::string(p.meta_version)}});
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
    Node table = Node::map({{"kind", Node::string("Table")}, {"apiVersion", Node::string(p.meta_version)}});
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
        out = R"({"kind":"Table","apiVersion":")" + std::string(p.meta_version) + R"(","metadata":)" + meta + ",\"columnDefinitions\":" +
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
           (metadata ? std::string(p.meta_version) : call.api_version()) + R"(","metadata":)" + meta + ",\"items\":[";
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
