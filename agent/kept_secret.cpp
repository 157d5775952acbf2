#include "agent/kept_secret.h"

namespace weber::agent {

void KeptSecret::start(std::stop_token stop) {
    versions_.watch("Secret", name_.ns);
    (void)get(); // what goes wrong is said by the runs that need it
    versions_.await("Secret", name_.ns, std::chrono::seconds(5), std::move(stop));
}

Result<Object> KeptSecret::get() {
    const auto version = versions_.told("Secret", name_);
    {
        const std::lock_guard lock(mutex_);
        if (version && kept_ && (*kept_ ? (*kept_)->resource_version() : std::string_view()) == *version) return *kept_;
    }
    auto got = client_->get({{"", "v1", "Secret"}, name_.ns, name_.name});
    if (got || got.error().code == ErrorCode::not_found) {
        const std::lock_guard lock(mutex_);
        kept_ = got;
    }
    return got;
}

} // namespace weber::agent
