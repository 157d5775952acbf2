#include <algorithm>
#include <optional>

#include "kube/base/selector.h"
#include "kustomize/regex.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {
namespace {

// Letters, digits, '-', '_', '/', ':' stand for themselves in a regular expression.
bool is_literal(std::string_view pattern) {
    return std::ranges::all_of(pattern, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '/' || c == ':';
    });
}

// One part of a selector: empty matches anything, a literal is compared, the rest is a regular expression over the whole.
class Part {
public:
    static Result<Part> compile(const std::string& pattern) {
        Part part;
        if (is_literal(pattern)) {
            part.literal_ = pattern;
            return part;
        }
        TRY(part.regex_, Regex::compile_anchored(pattern));
        return part;
    }
    [[nodiscard]] bool matches(std::string_view text) const {
        if (regex_) return regex_->matches(text);
        return literal_.empty() || literal_ == text;
    }
    [[nodiscard]] std::string_view literal() const { return literal_; }

private:
    std::string literal_;
    std::optional<Regex> regex_;
};

} // namespace

struct CompiledSelector::Impl {
    Selector source;
    Part group, version, kind, name, ns;
    kube::LabelSelector labels, annotations;
};

CompiledSelector::CompiledSelector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledSelector::CompiledSelector(CompiledSelector&&) noexcept = default;
CompiledSelector& CompiledSelector::operator=(CompiledSelector&&) noexcept = default;
CompiledSelector::~CompiledSelector() = default;

Result<CompiledSelector> CompiledSelector::compile(const Selector& selector) {
    auto impl = std::make_unique<Impl>();
    impl->source = selector;
    TRY(impl->group, Part::compile(selector.group));
    TRY(impl->version, Part::compile(selector.version));
    TRY(impl->kind, Part::compile(selector.kind));
    TRY(impl->name, Part::compile(selector.name));
    TRY(impl->ns, Part::compile(selector.ns));
    TRY(impl->labels, kube::LabelSelector::parse(selector.label_selector));
    TRY(impl->annotations, kube::LabelSelector::parse(selector.annotation_selector));
    return CompiledSelector(std::move(impl));
}

bool CompiledSelector::match_gvk(const Gvk& gvk) const {
    return impl_->kind.matches(gvk.kind()) && impl_->group.matches(gvk.group()) && impl_->version.matches(gvk.version());
}

bool CompiledSelector::match_name(std::string_view name) const { return impl_->name.matches(name); }
bool CompiledSelector::match_namespace(std::string_view ns) const { return impl_->ns.matches(ns); }

bool CompiledSelector::match_labels(const Node& object) const {
    return impl_->labels.empty() || impl_->labels.matches(object.find_path({"metadata", "labels"}));
}

bool CompiledSelector::match_annotations(const Node& object) const {
    return impl_->annotations.empty() || impl_->annotations.matches(object.find_path({"metadata", "annotations"}));
}

bool CompiledSelector::match(const Resource& r) const {
    const ResId& original = r.org_id();
    const ResId& current = r.cur_id();
    return (match_name(original.name) || match_name(current.name)) && match_gvk(r.gvk()) &&
           (match_namespace(original.effective_namespace()) || match_namespace(current.effective_namespace())) &&
           match_labels(r.node()) && match_annotations(r.node());
}

std::string_view CompiledSelector::literal_name() const { return impl_->name.literal(); }
const Selector& CompiledSelector::source() const { return impl_->source; }

} // namespace weber::kustomize
