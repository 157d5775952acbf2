#include "kustomize/remote.h"

#include <algorithm>
#include <charconv>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "kube/base/ascii.h"
#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

bool drop_prefix(std::string_view& text, std::string_view prefix) {
    if (!kube::starts_with_but_case(text, prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::unexpected<Error> no_url(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

// ---- host ---------------------------------------------------------------------------------------------------------------

std::string_view take_scheme(std::string_view& text) {
    for (std::string_view scheme : {"ssh://", "https://", "http://", "file://"})
        if (drop_prefix(text, scheme)) return scheme;
    return {};
}

// "git@": a letter, then letters, digits and hyphens.
std::string_view take_username(std::string_view& text) {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at == 0 || !std::isalpha(static_cast<unsigned char>(text.front()))) return {};
    const std::string_view name = text.substr(0, at);
    if (!std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; })) return {};
    text.remove_prefix(at + 1);
    return std::string_view(name.data(), at + 1);
}

std::size_t host_end(std::string_view text, bool scp) {
    const std::size_t slash = text.find('/'), colon = text.find(':');
    const bool colon_first = colon != std::string_view::npos && colon > 0 && colon < slash;
    return scp && (slash == std::string_view::npos || colon_first) ? colon : slash;
}

// Everything up to the repository's path, as git is to see it.
Result<std::string> take_host(std::string_view& text) {
    drop_prefix(text, "git::"); // what go-getter once understood
    std::string_view scheme = take_scheme(text);
    std::string_view username = take_username(text);
    const bool github = kube::starts_with_but_case(text, "github.com/") || kube::starts_with_but_case(text, "github.com:");
    const bool scp = scheme.empty() && (!username.empty() || github);
    if (scheme.empty() && !scp) return no_url("failed to parse scheme");
    if (scheme == "file://") { // all the rest is a path
        if (!username.empty()) text = std::string_view(username.data(), username.size() + text.size());
        return std::string(scheme);
    }
    const std::size_t end = host_end(text, scp);
    std::string_view host = end == std::string_view::npos ? text : text.substr(0, end + 1);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (github) {
        const bool by_ssh = scheme == "ssh://" || !username.empty();
        scheme = by_ssh ? "" : "https://";
        if (!by_ssh) username = {};
        host = by_ssh ? "github.com:" : "github.com/";
    }
    if (host.empty()) return no_url("failed to parse host segment");
    return std::string(scheme).append(username).append(host);
}

// ---- path ---------------------------------------------------------------------------------------------------------------

struct RepoPath {
    std::string_view repository, directory;
};

// Where the repository ends: after "_git/NAME", at "//", after ".git"; else after ORG/NAME (all of a file:// path).
std::optional<RepoPath> split_path(std::string_view text, bool whole) {
    const auto at = [&](std::size_t end, std::size_t next) { return RepoPath{text.substr(0, end), end >= text.size() ? std::string_view() : text.substr(next)}; };
    const auto after_slash = [&](std::size_t from) {
        const std::size_t slash = text.find('/', from);
        return slash == std::string_view::npos ? at(text.size(), text.size()) : at(slash, slash + 1);
    };
    constexpr std::string_view kAzure = "_git/", kSuffix = ".git";
    if (const std::size_t i = text.find(kAzure); i != std::string_view::npos) return after_slash(i + kAzure.size());
    if (const std::size_t i = text.find("//"); i != std::string_view::npos) return at(i, i + 2);
    if (const std::size_t i = text.find(kSuffix); i != std::string_view::npos) return at(i + kSuffix.size(), i + kSuffix.size());
    if (whole) return at(text.size(), text.size());
    const std::size_t first = text.find('/');
    if (first == std::string_view::npos) return std::nullopt;
    return after_slash(first + 1);
}

// ---- query --------------------------------------------------------------------------------------------------------------

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int code = 0;
        const bool escape = text[i] == '%' && i + 2 < text.size() &&
                            std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr == text.data() + i + 3;
        if (escape) i += 2;
        out.push_back(escape ? static_cast<char>(code) : text[i] == '+' ? ' ' : text[i]);
    }
    return out;
}

std::string query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (percent_decoded(pair.substr(0, equals)) == name) return equals < pair.size() ? percent_decoded(pair.substr(equals + 1)) : "";
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

