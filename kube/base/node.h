// `Node`: the one document tree of the whole program. YAML files, JSON of the API server, built objects.
//
// A Node is null, a scalar (bool, integer, floating, string), a list or a map in key order. A scalar keeps the text
// as it was written, so that nothing is lost between reading and writing (`0x1F`, `1e3`, 40-digit integers);
// its value is parsed on demand. Each node knows how it was written (plain, quoted, block) and its file and line.
//
// Copying is cheap: children are shared and copied on write, one level at a time. 24 bytes a node.
//
// Thread-safety: like a shared_ptr to immutable data. Distinct Nodes may be read and changed from distinct threads even when
// they share children; one Node object must not be changed while another thread reads it.
// References and pointers to children stay valid until the parent is changed or copied-from-and-changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/text.h"

namespace weber::kube {

enum class NodeKind : std::uint8_t { null, boolean, integer, floating, string, list, map };

// How a scalar stood in its file; for lists and maps `flow` means [] or {}. Built nodes are `plain`:
// a string that would read as another type when plain is quoted by the writer, whatever its style.
// `absent`: a null of which nothing was written (`key:`); strategic merge drops those and keeps `key: null`. `tilde`: a null
// written `~`, `titled` and `upper`: `Null` and `NULL`. `untyped`: a scalar that a step of a build wrote without saying what it is; it reads as its text looks.
enum class NodeStyle : std::uint8_t { plain, single_quoted, double_quoted, literal, folded, flow, absent, tilde, titled, upper, untyped };

// Names of files that nodes point to. Ids are process-wide, never reused; 0 = no file.
// Thread-safe. Bounded by the number of distinct file names used.
std::uint32_t intern_file(std::string_view name);
std::string_view file_name(std::uint32_t id);

class Node {
public:
    struct Entry; // key, value
    using Items = std::vector<Node>;

    Node() : list_(nullptr) {} // null
    Node(const Node& o);
    Node(Node&& o) noexcept;
    Node& operator=(const Node& o);
    Node& operator=(Node&& o) noexcept;
    ~Node() { release(); }

    // ---- making nodes -------------------------------------------------------------------------------
    static Node null() { return {}; }
    static Node boolean(bool value);
    static Node integer(std::int64_t value);
    static Node floating(double value); // shortest text that reads back, as Go's encoding/json writes it
    static Node string(std::string_view value, NodeStyle style = NodeStyle::plain);
    static Node string(Text value, NodeStyle style = NodeStyle::plain);
    // A scalar with its text as written; `kind` must be a scalar kind. Null text gives null.
    static Node scalar(NodeKind kind, Text text, NodeStyle style = NodeStyle::plain);
    static Node list();
    static Node list(std::initializer_list<Node> items);
    static Node map();
    static Node map(std::initializer_list<std::pair<std::string_view, Node>> entries);
    // Of what is moved out of a reader's buffer, in memory of just that size; the keys are known to be distinct.
    static Node list_of(std::span<Node> items);
    static Node map_of(std::span<Entry> entries);

    // ---- what it is ---------------------------------------------------------------------------------
    [[nodiscard]] NodeKind kind() const { return kind_; }
    [[nodiscard]] bool is_null() const { return kind_ == NodeKind::null; }
    [[nodiscard]] bool is_bool() const { return kind_ == NodeKind::boolean; }
    [[nodiscard]] bool is_integer() const { return kind_ == NodeKind::integer; }
    [[nodiscard]] bool is_number() const { return kind_ == NodeKind::integer || kind_ == NodeKind::floating; }
    [[nodiscard]] bool is_string() const { return kind_ == NodeKind::string; }
    [[nodiscard]] bool is_scalar() const { return kind_ >= NodeKind::boolean && kind_ <= NodeKind::string; }
    [[nodiscard]] bool is_list() const { return kind_ == NodeKind::list; }
    [[nodiscard]] bool is_map() const { return kind_ == NodeKind::map; }
    [[nodiscard]] NodeStyle style() const { return style_; }
    void set_style(NodeStyle style) { style_ = style; }
    // "null", "boolean", "integer", "number", "string", "array", "object": words for error messages.
    [[nodiscard]] std::string_view kind_word() const;

