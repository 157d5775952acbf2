// Type variables and what they stand for: assignability as cel-go's checker decides it.
// Source: cel-go checker/types.go.
//
// Not thread-safe; lives for one check.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "kube/cel/type.h"

namespace weber::cel {

class Unifier {
public:
    TypePtr fresh(); // a new variable

    // True when a value of `b` may stand for `a`; variables take values then, and keep theirs when the answer is no.
    bool assignable(const TypePtr& a, const TypePtr& b);
    bool assignable(std::span<const TypePtr> a, std::span<const TypePtr> b);

    // The type with its variables replaced; free ones become dyn when asked.
    [[nodiscard]] TypePtr resolve(const TypePtr& t, bool free_to_dyn) const;

    // An overload's types with fresh variables for its own ones (A, B, …).
    std::vector<TypePtr> instantiate(std::span<const TypePtr> types);

    // The less specific of two types.
    static TypePtr most_general(const TypePtr& a, const TypePtr& b);

private:
    bool match(const TypePtr& a, const TypePtr& b);
    bool match_all(std::span<const TypePtr> a, std::span<const TypePtr> b);
    struct Substitution {
        bool valid = false;
        bool had_one = false;
    };
    Substitution substitute(const TypePtr& value, const TypePtr& variable);
    [[nodiscard]] bool not_inside(const TypePtr& t, const TypePtr& within) const;
    [[nodiscard]] const TypePtr* find(const TypePtr& t) const;
    void set(const TypePtr& variable, TypePtr value);
    void roll_back(std::size_t mark);

    std::unordered_map<std::string, TypePtr> values_;
    std::vector<std::pair<std::string, TypePtr>> trail_; // former values, to take steps back
    std::size_t count_ = 0;
};

} // namespace weber::cel
