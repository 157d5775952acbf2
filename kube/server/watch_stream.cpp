#include "kube/server/watch_stream.h"

#include "kube/base/json.h"
#include "kube/server/api_error.h"

namespace weber::kube::server {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kPiece = 64u << 10;
constexpr auto kBookmarkEvery = std::chrono::seconds(60);

class WatchStream final : public StreamSource {
public:
    WatchStream(Store& store, WatchOptions options)
        : store_(store), o_(std::move(options)), position_(o_.since), end_(Clock::now() + o_.timeout),
          next_bookmark_(Clock::now() + kBookmarkEvery) {}

    ~WatchStream() override { closed(); }

    void on_ready(std::function<void()> wake) override { handle_ = store_.subscribe(o_.store_id, std::move(wake)); }

    void closed() override {
        if (handle_) store_.unsubscribe(o_.store_id, handle_);
        handle_ = 0;
    }

    Clock::time_point deadline() override { return o_.bookmarks ? std::min(end_, next_bookmark_) : end_; }

    Next next(std::string& out) override {
        while (sent_ < o_.initial.size() && out.size() < kPiece) {
            const auto& object = *o_.initial[sent_];
            line(out, "ADDED", o_.render(object));
            o_.initial[sent_++].reset();
        }
        if (sent_ < o_.initial.size()) return Next::data;
        if (!o_.initial.empty()) std::vector<ObjectPtr>().swap(o_.initial), sent_ = 0;
        if (o_.initial_bookmark) {
            o_.initial_bookmark = false;
            bookmark(out, o_.initial_rv, true);
        }
        if (Clock::now() >= end_) return Next::end;
        const bool last = gone(); // asked first: what came through the log before that is read below
        if (!read_log(out)) {
            line(out, "ERROR", write_json(status_node(expired("too old resource version: " + std::to_string(position_) + " (" +
                                                              std::to_string(store_.oldest_rv(o_.store_id)) + ")"))));
            end_ = Clock::time_point::min();
            return out.empty() ? Next::end : Next::data;
        }
        if (o_.bookmarks && Clock::now() >= next_bookmark_) {
            bookmark(out, position_, false);
            next_bookmark_ = Clock::now() + kBookmarkEvery;
        }
        if (!out.empty()) return Next::data;
        return last ? Next::end : Next::wait;
    }

private:
    // The definition went, and what went before it has come through the log.
    bool gone() {
        if (!gone_at_ && o_.served && !o_.served()) gone_at_ = store_.current_rv();
        return gone_at_ && store_.durable_rv() >= *gone_at_;
    }

    bool read_log(std::string& out) {
        while (out.size() < kPiece) {
            const auto batch = store_.events_after(o_.store_id, position_, 256);
            if (!batch) return false;
            for (const auto& event : batch->events) {
                emit(out, event);
                position_ = event.rv;
                if (out.size() >= kPiece) return true;
            }
            position_ = batch->up_to;
            if (batch->events.size() < 256) return true;
        }
        return true;
    }

    [[nodiscard]] bool wanted(const ObjectPtr& o) const {
        return o && (o_.ns.empty() || o->ns == o_.ns) && (!o_.matches || o_.matches(*o));
    }

    // An object that starts or stops to match the selectors is added or deleted for this watcher.
    void emit(std::string& out, const StoreEvent& e) {
        const bool now = e.type != StoreEvent::Type::deleted && wanted(e.object);
        const bool before = wanted(e.previous);
        if (now)
            line(out, before ? "MODIFIED" : "ADDED", o_.render(*e.object));
        else if (before && e.type == StoreEvent::Type::deleted)
            line(out, "DELETED", o_.render(*e.object));
        else if (before) {
            StoredObject last = *e.previous; // the last matching state, at the version of the change
            const std::string was = "\"resourceVersion\":\"" + std::to_string(last.rv) + "\"";
            if (const auto at = last.json.find(was); at != std::string::npos)
                last.json.replace(at, was.size(), "\"resourceVersion\":\"" + std::to_string(e.rv) + "\"");
            line(out, "DELETED", o_.render(last));
        }
    }

    static void line(std::string& out, std::string_view type, std::string_view object) {
        out.append("{\"type\":\"").append(type).append("\",\"object\":").append(object).append("}\n");
    }

    void bookmark(std::string& out, std::uint64_t rv, bool initial_end) const {
        std::string object = "{\"kind\":\"" + o_.kind + "\",\"apiVersion\":\"" + o_.api_version + "\",\"metadata\":{\"resourceVersion\":\"" +
                             std::to_string(rv) + "\"";
        if (initial_end) object += R"(,"annotations":{"k8s.io/initial-events-end":"true"})";
        object += "}}";
        line(out, "BOOKMARK", object);
    }

    Store& store_;
    WatchOptions o_;
    std::uint64_t position_;
    Clock::time_point end_, next_bookmark_;
    std::size_t sent_ = 0;
    std::uint64_t handle_ = 0;
    std::optional<std::uint64_t> gone_at_; // the newest version when the definition was found gone
};

} // namespace

std::shared_ptr<StreamSource> make_watch(Store& store, WatchOptions options) {
    return std::make_shared<WatchStream>(store, std::move(options));
}

} // namespace weber::kube::server
