#include "kustomize/transform/images.h"

#include <optional>
#include <string>

#include "kustomize/regex.h"
#include "kustomize/transform/field_walker.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

bool is_tag_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '{' ||
           c == '}' || c == '-';
}

// ":tag" and "@sha256:digest", both optional, up to the end.
bool is_image_tail(std::string_view s) {
    const auto skip_word = [&] {
        while (!s.empty() && is_tag_char(s.front())) s.remove_prefix(1);
    };
    if (s.starts_with(':')) {
        s.remove_prefix(1);
        skip_word();
    }
    if (s.starts_with("@sha256:")) {
        s.remove_prefix(8);
        skip_word();
    }
    return s.empty();
}

// Does an image have the name that an entry names? Names are regular expressions; nearly all are plain text with dots.
class ImageName {
public:
    explicit ImageName(const std::string& pattern) : pattern_(pattern) {
        plain_ = pattern.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/:@.") == std::string::npos;
        if (plain_) return;
        if (auto regex = Regex::compile("^" + pattern + "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$")) regex_.emplace(std::move(*regex));
    }

    // A pattern that is no regular expression matches nothing, as in kustomize.
    [[nodiscard]] bool matches(std::string_view image) const {
        if (!plain_) return regex_ && regex_->matches(image);
        if (image.size() < pattern_.size() || !is_image_tail(image.substr(pattern_.size()))) return false;
        for (std::size_t i = 0; i < pattern_.size(); ++i) {
            if (pattern_[i] != image[i] && (pattern_[i] != '.' || image[i] == '\n')) return false;
        }
        return true;
    }

private:
    const std::string& pattern_;
    bool plain_ = false;
    std::optional<Regex> regex_;
};

std::string renamed(std::string_view image, const Image& change) {
    const ImageParts old = split_image(image);
    std::string tag(old.tag), digest(old.digest);
    if (!change.new_tag.empty() || !change.digest.empty()) {
        tag = change.new_tag;
        digest = change.digest;
    } else if (!change.tag_suffix.empty()) {
        tag += change.tag_suffix;
        digest.clear();
    }
    std::string name = change.new_name.empty() ? std::string(old.name) : change.new_name;
    if (!tag.empty()) name.append(":").append(tag);
    if (!digest.empty()) name.append("@").append(digest);
    return name;
}

Result<void> update(Node& field, const Image& change, const ImageName& name) {
    if (field.is_list() || field.is_map()) return wrong_node_kind(NodeKind::string, field);
    const std::string_view image = written_text(field);
    if (!name.matches(image)) return {};
    return set_bare_text(field, renamed(image, change));
}

bool is_container_list(std::string_view key) { return key == "containers" || key == "initContainers"; }

// ---- containers anywhere ----------------------------------------------------------------------------------------

// Is there an image to change below? Reading first keeps trees shared that have none. Wrong shapes count: they are errors.
bool has_match(const Node& node, const ImageName& name, bool in_container_list);

bool container_has_match(const Node& container, const ImageName& name) {
    if (container.is_null()) return false;
    if (!container.is_map()) return true;
    const Node* image = container.find("image");
    return image != nullptr && (image->is_list() || image->is_map() || name.matches(written_text(*image)));
}

bool has_match(const Node& node, const ImageName& name, bool in_container_list) {
    if (node.is_list()) {
        for (const Node& item : node.items()) {
            if (in_container_list && container_has_match(item, name)) return true;
            if (has_match(item, name, false)) return true;
        }
        return false;
    }
    for (const Node::Entry& e : node.entries()) {
        if ((e.value.is_map() || e.value.is_list()) && has_match(e.value, name, is_container_list(e.key))) return true;
    }
    return false;
}

Result<void> update_containers(Node& node, const Image& change, const ImageName& name, bool in_container_list) {
    if (node.is_list()) {
        for (Node& item : node.items_mut()) {
            if (has_match(item, name, false)) TRY_VOID(update_containers(item, change, name, false));
            if (!in_container_list || !container_has_match(item, name)) continue;
            if (!item.is_map()) return wrong_node_kind(NodeKind::map, item);
            TRY_VOID(update(*item.find_mut("image"), change, name));
        }
        return {};
    }
    if (!node.is_map()) return {};
    for (Node::Entry& e : node.entries_mut()) {
        const bool containers = is_container_list(e.key);
        if (has_match(e.value, name, containers)) TRY_VOID(update_containers(e.value, change, name, containers));
    }
    return {};
}

} // namespace

ImageParts split_image(std::string_view image) {
    const std::size_t slash = image.find('/');
    const std::size_t start = slash == std::string_view::npos ? 0 : slash; // a colon before it belongs to the registry's port
    const std::size_t at = image.find('@', start), colon = image.find(':', start);
    constexpr std::size_t none = std::string_view::npos;
    if (at == none && colon == none) return {.name = image, .tag = {}, .digest = {}};
    if (at != none && (colon == none || at < colon)) return {.name = image.substr(0, at), .tag = {}, .digest = image.substr(at + 1)};
    if (at != none) return {.name = image.substr(0, colon), .tag = image.substr(colon + 1, at - colon - 1), .digest = image.substr(at + 1)};
    return {.name = image.substr(0, colon), .tag = image.substr(colon + 1), .digest = {}};
}

Result<void> apply_images(ResourceSet& resources, const std::vector<Image>& images, const FieldSpecs& specs) {
    const FieldWalker walker(specs);
    for (const Image& change : images) {
        const ImageName name(change.name);
        const FieldWalker::Visit set = [&](Node& node) { return update(node, change, name); };
        for (const auto& resource : resources.all()) {
            Resource& r = *resource;
            if (r.empty() || r.kind() == "CustomResourceDefinition") continue;
            if (has_match(r.node(), name, false)) TRY_VOID(update_containers(r.edit(), change, name, false));
        }
        for (const auto& resource : resources.all()) {
            Resource& r = *resource;
            if (!r.empty() && r.kind() != "CustomResourceDefinition") TRY_VOID(walker.walk(r, set));
        }
    }
    return {};
}

} // namespace weber::kustomize
