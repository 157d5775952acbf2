#include "gitops/source/semver.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace weber::gitops {

namespace {

bool number(std::string_view text, std::uint64_t& out) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size();
}

// One dot-separated identifier against another.
std::strong_ordering compare_identifier(std::string_view a, std::string_view b) {
    std::uint64_t x = 0, y = 0;
    const bool na = number(a, x), nb = number(b, y);
    if (na && nb) return x <=> y;
    if (na != nb) return na ? std::strong_ordering::less : std::strong_ordering::greater;
    return a.compare(b) <=> 0;
}

std::string_view next_identifier(std::string_view& text) {
    const auto dot = text.find('.');
    const std::string_view out = text.substr(0, dot);
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    return out;
}

std::strong_ordering compare_prerelease(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return a.empty() <=> b.empty(); // a release comes after its prereleases
    while (!a.empty() && !b.empty())
        if (const auto c = compare_identifier(next_identifier(a), next_identifier(b)); c != 0) return c;
    return b.empty() <=> a.empty(); // the longer list comes after
}

bool is_any(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

} // namespace

Result<Version> Version::parse(std::string_view text) {
    static const RE2 pattern(R"(v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?)");
    std::string a, b, c;
    Version v;
    if (!RE2::FullMatch(text, pattern, &a, &b, &c, &v.prerelease, &v.metadata) || !number(a, v.major) || !number(b, v.minor) || !number(c, v.patch))
        return fail(ErrorCode::invalid, "invalid semantic version");
    return v;
}

std::strong_ordering Version::compare(const Version& o) const {
    if (const auto c = major <=> o.major; c != 0) return c;
    if (const auto c = minor <=> o.minor; c != 0) return c;
    if (const auto c = patch <=> o.patch; c != 0) return c;
    return compare_prerelease(prerelease, o.prerelease);
}

bool VersionRange::parse_all(std::string_view text, std::vector<Condition>& out) {
    static const RE2 condition(R"(\s*,?\s*(=|!=|>=|=>|<=|=<|>|<|~>|~|\^)?\s*v?([0-9]+|x|X|\*)(?:\.([0-9]+|x|X|\*))?(?:\.([0-9]+|x|X|\*))?)"
                               R"((?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\s+|,|$))");
    std::string rest(text);
    static const RE2 hyphen(R"(\s*(v?[0-9xX*][^\s,]*)\s+-\s+(v?[0-9xX*][^\s,]*)\s*)");
    RE2::GlobalReplace(&rest, hyphen, R"( >=\1 <=\2 )");
    re2::StringPiece input(rest);
    std::string op, major, minor, patch, prerelease, metadata;
    while (RE2::Consume(&input, condition, &op, &major, &minor, &patch, &prerelease, &metadata)) {
        Condition c{op == "=>" ? ">=" : op == "=<" ? "<=" : op == "~>" ? "~" : op, {}, false, false, false};
        if (is_any(major)) {
            c.dirty = true;
        } else if (!number(major, c.version.major)) {
            return false;
        } else if (minor.empty() || is_any(minor)) {
            c.any_minor = c.dirty = true;
        } else if (!number(minor, c.version.minor)) {
            return false;
        } else if (patch.empty() || is_any(patch)) {
            c.any_patch = c.dirty = true;
        } else if (!number(patch, c.version.patch)) {
            return false;
        }
        c.version.prerelease = prerelease;
        out.push_back(std::move(c));
    }
    return !out.empty() && std::string_view(input.data(), input.size()).find_first_not_of(" \t,") == std::string_view::npos;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
    VersionRange out;
    for (std::string_view rest = text;;) {
        const auto bar = rest.find("||");
        if (!parse_all(rest.substr(0, bar), out.any_of_.emplace_back()))
            return fail(ErrorCode::invalid, "improper constraint: \"" + std::string(text) + "\"");
        if (bar == std::string_view::npos) return out;
        rest.remove_prefix(bar + 2);
    }
}

bool VersionRange::Condition::tilde(const Version& v) const {
    if (v.compare(version) < 0) return false;
    if (version.major == 0 && version.minor == 0 && version.patch == 0 && !any_minor && !any_patch) return true; // *, and ~0.0.0
    return v.major == version.major && (any_minor || v.minor == version.minor);
}

bool VersionRange::Condition::caret(const Version& v) const {
    if (v.compare(version) < 0) return false;
    if (version.major > 0 || any_minor) return v.major == version.major;
    if (v.major > 0) return false;
    if (version.minor > 0 || any_patch) return v.minor == version.minor;
    return v.minor == 0 && v.patch == version.patch;
}

bool VersionRange::Condition::greater(const Version& v) const {
    if (!dirty) return v.compare(version) > 0;
    if (v.major != version.major) return v.major > version.major;
    if (any_minor) return false; // >11 does not mean 11.1
    return any_patch ? v.minor > version.minor : v.compare(version) > 0;
}

bool VersionRange::Condition::at_most(const Version& v) const {
    if (!dirty) return v.compare(version) <= 0;
    return v.major < version.major || (v.major == version.major && (any_minor || v.minor <= version.minor));
}

bool VersionRange::Condition::differs(const Version& v) const {
    if (!dirty || (!any_minor && !any_patch)) return v.compare(version) != 0;
    if (v.major != version.major || any_minor) return v.major != version.major;
    return v.minor != version.minor || compare_prerelease(v.prerelease, version.prerelease) != 0;
}

bool VersionRange::Condition::holds(const Version& v) const {
    if (op == ">") return greater(v);
    if (op == "<") return v.compare(version) < 0;
    if (op == ">=") return v.compare(version) >= 0;
    if (op == "<=") return at_most(v);
    if (op == "~") return tilde(v);
    if (op == "^") return caret(v);
    if (op == "!=") return differs(v);
    return dirty ? tilde(v) : v.compare(version) == 0;
}

bool VersionRange::contains(const Version& v) const {
    for (const auto& all_of : any_of_) {
        // Prereleases are looked at when one of the conditions names one: `>=1.0.0-0 <2.0.0`.
        const bool named = std::ranges::any_of(all_of, [](const Condition& c) { return !c.version.prerelease.empty(); });
        bool all = v.prerelease.empty() || named;
        for (const Condition& c : all_of) all = all && c.holds(v);
        if (all) return true;
    }
    return false;
}

} // namespace weber::gitops
