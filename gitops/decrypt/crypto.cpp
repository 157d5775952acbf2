#include "gitops/decrypt/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

namespace weber::gitops {

namespace {

constexpr std::size_t kTag = 16, kKey = 32;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
    void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeContext>;

const unsigned char* bytes(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }
int length(std::string_view s) { return static_cast<int>(s.size()); }

std::unexpected<Error> broken() { return fail(ErrorCode::internal, "the cryptographic library failed"); }

// Fetched once: looking an algorithm up by name costs more than encrypting a value.
const EVP_CIPHER* chacha() {
    static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    return cipher;
}
const EVP_CIPHER* aes_gcm() {
    static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    return cipher;
}
const EVP_MD* sha256() {
    static const EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return digest;
}
const EVP_MD* sha512() {
    static const EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA512", nullptr);
    return digest;
}

// Private keys that OpenSSL holds lie in its locked heap.
void use_secure_heap() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (CRYPTO_secure_malloc_initialized() == 0) (void)CRYPTO_secure_malloc_init(64 * 1024, 32);
    });
}

} // namespace

Result<void> random_bytes(std::span<unsigned char> out) {
    if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) return fail(ErrorCode::internal, "no random bytes from the system");
    return {};
}

Result<std::string> random_text(std::size_t size) {
    std::string out(size, '\0');
    TRY_VOID(random_bytes({bytes(out), out.size()}));
    return out;
}

// RFC 2104. HMAC() of OpenSSL looks its algorithm up by name each time, which takes longer than the work itself.
SecretBytes hmac_sha256(std::string_view key, std::string_view text) {
    constexpr std::size_t kBlock = 64;
    struct FreeDigest {
        void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
    };
    // One for all calls of a thread. Nothing of a key stays in it: SHA-256 wipes its block at the end, and a fresh start overwrites the rest.
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigest> c(EVP_MD_CTX_new());
    SecretBytes pad(kBlock), out(32);
    const auto digest = [&](std::string_view body) {
        EVP_DigestInit_ex(c.get(), sha256(), nullptr);
        EVP_DigestUpdate(c.get(), pad.data(), kBlock);
        EVP_DigestUpdate(c.get(), body.data(), body.size());
        EVP_DigestFinal_ex(c.get(), out.data(), nullptr);
    };
    if (key.size() <= kBlock) {
        std::copy(key.begin(), key.end(), pad.data());
    } else {
        EVP_DigestInit_ex(c.get(), sha256(), nullptr);
        EVP_DigestUpdate(c.get(), key.data(), key.size());
        EVP_DigestFinal_ex(c.get(), pad.data(), nullptr);
    }
    for (unsigned char& b : pad.span()) b ^= 0x36;
    digest(text);
    for (unsigned char& b : pad.span()) b ^= 0x36 ^ 0x5C;
    digest(SecretBytes::copy_of(out.view()).view());
    EVP_DigestInit_ex(c.get(), sha256(), nullptr);
    return out;
}

SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
    const SecretBytes extracted = hmac_sha256(salt, key);
    return hmac_sha256(extracted.view(), std::string(info) + '\x01');
}

bool equal_in_constant_time(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

// The private key and operations on it that are ready to go: setting one up takes a tenth of the time of the multiplication itself.
struct X25519Key::State {
    explicit State(Owned<EVP_PKEY> k) : key(std::move(k)) {}

    Owned<EVP_PKEY_CTX> take() {
        {
            const std::lock_guard lock(mutex);
            if (!ready.empty()) {
                Owned<EVP_PKEY_CTX> c = std::move(ready.back());
                ready.pop_back();
                return c;
            }
        }
        Owned<EVP_PKEY_CTX> c(EVP_PKEY_CTX_new(key.get(), nullptr));
        return c && EVP_PKEY_derive_init(c.get()) == 1 ? std::move(c) : nullptr;
    }
    void give_back(Owned<EVP_PKEY_CTX> c) {
        const std::lock_guard lock(mutex);
        ready.push_back(std::move(c));
    }

    const Owned<EVP_PKEY> key;
    std::mutex mutex; // guards `ready`, at most one for each thread that was ever at work
    std::vector<Owned<EVP_PKEY_CTX>> ready;
};

namespace {

// This thread's public key object with `point` in it, until the next call: making one costs more than all else around the multiplication.
EVP_PKEY* public_key(std::string_view point) {
    thread_local Owned<EVP_PKEY> key;
    if (point.size() != kX25519Size) return nullptr;
    if (!key) key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes(point), point.size()));
    else if (EVP_PKEY_set1_encoded_public_key(key.get(), bytes(point), point.size()) != 1) return nullptr;
    return key.get();
}

