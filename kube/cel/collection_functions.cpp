// size, sets.*, base64.*, first, last.
#include "kube/base/digest.h"
#include "kube/base/utf8.h"
#include "kube/cel/functions.h"

namespace weber::cel {

namespace {

using Args = std::span<const Value>;

std::size_t count_points(std::string_view text) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < text.size(); ++n) i += kube::decode_utf8(text, i).bytes;
    return n;
}

Value size(Args args, Budget& budget) {
    const auto count = [&]() -> std::size_t {
        switch (args[0].kind()) {
        case Kind::string: budget.spend_text(args[0].as_string().size() / 4); return count_points(args[0].as_string());
        case Kind::bytes: return args[0].as_bytes().size();
        case Kind::list: return args[0].as_list().size();
        default: return args[0].as_map().size();
        }
    };
    return Value::integer(static_cast<std::int64_t>(count()));
}

bool has(const List& list, const Value& item, Budget& budget) {
    for (std::size_t i = 0; i < list.size() && !budget.exhausted(); ++i)
        if (equal(item, list.at(i), budget)) return true;
    return false;
}

bool has_all(const List& list, const List& items, Budget& budget) {
    for (std::size_t i = 0; i < items.size() && !budget.exhausted(); ++i)
        if (!has(list, items.at(i), budget)) return false;
    return true;
}

Value sets_contains(Args args, Budget& budget) { return Value::boolean(has_all(args[0].as_list(), args[1].as_list(), budget)); }

Value sets_equivalent(Args args, Budget& budget) {
    return Value::boolean(has_all(args[0].as_list(), args[1].as_list(), budget) && has_all(args[1].as_list(), args[0].as_list(), budget));
}

Value sets_intersects(Args args, Budget& budget) {
    const List& a = args[0].as_list();
    for (std::size_t i = 0; i < a.size() && !budget.exhausted(); ++i)
        if (has(args[1].as_list(), a.at(i), budget)) return Value::boolean(true);
    return Value::boolean(false);
}

Value encode(Args args, Budget& budget) {
    budget.spend_text(args[0].as_bytes().size() * 4 / 3);
    return Value::string(kube::base64_encode(args[0].as_bytes()));
}

// Padded, else without padding, as ext.Encoders tries them.
Value decode(Args args, Budget& budget) {
    const std::string_view text = args[0].as_string();
    budget.spend_text(text.size());
    if (const auto bytes = kube::base64_decode(text)) return Value::bytes(*bytes);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n";
    const auto refuse = [](std::size_t at) { return Value::error("illegal base64 data at input byte " + std::to_string(at)); };
    if (const std::size_t bad = text.find_first_not_of(kAlphabet); bad != std::string_view::npos) return refuse(bad);
    std::string padded;
    for (const char c : text)
        if (c != '\r' && c != '\n') padded += c;
    if (padded.size() % 4 == 1) return refuse(text.size() - 1);
    padded.append((4 - padded.size() % 4) % 4, '=');
    const auto bytes = kube::base64_decode(padded);
    return bytes ? Value::bytes(*bytes) : Value::error(bytes.error().message);
}

Value first(Args args, Budget&) {
    const List& list = args[0].as_list();
    return list.size() == 0 ? Value::optional_none() : Value::optional_of(list.at(0));
}

Value last(Args args, Budget&) {
    const List& list = args[0].as_list();
    return list.size() == 0 ? Value::optional_none() : Value::optional_of(list.at(list.size() - 1));
}

} // namespace

void add_collection_functions(std::vector<Function>& out) {
    const TypePtr i = types::integer(), s = types::string(), b = types::bytes();
    const TypePtr list_a = types::list(types::param("A"));
    const TypePtr map_ab = types::map(types::param("A"), types::param("B"));
    out.push_back({.name = "size",
                   .overloads = {overload("size_bytes", {b}, i), member("bytes_size", {b}, i), overload("size_list", {list_a}, i), member("list_size", {list_a}, i),
                                 overload("size_map", {map_ab}, i), member("map_size", {map_ab}, i), overload("size_string", {s}, i), member("string_size", {s}, i)},
                   .impl = size,
                   .shape = Shape::unary,
                   .takes = kinds({Kind::bytes, Kind::list, Kind::map, Kind::string})});
    const TypePtr list_t = types::list(types::param("T"));
    out.push_back({.name = "sets.contains", .overloads = {overload("list_sets_contains_list", {list_t, list_t}, types::boolean(), sets_contains)}});
    out.push_back({.name = "sets.equivalent", .overloads = {overload("list_sets_equivalent_list", {list_t, list_t}, types::boolean(), sets_equivalent)}});
    out.push_back({.name = "sets.intersects", .overloads = {overload("list_sets_intersects_list", {list_t, list_t}, types::boolean(), sets_intersects)}});
    out.push_back({.name = "base64.decode", .overloads = {overload("base64_decode_string", {s}, b, decode)}});
    out.push_back({.name = "base64.encode", .overloads = {overload("base64_encode_bytes", {b}, s, encode)}});
    const TypePtr list_v = types::list(types::param("V"));
    const TypePtr optional_v = types::optional(types::param("V"));
    out.push_back({.name = "last", .overloads = {member("list_last", {list_v}, optional_v, last)}});
    out.push_back({.name = "first", .overloads = {member("list_first", {list_v}, optional_v, first)}});
}

} // namespace weber::cel
