#include "kustomize/transform/replacements.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "kube/base/json.h"
#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/linked.h"
#include "kustomize/transform/path_lookup.h"
#include "kustomize/transform/path_matcher.h"
#include "kustomize/transform/scalars.h"
#include "kustomize/transform/structured_data.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kDefaultFieldPath = "metadata.name";

std::string or_placeholder(const std::string& text, std::string_view placeholder) { return text.empty() ? std::string(placeholder) : text; }

// As kustomize prints the id of a source.
std::string id_text(const ReplacementSource& s) {
    return GvkPattern{s.group, s.version, s.kind}.to_string() + "/" + or_placeholder(s.name, "[noName]") + "." + or_placeholder(s.ns, "[noNs]");
}

std::string source_text(const ReplacementSource& s) {
    std::string text = id_text(s);
    if (!s.field_path.empty()) text += ":" + s.field_path;
    if (s.options && (!s.options->delimiter.empty() || s.options->create)) {
        text += ":" + s.options->delimiter + "(" + std::to_string(s.options->index) + "), create=" + (s.options->create ? "true" : "false");
    }
    return text;
}

std::string_view or_default(std::string_view ns) { return ns.empty() ? kDefaultNamespace : ns; }

bool is_scalar_like(const Node& node) { return !node.is_map() && !node.is_list(); }

std::vector<std::string> split(std::string_view text, std::string_view delimiter) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t at = text.find(delimiter);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + delimiter.size());
    }
}

// ---- source -----------------------------------------------------------------------------------------------------

// Ids are compared as written here: an object without namespace is in "default", whatever its scope.
bool selects(const ReplacementSource& source, const ResId& id) {
    const auto matches = [](const std::string& wanted, std::string_view found) { return wanted.empty() || wanted == found; };
    return matches(source.name, id.name) && matches(source.kind, id.gvk.kind()) && matches(source.group, id.gvk.group()) &&
           matches(source.version, id.gvk.version()) && (source.ns.empty() || or_default(source.ns) == or_default(id.ns));
}

Result<const Resource*> select_source(const ResourceSet& resources, const ReplacementSource& source) {
    const Resource* found = nullptr;
    const auto consider = [&](const Resource& r) -> Result<void> {
        if (r.empty() || !(selects(source, r.cur_id()) || std::ranges::any_of(r.prev_ids(), [&](const ResId& id) { return selects(source, id); })))
            return {};
        if (found != nullptr) {
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "multiple matches for selector " + source_text(source),
                              .hint = found->where().file.empty() ? "" : "first at " + found->where().to_string() + ", again at " + r.where().to_string()});
        }
        found = &r;
        return {};
    };
    if (source.name.empty()) {
        for (const auto& r : resources.all()) TRY_VOID(consider(*r));
    } else {
        for (const Resource* r : resources.with_name(source.name)) TRY_VOID(consider(*r));
    }
    if (found == nullptr)
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "nothing selected by " + source_text(source),
                          .hint = "add that object to the resources, or correct the source's kind, name and namespace"});
    return found;
}

// What is written. kustomize keeps the source's own node: when a target is that node, later targets get what it then holds.
struct Value {
    Node node;
    const Resource* live = nullptr; // the object it stands in; null: a text of its own
    std::vector<std::string> path = {};

    void refresh() {
        if (auto found = lookup(live->node(), path); found && *found != nullptr) node = **found;
    }
};

Result<Value> replacement_value(const ResourceSet& resources, const Replacement& replacement) {
    if (replacement.source_value && replacement.source) return fail(ErrorCode::invalid, "value and resource selectors are mutually exclusive");
    if (replacement.source_value) return Value{bare_scalar(*replacement.source_value)};
    const ReplacementSource& source = *replacement.source;
    TRY(const Resource* resource, select_source(resources, source));
    const std::string path = source.field_path.empty() ? std::string(kDefaultFieldPath) : source.field_path;
    std::vector<std::string> parts_of_path = split_bracketed_path(path);
    auto found = lookup(resource->node(), parts_of_path);
    if (!found) return fail(std::move(found).error().with_prefix("error looking up replacement source: "));
    const Node* value = *found;
    if (value == nullptr || value->is_null() || ((value->is_map() || value->is_list()) && value->empty()))
        return fail(ErrorCode::not_found, "fieldPath `" + path + "` is missing for replacement source " + id_text(source));
    if (!source.options || source.options->delimiter.empty()) return Value{*value, resource, std::move(parts_of_path)};
    if (!is_scalar_like(*value)) return fail(ErrorCode::invalid, "delimiter option can only be used with scalar nodes", value->where());
    const std::vector<std::string> parts = split(written_text(*value), source.options->delimiter);
    const int index = source.options->index;
    if (index < 0 || static_cast<std::size_t>(index) >= parts.size()) {
        // The value itself may be a secret's: it is not shown.
        const std::string shown = resource->kind() == "Secret" ? "(of a Secret)" : std::string(written_text(*value));
        return fail(ErrorCode::invalid, "options.index " + std::to_string(index) + " is out of bounds for value " + shown, value->where());
    }
    return Value{bare_scalar(parts[static_cast<std::size_t>(index)], value->style())};
}

