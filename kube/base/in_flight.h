// The mark of a key that one thread works on while others that want the same wait for it: set while this lives, and whatever happens meanwhile, nobody waits in vain.
#pragma once

#include <mutex>
#include <string>

namespace weber::kube {

// `Keys`: a set of strings; `Condition`: a condition variable that the others wait on. All are borrowed; `lock` guards `keys`, is held when this begins and is held
// again when it has ended, whoever gave it back in between.
template <class Keys, class Condition>
class InFlight {
public:
    InFlight(Keys& keys, std::unique_lock<std::mutex>& lock, Condition& changed, const std::string& key) : keys_(keys), lock_(lock), changed_(changed), key_(key) { keys_.insert(key_); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() {
        if (!lock_.owns_lock()) lock_.lock();
        keys_.erase(key_);
        changed_.notify_all();
    }

private:
    Keys& keys_;
    std::unique_lock<std::mutex>& lock_;
    Condition& changed_;
    const std::string& key_;
};

} // namespace weber::kube