    // ---- where it stood -----------------------------------------------------------------------------
    [[nodiscard]] std::uint32_t line() const { return line_; }
    [[nodiscard]] std::uint32_t file() const { return file_; }
    [[nodiscard]] Where where() const; // file name and line
    void set_position(std::uint32_t file, std::uint32_t line) { file_ = file, line_ = line; }
    // A scalar that was written in several places of one object at once may carry a number they share instead of a position: a build changes
    // them together, as kustomize does (kustomize/transform/linked.h). 0: none. set_position(file(), line()) hands it on.
    [[nodiscard]] std::uint32_t link() const { return line_ == 0 && (file_ & kLinkBit) != 0 ? file_ : 0; }
    void set_link(std::uint32_t number) { file_ = number | kLinkBit, line_ = 0; }

    // ---- scalars ------------------------------------------------------------------------------------
    // Text as written, decoded (no quotes); "" for null, lists and maps.
    // A boolean's is written true, True or TRUE.
    [[nodiscard]] std::string_view text() const;
    [[nodiscard]] Text shared_text() const;
    [[nodiscard]] bool as_bool(bool fallback = false) const;
    // Integers that fit; a floating value without fraction that fits also counts. Else nullopt.
    [[nodiscard]] std::optional<std::int64_t> as_int() const;
    [[nodiscard]] std::optional<double> as_double() const;
    // The text if this is a string, else nullopt.
    [[nodiscard]] std::optional<std::string_view> as_string() const;

    // ---- maps (a non-map behaves like an empty map when read) ----------------------------------------
    [[nodiscard]] const Node* find(std::string_view key) const; // nullptr when absent
    // Walks maps by several keys; nullptr when one is absent.
    [[nodiscard]] const Node* find_path(std::initializer_list<std::string_view> keys) const;
    [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
    // The string (or other scalar's text) under `key`, else "".
    [[nodiscard]] std::string_view text_at(std::string_view key) const;
    [[nodiscard]] std::span<const Entry> entries() const;
    // Changing calls turn null into an empty map first; on another kind they are a programming error (assert).
    Node* find_mut(std::string_view key);                       // unshares this level; nullptr when absent
    Node& set(std::string_view key, Node value);                // replaces in place or appends; returns the value
    Node& set(const Text& key, Node value);
    Node& get_or_insert(std::string_view key);                  // null is inserted when absent
    Node& append_unchecked(Text key, Node value);               // the caller knows that the key is new (readers)
    bool erase(std::string_view key);                           // true when it was there
    void rename_key(std::string_view from, std::string_view to); // position kept; nothing when absent
    std::span<Entry> entries_mut();                             // values may be changed, keys must not
    void sort_keys();                                           // bytewise, this level only
    void sort_keys_deep();

    // ---- lists (a non-list behaves like an empty list when read) -------------------------------------
    [[nodiscard]] std::span<const Node> items() const;
    std::span<Node> items_mut();
    Node& push_back(Node value); // null becomes a list first
    void insert_item(std::size_t index, Node value);
    void erase_item(std::size_t index);
    void reserve(std::size_t n); // list or map
    void clear();                // list or map: no children

    // Number of children of a list or map, else 0.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return size() == 0; }

    // ---- whole trees --------------------------------------------------------------------------------
    // Same JSON value: map order and styles do not matter; integers compare by value, 1 and 1.0 differ.
    friend bool operator==(const Node& a, const Node& b);
    // The same shared tree: true implies equality, at no cost.
    [[nodiscard]] bool same_tree(const Node& o) const;
    // Hash of the JSON value, consistent with ==.
    [[nodiscard]] std::size_t hash() const;

private:
    static constexpr std::uint32_t kLinkBit = 1u << 31;
    struct ListRep;
    struct MapRep;
    void release();
    ListRep& own_list();
    MapRep& own_map();

    NodeKind kind_ = NodeKind::null;
    NodeStyle style_ = NodeStyle::plain;
    std::uint32_t line_ = 0;
    std::uint32_t file_ = 0;
    union {
        ListRep* list_;
        MapRep* map_;
        Text text_;
    };
};

struct Node::Entry {
    Text key;
    Node value;
};

} // namespace weber::kube

namespace weber {
using kube::Node;
using kube::NodeKind;
using kube::NodeStyle;
} // namespace weber
