#include "agent/post_build_flags.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "agent/io.h"
#include "gitops/decrypt/secret_bytes.h"

namespace weber::agent {

namespace {

Result<void> add_age_keys(std::string text, const std::string& origin, gitops::KeyRing& ring) {
    const gitops::WipedAtEnd guard(text);
    auto identities = gitops::parse_age_identities(text);
    if (!identities) return fail(std::move(identities.error()).with_prefix(origin + ": "));
    for (gitops::AgeIdentity& identity : *identities) ring.age.push_back(std::move(identity));
    return {};
}

} // namespace

std::vector<Flag> key_flags() {
    return {{.name = "age-key-file", .kind = FlagKind::list, .help = "age keys to decrypt with; also SOPS_AGE_KEY and SOPS_AGE_KEY_FILE", .value = "file"},
            {.name = "pgp-key-file", .kind = FlagKind::list, .help = "OpenPGP keys, armoured, without passphrase", .value = "file"}};
}

Flag ignore_mac_flag() {
    return {.name = "sops-ignore-mac", .kind = FlagKind::boolean, .help = "decrypt files that were changed after their encryption, too, as Flux does"};
}

std::vector<Flag> post_build_flags() {
    std::vector<Flag> out = {
        {.name = "values", .help = "variables (a map) or ConfigMaps and Secrets that stand for the cluster's, for spec.postBuild and spec.decryption", .value = "file"},
        {.name = "strict-substitute", .kind = FlagKind::boolean, .help = "a variable without value and default is an error, as in the agent", .default_text = "true"}};
    for (const Flag& flag : key_flags()) out.push_back(flag);
    out.push_back(ignore_mac_flag());
    return out;
}

Result<std::string> read_file(const std::string& path) {
    const auto refused = [&](int why) { return fail(ErrorCode::not_found, "cannot read the file: " + std::generic_category().message(why), {path, 0, 0}); };
    std::ifstream in(path, std::ios::binary);
    if (!in) return refused(errno);
    if (std::error_code error; std::filesystem::is_directory(path, error)) return refused(EISDIR);
    std::ostringstream text;
    text << in.rdbuf();
    if (in.bad() || text.view().size() > 64u << 20) return fail(ErrorCode::too_large, "cannot read the file, or it is larger than 64 MiB", {path, 0, 0});
    return std::move(text).str();
}

Result<std::shared_ptr<const gitops::KeyRing>> local_keys(const Flags& flags) {
    auto ring = std::make_shared<gitops::KeyRing>();
    std::vector<std::string> age_files = flags.list("age-key-file");
    if (const auto file = environment("SOPS_AGE_KEY_FILE")) age_files.push_back(*file);
    for (const std::string& file : age_files) {
        TRY(std::string text, read_file(file));
        TRY_VOID(add_age_keys(std::move(text), file, *ring));
    }
    if (auto key = environment("SOPS_AGE_KEY")) TRY_VOID(add_age_keys(std::move(*key), "SOPS_AGE_KEY", *ring));
    for (const std::string& file : flags.list("pgp-key-file")) {
        TRY(std::string text, read_file(file));
        const gitops::WipedAtEnd guard(text);
        if (auto done = ring->pgp.import(text); !done) return fail(std::move(done.error()).with_prefix(file + ": "));
    }
    if (ring->age.empty() && ring->pgp.empty()) return std::shared_ptr<const gitops::KeyRing>();
    return std::shared_ptr<const gitops::KeyRing>(std::move(ring));
}

Result<gitops::HookSettings> hook_settings(const Flags& flags) {
    gitops::HookSettings out{.strict_substitution = flags.on("strict-substitute"), .verify_mac = !flags.on("sops-ignore-mac"), .keys_when_needed = true};
    if (const std::string file = flags.text("values"); !file.empty()) {
        TRY(const std::string text, read_file(file));
        TRY(out.values, gitops::parse_values(text, file));
    }
    TRY(out.local_keys, local_keys(flags));
    return out;
}

} // namespace weber::agent
