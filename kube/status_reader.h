// Reads the status of objects in a cluster: kstatus (`readiness.md` 1–3, 5) behind readers that callers may put before it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kube/client.h"
#include "kube/kstatus.h"

namespace weber::kube {

// Decides the status of some kinds in place of the rules of kstatus.h, e.g. by CEL expressions. Thread-safe.
class StatusReader {
public:
    virtual ~StatusReader() = default;
    [[nodiscard]] virtual bool supports(const GroupKind& kind) const = 0;
    // An error means Unknown.
    [[nodiscard]] virtual Result<Status> compute(const Object& object, SystemTime now) const = 0;
};

struct ObjectStatus {
    Status status = {};
    std::optional<Error> error = {}; // why it is Unknown
    std::optional<Object> object = {}; // as read; none when it could not be
};

// Thread-safe. Values; copies share the readers.
class StatusReaders {
public:
    StatusReaders() = default;
    explicit StatusReaders(std::vector<std::shared_ptr<const StatusReader>> custom) : custom_(std::move(custom)) {}

    // From the object alone: the first custom reader that supports the kind, else kstatus with Flux's Job reader. Without looking at pods.
    [[nodiscard]] ObjectStatus compute(Object object, SystemTime now = system_clock().now()) const;

    // From the cluster, by index: objects are read with at most `in_flight` requests at a time, pods of StatefulSets and ReplicaSets that are
    // InProgress listed. Not found: NotFound `Resource not found`. Anything else: Unknown with the error. A Deployment's ReplicaSets are not
    // listed, since they change nothing (`readiness.md` 3). Error: cancelled, or timeout of `call`.
    Result<std::vector<ObjectStatus>> read(Client& client, std::span<const ObjectRef> refs, std::size_t in_flight, const Call& call = {},
                                           SystemTime now = system_clock().now()) const;

private:
    [[nodiscard]] const StatusReader* reader_of(const GroupKind& kind) const;
    std::vector<std::shared_ptr<const StatusReader>> custom_;
};

// metav1.LabelSelector ({matchLabels, matchExpressions}) as the text of a query. Errors: invalid (unknown operator). An empty selector gives "".
Result<std::string> label_selector_text(const Node& selector);

} // namespace weber::kube
