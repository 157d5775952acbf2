// Which files of a repository belong to the artifact: gitignore patterns as Flux reads them (fluxcd/pkg/sourceignore), Flux's default exclusions, .sourceignore (sources.md 0.5).
//
// Immutable after construction, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weber::gitops {

class IgnoreRules {
public:
    // The built-in lists alone.
    IgnoreRules();

    // `.sourceignore` files by directory ("" = root), root first, then subdirectories in name order; then spec.ignore scoped to the root.
    // Any pattern at all switches the default lists off, except the one of version control.
    struct SourceIgnore {
        std::string dir; // relative, without slashes at the ends
        std::string text;
    };
    static IgnoreRules make(const std::vector<SourceIgnore>& files, std::string_view spec_ignore);

    // `path` relative to the root, "/" separated. The last matching pattern decides.
    [[nodiscard]] bool ignores(std::string_view path, bool is_dir) const;

private:
    struct Pattern {
        std::vector<std::string> domain;   // directory it is scoped to
        std::vector<std::string> segments; // of the pattern; "**" stands for any depth
        bool negated = false;
        bool dir_only = false;
        bool anchored = false; // matched from its directory on, not against every component
    };
    void add(std::string_view text, std::string_view dir);
    [[nodiscard]] static bool matches(const Pattern& p, const std::vector<std::string_view>& path, bool is_dir);
    [[nodiscard]] static bool matches_any(const Pattern& p, const std::vector<std::string_view>& path, std::size_t from, bool is_dir);
    [[nodiscard]] static bool matches_anchored(const Pattern& p, const std::vector<std::string_view>& path, std::size_t from, bool is_dir);

    std::vector<Pattern> patterns_;
};

// Shell pattern within one path component as Go's filepath.Match has it: `*`, `?`, `[a-z]`, `[^a]`, backslash; a malformed one matches nothing. Linear time.
bool glob_match(std::string_view pattern, std::string_view text);

} // namespace weber::gitops