// "61" (seconds), or Go's "1m30s", "500ms"; nullopt for anything else, and for nothing or less.
std::optional<std::chrono::milliseconds> read_timeout(std::string_view text) {
    if (text.empty()) return std::nullopt;
    double total = 0;
    for (bool bare = true; !text.empty();) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || number < 0) return std::nullopt;
        const bool is_whole = std::all_of(text.data(), end, [](unsigned char c) { return std::isdigit(c) != 0; });
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty()) {
            if (!bare || !is_whole) return std::nullopt;
            total = number * 1000;
            break;
        }
        bare = false;
        constexpr std::pair<std::string_view, double> kUnits[] = {{"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
        const auto unit = std::ranges::find_if(kUnits, [&](const auto& u) { return text.starts_with(u.first); });
        if (unit == std::end(kUnits)) return std::nullopt;
        total += number * unit->second;
        text.remove_prefix(unit->first.size());
    }
    constexpr double kLongest = 24.0 * 3600 * 1000;
    if (total <= 0) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(total, kLongest)));
}

// Go's url.ParseQuery refuses the whole query over one broken escape or a semicolon.
bool is_query(std::string_view query) {
    for (std::size_t i = 0; i < query.size(); ++i) {
        if (query[i] == ';') return false;
        const auto hex = [&](std::size_t at) { return at < query.size() && std::isxdigit(static_cast<unsigned char>(query[at])) != 0; };
        if (query[i] == '%' && (!hex(i + 1) || !hex(i + 2))) return false;
    }
    return true;
}

void read_query(std::string_view query, RepoUrl& url) {
    if (!is_query(query)) return;
    url.ref = query_value(query, "ref");
    if (url.ref.empty()) url.ref = query_value(query, "version");
    if (const auto timeout = read_timeout(query_value(query, "timeout"))) url.timeout = *timeout;
    const std::string submodules = query_value(query, "submodules");
    for (std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
        if (submodules == no) url.submodules = false;
}

} // namespace

std::optional<std::chrono::milliseconds> timeout_of_url(std::string_view url) {
    const std::string_view whole = url.substr(0, url.find('#'));
    const std::size_t question = whole.find('?');
    return question == std::string_view::npos ? std::nullopt : read_timeout(query_value(whole.substr(question + 1), "timeout"));
}

Result<RepoUrl> parse_repo_url(std::string_view text) {
    if (is_absolute(text)) return no_url("uri looks like abs path: " + std::string(text));
    RepoUrl url;
    url.raw = text;
    const std::size_t question = std::min(text.find('?'), text.size());
    if (question < text.size()) read_query(text.substr(question + 1), url);
    text = text.substr(0, question);
    TRY(const std::string host, take_host(text));
    const auto path = split_path(text, host.starts_with("file://"));
    if (!path || path->repository.empty()) return no_url("failed to parse repo path segment");
    std::string_view directory = path->directory;
    if (directory.starts_with('/')) directory.remove_prefix(1);
    const std::string cleaned = clean_path(directory);
    if (cleaned == ".." || cleaned.starts_with("../")) return no_url("url path exits repo: " + std::string(text));
    url.clone = host + std::string(path->repository);
    url.directory = directory;
    return url;
}

std::string shown_url(std::string_view url) {
    const std::size_t question = std::min(url.find('?'), url.size());
    std::string_view rest = url.substr(0, question);
    std::string out;
    if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
        out = rest.substr(0, scheme + 3);
        rest.remove_prefix(scheme + 3);
        const std::size_t at = rest.substr(0, rest.find('/')).rfind('@');
        if (at != std::string_view::npos) {
            // Users of http are as secret as their passwords: tokens are written in their place.
            if (!out.ends_with("http://") && !out.ends_with("https://")) out.append(rest.substr(0, std::min(rest.find(':'), at))).append("@");
            rest.remove_prefix(at + 1);
        }
    }
    out += rest;
    char separator = '?';
    for (std::string_view query = url.substr(std::min(question + 1, url.size())); !query.empty();) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::string_view name = pair.substr(0, pair.find('='));
        const bool known = name == "ref" || name == "version" || name == "timeout" || name == "submodules";
        out.append(1, separator).append(known ? pair : name).append(known ? "" : "=…");
        separator = '&';
    }
    return out;
}

bool is_http_url(std::string_view path) { return path.starts_with("http://") || path.starts_with("https://"); }

} // namespace weber::kustomize
