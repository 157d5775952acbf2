#include "kube/server/store.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "kube/server/database.h"

namespace weber::kube::server {
namespace {

std::atomic<Store::Decode> g_decode = nullptr;

// Sorts by namespace, then name: NUL is below every character of a name.
std::string key_of(std::string_view ns, std::string_view name) {
    std::string k;
    k.reserve(ns.size() + name.size() + 1);
    k.append(ns).push_back('\0');
    k.append(name);
    return k;
}

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};
template <class V>
using StringMap = std::unordered_map<std::string, V, StringHash, std::equal_to<>>;

struct Table {
    std::string resource;
    std::map<std::string, ObjectPtr, std::less<>> objects;
    std::deque<StoreEvent> log;
    std::size_t log_bytes = 0;
    std::uint64_t trimmed = 0; // rv of the newest event that is no longer in the log
    std::unordered_map<std::uint64_t, std::shared_ptr<std::function<void()>>> watchers;
};

struct Pending {
    Table* table = nullptr;
    StoreEvent event;
    Store::Done done;
};

// What an event keeps alive that the object map does not.
std::size_t event_weight(const StoreEvent& e) {
    std::size_t n = sizeof(StoreEvent);
    if (e.previous) n += e.previous->json.size();
    if (e.type == StoreEvent::Type::deleted) n += e.object->json.size();
    return n;
}

} // namespace

struct Store::Impl {
    StoreOptions options;
    std::unique_ptr<Database> db; // the writer thread's, after open

    mutable std::mutex mutex; // guards all below
    StringMap<std::unique_ptr<Table>> tables;
    struct Home {
        Table* table;
        std::string key;
    };
    StringMap<Home> by_uid;
    std::unordered_multimap<std::string, Home> by_owner;
    std::uint64_t rv = 0, durable = 0, next_watcher = 1;
    std::vector<Pending> queue;
    std::condition_variable work;
    mutable std::condition_variable settled; // `durable` grew, or the disk failed
    bool closing = false;
    std::optional<Error> broken; // the disk failed: nothing more is accepted
    std::function<void(const std::string&, const StoreEvent&)> observer;

    std::thread writer;

    Table& table(std::string_view resource) {
        if (const auto it = tables.find(resource); it != tables.end()) return *it->second;
        auto t = std::make_unique<Table>();
        t->resource = resource;
        t->trimmed = start_rv;
        return *tables.emplace(std::string(resource), std::move(t)).first->second;
    }
    const Table* find(std::string_view resource) const {
        const auto it = tables.find(resource);
        return it == tables.end() ? nullptr : it->second.get();
    }
    std::uint64_t start_rv = 0; // no event before this one is known

    void index(Table& t, const std::string& key, const StoredObject& o);
    void unindex(Table& t, const std::string& key, const StoredObject& o);
    using Wakes = std::vector<std::shared_ptr<std::function<void()>>>;
    void publish(Pending& p, Wakes& wakes);
    void trim(Table& t) const;
    Result<void> write_batch(const std::vector<Pending>& batch);
    void write_loop();
    Result<void> load();
};

void Store::Impl::index(Table& t, const std::string& key, const StoredObject& o) {
    if (!o.uid.empty()) by_uid.insert_or_assign(o.uid, Home{&t, key});
    for (const auto& owner : o.owner_uids) by_owner.emplace(owner, Home{&t, key});
}

void Store::Impl::unindex(Table& t, const std::string& key, const StoredObject& o) {
    by_uid.erase(o.uid);
    for (const auto& owner : o.owner_uids) {
        for (auto [it, end] = by_owner.equal_range(owner); it != end; ++it) {
            if (it->second.table == &t && it->second.key == key) {
                by_owner.erase(it);
                break;
            }
        }
    }
}

void Store::Impl::trim(Table& t) const {
    while (!t.log.empty() && (t.log.size() > options.log_events || t.log_bytes > options.log_bytes)) {
        t.log_bytes -= event_weight(t.log.front());
        t.trimmed = t.log.front().rv;
        t.log.pop_front();
    }
}

void Store::Impl::publish(Pending& p, Wakes& wakes) {
    Table& t = *p.table;
    t.log.push_back(p.event);
    t.log_bytes += event_weight(p.event);
    trim(t);
    durable = p.event.rv;
    for (const auto& [id, wake] : t.watchers) wakes.push_back(wake);
}

Result<void> Store::Impl::write_batch(const std::vector<Pending>& batch) {
    TRY_VOID(db->begin());
    auto body = [&]() -> Result<void> {
        for (const auto& p : batch) {
            const auto& o = *p.event.object;
            TRY_VOID(p.event.type == StoreEvent::Type::deleted ? db->remove(p.table->resource, o.ns, o.name)
                                                               : db->put(p.table->resource, o.ns, o.name, o.rv, o.json));
        }
        TRY_VOID(db->set_meta("rv", std::to_string(batch.back().event.rv)));
        return db->commit();
    };
    auto r = body();
    if (!r) db->rollback();
    return r;
}

