#include "gitops/reconcile/generate.h"

#include <algorithm>
#include <array>

#include "kube/base/ascii.h"
#include "kube/base/yaml.h"
#include "kube/base/yaml_style.h"

namespace weber::gitops {

namespace {

constexpr std::array<std::string_view, 3> kFileNames{"kustomization.yaml", "kustomization.yml", "Kustomization"};

// The reference reads this one file leniently: what it does not know vanishes.
constexpr std::array<std::string_view, 33> kKnownFields{
    "apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "commonAnnotations",
    "patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags", "replacements", "replicas", "vars", "sortOptions", "resources",
    "components", "crds", "bases", "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts", "helmChartInflationGenerator",
    "generatorOptions", "configurations", "generators", "transformers", "validators"};

bool known_field(std::string_view key) {
    return key == "buildMetadata" || std::ranges::find(kKnownFields, key) != kKnownFields.end();
}

std::string join(const std::string& dir, std::string_view name) { return dir + (dir.ends_with('/') ? "" : "/") + std::string(name); }

Result<std::string> find_file(const Snapshot& s, const std::string& dir) {
    std::string found;
    for (std::string_view name : kFileNames) {
        const std::string path = join(dir, name);
        if (!s.fs->is_file(path)) continue;
        if (!found.empty())
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "Found multiple kustomization files under: " + s.display(dir),
                              .where = {s.display(path), 0, 0},
                              .hint = "keep one of them"});
        found = path;
    }
    return found;
}

// Numbers and truths as texts of them would read, for fields that want one: sigs.k8s.io/yaml makes 1.2 of `newTag: 1.20`, and true of `y`.
void make_canonical(Node& node) {
    if (node.is_map())
        for (Node::Entry& e : node.entries_mut()) make_canonical(e.value);
    if (node.is_list())
        for (Node& item : node.items_mut()) make_canonical(item);
    if (!node.is_number()) return;
    auto text = kube::yaml_number_key(node.text(), node.kind());
    if (!text || *text == node.text()) return;
    Node canonical = Node::scalar(node.kind(), kube::Text(*text), node.style());
    canonical.set_position(node.file(), node.line());
    node = std::move(canonical);
}

Result<Node> read_existing(const Snapshot& s, const std::string& path, std::vector<std::string>& warnings) {
    TRY(const std::string text, s.fs->read(path));
    const std::string shown = s.display(path);
    TRY(Node file, kube::read_yaml_one(text, {.file = shown, .schema = kube::YamlSchema::yaml_1_1, .unique_keys = false}));
    if (file.is_null()) file = Node::map();
    if (!file.is_map()) return fail(ErrorCode::invalid, "a kustomization must be a map", {shown, 1, 0});
    make_canonical(file);
    Node out = Node::map();
    out.set_position(file.file(), file.line());
    for (const auto& [key, value] : file.entries()) {
        if (!known_field(key)) warnings.push_back(value.where().to_string() + ": unknown field \"" + key.str() + "\" is ignored, as Flux does; kustomize refuses it");
        else if (!value.is_null()) out.set(key, value);
    }
    return out;
}

// Is every document of the file an object (or a list of them)? build.md 2.
Result<void> check_manifest(const Snapshot& s, const std::string& path) {
    const std::string shown = s.display(path);
    const auto wrap = [&](Error e) {
        return fail(std::move(e).with_prefix("failed to decode Kubernetes YAML from " + shown + ": ").at({shown, 0, 0}).advise(
            "files below a path without kustomization.yaml must all be manifests: add a kustomization.yaml, or list the file in .sourceignore"));
    };
    TRY(const std::string text, s.fs->read(path));
    auto documents = kube::read_yaml(text, {.file = shown});
    if (!documents) return wrap(Error(documents.error()).with_prefix("MalformedYAMLError: "));
    for (const Node& d : *documents) {
        if (d.is_null() || (d.is_map() && d.entries().empty())) continue;
        const Object o(d);
        const Node* metadata = d.is_map() ? d.find("metadata") : nullptr;
        const bool anything = !o.kind().empty() || !o.api_version().empty() || (metadata != nullptr && metadata->is_map() && !metadata->entries().empty());
        if (!d.is_map() || !anything) return wrap(Error{.code = ErrorCode::invalid, .message = "missing Resource metadata", .where = d.where()});
        if (o.kind().empty()) return wrap(Error{.code = ErrorCode::invalid, .message = "missing kind in object", .where = d.where()});
        if (o.name().empty() && !o.kind().ends_with("List")) return wrap(Error{.code = ErrorCode::invalid, .message = "missing metadata.name in object", .where = d.where()});
    }
    return {};
}

