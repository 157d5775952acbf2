#include "kube/server/openapi.h"

#include <map>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "kube/base/ascii.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/go_forms.h"
#include "kube/server/openapi_paths.h"
#include "kube/server/openapi_protobuf.h"
#include "kube/server/version.h"

namespace weber::kube::server {
namespace {

Node text(std::string_view s) { return Node::string(s); }

std::string capital(std::string_view s) {
    std::string out(s);
    if (!out.empty()) out[0] = ascii_upper(out[0]);
    return out;
}

// What the real documents say of the fields that every object has.
constexpr std::string_view kApiVersionText =
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject "
    "unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
constexpr std::string_view kKindText =
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In "
    "CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
constexpr std::string_view kEmbeddedApiVersionText =
    "apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
constexpr std::string_view kEmbeddedKindText =
    "kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
constexpr std::string_view kListMetadataText =
    "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
constexpr std::string_view kMetadataText = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

// "apps.v1.Deployment" as the real documents name it; "" for a type without a name.
std::string qualified_name(const TypeSchema& t) {
    const std::string name(definition_name(t));
    if (name.empty()) return {};
    const std::string group = name.substr(0, name.find('.'));
    return std::string(group == "meta"              ? "io.k8s.apimachinery.pkg.apis."
                       : group == "runtime"         ? "io.k8s.apimachinery.pkg."
                       : group == "apiextensions"   ? "io.k8s.apiextensions-apiserver.pkg.apis."
                       : group == "apiregistration" ? "io.k8s.kube-aggregator.pkg.apis."
                                                    : "io.k8s.api.") +
           name;
}

Node gvk_node(const ResourceInfo& r, const VersionInfo& v) {
    return Node::map({{"group", text(r.group)}, {"kind", text(r.kind)}, {"version", text(v.name)}});
}

// Writes types of the built-in tables as OpenAPI schemas; object types become named definitions, each once.
class SchemaWriter {
public:
    explicit SchemaWriter(bool v2) : v2_(v2), reference_(v2 ? "#/definitions/" : "#/components/schemas/") {}

    void add_kind(const ResourceInfo& r, const VersionInfo& v) {
        const std::string name = qualified_name(*v.schema);
        if (name.empty()) return;
        if (!definitions_.contains(name)) define(*v.schema, name);
        if (Node* d = definitions_.find_mut(name)) d->set("x-kubernetes-group-version-kind", Node::list({gvk_node(r, v)}));
    }

    void add_custom(const ResourceInfo& r, const VersionInfo& v) {
        Node schema = v.open_api.is_map() ? v.open_api : Node::map({{"type", text("object")}, {"x-kubernetes-preserve-unknown-fields", Node::boolean(true)}});
        complete_custom(schema);
        Node& properties = schema.get_or_insert("properties");
        properties.set("metadata", described_metadata());
        finish_custom(r, v, r.kind, std::move(schema));
        Node list = Node::map({{"description", text(r.list_kind + " is a list of " + r.kind)}, {"type", text("object")}, {"required", Node::list({text("items")})}});
        Node items = Node::map({{"type", text("array")},
                                {"description", text("List of " + r.plural + ". More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md")},
                                {"items", Node::map({{"$ref", text(reference_ + custom_name(r, v, r.kind))}})}});
        const TypeSchema* list_meta = find_builtin_definition("meta.v1.ListMeta");
        Node metadata = list_meta ? type(*list_meta, "ListMeta") : Node::map({{"type", text("object")}});
        metadata.erase("default");
        list.set("properties", Node::map({{"items", std::move(items)}, {"metadata", described(std::move(metadata), kListMetadataText)}}));
        finish_custom(r, v, r.list_kind, std::move(list));
    }

    static std::string custom_name(const ResourceInfo& r, const VersionInfo& v, std::string_view kind) {
        std::string name; // the group's labels turned round, as Kubernetes names them
        std::string_view rest = r.group;
        while (!rest.empty()) {
            const auto dot = rest.rfind('.');
            const auto label = dot == std::string_view::npos ? rest : rest.substr(dot + 1);
            name += std::string(label) + ".";
            rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
        }
        return name + v.name + "." + std::string(kind);
    }