void Store::Impl::write_loop() {
    std::unique_lock lock(mutex);
    for (;;) {
        work.wait(lock, [&] { return closing || !queue.empty(); });
        if (queue.empty()) return; // closing
        auto batch = std::move(queue);
        queue.clear();
        lock.unlock();
        const auto result = write_batch(batch);
        Wakes wakes;
        lock.lock();
        if (result) {
            for (auto& p : batch) publish(p, wakes);
        } else { // memory is ahead of the disk now: callers get the error, watchers see nothing, writes end
            broken = result.error();
        }
        lock.unlock();
        settled.notify_all();
        if (result && observer)
            for (const auto& p : batch) observer(p.table->resource, p.event);
        for (auto& p : batch)
            if (p.done) p.done(result);
        std::sort(wakes.begin(), wakes.end());
        wakes.erase(std::unique(wakes.begin(), wakes.end()), wakes.end());
        for (const auto& wake : wakes) (*wake)();
        batch.clear();
        lock.lock();
    }
}

Result<void> Store::Impl::load() {
    const auto decode = g_decode.load();
    TRY_VOID(db->load([&](std::string_view resource, std::string_view ns, std::string_view name, std::uint64_t object_rv,
                          std::string_view json) {
        auto o = std::make_shared<StoredObject>();
        o->ns = ns;
        o->name = name;
        o->rv = object_rv;
        o->json = json;
        if (decode) decode(*o);
        rv = std::max(rv, object_rv);
        Table& t = table(resource);
        std::string key = key_of(ns, name);
        index(t, key, *o);
        t.objects.emplace(std::move(key), std::move(o));
    }));
    TRY(const std::string stored, db->get_meta("rv"));
    rv = std::max<std::uint64_t>(rv, std::strtoull(stored.c_str(), nullptr, 10));
    return {};
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() { close(); }
void Store::set_decoder(Decode decode) { g_decode = decode; }

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    impl->rv = 1;
    if (!impl->options.path.empty()) {
        TRY(impl->db, Database::open(impl->options.path));
        TRY_VOID(impl->load());
        // A state that was readable but not yet on disk at a crash may have used versions beyond the stored one.
        impl->rv += 10'000;
    }
    impl->start_rv = impl->durable = impl->rv;
    for (auto& [name, t] : impl->tables) t->trimmed = impl->rv;
    if (impl->db) impl->writer = std::thread([raw = impl.get()] { raw->write_loop(); });
    return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::close() {
    {
        std::lock_guard lock(impl_->mutex);
        impl_->closing = true;
    }
    impl_->work.notify_all();
    if (impl_->writer.joinable()) impl_->writer.join();
}

ObjectPtr Store::get(std::string_view resource, std::string_view ns, std::string_view name) const {
    const std::string key = key_of(ns, name);
    std::lock_guard lock(impl_->mutex);
    const Table* t = impl_->find(resource);
    if (!t) return nullptr;
    const auto it = t->objects.find(key);
    return it == t->objects.end() ? nullptr : it->second;
}

Store::Page Store::list(std::string_view resource, std::string_view ns, std::size_t limit,
                        const std::optional<std::pair<std::string, std::string>>& after) const {
    std::lock_guard lock(impl_->mutex);
    Page page;
    page.rv = impl_->rv;
    const Table* t = impl_->find(resource);
    if (!t) return page;
    auto it = t->objects.begin(), end = t->objects.end();
    if (!ns.empty()) {
        it = t->objects.lower_bound(key_of(ns, ""));
        end = t->objects.lower_bound(std::string(ns) + '\1');
    }
    if (after) it = t->objects.upper_bound(key_of(after->first, after->second));
    for (; it != end; ++it) {
        if (limit && page.objects.size() == limit) {
            page.remaining = static_cast<std::size_t>(std::distance(it, end));
            break;
        }
        page.objects.push_back(it->second);
    }
    return page;
}

std::size_t Store::count(std::string_view resource) const {
    std::lock_guard lock(impl_->mutex);
    const Table* t = impl_->find(resource);
    return t ? t->objects.size() : 0;
}

std::vector<std::string> Store::resources_in(std::string_view ns) const {
    std::lock_guard lock(impl_->mutex);
    std::vector<std::string> out;
    const std::string from = key_of(ns, ""), to = std::string(ns) + '\1';
    for (const auto& [name, t] : impl_->tables) {
        const auto it = t->objects.lower_bound(from);
        if (it != t->objects.end() && it->first < to) out.push_back(name);
    }
    return out;
}

std::vector<std::string> Store::resources() const {
    std::lock_guard lock(impl_->mutex);
    std::vector<std::string> out;
    for (const auto& [name, t] : impl_->tables)
        if (!t->objects.empty()) out.push_back(name);
    return out;
}

namespace {
ObjectRef make_ref(const Table& t, const std::string& key) {
    const auto nul = key.find('\0');
    return {t.resource, key.substr(0, nul), key.substr(nul + 1)};
}
} // namespace

std::optional<ObjectRef> Store::find_uid(std::string_view uid) const {
    std::lock_guard lock(impl_->mutex);
    const auto it = impl_->by_uid.find(uid);
    if (it == impl_->by_uid.end()) return std::nullopt;
    return make_ref(*it->second.table, it->second.key);
}

std::vector<ObjectRef> Store::dependents(std::string_view uid) const {
    std::lock_guard lock(impl_->mutex);
    std::vector<ObjectRef> out;
    for (auto [it, end] = impl_->by_owner.equal_range(std::string(uid)); it != end; ++it)
        out.push_back(make_ref(*it->second.table, it->second.key));
    return out;
}

ObjectPtr Store::commit(StoreWrite write, Done done) {
    auto next = std::make_shared<StoredObject>(std::move(write.next));
    const std::string key = key_of(next->ns, next->name);
    static const std::string marker = "\"resourceVersion\":\"" + std::string(kRvPlaceholder) + "\"";
    const auto at = next->json.find(marker);
    Impl::Wakes wakes;
    Pending p;
    std::optional<Error> broken;
    {
        std::lock_guard lock(impl_->mutex);
        broken = impl_->broken;
    }
    if (broken) {
        if (done) done(fail(*broken));
        return next;
    }
    {
        std::lock_guard lock(impl_->mutex);
        Table& t = impl_->table(write.resource);
        const auto it = t.objects.find(key);
        const ObjectPtr live = it == t.objects.end() ? nullptr : it->second;
        if ((live ? live->rv : 0) != (write.expected ? write.expected->rv : 0) || impl_->closing) return nullptr;
        next->rv = ++impl_->rv;
        if (at != std::string::npos)
            next->json.replace(at, marker.size(), "\"resourceVersion\":\"" + std::to_string(next->rv) + "\"");
        next->json.shrink_to_fit();
        p.table = &t;
        p.event.rv = next->rv;
        p.event.object = next;
        p.event.previous = live;
        p.event.type = write.remove ? StoreEvent::Type::deleted
                       : live       ? StoreEvent::Type::modified
                                    : StoreEvent::Type::added;
        p.done = std::move(done);
        if (live) impl_->unindex(t, key, *live);
        if (write.remove) {
            t.objects.erase(it);
        } else {
            impl_->index(t, key, *next);
            if (live)
                it->second = next;
            else
                t.objects.emplace(key, next);
        }
        if (impl_->db) {
            impl_->queue.push_back(std::move(p));
            impl_->work.notify_one();
            return next;
        }
        impl_->publish(p, wakes);
        if (impl_->observer) impl_->observer(p.table->resource, p.event); // in order, so under the lock; it only queues
    }
    if (p.done) p.done({});
    for (const auto& wake : wakes) (*wake)();
    return next;
}

std::uint64_t Store::current_rv() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->rv;
}

