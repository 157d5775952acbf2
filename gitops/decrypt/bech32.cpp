#include "gitops/decrypt/bech32.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kube/base/ascii.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksum = 6;

class Checksum {
public:
    void add(std::uint32_t value) {
        constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
        const std::uint32_t top = state_ >> 25;
        state_ = ((state_ & 0x1ffffff) << 5) ^ value;
        for (std::uint32_t i = 0; i < 5; ++i)
            if ((top >> i) & 1) state_ ^= kGenerator[i];
    }
    void add_prefix(std::string_view prefix) {
        for (const char c : prefix) add(static_cast<std::uint8_t>(c) >> 5);
        add(0);
        for (const char c : prefix) add(static_cast<std::uint8_t>(c) & 31);
    }
    [[nodiscard]] std::uint32_t state() const { return state_; }

private:
    std::uint32_t state_ = 1;
};

std::unexpected<Error> bad(const char* what) { return fail(ErrorCode::invalid, what); }

// Groups of five bits to bytes; the rest of the last group must be zero.
Result<SecretBytes> to_bytes(const SecretBytes& groups, std::size_t count) {
    SecretBytes out(count * 5 / 8);
    std::uint32_t bits = 0, value = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
        value = ((value << 5) | groups.data()[i]) & 0xFFF;
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        out.data()[at++] = static_cast<unsigned char>(value >> bits);
    }
    if (bits >= 5 || (value & ((1u << bits) - 1)) != 0) return bad("non-zero padding");
    return out;
}

} // namespace

Result<Bech32> decode_bech32(std::string_view text) {
    const bool has_lower = std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
    const bool has_upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (has_lower && has_upper) return bad("mixed case");
    const std::size_t separator = text.rfind('1');
    if (separator == std::string_view::npos || separator == 0 || separator + 1 + kChecksum > text.size()) return bad("separator '1' at invalid position");
    Bech32 out;
    for (const char c : text.substr(0, separator)) {
        if (c < 33 || c > 126) return bad("invalid character in the human-readable part");
        out.prefix += kube::ascii_lower(c);
    }
    const std::string_view body = text.substr(separator + 1);
    SecretBytes groups(body.size());
    Checksum checksum;
    checksum.add_prefix(out.prefix);
    for (std::size_t i = 0; i < body.size(); ++i) {
        const std::size_t value = kAlphabet.find(kube::ascii_lower(body[i]));
        if (value == std::string_view::npos) return bad("invalid character in the data part");
        groups.data()[i] = static_cast<unsigned char>(value);
        checksum.add(static_cast<std::uint32_t>(value));
    }
    if (checksum.state() != 1) return bad("invalid checksum");
    TRY(out.data, to_bytes(groups, body.size() - kChecksum));
    return out;
}

std::string encode_bech32(std::string_view prefix, std::string_view data, bool upper) {
    std::string out(prefix);
    out += '1';
    Checksum checksum;
    checksum.add_prefix(prefix);
    std::uint32_t bits = 0, value = 0;
    const auto emit = [&](std::uint32_t group) {
        checksum.add(group);
        out += kAlphabet[group];
    };
    for (const char c : data) {
        value = ((value << 8) | static_cast<std::uint8_t>(c)) & 0xFFF;
        bits += 8;
        while (bits >= 5) emit((value >> (bits -= 5)) & 31);
    }
    if (bits > 0) emit((value << (5 - bits)) & 31);
    for (std::size_t i = 0; i < kChecksum; ++i) checksum.add(0);
    const std::uint32_t sum = checksum.state() ^ 1;
    for (std::size_t i = 0; i < kChecksum; ++i) out += kAlphabet[(sum >> (5 * (5 - i))) & 31];
    if (upper) std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

} // namespace weber::gitops