    Node take() { return std::move(definitions_); }

private:
    static constexpr const char* kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

    static Node described(Node n, std::string_view description) {
        n.set("description", text(description));
        return n;
    }

    // What objects and lists of a custom kind have in common.
    void finish_custom(const ResourceInfo& r, const VersionInfo& v, const std::string& kind, Node schema) {
        Node& properties = schema.get_or_insert("properties");
        properties.set("apiVersion", described(Node::map({{"type", text("string")}}), kApiVersionText));
        properties.set("kind", described(Node::map({{"type", text("string")}}), kKindText));
        schema.set("x-kubernetes-group-version-kind", Node::list({Node::map({{"group", text(r.group)}, {"kind", text(kind)}, {"version", text(v.name)}})}));
        Node fields = Node::list();
        for (const auto& path : v.selectable) fields.push_back(Node::map({{"fieldPath", text(path.substr(path.starts_with('.') ? 1 : 0))}}));
        if (!fields.empty() && !v2_) schema.set("x-kubernetes-selectable-fields", std::move(fields));
        definitions_.set(custom_name(r, v, kind), std::move(schema));
    }

    Node described_metadata() {
        Node n = type(object_meta_schema(), kObjectMeta);
        n.erase("default");
        return described(std::move(n), kMetadataText);
    }

    // "Either an integer or a text" is said in words that every reader of schemas knows.
    static void unfold_int_or_string(Node& schema) {
        const Node* either = schema.find("x-kubernetes-int-or-string");
        if (!either || !either->as_bool()) return;
        Node any = Node::list({Node::map({{"type", text("integer")}}), Node::map({{"type", text("string")}})});
        const Node* all = schema.find("allOf");
        if (const Node* own = schema.find("anyOf"); !own) {
            if (all && !all->empty() && all->items()[0].find("anyOf") && *all->items()[0].find("anyOf") == any) return;
            schema.set("anyOf", std::move(any));
        } else if (!(*own == any)) {
            Node list = Node::list({Node::map({{"anyOf", std::move(any)}})});
            if (all)
                for (const Node& n : all->items()) list.push_back(n);
            schema.set("allOf", std::move(list));
        }
    }

    // Schemas within a definition that hold objects of their own (x-kubernetes-embedded-resource) get what all objects have.
    void complete_custom(Node& schema) {
        if (!schema.is_map()) return;
        if (!v2_) unfold_int_or_string(schema);
        for (const auto field : {"items", "additionalProperties"})
            if (Node* inner = schema.find_mut(field)) complete_custom(*inner);
        if (Node* properties = schema.find_mut("properties"); properties && properties->is_map())
            for (auto& e : properties->entries_mut()) complete_custom(e.value);
        const Node* embedded = schema.find("x-kubernetes-embedded-resource");
        if (!embedded || !embedded->as_bool()) return;
        Node& properties = schema.get_or_insert("properties");
        properties.set("apiVersion", described(Node::map({{"type", text("string")}}), kEmbeddedApiVersionText));
        properties.set("kind", described(Node::map({{"type", text("string")}}), kEmbeddedKindText));
        properties.set("metadata", described_metadata());
        Node required = Node::list({text("kind"), text("apiVersion")});
        if (const Node* own = schema.find("required"))
            for (const Node& name : own->items())
                if (name.text() != "kind" && name.text() != "apiVersion") required.push_back(name);
        schema.set("required", std::move(required));
    }

    void define(const TypeSchema& t, const std::string& name) {
        names_[&t] = name;
        definitions_.set(name, Node::map({{"type", text("object")}})); // taken before its fields: types may hold themselves
        Node out = Node::map({{"type", text("object")}});
        Node properties = Node::map(), required = Node::list();
        for (const auto& f : t.fields) {
            properties.set(f.name, &*f.type == &object_meta_schema() ? type(*f.type, kObjectMeta) : type(*f.type, name + capital(f.name)));
            if (f.required) required.push_back(text(f.name));
        }
        if (!properties.empty()) out.set("properties", std::move(properties));
        if (!required.empty()) out.set("required", std::move(required));
        if (t.atomic) out.set("x-kubernetes-map-type", text("atomic"));
        if (t.preserve_unknown) out.set("x-kubernetes-preserve-unknown-fields", Node::boolean(true));
        definitions_.set(name, std::move(out));
    }

