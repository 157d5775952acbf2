#include "kube/server/typed_decode.h"

#include <algorithm>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/server/go_forms.h"
#include "kube/server/go_time.h"
#include "kube/server/quantity.h"

namespace weber::kube::server {
namespace {

constexpr const char* kQuantityRule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

bool is_zero(const Node& v) {
    switch (v.kind()) {
    case NodeKind::null: return true;
    case NodeKind::boolean: return !v.as_bool();
    case NodeKind::integer:
    case NodeKind::floating: return v.as_double() == 0.0;
    case NodeKind::string: return v.text().empty();
    case NodeKind::list:
    case NodeKind::map: return v.empty();
    }
    return false;
}

class Decoder {
public:
    explicit Decoder(bool custom) : custom_(custom) {}
    Decoded out;

    Result<void> walk(Node& v, const TypeSchema& t, const std::string& path) {
        if (custom_ && v.is_null()) return {};
        switch (t.kind) {
        case TypeKind::any: return {};
        case TypeKind::int_or_string:
            word_ = "int32";
            return custom_ || v.is_string() || fits_int(v) ? ok() : misfit(v, path, "int32");
        case TypeKind::quantity: return quantity(v);
        case TypeKind::boolean: return custom_ || v.is_bool() ? ok() : misfit(v, path, "bool");
        case TypeKind::integer: return custom_ || fits_int(v) ? ok() : misfit(v, path, "int32");
        case TypeKind::number: return custom_ || v.is_number() ? ok() : misfit(v, path, "float64");
        case TypeKind::time:
        case TypeKind::micro_time:
            if (custom_) return {};
            word_ = "string";
            if (!v.is_string()) return misfit(v, path, "string");
            return time(v, t.kind == TypeKind::micro_time);
        case TypeKind::string: return custom_ || v.is_string() ? ok() : misfit(v, path, "string");
        case TypeKind::bytes:
            if (custom_) return {};
            if (!v.is_string()) return misfit(v, path, "[]uint8");
            return bytes(v);
        case TypeKind::object: return object(v, t, path);
        case TypeKind::map: return map(v, t, path);
        case TypeKind::list: return list(v, t, path);
        }
        return {};
    }

private:
    static Result<void> ok() { return {}; }
    static Result<void> bytes(Node& v) {
        const auto decoded = base64_decode(v.text());
        if (!decoded) return fail(ErrorCode::invalid, "illegal base64 data at input byte 0");
        std::string again = base64_encode(*decoded); // bits beyond the last byte are lost
        if (again != v.text()) v = Node::string(std::move(again));
        return {};
    }
    static Result<void> time(Node& v, bool micro) {
        auto canonical = go_time(v.text(), micro);
        if (!canonical) return std::unexpected(std::move(canonical).error());
        if (*canonical != v.text()) v = Node::string(std::move(*canonical));
        return {};
    }
    [[nodiscard]] bool fits_int(const Node& v) const {
        const auto n = v.as_int();
        return n && (word_ != "int32" || (*n >= INT32_MIN && *n <= INT32_MAX));
    }
    // Go names the struct that holds the field.
    Result<void> misfit(const Node& v, const std::string& path, std::string_view type) const {
        std::string what(v.is_bool() ? "bool" : v.is_number() ? "number" : v.kind_word());
        if (v.is_number() && (word_ == "int32" || word_ == "int64")) what += " " + std::string(v.text()); // it is one, but not one that fits
        std::string place; // without what counts the items of lists
        for (std::size_t at = 0; at < path.size(); ++at) {
            if (path[at] == '[')
                at = path.find(']', at);
            else
                place += path[at];
        }
        return fail(ErrorCode::invalid, "json: cannot unmarshal " + std::string(what) + " into Go struct field " + owner_ + "." + place + " of type " +
                                            std::string(word_.empty() ? type : word_));
    }
    static std::string join(const std::string& path, std::string_view key) { return path.empty() ? std::string(key) : path + "." + std::string(key); }

    // `list`: a ResourceList, whose values have no more than three decimals.
    Result<void> quantity(Node& v, bool list = false) const {
        if (custom_) return {};
        if (v.is_null()) {
            v = Node::string("0");
            return {};
        }
        auto parsed = v.is_string() || v.is_number() ? parse_quantity(v.text()) : std::nullopt;
        if (!parsed) return fail(ErrorCode::invalid, kQuantityRule);
        if (v.is_number()) parsed->format = Quantity::Format::decimal;
        constexpr __int128 kMilli = 1'000'000;
        if (const __int128 rest = parsed->nanos % kMilli; list && rest != 0) parsed->nanos += rest > 0 ? kMilli - rest : -rest - kMilli;
        const std::string canonical = to_string(*parsed);
        if (!v.is_string() || v.text() != canonical) v = Node::string(canonical);
        return {};
    }

