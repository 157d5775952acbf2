#include "kube/http_engine.h"

#include <algorithm>

#include "kube/http_engine_impl.h"

namespace weber::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

void init_curl() {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)once;
}

} // namespace

HttpEngine::Impl::Impl(HttpEngineOptions o) : options(o) {
    init_curl();
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_per_server)); // kept when idle
    thread = std::thread([this] { loop(); });
}

HttpEngine::Impl::~Impl() {
    {
        const std::lock_guard lock(mutex);
        stopping = true;
    }
    curl_multi_wakeup(multi);
    thread.join();
    for (CURL* easy : idle) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
}

void HttpEngine::Impl::post(Command command) {
    {
        const std::lock_guard lock(mutex);
        inbox.push_back(std::move(command));
    }
    curl_multi_wakeup(multi);
}

std::size_t HttpEngine::Impl::next_lane() {
    const std::lock_guard lock(mutex);
    return ++last_lane;
}

void HttpEngine::Impl::loop() {
    std::vector<Command> commands;
    for (;;) {
        {
            const std::lock_guard lock(mutex);
            if (stopping) break;
            commands.swap(inbox);
        }
        for (Command& command : commands) obey(command);
        commands.clear();
        wake_delayed();
        expire_waiting();
        start_waiting();
        look_for_silence();
        int running = 0;
        curl_multi_perform(multi, &running);
        reap();
        start_waiting();
        curl_multi_poll(multi, nullptr, 0, poll_timeout(), nullptr);
    }
    while (!on_wire.empty()) take_off(*on_wire.begin()->first);
}

