#include "gitops/decrypt/age.h"

#include <cstring>

#include "gitops/decrypt/age_file.h"
#include "gitops/decrypt/bech32.h"
#include "gitops/decrypt/crypto.h"
#include "kube/base/trim.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kX25519Label = "age-encryption.org/v1/X25519";
constexpr std::size_t kFileKey = 16, kTag = 16, kNonce = 16;
constexpr std::size_t kChunk = 64 * 1024;
const std::string kZeroNonce(12, '\0');

Result<AgeIdentity> parse_identity(std::string_view line) {
    if (line.starts_with("AGE-SECRET-KEY-PQ-1")) return fail(ErrorCode::unsupported, "post-quantum age keys (AGE-SECRET-KEY-PQ-1) are not supported");
    if (line.starts_with("AGE-PLUGIN-")) return fail(ErrorCode::unsupported, "age plugins are not supported");
    if (!line.starts_with("AGE-SECRET-KEY-1")) return fail(ErrorCode::invalid, "unknown identity type");
    auto decoded = decode_bech32(line);
    if (!decoded) return fail(std::move(decoded.error()).with_prefix("malformed secret key: "));
    if (decoded->prefix != "age-secret-key-" || decoded->data.size() != kX25519Size) return fail(ErrorCode::invalid, "malformed secret key: unknown type or length");
    AgeIdentity identity;
    identity.secret = std::move(decoded->data);
    TRY(identity.key, X25519Key::from(identity.secret));
    identity.recipient = encode_bech32("age", identity.key.point());
    return identity;
}

Result<std::string> recipient_point(std::string_view text) {
    const std::string_view recipient = kube::trimmed(text, " \t\r\n");
    if (!recipient.starts_with("age1"))
        return fail(ErrorCode::invalid, "failed to parse input, unknown recipient type: \"" + std::string(recipient) + "\"");
    auto decoded = decode_bech32(recipient);
    if (decoded && decoded->prefix == "age" && decoded->data.size() == kX25519Size) return std::string(decoded->data.view());
    return fail(ErrorCode::invalid, "failed to parse input as Bech32-encoded age public key: malformed recipient \"" + std::string(recipient) + "\"" +
                                        (decoded ? "" : ": " + decoded.error().message));
}

Result<SecretBytes> wrap_key(const SecretBytes& shared, std::string_view share, std::string_view recipient) {
    return hkdf_sha256(shared.view(), std::string(share).append(recipient), kX25519Label);
}

// The file key out of a stanza for this identity; nothing when it is for somebody else. Error: a malformed stanza.
Result<SecretBytes> unwrap(const AgeStanza& stanza, const AgeIdentity& identity) {
    if (stanza.type != "X25519") return SecretBytes();
    if (stanza.arguments.size() != 1) return fail(ErrorCode::invalid, "invalid X25519 recipient block");
    auto share = decode_raw_base64(stanza.arguments[0]);
    if (!share || share->size() != kX25519Size) return fail(ErrorCode::invalid, "invalid X25519 recipient block");
    if (stanza.body.size() != kFileKey + kTag) return fail(ErrorCode::invalid, "invalid X25519 recipient block");
    TRY(const SecretBytes shared, identity.key.shared_with(*share));
    TRY(const SecretBytes key, wrap_key(shared, *share, identity.key.point()));
    auto file_key = chacha20_open(key, kZeroNonce, stanza.body);
    return file_key ? std::move(*file_key) : SecretBytes();
}

// "counter, last": 11 bytes big-endian and one.
std::string chunk_nonce(std::uint64_t counter, bool last) {
    std::string nonce(12, '\0');
    for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<char>(counter >> (8 * i));
    nonce[11] = last ? 1 : 0;
    return nonce;
}

