#include "kube/cel/validators.h"

#include <algorithm>

#include "kube/cel/string_format.h"

namespace weber::cel {

namespace {

// Equal but for the names of type variables.
bool equivalent(const Type& a, const Type& b) {
    if (&a == &b) return true;
    return a.kind == b.kind && (a.kind == TypeKind::param || a.name == b.name) &&
           std::ranges::equal(a.params, b.params, [](const TypePtr& x, const TypePtr& y) { return equivalent(*x, *y); });
}

class Validator {
public:
    Validator(const Unifier& types, Issues& issues) : types_(types), issues_(issues) {}

    void literals(const Expr& e) {
        if (e.kind == ExprKind::call && e.name == "format") return;
        if (e.target) literals(*e.target);
        for (const ExprPtr& arg : e.args) literals(*arg);
        if (e.kind == ExprKind::list) list(e);
        if (e.kind == ExprKind::map) map(e);
    }

    void formats(const Expr& e) {
        if (e.target) formats(*e.target);
        for (const ExprPtr& arg : e.args) formats(*arg);
        if (e.kind == ExprKind::call && e.name == "format" && e.target && e.target->kind == ExprKind::literal && e.target->literal.is(Kind::string) &&
            e.args.size() == 1 && e.args[0]->kind == ExprKind::list)
            format(e);
    }

private:
    [[nodiscard]] TypePtr type_of(const Expr& e, bool optional = false) const {
        const TypePtr type = types_.resolve(e.type, true);
        return optional && !type->params.empty() ? type->params[0] : type;
    }

    void mismatch(const Expr& e, const Type& expected, const Type& actual) {
        issues_.report(e.at, "expected type '" + format_type(expected) + "' but found '" + format_type(actual) + "'");
    }

    void list(const Expr& e) {
        TypePtr first;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            const TypePtr type = type_of(*e.args[i], e.optional[i]);
            if (!first) first = type;
            if (!equivalent(*first, *type)) return mismatch(*e.args[i], *first, *type);
        }
    }

    void map(const Expr& e) {
        TypePtr key, value;
        for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
            const TypePtr k = type_of(*e.args[i]);
            const TypePtr v = type_of(*e.args[i + 1], e.optional[i / 2]);
            if (!key) {
                key = k;
                value = v;
            }
            if (!equivalent(*key, *k)) mismatch(*e.args[i], *key, *k);
            if (!equivalent(*value, *v)) mismatch(*e.args[i + 1], *value, *v);
        }
    }

    void format(const Expr& e) {
        const std::vector<ExprPtr>& args = e.args[0]->args;
        const Expr* bad = &e;
        std::size_t used = 0;
        const auto problem = check_format(
            e.target->literal.as_string(), args.size(),
            [&](std::size_t i, char clause) {
                bad = unfit(*args[i], clause);
                return bad == nullptr ? std::string() : clause_problem(clause, type_of(*bad)->name);
            },
            used);
        if (problem) issues_.report(problem->bad_argument ? bad->at : e.at, problem->message);
        else if (args.size() > used)
            issues_.report(e.at, "too many arguments supplied to string.format (expected " + std::to_string(used) + ", got " + std::to_string(args.size()) + ")");
    }

    // The part of an argument that a clause does not take, or nullptr.
    [[nodiscard]] const Expr* unfit(const Expr& arg, char clause) const {
        const TypeKind kind = type_of(arg)->kind;
        const auto one_of = [&](std::initializer_list<TypeKind> kinds) { return kind == TypeKind::dyn || std::ranges::find(kinds, kind) != kinds.end(); };
        using enum TypeKind;
        switch (clause) {
        case 's':
            if (!one_of({TypeKind::list, TypeKind::map, integer, unsigned_integer, floating, boolean, string, timestamp, bytes, duration, type, null})) return &arg;
            if (arg.kind == ExprKind::list || arg.kind == ExprKind::map)
                for (const ExprPtr& part : arg.args)
                    if (const Expr* bad = unfit(*part, 's')) return bad;
            return nullptr;
        case 'b': return one_of({boolean, integer, unsigned_integer}) ? nullptr : &arg;
        case 'x':
        case 'X': return one_of({integer, unsigned_integer, string, bytes}) ? nullptr : &arg;
        case 'o': return one_of({integer, unsigned_integer}) ? nullptr : &arg;
        default: return one_of({integer, unsigned_integer, floating}) ? nullptr : &arg;
        }
    }

    const Unifier& types_;
    Issues& issues_;
};

} // namespace

void validate(const Expr& root, const Unifier& types, bool homogeneous, Issues& issues) {
    Validator validator(types, issues);
    if (homogeneous) validator.literals(root);
    validator.formats(root);
}

} // namespace weber::cel
