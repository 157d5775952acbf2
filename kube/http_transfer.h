// One HTTP call on libcurl: its options, what it received, what became of it. Internal to the engine; the only headers that show libcurl.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kube/http_engine.h"

namespace weber::kube {

// Where a caller waits. `mutex` guards all members and the stream buffers of its transfers.
struct Mailbox {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t open = 0; // transfers without a result
};

class Transfer {
public:
    using steady_time = std::chrono::steady_clock::time_point;
    Transfer(Outgoing out, std::shared_ptr<Mailbox> box, bool streaming, std::size_t stream_buffer);
    ~Transfer();
    // The same request once more, for what is left of its time, over a connection of its own. Its result is nobody's but the engine's.
    static std::shared_ptr<Transfer> second_of(const Transfer& first);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // ---- engine's thread ----------------------------------------------------------------------------
    // Prepares `easy`, which has no options, for the next try. False when the deadline has passed (the result is set; `easy` is as it was).
    bool prepare(CURL* easy, std::chrono::milliseconds connect_timeout);
    // The try has ended. A delay means: again after it; nullopt: the result is set.
    std::optional<std::chrono::milliseconds> conclude(CURLcode code, CURL* easy, double jitter);
    void set_result(Result<HttpResponse> result); // wakes the caller; only the first counts
    CURL* easy = nullptr;                         // while on the wire
    [[nodiscard]] steady_time sent_at() const { return sent_at_; } // of the latest try
    [[nodiscard]] steady_time deadline() const { return deadline_; }
    [[nodiscard]] bool heard() const { return heard_; } // a byte of the answer to the latest try has come
    [[nodiscard]] bool throttled() const { return throttled_; } // the latest try was answered 429
    [[nodiscard]] bool streaming() const { return streaming_; }
    // It waits for an answer over a connection that was there before, and may be sent again.
    [[nodiscard]] bool may_be_seconded() const;
    std::shared_ptr<Transfer> second; // of a first: under way as well
    Transfer* first = nullptr;        // of a second
    bool was_seconded = false;
    std::size_t lane = 0;        // of its caller
    bool lane_counts = false;    // it takes one of the places on the wire (streams do not)

    // ---- any thread ---------------------------------------------------------------------------------
    const std::shared_ptr<Mailbox> box;
    [[nodiscard]] Error error(ErrorCode code, std::string_view text) const;
    [[nodiscard]] const std::string& server() const { return out_.endpoint->display; }

    // Guarded by box->mutex.
    std::optional<Result<HttpResponse>> result;
    std::string pending; // of a stream
    bool paused = false;

private:
    static std::size_t on_read(char* data, std::size_t size, std::size_t n, void* self);
    static int on_seek(void* self, curl_off_t offset, int origin);
    static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);
    std::size_t take_body(std::string_view data);
    void set_target(CURL* e);
    void set_headers(CURL* e);
    void set_security(CURL* e);
    void set_body(CURL* e);
    Error curl_error(CURLcode code, CURL* e) const;

    Outgoing out_;
    const bool streaming_;
    const std::size_t stream_buffer_;
    steady_time deadline_;
    steady_time sent_at_{};
    int attempts_ = 0;
    bool fresh_connection_ = false;
    bool heard_ = false;
    bool headers_whole_ = false;
    bool throttled_ = false;
    bool overflow_ = false;
    std::size_t header_bytes_ = 0;
    std::size_t sent_ = 0; // of a body that is read by on_read
    HttpResponse response_;
    curl_slist* headers_ = nullptr;
    curl_slist* connect_to_ = nullptr;
    char error_text_[CURL_ERROR_SIZE] = {};
};

} // namespace weber::kube