Result<SecretBytes> open_payload(const SecretBytes& file_key, std::string_view payload) {
    if (payload.size() < kNonce) return fail(ErrorCode::invalid, "failed to read nonce: unexpected EOF");
    const SecretBytes key = hkdf_sha256(file_key.view(), payload.substr(0, kNonce), "payload");
    std::string_view rest = payload.substr(kNonce);
    SecretBytes out(rest.size());
    std::size_t size = 0;
    for (std::uint64_t counter = 0;; ++counter) {
        const std::string_view chunk = rest.substr(0, kChunk + kTag);
        rest.remove_prefix(chunk.size());
        const auto plain = chacha20_open(key, chunk_nonce(counter, rest.empty()), chunk);
        if (!plain || (plain->empty() && counter > 0)) return fail(ErrorCode::invalid, "failed to decrypt and authenticate payload chunk");
        if (!plain->empty()) std::memcpy(out.data() + size, plain->data(), plain->size());
        size += plain->size();
        if (rest.empty()) break;
    }
    return SecretBytes::copy_of(out.view().substr(0, size));
}

} // namespace

Result<AgeIdentity> make_age_identity() {
    AgeIdentity identity;
    identity.secret = SecretBytes(kX25519Size);
    TRY_VOID(random_bytes(identity.secret.span()));
    TRY(identity.key, X25519Key::from(identity.secret));
    identity.recipient = encode_bech32("age", identity.key.point());
    return identity;
}

std::string age_identity_text(const AgeIdentity& identity) { return encode_bech32("age-secret-key-", identity.secret.view(), true); }

Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view text) {
    std::vector<AgeIdentity> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        TRY(AgeIdentity identity, parse_identity(line));
        out.push_back(std::move(identity));
    }
    return out;
}

Result<void> check_age_recipient(std::string_view recipient) {
    TRY_VOID(recipient_point(recipient));
    return {};
}

Result<std::string> age_encrypt(std::string_view plaintext, std::string_view recipient) {
    if (plaintext.size() > kChunk) return fail(ErrorCode::too_large, "more than one chunk of data for an age file");
    TRY(const std::string point, recipient_point(recipient));
    TRY(const AgeIdentity ephemeral, make_age_identity());
    SecretBytes file_key(kFileKey);
    TRY_VOID(random_bytes(file_key.span()));
    TRY(const SecretBytes shared, ephemeral.key.shared_with(point));
    TRY(const SecretBytes key, wrap_key(shared, ephemeral.key.point(), point));
    TRY(std::string wrapped, chacha20_seal(key, kZeroNonce, file_key.view()));
    std::string file = "age-encryption.org/v1\n" + stanza_text({"X25519", {encode_raw_base64(ephemeral.key.point())}, std::move(wrapped)}) + "---";
    file += " " + encode_raw_base64(hmac_sha256(hkdf_sha256(file_key.view(), "", "header").view(), file).view()) + "\n";
    TRY(const std::string nonce, random_text(kNonce));
    TRY(const std::string payload, chacha20_seal(hkdf_sha256(file_key.view(), nonce, "payload"), chunk_nonce(0, true), plaintext));
    return add_armor(file + nonce + payload);
}

Result<SecretBytes> age_decrypt(std::string_view text, const std::vector<AgeIdentity>& identities) {
    TRY(const std::string file, remove_armor(text));
    TRY(const AgeHeader header, parse_age_header(file));
    for (const AgeStanza& stanza : header.stanzas)
        if (stanza.type == "scrypt" && header.stanzas.size() != 1) return fail(ErrorCode::invalid, "an scrypt recipient must be the only one");
    for (const AgeIdentity& identity : identities) {
        for (const AgeStanza& stanza : header.stanzas) {
            TRY(const SecretBytes file_key, unwrap(stanza, identity));
            if (file_key.empty()) continue;
            const SecretBytes mac = hmac_sha256(hkdf_sha256(file_key.view(), "", "header").view(), header.signed_text);
            if (!equal_in_constant_time(mac.view(), header.mac)) return fail(ErrorCode::invalid, "bad header MAC");
            return open_payload(file_key, header.payload);
        }
    }
    return fail(ErrorCode::invalid, identities.size() == 1 ? "identity did not match any of the recipients: incorrect identity for recipient block" // age 1.3
                                                          : "no identity matched any of the recipients");
}

} // namespace weber::gitops
