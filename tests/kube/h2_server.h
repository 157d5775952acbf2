// A small HTTP/2 server over TLS for what only the order of frames shows: how many requests are open on one connection at once. It reads no
// header (answers do not depend on them) and answers "ok".
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weber::testing {

class H2Server {
public:
    struct Options {
        int hold_until = 1; // answers come when so many requests of one connection wait for theirs, the latest first
        int refuse = 0;     // so many first requests of all are reset with REFUSED_STREAM
        int go_away_after = 0; // a connection says GOAWAY, and takes no more, after so many answers; 0 = never
        int mute_after = 0; // the first connection stays open but answers nothing more after so many answers; 0 = never
    };
    explicit H2Server(Options options);
    ~H2Server();
    H2Server(const H2Server&) = delete;
    H2Server& operator=(const H2Server&) = delete;

    [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] const std::string& ca() const { return ca_; }
    [[nodiscard]] int connections() const { return connections_; }
    [[nodiscard]] int requests() const { return requests_; }
    [[nodiscard]] int most_open() const { return most_open_; } // on one connection

private:
    class Connection;
    struct Tls;
    void accept_loop();

    const Options options_;
    std::string ca_;
    std::unique_ptr<Tls> tls_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<int> connections_{0}, requests_{0}, most_open_{0}, refused_{0};
    std::mutex mutex_; // guards the rest
    bool ending_ = false;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace weber::testing
