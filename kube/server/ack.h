// Collects the "is on disk" answers of the writes of one request, so that its response goes out after the last of them.
//
// Thread-safe. Kept alive by the callbacks it hands out.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "kube/base/error.h"
#include "kube/server/store.h"

namespace weber::kube::server {

class Ack : public std::enable_shared_from_this<Ack> {
public:
    // One more write to wait for. If the write does not happen after all, call `forget` once.
    Store::Done expect() {
        std::lock_guard lock(mutex_);
        ++open_;
        return [self = shared_from_this()](const Result<void>& r) { self->settle(r); };
    }
    void forget() { settle({}); }
    // Calls `fn` once when all expected writes are settled: at once when there are none. At most one `then`.
    void then(std::function<void(const Result<void>&)> fn) {
        {
            std::lock_guard lock(mutex_);
            if (open_ > 0) {
                then_ = std::move(fn);
                return;
            }
        }
        fn(outcome());
    }

private:
    void settle(const Result<void>& r) {
        std::function<void(const Result<void>&)> fn;
        {
            std::lock_guard lock(mutex_);
            if (!r && !failure_) failure_ = r.error();
            if (--open_ == 0) fn = std::move(then_);
        }
        if (fn) fn(outcome());
    }
    Result<void> outcome() {
        std::lock_guard lock(mutex_);
        if (failure_) return fail(*failure_);
        return {};
    }
    std::mutex mutex_; // guards all
    int open_ = 0;
    std::optional<Error> failure_;
    std::function<void(const Result<void>&)> then_;
};

} // namespace weber::kube::server
