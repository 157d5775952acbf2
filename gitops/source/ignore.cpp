#include "gitops/source/ignore.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "kube/base/utf8.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kVersionControl = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
constexpr std::string_view kDefaults = "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n"
                                       ".github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n.drone.yml\ncloudbuild.yaml\n"
                                       "codeship-services.yml\ncodeship-steps.yml\n"
                                       "**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

constexpr std::size_t kMaxLine = 65'535; // Flux reads no further than to a longer line

template <class T>
std::vector<T> split(std::string_view path, bool keep_empty) {
    std::vector<T> out;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (keep_empty || end > begin) out.emplace_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

// One character of a class, `\` before it or not. nullopt: no class is written like that.
std::optional<std::uint32_t> read_bound(std::string_view pattern, std::size_t& at) {
    if (at >= pattern.size() || pattern[at] == '-' || pattern[at] == ']') return std::nullopt;
    if (pattern[at] == '\\' && ++at >= pattern.size()) return std::nullopt;
    const kube::CodePoint c = kube::decode_utf8(pattern, at);
    at += c.bytes;
    if (!c.valid || at >= pattern.size()) return std::nullopt; // a class has an end
    return c.value;
}

// One `[…]` class at pattern[at]; on return `at` is behind it. nullopt: it is malformed.
std::optional<bool> match_class(std::string_view pattern, std::size_t& at, std::uint32_t c) {
    const bool negated = ++at < pattern.size() && pattern[at] == '^'; // `!` is a character like others, to Go and to Flux
    if (negated) ++at;
    bool hit = false;
    for (bool first = true; first || at >= pattern.size() || pattern[at] != ']'; first = false) {
        const auto low = read_bound(pattern, at);
        if (!low) return std::nullopt;
        auto high = low;
        if (pattern[at] == '-' && !(high = read_bound(pattern, ++at))) return std::nullopt;
        hit |= *low <= c && c <= *high;
    }
    ++at;
    return hit != negated;
}

bool well_formed(std::string_view pattern) {
    for (std::size_t at = 0; at < pattern.size();) {
        if (pattern[at] == '[') {
            if (!match_class(pattern, at, 0)) return false;
        } else if (pattern[at] == '\\') {
            if ((at += 2) > pattern.size()) return false;
        } else {
            ++at;
        }
    }
    return true;
}

} // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
    if (!well_formed(pattern)) return false;
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
            continue;
        }
        std::size_t next = p, width = 1;
        bool hit = false;
        if (p < pattern.size()) {
            const kube::CodePoint c = kube::decode_utf8(text, t);
            if (pattern[p] == '[') hit = match_class(pattern, next, c.value).value_or(false), width = c.bytes;
            else if (pattern[p] == '?') hit = true, next = p + 1, width = c.bytes;
            else if (pattern[p] == '\\') hit = pattern[p + 1] == text[t], next = p + 2;
            else hit = pattern[p] == text[t], next = p + 1;
        }
        if (hit) {
            p = next;
            t += width;
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
        if (line.size() > kMaxLine) return;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with('#') || kube::without_outer_space(line).empty()) continue;
        Pattern p;
        p.domain = split<std::string>(dir, false);
        if (line.front() == '!') p.negated = true, line.remove_prefix(1);
        if (!line.ends_with("\\ ")) line = line.substr(0, line.find_last_not_of(' ') + 1); // npos + 1 is 0
        if (line.ends_with('/')) p.dir_only = true, line.remove_suffix(1);
        p.anchored = line.find('/') != std::string_view::npos;
        p.segments = split<std::string>(line, true);
        patterns_.push_back(std::move(p)); // also one that matches nothing: it replaces the default lists
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
    const std::size_t from = p.domain.size();
    return p.anchored ? matches_anchored(p, path, from, is_dir) : matches_any(p, path, from, is_dir);
}

// What lies below a matched directory is matched, too.
bool IgnoreRules::matches_any(const Pattern& p, const std::vector<std::string_view>& path, std::size_t from, bool is_dir) {
    for (std::size_t i = from; i < path.size(); ++i)
        if (glob_match(p.segments[0], path[i])) return !p.dir_only || is_dir || i + 1 < path.size();
    return false;
}

// As Flux's matcher does it, not git: a `**` takes as little as it can and is not asked again, a `**` at the end needs something before it, and a segment with `**`
// among other characters matches nothing.
bool IgnoreRules::matches_anchored(const Pattern& p, const std::vector<std::string_view>& path, std::size_t from, bool is_dir) {
    bool matched = false, any_depth = false;
    for (std::size_t i = 0; i < p.segments.size(); ++i) {
        const std::string& segment = p.segments[i];
        if (segment.empty()) {
            any_depth = false;
        } else if (segment == "**") {
            if (i + 1 == p.segments.size()) break;
            any_depth = true;
        } else {
            if (segment.find("**") != segment.npos || from == path.size()) return false;
            bool hit = glob_match(segment, path[from++]);
            while (!hit && any_depth && from < path.size()) hit = glob_match(segment, path[from++]);
            if (!hit && !any_depth) return false;
            matched = hit;
            any_depth = false;
        }
    }
    return matched && (!p.dir_only || is_dir || from < path.size());
}

bool IgnoreRules::ignores(std::string_view path, bool is_dir) const {
    const auto components = split<std::string_view>(path, false);
    for (auto p = patterns_.rbegin(); p != patterns_.rend(); ++p)
        if (matches(*p, components, is_dir)) return !p->negated;
    return false;
}

} // namespace weber::gitops
