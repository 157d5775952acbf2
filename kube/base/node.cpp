#include "kube/base/node.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <iterator>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <unordered_map>

#include "kube/base/number.h"
#include "kube/base/text_hash.h"

namespace weber::kube {

// ---- file names ---------------------------------------------------------------------------------------

namespace {
struct FileTable {
    std::shared_mutex mutex; // guards both members
    std::unordered_map<std::string, std::uint32_t> ids;
    std::vector<const std::string*> names{nullptr};
};
FileTable& files() {
    static auto* table = new FileTable; // never destroyed: nodes may outlive static destruction
    return *table;
}
} // namespace

std::uint32_t intern_file(std::string_view name) {
    if (name.empty()) return 0;
    FileTable& t = files();
    std::unique_lock lock(t.mutex);
    auto [it, fresh] = t.ids.try_emplace(std::string(name), static_cast<std::uint32_t>(t.names.size()));
    if (fresh) t.names.push_back(&it->first);
    return it->second;
}

std::string_view file_name(std::uint32_t id) {
    FileTable& t = files();
    std::shared_lock lock(t.mutex);
    return id != 0 && id < t.names.size() ? std::string_view(*t.names[id]) : std::string_view();
}

// ---- representation -----------------------------------------------------------------------------------

struct Node::ListRep {
    RefCount refs;
    std::vector<Node> items;
};

// Maps keep entries in order; from kIndexed entries on, `slots` is an open-addressing index into them.
struct Node::MapRep {
    static constexpr std::size_t kIndexed = 17;
    RefCount refs;
    std::vector<Entry> entries;
    std::vector<std::uint32_t> slots; // entry index + 1, 0 = free; size is a power of two

