// Programs that run beside a test.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

namespace weber::testing {

// A program that runs until the object goes or stop() is called; it dies with the test.
class Background {
public:
    Background() = default;
    ~Background() { stop(); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    // Standard output and error go to `log`. `environment` is all that it gets beside PATH.
    void start(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment, const std::string& log);
    void stop(int signal = SIGTERM); // sends it, then waits for the end
    [[nodiscard]] bool running() const { return pid_ > 0; }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
    int input_ = -1; // its standard input, open as long as it shall run
};

// Waits until the file has a line that begins with `prefix` and returns what follows; "" when there is none after a minute.
std::string await_line(const std::string& file, const std::string& prefix);

// git_servers.py for the life of a test: nginx with TLS and sshd before real git.
class GitServers {
public:
    // Serves the repositories below `root`; what the servers need lies in `folder`. Returns why the test must be skipped, or "".
    std::string start(const std::string& root, const std::string& folder);
    [[nodiscard]] std::string https(const std::string& repository) const; // "/NAME.git" below the root
    [[nodiscard]] std::string ssh(const std::string& repository) const;
    [[nodiscard]] std::string file(const std::string& name) const; // the text of ca.crt, client_key and so on
    // A line of known_hosts for the key of that type (ed25519, ecdsa, rsa).
    [[nodiscard]] std::string known_host(const std::string& type) const;

    static constexpr const char* kUser = "git-user";
    static constexpr const char* kPassword = "planted-password";
    static constexpr const char* kPassphrase = "planted-passphrase";

private:
    Background process_;
    std::string root_, folder_, https_port_, ssh_port_;
};

} // namespace weber::testing
