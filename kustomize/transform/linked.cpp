#include "kustomize/transform/linked.h"

#include <algorithm>
#include <atomic>

namespace weber::kustomize {
namespace {

// Looking first keeps trees shared that hold none.
template <class F>
bool any_scalar(const Node& tree, F is) {
    if (tree.is_map()) return std::ranges::any_of(tree.entries(), [&](const Node::Entry& e) { return any_scalar(e.value, is); });
    if (tree.is_list()) return std::ranges::any_of(tree.items(), [&](const Node& item) { return any_scalar(item, is); });
    return is(tree);
}

template <class Is, class F>
void change_scalars(Node& tree, Is is, F change) {
    if (!any_scalar(tree, is)) return;
    if (tree.is_map()) {
        for (Node::Entry& e : tree.entries_mut()) change_scalars(e.value, is, change);
    } else if (tree.is_list()) {
        for (Node& item : tree.items_mut()) change_scalars(item, is, change);
    } else {
        change(tree);
    }
}

} // namespace

std::uint32_t next_link() {
    static std::atomic<std::uint32_t> last = 0;
    return ++last;
}

void update_linked(Node& object, std::uint32_t link, const Node& now) {
    if (link == 0) return;
    Node value = now;
    value.set_link(link);
    const auto stale = [&](const Node& n) { return n.link() == link && (n.kind() != value.kind() || n.text() != value.text()); };
    change_scalars(object, stale, [&](Node& n) { n = value; });
}

void unlink(Node& tree) {
    change_scalars(tree, [](const Node& n) { return n.link() != 0; }, [](Node& n) { n.set_position(0, 0); });
}

} // namespace weber::kustomize