    [[nodiscard]] std::size_t find(std::string_view key) const {
        if (slots.empty()) {
            for (std::size_t i = 0; i < entries.size(); ++i)
                if (entries[i].key.view() == key) return i;
            return npos;
        }
        const std::size_t mask = slots.size() - 1;
        for (std::size_t at = text_hash(key) & mask;; at = (at + 1) & mask) {
            if (slots[at] == 0) return npos;
            if (entries[slots[at] - 1].key.view() == key) return slots[at] - 1;
        }
    }
    Node& append(Text key, Node value) {
        entries.push_back({std::move(key), std::move(value)});
        if (entries.size() >= kIndexed) {
            if (entries.size() * 2 > slots.size()) rebuild();
            else place(entries.size() - 1);
        }
        return entries.back().value;
    }
    void rebuild() {
        slots.clear();
        if (entries.size() < kIndexed) return;
        std::size_t n = 64;
        while (n < entries.size() * 4) n *= 2;
        slots.assign(n, 0);
        for (std::size_t i = 0; i < entries.size(); ++i) place(i);
    }
    void place(std::size_t i) {
        const std::size_t mask = slots.size() - 1;
        std::size_t at = text_hash(entries[i].key.view()) & mask;
        while (slots[at] != 0) at = (at + 1) & mask;
        slots[at] = static_cast<std::uint32_t>(i + 1);
    }
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

Node::Node(const Node& o) : kind_(o.kind_), style_(o.style_), line_(o.line_), file_(o.file_) {
    switch (kind_) {
    case NodeKind::null: list_ = nullptr; break;
    case NodeKind::list:
        list_ = o.list_;
        list_->refs.retain();
        break;
    case NodeKind::map:
        map_ = o.map_;
        map_->refs.retain();
        break;
    default: new (&text_) Text(o.text_);
    }
}

Node::Node(Node&& o) noexcept : kind_(o.kind_), style_(o.style_), line_(o.line_), file_(o.file_) {
    switch (kind_) {
    case NodeKind::null:
    case NodeKind::list: list_ = o.list_; break;
    case NodeKind::map: map_ = o.map_; break;
    default:
        new (&text_) Text(std::move(o.text_));
        o.text_.~Text();
    }
    o.kind_ = NodeKind::null;
    o.list_ = nullptr;
}

Node& Node::operator=(const Node& o) {
    if (this != &o) {
        Node copy(o);
        *this = std::move(copy);
    }
    return *this;
}

Node& Node::operator=(Node&& o) noexcept {
    if (this == &o) return *this;
    // `o` may live inside this tree: take it out first, release the old tree last.
    Node taken(std::move(o));
    Node old(std::move(*this));
    new (this) Node(std::move(taken));
    return *this;
}

void Node::release() {
    switch (kind_) {
    case NodeKind::null: break;
    case NodeKind::list:
        if (list_->refs.release()) delete list_;
        break;
    case NodeKind::map:
        if (map_->refs.release()) delete map_;
        break;
    default: text_.~Text();
    }
    kind_ = NodeKind::null;
    list_ = nullptr;
}

Node::ListRep& Node::own_list() {
    if (is_null()) {
        list_ = new ListRep;
        kind_ = NodeKind::list;
    }
    assert(is_list());
    if (list_->refs.is_shared()) {
        auto* copy = new ListRep;
        copy->items = list_->items;
        ListRep* old = std::exchange(list_, copy);
        if (old->refs.release()) delete old;
    }
    return *list_;
}

Node::MapRep& Node::own_map() {
    if (is_null()) {
        map_ = new MapRep;
        kind_ = NodeKind::map;
    }
    assert(is_map());
    if (map_->refs.is_shared()) {
        auto* copy = new MapRep;
        copy->entries = map_->entries;
        copy->slots = map_->slots;
        MapRep* old = std::exchange(map_, copy);
        if (old->refs.release()) delete old;
    }
    return *map_;
}

// ---- making nodes -------------------------------------------------------------------------------------

Node Node::scalar(NodeKind kind, Text text, NodeStyle style) {
    Node n;
    if (kind == NodeKind::null) return n;
    assert(kind != NodeKind::list && kind != NodeKind::map);
    n.kind_ = kind;
    n.style_ = style;
    new (&n.text_) Text(std::move(text));
    return n;
}

Node Node::boolean(bool value) {
    static const Text yes("true");
    static const Text no("false");
    return scalar(NodeKind::boolean, value ? yes : no);
}

Node Node::integer(std::int64_t value) {
    char buf[24];
    auto end = std::to_chars(buf, buf + sizeof buf, value).ptr;
    return scalar(NodeKind::integer, Text({buf, end}));
}

Node Node::floating(double value) { return scalar(NodeKind::floating, Text(format_double(value))); }
Node Node::string(std::string_view value, NodeStyle style) { return scalar(NodeKind::string, Text(value), style); }
Node Node::string(Text value, NodeStyle style) { return scalar(NodeKind::string, std::move(value), style); }

Node Node::list() {
    Node n;
    n.own_list();
    return n;
}

Node Node::list(std::initializer_list<Node> items) {
    Node n;
    n.own_list().items.assign(items.begin(), items.end());
    return n;
}

Node Node::map() {
    Node n;
    n.own_map();
    return n;
}

Node Node::map(std::initializer_list<std::pair<std::string_view, Node>> entries) {
    Node n = map();
    for (const auto& [key, value] : entries) n.set(key, value);
    return n;
}

Node Node::list_of(std::span<Node> items) {
    Node n;
    n.own_list().items.assign(std::move_iterator(items.begin()), std::move_iterator(items.end()));
    return n;
}

Node Node::map_of(std::span<Entry> entries) {
    Node n;
    MapRep& rep = n.own_map();
    rep.entries.assign(std::move_iterator(entries.begin()), std::move_iterator(entries.end()));
    rep.rebuild();
    return n;
}

// ---- scalars ------------------------------------------------------------------------------------------

std::string_view Node::kind_word() const {
    switch (kind_) {
    case NodeKind::null: return "null";
    case NodeKind::boolean: return "boolean";
    case NodeKind::integer: return "integer";
    case NodeKind::floating: return "number";
    case NodeKind::string: return "string";
    case NodeKind::list: return "array";
    case NodeKind::map: return "object";
    }
    return "null";
}

Where Node::where() const { return {std::string(file_name(link() != 0 ? 0 : file_)), line_, 0}; }

std::string_view Node::text() const { return is_scalar() ? text_.view() : std::string_view(); }
Text Node::shared_text() const { return is_scalar() ? text_ : Text(); }

bool Node::as_bool(bool fallback) const {
    if (!is_bool()) return fallback;
    const char c = text_.view().front(); // the reader resolves only true/True/TRUE and false/False/FALSE
    return c == 't' || c == 'T';
}

std::optional<std::int64_t> Node::as_int() const {
    if (is_integer()) return parse_int(text_.view());
    if (kind_ != NodeKind::floating) return std::nullopt;
    const auto d = parse_double(text_.view());
    if (!d || *d != std::trunc(*d) || std::abs(*d) >= 9.2e18) return std::nullopt;
    return static_cast<std::int64_t>(*d);
}

std::optional<double> Node::as_double() const {
    if (is_integer()) {
        if (const auto i = parse_int(text_.view())) return static_cast<double>(*i);
        return parse_double(text_.view());
    }
    return kind_ == NodeKind::floating ? parse_double(text_.view()) : std::nullopt;
}

std::optional<std::string_view> Node::as_string() const {
    if (!is_string()) return std::nullopt;
    return text_.view();
}

// ---- maps ---------------------------------------------------------------------------------------------

const Node* Node::find(std::string_view key) const {
    if (!is_map()) return nullptr;
    const std::size_t i = map_->find(key);
    return i == MapRep::npos ? nullptr : &map_->entries[i].value;
}

const Node* Node::find_path(std::initializer_list<std::string_view> keys) const {
    const Node* at = this;
    for (std::string_view key : keys)
        if (at = at->find(key); at == nullptr) return nullptr;
    return at;
}

std::string_view Node::text_at(std::string_view key) const {
    const Node* n = find(key);
    return n ? n->text() : std::string_view();
}

std::span<const Node::Entry> Node::entries() const {
    return is_map() ? std::span<const Entry>(map_->entries) : std::span<const Entry>();
}

std::span<Node::Entry> Node::entries_mut() {
    if (!is_map()) return {};
    return own_map().entries;
}

Node* Node::find_mut(std::string_view key) {
    if (!is_map()) return nullptr;
    const std::size_t i = map_->find(key);
    return i == MapRep::npos ? nullptr : &own_map().entries[i].value;
}

Node& Node::set(std::string_view key, Node value) {
    MapRep& rep = own_map();
    const std::size_t i = rep.find(key);
    if (i == MapRep::npos) return rep.append(Text(key), std::move(value));
    return rep.entries[i].value = std::move(value);
}

Node& Node::set(const Text& key, Node value) {
    MapRep& rep = own_map();
    const std::size_t i = rep.find(key);
    if (i == MapRep::npos) return rep.append(key, std::move(value));
    return rep.entries[i].value = std::move(value);
}

Node& Node::get_or_insert(std::string_view key) {
    MapRep& rep = own_map();
    const std::size_t i = rep.find(key);
    return i == MapRep::npos ? rep.append(Text(key), Node()) : rep.entries[i].value;
}

Node& Node::append_unchecked(Text key, Node value) { return own_map().append(std::move(key), std::move(value)); }

bool Node::erase(std::string_view key) {
    if (!is_map()) return false;
    const std::size_t i = map_->find(key);
    if (i == MapRep::npos) return false;
    MapRep& rep = own_map();
    rep.entries.erase(rep.entries.begin() + static_cast<std::ptrdiff_t>(i));
    rep.rebuild();
    return true;
}

void Node::rename_key(std::string_view from, std::string_view to) {
    if (!is_map()) return;
    const std::size_t i = map_->find(from);
    if (i == MapRep::npos) return;
    MapRep& rep = own_map();
    rep.entries[i].key = Text(to);
    rep.rebuild();
}

void Node::sort_keys() {
    if (!is_map()) return;
    const auto by_key = [](const Entry& a, const Entry& b) { return a.key.view() < b.key.view(); };
    if (std::is_sorted(map_->entries.begin(), map_->entries.end(), by_key)) return;
    MapRep& rep = own_map();
    std::stable_sort(rep.entries.begin(), rep.entries.end(), by_key);
    rep.rebuild();
}

void Node::sort_keys_deep() {
    if (is_map()) {
        sort_keys();
        for (Entry& e : own_map().entries) e.value.sort_keys_deep();
    } else if (is_list()) {
        for (Node& item : own_list().items) item.sort_keys_deep();
    }
}

// ---- lists --------------------------------------------------------------------------------------------

std::span<const Node> Node::items() const {
    return is_list() ? std::span<const Node>(list_->items) : std::span<const Node>();
}

std::span<Node> Node::items_mut() {
    if (!is_list()) return {};
    return own_list().items;
}

Node& Node::push_back(Node value) {
    auto& items = own_list().items;
    items.push_back(std::move(value));
    return items.back();
}

void Node::insert_item(std::size_t index, Node value) {
    auto& items = own_list().items;
    assert(index <= items.size());
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
}

void Node::erase_item(std::size_t index) {
    auto& items = own_list().items;
    assert(index < items.size());
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(index));
}

void Node::reserve(std::size_t n) {
    if (is_list()) own_list().items.reserve(n);
    else if (is_map()) own_map().entries.reserve(n);
}

void Node::clear() {
    if (is_list()) own_list().items.clear();
    if (is_map()) {
        MapRep& rep = own_map();
        rep.entries.clear();
        rep.slots.clear();
    }
}

std::size_t Node::size() const {
    if (is_list()) return list_->items.size();
    return is_map() ? map_->entries.size() : 0;
}

// ---- whole trees --------------------------------------------------------------------------------------

bool Node::same_tree(const Node& o) const {
    if (kind_ != o.kind_) return false;
    switch (kind_) {
    case NodeKind::null: return true;
    case NodeKind::list: return list_ == o.list_;
    case NodeKind::map: return map_ == o.map_;
    default: return text_.same(o.text_);
    }
}

bool operator==(const Node& a, const Node& b) {
    if (a.kind_ != b.kind_) return false;
    if (a.same_tree(b)) return true;
    switch (a.kind_) {
    case NodeKind::null: return true;
    case NodeKind::boolean: return a.as_bool() == b.as_bool();
    case NodeKind::string: return a.text_ == b.text_;
    case NodeKind::integer: {
        if (a.text_ == b.text_) return true;
        const auto x = parse_int(a.text_.view());
        const auto y = parse_int(b.text_.view());
        return x && y && *x == *y;
    }
    case NodeKind::floating: return a.text_ == b.text_ || a.as_double() == b.as_double();
    case NodeKind::list: return std::ranges::equal(a.items(), b.items());
    case NodeKind::map: {
        if (a.size() != b.size()) return false;
        for (const auto& [key, value] : a.entries()) {
            const Node* other = b.find(key);
            if (other == nullptr || !(value == *other)) return false;
        }
        return true;
    }
    }
    return false;
}

namespace {
std::size_t mix(std::size_t h) { // splitmix64's finaliser
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9ULL;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebULL;
    return h ^ (h >> 31);
}
} // namespace

std::size_t Node::hash() const {
    switch (kind_) {
    case NodeKind::null: return 0x9e37;
    case NodeKind::boolean: return as_bool() ? 0x7f31 : 0x7f32;
    case NodeKind::string: return mix(text_hash(text_.view()));
    case NodeKind::integer: {
        const auto i = parse_int(text_.view());
        return i ? mix(static_cast<std::size_t>(*i) + 1) : mix(text_hash(text_.view()) + 1);
    }
    case NodeKind::floating: return mix(std::hash<double>{}(as_double().value_or(0)) + 2);
    case NodeKind::list: {
        std::size_t h = 0x11;
        for (const Node& item : items()) h = mix(h * 31 + item.hash());
        return h;
    }
    case NodeKind::map: {
        std::size_t h = 0x22; // a sum: the order of keys does not count
        for (const auto& [key, value] : entries()) h += mix(text_hash(key.view()) * 31 + value.hash());
        return mix(h);
    }
    }
    return 0;
}

} // namespace weber::kube
