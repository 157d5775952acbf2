// Two threads, each with a libcurl multi handle (requests; streams): all HTTP transfers of the process, to any number of servers. Requests to one server share few HTTP/2 connections.
//
// Internal to the client: callers use `HttpClient`. Thread-safe; calls block. Between callers the engine is fair: each has
// its own queue, they take turns, and none may take all places of a server. Timed waits between tries cost no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/credentials.h"
#include "kube/retry.h"
#include "kube/transport.h"

namespace weber::kube {

// How to reach a server: all that is the same for many requests. Immutable once shared.
struct Endpoint {
    std::string base;        // scheme://host:port/prefix, no slash at the end
    std::string connect_to;  // libcurl's CONNECT_TO entry, "" = none
    std::string host_header; // "" = from `base`
    std::string unix_socket;
    std::string proxy; // "" = none
    std::string ca;    // PEM, "" = the system's
    std::string user_agent;
    std::string display; // the server for error texts
    bool https = true;
    bool insecure = false;
    bool compress = true;
};

// A request ready to go: headers complete but for those of `credential`.
struct Outgoing {
    std::shared_ptr<const Endpoint> endpoint;
    std::shared_ptr<const Credential> credential; // may be null
    HttpRequest request;                          // timeout and max_response are final
    RetryPolicy retry = {};
};

struct HttpEngineOptions {
    std::size_t max_in_flight = 256;      // requests on the wire, streams not counted
    std::size_t max_per_server = 64;      // of them to one server, so that one that hangs leaves places for the others;
                                          // one call gets at most three quarters of these
    std::size_t stream_buffer = 1u << 20; // unread bytes of a stream before its sender is held back
    std::chrono::milliseconds connect_timeout{15'000};
    // After so long without a byte of its answer a request that may be repeated, and that went over a connection that was there before, is asked once more
    // over a new one. The first answer counts, the other try is given up. See `HttpEngine`.
    std::chrono::milliseconds silence{15'000};
    // A stream that has a time of its own (a watch) and no byte of its answer after this ends. One without (a log that is followed) may wait for its first line.
    std::chrono::milliseconds stream_answer{60'000};
};

// A connection may go silent without an end: the peer's machine or a balancer on the way forgot it, or (libcurl 7.88) data of an HTTP/2 stream is not
// seen. client-go pings an HTTP/2 connection that was silent for 30 s and closes it after 15 s without an answer; libcurl cannot. So a silent request is
// sent again while the first goes on waiting: a server that is only slow still answers the first, and at most one request of each server is out twice at a time,
// each at most once. When the second was answered and nothing at all came over the first one's connection meanwhile, that connection is dead: it is shut, and
// all that waits on it is repeated where that is safe, or fails at once.
//
// A call whose requests are answered 429 (API Priority and Fairness) begins no others until Retry-After has passed, then has half as many in flight,
// and one more again with each round of good answers.
class HttpEngine {
public:
    explicit HttpEngine(HttpEngineOptions options = {});
    ~HttpEngine(); // no call may be under way
    HttpEngine(const HttpEngine&) = delete;
    HttpEngine& operator=(const HttpEngine&) = delete;

    // Results by index. Errors as in `Transport`.
    std::vector<Result<HttpResponse>> run(std::vector<Outgoing> requests, std::size_t in_flight, std::stop_token stop);
    Result<HttpResponse> stream(Outgoing request, const ChunkHandler& on_chunk, std::stop_token stop);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    // Streams have a multi handle (and thread) of their own. In one with the requests, libcurl 7.88 takes a stream's HTTP/1.1 connection for one that
    // can be multiplexed as soon as the server is known to speak HTTP/2 (its ConnectionExists does not look at bits.multiplex of a busy connection),
    // and requests that are put on it wait for ever behind a watch.
    std::unique_ptr<Impl> streams_;
};

} // namespace weber::kube