// Through PKCS #8 (RFC 8410), whose reader puts the key into the locked heap; EVP_PKEY_new_raw_private_key leaves it in the ordinary one.
Owned<EVP_PKEY> private_key(const SecretBytes& secret) {
    constexpr std::string_view kHead("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20", 16);
    if (secret.size() != kX25519Size) return nullptr;
    SecretBytes der(kHead.size() + kX25519Size);
    std::copy(kHead.begin(), kHead.end(), der.data());
    std::copy(secret.data(), secret.data() + secret.size(), der.data() + kHead.size());
    const unsigned char* at = der.data();
    return Owned<EVP_PKEY>(d2i_PrivateKey(EVP_PKEY_X25519, nullptr, &at, static_cast<long>(der.size())));
}

} // namespace

Result<X25519Key> X25519Key::from(const SecretBytes& secret) {
    use_secure_heap();
    Owned<EVP_PKEY> key = private_key(secret);
    X25519Key out;
    out.point_.resize(kX25519Size);
    std::size_t size = out.point_.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), bytes(out.point_), &size) != 1) return broken();
    out.state_ = std::make_shared<State>(std::move(key));
    return out;
}

Result<SecretBytes> X25519Key::shared_with(std::string_view point) const {
    EVP_PKEY* theirs = public_key(point);
    Owned<EVP_PKEY_CTX> operation = state_->take();
    SecretBytes out(kX25519Size);
    std::size_t size = out.size();
    if (theirs == nullptr || !operation || EVP_PKEY_derive_set_peer_ex(operation.get(), theirs, 0) != 1 || EVP_PKEY_derive(operation.get(), out.data(), &size) != 1)
        return fail(ErrorCode::invalid, "invalid X25519 recipient: a low order point");
    state_->give_back(std::move(operation));
    return out;
}

Result<std::string> chacha20_seal(const SecretBytes& key, std::string_view nonce, std::string_view plaintext) {
    const Owned<EVP_CIPHER_CTX> c(EVP_CIPHER_CTX_new());
    std::string out(plaintext.size() + kTag, '\0');
    int n = 0;
    if (EVP_EncryptInit_ex(c.get(), chacha(), nullptr, key.data(), bytes(nonce)) != 1 ||
        EVP_EncryptUpdate(c.get(), bytes(out), &n, bytes(plaintext), length(plaintext)) != 1 || EVP_EncryptFinal_ex(c.get(), bytes(out) + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_GET_TAG, kTag, bytes(out) + plaintext.size()) != 1)
        return broken();
    return out;
}

std::optional<SecretBytes> chacha20_open(const SecretBytes& key, std::string_view nonce, std::string_view ciphertext) {
    if (ciphertext.size() < kTag) return std::nullopt;
    const std::string_view data = ciphertext.substr(0, ciphertext.size() - kTag);
    std::string tag(ciphertext.substr(data.size()));
    const Owned<EVP_CIPHER_CTX> c(EVP_CIPHER_CTX_new());
    SecretBytes out(data.size());
    unsigned char nothing = 0;
    int n = 0;
    if (EVP_DecryptInit_ex(c.get(), chacha(), nullptr, key.data(), bytes(nonce)) != 1 ||
        EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) != 1 ||
        (!data.empty() && EVP_DecryptUpdate(c.get(), out.data(), &n, bytes(data), length(data)) != 1) || EVP_DecryptFinal_ex(c.get(), &nothing, &n) != 1)
        return std::nullopt;
    return out;
}

