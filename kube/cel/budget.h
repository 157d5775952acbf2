// What one evaluation may cost, so that no expression can hang or fill the memory.
//
// Not thread-safe: one Budget belongs to one evaluation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weber::cel {

// About one unit a step of the evaluator, one unit for four bytes of text made, ten for an element of a list made.
// Three million units are about half a second and at most some ten megabytes of values.
inline constexpr std::int64_t kDefaultCostLimit = 3'000'000;

class Budget {
public:
    explicit Budget(std::int64_t units = kDefaultCostLimit) : left_(units) {}

    // False when nothing is left: the caller stops and its result does not matter.
    bool spend(std::int64_t units = 1) {
        left_ = left_ < units ? -1 : left_ - units;
        return left_ >= 0;
    }
    bool spend_text(std::size_t bytes) { return spend(1 + static_cast<std::int64_t>(bytes / 4)); }
    bool spend_elements(std::size_t count) { return spend(1 + static_cast<std::int64_t>(count) * 10); }
    [[nodiscard]] bool exhausted() const { return left_ < 0; }

private:
    std::int64_t left_;
};

} // namespace weber::cel
