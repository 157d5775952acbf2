#include "gitops/decrypt/shamir.h"

#include "gitops/decrypt/crypto.h"

namespace weber::gitops::sops {

namespace {

using Byte = unsigned char;

// Modulo x^8 + x^4 + x^3 + x + 1, without branches on secrets.
Byte multiply(Byte a, Byte b) {
    unsigned r = 0, factor = a;
    for (unsigned i = 0; i < 8; ++i) {
        r ^= factor & (0u - ((b >> i) & 1u));
        factor = (factor << 1) ^ (0x11Bu & (0u - ((factor >> 7) & 1u)));
    }
    return static_cast<Byte>(r);
}

Byte inverse(Byte a) { // a^254
    Byte r = 1;
    for (int i = 0; i < 254; ++i) r = multiply(r, a);
    return r;
}

} // namespace

Result<SecretBytes> combine_shares(const std::vector<SecretBytes>& shares) {
    const auto bad = [](const char* what) { return fail(ErrorCode::invalid, what); };
    if (shares.size() < 2) return bad("less than two parts cannot be used to reconstruct the secret");
    const std::size_t size = shares[0].size();
    if (size < 2) return bad("parts must be at least two bytes");
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (shares[i].size() != size) return bad("all parts must be the same length");
        for (std::size_t j = 0; j < i; ++j)
            if (shares[i].data()[size - 1] == shares[j].data()[size - 1]) return bad("duplicate part detected");
    }
    SecretBytes out(size - 1);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const Byte x = shares[i].data()[size - 1];
        Byte basis = 1;
        for (std::size_t j = 0; j < shares.size(); ++j) {
            if (j == i) continue;
            const Byte other = shares[j].data()[size - 1];
            basis = multiply(basis, multiply(other, inverse(static_cast<Byte>(x ^ other))));
        }
        for (std::size_t k = 0; k + 1 < size; ++k) out.data()[k] = static_cast<Byte>(out.data()[k] ^ multiply(shares[i].data()[k], basis));
    }
    return out;
}

Result<std::vector<SecretBytes>> split_secret(const SecretBytes& secret, std::size_t count, std::size_t threshold) {
    if (threshold < 2 || threshold > count || count > 255 || secret.empty()) return fail(ErrorCode::invalid, "a threshold of two up to the number of key groups is needed");
    std::vector<SecretBytes> shares;
    for (std::size_t i = 0; i < count; ++i) {
        SecretBytes share(secret.size() + 1);
        share.data()[secret.size()] = static_cast<Byte>(i + 1);
        shares.push_back(std::move(share));
    }
    SecretBytes coefficients(threshold - 1);
    for (std::size_t k = 0; k < secret.size(); ++k) {
        TRY_VOID(random_bytes(coefficients.span()));
        for (SecretBytes& share : shares) {
            Byte y = 0;
            for (const Byte c : coefficients.span()) y = static_cast<Byte>(multiply(y, share.data()[secret.size()]) ^ c);
            share.data()[k] = static_cast<Byte>(multiply(y, share.data()[secret.size()]) ^ secret.data()[k]);
        }
    }
    return shares;
}

} // namespace weber::gitops::sops
