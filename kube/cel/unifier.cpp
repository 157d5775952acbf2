#include "kube/cel/unifier.h"

#include <algorithm>

namespace weber::cel {

namespace {

bool is_dyn(const Type& t) { return t.kind == TypeKind::dyn || t.kind == TypeKind::any; }
bool is_param(const Type& t) { return t.kind == TypeKind::param; }

bool less_specific_or_equal(const Type& a, const Type& b) {
    if (is_dyn(a) || is_param(a)) return true;
    if (is_dyn(b) || is_param(b) || a.kind != b.kind) return false;
    if (a.kind == TypeKind::type) return true;
    if (a.kind != TypeKind::opaque && a.kind != TypeKind::list && a.kind != TypeKind::map) return same_type(a, b);
    return a.name == b.name && std::ranges::equal(a.params, b.params, [](const TypePtr& x, const TypePtr& y) { return less_specific_or_equal(*x, *y); });
}

bool takes_null(const Type& t) {
    switch (t.kind) {
    case TypeKind::opaque:
    case TypeKind::message:
    case TypeKind::any:
    case TypeKind::duration:
    case TypeKind::timestamp:
    case TypeKind::null: return true;
    default: return t.nullable;
    }
}

} // namespace

TypePtr Unifier::fresh() { return types::param("_var" + std::to_string(count_++)); }

TypePtr Unifier::most_general(const TypePtr& a, const TypePtr& b) { return less_specific_or_equal(*a, *b) ? a : b; }

const TypePtr* Unifier::find(const TypePtr& t) const {
    if (!is_param(*t)) return nullptr;
    const auto it = values_.find(t->name);
    return it == values_.end() ? nullptr : &it->second;
}

void Unifier::set(const TypePtr& variable, TypePtr value) {
    TypePtr& slot = values_[variable->name];
    trail_.emplace_back(variable->name, slot);
    slot = std::move(value);
}

void Unifier::roll_back(std::size_t mark) {
    for (; trail_.size() > mark; trail_.pop_back()) {
        auto& [name, former] = trail_.back();
        if (former) values_[name] = former;
        else values_.erase(name);
    }
}

bool Unifier::assignable(const TypePtr& a, const TypePtr& b) {
    const std::size_t mark = trail_.size();
    if (match(a, b)) return true;
    roll_back(mark);
    return false;
}

bool Unifier::assignable(std::span<const TypePtr> a, std::span<const TypePtr> b) {
    const std::size_t mark = trail_.size();
    if (match_all(a, b)) return true;
    roll_back(mark);
    return false;
}

bool Unifier::match_all(std::span<const TypePtr> a, std::span<const TypePtr> b) {
    return std::ranges::equal(a, b, [this](const TypePtr& x, const TypePtr& y) { return match(x, y); });
}

bool Unifier::match(const TypePtr& a, const TypePtr& b) {
    if (is_param(*b)) {
        const Substitution s = substitute(a, b);
        if (s.valid) return true;
        if (s.had_one) return false;
    }
    if (is_param(*a)) return substitute(b, a).valid;
    const auto lenient = [](const Type& t) { return is_dyn(t) || t.kind == TypeKind::error; };
    if (lenient(*a) || lenient(*b)) return true;
    if (a->kind == TypeKind::null) return takes_null(*b);
    if (b->kind == TypeKind::null) return takes_null(*a);
    switch (a->kind) {
    case TypeKind::type: return b->kind == TypeKind::type;
    case TypeKind::opaque:
    case TypeKind::list:
    case TypeKind::map: return a->kind == b->kind && a->name == b->name && match_all(a->params, b->params);
    default: return weber::cel::assignable(*b, *a);
    }
}

Unifier::Substitution Unifier::substitute(const TypePtr& value, const TypePtr& variable) {
    if (same_type(*value, *variable)) return {true, true};
    if (const TypePtr* found = find(variable)) {
        const TypePtr current = *found;
        if (same_type(*value, *current)) return {true, true};
        if (!match(value, current)) return {false, true};
        TypePtr wider = most_general(value, current);
        if (not_inside(variable, wider)) set(variable, std::move(wider));
        return {true, true};
    }
    if (!not_inside(variable, value)) return {false, false};
    set(variable, value);
    return {true, false};
}

bool Unifier::not_inside(const TypePtr& t, const TypePtr& within) const {
    if (same_type(*t, *within)) return false;
    if (is_param(*within)) {
        const TypePtr* found = find(within);
        return found == nullptr || not_inside(t, *found);
    }
    return std::ranges::all_of(within->params, [&](const TypePtr& p) { return not_inside(t, p); });
}

TypePtr Unifier::resolve(const TypePtr& t, bool free_to_dyn) const {
    if (const TypePtr* found = find(t)) return resolve(*found, free_to_dyn);
    if (is_param(*t)) return free_to_dyn ? types::dyn() : t;
    if (t->params.empty()) return t;
    std::vector<TypePtr> params;
    params.reserve(t->params.size());
    for (const TypePtr& p : t->params) params.push_back(resolve(p, free_to_dyn));
    switch (t->kind) {
    case TypeKind::list: return types::list(params[0]);
    case TypeKind::map: return types::map(params[0], params[1]);
    case TypeKind::type: return types::type_of(params[0]);
    default: return types::opaque(t->name, std::move(params));
    }
}

std::vector<TypePtr> Unifier::instantiate(std::span<const TypePtr> types) {
    Unifier renaming;
    const auto rename = [&](const auto& self, const TypePtr& t) -> void {
        if (is_param(*t) && renaming.find(t) == nullptr) renaming.set(t, fresh());
        for (const TypePtr& p : t->params) self(self, p);
    };
    for (const TypePtr& t : types) rename(rename, t);
    std::vector<TypePtr> out;
    for (const TypePtr& t : types) out.push_back(renaming.resolve(t, false));
    return out;
}

} // namespace weber::cel
