// librnp, loaded when the first PGP key is needed. Linked, it and the C++ library below it would make up half of the start-up time of every `weber` command
// (10,000 of 17,000 symbols to look up), for something that few fleets use.
#pragma once

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include "kube/base/error.h"

namespace weber::gitops {

// What pgp.cpp calls, by the names of rnp.h.
struct RnpLibrary {
#define WEBER_RNP_FUNCTIONS(X)                                                                                                                       \
    X(ffi_create) X(ffi_destroy) X(ffi_set_log_fd) X(import_keys) X(locate_key) X(key_handle_destroy) X(input_from_memory) X(input_destroy)          \
    X(output_to_memory) X(output_memory_get_buf) X(output_destroy) X(buffer_destroy) X(decrypt) X(op_encrypt_create) X(op_encrypt_destroy)           \
    X(op_encrypt_add_recipient) X(op_encrypt_set_armor) X(op_encrypt_set_cipher) X(op_encrypt_set_compression) X(op_encrypt_execute)                 \
    X(result_to_string)
#define WEBER_RNP_MEMBER(name) decltype(&rnp_##name) name = nullptr;
    WEBER_RNP_FUNCTIONS(WEBER_RNP_MEMBER)
#undef WEBER_RNP_MEMBER
};

// Loads it once. Error unsupported when it is not installed. Thread-safe.
Result<const RnpLibrary*> load_rnp();
// The loaded library; load_rnp must have succeeded before.
const RnpLibrary& rnp();

// While one lives, what librnp writes to stderr on this thread is dropped: Debian's build tells of every damaged message or missing key there, next to the error
// code that we report. There is no better way: rnp_ffi_set_log_fd covers few of these notes, and the build of Debian 12 (0.16.3) is one for debugging, which never reads
// RNP_LOG_CONSOLE.
class QuietRnp {
public:
    QuietRnp();
    QuietRnp(const QuietRnp&) = delete;
    ~QuietRnp();
};

} // namespace weber::gitops
