#include "kube/server/protobuf.h"

#include <bit>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/base/schema.h"
#include "kube/server/go_forms.h"

namespace weber::kube::server {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::string_view kMagic{"k8s\0", 4};

std::unexpected<Error> broken() { return fail(ErrorCode::invalid, "the body is not a well-formed protobuf message"); }

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
    std::uint32_t number = 0;
    Wire wire = Wire::varint;
    std::uint64_t value = 0;   // varint, fixed
    std::string_view bytes;    // Wire::bytes
};

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}
    [[nodiscard]] bool done() const { return text_.empty(); }

    Result<Field> next() {
        TRY(const std::uint64_t tag, varint());
        Field f;
        f.number = static_cast<std::uint32_t>(tag >> 3);
        f.wire = static_cast<Wire>(tag & 7);
        switch (f.wire) {
        case Wire::varint: {
            TRY(f.value, varint());
            return f;
        }
        case Wire::fixed64: return fixed(f, 8);
        case Wire::fixed32: return fixed(f, 4);
        case Wire::bytes: {
            TRY(const std::uint64_t size, varint());
            if (size > text_.size()) return broken();
            f.bytes = text_.substr(0, size);
            text_.remove_prefix(size);
            return f;
        }
        }
        return broken();
    }

    Result<std::uint64_t> varint() {
        std::uint64_t v = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (text_.empty()) return broken();
            const auto byte = static_cast<unsigned char>(text_.front());
            text_.remove_prefix(1);
            v |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (!(byte & 0x80)) return v;
        }
        return broken();
    }

private:
    Result<Field> fixed(Field f, std::size_t size) {
        if (text_.size() < size) return broken();
        for (std::size_t i = 0; i < size; ++i) f.value |= static_cast<std::uint64_t>(static_cast<unsigned char>(text_[i])) << (8 * i);
        text_.remove_prefix(size);
        return f;
    }
    std::string_view text_;
};

using Numbers = std::unordered_map<std::uint32_t, const FieldSchema*>;

// Fields of a type by their (packed) protobuf number; a prefix of a longer number leads to no field.
const Numbers& numbers_of(const TypeSchema& type) {
    static std::mutex mutex; // guards all
    static std::map<const FieldSchema*, Numbers> all;
    const std::lock_guard lock(mutex);
    auto [it, fresh] = all.try_emplace(type.fields.data());
    if (fresh)
        for (const FieldSchema& f : type.fields)
            if (const auto n = proto_number(f); n != 0) {
                it->second.emplace(n, &f);
                for (std::uint32_t part = n & 0xFF; part != n; part = n & (part < 0x100 ? 0xFFFF : 0xFFFFFF)) it->second.emplace(part, nullptr);
            }
    return it->second;
}

// The first field of a message with this number and bytes, e.g. a quantity's text.
std::string_view bytes_at(std::string_view message, std::uint32_t number) {
    for (Reader r(message); !r.done();) {
        const auto f = r.next();
        if (!f) return {};
        if (f->number == number && f->wire == Wire::bytes) return f->bytes;
    }
    return {};
}

std::int64_t int_at(std::string_view message, std::uint32_t number) {
    std::int64_t out = 0;
    for (Reader r(message); !r.done();) {
        const auto f = r.next();
        if (!f) return out;
        if (f->number == number && f->wire == Wire::varint) out = static_cast<std::int64_t>(f->value);
    }
    return out;
}

Result<Node> raw_json(std::string_view message) {
    const auto raw = bytes_at(message, 1);
    if (raw.empty()) return Node();
    return read_json(raw, {.bytes = 4u << 20});
}

// Years that RFC 3339 can write; others are an error for Go, too.
constexpr std::int64_t kFirstSecond = -62'135'596'800, kLastSecond = 253'402'300'799;

Result<Node> time_of(std::string_view message, bool micro) {
    if (message.empty()) return Node();
    const std::int64_t since_1970 = int_at(message, 1), nanos = int_at(message, 2);
    if (since_1970 < kFirstSecond || since_1970 > kLastSecond || nanos < 0 || nanos > 999'999'999) return broken();
    std::string text = format_rfc3339(SystemTime(std::chrono::seconds(since_1970)));
    if (micro) {
        std::string digits = std::to_string(1'000'000 + nanos / 1000).substr(1);
        text.insert(text.size() - 1, "." + digits);
    }
    return Node::string(text);
}

