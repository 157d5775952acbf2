#include "agent/flux/neat_yaml.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "kube/base/utf8.h"

namespace weber::agent {

namespace {

using Words = std::vector<std::string_view>;

// Keys that stand first, by the sets that ytbx knows; of several sets the one that has most of a map's keys, the first of those.
std::span<const Words> known_orders() {
    static const std::array<Words, 11> orders{Words{"name", "director_uuid", "releases", "instance_groups", "networks", "resource_pools", "compilation"},
                                              Words{"name", "url", "version", "sha1"},
                                              Words{"jobs", "resources", "resource_types"},
                                              Words{"name", "type", "source"},
                                              Words{"get"},
                                              Words{"put"},
                                              Words{"task"},
                                              Words{"releases", "instance_groups", "configuration", "variables"},
                                              Words{"auth", "templates"},
                                              Words{"key"},
                                              Words{"id"}};
    return orders;
}

std::ptrdiff_t known_keys(const Words& order, const Node& map) {
    return std::ranges::count_if(order, [&](std::string_view key) { return map.contains(key); });
}

const Words* order_of(const Node& map) {
    const Words* best = nullptr;
    for (const Words& order : known_orders())
        if (known_keys(order, map) > (best != nullptr ? known_keys(*best, map) : 0)) best = &order;
    return best;
}

// The field that all entries of a list have, one of these three; it adds no depth of its own.
std::string_view named_by(const Node& list) {
    for (std::string_view field : {"name", "key", "id"})
        if (!list.empty() && std::ranges::all_of(list.items(), [&](const Node& e) { return e.contains(field); })) return field;
    return "";
}

// Steps to the deepest scalar; -1 when there is none.
int depth(const Node& node) {
    if (!node.is_map() && !node.is_list()) return 0;
    const auto deeper = [](int most, int step, const Node& child) {
        const int d = depth(child);
        return d < 0 ? most : std::max(most, step + d);
    };
    int most = -1;
    for (const Node::Entry& e : node.entries()) most = deeper(most, 1, e.value);
    const std::string_view identity = named_by(node);
    for (const Node& item : node.items()) {
        if (identity.empty()) most = deeper(most, 1, item);
        for (const Node::Entry& e : item.entries())
            if (!identity.empty() && e.key.view() != identity) most = deeper(most, 2, e.value);
    }
    return most;
}

bool needs_quotes(const Node& scalar) {
    if (!scalar.is_string()) return false;
    const std::string_view text = scalar.text();
    return text == "true" || text == "false" || text == "null" || text.starts_with('-') || text.find_first_of(" *&:,") != std::string_view::npos;
}

void write(const Node& node, const std::string& prefix, bool begun, std::string& out);

void write_scalar(const Node& node, const std::string& prefix, std::string& out) {
    const std::string_view text = node.is_null() ? "null" : node.text();
    if (text.find('\n') == std::string_view::npos) {
        out += (needs_quotes(node) ? go_quoted(text) : std::string(text)) + "\n";
        return;
    }
    out += "|\n";
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out += prefix;
        out += text.substr(begin, end - begin);
        out += '\n';
        begin = end + 1;
    }
}

void write_map(const Node& node, const std::string& prefix, bool begun, std::string& out) {
    for (const Node::Entry& e : node.entries()) {
        if (!begun || &e != &node.entries().front()) out += prefix;
        out += e.key.str() + ":";
        const bool nested = e.value.is_map() || e.value.is_list();
        if (nested && e.value.empty()) out += e.value.is_map() ? " {}\n" : " []\n";
        else if (nested) out += "\n", write(e.value, e.value.is_map() ? prefix + "  " : prefix, false, out);
        else out += " ", write_scalar(e.value, prefix + "  ", out);
    }
}

// `begun`: the first line has its indentation already.
void write(const Node& node, const std::string& prefix, bool begun, std::string& out) {
    if (node.is_map()) return write_map(node, prefix, begun, out);
    if (!node.is_list()) return write_scalar(node, prefix, out);
    for (const Node& item : node.items()) {
        if (!begun || &item != &node.items().front()) out += prefix;
        out += "- ";
        write(item, prefix + "  ", true, out);
    }
}

// Go's strconv.IsPrint, as far as texts in manifests need it: no controls, no blanks but the plain one, no formatting characters.
bool is_printable(std::uint32_t c) {
    if (c < 0x20 || (c >= 0x7F && c < 0xA1) || c == 0xAD) return false;
    if (c >= 0x2000 && c <= 0x200F) return false;
    if ((c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F)) return false;
    return c != 0x1680 && c != 0x3000 && c != 0xFEFF && !(c >= 0xE000 && c <= 0xF8FF) && c < 0xE0000;
}

} // namespace

std::string neat_yaml(const Node& node) {
    std::string out;
    write(node, "", false, out);
    return out;
}

Node in_readable_order(const Node& node) {
    if (node.is_list()) {
        Node out = Node::list();
        for (const Node& item : node.items()) out.push_back(in_readable_order(item));
        return out;
    }
    if (!node.is_map()) return node;
    std::vector<const Node::Entry*> first, rest;
    const Words* order = order_of(node);
    const auto leads = [&](std::string_view key) { return order != nullptr && std::ranges::find(*order, key) != order->end(); };
    for (const Node::Entry& e : node.entries())
        if (!leads(e.key.view())) rest.push_back(&e);
    if (order != nullptr) {
        for (const std::string_view key : *order)
            for (const Node::Entry& e : node.entries())
                if (e.key.view() == key) first.push_back(&e);
        std::ranges::stable_sort(rest, {}, [](const Node::Entry* e) { return std::max(0, depth(e->value)); });
    }
    Node out = Node::map();
    for (const Node::Entry* e : first) out.set(e->key, in_readable_order(e->value));
    for (const Node::Entry* e : rest) out.set(e->key, in_readable_order(e->value));
    return out;
}

std::string go_quoted(std::string_view text) {
    std::string out = "\"";
    const auto hex = [&](const char* format, unsigned value) {
        std::array<char, 16> digits{};
        std::snprintf(digits.data(), digits.size(), format, value);
        out += digits.data();
    };
    for (std::size_t i = 0; i < text.size();) {
        const kube::CodePoint c = kube::decode_utf8(text, i);
        constexpr std::string_view kPlain = "\a\b\f\n\r\t\v\"\\", kLetters = "abfnrtv\"\\";
        const std::size_t special = c.value < 0x80 ? kPlain.find(static_cast<char>(c.value)) : std::string_view::npos;
        if (!c.valid) hex("\\x%02x", static_cast<unsigned char>(text[i]));
        else if (special != std::string_view::npos) out += '\\', out += kLetters[special];
        else if (is_printable(c.value)) out += text.substr(i, c.bytes);
        else if (c.value < 0x80) hex("\\x%02x", c.value);
        else hex(c.value < 0x10000 ? "\\u%04x" : "\\U%08x", c.value);
        i += c.bytes;
    }
    return out + "\"";
}

} // namespace weber::agent