Result<void> collect(const Snapshot& s, const std::string& dir, const std::string& relative, Node& resources) {
    TRY(const std::vector<std::string> names, s.fs->list(dir));
    for (const std::string& name : names) {
        const std::string path = join(dir, name);
        const std::string entry = relative + "/" + name;
        if (s.fs->is_dir(path)) {
            TRY(const std::string file, find_file(s, path));
            if (!file.empty()) resources.push_back(Node::string(entry));
            else TRY_VOID(collect(s, path, entry, resources));
        } else if (name.ends_with(".yaml") || name.ends_with(".yml")) {
            TRY_VOID(check_manifest(s, path));
            resources.push_back(Node::string(entry));
        }
    }
    return {};
}

Result<Node> generate(const Snapshot& s, const std::string& dir) {
    Node resources = Node::list();
    TRY_VOID(collect(s, dir, ".", resources));
    Node out = Node::map();
    if (resources.empty()) out.set("namespace", Node::string("_placeholder"));
    else out.set("resources", std::move(resources));
    return out;
}

bool local_and_relative(std::string_view path) {
    for (std::string_view remote : {"git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/", "file:///"})
        if (kube::starts_with_but_case(path, remote)) return false;
    return !path.starts_with('/');
}

void append_list(Node& file, std::string_view field, const Node& items) {
    if (items.empty()) return;
    Node& list = file.get_or_insert(field);
    for (const Node& item : items.items()) list.push_back(item);
}

Result<void> merge_components(Node& file, const Snapshot& s, const std::string& dir, const KustomizationSpec& spec) {
    Node& list = spec.components.empty() ? file : file.get_or_insert("components");
    for (const std::string& path : spec.components) {
        if (!local_and_relative(path))
            return fail(ErrorCode::invalid, "component path '" + path + "' must be local and relative");
        if (spec.ignore_missing_components && !s.fs->is_dir(join(dir, path))) continue;
        list.push_back(Node::string(path));
    }
    if (const Node* merged = file.find("components"); merged != nullptr && merged->empty()) file.erase("components");
    return {};
}

// By exact name: a new image is appended; of a known one newName, and newTag and digest together, come from the spec [2.9].
void merge_images(Node& file, const Node& images) {
    for (const Node& image : images.items()) {
        Node& list = file.get_or_insert("images");
        Node* known = nullptr;
        for (Node& have : list.items_mut())
            if (have.text_at("name") == image.text_at("name")) known = &have;
        if (known == nullptr) {
            list.push_back(image);
            continue;
        }
        if (image.contains("newName")) known->set("newName", *image.find("newName"));
        if (!image.contains("newTag") && !image.contains("digest")) continue;
        for (std::string_view key : {"newTag", "digest"}) {
            known->erase(key);
            if (const Node* value = image.find(key)) known->set(key, *value);
        }
    }
}

void set_text(Node& file, std::string_view key, const std::string& value) {
    if (!value.empty()) file.set(key, Node::string(value));
}

} // namespace

Result<Node> kustomization_of(const Snapshot& snapshot, const std::string& dir, const KustomizationSpec& spec, std::vector<std::string>& warnings) {
    if (!snapshot.fs->is_dir(dir))
        return fail(ErrorCode::invalid, "spec.path must name a directory, " + snapshot.display(dir) + " is a file");
    TRY(const std::string path, find_file(snapshot, dir));
    TRY(Node file, path.empty() ? generate(snapshot, dir) : read_existing(snapshot, path, warnings));
    if (!file.contains("apiVersion")) file.set("apiVersion", Node::string("kustomize.config.k8s.io/v1beta1"));
    if (!file.contains("kind")) file.set("kind", Node::string("Kustomization"));
    if (const Node* resources = file.find("resources"); resources == nullptr || resources->empty())
        file.set("buildMetadata", Node::list({Node::string("originAnnotations")}));

    set_text(file, "namespace", spec.target_namespace);
    set_text(file, "namePrefix", spec.name_prefix);
    set_text(file, "nameSuffix", spec.name_suffix);
    append_list(file, "patches", spec.patches);
    TRY_VOID(merge_components(file, snapshot, dir, spec));
    merge_images(file, spec.images);
    if (!spec.build_metadata.empty()) {
        Node list = Node::list();
        for (const std::string& word : spec.build_metadata) list.push_back(Node::string(word));
        file.set("buildMetadata", std::move(list));
    }
    return file;
}

} // namespace weber::gitops
