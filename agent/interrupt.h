// Ctrl-C and SIGTERM as a stop token.
#pragma once

#include <stop_token>
#include <thread>

namespace weber::agent {

// While it lives, SIGINT and SIGTERM request a stop; a second one ends the process at once (exit status 130). Make it before other threads
// start: they inherit the blocked signals, one thread of ours waits for them. One at a time.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    [[nodiscard]] bool requested() const { return source_.stop_requested(); }
    void request() { source_.request_stop(); }
    // Blocks until a signal came or `request` was called.
    void wait() const;

private:
    std::stop_source source_;
    std::jthread waiter_;
};

} // namespace weber::agent
