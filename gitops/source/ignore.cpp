#include "gitops/source/ignore.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kVersionControl = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
constexpr std::string_view kDefaults = "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n"
                                       ".github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n.drone.yml\ncloudbuild.yaml\n"
                                       "codeship-services.yml\ncodeship-steps.yml\n"
                                       "**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

template <class T>
std::vector<T> split(std::string_view path) {
    std::vector<T> out;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) out.emplace_back(path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
    }
    return out;
}

// One `[…]` class at pattern[at]; on return `at` is behind it. False also for a class that is never closed.
bool match_class(std::string_view pattern, std::size_t& at, char c) {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '^' || pattern[i] == '!');
    if (negated) ++i;
    bool hit = false;
    for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
        if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
        const char low = pattern[i++];
        char high = low;
        if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
            high = pattern[i + 1];
            i += 2;
        }
        hit |= low <= c && c <= high;
    }
    if (i >= pattern.size()) return false;
    at = i + 1;
    return hit != negated;
}

// Pattern segments against path components; "**" takes any number of them.
bool match_segments(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path, std::size_t from) {
    std::size_t p = 0, s = from, star = std::string::npos, resume = 0;
    while (s < path.size()) {
        if (p < pattern.size() && pattern[p] == "**") {
            star = p++;
            resume = s;
        } else if (p < pattern.size() && glob_match(pattern[p], path[s])) {
            ++p, ++s;
            if (p == pattern.size()) return true; // what lies below a matched directory is matched, too
        } else if (star != std::string::npos) {
            p = star + 1;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == "**") ++p;
    return p == pattern.size();
}

} // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
            continue;
        }
        std::size_t next = p;
        bool hit = false;
        if (p < pattern.size()) {
            if (pattern[p] == '[') hit = match_class(pattern, next, text[t]);
            else if (pattern[p] == '?') hit = true, next = p + 1;
            else if (pattern[p] == '\\' && p + 1 < pattern.size()) hit = pattern[p + 1] == text[t], next = p + 2;
            else hit = pattern[p] == text[t], next = p + 1;
        }
        if (hit) {
            p = next;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

void IgnoreRules::add(std::string_view text, std::string_view dir) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
        if (line.empty() || line.front() == '#') continue;
        Pattern p;
        p.domain = split<std::string>(dir);
        if (line.front() == '!') p.negated = true, line.remove_prefix(1);
        if (line.ends_with('/')) p.dir_only = true, line.remove_suffix(1);
        p.anchored = line.find('/') != std::string_view::npos;
        p.segments = split<std::string>(line);
        if (!p.segments.empty()) patterns_.push_back(std::move(p));
    }
}

IgnoreRules::IgnoreRules() {
    add(kVersionControl, "");
    add(kDefaults, "");
}

IgnoreRules IgnoreRules::make(const std::vector<SourceIgnore>& files, std::string_view spec_ignore) {
    IgnoreRules rules;
    rules.patterns_.clear();
    rules.add(kVersionControl, "");
    const std::size_t built_in = rules.patterns_.size();
    for (const SourceIgnore& f : files) rules.add(f.text, f.dir);
    rules.add(spec_ignore, "");
    return rules.patterns_.size() > built_in ? rules : IgnoreRules();
}

bool IgnoreRules::matches(const Pattern& p, const std::vector<std::string_view>& path, bool is_dir) {
    if (path.size() <= p.domain.size()) return false;
    for (std::size_t i = 0; i < p.domain.size(); ++i)
        if (path[i] != p.domain[i]) return false;
    if (!p.anchored) {
        for (std::size_t i = p.domain.size(); i < path.size(); ++i) {
            const bool last = i + 1 == path.size();
            if (glob_match(p.segments[0], path[i]) && (!p.dir_only || !last || is_dir)) return true;
        }
        return false;
    }
    if (!match_segments(p.segments, path, p.domain.size())) return false;
    if (!p.dir_only || is_dir) return true;
    // A pattern for directories also takes the files below them.
    const std::vector<std::string_view> parent(path.begin(), path.end() - 1);
    return parent.size() > p.domain.size() && match_segments(p.segments, parent, p.domain.size());
}

bool IgnoreRules::ignores(std::string_view path, bool is_dir) const {
    const auto components = split<std::string_view>(path);
    for (auto p = patterns_.rbegin(); p != patterns_.rend(); ++p)
        if (matches(*p, components, is_dir)) return !p->negated;
    return false;
}

} // namespace weber::gitops
