#include "kube/cel/checker.h"

#include <algorithm>

#include "kube/cel/functions.h"
#include "kube/cel/unifier.h"
#include "kube/cel/validators.h"

namespace weber::cel {

namespace {

// Source: cel-go checker/checker.go; the methods bear its names.
class Checker {
public:
    Checker(const Environment& environment, Issues& issues) : environment_(environment), issues_(issues) {}

    TypePtr run(Expr& root) {
        check(root);
        for (Expr* e : open_idents_) e->type = unifier_.resolve(e->type, true);
        if (issues_.empty()) validate(root, unifier_, environment_.rules == Rules::flux, issues_);
        return unifier_.resolve(root.type, true);
    }

private:
    struct Ident {
        std::string name;
        TypePtr type;
        Value constant;
        bool has_constant = false;
    };

    void check(Expr& e) {
        switch (e.kind) {
        case ExprKind::broken: set(e, types::error()); break;
        case ExprKind::literal: set(e, literal_type(e.literal)); break;
        case ExprKind::ident: check_ident(e); break;
        case ExprKind::select: check_select(e); break;
        case ExprKind::call: check_call(e); break;
        case ExprKind::list: check_list(e); break;
        case ExprKind::map: check_map(e); break;
        case ExprKind::message: check_message(e); break;
        case ExprKind::comprehension: check_comprehension(e); break;
        }
    }

    void set(Expr& e, TypePtr type) {
        if (type->nodes > kMaxTypeNodes) {
            if (!std::exchange(too_complex_, true)) issues_.report(e.at, "the type of the expression is too complex");
            type = types::error();
        }
        e.type = std::move(type);
    }

    static TypePtr literal_type(const Value& v) {
        switch (v.kind()) {
        case Kind::boolean: return types::boolean();
        case Kind::integer: return types::integer();
        case Kind::unsigned_integer: return types::unsigned_integer();
        case Kind::floating: return types::floating();
        case Kind::string: return types::string();
        case Kind::bytes: return types::bytes();
        default: return types::null();
        }
    }

    void undeclared(Expr& e, const std::string& name) {
        issues_.report(e.at, "undeclared reference to '" + name + "' (in container '" + environment_.container + "')");
        set(e, types::error());
    }

    void mismatch(const Expr& e, const Type& expected, const Type& actual) {
        issues_.report(e.at, "expected type '" + format_type(expected) + "' but found '" + format_type(actual) + "'");
    }

    // ---- names ---------------------------------------------------------------------------------------

    std::optional<Ident> find_ident(const std::string& name) {
        for (const std::string& candidate : candidate_names(environment_.container, name)) {
            for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
                if (scope->first == candidate) return Ident{candidate, scope->second, {}};
            if (const auto it = environment_.variables.find(candidate); it != environment_.variables.end()) return Ident{candidate, it->second, {}};
            if (is_message_name(candidate)) return Ident{candidate, types::type_of(types::message(candidate)), {}};
            if (candidate == "list") return Ident{candidate, types::type_of(types::list(types::param("A"))), {}};
            if (candidate == "map") return Ident{candidate, types::type_of(types::map(types::param("A"), types::param("B"))), {}};
            if (const TypePtr type = named_type(candidate)) return Ident{candidate, types::type_of(type), {}};
            if (candidate == "google.protobuf.NullValue.NULL_VALUE") return Ident{candidate, types::integer(), Value::integer(0), true};
        }
        return std::nullopt;
    }

    const Function* lookup_function(const std::string& name) const {
        for (const std::string& candidate : candidate_names(environment_.container, name))
            if (const Function* f = find_function(candidate)) return f;
        return nullptr;
    }

    void use(Expr& e, Ident ident) {
        e.resolved = std::move(ident.name);
        e.constant = std::move(ident.constant);
        e.has_constant = ident.has_constant;
        if (ident.type->kind == TypeKind::param) open_idents_.push_back(&e);
        set(e, std::move(ident.type));
    }

    void check_ident(Expr& e) {
        if (auto ident = find_ident(e.name)) return use(e, std::move(*ident));
        undeclared(e, e.name);
    }

    void check_select(Expr& e) {
        if (const std::string name = qualified_name(e); !name.empty())
            if (auto ident = find_ident(name)) return use(e, std::move(*ident));
        const TypePtr type = check_field(e, *e.target, e.name, false);
        set(e, e.test_only ? types::boolean() : unifier_.resolve(type, false));
    }

