#include "kube/server/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "kube/base/digest.h"
#include "kube/base/json.h"

namespace weber::kube::server {
namespace {

constexpr std::size_t kMaxToken = 16u << 10;

std::string base64_url(std::string_view bytes) {
    std::string s = base64_encode(bytes);
    for (char& c : s) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (!s.empty() && s.back() == '=') s.pop_back();
    return s;
}

std::optional<std::string> from_base64_url(std::string_view text) {
    std::string s(text);
    for (char& c : s) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (s.size() % 4) s += '=';
    auto bytes = base64_decode(s);
    return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

std::string signature(std::string_view text, std::string_view key) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
    return {reinterpret_cast<const char*>(out), size};
}

} // namespace

std::string sign_token(const Node& claims, std::string_view key) {
    std::string text = base64_url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64_url(write_json(claims));
    return text + "." + base64_url(signature(text, key));
}

std::optional<Node> verify_token(std::string_view token, std::string_view key) {
    const auto end = token.rfind('.'), middle = token.find('.');
    if (token.size() > kMaxToken || key.empty() || middle == std::string_view::npos || middle == end) return std::nullopt;
    const auto sent = from_base64_url(token.substr(end + 1));
    const std::string right = signature(token.substr(0, end), key);
    if (!sent || sent->size() != right.size() || CRYPTO_memcmp(sent->data(), right.data(), right.size()) != 0) return std::nullopt;
    const auto body = from_base64_url(token.substr(middle + 1, end - middle - 1));
    auto claims = body ? read_json(*body) : Result<Node>(fail(ErrorCode::invalid, ""));
    if (!claims || !claims->is_map()) return std::nullopt;
    return std::move(*claims);
}

} // namespace weber::kube::server
