#include "agent/secrets/generate.h"

#include <array>
#include <memory>
#include <string_view>

#include <crypt.h>
#include <openssl/rand.h>

namespace weber::agent {

Result<kube::SecretText> random_text(int length) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr unsigned fair = 256 / alphabet.size() * alphabet.size(); // bytes from here on would favour some letters
    std::string out;
    while (out.size() < static_cast<std::size_t>(length)) {
        std::array<unsigned char, 64> bytes{};
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return fail(ErrorCode::internal, "no random numbers to be had");
        for (const unsigned char b : bytes)
            if (b < fair && out.size() < static_cast<std::size_t>(length)) out += alphabet[b % alphabet.size()];
    }
    return kube::SecretText(std::move(out));
}

Result<kube::SecretText> bcrypt_hash(const kube::SecretText& text, int cost) {
    const std::string& plain = text.reveal();
    if (plain.size() > 72) return fail(ErrorCode::invalid, "bcrypt hashes 72 bytes at most");
    if (plain.find('\0') != std::string::npos) return fail(ErrorCode::invalid, "bcrypt cannot hash a NUL byte");
    std::array<char, 16> random{};
    if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(random.size())) != 1)
        return fail(ErrorCode::internal, "no random numbers to be had");
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
    if (!crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), random.data(), static_cast<int>(random.size()), salt.data(), static_cast<int>(salt.size())))
        return fail(ErrorCode::internal, "libxcrypt makes no bcrypt salt of cost " + std::to_string(cost));
    const auto room = std::make_unique<crypt_data>(); // zeroed; wiped by libxcrypt
    const char* hash = crypt_rn(plain.c_str(), salt.data(), room.get(), sizeof(crypt_data));
    if (!hash || hash[0] == '*') return fail(ErrorCode::internal, "libxcrypt makes no bcrypt hash");
    return kube::SecretText(hash);
}

} // namespace weber::agent