    TypePtr check_field(const Expr& e, Expr& operand, const std::string& field, bool optional) {
        check(operand);
        TypePtr target = unifier_.resolve(operand.type, false);
        const bool is_optional = unwrap_optional(target);
        TypePtr result = types::error();
        switch (target->kind) {
        case TypeKind::map: result = target->params[1]; break;
        case TypeKind::message:
            if (const TypePtr type = message_field(target->name, field)) result = type;
            else issues_.report(e.at, "undefined field '" + field + "'");
            break;
        case TypeKind::param:
            unifier_.assignable(types::dyn(), target);
            result = types::dyn();
            break;
        default:
            if (target->kind != TypeKind::dyn && target->kind != TypeKind::any && target->kind != TypeKind::error)
                issues_.report(e.at, "type '" + format_type(*target) + "' does not support field selection");
            result = types::dyn();
        }
        return is_optional || optional ? types::optional(result) : result;
    }

    static bool unwrap_optional(TypePtr& t) {
        if (t->kind != TypeKind::opaque || t->name != "optional_type" || t->params.empty()) return false;
        t = TypePtr(t->params[0]);
        return true;
    }

    // ---- calls ---------------------------------------------------------------------------------------

    void check_call(Expr& e) {
        if (e.name == "_?._") {
            set(e, unifier_.resolve(check_field(e, *e.args[0], std::string(e.args[1]->literal.as_string()), true), false));
            e.overloads = {"select_optional_field"};
            e.checked_call = true;
            return;
        }
        for (const ExprPtr& arg : e.args) check(*arg);
        if (!e.target) {
            const Function* f = lookup_function(e.name);
            if (f == nullptr) return undeclared(e, e.name);
            e.name = f->name;
            return resolve_overload(e, *f);
        }
        if (const std::string prefix = qualified_name(*e.target); !prefix.empty()) {
            if (const Function* f = lookup_function(prefix + "." + e.name)) {
                e.name = f->name;
                e.target.reset();
                return resolve_overload(e, *f);
            }
        }
        check(*e.target);
        if (const Function* f = lookup_function(e.name)) return resolve_overload(e, *f);
        undeclared(e, e.name);
    }

    void resolve_overload(Expr& e, const Function& f) {
        std::vector<TypePtr> args;
        if (e.target) args.push_back(e.target->type);
        for (const ExprPtr& a : e.args) args.push_back(a->type);
        if (f.name == "_&&_" || f.name == "_||_") return check_logic(e, f);
        TypePtr result;
        for (const Overload& o : f.overloads) {
            if (o.member != (e.target != nullptr)) continue;
            std::vector<TypePtr> types = o.args;
            types.push_back(o.result);
            types = unifier_.instantiate(types); // also where the number of arguments is wrong: variables' numbers are seen in errors
            if (!unifier_.assignable(args, std::span(types).first(o.args.size()))) continue;
            e.overloads.push_back(o.id);
            const TypePtr found = unifier_.resolve(types.back(), false);
            const bool dynamic = result && (result->kind == TypeKind::dyn || result->kind == TypeKind::any);
            if (!result) result = found;
            else if (!dynamic && !same_type(*found, *result)) result = types::dyn();
        }
        if (!result) return no_overload(e, f, args);
        e.checked_call = true;
        set(e, result);
    }

    void no_overload(Expr& e, const Function& f, const std::vector<TypePtr>& args) {
        std::string signature;
        for (std::size_t i = 0; i < args.size(); ++i) {
            if (i == 0 && e.target) continue;
            signature += (signature.empty() ? "" : ", ") + format_type(*unifier_.resolve(args[i], true));
        }
        const std::string receiver = e.target ? format_type(*unifier_.resolve(args[0], true)) + "." : "";
        issues_.report(e.at, "found no matching overload for '" + std::string(f.name) + "' applied to '" + receiver + "(" + signature + ")'");
        set(e, types::error());
    }

    void check_logic(Expr& e, const Function& f) {
        bool ok = true;
        for (const ExprPtr& arg : e.args) {
            if (unifier_.assignable(arg->type, types::boolean())) continue;
            mismatch(*arg, *types::boolean(), *arg->type);
            ok = false;
        }
        e.overloads = {f.overloads[0].id};
        e.checked_call = true;
        set(e, ok ? types::boolean() : types::error());
    }

    // ---- literals ------------------------------------------------------------------------------------

