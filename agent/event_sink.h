// Where controllers send what happened: Kubernetes events, and the notification service if one is named (kustomization.md 4.1).
#pragma once

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

// Thread-safe; never blocks.
class EventSink {
public:
    // `controller`: reportingController, e.g. kustomize-controller. `address`: of the notification service; "" = none.
    EventSink(std::shared_ptr<kube::Client> client, const std::string& controller, std::string address, Log log);
    ~EventSink();

    void send(const Object& regarding, const gitops::Event& event);
    // To the Kubernetes API only.
    void send_trace(const Object& regarding, const gitops::Event& event);
    // Waits until the Kubernetes events are out.
    bool flush(std::chrono::milliseconds timeout) { return recorder_.flush(timeout); }

private:
    void post_all(std::stop_token stop);
    void post(const std::string& body, std::stop_token stop);

    const std::string controller_, instance_, address_;
    const Log log_;
    kube::EventRecorder recorder_;
    std::mutex mutex_; // guards bodies_
    std::condition_variable_any changed_;
    std::deque<std::string> bodies_;
    std::jthread poster_; // last: uses all above
};

} // namespace weber::agent
