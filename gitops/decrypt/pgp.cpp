#include "gitops/decrypt/pgp.h"

#include <fcntl.h>

#include <mutex>

#include "gitops/decrypt/rnp_library.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kMaxPlaintext = 4096; // a data key has 32 bytes, a part of one 33: nothing else is wrapped

struct Free {
    void operator()(rnp_input_t i) const { rnp().input_destroy(i); }
    void operator()(rnp_output_t o) const { rnp().output_destroy(o); }
    void operator()(rnp_key_handle_t k) const { rnp().key_handle_destroy(k); }
    void operator()(rnp_op_encrypt_t o) const { rnp().op_encrypt_destroy(o); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Free>;

std::unexpected<Error> bad(const char* what, rnp_result_t code) {
    return fail(ErrorCode::invalid, std::string(what) + ": " + rnp().result_to_string(code));
}

Owned<rnp_input_t> input_of(std::string_view bytes) {
    rnp_input_t input = nullptr;
    rnp().input_from_memory(&input, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), false);
    return Owned<rnp_input_t>(input);
}

Owned<rnp_output_t> memory_output(std::size_t limit) {
    rnp_output_t output = nullptr;
    rnp().output_to_memory(&output, limit);
    return Owned<rnp_output_t>(output);
}

// The output's buffer, borrowed.
std::string_view content(rnp_output_t output, std::uint8_t*& buffer) {
    std::size_t size = 0;
    if (rnp().output_memory_get_buf(output, &buffer, &size, false) != RNP_SUCCESS) return {};
    return {reinterpret_cast<const char*>(buffer), size};
}

} // namespace

struct PgpKeys::State {
    rnp_ffi_t ffi = nullptr;
    std::mutex mutex; // guards ffi: librnp contexts are not thread-safe
    bool empty = true;

    // With the first key.
    Result<void> begin() {
        if (ffi != nullptr) return {};
        TRY_VOID(load_rnp());
        if (rnp().ffi_create(&ffi, "GPG", "GPG") != RNP_SUCCESS) return fail(ErrorCode::internal, "librnp failed");
        rnp().ffi_set_log_fd(ffi, open("/dev/null", O_WRONLY | O_CLOEXEC)); // takes the descriptor
        return {};
    }
    ~State() {
        if (ffi != nullptr) rnp().ffi_destroy(ffi);
    }
};

PgpKeys::PgpKeys() : state_(std::make_unique<State>()) {}
PgpKeys::~PgpKeys() = default;
PgpKeys::PgpKeys(PgpKeys&&) noexcept = default;
PgpKeys& PgpKeys::operator=(PgpKeys&&) noexcept = default;

bool PgpKeys::empty() const { return state_->empty; }

Result<void> PgpKeys::import(std::string_view keys) {
    const std::lock_guard lock(state_->mutex);
    const QuietRnp quiet;
    TRY_VOID(state_->begin());
    const auto input = input_of(keys);
    char* imported = nullptr;
    rnp_result_t code = RNP_ERROR_BAD_FORMAT;
    if (input) code = rnp().import_keys(state_->ffi, input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS | RNP_LOAD_SAVE_PERMISSIVE, &imported);
    const bool any = imported != nullptr && std::string_view(imported).find("\"fingerprint\"") != std::string_view::npos;
    rnp().buffer_destroy(imported);
    if (code != RNP_SUCCESS) return bad("failed to import the PGP key", code);
    if (!any) return fail(ErrorCode::invalid, "failed to import the PGP key: there is none");
    state_->empty = false;
    return {};
}

Result<std::string> PgpKeys::encrypt(std::string_view plaintext, std::string_view fingerprint) const {
    const std::lock_guard lock(state_->mutex);
    const QuietRnp quiet;
    TRY_VOID(state_->begin());
    rnp_key_handle_t found = nullptr;
    rnp().locate_key(state_->ffi, "fingerprint", std::string(fingerprint).c_str(), &found);
    const Owned<rnp_key_handle_t> key(found);
    if (!key) return fail(ErrorCode::not_found, "no PGP key with the fingerprint " + std::string(fingerprint));
    const auto input = input_of(plaintext);
    const auto output = memory_output(0);
    rnp_op_encrypt_t created = nullptr;
    if (rnp().op_encrypt_create(&created, state_->ffi, input.get(), output.get()) != RNP_SUCCESS) return fail(ErrorCode::internal, "librnp failed");
    const Owned<rnp_op_encrypt_t> operation(created);
    if (const auto code = rnp().op_encrypt_add_recipient(created, key.get()); code != RNP_SUCCESS) return bad("the PGP key cannot encrypt", code);
    rnp().op_encrypt_set_armor(created, true);
    rnp().op_encrypt_set_cipher(created, "AES256");
    rnp().op_encrypt_set_compression(created, "Uncompressed", 0);
    if (const auto code = rnp().op_encrypt_execute(created); code != RNP_SUCCESS) return bad("could not encrypt the data key with PGP", code);
    std::uint8_t* buffer = nullptr;
    std::string message(content(output.get(), buffer));
    std::erase(message, '\r');
    return message;
}

Result<SecretBytes> PgpKeys::decrypt(std::string_view message) const {
    const std::lock_guard lock(state_->mutex);
    const QuietRnp quiet;
    if (state_->empty) return fail(ErrorCode::invalid, "could not decrypt data key with PGP key: no PGP key was given");
    const auto input = input_of(message);
    const auto output = memory_output(kMaxPlaintext);
    if (!input || !output) return fail(ErrorCode::internal, "librnp failed");
    const auto code = rnp().decrypt(state_->ffi, input.get(), output.get());
    if (code == RNP_ERROR_BAD_PASSWORD)
        return fail(ErrorCode::invalid, "could not decrypt data key with PGP key: it has a passphrase (export it without one)");
    if (code != RNP_SUCCESS) return bad("could not decrypt data key with PGP key", code);
    std::uint8_t* buffer = nullptr;
    const std::string_view plain = content(output.get(), buffer);
    SecretBytes out = SecretBytes::copy_of(plain);
    if (buffer != nullptr) wipe(buffer, plain.size());
    return out;
}

} // namespace weber::gitops
