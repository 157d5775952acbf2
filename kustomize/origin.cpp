#include "kustomize/origin.h"

#include "kube/base/yaml.h"
#include "kustomize/path.h"
#include "kustomize/remote.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

void set_if(Node& map, std::string_view key, std::string_view value) {
    if (!value.empty()) map.set(key, Node::string(value));
}

Node to_node(const Origin& o) {
    Node node = Node::map();
    set_if(node, "path", o.path);
    set_if(node, "repo", o.repo);
    set_if(node, "ref", o.ref);
    set_if(node, "configuredIn", o.configured_in);
    Node by = Node::map();
    set_if(by, "apiVersion", o.by_api_version);
    set_if(by, "kind", o.by_kind);
    set_if(by, "name", o.by_name);
    set_if(by, "namespace", o.by_namespace);
    if (!by.empty()) node.set("configuredBy", std::move(by));
    return node;
}

std::string written(const Node& node) { return kube::write_yaml(node, {.order = kube::YamlKeyOrder::as_is}); }

} // namespace

Origin Origin::appended(std::string_view more) const {
    Origin deeper = *this;
    const auto url = parse_repo_url(more);
    if (!url) {
        deeper.path = join_path(path, more);
        return deeper;
    }
    deeper.repo = shown_url(url->clone);
    deeper.ref = url->ref;
    deeper.path = url->directory.empty() ? "notCloned" : join_path("", url->directory); // kustomize's word
    return deeper;
}

std::string Origin::to_yaml() const { return written(to_node(*this)); }

// As kustomize records transformations: all annotations written anew, as strings.
static void rewrite_annotation(Resource& resource, std::string_view key, std::string_view value) {
    resource.had_build_annotations = true;
    resource.set_annotation(key, value);
    Node& annotations = *resource.edit().find_mut("metadata")->find_mut("annotations");
    for (Node::Entry& e : annotations.entries_mut())
        if (!e.value.is_string() || is_bare(e.value.style())) e.value = Node::string(written_text(e.value));
}

void set_origin(Resource& resource, const Origin& origin) {
    resource.had_build_annotations = true;
    resource.set_annotation(kOriginAnnotation, origin.to_yaml());
}

void add_origin(ResourceSet& resources, const Origin& origin) {
    for (const auto& r : resources.all())
        if (r->annotation(kOriginAnnotation).empty()) set_origin(*r, origin);
}

void add_transformation(ResourceSet& resources, const Origin& origin) {
    Node list = Node::list();
    list.push_back(to_node(origin));
    const std::string item = written(list);
    for (const auto& r : resources.all()) {
        if (r->empty()) continue;
        if (r->annotation(kOriginAnnotation).empty()) {
            rewrite_annotation(*r, kOriginAnnotation, origin.to_yaml());
        } else {
            std::string all(r->annotation(kTransformationsAnnotation));
            rewrite_annotation(*r, kTransformationsAnnotation, all + item);
        }
    }
}

Origin origin_of_plugin(const Resource& config) {
    Origin origin;
    auto own = kube::read_yaml_one(config.annotation(kOriginAnnotation));
    if (own) {
        origin.configured_in = own->text_at("path");
        origin.repo = own->text_at("repo");
        origin.ref = own->text_at("ref");
    }
    origin.by_api_version = config.gvk().api_version();
    origin.by_kind = config.kind();
    origin.by_name = config.name();
    origin.by_namespace = config.ns();
    return origin;
}

} // namespace weber::kustomize
