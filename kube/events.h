// Sends Events about objects to the API server, in the background (client-go: tools/record).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "kube/base/clock.h"
#include "kube/client.h"
#include "kube/event_correlator.h"

namespace weber::kube {

enum class EventType : std::uint8_t { normal, warning };

struct EventRecorderOptions {
    std::string component;   // e.g. kustomize-controller
    std::string instance = {}; // reportingInstance and source.host
    CorrelatorOptions correlator = {};
    std::size_t queue = 1000; // events that wait; more are dropped and counted
    int max_tries = 12;       // when the server cannot be reached
    std::chrono::milliseconds retry_pause{10'000};
};

// Thread-safe; `record` never blocks and never fails. Events that the server refuses are dropped, those it did not get are tried again.
class EventRecorder {
public:
    EventRecorder(std::shared_ptr<Client> client, EventRecorderOptions options, const Clock& clock = system_clock());
    ~EventRecorder(); // drops what waits; `flush` first to send it
    EventRecorder(const EventRecorder&) = delete;
    EventRecorder& operator=(const EventRecorder&) = delete;

    // `component`: "" = the options'. The Event lies in the object's namespace, or in `default` for a cluster-scoped object.
    void record(const Object& regarding, EventType type, std::string_view reason, std::string_view message,
                const std::map<std::string, std::string>& annotations = {}, std::string_view component = {});

    // Waits until all that was recorded is sent or given up; false when the time was over.
    bool flush(std::chrono::milliseconds timeout);

    struct Counts {
        std::uint64_t created = 0, updated = 0;
        std::uint64_t suppressed = 0; // by the correlator
        std::uint64_t dropped = 0;    // the queue was full, or the server could not be reached or refused
    };
    [[nodiscard]] Counts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// {apiVersion, kind, namespace, name, uid, resourceVersion} of an object, as events carry it.
Node object_reference(const Object& object);

} // namespace weber::kube
