#include "gitops/source/known_hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "gitops/source/ignore.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

std::string_view next_word(std::string_view& line) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return line = {};
    line.remove_prefix(begin);
    const auto end = line.find_first_of(" \t\r");
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end);
    return word;
}

// |1|base64(salt)|base64(HMAC-SHA1(salt, name))
bool hashed_match(std::string_view pattern, std::string_view name) {
    pattern.remove_prefix(3);
    const auto bar = pattern.find('|');
    if (bar == std::string_view::npos) return false;
    const auto salt = kube::base64_decode(pattern.substr(0, bar)), want = kube::base64_decode(pattern.substr(bar + 1));
    if (!salt || !want) return false;
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()), reinterpret_cast<const unsigned char*>(name.data()), name.size(), out, &size) == nullptr)
        return false;
    return *want == std::string_view(reinterpret_cast<const char*>(out), size);
}

bool glob_name(std::string_view pattern, std::string_view name) { // brackets are no classes here
    std::string escaped;
    for (char c : pattern) {
        if (c == '[' || c == '\\') escaped += '\\';
        escaped += c;
    }
    return glob_match(escaped, name);
}

bool names_match(std::string_view patterns, std::string_view name) {
    bool match = false;
    while (!patterns.empty()) {
        const auto comma = patterns.find(',');
        std::string_view p = patterns.substr(0, comma);
        patterns.remove_prefix(comma == std::string_view::npos ? patterns.size() : comma + 1);
        const bool negated = p.starts_with('!');
        if (negated) p.remove_prefix(1);
        const bool hit = p.starts_with("|1|") ? hashed_match(p, name) : glob_name(p, name);
        if (hit && negated) return false;
        match |= hit;
    }
    return match;
}

// Calls `on_key(key, revoked)` for each line about the host.
template <class F>
void for_each_key(std::string_view known_hosts, std::string_view host, int port, const F& on_key) {
    const std::string name = port == 22 ? std::string(host) : "[" + std::string(host) + "]:" + std::to_string(port);
    while (!known_hosts.empty()) {
        const auto end = known_hosts.find('\n');
        std::string_view line = known_hosts.substr(0, end);
        known_hosts.remove_prefix(end == std::string_view::npos ? known_hosts.size() : end + 1);
        std::string_view names = next_word(line);
        if (names.empty() || names.front() == '#') continue;
        const bool revoked = names == "@revoked";
        if (names.front() == '@' && !revoked) continue; // certificate authorities
        if (revoked) names = next_word(line);
        if (!names_match(names, name)) continue;
        next_word(line); // the type, again inside the key
        if (const auto have = kube::base64_decode(next_word(line))) on_key(*have, revoked);
    }
}

} // namespace

// The type stands first in the key itself: length (4 bytes), text.
std::string_view host_key_type(std::string_view key) {
    if (key.size() < 4) return {};
    const std::size_t n = (static_cast<std::size_t>(static_cast<unsigned char>(key[2])) << 8U) | static_cast<unsigned char>(key[3]);
    return key[0] == 0 && key[1] == 0 ? key.substr(4, n) : std::string_view();
}

HostKey check_host_key(std::string_view known_hosts, std::string_view host, int port, std::string_view key) {
    bool known = false, changed = false, revoked_key = false;
    for_each_key(known_hosts, host, port, [&](std::string_view have, bool revoked) {
        if (have == key) (revoked ? revoked_key : known) = true;
        else if (!revoked && host_key_type(have) == host_key_type(key)) changed = true;
    });
    return revoked_key ? HostKey::changed : known ? HostKey::known : changed ? HostKey::changed : HostKey::unknown;
}

std::vector<std::string> host_key_types(std::string_view known_hosts, std::string_view host, int port) {
    std::vector<std::string> out;
    for_each_key(known_hosts, host, port, [&](std::string_view have, bool revoked) {
        std::string type(host_key_type(have));
        if (!revoked && !type.empty() && std::ranges::find(out, type) == out.end()) out.push_back(std::move(type));
    });
    return out;
}

} // namespace weber::gitops