std::uint64_t Store::durable_rv() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->durable;
}

void Store::wait_durable(std::uint64_t rv) const {
    std::unique_lock lock(impl_->mutex);
    impl_->settled.wait(lock, [&] { return impl_->durable >= rv || impl_->broken; });
}

std::optional<Store::Batch> Store::events_after(std::string_view resource, std::uint64_t since, std::size_t max) const {
    std::lock_guard lock(impl_->mutex);
    Batch batch;
    batch.up_to = std::max(since, impl_->durable);
    const Table* t = impl_->find(resource);
    if (!t) {
        if (since < impl_->start_rv) return std::nullopt;
        return batch;
    }
    if (since < t->trimmed) return std::nullopt;
    auto it = std::upper_bound(t->log.begin(), t->log.end(), since,
                               [](std::uint64_t v, const StoreEvent& e) { return v < e.rv; });
    for (; it != t->log.end() && batch.events.size() < max; ++it) batch.events.push_back(*it);
    if (it != t->log.end()) batch.up_to = batch.events.back().rv;
    return batch;
}

std::uint64_t Store::oldest_rv(std::string_view resource) const {
    std::lock_guard lock(impl_->mutex);
    const Table* t = impl_->find(resource);
    return t ? t->trimmed : impl_->start_rv;
}

std::uint64_t Store::subscribe(std::string_view resource, std::function<void()> wake) {
    std::lock_guard lock(impl_->mutex);
    const auto id = impl_->next_watcher++;
    impl_->table(resource).watchers.emplace(id, std::make_shared<std::function<void()>>(std::move(wake)));
    return id;
}

void Store::unsubscribe(std::string_view resource, std::uint64_t handle) {
    std::lock_guard lock(impl_->mutex);
    impl_->table(resource).watchers.erase(handle);
}

void Store::wake(std::string_view resource) const {
    Impl::Wakes wakes;
    {
        const std::lock_guard lock(impl_->mutex);
        if (const Table* t = impl_->find(resource))
            for (const auto& [id, wake] : t->watchers) wakes.push_back(wake);
    }
    for (const auto& wake : wakes) (*wake)();
}

void Store::set_observer(std::function<void(const std::string&, const StoreEvent&)> observer) {
    std::lock_guard lock(impl_->mutex);
    impl_->observer = std::move(observer);
}

} // namespace weber::kube::server
