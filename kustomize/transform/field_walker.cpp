#include "kustomize/transform/field_walker.h"

#include <algorithm>
#include <utility>

#include "kustomize/transform/linked.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

std::string_view trimmed(std::string_view s) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
}

// kustomize looks fields up as path parts, where some texts mean list elements: those cannot name a field of a map.
bool names_an_element(std::string_view name) {
    return name == "-" || (name.starts_with('[') && name.ends_with(']')) ||
           std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::vector<std::string> split_path(std::string_view path, char delimiter) {
    std::vector<std::string> parts;
    if (path.size() > 1 && path.front() == delimiter) path.remove_prefix(1);
    std::size_t begin = 0;
    bool joined = false;
    while (true) {
        const std::size_t end = path.find(delimiter, begin);
        const std::string_view part = path.substr(begin, end == std::string_view::npos ? end : end - begin);
        if (joined) parts.back().append(part);
        else parts.emplace_back(part);
        if (end == std::string_view::npos) return parts;
        joined = parts.back().ends_with('\\');
        if (joined) parts.back().back() = delimiter;
        begin = end + 1;
    }
}

std::vector<std::string> split_bracketed_path(std::string_view path, char delimiter) {
    std::vector<std::string> parts = split_path(path, delimiter), result;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].starts_with('[') || parts[i].ends_with(']')) {
            result.push_back(std::move(parts[i]));
            continue;
        }
        std::string bracketed = std::move(parts[i]);
        while (i + 1 < parts.size()) {
            bracketed.push_back(delimiter);
            bracketed.append(parts[++i]);
            if (parts[i].ends_with(']')) break;
        }
        if (bracketed.find('=') == std::string::npos) {
            const std::size_t first = bracketed.find_first_not_of("[]"), last = bracketed.find_last_not_of("[]");
            bracketed = first == std::string::npos ? std::string() : bracketed.substr(first, last - first + 1);
        }
        result.push_back(std::move(bracketed));
    }
    return result;
}

FieldWalker::FieldWalker(FieldSpecs&& specs, Creates creates) : specs_(std::make_shared<const FieldSpecs>(std::move(specs))), creates_(creates), compiled_(specs_->size()) {}

FieldWalker::FieldWalker(const FieldSpecs& specs, Creates creates) : specs_(std::shared_ptr<const void>(), &specs), creates_(creates), compiled_(specs.size()) {}

FieldWalker FieldWalker::for_path(std::string_view path, bool create, Creates creates) {
    return FieldWalker(FieldSpecs{FieldSpec{.gvk = {}, .path = std::string(path), .create = create}}, creates);
}

FieldWalker::Spec FieldWalker::compile(const FieldSpec& spec) {
    Spec compiled{.path = spec.path, .steps = {}, .create = spec.create};
    for (std::string& part : split_path(spec.path, '/')) {
        Step step;
        step.list = part.ends_with("[]");
        if (step.list) part.resize(part.size() - 2);
        step.name = trimmed(part);
        step.odd = step.name.empty() || step.name == "*" || names_an_element(step.name);
        step.written = std::move(part);
        compiled.steps.push_back(std::move(step));
    }
    return compiled;
}

const FieldWalker::Selected& FieldWalker::specs_for(const Gvk& gvk) const {
    auto [it, fresh] = by_kind_.try_emplace(gvk.info());
    if (!fresh) return it->second;
    for (std::size_t i = 0; i < specs_->size(); ++i) {
        if (!(*specs_)[i].gvk.selects(gvk)) continue;
        if (!compiled_[i]) compiled_[i] = std::make_shared<const Spec>(compile((*specs_)[i]));
        it->second.push_back(compiled_[i]);
    }
    return it->second;
}

Result<void> FieldWalker::walk(Resource& resource, const Visit& visit) const {
    for (const auto& selected : specs_for(resource.gvk())) {
        const Spec& spec = *selected;
        // Looking first keeps trees shared that have nothing to change.
        if (!leads_somewhere(resource.node(), spec, 0)) continue;
        root_ = &resource.edit();
        if (auto done = enter(*root_, spec, 0, visit); !done) {
            return fail(std::move(done).error()
                            .with_prefix("considering field '" + spec.path + "' of object " + resource.cur_id().to_string() + ": ")
                            .at(resource.where()));
        }
    }
    return {};
}

bool FieldWalker::leads_somewhere(const Node& node, const Spec& spec, std::size_t step) {
    if (step == spec.steps.size()) return true;
    if (node.is_null()) return false;
    if (node.is_list())
        return std::ranges::any_of(node.items(), [&](const Node& item) { return leads_somewhere(item, spec, step); });
    if (!node.is_map()) return true; // an error to report
    const Step& s = spec.steps[step];
    if (s.odd) return true;
    const Node* field = node.find(s.name);
    if (field == nullptr) return spec.create && !s.list;
    return (field->is_null() && (s.list || spec.create)) || leads_somewhere(*field, spec, step + 1);
}

Result<void> FieldWalker::enter(Node& node, const Spec& spec, std::size_t step, const Visit& visit) const {
    if (step == spec.steps.size()) {
        const std::uint32_t link = node.link();
        TRY_VOID(visit(node));
        update_linked(*root_, link, node);
        return {};
    }
    if (node.is_null()) return {};
    if (node.is_list()) {
        for (Node& item : node.items_mut()) {
            if (!leads_somewhere(item, spec, step)) continue;
            if (auto done = enter(item, spec, step, visit); !done)
                return fail(std::move(done).error().with_prefix("visit traversal on path: [" + spec.steps[step].written + "]: "));
        }
        return {};
    }
    if (!node.is_map()) return fail(ErrorCode::invalid, "expected sequence or mapping node", node.where());
    return enter_field(node, spec, step, visit);
}

Result<void> FieldWalker::refuse_name(const Node& map, const Step& s) {
    if (s.written.empty()) return fail(ErrorCode::invalid, "cannot set or create an empty field name", map.where());
    const std::string context = "fieldName: " + s.written + ": ";
    if (s.name == "*") return fail(ErrorCode::invalid, context + "wildcard is not supported in PathGetter", map.where());
    return fail(wrong_node_kind(NodeKind::list, map).error().with_prefix(context));
}

Result<void> FieldWalker::enter_field(Node& map, const Spec& spec, std::size_t step, const Visit& visit) const {
    const Step& s = spec.steps[step];
    if (s.odd) return refuse_name(map, s);
    const bool last = step + 1 == spec.steps.size();
    const bool creates = spec.create && creates_ != Creates::nothing && !s.list;
    const bool as_scalar = last && creates_ == Creates::scalar;
    Node* field = map.find_mut(s.name);
    if (field == nullptr) {
        if (!creates) return {};
        field = &map.set(s.name, as_scalar ? Node::string("") : Node::map());
    } else if (field->is_null()) {
        // A null of a known kind becomes that kind; as a scalar it keeps what was written.
        if (s.list) *field = Node::list();
        else if (creates) *field = as_scalar ? Node::string(written_text(*field)) : Node::map();
    }
    return enter(*field, spec, step + 1, visit);
}

} // namespace weber::kustomize
