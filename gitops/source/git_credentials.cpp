#include "gitops/source/git_credentials.h"

#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

// Values of a Secret's data by key; "" when absent or not base64.
class SecretData {
public:
    explicit SecretData(const Object& secret) : data_(secret.root().find("data")) {}
    [[nodiscard]] bool has(std::string_view key) const { return data_ != nullptr && data_->contains(key); }
    [[nodiscard]] std::string text(std::string_view key) const {
        if (!has(key)) return {};
        return kube::base64_decode(data_->find(key)->text()).value_or(std::string());
    }
    // The first of several names that is there.
    [[nodiscard]] std::string text(std::string_view key, std::string_view old_key) const { return has(key) ? text(key) : text(old_key); }

private:
    const Node* data_;
};

std::unexpected<Error> refuse(std::string_view transport, std::string text) {
    return fail(ErrorCode::unauthorized, "failed to configure authentication options: invalid '" + std::string(transport) + "' auth option: " + std::move(text));
}

bool has_user(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return false;
    const std::string_view authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    return authority.find('@') != std::string_view::npos;
}

Result<GitCredentials> for_http(std::string_view url, const SecretData& data) {
    const std::string_view transport = url.substr(0, url.find("://"));
    GitCredentials out;
    if (data.has("bearerToken")) {
        if (has_user(url)) return refuse(transport, "'bearerToken' cannot be used with credentials in the URL");
        out.bearer_token = kube::SecretText(data.text("bearerToken"));
    } else {
        out.username = data.text("username");
        out.password = kube::SecretText(data.text("password"));
        if (out.username.empty() && !out.password.empty()) return refuse(transport, "'password' requires 'username' to be set");
    }
    out.ca = data.text("ca.crt", "caFile");
    out.certificate = data.text("tls.crt", "certFile");
    out.key = kube::SecretText(data.text("tls.key", "keyFile"));
    if (out.certificate.empty() != out.key.empty()) return refuse(transport, "'tls.crt' and 'tls.key' need each other");
    return out;
}

// A private key in one of the three forms of OpenSSH and OpenSSL, under a passphrase.
bool is_encrypted_key(std::string_view text) {
    constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----", kMagic("openssh-key-v1\0\0\0\0\4none", 23);
    if (text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != text.npos || text.find("Proc-Type: 4,ENCRYPTED") != text.npos) return true;
    const auto begin = text.find(kBegin);
    if (begin == text.npos) return false;
    std::string head(text.substr(begin + kBegin.size(), 80));
    std::erase_if(head, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    const auto bytes = kube::base64_decode(head.substr(0, 32)); // 24 bytes: the cipher's name comes first
    return bytes && bytes->starts_with(kMagic.substr(0, 15)) && !bytes->starts_with(kMagic);
}

Result<GitCredentials> for_ssh(const SecretData& data, const std::optional<Object>& secret) {
    GitCredentials out;
    out.identity = kube::SecretText(data.text("identity"));
    out.passphrase = kube::SecretText(data.text("password"));
    out.known_hosts = data.text("known_hosts");
    out.username = data.text("username");
    if (out.identity.empty()) return refuse("ssh", "'identity' is required");
    if (out.known_hosts.empty()) return refuse("ssh", "'known_hosts' is required");
    if (out.passphrase.empty() && is_encrypted_key(out.identity.reveal()))
        return fail(ErrorCode::unauthorized, "failed to configure authentication options: SSH identity key is encrypted but no 'password' field was provided in the secret '" +
                                                 std::string(secret->ns()) + "/" + std::string(secret->name()) + "'");
    return out;
}

} // namespace

Result<GitCredentials> git_credentials(std::string_view url, const std::optional<Object>& secret) {
    static const Object none{Node::map()};
    const SecretData data(secret ? *secret : none);
    if (data.has("githubAppID"))
        return fail(ErrorCode::unsupported, "secretRef '" + std::string(secret->ns()) + "/" + std::string(secret->name()) +
                                                "' has github app data but provider is not set to github");
    if (url.starts_with("ssh://")) return for_ssh(data, secret);
    if (!secret) return GitCredentials{};
    return for_http(url, data);
}

Result<void> add_proxy(GitCredentials& credentials, const Object& secret) {
    const SecretData data(secret);
    credentials.proxy = data.text("address");
    credentials.proxy_user = data.text("username");
    credentials.proxy_password = kube::SecretText(data.text("password"));
    if (credentials.proxy.empty())
        return fail(ErrorCode::unauthorized, "failed to configure proxy options: invalid proxy secret '" + std::string(secret.ns()) + "/" +
                                                 std::string(secret.name()) + "': key 'address' is missing");
    return {};
}

} // namespace weber::gitops
