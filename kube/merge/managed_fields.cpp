// managedFields on the wire.
#include <algorithm>
#include <tuple>

#include "kube/merge/manager.h"

namespace weber::kube::merge {

std::vector<ManagedEntry> read_managed_fields(const Node& object) {
    std::vector<ManagedEntry> out;
    const Node* list = object.find_path({"metadata", "managedFields"});
    if (list == nullptr) return out;
    for (const Node& n : list->items()) {
        const std::string_view operation = n.text_at("operation");
        if (operation != "Apply" && operation != "Update") continue;
        ManagedEntry e;
        e.manager = n.text_at("manager");
        e.apply = operation == "Apply";
        e.api_version = n.text_at("apiVersion");
        e.subresource = n.text_at("subresource");
        e.time = n.text_at("time");
        if (const Node* fields = n.find("fieldsV1")) e.fields = FieldSet(*fields);
        std::erase_if(out, [&](const ManagedEntry& earlier) { return earlier.same_owner(e); }); // of two of one owner the last one counts
        out.push_back(std::move(e));
    }
    return out;
}

bool managed_fields_readable(const Node& list) {
    return std::ranges::all_of(list.items(), [](const Node& n) {
        const auto operation = n.text_at("operation");
        return (operation == "Apply" || operation == "Update") && !n.text_at("apiVersion").empty() && n.text_at("fieldsType") == "FieldsV1";
    });
}

void write_managed_fields(Node& object, std::vector<ManagedEntry> entries) {
    std::erase_if(entries, [](const ManagedEntry& e) { return e.fields.empty(); });
    if (entries.empty()) {
        if (Node* metadata = object.find_mut("metadata")) metadata->erase("managedFields");
        return;
    }
    std::ranges::stable_sort(entries, [](const ManagedEntry& a, const ManagedEntry& b) {
        return std::tuple(!a.apply, std::string_view(a.time), std::string_view(a.manager), std::string_view(a.api_version), std::string_view(a.subresource)) <
               std::tuple(!b.apply, std::string_view(b.time), std::string_view(b.manager), std::string_view(b.api_version), std::string_view(b.subresource));
    });
    Node list = Node::list();
    for (const ManagedEntry& e : entries) {
        Node n = Node::map();
        n.set("apiVersion", Node::string(e.api_version));
        n.set("fieldsType", Node::string("FieldsV1"));
        n.set("fieldsV1", e.fields.sorted());
        n.set("manager", Node::string(e.manager));
        n.set("operation", Node::string(e.apply ? "Apply" : "Update"));
        if (!e.subresource.empty()) n.set("subresource", Node::string(e.subresource));
        if (!e.time.empty()) n.set("time", Node::string(e.time));
        list.push_back(std::move(n));
    }
    object.get_or_insert("metadata").set("managedFields", std::move(list));
}

} // namespace weber::kube::merge
