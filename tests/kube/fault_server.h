// A small HTTP/1.1 server for what a good server cannot be made to do: late, wrong, cut and missing answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weber::testing {

struct SeenRequest {
    std::string method;
    std::string target;
    std::string head; // request line and headers
    std::string body;
};

// Bytes to write as they are, one after the other; then the connection is closed if `close`. `hold` keeps it open, silent, until the server ends.
struct RawAnswer {
    std::vector<std::string> pieces = {};
    bool close = false;
    bool hold = false;
};

RawAnswer answer(int status, const std::string& body, const std::string& extra_headers = {});

class FaultServer {
public:
    // `n` counts requests from 1. Called on connection threads.
    using Handler = std::function<RawAnswer(const SeenRequest& request, int n)>;
    explicit FaultServer(Handler handler);
    ~FaultServer();
    FaultServer(const FaultServer&) = delete;
    FaultServer& operator=(const FaultServer&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int requests() const { return count_; }
    [[nodiscard]] int connections() const { return connections_; }
    [[nodiscard]] std::vector<SeenRequest> seen() const;

private:
    void accept_loop();
    void serve(int fd);

    const Handler handler_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<int> count_{0};
    std::atomic<int> connections_{0};
    mutable std::mutex mutex_; // guards the rest
    std::condition_variable ended_;
    bool ending_ = false;
    std::vector<SeenRequest> seen_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace weber::testing
