#include "gitops/source/git_credentials.h"

#include <algorithm>
#include <cctype>

#include "gitops/source/git_url.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kMaxProxyUrl = 2048;

// Values of a Secret's data by key; "" when absent or not base64.
class SecretData {
public:
    explicit SecretData(const Object& secret) : data_(secret.root().find("data")) {}
    [[nodiscard]] bool has(std::string_view key) const { return data_ != nullptr && data_->contains(key); }
    [[nodiscard]] std::string text(std::string_view key) const {
        if (!has(key)) return {};
        return kube::base64_decode(data_->find(key)->text()).value_or(std::string());
    }

private:
    const Node* data_;
};

std::unexpected<Error> refuse(std::string_view transport, std::string text) {
    return fail(ErrorCode::unauthorized, "failed to configure authentication options: invalid '" + std::string(transport) + "' auth option: " + std::move(text));
}

std::string name_of(const Object& secret) { return "'" + std::string(secret.ns()) + "/" + std::string(secret.name()) + "'"; }

bool is_scheme(std::string_view text) {
    const auto good = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.'; };
    return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 && std::ranges::all_of(text, good);
}

Result<GitCredentials> for_http(std::string_view url, const SecretData& data) {
    const std::string_view transport = url.substr(0, url.find("://"));
    GitCredentials out;
    if (data.has("bearerToken")) {
        out.bearer_token = kube::SecretText(data.text("bearerToken"));
    } else {
        out.username = data.text("username");
        out.password = kube::SecretText(data.text("password"));
    }
    UrlUser in_url = user_of(url); // what the Secret does not say the URL may
    if (out.username.empty()) out.username = std::move(in_url.name);
    if (out.password.empty()) out.password = kube::SecretText(std::move(in_url.password));
    if (out.username.empty() && !out.password.empty()) return refuse(transport, "'password' requires 'username' to be set");
    out.ca = data.text("ca.crt");
    if (out.ca.empty()) out.ca = data.text("caFile");
    out.certificate = data.text("tls.crt");
    out.key = kube::SecretText(data.text("tls.key"));
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

Result<GitCredentials> for_ssh(std::string_view url, const SecretData& data, const std::optional<Object>& secret) {
    GitCredentials out;
    out.identity = kube::SecretText(data.text("identity"));
    out.passphrase = kube::SecretText(data.text("password"));
    out.known_hosts = data.text("known_hosts");
    if (!has_host(url)) return refuse("ssh", "'host' is required");
    if (out.identity.empty()) return refuse("ssh", "'identity' is required");
    if (out.known_hosts.empty()) return refuse("ssh", "'known_hosts' is required");
    if (out.passphrase.empty() && is_encrypted_key(out.identity.reveal()))
        return fail(ErrorCode::unauthorized, "SSH identity key is encrypted but no 'password' field was provided in the secret " + name_of(*secret));
    return out;
}

} // namespace

Result<GitCredentials> git_credentials(std::string_view url, const std::optional<Object>& secret) {
    static const Object none{Node::map()};
    const SecretData data(secret ? *secret : none);
    TRY(GitCredentials out, url.starts_with("ssh://") ? for_ssh(url, data, secret) : for_http(url, data));
    if (!data.text("githubAppID").empty())
        return fail(ErrorCode::unsupported, "secretRef " + name_of(*secret) + " has github app data but provider is not set to github");
    return out;
}

Result<void> add_proxy(GitCredentials& credentials, const Object& secret) {
    const SecretData data(secret);
    const auto refused = [&](std::string text) { return fail(ErrorCode::unauthorized, "failed to configure proxy options: secret " + name_of(secret) + ": " + std::move(text)); };
    if (!data.has("address")) return refused("key 'address' not found");
    credentials.proxy = data.text("address");
    if (credentials.proxy.empty()) return refused("proxy address is empty");
    if (credentials.proxy.size() > kMaxProxyUrl) return refused("proxy URL exceeds maximum length of " + std::to_string(kMaxProxyUrl) + " characters");
    const std::string scheme = credentials.proxy.substr(0, credentials.proxy.find(':'));
    if (scheme != "http" && scheme != "https" && scheme != "socks5")
        return refused("proxy URL must use one of the supported schemes (http, https, socks5), got '" + (is_scheme(scheme) ? scheme : "") + "'");
    credentials.proxy_user = data.text("username");
    if (!credentials.proxy_user.empty()) credentials.proxy_password = kube::SecretText(data.text("password"));
    return {};
}

} // namespace weber::gitops
