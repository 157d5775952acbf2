#include "agent/interrupt.h"

#include <condition_variable>
#include <csignal>
#include <mutex>

#include <unistd.h>

namespace weber::agent {

namespace {

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

} // namespace

Interrupt::Interrupt() {
    const sigset_t set = ending_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    waiter_ = std::jthread([this, set](const std::stop_token& end) {
        for (;;) { // without a timeout: a process that has nothing to do sleeps
            if (sigwaitinfo(&set, nullptr) < 0) continue;
            if (end.stop_requested()) return;
            if (source_.stop_requested()) _exit(130);
            source_.request_stop();
        }
    });
}

Interrupt::~Interrupt() {
    waiter_.request_stop();
    pthread_kill(waiter_.native_handle(), SIGTERM); // to this thread alone: it wakes and ends
    waiter_.join();
    const sigset_t set = ending_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::wait() const {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, source_.get_token(), [] { return false; });
}

} // namespace weber::agent
