#include "kube/base/digest.h"

#include <openssl/evp.h>

#include <array>

namespace weber::kube {

namespace {

std::string digest_hex(const EVP_MD* md, std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned int n = 0;
    if (EVP_Digest(data.data(), data.size(), out.data(), &n, md, nullptr) != 1) return {};
    return hex_encode({reinterpret_cast<const char*>(out.data()), n});
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

} // namespace

std::string sha256_hex(std::string_view data) { return digest_hex(EVP_sha256(), data); }
std::string sha1_hex(std::string_view data) { return digest_hex(EVP_sha1(), data); }

std::string hex_encode(std::string_view bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (unsigned char c : bytes) {
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) { return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u; };
        const unsigned v = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        out += kAlphabet[v >> 18];
        out += kAlphabet[(v >> 12) & 63];
        out += i + 1 < bytes.size() ? kAlphabet[(v >> 6) & 63] : '=';
        out += i + 2 < bytes.size() ? kAlphabet[v & 63] : '=';
    }
    return out;
}

Result<std::string> base64_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    unsigned bits = 0;
    int have = 0; // characters of the current group of four
    int padding = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n' || c == '\r') continue;
        const int v = base64_value(c);
        const bool pad = c == '=' && have >= 2;
        if ((v < 0 && !pad) || (padding > 0 && !pad) || (padding > 0 && have == 0))
            return fail(ErrorCode::invalid, "illegal base64 data at input byte " + std::to_string(i));
        if (pad) ++padding;
        bits = (bits << 6) | static_cast<unsigned>(pad ? 0 : v);
        if (++have < 4) continue;
        out += static_cast<char>(bits >> 16);
        if (padding < 2) out += static_cast<char>(bits >> 8);
        if (padding < 1) out += static_cast<char>(bits);
        bits = 0;
        have = 0;
    }
    if (have != 0) return fail(ErrorCode::invalid, "illegal base64 data at input byte " + std::to_string(text.size()));
    return out;
}

} // namespace weber::kube
