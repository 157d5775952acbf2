#include "kube/informer.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace weber::kube {

namespace {

// What makes an object that object, whatever the projection left.
void keep_identity(Object& kept, const Object& whole) {
    if (!kept.root().is_map()) kept = Object(Node::map());
    for (const std::string_view key : {"apiVersion", "kind"})
        if (const Node* value = whole.root().find(key); value && !kept.root().contains(key)) kept.root().set(key, *value);
    for (const std::string_view key : {"name", "namespace", "uid", "resourceVersion"}) {
        const Node* metadata = whole.metadata();
        const Node* value = metadata ? metadata->find(key) : nullptr;
        if (value && kept.meta(key).empty()) kept.metadata_mut().set(key, *value);
    }
}

using Key = std::pair<std::string, std::string>; // namespace, name

} // namespace

struct Informer::Impl {
    Impl(std::shared_ptr<Client> c, InformerOptions o) : client(std::move(c)), options(std::move(o)) {}

    void run(std::stop_token stop);
    bool take(const WatchEvent& event);
    void put(const Object& whole);
    void drop(const Object& last);
    void finish_sync();

    const std::shared_ptr<Client> client;
    const InformerOptions options;

    std::mutex telling; // held while handlers are called; guards `handlers`; taken before `mutex`
    std::vector<InformerHandler> handlers;

    mutable std::mutex mutex; // guards the next two
    std::map<Key, Object> objects;
    bool is_synced = false;
    mutable std::condition_variable_any changed;

    std::mutex life; // guards the thread
    std::jthread thread;
    bool ended = false;
};

void Informer::Impl::put(const Object& whole) {
    Object kept = options.project ? options.project(whole) : whole;
    if (options.project) keep_identity(kept, whole);
    std::optional<Object> before;
    bool initial = false;
    {
        const std::lock_guard lock(mutex);
        const auto [at, is_new] = objects.try_emplace({std::string(whole.ns()), std::string(whole.name())}, kept);
        if (!is_new) before = std::exchange(at->second, kept);
        initial = !is_synced;
    }
    for (const InformerHandler& h : handlers) {
        if (before && h.updated) h.updated(*before, kept);
        if (!before && h.added) h.added(kept, initial);
    }
}

void Informer::Impl::drop(const Object& last) {
    std::optional<Object> known;
    {
        const std::lock_guard lock(mutex);
        const auto at = objects.find({std::string(last.ns()), std::string(last.name())});
        if (at == objects.end()) return;
        known = std::move(at->second);
        objects.erase(at);
    }
    if (!last.uid().empty()) { // a final state, not only a name
        Object kept = options.project ? options.project(last) : last;
        if (options.project) keep_identity(kept, last);
        known = std::move(kept);
    }
    for (const InformerHandler& h : handlers)
        if (h.deleted) h.deleted(*known);
}

void Informer::Impl::finish_sync() {
    {
        const std::lock_guard lock(mutex);
        is_synced = true;
    }
    changed.notify_all();
    for (const InformerHandler& h : handlers)
        if (h.synced) h.synced();
}

bool Informer::Impl::take(const WatchEvent& event) {
    const std::lock_guard lock(telling);
    switch (event.kind) {
    case WatchEventKind::added:
    case WatchEventKind::modified: put(event.object); break;
    case WatchEventKind::deleted: drop(event.object); break;
    case WatchEventKind::synced: finish_sync(); break;
    case WatchEventKind::trouble:
        for (const InformerHandler& h : handlers)
            if (h.trouble) h.trouble(*event.error);
        return !options.give_up || !options.give_up(*event.error);
    }
    return true;
}

void Informer::Impl::run(std::stop_token stop) {
    WatchOptions forever = options.watch;
    forever.fail_on_refusal = false; // a kind or a right may come later
    (void)watch(*client, options.target, [this](const WatchEvent& e) { return take(e); }, forever, stop);
}

Informer::Informer(std::shared_ptr<Client> client, InformerOptions options)
    : impl_(std::make_unique<Impl>(std::move(client), std::move(options))) {}

Informer::~Informer() { stop(); }

void Informer::add_handler(InformerHandler handler) {
    const std::lock_guard lock(impl_->telling);
    std::vector<Object> held;
    bool synced = false;
    {
        const std::lock_guard reading(impl_->mutex);
        for (const auto& [key, object] : impl_->objects) held.push_back(object);
        synced = impl_->is_synced;
    }
    if (handler.added)
        for (const Object& object : held) handler.added(object, true);
    if (synced && handler.synced) handler.synced();
    impl_->handlers.push_back(std::move(handler));
}

void Informer::start() {
    const std::lock_guard lock(impl_->life);
    if (impl_->ended || impl_->thread.joinable()) return;
    impl_->thread = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->run(std::move(stop)); });
}

void Informer::stop() {
    const std::lock_guard lock(impl_->life);
    impl_->ended = true;
    if (!impl_->thread.joinable()) return;
    impl_->thread.request_stop();
    impl_->thread.join();
}

bool Informer::has_synced() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->is_synced;
}

bool Informer::wait_synced(std::chrono::milliseconds timeout, std::stop_token stop) const {
    std::unique_lock lock(impl_->mutex);
    return impl_->changed.wait_for(lock, std::move(stop), timeout, [&] { return impl_->is_synced; });
}

std::optional<Object> Informer::get(std::string_view ns, std::string_view name) const {
    const std::lock_guard lock(impl_->mutex);
    const auto at = impl_->objects.find({std::string(ns), std::string(name)});
    if (at == impl_->objects.end()) return std::nullopt;
    return at->second;
}

std::vector<Object> Informer::list(std::string_view ns) const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Object> out;
    auto at = ns.empty() ? impl_->objects.begin() : impl_->objects.lower_bound({std::string(ns), std::string()});
    for (; at != impl_->objects.end() && (ns.empty() || at->first.first == ns); ++at) out.push_back(at->second);
    return out;
}

std::size_t Informer::size() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->objects.size();
}

} // namespace weber::kube
