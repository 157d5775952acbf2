// Literals: lists, maps, messages, numbers and texts.
#include "kube/cel/go_format.h"
#include "kube/cel/parser_grammar.h"
#include "kube/cel/unescape.h"

namespace weber::cel {

using namespace expected;

namespace {

std::optional<Value> read_int(const std::string& sign, const std::string& written) {
    const bool hex = written.starts_with("0x");
    const auto v = parse_go_int(sign + (hex ? written.substr(2) : written), hex ? 16 : 10);
    return v ? std::optional(Value::integer(*v)) : std::nullopt;
}

std::optional<Value> read_uint(std::string written) {
    written.pop_back();
    const bool hex = written.starts_with("0x");
    const auto v = parse_go_uint(hex ? written.substr(2) : written, hex ? 16 : 10);
    return v ? std::optional(Value::unsigned_integer(*v)) : std::nullopt;
}

std::optional<Value> read_double(const std::string& written) {
    const auto v = parse_go_float(written);
    return v ? std::optional(Value::floating(*v)) : std::nullopt;
}

} // namespace

ExprPtr Parser::opt_expr(Expected follow, bool& optional) {
    in_.enter(follow);
    ExprPtr e;
    if (!in_.sync(211, kOptExprStart)) {
        e = failed();
    } else {
        optional = in_.la() == question;
        if (optional) in_.accept();
        e = expr(kEnd);
    }
    in_.leave();
    return ensure(std::move(e));
}

ExprPtr Parser::list() {
    const TokenAt open = *in_.accept();
    ExprPtr e = make_.make(ExprKind::list, open.from);
    if (!list_items(*e)) in_.recover();
    e->depth = static_cast<std::uint16_t>(depth_of(e->args));
    return e;
}

bool Parser::list_items(Expr& e) {
    if (!in_.sync(150, kOptExprStart | Expected{comma, r_bracket})) return false;
    if (kOptExprStart.has(in_.la())) {
        in_.enter(Expected{comma, r_bracket});
        const auto item = [&] {
            bool optional = false;
            e.args.push_back(opt_expr(Expected{comma}.or_end(), optional));
            e.optional.push_back(optional);
        };
        item();
        while (in_.la() == comma && kOptExprStart.has(in_.la(2))) {
            in_.accept();
            item();
        }
        in_.leave();
    }
    if (!in_.sync(153, Expected{comma, r_bracket})) return false;
    if (in_.la() == comma) in_.accept();
    return in_.match(155, r_bracket, kEnd) != nullptr;
}

ExprPtr Parser::map() {
    const TokenAt open = *in_.accept();
    ExprPtr e = make_.make(ExprKind::map, open.from);
    if (!map_entries(*e)) in_.recover();
    e->depth = static_cast<std::uint16_t>(depth_of(e->args));
    return e;
}

bool Parser::map_entries(Expr& e) {
    if (!in_.sync(158, kOptExprStart | Expected{comma, r_brace})) return false;
    if (kOptExprStart.has(in_.la())) {
        in_.enter(Expected{comma, r_brace});
        bool ok = map_entry(e);
        while (ok && in_.la() == comma && kOptExprStart.has(in_.la(2))) {
            in_.accept();
            ok = map_entry(e);
        }
        if (!ok) in_.recover();
        in_.leave();
    }
    if (!in_.sync(161, Expected{comma, r_brace})) return false;
    if (in_.la() == comma) in_.accept();
    return in_.match(163, r_brace, kEnd) != nullptr;
}

bool Parser::map_entry(Expr& e) {
    make_.next_id(); // the entry's own
    bool optional = false;
    const std::size_t complaints = late_.size();
    ExprPtr key = opt_expr(Expected{colon}, optional);
    if (in_.match(206, colon, kExprStart) == nullptr) {
        late_.resize(complaints); // a key without its colon is not looked at any further
        return false;
    }
    e.args.push_back(std::move(key));
    e.args.push_back(expr(Expected{comma}.or_end()));
    e.optional.push_back(optional);
    return true;
}

ExprPtr Parser::message() {
    std::string name;
    while (in_.la() != l_brace) name += text(*in_.accept());
    const TokenAt open = *in_.accept();
    ExprPtr e = make_.make(ExprKind::message, open.from);
    e->name = name;
    if (!message_fields(*e)) in_.recover();
    e->depth = static_cast<std::uint16_t>(depth_of(e->args));
    return e;
}

bool Parser::message_fields(Expr& e) {
    if (!in_.sync(177, kFieldStart | Expected{comma, r_brace})) return false;
    if (kFieldStart.has(in_.la())) {
        in_.enter(Expected{comma, r_brace});
        bool ok = message_field(e);
        while (ok && in_.la() == comma && kFieldStart.has(in_.la(2))) {
            in_.accept();
            ok = message_field(e);
        }
        if (!ok) in_.recover();
        in_.leave();
    }
    if (!in_.sync(180, Expected{comma, r_brace})) return false;
    if (in_.la() == comma) in_.accept();
    return in_.match(182, r_brace, kEnd) != nullptr;
}

bool Parser::message_field(Expr& e) {
    const Offset first = in_.at().from;
    in_.enter(Expected{colon});
    const bool optional = in_.la() == question;
    if (optional) in_.accept();
    const std::size_t complaints = late_.size();
    const std::optional<std::string> name = escape_ident(kEnd);
    in_.leave();
    const TokenAt* at = in_.match(199, colon, kExprStart);
    if (at == nullptr) {
        late_.resize(complaints); // a field without its colon is not looked at any further
        return false;
    }
    if (!name) complain(e.fields.empty() ? first : e.field_places[0], "unsupported ident kind");
    make_.next_id(); // the field's own
    e.field_places.push_back(at->from);
    e.fields.push_back(name.value_or(""));
    e.args.push_back(expr(Expected{comma}.or_end()));
    e.optional.push_back(optional);
    return true;
}

std::optional<std::string> Parser::escape_ident(Expected follow) {
    in_.enter(follow);
    std::optional<std::string> out;
    const Offset start = in_.at().from;
    const Expected expected{identifier, esc_identifier};
    if (!in_.sync(209, expected)) {
        in_.recover();
    } else if (!expected.has(in_.la())) {
        no_alternative(209, 1);
    } else {
        const TokenAt t = *in_.accept();
        out = text(t);
        if (t.token == esc_identifier) {
            if (!quoted_names_) complain(start, "unsupported syntax: '`'");
            out = out->substr(1, out->size() - 2);
        }
    }
    in_.leave();
    return out;
}

ExprPtr Parser::literal() {
    const TokenAt first = in_.at();
    if (first.token == minus && !is_signed_number()) return no_alternative(222, 2);
    std::string sign;
    if (first.token == minus) {
        in_.accept();
        sign = "-";
    }
    const TokenAt t = *in_.accept();
    const std::string written = text(t);
    const auto make = [&](std::optional<Value> v, const char* problem) {
        if (!v) {
            complain(first.from, problem);
            return broken(first.from);
        }
        ExprPtr e = make_.make(ExprKind::literal, first.from);
        e->literal = std::move(*v);
        return e;
    };
    switch (t.token) {
    case num_int: return make(read_int(sign, written), "invalid int literal");
    case num_uint: return make(read_uint(written), "invalid uint literal");
    case num_float: return make(read_double(sign + written), "invalid double literal");
    case string: return make_text(written, first.from, false);
    case bytes: return make_text(written.substr(1), first.from, true);
    case true_word: return make(Value::boolean(true), "");
    case false_word: return make(Value::boolean(false), "");
    default: return make(Value::null(), "");
    }
}

ExprPtr Parser::make_text(const std::string& written, Offset at, bool is_bytes) {
    const auto text = unescape(written, is_bytes);
    if (!text) complain(at, text.error().message);
    ExprPtr e = make_.make(ExprKind::literal, at);
    if (text) e->literal = is_bytes ? Value::bytes(*text) : Value::string(*text);
    return e;
}

} // namespace weber::cel
