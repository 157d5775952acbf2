#include "kube/base/digest.h"

#include <openssl/evp.h>

#include <sha256.h> // libmd

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace weber::kube {

namespace {

std::string digest_hex(const EVP_MD* md, std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned int n = 0;
    if (EVP_Digest(data.data(), data.size(), out.data(), &n, md, nullptr) != 1) return {};
    return hex_encode({reinterpret_cast<const char*>(out.data()), n});
}

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::array<std::int8_t, 256> kBase64Values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    std::int8_t next = 0;
    for (const char c : kBase64Alphabet) values[static_cast<unsigned char>(c)] = next++;
    return values;
}();

// What each of the four characters of a group adds to its three bytes, in the order in which they stand in memory; the fourth byte tells of others.
constexpr std::uint32_t kNoBase64 = std::endian::native == std::endian::little ? 0xFF000000 : 0xFF;
constexpr std::array<std::array<std::uint32_t, 256>, 4> kBase64Groups = [] {
    std::array<std::array<std::uint32_t, 256>, 4> groups{};
    for (std::size_t k = 0; k < 4; ++k)
        for (std::size_t c = 0; c < 256; ++c) {
            const std::uint32_t bits = static_cast<std::uint32_t>(kBase64Values[c]) << (18 - 6 * k); // 24 of them
            const std::array<unsigned char, 4> bytes = {static_cast<unsigned char>(bits >> 16), static_cast<unsigned char>(bits >> 8), static_cast<unsigned char>(bits), 0};
            groups[k][c] = kBase64Values[c] < 0 ? kNoBase64 : std::bit_cast<std::uint32_t>(bytes);
        }
    return groups;
}();

} // namespace

// Short texts by libmd, which is linked statically: a build that names a few ConfigMaps by their content would otherwise spend more time on loading
// libcrypto than on everything else. Long ones by OpenSSL, which uses the processor's own instructions.
std::string sha256_hex(std::string_view data) {
    constexpr std::size_t kShort = 4096;
    if (data.size() > kShort) return digest_hex(EVP_sha256(), data);
    SHA256_CTX context;
    SHA256Init(&context);
    SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    std::array<char, SHA256_DIGEST_LENGTH> digest;
    SHA256Final(reinterpret_cast<std::uint8_t*>(digest.data()), &context);
    return hex_encode({digest.data(), digest.size()});
}
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
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) { return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u; };
        const unsigned v = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        out += kBase64Alphabet[v >> 18];
        out += kBase64Alphabet[(v >> 12) & 63];
        out += i + 1 < bytes.size() ? kBase64Alphabet[(v >> 6) & 63] : '=';
        out += i + 2 < bytes.size() ? kBase64Alphabet[v & 63] : '=';
    }
    return out;
}

Result<std::string> base64_decode(std::string_view text) {
    std::string out;
    TRY_VOID(base64_decode_into(text, out));
    return out;
}

Result<void> base64_decode_into(std::string_view text, std::string& out) {
    out.resize(text.size() / 4 * 3 + 1);
    std::size_t start = 0; // whole groups without padding or line breaks, which is nearly all there ever is
    char* to = out.data();
    for (; start + 4 <= text.size(); start += 4, to += 3) {
        const auto at = [&](std::size_t k) { return kBase64Groups[k][static_cast<unsigned char>(text[start + k])]; };
        const std::uint32_t group = at(0) | at(1) | at(2) | at(3);
        if ((group & kNoBase64) != 0) break;
        std::memcpy(to, &group, sizeof group); // the fourth byte is the next group's, or room to spare
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
    unsigned bits = 0;
    int have = 0; // characters of the current group of four
    int padding = 0;
    for (std::size_t i = start; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n' || c == '\r') continue;
        const int v = kBase64Values[static_cast<unsigned char>(c)];
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
    return {};
}

} // namespace weber::kube