// ---- target -----------------------------------------------------------------------------------------------------

// What a target becomes, a text at a place among others of it when the options name a delimiter.
std::string joined(std::string_view old, std::string text, const FieldOptions& options) {
    std::vector<std::string> parts = split(old, options.delimiter);
    if (options.index < 0) parts.insert(parts.begin(), std::move(text));
    else if (static_cast<std::size_t>(options.index) >= parts.size()) parts.push_back(std::move(text));
    else parts[static_cast<std::size_t>(options.index)] = std::move(text);
    std::string out = std::move(parts.front());
    for (std::size_t i = 1; i < parts.size(); ++i) out.append(options.delimiter).append(parts[i]);
    return out;
}

// The fields of an object itself; StructuredData has those of a text.
struct ObjectFields {
    static bool is_scalar(const Node& field) { return is_scalar_like(field); }
    static Result<void> set_text(Node& field, std::string_view text) { return overwrite(field, text); }
    static void set_tree(Node& field, const Node& tree) {
        field = tree;
        unlink(field);
    }
};

template <class Fields>
Result<void> write_field(Fields& fields, Node& target, const Node& value, const std::optional<FieldOptions>& options) {
    const bool delimited = options && !options->delimiter.empty();
    if (!fields.is_scalar(target)) {
        if (delimited) return fail(ErrorCode::invalid, "delimiter option can only be used with scalar nodes", target.where());
        fields.set_tree(target, value);
        return {};
    }
    std::string text(is_scalar_like(value) ? written_text(value) : std::string_view());
    if (delimited) text = joined(written_text(target), std::move(text), *options);
    return fields.set_text(target, text);
}

// Writes into data inside a scalar on the way of the path. False: there is no such data, or not that field in it.
Result<bool> write_into_text(Node& object, const Node& value, const PathPattern& path, std::optional<NodeKind> create,
                             const std::optional<FieldOptions>& options) {
    const auto texts = path.texts();
    for (std::size_t i = 1; i < texts.size(); ++i) {
        const auto found = lookup(object, texts.first(i));
        if (!found || *found == nullptr || !is_scalar_like(**found)) continue;
        auto data = StructuredData::read(written_text(**found));
        if (!data) continue;
        auto matches = match_fields(data->root(), path.parts().subspan(i), create);
        if (!matches || matches->fields.empty()) return false;
        for (Node* field : matches->fields)
            if (auto done = write_field(*data, *field, value, options); !done) return fail(within_text(std::move(done).error(), **found));
        TRY(Node* scalar, lookup_create(object, texts.first(i)));
        TRY_VOID(overwrite(*scalar, data->write()));
        return true;
    }
    return false;
}

std::string cannot_find(std::string_view path, bool create) {
    return std::string(create ? "unable to find or create field " : "unable to find field ") + kube::write_json(Node::string(path)) + " in replacement target";
}

// A target with everything compiled that all objects share.
class Target {
public:
    static Result<Target> compile(const ReplacementTarget& target, Value& value) {
        if (!target.select) return fail(ErrorCode::invalid, "target must specify resources to select");
        auto select = CompiledSelector::compile(*target.select);
        if (!select) return fail(std::move(select).error().with_prefix("error creating target selector: "));
        Target t(target, value, std::move(*select));
        for (const Selector& reject : target.reject) {
            auto compiled = CompiledSelector::compile(reject);
            if (!compiled) return fail(std::move(compiled).error().with_prefix("error creating target selector: "));
            t.reject_.push_back(std::move(*compiled));
        }
        for (const std::string& path : target.field_paths) t.paths_.emplace_back(path, PathPattern(split_bracketed_path(path)));
        if (t.paths_.empty()) t.paths_.emplace_back(kDefaultFieldPath, PathPattern(split_bracketed_path(kDefaultFieldPath)));
        if (target.options && target.options->create)
            t.create_ = value.node.is_map() || value.node.is_list() ? value.node.kind() : NodeKind::string;
        return t;
    }

