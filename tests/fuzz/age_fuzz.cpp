// Readers of age keys and files, and of a SOPS file as a whole (decryption included).
#include <cstdint>
#include <string_view>

#include "gitops/decrypt/age.h"
#include "gitops/decrypt/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::gitops;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const KeyRing kKeys = {.age = parse_age_identities("AGE-SECRET-KEY-1T0D2NH6XAF4C2NV500STTG69TX7W3M56M3232C6GRX5GN60STVVQYXQTMP").value()};
    (void)parse_age_identities(text);
    (void)check_age_recipient(text);
    (void)age_decrypt(text, kKeys.age);
    for (const sops::Format format : {sops::Format::yaml, sops::Format::json, sops::Format::dotenv, sops::Format::ini}) (void)sops::decrypt_file(text, format, format, kKeys);
    return 0;
}
