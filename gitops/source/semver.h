// Versions and ranges of versions, for spec.ref.semver: the grammar of Masterminds/semver v3, which Flux uses.
//
// Values; pure and thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::gitops {

struct Version {
    std::uint64_t major = 0, minor = 0, patch = 0;
    std::string prerelease = {}; // "rc.1"; "" = a release
    std::string metadata = {};   // "build.5"; plays no part in comparisons

    // Three numbers, optional prerelease and metadata, optional leading "v". Error invalid: `invalid semantic version`.
    static Result<Version> parse(std::string_view text);
    // By the rules of semver.org 2.0.0, section 11.
    [[nodiscard]] std::strong_ordering compare(const Version& o) const;
};

class VersionRange {
public:
    // `>=1.0.0 <2.0.0`, `~1.2`, `^1`, `1.x`, `1.2 - 1.4`, `a || b`; blanks or commas mean "and".
    // Error invalid: `improper constraint: <text>`.
    static Result<VersionRange> parse(std::string_view text);
    // A prerelease is in the range only if the condition it meets names one (`>=1.0.0-0`).
    [[nodiscard]] bool contains(const Version& v) const;

private:
    struct Condition {
        std::string op;
        Version version;
        bool any_minor = false, any_patch = false; // 1.x, 1.2.x, or left out
        bool dirty = false;                        // not all three numbers were given
        [[nodiscard]] bool holds(const Version& v) const;
        [[nodiscard]] bool tilde(const Version& v) const;
        [[nodiscard]] bool caret(const Version& v) const;
        [[nodiscard]] bool greater(const Version& v) const;
        [[nodiscard]] bool at_most(const Version& v) const;
        [[nodiscard]] bool differs(const Version& v) const;
    };
    static bool parse_all(std::string_view text, std::vector<Condition>& out);

    std::vector<std::vector<Condition>> any_of_; // of all_of
};

} // namespace weber::gitops