int HttpEngine::Impl::poll_timeout() const {
    auto next = on_wire.empty() ? steady_clock::time_point::max() : next_look; // libcurl shortens it to its own timers; commands wake us
    if (!delayed.empty()) next = std::min(next, delayed.begin()->first);
    for (const Lane& lane : lanes) {
        next = std::min(next, lane.first_deadline);
        if (lane.quiet_until > steady_clock::now()) next = std::min(next, lane.quiet_until);
    }
    if (next == steady_clock::time_point::max()) return 60'000;
    return static_cast<int>(std::clamp<long>(std::chrono::ceil<milliseconds>(next - steady_clock::now()).count(), 0, 60'000));
}

void HttpEngine::Impl::obey(Command& command) {
    switch (command.kind) {
    case Command::Kind::start: {
        Lane lane{.id = command.lane, .server = command.transfers.front()->server(), .full_limit = std::min(command.limit, most_of_a_server())};
        for (const TransferPtr& t : command.transfers) lane.first_deadline = std::min(lane.first_deadline, t->deadline());
        lane.waiting.assign(command.transfers.begin(), command.transfers.end());
        lanes.push_back(std::move(lane));
        break;
    }
    case Command::Kind::start_stream: start(command.transfers.front()); break;
    case Command::Kind::cancel: cancel(command.lane); break;
    case Command::Kind::resume:
        if (Transfer& t = *command.transfers.front(); t.easy) curl_easy_pause(t.easy, CURLPAUSE_CONT);
        break;
    }
}

void HttpEngine::Impl::cancel(std::size_t lane_id) {
    const auto stop = [](Transfer& t) { t.set_result(fail(t.error(ErrorCode::cancelled, "cancelled"))); };
    std::vector<TransferPtr> active;
    for (const auto& [raw, transfer] : on_wire)
        if (transfer->lane == lane_id) active.push_back(transfer);
    for (const TransferPtr& transfer : active) {
        if (transfer->first) asked_twice.erase(transfer->server());
        take_off(*transfer);
    }
    for (auto it = delayed.begin(); it != delayed.end();) {
        if (it->second->lane != lane_id) {
            ++it;
            continue;
        }
        if (it->second->first) asked_twice.erase(it->second->server());
        active.push_back(it->second);
        it = delayed.erase(it);
    }
    std::erase_if(lanes, [&](Lane& lane) {
        if (lane.id != lane_id) return false;
        active.insert(active.end(), lane.waiting.begin(), lane.waiting.end());
        return true;
    });
    for (const TransferPtr& transfer : active) stop(*transfer);
}

// One request of each lane in turn, until nothing more may start.
void HttpEngine::Impl::start_waiting() {
    bool progress = true;
    const auto now = steady_clock::now();
    while (progress && in_flight < options.max_in_flight) {
        progress = false;
        for (std::size_t n = lanes.size(); n > 0 && in_flight < options.max_in_flight; --n) {
            Lane& lane = lanes.front();
            const auto taken = per_server.find(lane.server);
            const bool has_place = taken == per_server.end() || taken->second < options.max_per_server;
            if (!lane.waiting.empty() && lane.active < lane.limit && has_place && now >= lane.quiet_until) {
                const TransferPtr next = std::move(lane.waiting.front());
                lane.waiting.pop_front();
                if (start(next)) {
                    ++lane.active;
                    take_place(*next);
                }
                progress = true;
            }
            if (lane.waiting.empty() && lane.active == 0)
                lanes.pop_front();
            else
                lanes.splice(lanes.end(), lanes, lanes.begin());
        }
    }
}

bool HttpEngine::Impl::start(const TransferPtr& transfer) {
    CURL* easy = idle.empty() ? curl_easy_init() : idle.back();
    if (!idle.empty()) idle.pop_back();
    if (!transfer->prepare(easy, options.connect_timeout)) {
        idle.push_back(easy);
        return false;
    }
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Impl::on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &Impl::on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    next_look = std::min(next_look, transfer->sent_at() + (transfer->streaming() ? options.stream_answer : options.silence));
    transfer->easy = easy;
    on_wire.emplace(transfer.get(), transfer);
    curl_multi_add_handle(multi, easy);
    return true;
}

void HttpEngine::Impl::take_off(Transfer& transfer) {
    CURL* easy = std::exchange(transfer.easy, nullptr);
    curl_multi_remove_handle(multi, easy);
    // Options point into the transfer, which may die before the handle is used again.
    curl_easy_reset(easy);
    if (idle.size() < options.max_in_flight)
        idle.push_back(easy);
    else
        curl_easy_cleanup(easy);
    if (transfer.lane_counts) {
        --in_flight;
        const auto taken = per_server.find(transfer.server());
        if (--taken->second == 0) per_server.erase(taken);
    }
    on_wire.erase(&transfer);
}

void HttpEngine::Impl::take_place(const Transfer& transfer) {
    ++in_flight;
    ++per_server[transfer.server()];
}

Lane* HttpEngine::Impl::lane_of(const Transfer& transfer) {
    const auto at = std::ranges::find(lanes, transfer.lane, &Lane::id);
    return at == lanes.end() ? nullptr : &*at;
}

void HttpEngine::Impl::release_slot(const Transfer& transfer) {
    if (Lane* lane = lane_of(transfer)) --lane->active;
}

// Those whose time is over before their turn came.
void HttpEngine::Impl::expire_waiting() {
    const auto now = steady_clock::now();
    for (Lane& lane : lanes) {
        if (lane.first_deadline > now) continue;
        lane.first_deadline = steady_clock::time_point::max();
        std::erase_if(lane.waiting, [&](const TransferPtr& t) {
            if (t->deadline() <= now) {
                t->set_result(fail(t->error(ErrorCode::timeout, "timed out before it could be sent")));
                return true;
            }
            lane.first_deadline = std::min(lane.first_deadline, t->deadline());
            return false;
        });
    }
}

void HttpEngine::Impl::reap() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* easy = message->easy_handle;
        const CURLcode code = message->data.result;
        char* raw = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &raw);
        const TransferPtr transfer = on_wire.at(reinterpret_cast<Transfer*>(raw)); // NOLINT: libcurl's type for a private pointer
        const double jitter = std::uniform_real_distribution<double>(0, 1)(random);
        const auto again = transfer->conclude(code, easy, jitter);
        if (transfer->heard()) {
            long port = 0;
            curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
            heard_at[port] = steady_clock::now();
        }
        take_off(*transfer);
        if (Lane* lane = lane_of(*transfer)) {
            if (transfer->throttled()) lane->slow_down(again.value_or(milliseconds(0)));
            else if (transfer->heard()) lane->speed_up();
        }
        if (again)
            delayed.emplace(steady_clock::now() + *again, transfer);
        else if (transfer->first)
            take_second(*transfer);
        else {
            drop_second(*transfer);
            release_slot(*transfer);
        }
    }
}

