// Connections that stay open and say nothing. The rules are at `HttpEngine`.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "kube/http_engine_impl.h"

namespace weber::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Of a socket over IP, 0 of others.
long local_port(curl_socket_t socket) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
    if (own.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(own).sin_port);
    if (own.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(own).sin6_port);
    return 0;
}

long local_port(const Transfer& transfer) {
    long port = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_LOCAL_PORT, &port);
    return port;
}

} // namespace

curl_socket_t HttpEngine::Impl::on_open(void* self, curlsocktype, curl_sockaddr* address) {
    const curl_socket_t made = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (made >= 0) static_cast<Impl*>(self)->sockets.insert(made);
    return made; // libcurl takes -1 for its CURL_SOCKET_BAD
}

int HttpEngine::Impl::on_close(void* self, curl_socket_t socket) {
    auto* engine = static_cast<Impl*>(self);
    engine->sockets.erase(socket);
    engine->heard_at.erase(local_port(socket));
    return ::close(socket);
}

void HttpEngine::Impl::look_for_silence() {
    const auto now = steady_clock::now();
    if (now < next_look) return;
    next_look = steady_clock::time_point::max();
    std::vector<TransferPtr> late;
    for (const auto& [raw, transfer] : on_wire) {
        if (transfer->heard() || transfer->first || transfer->was_seconded) continue;
        if (transfer->streaming() && transfer->deadline() == steady_clock::time_point::max()) continue;
        const auto due = transfer->sent_at() + (transfer->streaming() ? options.stream_answer : options.silence);
        if (due > now) next_look = std::min(next_look, due);
        else if (transfer->streaming() || transfer->may_be_seconded()) late.push_back(transfer);
    }
    std::ranges::sort(late, {}, [](const TransferPtr& t) { return t->sent_at(); });
    for (const TransferPtr& transfer : late) {
        if (transfer->streaming()) {
            take_off(*transfer);
            transfer->set_result(fail(transfer->error(ErrorCode::timeout, "no answer in time")));
        } else if (asked_twice.contains(transfer->server())) {
            next_look = std::min(next_look, now + options.silence / 4); // its turn comes
        } else {
            ask_again(transfer);
        }
    }
}

void HttpEngine::Impl::ask_again(const TransferPtr& first) {
    const TransferPtr second = Transfer::second_of(*first);
    first->was_seconded = true;
    if (!start(second)) return; // no time is left
    take_place(*second);
    asked_twice.insert(first->server());
    second->first = first.get();
    first->second = second;
}

// The second has ended. An answer is the first one's; a failure is nothing, the first goes on.
void HttpEngine::Impl::take_second(Transfer& second) {
    Transfer& first = *second.first;
    const TransferPtr keep = std::exchange(first.second, nullptr);
    asked_twice.erase(first.server());
    if (!second.result->has_value()) return;
    TransferPtr alive; // the first, while it is taken out of all lists
    if (first.easy) {
        alive = on_wire.at(&first);
        const long port = local_port(first);
        const auto sent = first.sent_at();
        take_off(first);
        shut_if_dead(port, sent);
    } else {
        alive = forget_delayed(first);
    }
    first.set_result(std::move(*second.result));
    release_slot(first);
}

// The first has ended, nobody needs the second.
void HttpEngine::Impl::drop_second(Transfer& first) {
    const TransferPtr second = std::exchange(first.second, nullptr);
    if (!second) return;
    asked_twice.erase(first.server());
    if (second->easy) take_off(*second);
    else forget_delayed(*second);
}

TransferPtr HttpEngine::Impl::forget_delayed(const Transfer& transfer) {
    const auto at = std::ranges::find_if(delayed, [&](const auto& entry) { return entry.second.get() == &transfer; });
    if (at == delayed.end()) return nullptr;
    TransferPtr out = at->second;
    delayed.erase(at);
    return out;
}

// The connection with that local port, over which nothing came since `sent`, while its server answered over another.
void HttpEngine::Impl::shut_if_dead(long port, steady_clock::time_point sent) {
    if (port == 0) return;
    if (const auto heard = heard_at.find(port); heard != heard_at.end() && heard->second >= sent) return;
    for (const auto& [raw, transfer] : on_wire)
        if (transfer->heard() && local_port(*transfer) == port) return;
    for (const curl_socket_t socket : sockets)
        if (local_port(socket) == port) ::shutdown(socket, SHUT_RDWR);
    next_look = steady_clock::now() + options.silence / 4; // first libcurl is to see it: what waits there needs no connections of its own
}

} // namespace weber::kube
