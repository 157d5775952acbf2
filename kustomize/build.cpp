#include "kustomize/build.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "kube/base/ascii.h"
#include "kube/base/yaml.h"
#include "kustomize/accumulate.h"
#include "kustomize/order.h"
#include "kustomize/transform/name_hash.h"
#include "kustomize/transform/references.h"
#include "kustomize/transform/scalars.h"
#include "kustomize/transform/vars.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kLocalConfig = "config.kubernetes.io/local-config";
constexpr std::string_view kVersion = "v5.8.1"; // of the kustomize whose output this is

bool contains(const std::vector<std::string>& list, std::string_view text) { return std::ranges::find(list, text) != list.end(); }

// Objects that say they are for the client only (kustomize: IgnoreLocal).
void drop_local_config(ResourceSet& resources) {
    resources.retain([](const Resource& r) {
        const Node* annotations = r.node().find_path({"metadata", "annotations"});
        const Node* local = annotations ? annotations->find(kLocalConfig) : nullptr;
        return !local || local->text() == "false";
    });
}

Result<void> sort(ResourceSet& resources, const Kustomization& kustomization, Reorder reorder) {
    if (kustomization.sort_options) return sort_resources(resources, *kustomization.sort_options);
    if (reorder == Reorder::legacy) return sort_resources(resources, {.order = SortOrder::legacy, .order_text = "legacy", .legacy = {}});
    return {};
}

void add_managed_by_label(ResourceSet& resources) {
    for (const auto& r : resources.all()) {
        map_under(map_under(r->edit(), "metadata"), "labels").set("app.kubernetes.io/managed-by", Node::string("kustomize-" + std::string(kVersion)));
    }
}

bool is_build_annotation(std::string_view key) {
    constexpr std::string_view kInternal = "internal.config.kubernetes.io/";
    if (key.starts_with(kInternal)) {
        key.remove_prefix(kInternal.size());
        for (std::string_view name : {"previousKinds", "previousNames", "prefixes", "suffixes", "previousNamespaces", "allowNameChange",
                                      "allowKindChange", "refBy", "generatorBehavior", "needsHashSuffix", "path", "index", "seqindent",
                                      "id", "annotations-migration-resource-id", "helm-generated"})
            if (key == name) return true;
        return false;
    }
    return key == "config.kubernetes.io/path" || key == "config.kubernetes.io/index" || key == "config.k8s.io/id";
}

bool any_scalar(const Node& node, bool (*is)(const Node&)) {
    if (node.is_map()) return std::ranges::any_of(node.entries(), [&](const Node::Entry& e) { return any_scalar(e.value, is); });
    if (node.is_list()) return std::ranges::any_of(node.items(), [&](const Node& item) { return any_scalar(item, is); });
    return is(node);
}

bool is_date(const Node& scalar) { return !date_of(scalar).empty(); }
bool is_folded(const Node& scalar) { return scalar.style() == NodeStyle::folded; }

// `read_again`: kustomize reads the object from its own text, in which quotes stand around some dates inside brackets.
void rewrite_dates(Node& node, bool read_again, bool in_brackets = false) {
    in_brackets = in_brackets || (read_again && node.style() == NodeStyle::flow);
    if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut()) rewrite_dates(e.value, read_again, in_brackets);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) rewrite_dates(item, read_again, in_brackets);
    } else if (std::string date = date_of(node, in_brackets); !date.empty()) {
        node = Node::string(date);
    }
}

void refold(Node& node) {
    if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut()) refold(e.value);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) refold(item);
    } else if (is_folded(node)) {
        node = Node::string(refolded(node.text()));
    }
}

// `{a: }`: kustomize writes '' there, and reads a text again.
bool has_empty_in_brackets(const Node& node, bool in_brackets = false) {
    in_brackets = in_brackets || node.style() == NodeStyle::flow;
    if (node.is_map()) return std::ranges::any_of(node.entries(), [&](const Node::Entry& e) { return has_empty_in_brackets(e.value, in_brackets); });
    if (node.is_list()) return std::ranges::any_of(node.items(), [&](const Node& item) { return has_empty_in_brackets(item, in_brackets); });
    return in_brackets && node.is_null() && node.style() == NodeStyle::absent;
}

