// One YAML document as it is written, for changing single values inside a text: aliases are not followed; anchors, tags, the spelling of scalars,
// map order, quotes, blocks and flow are kept. What kyaml's RNode is to kustomize.
//
// Pure; a document belongs to one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube {

class YamlDocument {
public:
    // The first document of a text. A repeated key is kept. Errors: ErrorCode::invalid, message as go-yaml words it; not_found when there is none;
    // too_large beyond 512 levels.
    static Result<YamlDocument> read(std::string_view text);

    // An alias is a string node here, its text the anchor's name; nodes carry a number of ours as their file.
    [[nodiscard]] Node& root() { return root_; }
    [[nodiscard]] const Node& root() const { return root_; }
    [[nodiscard]] bool is_alias(const Node& node) const { return mark_of(node).alias; }

    // Puts `text` into a scalar, which keeps its quotes and its type: "x" over 5 is `!!int x`, as go-yaml writes it. A scalar without type
    // (NodeStyle::untyped) takes any.
    void set_text(Node& scalar, std::string_view text);
    // Puts a tree from elsewhere in the place of a node.
    void set_tree(Node& place, const Node& tree);

    // Without comments (yaml.h, with_yaml_form); final newline included.
    [[nodiscard]] std::string write() const;

private:
    friend class YamlDocumentReader;
    friend class YamlDocumentWriter;
    struct Mark {
        std::string anchor, tag; // the tag in full; "" when the look of the scalar says the type
        bool alias = false;
    };
    [[nodiscard]] const Mark& mark_of(const Node& node) const;
    void tag(Node& scalar, std::string_view tag);

    Node root_;
    std::vector<Mark> marks_ = {Mark{}}; // by Node::file()
};

} // namespace weber::kube
