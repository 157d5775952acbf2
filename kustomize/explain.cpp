#include "kustomize/explain.h"

#include <algorithm>
#include <optional>

#include "kube/base/yaml.h"

namespace weber::kustomize {
namespace {

bool is_leaf(const Node& node) { return node.empty(); } // scalars, null, {} and []

// The item of `old` that `now` was: an equal one, one of the same name, or the one at its place.
std::optional<std::size_t> counterpart(std::span<const Node> old, const std::vector<bool>& used, const Node& now, std::size_t index, bool same_size) {
    for (std::size_t i = 0; i < old.size(); ++i)
        if (!used[i] && old[i] == now) return i;
    if (const std::string_view name = now.text_at("name"); !name.empty()) {
        for (std::size_t i = 0; i < old.size(); ++i)
            if (!used[i] && old[i].text_at("name") == name) return i;
        return std::nullopt;
    }
    if (same_size && !used[index] && old[index].kind() == now.kind()) return index;
    return std::nullopt;
}

} // namespace

// ---- following the build ------------------------------------------------------------------------------------------------

void Explanation::update_items(Field& field, std::string_view key, const Node& old, const Node& now, std::string_view by, const Locate& locate) {
    std::vector<Field> items(now.size());
    std::vector<bool> used(old.size());
    field.items.resize(old.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
        const auto was = counterpart(old.items(), used, now.items()[i], i, old.size() == now.size());
        if (was) {
            used[*was] = true;
            items[i] = std::move(field.items[*was]);
        }
        update(items[i], key, was ? &old.items()[*was] : nullptr, now.items()[i], by, locate);
    }
    field.items = std::move(items);
}

void Explanation::update(Field& field, std::string_view key, const Node* old, const Node& now, std::string_view by, const Locate& locate) {
    if (old && (old->same_tree(now) || *old == now)) return;
    if (is_leaf(now)) {
        field.keys.clear();
        field.items.clear();
        Setter setter{std::string(by), locate(key, old, now)};
        if (field.by.empty() || field.by.back() != setter) field.by.push_back(std::move(setter));
        return;
    }
    static const Node kEmptyMap = Node::map(), kEmptyList = Node::list();
    if (now.is_list()) {
        field.keys.clear();
        return update_items(field, key, old && old->is_list() ? *old : kEmptyList, now, by, locate);
    }
    field.items.clear();
    const Node& before = old && old->is_map() ? *old : kEmptyMap;
    for (const Node::Entry& e : now.entries()) update(field.keys[std::string(e.key)], e.key, before.find(e.key), e.value, by, locate);
    std::erase_if(field.keys, [&](const auto& k) { return !now.contains(k.first); });
}

void Explanation::begin(const ResourceSet& set, std::string_view by, const Locate& locate) {
    for (const auto& r : set.all()) {
        State state{r->node(), {}};
        update(state.root, "", nullptr, r->node(), by, locate);
        states_.insert_or_assign(r.get(), std::move(state));
    }
}

void Explanation::note(const ResourceSet& set, std::string_view by, const Locate& locate) {
    for (const auto& r : set.all()) {
        State& state = states_[r.get()];
        update(state.root, "", &state.seen, r->node(), by, locate);
        state.seen = r->node();
    }
}

void Explanation::note_hashes(const ResourceSet& set) {
    for (const auto& r : set.all()) {
        State& state = states_[r.get()];
        const Setter* generator = nullptr;
        const auto& by = state.root.keys["metadata"].keys["name"].by;
        for (auto it = by.rbegin(); it != by.rend() && !generator; ++it)
            if (it->by.ends_with("Generator")) generator = &*it;
        const Where where = generator ? generator->where : Where{};
        update(state.root, "", &state.seen, r->node(), "HashTransformer", [&](std::string_view, const Node*, const Node&) { return where; });
        state.seen = r->node();
    }
}

void Explanation::put_under(Field& field, const Field& before) {
    field.by.insert(field.by.begin(), before.by.begin(), before.by.end());
    for (const auto& [key, below] : before.keys) put_under(field.keys[key], below);
    if (field.items.size() < before.items.size()) field.items.resize(before.items.size());
    for (std::size_t i = 0; i < before.items.size(); ++i) put_under(field.items[i], before.items[i]);
}

void Explanation::inherit(const Resource& generated, const Resource& replaced) {
    const auto before = states_.find(&replaced);
    if (before == states_.end()) return;
    const Field old = std::move(before->second.root);
    states_.erase(before);
    State& state = states_[&generated];
    put_under(state.root, old);
    state.seen = generated.node();
}

const Setter* Explanation::name_setter(const Resource& resource) const {
    const auto state = states_.find(&resource);
    if (state == states_.end()) return nullptr;
    const auto metadata = state->second.root.keys.find("metadata");
    if (metadata == state->second.root.keys.end()) return nullptr;
    const auto name = metadata->second.keys.find("name");
    return name == metadata->second.keys.end() || name->second.by.empty() ? nullptr : &name->second.by.back();
}

// ---- printing -----------------------------------------------------------------------------------------------------------

// Comments by line of the printed object. Only the reader knows which line a field came to: the text is read back.
struct Explanation::Comments {
    struct Comment {
        std::uint32_t line;    // of the value's first line, from 1
        std::uint32_t headers; // lines with nothing but a key (and dashes) between the previous leaf and this one
        std::string text;
    };
    std::string_view base;
    std::vector<Comment> all = {};
    std::uint32_t headers = 0;