void quote_empty(Node& node, bool in_brackets = false) {
    in_brackets = in_brackets || node.style() == NodeStyle::flow;
    if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut()) quote_empty(e.value, in_brackets);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) quote_empty(item, in_brackets);
    } else if (has_empty_in_brackets(node, in_brackets)) {
        node = Node::string("");
    }
}

// Numbers that JSON, and so the API, cannot say.
Result<void> check_finite(const Node& node, const Resource& r) {
    for (const Node::Entry& e : node.entries()) TRY_VOID(check_finite(e.value, r));
    for (const Node& item : node.items()) TRY_VOID(check_finite(item, r));
    if (node.kind() != NodeKind::floating || std::isfinite(node.as_double().value_or(0))) return {};
    return fail(Error{.code = ErrorCode::invalid, .message = "json: unsupported value: " + std::string(node.text()), .where = node.where(),
                      .object = r.cur_id().to_string(), .hint = "put it in quotes if it is meant as text"});
}

// kustomize takes its annotations out by writing the annotations anew: values become strings, an empty map goes.
void clean_annotations(Resource& r, bool keep_origin, bool keep_transformations) {
    const Node* metadata = r.node().find("metadata");
    const Node* annotations = metadata ? metadata->find("annotations") : nullptr;
    if (!annotations) return;
    if (annotations->empty() && !r.had_build_annotations && keep_origin && keep_transformations) return;
    const auto goes = [&](std::string_view key) {
        return is_build_annotation(key) || (!keep_origin && key == kOriginAnnotation) || (!keep_transformations && key == kTransformationsAnnotation);
    };
    const auto fine = [&](const Node::Entry& e) { return e.value.is_string() && !is_folded(e.value) && !is_date(e.value) && !goes(e.key); };
    if (!annotations->empty() && std::ranges::all_of(annotations->entries(), fine)) return;
    Node kept = Node::map();
    for (const Node::Entry& e : annotations->entries())
        if (!goes(e.key)) kept.append_unchecked(e.key, Node::string(e.value.is_null() ? kube::Text(written_text(e.value)) : e.value.shared_text()));
    Node& target = *r.edit().find_mut("metadata");
    if (kept.empty()) target.erase("annotations");
    else target.set("annotations", std::move(kept));
}

// A reference follows the name of an object: what gave it that name.
Explanation::Locate name_givers(const ResourceSet& resources, const Explanation& explanation) {
    auto givers = std::make_shared<std::map<std::string, Where, std::less<>>>();
    for (const auto& r : resources.all())
        if (const Setter* setter = explanation.name_setter(*r); setter && !r->prev_ids().empty()) givers->emplace(r->name(), setter->where);
    return [givers](std::string_view, const Node*, const Node& now) {
        const auto it = givers->find(now.text());
        return it == givers->end() ? Where{} : it->second;
    };
}

Explanation::Locate var_users(const std::map<std::string, Var>& vars) {
    return [&vars](std::string_view, const Node* old, const Node&) {
        for (const auto& [name, var] : vars)
            if (old && old->text().find("$(" + name + ")") != std::string_view::npos) return var.where;
        return Where{};
    };
}

} // namespace

