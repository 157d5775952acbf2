// For SHA256_*: see hmac_sha256.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "gitops/decrypt/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

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
const EVP_MD* sha512() {
    static const EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA512", nullptr);
    return digest;
}

// One to take keys in turn, so that neither its memory nor the library's count of its users, which all threads share, is touched for each of them.
// A key is overwritten once it is no longer needed.
using CipherContext = Owned<EVP_CIPHER_CTX>;
constexpr unsigned char kNoKey[kKey] = {};

CipherContext make_context(const EVP_CIPHER* cipher, bool encrypts) {
    CipherContext c(EVP_CIPHER_CTX_new());
    return c && EVP_CipherInit_ex(c.get(), cipher, nullptr, nullptr, nullptr, encrypts ? 1 : 0) == 1 ? std::move(c) : nullptr;
}
bool set_key(EVP_CIPHER_CTX* c, const unsigned char* key, const unsigned char* nonce) { return EVP_CipherInit_ex(c, nullptr, nullptr, key, nonce, -1) == 1; }

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

// RFC 2104. By the library's plain functions: what they keep lies in locked memory here, while HMAC() and EVP_MD_CTX keep it in the ordinary heap (and take longer
// to find the algorithm than to run it).
SecretBytes hmac_sha256(std::string_view key, std::string_view text) {
    constexpr std::size_t kBlock = 64;
    SecretBytes state(sizeof(SHA256_CTX)), pad(kBlock), out(32);
    auto* c = reinterpret_cast<SHA256_CTX*>(state.data());
    const auto digest = [&](std::string_view head, std::string_view body) {
        SHA256_Init(c);
        SHA256_Update(c, head.data(), head.size());
        SHA256_Update(c, body.data(), body.size());
        SHA256_Final(out.data(), c);
        return out.view();
    };
    if (key.size() > kBlock) key = digest(key, "");
    std::ranges::copy(key, pad.data());
    for (unsigned char& b : pad.span()) b ^= 0x36;
    digest(pad.view(), text);
    for (unsigned char& b : pad.span()) b ^= 0x36 ^ 0x5C;
    digest(pad.view(), out.view());
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
    std::array<unsigned char, kTag> tag{};
    std::copy_n(bytes(ciphertext) + data.size(), kTag, tag.begin());
    thread_local const CipherContext c = make_context(chacha(), false);
    if (!c) return std::nullopt;
    SecretBytes out(data.size());
    unsigned char nothing = 0;
    int n = 0;
    const bool authentic = set_key(c.get(), key.data(), bytes(nonce)) && EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1 &&
                           (data.empty() || EVP_DecryptUpdate(c.get(), out.data(), &n, bytes(data), length(data)) == 1) &&
                           EVP_DecryptFinal_ex(c.get(), &nothing, &n) == 1;
    set_key(c.get(), kNoKey, nullptr);
    return authentic ? std::optional(std::move(out)) : std::nullopt;
}

// ---- AES-GCM ------------------------------------------------------------------------------------------------------

namespace {

// Knows for which length of nonces it is set up: all of a file have the same.
struct GcmContext {
    CipherContext cipher = {};
    std::size_t nonce = 0;

    bool expect(std::size_t size) {
        if (size == nonce) return true;
        nonce = EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(size), nullptr) == 1 ? size : 0;
        return nonce != 0;
    }
};
thread_local GcmContext t_spare_decrypt; // of the file before

} // namespace

struct AesGcm::State {
    SecretBytes key;
    GcmContext encrypt = {}, decrypt = {}; // made with the first value: a file is mostly for one of them

    explicit State(SecretBytes k) : key(std::move(k)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (!decrypt.cipher || t_spare_decrypt.cipher || !set_key(decrypt.cipher.get(), kNoKey, nullptr)) return;
        t_spare_decrypt = std::move(decrypt);
    }

    // Ready for nonces of `nonce` bytes; nullptr when the library fails.
    EVP_CIPHER_CTX* context(bool encrypts, std::size_t nonce) {
        GcmContext& c = encrypts ? encrypt : decrypt;
        if (!c.cipher) {
            GcmContext made = !encrypts && t_spare_decrypt.cipher ? std::move(t_spare_decrypt) : GcmContext{make_context(aes_gcm(), encrypts)};
            if (!made.cipher || !set_key(made.cipher.get(), key.data(), nullptr)) return nullptr;
            c = std::move(made);
        }
        return c.expect(nonce) ? c.cipher.get() : nullptr;
    }
};

AesGcm::AesGcm(std::unique_ptr<State> state) : state_(std::move(state)) {}
AesGcm::AesGcm(AesGcm&&) noexcept = default;
AesGcm::~AesGcm() = default;

Result<AesGcm> AesGcm::with_key(const SecretBytes& key) {
    if (key.size() != kKey) return fail(ErrorCode::invalid, "crypto/aes: invalid key size " + std::to_string(key.size()));
    return AesGcm(std::make_unique<State>(SecretBytes::copy_of(key.view())));
}

Result<AesGcm::Sealed> AesGcm::seal(std::string_view nonce, std::string_view additional, std::string_view plaintext) {
    EVP_CIPHER_CTX* c = state_->context(true, nonce.size());
    if (c == nullptr) return broken();
    Sealed out{std::string(plaintext.size(), '\0'), std::string(kTag, '\0')};
    int n = 0;
    if (EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, bytes(nonce)) != 1 ||
        EVP_EncryptUpdate(c, nullptr, &n, bytes(additional), length(additional)) != 1 ||
        EVP_EncryptUpdate(c, bytes(out.data), &n, bytes(plaintext), length(plaintext)) != 1 || EVP_EncryptFinal_ex(c, bytes(out.tag), &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTag, bytes(out.tag)) != 1)
        return broken();
    return out;
}

std::optional<std::string> AesGcm::open(std::string_view nonce, std::string_view additional, std::string_view data, std::string_view tag) {
    if (tag.size() != kTag || nonce.empty()) return std::nullopt;
    EVP_CIPHER_CTX* c = state_->context(false, nonce.size());
    if (c == nullptr) return std::nullopt;
    std::string out(data.size(), '\0');
    std::array<char, kTag> expected{};
    std::ranges::copy(tag, expected.begin());
    unsigned char nothing = 0;
    int n = 0;
    if (EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, bytes(nonce)) != 1 ||
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