    Result<void> apply(const ResourceSet& resources) const {
        if (const std::string_view name = select_.literal_name(); !name.empty()) {
            for (Resource* r : resources.with_name(name)) TRY_VOID(apply_to(*r));
            return {};
        }
        for (const auto& r : resources.all()) TRY_VOID(apply_to(*r));
        return {};
    }

private:
    Target(const ReplacementTarget& target, Value& value, CompiledSelector select) : target_(target), value_(value), select_(std::move(select)) {}

    [[nodiscard]] static bool any_id(const CompiledSelector& selector, const Resource& r) {
        return selector.match_id(r.cur_id()) || std::ranges::any_of(r.prev_ids(), [&](const ResId& id) { return selector.match_id(id); });
    }

    [[nodiscard]] bool rejects(const Resource& r) const {
        return std::ranges::any_of(reject_, [&](const CompiledSelector& s) {
            const bool by_text = !s.source().annotation_selector.empty() || !s.source().label_selector.empty();
            if (by_text && s.match_annotations(r.node()) && s.match_labels(r.node())) return true;
            return !s.source().id_empty() && any_id(s, r);
        });
    }

    Result<void> apply_to(Resource& r) const {
        if (r.empty() || !any_id(select_, r)) return {};
        if (!select_.match_annotations(r.node()) || !select_.match_labels(r.node()) || rejects(r)) return {};
        for (const auto& [text, path] : paths_) {
            if (auto done = copy_to(r, text, path); !done) return fail(std::move(done).error().on(r.cur_id().to_string()).at(r.where()));
        }
        r.sync_id();
        return {};
    }

    Result<void> copy_to(Resource& r, std::string_view text, const PathPattern& path) const {
        Node& object = r.edit();
        const bool own = value_.live == &r;
        TRY(const bool done, write_into_text(object, value_.node, path, create_, target_.options));
        if (done && own) value_.refresh();
        if (done) return {};
        auto matches = match_fields(object, path.parts(), create_);
        if (!matches) return fail(std::move(matches).error().with_prefix(cannot_find(text, create_.has_value()) + ": "));
        if (matches->fields.empty()) return fail(ErrorCode::not_found, cannot_find(text, create_.has_value()));
        for (Node* field : matches->fields) {
            const std::uint32_t link = field->link();
            ObjectFields fields;
            TRY_VOID(write_field(fields, *field, value_.node, target_.options));
            update_linked(object, link, *field);
            if (own) value_.refresh();
        }
        return {};
    }

    const ReplacementTarget& target_;
    Value& value_;
    CompiledSelector select_;
    std::vector<CompiledSelector> reject_;
    std::vector<std::pair<std::string, PathPattern>> paths_;
    std::optional<NodeKind> create_;
};

Result<void> apply_one(ResourceSet& resources, const Replacement& replacement) {
    if ((!replacement.source && !replacement.source_value) || replacement.targets.empty())
        return fail(ErrorCode::invalid, "replacements must specify a source and at least one target");
    TRY(Value value, replacement_value(resources, replacement));
    for (const ReplacementTarget& target : replacement.targets) {
        TRY(const Target compiled, Target::compile(target, value));
        TRY_VOID(compiled.apply(resources));
    }
    return {};
}

} // namespace

Result<void> apply_replacements(ResourceSet& resources, const std::vector<Replacement>& replacements) {
    for (const Replacement& replacement : replacements) {
        auto done = apply_one(resources, replacement);
        if (done) continue;
        const bool elsewhere = !done.error().where.file.empty() && !replacement.where.file.empty();
        return fail(std::move(done).error().at(replacement.where).advise(elsewhere ? "asked for by the replacement at " + replacement.where.to_string() : ""));
    }
    return {};
}

} // namespace weber::kustomize