Result<BuildOutput> build(const FileSystem& fs, std::string_view dir, const BuildOptions& options) {
    Session session(fs, options);
    if (options.explain) session.explanation = std::make_unique<Explanation>();
    TRY(Loader loader, Loader::start(session.files, dir));
    TRY(Target root, Target::load(session, std::move(loader), Origin{}, options.root_kustomization ? &*options.root_kustomization : nullptr));
    TRY_VOID(root.use_schema());
    session.build_metadata = root.kustomization().build_metadata;

    Accumulator acc;
    TRY_VOID(root.accumulate(acc));

    // Only the root does what follows; names are final from here on.
    TRY_VOID(append_name_hashes(acc.resources));
    if (session.explanation) session.explanation->note_hashes(acc.resources);
    TRY_VOID(fix_name_references(acc.resources, acc.config->name_reference));
    if (session.explanation) session.explanation->note(acc.resources, "NameReferenceTransformer", name_givers(acc.resources, *session.explanation));
    TRY_VOID(resolve_vars(acc.resources, acc.vars, acc.config->var_reference));
    if (session.explanation) session.explanation->note(acc.resources, "RefVarTransformer", var_users(acc.vars));
    drop_local_config(acc.resources);
    TRY_VOID(acc.resources.check_unique());
    TRY_VOID(sort(acc.resources, root.kustomization(), options.reorder));
    if (options.managed_by_label || contains(session.build_metadata, "managedByLabel")) add_managed_by_label(acc.resources);
    const bool keep_origin = contains(session.build_metadata, "originAnnotations");
    const bool keep_transformations = contains(session.build_metadata, "transformerAnnotations");
    for (const auto& r : acc.resources.all()) clean_annotations(*r, keep_origin, keep_transformations);
    if (session.files.oddities.dates) {
        for (const auto& r : acc.resources.all())
            if (any_scalar(r->node(), is_date)) rewrite_dates(r->edit(), !options.as_files);
    }
    if (session.files.oddities.folded && !options.as_files) {
        for (const auto& r : acc.resources.all())
            if (any_scalar(r->node(), is_folded)) refold(r->edit());
    }
    if (session.files.oddities.braces && !options.as_files) {
        for (const auto& r : acc.resources.all())
            if (has_empty_in_brackets(r->node())) quote_empty(r->edit());
    }
    if (session.files.oddities.infinities) {
        for (const auto& r : acc.resources.all()) TRY_VOID(check_finite(r->node(), *r));
    }
    const Node* metadata = session.explanation ? root.kustomization().document.find("buildMetadata") : nullptr;
    if (metadata) session.explanation->note(acc.resources, "buildMetadata", [&](std::string_view, const Node*, const Node&) { return metadata->where(); });
    return BuildOutput{std::move(acc.resources), std::move(session.files.files_read), std::move(session.warnings), std::move(session.explanation)};
}

std::vector<Node> BuildOutput::objects() const {
    std::vector<Node> nodes;
    nodes.reserve(resources.size());
    for (const auto& r : resources.all()) nodes.push_back(r->node());
    return nodes;
}

Result<std::map<std::string, std::string>> to_files(const ResourceSet& resources) {
    std::set<std::string_view> namespaces;
    for (const auto& r : resources.all())
        if (!r->cur_id().cluster_scoped) namespaces.insert(r->cur_id().effective_namespace());
    std::map<std::string, std::string> files;
    for (const auto& r : resources.all()) {
        std::string name;
        const auto add = [&](std::string_view part) { if (!part.empty()) name.append(name.empty() ? "" : "_").append(part); };
        if (!r->cur_id().cluster_scoped && namespaces.size() > 1) add(r->cur_id().effective_namespace());
        for (std::string_view part : {std::string_view(r->gvk().group()), std::string_view(r->gvk().version()), r->kind(), r->name()}) add(part);
        for (char& c : name) c = c == '/' ? '_' : kube::ascii_lower(c);
        auto [at, fresh] = files.emplace(name + ".yaml", kube::write_yaml(r->node()));
        if (!fresh) {
            return fail(Error{.code = ErrorCode::already_exists, .message = "two objects would be written to " + at->first,
                              .where = r->where(), .object = r->cur_id().to_string(), .hint = "write to one file with -o FILE"});
        }
    }
    return files;
}

std::string to_explained_yaml(const BuildOutput& output, std::string_view base) {
    std::string out;
    for (const auto& r : output.resources.all()) out += (out.empty() ? "" : "---\n") + output.explanation->to_yaml(*r, base);
    return out;
}

std::string to_yaml(const ResourceSet& resources) {
    std::string out;
    bool first = true;
    for (const auto& r : resources.all()) {
        if (!first) out += "---\n";
        first = false;
        kube::write_yaml(r->node(), out);
    }
    return out;
}

} // namespace weber::kustomize