    Result<void> object(Node& v, const TypeSchema& t, const std::string& path) {
        if (t.fields.empty() && !t.preserve_unknown && !custom_) return {}; // raw extensions and the like
        if (!v.is_map()) return custom_ ? ok() : misfit(v, path, "v1." + std::string(struct_name(t)));
        std::vector<std::string> drop;
        const std::string outer = std::exchange(owner_, std::string(struct_name(t)));
        for (auto& e : v.entries_mut()) {
            const FieldSchema* f = t.field(e.key.view());
            if (!f) {
                if (t.preserve_unknown) continue;
                out.unknown.push_back(join(path, e.key.view()));
                drop.push_back(e.key.str());
                continue;
            }
            if (!custom_ && e.value.is_null()) {
                drop.push_back(e.key.str());
                continue;
            }
            if (!custom_) word_ = go_type_word(*f);
            if (auto r = walk(e.value, *f->type, join(path, e.key.view())); !r) return r;
            if (!custom_ && go_form(*f) == GoForm::drop_empty && is_zero(e.value)) drop.push_back(e.key.str());
        }
        owner_ = outer;
        for (const auto& key : drop) v.erase(key);
        return {};
    }

    static std::string_view struct_name(const TypeSchema& t) {
        const std::string_view name = definition_name(t);
        return name.substr(name.rfind('.') + 1);
    }

    Result<void> map(Node& v, const TypeSchema& t, const std::string& path) {
        if (!v.is_map()) return custom_ ? ok() : misfit(v, path, "map[string]string");
        if (!t.element || t.element->kind == TypeKind::any || v.empty()) return {};
        const std::string_view word = word_;
        for (auto& e : v.entries_mut()) {
            word_ = go_element_word(word);
            if (e.value.is_null() && !custom_) zero(e.value, *t.element);
            // Go's message names the map, not the key.
            auto r = t.element->kind == TypeKind::quantity ? quantity(e.value, true) : walk(e.value, *t.element, custom_ ? join(path, e.key.view()) : path);
            if (!r) return r;
        }
        return {};
    }

    Result<void> list(Node& v, const TypeSchema& t, const std::string& path) {
        if (!v.is_list()) return custom_ ? ok() : misfit(v, path, "[]" + go_word(t.element));
        if (!t.element || t.element->kind == TypeKind::any || v.empty()) return {};
        const std::string_view word = word_;
        std::size_t i = 0;
        for (auto& item : v.items_mut()) {
            const std::string at = path + "[" + std::to_string(i++) + "]";
            if (item.is_null() && !custom_) zero(item, *t.element);
            word_ = go_element_word(word);
            if (auto r = walk(item, *t.element, at); !r) return r;
        }
        return {};
    }

    static std::string go_word(const TypeSchema* t) {
        if (!t) return "interface {}";
        if (t->kind == TypeKind::object) return "v1." + std::string(struct_name(*t));
        return t->kind == TypeKind::integer ? "int32" : "string";
    }

    // null as an element is the element's zero value.
    static void zero(Node& v, const TypeSchema& t) {
        if (t.kind == TypeKind::string || t.kind == TypeKind::bytes) v = Node::string("");
        if (t.kind == TypeKind::object && !t.fields.empty()) v = Node::map();
    }

    bool custom_;
    std::string_view word_; // Go's type of the value in hand; "" = not known
    std::string owner_; // struct that holds the field in hand
};

Node always(GoForm form) {
    switch (form) {
    case GoForm::always_map: return Node::map();
    case GoForm::always_text: return Node::string("");
    case GoForm::always_zero: return Node::integer(0);
    case GoForm::always_false: return Node::boolean(false);
    case GoForm::always_quantity: return Node::string("0");
    default: return {};
    }
}

bool is_always(GoForm form) { return form != GoForm::keep && form != GoForm::drop_empty; }

} // namespace

Result<Decoded> decode_typed(Node& value, const TypeSchema& type, bool custom) {
    Decoder d(custom);
    if (auto r = d.walk(value, type, ""); !r) return std::unexpected(std::move(r).error());
    return std::move(d.out);
}

void complete_typed(Node& value, const TypeSchema& type, bool stored) {
    switch (type.kind) {
    case TypeKind::object:
        if (!value.is_map()) return;
        for (const FieldSchema& f : type.fields) {
            const GoForm form = go_form(f);
            Node* child = value.find_mut(f.name);
            if (!child && is_always(form)) child = &value.set(f.name, always(form));
            if (!child) continue;
            if (stored && form == GoForm::always_null && child->empty() && !child->is_scalar()) *child = Node();
            complete_typed(*child, *f.type, stored);
        }
        return;
    case TypeKind::map:
        if (!value.is_map() || !type.element) return;
        for (auto& e : value.entries_mut()) complete_typed(e.value, *type.element, stored);
        return;
    case TypeKind::list:
        if (!value.is_list() || !type.element) return;
        for (Node& item : value.items_mut()) complete_typed(item, *type.element, stored);
        return;
    default: return;
    }
}

} // namespace weber::kube::server
