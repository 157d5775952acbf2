#include "kube/server/http_types.h"

#include "kube/base/ascii.h"

namespace weber::kube::server {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool percent_decode(std::string_view in, bool plus_is_space, std::string& out) {
    out.reserve(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (in[i] == '%') {
            if (i + 2 >= in.size()) return false;
            const int hi = hex_value(in[i + 1]), lo = hex_value(in[i + 2]);
            if (hi < 0 || lo < 0) return false;
            out.push_back(static_cast<char>(hi * 16 + lo));
            i += 2;
        } else if (plus_is_space && in[i] == '+') {
            out.push_back(' ');
        } else {
            out.push_back(in[i]);
        }
    }
    return true;
}

} // namespace

std::string_view HttpRequest::param(std::string_view name) const {
    for (const auto& [k, v] : query)
        if (k == name) return v;
    return {};
}

std::vector<std::string> HttpRequest::params(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& [k, v] : query)
        if (k == name) out.push_back(v);
    return out;
}

bool HttpRequest::has_param(std::string_view name) const {
    for (const auto& [k, v] : query)
        if (k == name) return true;
    return false;
}

bool HttpRequest::flag(std::string_view name) const {
    if (!has_param(name)) return false;
    const std::string v = ascii_lower(param(name));
    return v != "false" && v != "0"; // apimachinery's conversion: everything but these is true, a bare key too
}

bool parse_target(std::string_view target, HttpRequest& out) {
    const auto question = target.find('?');
    if (!percent_decode(target.substr(0, question), false, out.path)) return false;
    if (question == std::string_view::npos) return true;
    std::string_view rest = target.substr(question + 1);
    while (!rest.empty()) {
        const auto amp = rest.find('&');
        const std::string_view pair = rest.substr(0, amp);
        rest = amp == std::string_view::npos ? std::string_view() : rest.substr(amp + 1);
        if (pair.empty()) continue;
        const auto eq = pair.find('=');
        std::string key, value;
        if (!percent_decode(pair.substr(0, eq), true, key)) return false;
        if (eq != std::string_view::npos && !percent_decode(pair.substr(eq + 1), true, value)) return false;
        out.query.emplace_back(std::move(key), std::move(value));
    }
    return true;
}

std::string extra_key(std::string_view encoded) {
    std::string lower = ascii_lower(encoded), out;
    return percent_decode(lower, false, out) ? out : lower;
}

} // namespace weber::kube::server
