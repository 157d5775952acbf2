#include "kube/server/typed_decode.h"

#include "kube/base/digest.h"

namespace weber::kube::server {
namespace {

class Decoder {
public:
    explicit Decoder(bool custom) : custom_(custom) {}
    Decoded out;

    Result<void> walk(Node& v, const TypeSchema& t, const std::string& path) {
        if (custom_ && v.is_null()) return {};
        switch (t.kind) {
            case TypeKind::any:
            case TypeKind::int_or_string:
            case TypeKind::quantity: return {};
            case TypeKind::boolean: return custom_ || v.is_bool() ? ok() : misfit(v, path, "bool");
            case TypeKind::integer: return custom_ || v.as_int() ? ok() : misfit(v, path, "int32");
            case TypeKind::number: return custom_ || v.is_number() ? ok() : misfit(v, path, "float64");
            case TypeKind::time:
            case TypeKind::micro_time:
            case TypeKind::string: return custom_ || v.is_string() ? ok() : misfit(v, path, "string");
            case TypeKind::bytes:
                if (custom_) return {};
                if (!v.is_string()) return misfit(v, path, "[]uint8");
                if (!base64_decode(v.text())) return fail(ErrorCode::invalid, "illegal base64 data at input byte 0");
                return {};
            case TypeKind::object: return object(v, t, path);
            case TypeKind::map: return map(v, t, path);
            case TypeKind::list: return list(v, t, path);
        }
        return {};
    }

private:
    static Result<void> ok() { return {}; }
    static Result<void> misfit(const Node& v, const std::string& path, std::string_view type) {
        return fail(ErrorCode::invalid, "json: cannot unmarshal " + std::string(v.is_bool() ? "bool" : v.is_number() ? "number" : v.kind_word()) +
                                            " into Go struct field ." + path + " of type " + std::string(type));
    }
    static std::string join(const std::string& path, std::string_view key) { return path.empty() ? std::string(key) : path + "." + std::string(key); }

    Result<void> object(Node& v, const TypeSchema& t, const std::string& path) {
        if (!v.is_map()) return custom_ ? ok() : misfit(v, path, "object");
        if (t.fields.empty() && !t.preserve_unknown && !custom_) return {}; // raw extensions and the like
        std::vector<std::string> drop;
        for (const auto& e : v.entries()) {
            const FieldSchema* f = t.field(e.key.view());
            if (!f) {
                if (t.preserve_unknown) continue;
                out.unknown.push_back(join(path, e.key.view()));
                drop.push_back(e.key.str());
            } else if (e.value.is_null() && !custom_) {
                drop.push_back(e.key.str());
            }
        }
        for (const auto& key : drop) v.erase(key);
        if (!needs_walk(v, t)) return {};
        for (auto& e : v.entries_mut())
            if (const FieldSchema* f = t.field(e.key.view()))
                if (auto r = walk(e.value, *f->type, join(path, e.key.view())); !r) return r;
        return {};
    }

    static bool needs_walk(const Node& v, const TypeSchema&) { return !v.empty(); }

    Result<void> map(Node& v, const TypeSchema& t, const std::string& path) {
        if (!v.is_map()) return custom_ ? ok() : misfit(v, path, "map");
        if (!t.element || t.element->kind == TypeKind::any || v.empty()) return {};
        for (auto& e : v.entries_mut()) {
            if (e.value.is_null() && !custom_) { // a null string is the empty string
                if (t.element->kind == TypeKind::string || t.element->kind == TypeKind::bytes) e.value = Node::string("");
                continue;
            }
            if (auto r = walk(e.value, *t.element, join(path, e.key.view())); !r) return r;
        }
        return {};
    }

    Result<void> list(Node& v, const TypeSchema& t, const std::string& path) {
        if (!v.is_list()) return custom_ ? ok() : misfit(v, path, "list");
        if (!t.element || t.element->kind == TypeKind::any || v.empty()) return {};
        std::size_t i = 0;
        for (auto& item : v.items_mut()) {
            const std::string at = path + "[" + std::to_string(i++) + "]";
            if (item.is_null()) continue;
            if (auto r = walk(item, *t.element, at); !r) return r;
        }
        return {};
    }

    bool custom_;
};

} // namespace

Result<Decoded> decode_typed(Node& value, const TypeSchema& type, bool custom) {
    Decoder d(custom);
    if (auto r = d.walk(value, type, ""); !r) return std::unexpected(std::move(r).error());
    return std::move(d.out);
}

} // namespace weber::kube::server
