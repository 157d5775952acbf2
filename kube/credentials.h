// What a request carries to say who sends it.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/error.h"

namespace weber::kube {

// A value that must not be printed: it has no formatter and no comparison; `reveal` is called where it goes on the wire.
class SecretText {
public:
    SecretText() = default;
    explicit SecretText(std::string value) : value_(std::move(value)) {}
    [[nodiscard]] const std::string& reveal() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }

private:
    std::string value_;
};

struct Credential {
    SecretText authorization; // value of the Authorization header, "" = none
    std::string certificate;  // client certificate, PEM, "" = none
    SecretText key;           // its key, PEM
};

// Implementations are thread-safe.
class Credentials {
public:
    virtual ~Credentials() = default;
    // The credential to use now; may block (reads a file, runs a plugin). Errors: unauthorized, cancelled.
    virtual Result<Credential> get(std::stop_token stop) = 0;
    // Can `invalidate` ever be true? Callers keep their requests for another try if so.
    [[nodiscard]] virtual bool renewable() const { return true; }
    // The server answered 401 to the last one. True when another `get` may give a better one.
    virtual bool invalidate() { return false; }
};

// Always the same one.
std::shared_ptr<Credentials> static_credentials(Credential credential);

// A bearer token in a file that somebody rotates: read again when it is a minute old, or after a 401
// (client-go: transport.NewCachedFileTokenSource). `with` adds a client certificate.
std::shared_ptr<Credentials> token_file_credentials(std::string path, Credential with = {}, std::chrono::milliseconds max_age = std::chrono::minutes(1));

struct ExecEnv {
    std::string name;
    std::string value;
};

// An exec plugin of a kubeconfig (client.authentication.k8s.io v1 and v1beta1).
struct ExecConfig {
    std::string api_version;
    std::string command; // absolute, or looked up in PATH
    std::vector<std::string> args = {};
    std::vector<ExecEnv> env = {}; // added to our own environment
    std::string install_hint = {};
    bool provide_cluster_info = false;
    std::string cluster_info = {};  // JSON of the ExecCredential's spec.cluster, when asked for
    std::chrono::milliseconds timeout{60'000};
};

// Runs the plugin when needed and keeps its answer until it expires or a 401 came. Never interactive: stdin is closed.
// Errors: unauthorized, with the command's name, exit status and the first line of its stderr.
std::shared_ptr<Credentials> exec_credentials(ExecConfig config, const Clock& clock = system_clock());

} // namespace weber::kube
