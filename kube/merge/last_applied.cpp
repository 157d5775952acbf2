#include "kube/merge/last_applied.h"

#include <string>

#include "kube/base/json.h"

namespace weber::kube::merge {
namespace {

constexpr std::string_view kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

// Go's encoder escapes what HTML would read.
std::string for_html(std::string_view json) {
    std::string out;
    for (const char c : json) {
        if (c == '<') out += "\\u003c";
        else if (c == '>') out += "\\u003e";
        else if (c == '&') out += "\\u0026";
        else out += c;
    }
    return out;
}

} // namespace

std::string_view last_applied_text(const Node& object) {
    const Node* text = object.find_path({"metadata", "annotations", kAnnotation});
    return text ? text->text() : std::string_view();
}

void set_last_applied(Node& object, const Node& applied) {
    Node said = applied;
    said.sort_keys_deep();
    if (!last_applied_text(said).empty()) said.get_or_insert("metadata").get_or_insert("annotations").erase(kAnnotation);
    object.get_or_insert("metadata").get_or_insert("annotations").set(kAnnotation, Node::string(for_html(write_json(said)) + "\n"));
}

} // namespace weber::kube::merge
