// The few primitives of age and SOPS, over OpenSSL 3. What a primitive refuses is an error without any of its inputs.
//
// Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gitops/decrypt/secret_bytes.h"
#include "kube/base/error.h"

namespace weber::gitops {

// Fills with random bytes for keys and nonces.
Result<void> random_bytes(std::span<unsigned char> out);
Result<std::string> random_text(std::size_t size);

// HMAC-SHA256.
SecretBytes hmac_sha256(std::string_view key, std::string_view text);
// HKDF-SHA256, 32 bytes.
SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);
bool equal_in_constant_time(std::string_view a, std::string_view b);

inline constexpr std::size_t kX25519Size = 32;
// A private key, ready for use: the library's form of it is made once. Its memory is OpenSSL's secure heap. Immutable and thread-safe.
class X25519Key {
public:
    static Result<X25519Key> from(const SecretBytes& secret);
    [[nodiscard]] const std::string& point() const { return point_; } // the public key, 32 bytes
    // Error invalid: a point of low order.
    [[nodiscard]] Result<SecretBytes> shared_with(std::string_view point) const;

private:
    struct State;
    std::shared_ptr<State> state_;
    std::string point_;
};

// ChaCha20-Poly1305 with a 12-byte nonce; the tag (16 bytes) stands at the end of the ciphertext.
Result<std::string> chacha20_seal(const SecretBytes& key, std::string_view nonce, std::string_view plaintext);
// nullopt: not authentic.
std::optional<SecretBytes> chacha20_open(const SecretBytes& key, std::string_view nonce, std::string_view ciphertext);

// AES-256-GCM with nonces of any length: many values under one key. One object belongs to one thread.
class AesGcm {
public:
    // `key`: 32 bytes, else an error (worded as Go does: `crypto/aes: invalid key size 3`).
    static Result<AesGcm> with_key(const SecretBytes& key);
    AesGcm(AesGcm&&) noexcept;
    ~AesGcm();

    struct Sealed {
        std::string data, tag;
    };
    Result<Sealed> seal(std::string_view nonce, std::string_view additional, std::string_view plaintext);
    // nullopt: not authentic.
    std::optional<std::string> open(std::string_view nonce, std::string_view additional, std::string_view data, std::string_view tag);

private:
    struct State;
    explicit AesGcm(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// SHA-512 of pieces.
class Sha512 {
public:
    Sha512();
    ~Sha512();
    Sha512(const Sha512&) = delete;
    Sha512& operator=(const Sha512&) = delete;
    void add(std::string_view text);
    std::string hex_upper(); // once

private:
    void* context_;
};

} // namespace weber::gitops