class Decoder {
public:
    Result<void> message(Node& out, const TypeSchema& type, std::string_view text, std::uint32_t prefix, int shift, int depth) {
        if (depth > kMaxDepth) return broken();
        const Numbers& numbers = numbers_of(type);
        for (Reader r(text); !r.done();) {
            TRY(const Field f, r.next());
            if (f.number == 0 || f.number > 0xFF) continue;
            const std::uint32_t number = prefix | f.number << shift;
            const auto it = numbers.find(number);
            if (it == numbers.end()) continue;
            if (it->second) {
                TRY_VOID(field(out, *it->second, f, depth));
            } else if (f.wire == Wire::bytes && shift < 16) {
                TRY_VOID(message(out, type, f.bytes, number, shift + 8, depth + 1));
            }
        }
        return {};
    }

private:
    Result<void> field(Node& out, const FieldSchema& schema, const Field& f, int depth) {
        const TypeSchema& type = *schema.type;
        if (type.kind == TypeKind::map) {
            Node& map = out.get_or_insert(schema.name);
            return entry(map, type, f, depth);
        }
        if (type.kind == TypeKind::list && type.element) {
            Node& list = out.get_or_insert(schema.name);
            if (f.wire == Wire::bytes && type.element->kind == TypeKind::integer) {
                for (Reader r(f.bytes); !r.done();) {
                    TRY(const std::uint64_t v, r.varint());
                    list.push_back(Node::integer(static_cast<std::int64_t>(v)));
                }
                return {};
            }
            TRY(Node item, value(*type.element, f, depth));
            list.push_back(std::move(item));
            return {};
        }
        TRY(Node v, value(type, f, depth));
        out.set(schema.name, std::move(v));
        return {};
    }

    Result<void> entry(Node& map, const TypeSchema& type, const Field& f, int depth) {
        if (f.wire != Wire::bytes || !type.element) return broken();
        std::string key;
        Node item = type.element->kind == TypeKind::string || type.element->kind == TypeKind::bytes ? Node::string("") : Node();
        for (Reader r(f.bytes); !r.done();) {
            TRY(const Field part, r.next());
            if (part.number == 1 && part.wire == Wire::bytes) key = part.bytes;
            if (part.number != 2) continue;
            if (type.element->kind == TypeKind::list && type.element->element) { // a named list is a message of its own
                item = Node::list();
                for (Reader items(part.bytes); !items.done();) {
                    TRY(const Field one, items.next());
                    TRY(Node v, value(*type.element->element, one, depth));
                    item.push_back(std::move(v));
                }
                continue;
            }
            TRY(item, value(*type.element, part, depth));
        }
        map.set(key, std::move(item));
        return {};
    }

    Result<Node> value(const TypeSchema& type, const Field& f, int depth) {
        switch (type.kind) {
        case TypeKind::boolean: return Node::boolean(f.value != 0);
        case TypeKind::integer: return Node::integer(static_cast<std::int64_t>(f.value));
        case TypeKind::number: return Node::floating(std::bit_cast<double>(f.value));
        case TypeKind::string: return Node::string(f.bytes);
        case TypeKind::bytes: return Node::string(base64_encode(f.bytes));
        case TypeKind::quantity: return Node::string(bytes_at(f.bytes, 1));
        case TypeKind::int_or_string:
            return int_at(f.bytes, 1) == 1 ? Node::string(bytes_at(f.bytes, 3)) : Node::integer(int_at(f.bytes, 2));
        case TypeKind::time: return time_of(f.bytes, false);
        case TypeKind::micro_time: return time_of(f.bytes, true);
        case TypeKind::any: return raw_json(f.bytes);
        case TypeKind::object: {
            if (type.fields.empty()) return raw_json(f.bytes);
            Node out = Node::map();
            TRY_VOID(message(out, type, f.bytes, 0, 0, depth + 1));
            return out;
        }
        case TypeKind::map:
        case TypeKind::list: return broken();
        }
        return broken();
    }
};

} // namespace

Result<Node> read_protobuf(std::string_view body) {
    if (!body.starts_with(kMagic)) return fail(ErrorCode::invalid, "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    const std::string_view envelope = body.substr(kMagic.size());
    const std::string_view meta = bytes_at(envelope, 1), raw = bytes_at(envelope, 2);
    const std::string version(bytes_at(meta, 1)), kind(bytes_at(meta, 2));
    const auto slash = version.find('/');
    const std::string group = slash == std::string::npos ? "" : version.substr(0, slash);
    const TypeSchema* type = kind == "DeleteOptions" ? find_builtin_definition("meta.v1.DeleteOptions")
                                                     : find_builtin_type(group, slash == std::string::npos ? version : version.substr(slash + 1), kind);
    if (!type || type->fields.empty() || group == "apiextensions.k8s.io")
        return fail(ErrorCode::unsupported, "protobuf of " + version + " " + kind + " is not understood");
    Node out = Node::map({{"apiVersion", Node::string(version)}, {"kind", Node::string(kind)}});
    TRY_VOID(Decoder().message(out, *type, raw, 0, 0, 0));
    return out;
}

} // namespace weber::kube::server
