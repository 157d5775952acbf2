// Where controllers send what happened: Kubernetes events, and the notification service if one is named (kustomization.md 4.1).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/log.h"
#include "gitops/reconcile/status.h"
#include "kube/events.h"

namespace weber::agent {

// An http or https URL with a host. Error: invalid.
Result<void> check_events_address(const std::string& address);

// Thread-safe; `send` never blocks.
//
// A notification service that cannot be reached or answers 5xx is asked five times in all, after 1, 2, 4 and 8 s (or what its Retry-After says, half a minute at most);
// 429 says that it has the event already, and other answers are final (fluxcd/pkg runtime/events). Events wait for their turn meanwhile, the oldest of
// more than 1,000 are dropped.
class EventSink {
public:
    // `controller`: reportingController, e.g. kustomize-controller. `address`: of the notification service; "" = none. `first_pause`: before the second try.
    EventSink(std::shared_ptr<kube::Client> client, const std::string& controller, std::string address, Log log,
              std::chrono::milliseconds first_pause = std::chrono::seconds(1));
    ~EventSink(); // drops what waits; `flush` first to send it

    void send(const Object& regarding, const gitops::Event& event);
    // To the Kubernetes API only.
    void send_trace(const Object& regarding, const gitops::Event& event);
    // Waits until all events are out or given up; false when the time was over.
    bool flush(std::chrono::milliseconds timeout);

private:
    struct Letter {
        std::string body;
        LogFields about; // for the log, when it cannot be delivered
    };
    void post_all(const std::stop_token& stop);
    void post(const Letter& letter, const std::stop_token& stop);

    const std::string controller_, instance_, address_;
    const Log log_;
    const std::chrono::milliseconds first_pause_;
    kube::EventRecorder recorder_;
    std::mutex mutex_; // guards the next three
    std::condition_variable_any changed_;
    std::deque<Letter> letters_;
    bool posting_ = false;
    std::jthread poster_; // last: uses all above
};

} // namespace weber::agent