void HttpEngine::Impl::wake_delayed() {
    const auto now = steady_clock::now();
    while (!delayed.empty() && delayed.begin()->first <= now) {
        const TransferPtr transfer = delayed.begin()->second;
        delayed.erase(delayed.begin());
        if (start(transfer))
            take_place(*transfer); // may pass the bound by the number of repeated requests, which were counted before
        else if (transfer->first)
            take_second(*transfer);
        else {
            drop_second(*transfer);
            release_slot(*transfer);
        }
    }
}

HttpEngine::HttpEngine(HttpEngineOptions options) : impl_(std::make_unique<Impl>(options)), streams_(std::make_unique<Impl>(options)) {}
HttpEngine::~HttpEngine() = default;

std::vector<Result<HttpResponse>> HttpEngine::run(std::vector<Outgoing> requests, std::size_t in_flight, std::stop_token stop) {
    std::vector<Result<HttpResponse>> results;
    if (requests.empty()) return results;
    const auto box = std::make_shared<Mailbox>();
    box->open = requests.size();
    const std::size_t lane = impl_->next_lane();
    std::vector<TransferPtr> transfers;
    transfers.reserve(requests.size());
    const bool stopped = stop.stop_requested(); // then nothing reaches the server, not even in a race with the cancellation
    for (Outgoing& request : requests) {
        transfers.push_back(std::make_shared<Transfer>(std::move(request), box, false, 0));
        transfers.back()->lane = lane;
        transfers.back()->lane_counts = true;
        if (stopped) transfers.back()->set_result(fail(transfers.back()->error(ErrorCode::cancelled, "cancelled")));
    }
    if (!stopped) impl_->post({.kind = Command::Kind::start, .lane = lane, .limit = std::max<std::size_t>(in_flight, 1), .transfers = transfers});
    {
        const std::stop_callback on_stop(stop, [&] { impl_->post({.kind = Command::Kind::cancel, .lane = lane}); });
        std::unique_lock lock(box->mutex);
        box->changed.wait(lock, [&] { return box->open == 0; });
    }
    results.reserve(transfers.size());
    for (const TransferPtr& transfer : transfers) results.push_back(std::move(*transfer->result));
    return results;
}

Result<HttpResponse> HttpEngine::stream(Outgoing request, const ChunkHandler& on_chunk, std::stop_token stop) {
    const auto box = std::make_shared<Mailbox>();
    box->open = 1;
    const auto transfer = std::make_shared<Transfer>(std::move(request), box, true, streams_->options.stream_buffer);
    transfer->lane = streams_->next_lane();
    if (stop.stop_requested()) return fail(transfer->error(ErrorCode::cancelled, "cancelled"));
    streams_->post({.kind = Command::Kind::start_stream, .lane = transfer->lane, .transfers = {transfer}});
    const auto cancel = [&] { streams_->post({.kind = Command::Kind::cancel, .lane = transfer->lane}); };
    const std::stop_callback on_stop(stop, cancel);
    bool ended_by_handler = false;
    std::string chunk;
    std::unique_lock lock(box->mutex);
    for (;;) {
        box->changed.wait(lock, [&] { return transfer->result || (!transfer->pending.empty() && !ended_by_handler); });
        if (ended_by_handler || (transfer->result && transfer->pending.empty())) break;
        chunk.clear();
        chunk.swap(transfer->pending);
        const bool resume = std::exchange(transfer->paused, false);
        lock.unlock();
        if (resume) streams_->post({.kind = Command::Kind::resume, .lane = transfer->lane, .transfers = {transfer}});
        if (!on_chunk(chunk)) {
            ended_by_handler = true;
            cancel();
        }
        lock.lock();
    }
    if (!transfer->result->has_value() && ended_by_handler) return HttpResponse{.status = 200};
    return std::move(*transfer->result);
}

} // namespace weber::kube
