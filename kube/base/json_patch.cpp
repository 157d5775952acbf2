#include "kube/base/json_patch.h"

#include <charconv>
#include <optional>
#include <utility>

namespace weber::kube {
namespace {

// Go's strconv.Atoi: an optional sign, then digits only.
std::optional<std::int64_t> parse_index(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(text.size() > 1 && text[1] != '-' ? 1 : 0);
    std::int64_t value = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

std::string bad_number(std::string_view key) {
    return "strconv.Atoi: parsing \"" + std::string(key) + "\": invalid syntax";
}
std::string bad_index(std::int64_t index) {
    return "Unable to access invalid index: " + std::to_string(index) + ": invalid index referenced";
}

// The element that `key` names; `limit` is one past the largest index allowed.
Result<std::size_t> resolve_index(std::string_view key, std::size_t limit) {
    const std::optional<std::int64_t> parsed = parse_index(key);
    if (!parsed) return refuse(bad_number(key));
    const auto size = static_cast<std::int64_t>(limit);
    if (*parsed >= size || *parsed < -size) return refuse(bad_index(*parsed));
    return static_cast<std::size_t>(*parsed < 0 ? *parsed + size : *parsed);
}

// A place in the document: the container that holds it, and its last token.
struct Place {
    Node* container = nullptr; // nullptr: some parent is missing or not a container
    std::string key;
};

Place locate(Node& document, std::string_view path) {
    std::vector<std::string> tokens = parse_json_pointer(path);
    if (tokens.empty()) return {};
    Node* at = &document;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (at->is_map()) {
            at = at->find_mut(tokens[i]);
        } else if (at->is_list()) {
            const Result<std::size_t> index = resolve_index(tokens[i], at->size());
            at = index ? &at->items_mut()[*index] : nullptr;
        } else {
            at = nullptr;
        }
        if (at == nullptr) return {};
    }
    if (!at->is_map() && !at->is_list()) return {};
    return {at, std::move(tokens.back())};
}

// nullptr: an absent map key.
Result<const Node*> get_at(const Place& place) {
    if (place.container->is_map()) return place.container->find(place.key);
    TRY(const std::size_t index, resolve_index(place.key, place.container->size()));
    return &place.container->items()[index];
}

Result<void> add_at(const Place& place, Node value) {
    if (place.container->is_map()) {
        place.container->set(place.key, std::move(value));
        return {};
    }
    if (place.key == "-") {
        place.container->push_back(std::move(value));
        return {};
    }
    if (!parse_index(place.key))
        return refuse("value was not a proper array index: '" + place.key + "': " + bad_number(place.key));
    TRY(const std::size_t index, resolve_index(place.key, place.container->size() + 1));
    place.container->insert_item(index, std::move(value));
    return {};
}

Result<void> remove_at(const Place& place) {
    if (place.container->is_map()) {
        if (place.container->erase(place.key)) return {};
        return refuse("Unable to remove nonexistent key: " + place.key + ": missing value");
    }
    TRY(const std::size_t index, resolve_index(place.key, place.container->size()));
    place.container->erase_item(index);
    return {};
}

using Operation = JsonPatch::Operation;

Result<void> do_add(Node& document, const Operation& op) {
    if (!op.has_path) return refuse("add operation failed to decode path: missing value");
    const Place place = locate(document, op.path);
    if (place.container == nullptr)
        return refuse("add operation does not apply: doc is missing path: \"" + op.path + "\": missing value");
    if (auto added = add_at(place, op.value); !added)
        return fail(std::move(added).error().with_prefix("error in add for path: '" + op.path + "': "));
    return {};
}

Result<void> do_remove(Node& document, const Operation& op) {
    if (!op.has_path) return refuse("remove operation failed to decode path: missing value");
    const Place place = locate(document, op.path);
    if (place.container == nullptr)
        return refuse("remove operation does not apply: doc is missing path: \"" + op.path + "\": missing value");
    if (auto removed = remove_at(place); !removed)
        return fail(std::move(removed).error().with_prefix("error in remove for path: '" + op.path + "': "));
    return {};
}

Result<void> do_replace(Node& document, const Operation& op) {
    if (!op.has_path) return refuse("replace operation failed to decode path: operation missing path field: missing value");
    if (op.path.empty()) {
        if (!op.value.is_map() && !op.value.is_list()) return refuse("replace operation value must be object or array");
        document = op.value;
        return {};
    }
    const Place place = locate(document, op.path);
    if (place.container == nullptr)
        return refuse("replace operation does not apply: doc is missing path: " + op.path + ": missing value");
    if (place.container->is_map()) {
        place.container->set(place.key, op.value);
        return {};
    }
    const Result<std::size_t> index = resolve_index(place.key, place.container->size());
    if (!index) return refuse("replace operation does not apply: doc is missing key: " + op.path + ": missing value");
    place.container->items_mut()[*index] = op.value;
    return {};
}

Result<void> do_move(Node& document, const Operation& op) {
    if (!op.has_from) return refuse("move operation failed to decode from: operation, missing from field: missing value");
    const Place source = locate(document, op.from);
    if (source.container == nullptr)
        return refuse("move operation does not apply: doc is missing from path: " + op.from + ": missing value");
    const std::string prefix = "error in move for path: '" + source.key + "': ";
    auto found = get_at(source);
    if (!found) return fail(std::move(found).error().with_prefix(prefix));
    Node value = *found != nullptr ? **found : Node();
    if (auto removed = remove_at(source); !removed) return fail(std::move(removed).error().with_prefix(prefix));
    if (!op.has_path) return refuse("move operation failed to decode path: operation missing path field: missing value");
    const Place target = locate(document, op.path);
    if (target.container == nullptr)
        return refuse("move operation does not apply: doc is missing destination path: " + op.path + ": missing value");
    if (auto added = add_at(target, std::move(value)); !added)
        return fail(std::move(added).error().with_prefix("error in move for path: '" + op.path + "': "));
    return {};
}

Result<void> do_copy(Node& document, const Operation& op) {
    if (!op.has_from) return refuse("copy operation failed to decode from: operation, missing from field: missing value");
    const Place source = locate(document, op.from);
    if (source.container == nullptr)
        return refuse("copy operation does not apply: doc is missing from path: " + op.from + ": missing value");
    auto found = get_at(source);
    if (!found) return fail(std::move(found).error().with_prefix("error in copy for from: '" + op.from + "': "));
    Node value = *found != nullptr ? **found : Node();
    if (!op.has_path) return refuse("copy operation failed to decode path: missing value");
    const Place target = locate(document, op.path);
    if (target.container == nullptr)
        return refuse("copy operation does not apply: doc is missing destination path: " + op.path + ": missing value");
    if (auto added = add_at(target, std::move(value)); !added)
        return fail(std::move(added).error().with_prefix("error while adding value during copy: "));
    return {};
}

Result<void> do_test(Node& document, const Operation& op) {
    if (!op.has_path) return refuse("test operation failed to decode path: operation missing path field: missing value");
    const std::string failed = "testing value " + op.path + " failed: test failed";
    if (op.path.empty()) {
        if (op.has_value && document == op.value) return {};
        return refuse(failed);
    }
    const Place place = locate(document, op.path);
    if (place.container == nullptr)
        return refuse("test operation does not apply: is missing path: " + op.path + ": missing value");
    auto found = get_at(place);
    if (!found) return fail(std::move(found).error().with_prefix("error in test for path: '" + op.path + "': "));
    const bool absent = *found == nullptr || (*found)->is_null();
    if (absent ? op.value.is_null() : **found == op.value) return {};
    return refuse(failed);
}

Result<void> do_operation(Node& document, const Operation& op) {
    if (op.op == "add") return do_add(document, op);
    if (op.op == "remove") return do_remove(document, op);
    if (op.op == "replace") return do_replace(document, op);
    if (op.op == "move") return do_move(document, op);
    if (op.op == "copy") return do_copy(document, op);
    if (op.op == "test") return do_test(document, op);
    return refuse("Unexpected kind: " + (op.op.empty() ? std::string("unknown") : op.op));
}

} // namespace

std::string escape_json_pointer(std::string_view token) {
    std::string out;
    for (const char c : token) c == '~' ? out += "~0" : c == '/' ? out += "~1" : out += c;
    return out;
}

std::vector<std::string> parse_json_pointer(std::string_view pointer) {
    std::vector<std::string> tokens;
    std::size_t slash = pointer.find('/');
    while (slash != std::string_view::npos) {
        const std::size_t next = pointer.find('/', slash + 1);
        const std::string_view raw = pointer.substr(slash + 1, next == std::string_view::npos ? next : next - slash - 1);
        std::string token;
        token.reserve(raw.size());
        for (std::size_t i = 0; i < raw.size(); ++i) {
            const char escaped = raw[i] == '~' && i + 1 < raw.size() ? raw[i + 1] : '\0';
            if (escaped == '0' || escaped == '1') {
                token += escaped == '0' ? '~' : '/';
                ++i;
            } else {
                token += raw[i];
            }
        }
        tokens.push_back(std::move(token));
        slash = next;
    }
    return tokens;
}

Result<JsonPatch> JsonPatch::from_node(const Node& operations) {
    if (!operations.is_list()) {
        return fail(ErrorCode::invalid, "a JSON patch is a list of operations, not " + std::string(operations.kind_word()),
                    operations.where());
    }
    JsonPatch patch;
    patch.operations_.reserve(operations.size());
    for (const Node& item : operations.items()) {
        if (!item.is_map()) {
            return fail(ErrorCode::invalid, "an operation of a JSON patch is a map, not " + std::string(item.kind_word()),
                        item.where());
        }
        Operation op;
        op.op = item.text_at("op");
        if (const Node* path = item.find("path"); path != nullptr && path->is_string()) op.path = path->text(), op.has_path = true;
        if (const Node* from = item.find("from"); from != nullptr && from->is_string()) op.from = from->text(), op.has_from = true;
        if (const Node* value = item.find("value"); value != nullptr) op.value = *value, op.has_value = true;
        patch.operations_.push_back(std::move(op));
    }
    return patch;
}

Result<void> JsonPatch::apply(Node& document) const {
    Node result = document;
    for (const Operation& op : operations_) TRY_VOID(do_operation(result, op));
    document = std::move(result);
    return {};
}

void apply_merge_patch(Node& target, const Node& patch) {
    if (!patch.is_map()) {
        target = patch;
        return;
    }
    if (!target.is_map()) target = Node::map();
    for (const Node::Entry& e : patch.entries()) {
        if (e.value.is_null()) {
            target.erase(e.key);
        } else if (e.value.is_map()) {
            apply_merge_patch(target.get_or_insert(e.key), e.value);
        } else {
            target.set(e.key, e.value);
        }
    }
}

} // namespace weber::kube