// ---- AES-GCM ------------------------------------------------------------------------------------------------------

struct AesGcm::State {
    SecretBytes key;
    Owned<EVP_CIPHER_CTX> encrypt = {}, decrypt = {}; // made with the first value: a file is mostly for one of them

    EVP_CIPHER_CTX* context(bool encrypts) {
        Owned<EVP_CIPHER_CTX>& c = encrypts ? encrypt : decrypt;
        if (c) return c.get();
        Owned<EVP_CIPHER_CTX> made(EVP_CIPHER_CTX_new());
        if (EVP_CipherInit_ex(made.get(), aes_gcm(), nullptr, key.data(), nullptr, encrypts ? 1 : 0) != 1) return nullptr;
        c = std::move(made);
        return c.get();
    }
};

AesGcm::AesGcm(std::unique_ptr<State> state) : state_(std::move(state)) {}
AesGcm::AesGcm(AesGcm&&) noexcept = default;
AesGcm::~AesGcm() = default;

Result<AesGcm> AesGcm::with_key(const SecretBytes& key) {
    if (key.size() != kKey) return fail(ErrorCode::invalid, "crypto/aes: invalid key size " + std::to_string(key.size()));
    auto state = std::make_unique<State>();
    state->key = SecretBytes::copy_of(key.view());
    return AesGcm(std::move(state));
}

Result<AesGcm::Sealed> AesGcm::seal(std::string_view nonce, std::string_view additional, std::string_view plaintext) {
    EVP_CIPHER_CTX* c = state_->context(true);
    if (c == nullptr) return broken();
    Sealed out{std::string(plaintext.size(), '\0'), std::string(kTag, '\0')};
    int n = 0;
    if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, length(nonce), nullptr) != 1 || EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, bytes(nonce)) != 1 ||
        EVP_EncryptUpdate(c, nullptr, &n, bytes(additional), length(additional)) != 1 ||
        EVP_EncryptUpdate(c, bytes(out.data), &n, bytes(plaintext), length(plaintext)) != 1 || EVP_EncryptFinal_ex(c, bytes(out.tag), &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTag, bytes(out.tag)) != 1)
        return broken();
    return out;
}

std::optional<std::string> AesGcm::open(std::string_view nonce, std::string_view additional, std::string_view data, std::string_view tag) {
    if (tag.size() != kTag || nonce.empty()) return std::nullopt;
    EVP_CIPHER_CTX* c = state_->context(false);
    if (c == nullptr) return std::nullopt;
    std::string out(data.size(), '\0'), expected(tag);
    unsigned char nothing = 0;
    int n = 0;
    if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, length(nonce), nullptr) != 1 || EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, bytes(nonce)) != 1 ||
        EVP_DecryptUpdate(c, nullptr, &n, bytes(additional), length(additional)) != 1 ||
        (!data.empty() && EVP_DecryptUpdate(c, bytes(out), &n, bytes(data), length(data)) != 1) ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kTag, expected.data()) != 1 || EVP_DecryptFinal_ex(c, &nothing, &n) != 1) {
        wipe(out.data(), out.size());
        return std::nullopt;
    }
    return out;
}

// ---- SHA-512 ------------------------------------------------------------------------------------------------------

Sha512::Sha512() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), sha512(), nullptr); }
Sha512::~Sha512() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Sha512::add(std::string_view text) { EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), text.data(), text.size()); }

std::string Sha512::hex_upper() {
    std::array<unsigned char, 64> digest{};
    EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest.data(), nullptr);
    std::string out;
    for (const unsigned char b : digest) {
        out += "0123456789ABCDEF"[b >> 4];
        out += "0123456789ABCDEF"[b & 15];
    }
    return out;
}

} // namespace weber::gitops
