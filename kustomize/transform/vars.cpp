#include "kustomize/transform/vars.h"

#include <cctype>
#include <unordered_map>

#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/path_lookup.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

// "{NAME KIND.VERSION.GROUP/object.namespace {fieldpath}}", as messages print a Var.
std::string describe(const Var& var) {
    return "{" + var.name + " " + GvkPattern{var.group, var.version, var.kind}.to_string() + "/" + var.obj_name + (var.obj_ns.empty() ? "" : "." + var.obj_ns) + " {" + var.field_path + "}}";
}

// Values by name of a var.
using Values = std::unordered_map<std::string, Node>;

// "ports[0]" means the parts "ports" and "0".
std::vector<std::string> split_numbered(std::vector<std::string> parts) {
    std::vector<std::string> result;
    for (std::string& part : parts) {
        const std::size_t open = part.ends_with(']') ? part.rfind('[') : std::string::npos;
        const bool numbered = open != std::string::npos && open + 2 < part.size() &&
                              part.find_first_not_of("0123456789", open + 1) == part.size() - 1;
        if (!numbered) {
            result.push_back(std::move(part));
            continue;
        }
        if (open > 0) result.push_back(part.substr(0, open));
        result.push_back(part.substr(open + 1, part.size() - open - 2));
    }
    return result;
}

Result<Node> value_of(const Var& var, const Resource& source) {
    const auto found = lookup(source.node(), split_numbered(split_bracketed_path(var.field_path)));
    if (!found || *found == nullptr) {
        return fail(Error{.code = ErrorCode::not_found,
                          .message = "field specified in var '" + describe(var) + "' not found in corresponding resource",
                          .where = var.where,
                          .object = source.cur_id().to_string()});
    }
    return **found;
}

// Text in which $(NAME) stands for values, $$ for a dollar. Source: kustomize filters/refvar/expand.go.
class Expander {
public:
    explicit Expander(const Values& values) : values_(values) {}

    // The node a string becomes: the value itself, with its type, when the text is nothing but one reference.
    [[nodiscard]] Node expand(std::string_view text) const {
        std::string out;
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t dollar = text.find('$', at);
            if (dollar == std::string_view::npos || dollar + 1 == text.size()) break;
            out.append(text.substr(at, dollar - at));
            const char next = text[dollar + 1];
            const std::size_t close = next == '(' ? text.find(')', dollar) : std::string_view::npos;
            at = dollar + 2;
            if (close != std::string_view::npos) {
                const std::string_view name = text.substr(dollar + 2, close - dollar - 2);
                const Node* value = find(name);
                const std::string reference = "$(" + std::string(name) + ")";
                if (text == reference) return value != nullptr ? typed(*value) : Node::string(text);
                out.append(value != nullptr ? plain_text(*value) : reference);
                at = close + 1;
            } else if (next == '$') {
                out.push_back('$');
            } else {
                out.append({'$', next});
            }
        }
        out.append(text.substr(at));
        return Node::string(out);
    }

private:
    // Lists and maps cannot stand in a text: their references stay as they are.
    [[nodiscard]] const Node* find(std::string_view name) const {
        auto it = values_.find(std::string(name));
        return it == values_.end() || it->second.is_list() || it->second.is_map() ? nullptr : &it->second;
    }

    [[nodiscard]] static Node typed(const Node& value) {
        if (value.is_bool()) return Node::boolean(value.as_bool());
        if (value.is_integer() || value.kind() == NodeKind::floating) return Node::scalar(value.kind(), value.shared_text());
        return Node::string(written_text(value));
    }

    [[nodiscard]] static std::string plain_text(const Node& value) {
        if (value.is_bool()) return value.as_bool() ? "true" : "false";
        if (const auto number = value.is_integer() ? value.as_int() : std::nullopt) return std::to_string(*number);
        return std::string(written_text(value));
    }

    const Values& values_;
};

Result<void> expand_field(Node& node, const Expander& expander) {
    const auto expand = [&](Node& string) {
        if (string.text().find('$') != std::string_view::npos) string = expander.expand(string.text());
        else string = Node::string(string.shared_text()); // written anew by kustomize
    };
    if (is_text(node)) {
        expand(node);
    } else if (node.is_map()) {
        for (Node::Entry& e : node.entries_mut())
            if (is_text(e.value)) expand(e.value);
    } else if (node.is_list()) {
        for (Node& item : node.items_mut()) {
            if (!is_text(item)) return fail(ErrorCode::invalid, "invalid value type expect a string", item.where());
            expand(item);
        }
    }
    return {};
}

} // namespace

Result<void> mark_var_sources(ResourceSet& resources, const std::vector<Var>& vars) {
    for (const Var& var : vars) {
        const Gvk gvk = Gvk::of(var.group, var.version, var.kind);
        const ResId id{gvk, kube::Text(var.obj_name), kube::Text(var.obj_ns), gvk.cluster_scoped()};
        const bool exact = !var.obj_ns.empty() || id.cluster_scoped; // without a namespace any will do
        const std::vector<Resource*> found = exact ? resources.matching_any(id) : resources.matching_any_gvkn(id);
        if (found.size() > 1) {
            return fail(ErrorCode::invalid,
                        "found " + std::to_string(found.size()) + " resId matches for var " + describe(var) + " (unable to disambiguate)", var.where);
        }
        if (found.empty()) continue;
        found.front()->ref_var_names.push_back(var.name);
        found.front()->had_build_annotations = true;
    }
    return {};
}

Result<void> resolve_vars(ResourceSet& resources, const std::map<std::string, Var>& vars, const FieldSpecs& specs) {
    if (vars.empty()) return {};
    std::unordered_map<std::string_view, const Resource*> sources;
    for (const auto& r : resources.all())
        for (const std::string& name : r->ref_var_names) sources.try_emplace(name, r.get());
    Values values;
    for (const auto& [name, var] : vars) {
        auto source = sources.find(name);
        if (source == sources.end()) {
            return fail(ErrorCode::not_found, "var '" + describe(var) + "' cannot be mapped to a field in the set of known resources", var.where);
        }
        TRY(values[name], value_of(var, *source->second));
    }
    const Expander expander(values);
    const FieldWalker walker(specs);
    const FieldWalker::Visit visit = [&](Node& node) { return expand_field(node, expander); };
    for (const auto& r : resources.all()) {
        if (!r->empty()) TRY_VOID(walker.walk(*r, visit));
    }
    return {};
}

} // namespace weber::kustomize
