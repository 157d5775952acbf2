#include "agent/secrets/fleet_file.h"

#include <algorithm>
#include <filesystem>

#include "agent/post_build_flags.h"
#include "agent/write_file.h"
#include "gitops/decrypt/file.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

namespace fs = std::filesystem;
namespace sops = gitops::sops;
using kube::SecretText;

constexpr std::string_view kCluster = "{cluster}";
constexpr std::string_view kSecretFields = "^(data|stringData)$";

// Nullopt: no file. A link could lead out of the repository.
Result<std::optional<std::string>> text_of(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found) return std::nullopt;
    if (status.type() != fs::file_type::regular) return fail(ErrorCode::invalid, "is no regular file", {path, 0, 0});
    TRY(std::string text, read_file(path));
    return std::optional(std::move(text));
}

std::string rules_path(const FleetFile& file) { return (fs::path(file.full()).parent_path() / ".sops.yaml").string(); }

std::unexpected<Error> for_others(const std::string& path, const std::string& recipient) {
    return fail(Error{.code = ErrorCode::invalid,
                      .message = "is encrypted for another key than this cluster's, " + recipient,
                      .where = {path, 0, 0},
                      .hint = "restore the cluster's key Secret from your backup, or delete the file and its .sops.yaml to have both made anew"});
}

} // namespace

bool names_cluster(std::string_view path) { return path.find(kCluster) != std::string_view::npos; }

std::string path_of_file(std::string path, std::string_view cluster) {
    for (std::size_t at = path.find(kCluster); at != std::string::npos; at = path.find(kCluster, at + cluster.size())) path.replace(at, kCluster.size(), cluster);
    return path;
}

Result<SecretText> new_age_identity() {
    TRY(const gitops::AgeIdentity identity, gitops::make_age_identity());
    return SecretText(gitops::age_identity_text(identity) + "\n");
}

Result<std::string> age_recipient(const SecretText& identities) {
    TRY(const std::vector<gitops::AgeIdentity> parsed, gitops::parse_age_identities(identities.reveal()));
    if (parsed.empty()) return fail(ErrorCode::invalid, "the Secret of the key holds no age identity");
    return parsed.front().recipient;
}

Result<bool> is_encrypted_for(const FleetFile& file, const std::string& recipient) {
    TRY(const std::optional<std::string> text, text_of(file.full()));
    if (!text || text->find(sops::marker(sops::Format::yaml)) == std::string::npos) return false;
    TRY(const sops::Encrypted encrypted, sops::load_encrypted(sops::Format::yaml, *text));
    for (const sops::KeyGroup& group : encrypted.metadata.groups)
        if (std::ranges::find(group, recipient, &sops::MasterKey::name) != group.end()) return true;
    return for_others(file.full(), recipient);
}

Result<void> write_encrypted(const FleetFile& file, const SecretSpec& secret, const SecretValues& values, const std::string& recipient, const std::string& now) {
    Node data = Node::map();
    for (const auto& [key, value] : values) data.set(key, Node::string(value.reveal()));
    const Node object = Node::map({{"apiVersion", Node::string("v1")},
                                   {"kind", Node::string("Secret")},
                                   {"metadata", Node::map({{"name", Node::string(secret.name)}, {"namespace", Node::string(secret.ns)}})},
                                   {"type", Node::string(secret.type)},
                                   {"stringData", std::move(data)}});
    std::string plain = kube::write_yaml(object);
    const gitops::WipedAtEnd guard(plain);
    sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = recipient}}}, .rule = {.encrypted_regex = std::string(kSecretFields)}};
    TRY(const std::string text, sops::encrypt_file(plain, sops::Format::yaml, std::move(settings), {}, now));
    std::error_code error;
    fs::create_directories(fs::path(file.full()).parent_path(), error);
    return write_file(file.full(), text, kForEverybody);
}

Result<bool> has_sops_rules(const FleetFile& file, const std::string& recipient) {
    TRY(const std::optional<std::string> text, text_of(rules_path(file)));
    if (!text) return false;
    if (text->find(recipient) == std::string::npos) return for_others(rules_path(file), recipient);
    return true;
}

Result<void> write_sops_rules(const FleetFile& file, const std::string& recipient) {
    const std::string path = rules_path(file);
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    return write_file(path,
                      "# Who can read what is encrypted in this directory: the key of this cluster, which is in its Secret only.\n"
                      "creation_rules:\n- encrypted_regex: " + std::string(kSecretFields) + "\n  age: " + recipient + "\n",
                      kForEverybody);
}

} // namespace weber::agent
