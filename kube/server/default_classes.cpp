#include "kube/server/default_classes.h"

#include <algorithm>

#include "kube/server/object_meta.h"

namespace weber::kube::server {
namespace {

// "" when no class is marked.
std::string newest_default(const Core& core, std::string_view classes, std::initializer_list<std::string_view> annotations) {
    std::string name, made;
    for (const auto& o : core.store.list(classes, "").objects) { // by name: of equal ages the first counts
        const Node object = parse_stored(*o);
        const Node* own = object.find_path({"metadata", "annotations"});
        const bool marked = own && std::ranges::any_of(annotations, [&](std::string_view a) { return own->text_at(a) == "true"; });
        if (!marked || (!name.empty() && meta_text(object, "creationTimestamp") <= made)) continue;
        name = o->name;
        made = meta_text(object, "creationTimestamp");
    }
    return name;
}

// Of several default classes the one with the lowest value.
Node default_priority(const Core& core) {
    Node best;
    for (const auto& o : core.store.list("scheduling.k8s.io/priorityclasses", "").objects) {
        Node c = parse_stored(*o);
        const auto value = [](const Node& n) { return n.find("value") ? n.find("value")->as_int().value_or(0) : 0; };
        const Node* marked = c.find("globalDefault");
        if (marked && marked->as_bool() && (best.is_null() || value(c) < value(best))) best = std::move(c);
    }
    return best;
}

Api<void> merge_selector(const Call& call, const Node& pod, Node& spec, const Node& more) {
    for (const auto& e : more.entries()) {
        const Node* own = spec.find_path({"nodeSelector", e.key.view()});
        const std::string key = e.key.str();
        if (own && own->text() != e.value.text())
            return refuse(not_admitted(call, pod, "conflict: runtimeClass.scheduling.nodeSelector[" + key + "] = " + std::string(e.value.text()) + "; pod.spec.nodeSelector[" + key +
                                                 "] = " + std::string(own->text())));
        spec.get_or_insert("nodeSelector").set(e.key, e.value);
    }
    return {};
}

} // namespace

ApiError not_admitted(const Call& call, const Node& obj, std::string_view why) {
    constexpr std::size_t kRandom = 5; // characters at the end of a made name
    const auto name = meta_text(obj, "name"), start = meta_text(obj, "generateName");
    const bool made = !start.empty() && name.size() == start.size() + kRandom && name.starts_with(start);
    return forbidden(call.plural(), call.group(), made ? start : name, why);
}

void default_class(const Core& core, std::string_view store_id, Node& obj) {
    const bool claim = store_id == "/persistentvolumeclaims";
    Node& spec = obj.get_or_insert("spec");
    if (spec.contains(claim ? "storageClassName" : "ingressClassName")) return;
    if (obj.find_path({"metadata", "annotations", claim ? "volume.beta.kubernetes.io/storage-class" : "kubernetes.io/ingress.class"})) return;
    const std::string name = claim ? newest_default(core, "storage.k8s.io/storageclasses", {"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"})
                                   : newest_default(core, "networking.k8s.io/ingressclasses", {"ingressclass.kubernetes.io/is-default-class"});
    if (!name.empty()) spec.set(claim ? "storageClassName" : "ingressClassName", Node::string(name));
}

Api<void> set_priority(const Core& core, const Call& call, Node& pod) {
    Node& spec = pod.get_or_insert("spec");
    const std::string name(spec.text_at("priorityClassName"));
    const ObjectPtr stored = name.empty() ? nullptr : core.store.get("scheduling.k8s.io/priorityclasses", "", name);
    if (!name.empty() && !stored) return refuse(not_admitted(call, pod, "no PriorityClass with name " + name + " was found"));
    const Node found = stored ? parse_stored(*stored) : default_priority(core);
    if (name.empty() && !found.is_null()) spec.set("priorityClassName", Node::string(meta_text(found, "name")));
    const std::int64_t value = found.find("value") ? found.find("value")->as_int().value_or(0) : 0;
    const std::string policy(found.is_null() ? "PreemptLowerPriority" : found.text_at("preemptionPolicy"));
    const std::string of_class = " from the given PriorityClass name";
    if (const Node* own = spec.find("priority"); own && own->as_int().value_or(0) != value)
        return refuse(not_admitted(call, pod, "the integer value of priority (" + std::to_string(own->as_int().value_or(0)) +
                                             ") must not be provided in pod spec; priority admission controller computed " + std::to_string(value) + of_class));
    if (const auto own = spec.text_at("preemptionPolicy"); !own.empty() && !policy.empty() && own != policy)
        return refuse(not_admitted(call, pod, "the string value of PreemptionPolicy (" + std::string(own) + ") must not be provided in pod spec; priority admission controller computed " +
                                             policy + of_class));
    spec.set("priority", Node::integer(value));
    if (!policy.empty()) spec.set("preemptionPolicy", Node::string(policy));
    return {};
}

Api<void> add_runtime_class(const Core& core, const Call& call, Node& pod) {
    Node& spec = pod.get_or_insert("spec");
    const std::string name(spec.text_at("runtimeClassName"));
    const ObjectPtr stored = name.empty() ? nullptr : core.store.get("node.k8s.io/runtimeclasses", "", name);
    if (!name.empty() && !stored) return refuse(not_admitted(call, pod, "pod rejected: RuntimeClass \"" + name + "\" not found"));
    const Node found = stored ? parse_stored(*stored) : Node();
    const Node *fixed = found.find_path({"overhead", "podFixed"}), *own = spec.find("overhead");
    if (!found.find("overhead") && own) return refuse(not_admitted(call, pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"));
    if (own && !own->empty() && fixed && !(*own == *fixed)) return refuse(not_admitted(call, pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"));
    if (fixed) spec.set("overhead", *fixed);
    if (const Node* selector = found.find_path({"scheduling", "nodeSelector"})) API_TRY_VOID(merge_selector(call, pod, spec, *selector));
    if (const Node* more = found.find_path({"scheduling", "tolerations"})) {
        Node& list = spec.get_or_insert("tolerations");
        for (const Node& t : more->items())
            if (std::ranges::find(list.items(), t) == list.items().end()) list.push_back(t);
    }
    return {};
}

} // namespace weber::kube::server