    Node reference(const TypeSchema& t, const std::string& name) {
        if (const std::string known = qualified_name(t); !known.empty()) {
            const TypeSchema& type = *find_builtin_definition(definition_name(t)); // what a field adds to its type is said at the field
            if (!definitions_.contains(known)) define(type, known);
            Node out = Node::map({{"$ref", text(reference_ + known)}});
            if (t.atomic && !type.atomic) out.set("x-kubernetes-map-type", text("atomic"));
            return out;
        }
        auto it = names_.find(&t);
        if (it == names_.end()) {
            std::string free = name;
            for (int n = 2; definitions_.contains(free); ++n) free = name + std::to_string(n);
            define(t, free);
            it = names_.find(&t);
        }
        return Node::map({{"$ref", text(reference_ + it->second)}});
    }

    Node simple(std::string_view type, std::string_view format = {}) {
        Node n = Node::map({{"type", text(type)}});
        if (!format.empty()) n.set("format", text(format));
        return n;
    }

    // Some types that hold anything have a name, which `kubectl explain` shows.
    Node named_any(const TypeSchema& t) {
        const std::string known = qualified_name(t);
        if (!known.ends_with(".FieldsV1") && !known.ends_with(".RawExtension")) return simple("object");
        definitions_.set(known, simple("object"));
        Node ref = Node::map({{"$ref", text(reference_ + known)}});
        return v2_ ? ref : Node::map({{"allOf", Node::list({std::move(ref)})}});
    }

    Node type(const TypeSchema& t, const std::string& name) {
        switch (t.kind) {
            case TypeKind::boolean: return simple("boolean");
            case TypeKind::integer: return simple("integer", "int32");
            case TypeKind::number: return simple("number", "double");
            case TypeKind::string: return simple("string");
            case TypeKind::quantity: return simple("string");
            case TypeKind::int_or_string: return simple("string", "int-or-string");
            case TypeKind::time: return simple("string", "date-time");
            case TypeKind::micro_time: return simple("string", "date-time");
            case TypeKind::bytes: return simple("string", "byte");
            case TypeKind::any: return named_any(t);
            case TypeKind::object: {
                if (t.fields.empty()) return simple("object");
                if (v2_) return with_extensions(reference(t, name), t); // whose readers follow no allOf
                return with_extensions(Node::map({{"allOf", Node::list({reference(t, name)})}, {"default", Node::map()}}), t);
            }
            case TypeKind::map: {
                Node n = simple("object");
                if (t.element) n.set("additionalProperties", type(*t.element, name));
                if (t.atomic) n.set("x-kubernetes-map-type", text("atomic"));
                return with_extensions(std::move(n), t);
            }
            case TypeKind::list: {
                Node n = simple("array");
                n.set("items", t.element ? type(*t.element, name) : simple("object"));
                n.set("x-kubernetes-list-type", text(t.list_type == ListType::map   ? "map"
                                                     : t.list_type == ListType::set ? "set"
                                                                                    : "atomic"));
                if (!t.keys.empty()) {
                    Node keys = Node::list();
                    for (const auto k : t.keys) keys.push_back(text(k));
                    n.set("x-kubernetes-list-map-keys", std::move(keys));
                }
                return with_extensions(std::move(n), t);
            }
        }
        return simple("object");
    }

