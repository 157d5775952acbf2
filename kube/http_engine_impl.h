// The thread of an HttpEngine and what it owns. Internal: http_engine.cpp (queues, turns, repeats) and http_silence.cpp (connections that say nothing).
#pragma once

#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "kube/http_engine.h"
#include "kube/http_transfer.h"

namespace weber::kube {

using TransferPtr = std::shared_ptr<Transfer>;

// The requests of one caller that are not on the wire yet.
struct Lane {
    std::size_t id = 0;
    std::string server = {};
    std::size_t full_limit = 1;
    std::size_t active = 0; // on the wire or waiting for another try
    std::deque<TransferPtr> waiting = {};
    std::size_t limit = full_limit; // less after 429
    std::size_t good = 0;           // answers since `limit` changed
    std::chrono::steady_clock::time_point quiet_until = {};
    std::chrono::steady_clock::time_point first_deadline = std::chrono::steady_clock::time_point::max(); // not after any of `waiting`

    void slow_down(std::chrono::milliseconds asked) {
        const auto now = std::chrono::steady_clock::now();
        if (now < quiet_until) return; // of the requests that were under way together, one counts
        quiet_until = now + std::max(asked, std::chrono::milliseconds(100));
        limit = std::max<std::size_t>(limit / 2, 1);
        good = 0;
    }
    void speed_up() {
        if (limit == full_limit || ++good < limit) return;
        ++limit;
        good = 0;
    }
};

struct Command {
    enum class Kind : std::uint8_t { start, start_stream, cancel, resume } kind;
    std::size_t lane = 0;
    std::size_t limit = 1;
    std::vector<TransferPtr> transfers = {};
};

struct HttpEngine::Impl {
    explicit Impl(HttpEngineOptions o);
    ~Impl();
    void post(Command command);
    std::size_t next_lane();

    // ---- the thread ---------------------------------------------------------------------------------
    void loop();
    void obey(Command& command);
    void cancel(std::size_t lane_id);
    void start_waiting();
    bool start(const TransferPtr& transfer);
    void reap();
    void take_off(Transfer& transfer);
    Lane* lane_of(const Transfer& transfer);
    void release_slot(const Transfer& transfer);
    void wake_delayed();
    void expire_waiting();
    void look_for_silence();
    void ask_again(const TransferPtr& first);
    void take_second(Transfer& second);
    void drop_second(Transfer& first);
    TransferPtr forget_delayed(const Transfer& transfer);
    void shut_if_dead(long port, std::chrono::steady_clock::time_point sent);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_close(void* self, curl_socket_t socket);
    [[nodiscard]] int poll_timeout() const;
    [[nodiscard]] std::size_t most_of_a_server() const { return std::max<std::size_t>(options.max_per_server * 3 / 4, 1); }
    void take_place(const Transfer& transfer);

    const HttpEngineOptions options;
    CURLM* multi = nullptr;
    std::thread thread;

    std::mutex mutex; // guards the next four
    std::vector<Command> inbox;
    bool stopping = false;
    std::size_t last_lane = 0;

    // Owned by the thread.
    std::list<Lane> lanes; // in turn order
    std::unordered_map<Transfer*, TransferPtr> on_wire;
    std::size_t in_flight = 0; // of on_wire, without streams
    std::unordered_map<std::string, std::size_t> per_server; // the same by server
    std::multimap<std::chrono::steady_clock::time_point, TransferPtr> delayed;
    std::vector<CURL*> idle;
    std::chrono::steady_clock::time_point next_look = std::chrono::steady_clock::time_point::max(); // for silence
    std::unordered_set<std::string> asked_twice; // servers that have a second request under way
    std::unordered_map<long, std::chrono::steady_clock::time_point> heard_at; // by the local port of a connection: when an answer last came over it
    std::set<curl_socket_t> sockets; // open ones
    std::minstd_rand random{std::random_device{}()};
};

} // namespace weber::kube
