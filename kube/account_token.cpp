#include "kube/account_token.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "kube/base/json.h"
#include "kube/pause.h"

namespace weber::kube {

namespace {

class AccountCredentials final : public Credentials {
public:
    AccountCredentials(std::shared_ptr<Client> issuer, ServiceAccountRef account, std::vector<std::string> audiences, const Clock& clock)
        : issuer_(std::move(issuer)), account_(std::move(account)), audiences_(std::move(audiences)), clock_(clock) {}

    Result<Credential> get(std::stop_token stop) override {
        if (!mutex_.lock(stop)) return fail(ErrorCode::cancelled, "cancelled"); // several callers want one token, not several
        const std::lock_guard held(mutex_, std::adopt_lock);
        const SystemTime now = clock_.now();
        if (!known_ || now >= renew_at_) {
            auto fresh = request_token(*issuer_, account_, audiences_, {.stop = std::move(stop)});
            if (!fresh && !known_) return fail(Error(std::move(fresh.error())).with_prefix("failed to get access token for cluster: "));
            if (fresh) {
                renew_at_ = now + (fresh->expires - now) * 4 / 5;
                known_ = std::move(*fresh);
            } else if (now >= known_->expires) {
                return fail(Error(std::move(fresh.error())).with_prefix("failed to get access token for cluster: "));
            }
        }
        return Credential{.authorization = SecretText("Bearer " + known_->token.reveal()), .certificate = {}, .key = {}};
    }

    bool invalidate() override {
        const std::lock_guard lock(mutex_);
        // One that is refused as soon as it is made will not be better the next time.
        if (!known_ || clock_.now() - last_refused_ < std::chrono::seconds(10)) return false;
        last_refused_ = clock_.now();
        known_.reset();
        return true;
    }

private:
    const std::shared_ptr<Client> issuer_;
    const ServiceAccountRef account_;
    const std::vector<std::string> audiences_;
    const Clock& clock_;
    StoppableMutex mutex_; // guards the rest, also while the server is asked
    std::optional<AccountToken> known_;
    SystemTime renew_at_ = {}, last_refused_ = {};
};

} // namespace

Result<AccountToken> request_token(Client& issuer, const ServiceAccountRef& account, const std::vector<std::string>& audiences, const Call& call) {
    const bool plain = std::ranges::all_of(account.name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
    if (!plain || account.name.empty() || account.name.front() == '.') // it becomes part of the address: no way to others' accounts
        return fail(ErrorCode::invalid, "\"" + account.name + "\" is not the name of a service account");
    Node spec = Node::map();
    if (!audiences.empty()) {
        Node list = Node::list();
        for (const std::string& a : audiences) list.push_back(Node::string(a));
        spec.set("audiences", std::move(list));
    }
    const Node body = Node::map({{"apiVersion", Node::string("authentication.k8s.io/v1")}, {"kind", Node::string("TokenRequest")}, {"spec", std::move(spec)}});
    HttpRequest request{.method = "POST", .target = "/api/v1/namespaces/" + account.ns + "/serviceaccounts/" + account.name + "/token",
                        .headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}}, .body = write_json(body), .timeout = call.timeout,
                        .idempotent = true}; // a token that nobody got is worth nothing
    const std::string who = "'" + account.ns + "/" + account.name + "': ";
    auto response = issuer.transport().send(std::move(request), call.stop);
    if (!response) return fail(Error(std::move(response.error())).with_prefix("failed to create kubernetes token for service account " + who));
    if (response->status / 100 != 2) {
        const char* what = response->status == 404 ? "failed to get service account " : "failed to create kubernetes token for service account ";
        return fail(error_of_response(*response).with_prefix(what + who));
    }
    TRY(const Node answer, read_json(response->body));
    const Node* status = answer.find("status");
    if (status == nullptr || status->text_at("token").empty())
        return fail(ErrorCode::invalid, "failed to create kubernetes token for service account " + who + "the answer holds no token");
    TRY(const SystemTime expires, parse_rfc3339(status->text_at("expirationTimestamp")));
    return AccountToken{SecretText(std::string(status->text_at("token"))), expires};
}

std::shared_ptr<Credentials> account_credentials(std::shared_ptr<Client> issuer, ServiceAccountRef account, std::vector<std::string> audiences, const Clock& clock) {
    return std::make_shared<AccountCredentials>(std::move(issuer), std::move(account), std::move(audiences), clock);
}

} // namespace weber::kube
