// What generators of random sequences share: reproducible choices and steps.
#pragma once

#include <random>
#include <string>

#include "tests/kube/server/differential.h"

namespace weber::testing {

class RandomSteps {
protected:
    explicit RandomSteps(std::uint32_t seed) : random_(seed) {}

    // std::uniform_int_distribution differs between libraries; the remainder does not.
    std::uint32_t pick(std::uint32_t n) { return random_() % n; }
    bool chance(std::uint32_t percent) { return pick(100) < percent; }
    std::string word() { return std::string(1, static_cast<char>('a' + pick(4))); }

    static Step make(std::string method, std::string path, std::string type, const std::string& yaml) {
        return {std::move(method), std::move(path), std::move(type), "", yaml.empty() ? "" : json_of(yaml), ""};
    }

private:
    std::mt19937 random_;
};

} // namespace weber::testing
