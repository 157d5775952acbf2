// The binary store of SOPS: any bytes are a plain file and come back as they were; what claims to be encrypted is read, unwrapped, decrypted and emitted without harm.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gitops/decrypt/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber;
    using gitops::sops::Format;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const gitops::KeyRing kKeys{.age = *gitops::parse_age_identities("AGE-SECRET-KEY-1T0D2NH6XAF4C2NV500STTG69TX7W3M56M3232C6GRX5GN60STVVQYXQTMP")};
    const auto plain = gitops::sops::load_plain(Format::binary, text);
    if (!plain) std::abort();
    const auto written = gitops::sops::emit_plain(Format::binary, *plain);
    if (!written || *written != text) std::abort();
    (void)gitops::sops::load_encrypted(Format::binary, text);
    (void)gitops::sops::decrypt_file(text, Format::binary, Format::binary, kKeys, {.verify_mac = false});
    (void)gitops::sops::decrypt_file(text, Format::binary, Format::yaml, kKeys);
    return 0;
}
