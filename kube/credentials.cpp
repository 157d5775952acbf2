#include "kube/credentials.h"

#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>

#include "kube/base/json.h"
#include "kube/base/trim.h"
#include "kube/pause.h"
#include "kube/process.h"

namespace weber::kube {

namespace {

class StaticCredentials final : public Credentials {
public:
    explicit StaticCredentials(Credential credential) : credential_(std::move(credential)) {}
    Result<Credential> get(std::stop_token) override { return credential_; }
    [[nodiscard]] bool renewable() const override { return false; }

private:
    const Credential credential_;
};

class TokenFile final : public Credentials {
public:
    TokenFile(std::string path, Credential with, std::chrono::milliseconds max_age) : path_(std::move(path)), with_(std::move(with)), max_age_(max_age) {}

    Result<Credential> get(std::stop_token) override {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        if (token_.empty() || now - read_at_ > max_age_) {
            auto fresh = read();
            if (!fresh && token_.empty()) return std::unexpected(std::move(fresh.error())); // else the old one may still do
            if (fresh) token_ = std::move(*fresh);
            read_at_ = now;
        }
        return Credential{.authorization = SecretText("Bearer " + token_), .certificate = with_.certificate, .key = with_.key};
    }

    bool invalidate() override {
        const std::lock_guard lock(mutex_);
        auto fresh = read();
        if (!fresh || *fresh == token_) return false;
        token_ = std::move(*fresh);
        read_at_ = std::chrono::steady_clock::now();
        return true;
    }

private:
    Result<std::string> read() const {
        std::ifstream in(path_, std::ios::binary);
        std::ostringstream text;
        if (in) text << in.rdbuf();
        if (!in) return fail(ErrorCode::unauthorized, "cannot read the token file " + path_);
        std::string token(trimmed(text.view(), " \t\r\n"));
        if (token.empty()) return fail(ErrorCode::unauthorized, "the token file " + path_ + " is empty");
        return token;
    }

    const std::string path_;
    const Credential with_;
    const std::chrono::milliseconds max_age_;
    std::mutex mutex_; // guards the rest
    std::string token_;
    std::chrono::steady_clock::time_point read_at_;
};

class ExecPlugin final : public Credentials {
public:
    ExecPlugin(ExecConfig config, const Clock& clock) : config_(std::move(config)), clock_(clock) {}

    Result<Credential> get(std::stop_token stop) override {
        if (!mutex_.lock(stop)) return fail(ErrorCode::cancelled, "cancelled"); // several callers want one run, not several
        const std::lock_guard held(mutex_, std::adopt_lock);
        if (known_ && (!expires_ || clock_.now() < *expires_)) return *known_;
        known_.reset();
        TRY(Credential fresh, run(stop));
        known_ = std::move(fresh);
        return *known_;
    }

    bool invalidate() override {
        const std::lock_guard lock(mutex_);
        const bool had = known_.has_value();
        known_.reset();
        return had;
    }

private:
    std::string exec_info() const {
        Node spec = Node::map({{"interactive", Node::boolean(false)}});
        if (config_.provide_cluster_info) {
            if (auto cluster = read_json(config_.cluster_info)) spec.set("cluster", std::move(*cluster));
        }
        return write_json(Node::map({{"kind", Node::string("ExecCredential")}, {"apiVersion", Node::string(config_.api_version)}, {"spec", spec}}));
    }

    Error plugin_error(std::string why) const {
        return Error{.code = ErrorCode::unauthorized,
                     .message = "exec plugin " + config_.command + ": " + std::move(why),
                     .hint = config_.install_hint};
    }

    Result<Credential> run(std::stop_token stop) {
        ProcessOptions process{.program = config_.command, .args = config_.args, .timeout = config_.timeout};
        for (const ExecEnv& e : config_.env) process.env.emplace_back(e.name, e.value);
        process.env.emplace_back("KUBERNETES_EXEC_INFO", exec_info());
        auto ran = run_process(process, stop);
        if (!ran) {
            if (ran.error().code == ErrorCode::cancelled) return std::unexpected(std::move(ran.error()));
            return fail(plugin_error(ran.error().code == ErrorCode::not_found ? "executable not found" : ran.error().message));
        }
        if (ran->exit_code != 0) {
            const std::string said = ran->err.substr(0, ran->err.find('\n')).substr(0, 200);
            return fail(plugin_error("failed with exit code " + std::to_string(ran->exit_code) + (said.empty() ? "" : ": " + said)));
        }
        return parse(ran->out);
    }

    Result<Credential> parse(const std::string& text) {
        const auto answer = read_json(text);
        if (!answer) return fail(plugin_error("its output is not JSON")); // not quoted: it may hold a token
        if (answer->text_at("kind") != "ExecCredential") return fail(plugin_error("its output is not an ExecCredential"));
        if (answer->text_at("apiVersion") != config_.api_version)
            return fail(plugin_error("it is configured to use API version " + config_.api_version + ", but it returned version " +
                                     std::string(answer->text_at("apiVersion"))));
        const Node* status = answer->find("status");
        if (!status) return fail(plugin_error("it did not return a status field"));
        Credential out;
        if (const auto token = status->text_at("token"); !token.empty()) out.authorization = SecretText("Bearer " + std::string(token));
        out.certificate = status->text_at("clientCertificateData");
        out.key = SecretText(std::string(status->text_at("clientKeyData")));
        if (out.authorization.empty() && out.certificate.empty()) return fail(plugin_error("it returned neither a token nor a certificate"));
        if (out.certificate.empty() != out.key.empty())
            return fail(plugin_error("it returned only a certificate or only a key, it takes both"));
        expires_.reset();
        if (const auto when = status->text_at("expirationTimestamp"); !when.empty()) {
            const auto at = parse_rfc3339(when);
            if (!at) return fail(plugin_error("its expirationTimestamp cannot be read"));
            expires_ = *at;
        }
        return out;
    }

    const ExecConfig config_;
    const Clock& clock_;
    StoppableMutex mutex_; // guards the rest, also while the plugin runs
    std::optional<Credential> known_;
    std::optional<SystemTime> expires_;
};

} // namespace

std::shared_ptr<Credentials> static_credentials(Credential credential) { return std::make_shared<StaticCredentials>(std::move(credential)); }

std::shared_ptr<Credentials> token_file_credentials(std::string path, Credential with, std::chrono::milliseconds max_age) {
    return std::make_shared<TokenFile>(std::move(path), std::move(with), max_age);
}

std::shared_ptr<Credentials> exec_credentials(ExecConfig config, const Clock& clock) {
    return std::make_shared<ExecPlugin>(std::move(config), clock);
}

} // namespace weber::kube
