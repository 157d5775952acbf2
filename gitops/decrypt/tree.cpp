#include "gitops/decrypt/tree.h"

#include <charconv>

#include "kube/base/utf8.h"
#include "kube/cel/go_format.h"

namespace weber::gitops::sops {

Value Value::of_integer(std::int64_t n) {
    Value v(Kind::integer);
    v.integer = n;
    return v;
}

Value Value::of_floating(double d) {
    Value v(Kind::floating);
    v.floating = d;
    return v;
}

Value Value::of_boolean(bool b) {
    Value v(Kind::boolean);
    v.boolean = b;
    return v;
}

Value Value::of_comment(std::string text, bool inline_comment) {
    Value v(Kind::comment, std::move(text));
    v.inline_comment = inline_comment;
    return v;
}

Value Value::of_branch(std::vector<Item> items) {
    Value v(Kind::branch);
    v.branch = std::move(items);
    return v;
}

Value Value::of_list(std::vector<Value> items) {
    Value v(Kind::list);
    v.list = std::move(items);
    return v;
}

std::string_view type_word(Kind kind) {
    switch (kind) {
    case Kind::integer: return "int";
    case Kind::floating: return "float64";
    case Kind::boolean: return "bool";
    case Kind::time: return "time.Time";
    default: return "string";
    }
}

std::string leaf_bytes(const Value& leaf) {
    switch (leaf.kind) {
    case Kind::integer: return std::to_string(leaf.integer);
    case Kind::boolean: return leaf.boolean ? "True" : "False";
    case Kind::floating: {
        return cel::format_plain(leaf.floating); // Go's 'f' with the shortest digits that read back
    }
    default: return leaf.text;
    }
}

Result<Value> value_of(const Node& node) {
    switch (node.kind()) {
    case NodeKind::null: return Value{};
    case NodeKind::boolean: return Value::of_boolean(node.as_bool());
    case NodeKind::string: return Value::of_text(std::string(node.text()));
    case NodeKind::integer:
    case NodeKind::floating: {
        if (const auto n = node.as_int(); n && node.is_integer()) return Value::of_integer(*n);
        if (const auto d = node.as_double()) return Value::of_floating(*d);
        return fail(ErrorCode::invalid, "a number out of range", node.where());
    }
    case NodeKind::list: {
        Value out(Kind::list);
        out.list.reserve(node.size());
        for (const Node& item : node.items()) {
            TRY(Value value, value_of(item));
            out.list.push_back(std::move(value));
        }
        return out;
    }
    case NodeKind::map: {
        Value out(Kind::branch);
        out.branch.reserve(node.size());
        for (const auto& [key, item] : node.entries()) {
            TRY(Value value, value_of(item));
            out.branch.push_back({key.str(), std::move(value)});
        }
        return out;
    }
    }
    return Value{};
}

Node node_of(const Value& value) {
    switch (value.kind) {
    case Kind::text:
    case Kind::time: return Node::string(kube::valid_utf8(value.text)); // Flux emits JSON and reads that
    case Kind::integer: return Node::integer(value.integer);
    case Kind::floating: return Node::floating(value.floating);
    case Kind::boolean: return Node::boolean(value.boolean);
    case Kind::branch: {
        Node out = Node::map();
        for (const Item& item : value.branch)
            if (!item.is_comment()) out.set(item.key, node_of(item.value));
        return out;
    }
    case Kind::list: {
        Node out = Node::list();
        for (const Value& item : value.list)
            if (item.kind != Kind::comment) out.push_back(node_of(item));
        return out;
    }
    default: return {};
    }
}

const Value* find(const Branch& branch, std::string_view key) {
    for (const Item& item : branch)
        if (item.key == key && !item.is_comment()) return &item.value;
    return nullptr;
}

Result<const Value*> value_at(const Branch& root, std::string_view path) {
    const auto no_path = [&] { return fail(ErrorCode::invalid, "\"" + std::string(path) + "\" is no path: it must look like [\"stringData\"][\"password\"] or [\"list\"][0]"); };
    const Branch* branch = &root;
    const std::vector<Value>* list = nullptr;
    const Value* found = nullptr;
    std::string_view rest = path;
    while (!rest.empty()) {
        const bool quoted = rest.size() > 2 && (rest[1] == '"' || rest[1] == '\'');
        const std::size_t end = quoted ? rest.find(std::string{rest[1], ']'}, 2) : rest.find(']');
        if (rest[0] != '[' || end == std::string_view::npos) return no_path();
        const std::string_view step = rest.substr(0, end + (quoted ? 2 : 1)), name = quoted ? rest.substr(2, end - 2) : rest.substr(1, end - 1);
        rest.remove_prefix(step.size());
        std::size_t position = 0;
        if (const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), position); !quoted && (name.empty() || error != std::errc() || stop != name.data() + name.size()))
            return no_path();
        found = nullptr;
        if (quoted && branch != nullptr) found = find(*branch, name);
        else if (!quoted && list != nullptr)
            for (const Value& v : *list)
                if (v.kind != Kind::comment && position-- == 0) {
                    found = &v;
                    break;
                }
        if (found == nullptr) return fail(ErrorCode::not_found, "component " + std::string(step) + " not found");
        branch = found->kind == Kind::branch ? &found->branch : nullptr;
        list = found->kind == Kind::list ? &found->list : nullptr;
    }
    if (found == nullptr) return no_path();
    return found;
}

} // namespace weber::gitops::sops