    static Node with_extensions(Node n, const TypeSchema& t) {
        if (!t.patch_merge_key.empty()) n.set("x-kubernetes-patch-merge-key", text(t.patch_merge_key));
        std::string strategy;
        if (t.patch_merge) strategy = "merge";
        if (t.patch_retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
        if (t.patch_replace_keys) strategy = "replace";
        if (!strategy.empty()) n.set("x-kubernetes-patch-strategy", text(strategy));
        return n;
    }

    const bool v2_;
    const std::string reference_;
    Node definitions_ = Node::map();
    std::unordered_map<const TypeSchema*, std::string> names_;
};

void add_group(const Registry::Group& g, std::string_view version, SchemaWriter& schemas, Node& paths, bool v3) {
    for (const auto& r : g.resources) {
        const VersionInfo* v = r->version(version);
        if (!v) continue;
        if (r->custom)
            schemas.add_custom(*r, *v);
        else if (v->schema->kind == TypeKind::object)
            schemas.add_kind(*r, *v);
        add_openapi_paths(paths, *r, *v, v3);
    }
}

Node info(bool custom = false) {
    return custom ? Node::map({{"title", text("Kubernetes CRD Swagger")}, {"version", text("v0.1.0")}}) : Node::map({{"title", text("Kubernetes")}, {"version", text(kGitVersion)}});
}

std::string v3_document(const Registry::Group& g, std::string_view version) {
    SchemaWriter schemas(false);
    Node paths = Node::map();
    add_group(g, version, schemas, paths, true);
    const bool custom = !g.resources.empty() && g.resources.front()->custom;
    return write_json(Node::map({{"openapi", text("3.0.0")}, {"info", info(custom)}, {"paths", std::move(paths)},
                                 {"components", Node::map({{"schemas", schemas.take()}})}}));
}

Node v2_document(const Registry& registry) {
    SchemaWriter schemas(true);
    Node paths = Node::map();
    for (const auto& g : registry.groups())
        for (const auto& v : g.versions) add_group(g, v, schemas, paths, false);
    return Node::map({{"swagger", text("2.0")}, {"info", info()}, {"paths", std::move(paths)}, {"definitions", schemas.take()}});
}

// Documents are made once per registry; those of other generations are dropped.
class Cache {
public:
    std::string get(const Registry& registry, const std::string& key, const std::function<std::string()>& make) {
        std::lock_guard lock(mutex_);
        if (generation_ != registry.generation()) {
            documents_.clear();
            generation_ = registry.generation();
        }
        auto it = documents_.find(key);
        if (it == documents_.end()) it = documents_.emplace(key, make()).first;
        return it->second;
    }

private:
    std::mutex mutex_; // guards all
    std::uint64_t generation_ = 0;
    std::map<std::string, std::string> documents_;
};

std::string path_of(const Registry::Group& g, const std::string& version) {
    return g.name.empty() ? "api/" + version : "apis/" + g.name + "/" + version;
}

std::string index(const Registry& registry) {
    Node paths = Node::map();
    for (const auto& g : registry.groups()) {
        for (const auto& v : g.versions) {
            const std::string path = path_of(g, v);
            std::string seed = path;
            for (const auto& r : g.resources)
                if (r->custom) seed += r->plural + std::to_string(registry.generation());
            paths.set(path, Node::map({{"serverRelativeURL", text("/openapi/v3/" + path + "?hash=" + sha256_hex(seed).substr(0, 32))}}));
        }
    }
    return write_json(Node::map({{"paths", std::move(paths)}}));
}

} // namespace

std::optional<HttpResponse> openapi(const RegistryPtr& registry, const HttpRequest& http) {
    static Cache cache;
    HttpResponse r;
    if (http.path == "/openapi/v3" || http.path == "/openapi/v3/") {
        r.body = index(*registry);
        return r;
    }
    if (http.path == "/openapi/v2") {
        if (http.accept.find("json") == std::string::npos && http.accept.find("*/*") == std::string::npos && !http.accept.empty()) {
            r.content_type = kOpenApiProtobufType;
            r.body = cache.get(*registry, "v2 protobuf", [&] { return openapi_protobuf(v2_document(*registry)); });
            return r;
        }
        r.body = cache.get(*registry, "v2", [&] { return write_json(v2_document(*registry)); });
        return r;
    }
    if (!http.path.starts_with("/openapi/v3/")) return std::nullopt;
    const std::string path = http.path.substr(12);
    for (const auto& g : registry->groups()) {
        for (const auto& v : g.versions) {
            if (path_of(g, v) != path) continue;
            r.body = cache.get(*registry, path, [&] { return v3_document(g, v); });
            return r;
        }
    }
    return std::nullopt;
}

} // namespace weber::kube::server