    std::string shown(const Setter& s) const {
        std::string_view file = s.where.file;
        if (!base.empty() && file.starts_with(base) && file.substr(base.size()).starts_with('/')) file.remove_prefix(base.size() + 1);
        std::string out(file);
        if (!out.empty() && s.where.line != 0) out += ":" + std::to_string(s.where.line);
        if (!s.by.empty()) out += (out.empty() ? "" : " ") + s.by;
        return out;
    }

    void add(const Node& node, const Field* field) {
        if (is_leaf(node)) {
            std::string text;
            if (field)
                for (auto it = field->by.rbegin(); it != field->by.rend(); ++it) text += (text.empty() ? "" : " < ") + shown(*it);
            all.push_back({node.line(), std::exchange(headers, 0), std::move(text)});
            return;
        }
        for (const Node::Entry& e : node.entries()) {
            headers += is_leaf(e.value) ? 0 : 1;
            const auto below = field ? field->keys.find(e.key.view()) : decltype(field->keys.end())();
            add(e.value, field && below != field->keys.end() ? &below->second : nullptr);
        }
        for (std::size_t i = 0; i < node.size() && node.is_list(); ++i) add(node.items()[i], field && i < field->items.size() ? &field->items[i] : nullptr);
    }
};

std::string Explanation::to_yaml(const Resource& resource, std::string_view base) const {
    const std::string plain = kube::write_yaml(resource.node());
    const auto documents = kube::read_yaml(plain, {.file = {}});
    const auto state = states_.find(&resource);
    if (!documents || documents->empty() || state == states_.end()) return plain;
    Comments comments{base};
    comments.add(documents->front(), &state->second.root);

    std::string out;
    std::uint32_t line = 0;
    std::size_t next = 0;
    for (std::string_view rest = plain; !rest.empty();) {
        const std::string_view text = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(text.size() + 1, rest.size()));
        ++line;
        std::string after;
        while (next < comments.all.size() && comments.all[next].line < line) ++next;
        if (next < comments.all.size() && comments.all[next].line == line && !comments.all[next].text.empty()) {
            const bool last = next + 1 == comments.all.size();
            const bool several = last ? !rest.empty() : comments.all[next + 1].line != line + 1 + comments.all[next + 1].headers;
            if (several) out.append(std::min(text.find_first_not_of(' '), text.size()), ' ').append("# ").append(comments.all[next].text).append("\n");
            else after = " # " + comments.all[next].text;
        }
        out.append(text).append(after).append("\n");
    }
    return out;
}

} // namespace weber::kustomize
