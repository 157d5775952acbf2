// A document as SOPS sees it: ordered maps with comments between the entries, lists, typed leaves (sops.go: Tree).
//
// Values; thread-safe as such.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::gitops::sops {

struct Item;

enum class Kind : std::uint8_t { null, text, integer, floating, boolean, time, comment, branch, list };

struct Value {
    Kind kind = Kind::null;
    std::string text;             // of text, time, comment
    std::int64_t integer = 0;
    double floating = 0;
    bool boolean = false;
    bool inline_comment = false;  // of a comment: stood behind a value
    std::vector<Item> branch;
    std::vector<Value> list;

    explicit Value(Kind kind = Kind::null, std::string text = {}); // with a text: of text, time or comment
    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();

    static Value of_text(std::string text);
    static Value of_integer(std::int64_t n);
    static Value of_floating(double d);
    static Value of_boolean(bool b);
    static Value of_comment(std::string text, bool inline_comment = false);
    static Value of_branch(std::vector<Item> items);
    static Value of_list(std::vector<Value> items);
};

// An entry of a map, or a comment between entries (its text is the value's).
struct Item {
    std::string key;
    Value value;
    [[nodiscard]] bool is_comment() const { return key.empty() && value.kind == Kind::comment; }
};

// Down here, where Item is a whole type.
inline Value::Value(Kind kind, std::string text) : kind(kind), text(std::move(text)) {}
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;
inline Value::~Value() = default;
inline Value Value::of_text(std::string text) { return Value(Kind::text, std::move(text)); }

using Branch = std::vector<Item>;
using Branches = std::vector<Branch>; // one a document; only YAML has several

// Go's word for a leaf's type in messages: string, int, float64, bool, time.Time.
std::string_view type_word(Kind kind);

// What the MAC is made of, and what is encrypted: str raw, int decimal, float shortest without exponent, bool True or False.
std::string leaf_bytes(const Value& leaf);

// Without comments. Error invalid: a number that is none.
Result<Value> value_of(const Node& node);
Node node_of(const Value& value);

// The text under `key`; nullptr when absent.
const Value* find(const Branch& branch, std::string_view key);

// What a path such as `["stringData"]["pw"]` or `["list"][0]` leads to; an empty one leads nowhere. Comments do not count.
// Errors: invalid (no path), not_found with the part that is missing, never a value.
Result<const Value*> value_at(const Branch& root, std::string_view path);

} // namespace weber::gitops::sops
