// How many share a piece of immutable data.
//
// Thread-safety: as of an atomic counter. While the process has one thread, plain arithmetic does, at a tenth of the cost (glibc says so in
// __libc_single_threaded; libstdc++'s shared_ptr relies on it, too): short commands copy and drop tens of thousands of shares.
#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <cstdint>

namespace weber::kube {

class RefCount {
public:
    void retain() {
        if (__libc_single_threaded) refs_.store(refs_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        else refs_.fetch_add(1, std::memory_order_relaxed);
    }
    // True for the last one: the caller frees what was shared.
    [[nodiscard]] bool release() {
        if (!__libc_single_threaded) return refs_.fetch_sub(1, std::memory_order_acq_rel) == 1;
        const std::uint32_t left = refs_.load(std::memory_order_relaxed) - 1;
        refs_.store(left, std::memory_order_relaxed);
        return left == 0;
    }
    // Does anybody else hold it? If not, the caller may change it.
    [[nodiscard]] bool is_shared() const { return refs_.load(std::memory_order_acquire) != 1; }

private:
    std::atomic<std::uint32_t> refs_{1};
};

} // namespace weber::kube