    TypePtr unwrap_element(const Expr& e, TypePtr type) {
        if (!unwrap_optional(type) && type->kind != TypeKind::dyn && type->kind != TypeKind::any) mismatch(e, *types::optional(type), *type);
        return type;
    }

    TypePtr join(const TypePtr& previous, const TypePtr& current) {
        if (!previous) return current;
        if (unifier_.assignable(previous, current)) return Unifier::most_general(previous, current);
        return types::dyn();
    }

    void check_list(Expr& e) {
        TypePtr element;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            Expr& item = *e.args[i];
            check(item);
            element = join(element, e.optional[i] ? unwrap_element(item, item.type) : item.type);
        }
        set(e, types::list(element ? element : unifier_.fresh()));
    }

    void check_map(Expr& e) {
        TypePtr key, value;
        for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
            check(*e.args[i]);
            key = join(key, e.args[i]->type);
            Expr& item = *e.args[i + 1];
            check(item);
            value = join(value, e.optional[i / 2] ? unwrap_element(item, item.type) : item.type);
        }
        if (!key) {
            key = unifier_.fresh();
            value = unifier_.fresh();
        }
        set(e, types::map(key, value));
    }

    void check_message(Expr& e) {
        const auto ident = find_ident(e.name);
        if (!ident) return undeclared(e, e.name);
        TypePtr result = types::error();
        e.resolved = ident->name;
        const bool known = ident->type->kind == TypeKind::type && is_message_name(ident->name);
        if (known) result = ident->type->params[0];
        else if (ident->type->kind == TypeKind::type) issues_.report(e.at, "'" + declared(*ident->type->params[0]) + "' is not a message type");
        else if (ident->type->kind != TypeKind::error) issues_.report(e.at, "'" + declared(*ident->type) + "' is not a type");
        set(e, result);
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            Expr& item = *e.args[i];
            check(item);
            TypePtr field = known ? message_field(e.resolved, e.fields[i]) : nullptr;
            if (!field) {
                issues_.report(e.field_places[i], known ? "undefined field '" + e.fields[i] + "'" : "unexpected failed resolution of '" + e.resolved + "'");
                field = types::error();
            }
            const TypePtr value = e.optional[i] ? unwrap_element(item, item.type) : item.type;
            if (!unifier_.assignable(field, value))
                issues_.report(e.field_places[i], "expected type of field '" + e.fields[i] + "' is '" + format_type(*field) + "' but provided type is '" +
                                                      format_type(*value) + "'");
        }
    }

    static std::string declared(const Type& t) { return t.nullable ? "wrapper(" + t.name + ")" : t.name; }

    // ---- comprehensions ------------------------------------------------------------------------------

    void check_comprehension(Expr& e) {
        check(*e.args[0]);
        check(*e.args[1]);
        const TypePtr range = unifier_.resolve(e.args[0]->type, false);
        const TypePtr accu = e.args[1]->type;
        scopes_.emplace_back(e.accu_var, accu);
        scopes_.emplace_back(e.iter_var, element_type(*e.args[0], range));
        check(*e.args[2]);
        assert_type(*e.args[2], types::boolean());
        check(*e.args[3]);
        assert_type(*e.args[3], accu);
        scopes_.pop_back();
        check(*e.args[4]);
        scopes_.pop_back();
        set(e, unifier_.resolve(e.args[4]->type, false));
    }

    TypePtr element_type(const Expr& e, const TypePtr& range) {
        switch (range->kind) {
        case TypeKind::list:
        case TypeKind::map: return range->params[0];
        case TypeKind::dyn:
        case TypeKind::error:
        case TypeKind::param: unifier_.assignable(types::dyn(), range); return types::dyn();
        default:
            issues_.report(e.at, "expression of type '" + format_type(*range) + "' cannot be range of a comprehension (must be list, map, or dynamic)");
            return types::error();
        }
    }

    void assert_type(const Expr& e, const TypePtr& type) {
        if (!unifier_.assignable(type, e.type)) mismatch(e, *type, *e.type);
    }

    const Environment& environment_;
    Issues& issues_;
    Unifier unifier_;
    std::vector<std::pair<std::string, TypePtr>> scopes_; // variables of comprehensions, innermost last
    std::vector<Expr*> open_idents_; // whose types are known once all is checked
    bool too_complex_ = false;
};

} // namespace

TypePtr check(Expr& root, const Environment& environment, Issues& issues) { return Checker(environment, issues).run(root); }

} // namespace weber::cel
