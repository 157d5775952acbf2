#include "kube/watch.h"

#include <algorithm>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "kube/base/json.h"
#include "kube/base/resource_version.h"
#include "kube/base/trim.h"
#include "kube/pause.h"
#include "kube/typed_object.h"

namespace weber::kube {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxEvent = 64u << 20;

// Trying again as it is cannot help.
bool is_refusal(const Error& e) {
    switch (e.code) {
    case ErrorCode::unauthorized:
    case ErrorCode::forbidden:
    case ErrorCode::not_found:
    case ErrorCode::invalid:
    case ErrorCode::unsupported: return true;
    default: return false;
    }
}

std::string identity(const Object& o) { return std::string(o.ns()) + "/" + std::string(o.name()); }

class Session {
public:
    Session(Client& client, const WatchTarget& target, const WatchHandler& handler, const WatchOptions& options, std::stop_token stop)
        : client_(client), target_(target), handler_(handler), options_(options), stop_(std::move(stop)) {}

    Result<void> run();

private:
    Result<void> resolve();
    Result<void> list();
    Result<void> look_back();
    Result<void> stream();
    [[nodiscard]] bool streams_list() const { return options_.streaming_list && !list_next_ && client_.streaming_lists(); }
    void begin_list();
    void take_object(Object object);
    void end_list(std::string version);
    [[nodiscard]] Object identity_only(std::string_view id) const;
    void take_line(std::string_view line);
    void take_event(std::string_view type, Object object);
    Result<void> verdict(const Result<HttpResponse>& response, steady_clock::time_point began);
    void show(WatchEventKind kind, Object object = {}, std::optional<Error> error = {});
    [[nodiscard]] HttpRequest request() const;
    milliseconds next_backoff(const Error& error);

    Client& client_;
    const WatchTarget& target_;
    const WatchHandler& handler_;
    const WatchOptions& options_;
    const std::stop_token stop_;
    ApiResource resource_;
    std::string version_;                                // to go on from; "" = list first
    std::unordered_map<std::string, std::string> known_; // "ns/name" → resourceVersion
    std::unordered_set<std::string> unseen_;             // during a list: what was known and has not come yet
    bool listing_ = false;
    bool list_next_ = false;                             // the last streaming list failed: list by pages this time
    steady_clock::time_point listed_at_{};
    int lost_ = 0;                                       // requests in a row that got no answer
    bool unanswered_ = false;                            // the last one was such
    bool synced_ = false;
    bool ended_ = false;
    std::optional<Error> refused_; // from an ERROR event
    milliseconds backoff_{0};
    std::minstd_rand random_{std::random_device{}()};
};

void Session::show(WatchEventKind kind, Object object, std::optional<Error> error) {
    if (!ended_ && !handler_(WatchEvent{kind, std::move(object), std::move(error)})) ended_ = true;
}

Result<void> Session::resolve() {
    TRY(ApiResource resource, target_.gvk.version.empty() ? client_.discovery().preferred(target_.gvk.group_kind(), stop_)
                                                          : client_.discovery().find(target_.gvk, stop_));
    resource_ = std::move(resource);
    return {};
}

// A list is told as the differences to what the handler knows: begin_list, take_object for each, end_list.
void Session::begin_list() {
    unseen_.clear();
    for (const auto& [id, version] : known_) unseen_.insert(id);
    listing_ = true;
}

void Session::take_object(Object object) {
    const std::string id = identity(object);
    if (listing_) unseen_.erase(id);
    const auto [at, is_new] = known_.try_emplace(id, object.resource_version());
    if (!is_new && at->second == object.resource_version()) return;
    at->second = object.resource_version();
    show(is_new ? WatchEventKind::added : WatchEventKind::modified, std::move(object));
}

Object Session::identity_only(std::string_view id) const {
    const auto slash = id.find('/');
    Object out(Node::map({{"apiVersion", Node::string(resource_.gvk().api_version())}, {"kind", Node::string(resource_.kind)}}));
    if (slash > 0) out.set_ns(id.substr(0, slash));
    out.set_name(id.substr(slash + 1));
    return out;
}

void Session::end_list(std::string version) {
    for (const std::string& id : unseen_) {
        known_.erase(id);
        show(WatchEventKind::deleted, identity_only(id));
    }
    unseen_.clear();
    listing_ = false;
    version_ = std::move(version);
    listed_at_ = steady_clock::now();
    if (!std::exchange(synced_, true)) show(WatchEventKind::synced);
}

Result<void> Session::list() {
    const ListOptions options{.ns = target_.ns,
                              .label_selector = target_.label_selector,
                              .field_selector = target_.field_selector,
                              .metadata_only = target_.metadata_only};
    const auto on_page = [&](std::vector<Object> page, bool restart) {
        if (restart) begin_list();
        for (Object& object : page) take_object(std::move(object));
    };
    TRY(std::string version, client_.list_pages(resource_.gvk(), options, on_page, {.stop = stop_}));
    end_list(std::move(version));
    return {};
}

// A server that was away may come back with a store that was set back: etcd restored from a backup, or made anew. It takes a version from its future, and says
// nothing of what happens until it has come there.
Result<void> Session::look_back() {
    HttpRequest r{.target = resource_.path(target_.ns)};
    r.headers.push_back({"Accept", std::string(kAcceptMetadata)});
    add_query(r.target, "limit", "1");
    const auto response = client_.transport().send(std::move(r), stop_);
    unanswered_ = !response;
    if (!response) return std::unexpected(response.error());
    if (response->status / 100 != 2) return fail(error_of_response(*response));
    const auto list = read_json(response->body);
    const Node* now = list ? list->find_path({"metadata", "resourceVersion"}) : nullptr;
    lost_ = 0;
    if (now == nullptr || !is_older(now->text(), version_)) return {};
    version_.clear();
    for (auto& [id, version] : known_) version.clear(); // the same number may stand for something else now
    return {};
}

HttpRequest Session::request() const {
    HttpRequest r{.target = resource_.path(target_.ns)};
    r.headers.push_back({"Accept", std::string(target_.metadata_only ? kAcceptMetadata : kAcceptJson)});
    add_query(r.target, "watch", "true");
    add_query(r.target, "allowWatchBookmarks", "true");
    if (version_.empty()) {
        add_query(r.target, "sendInitialEvents", "true");
        add_query(r.target, "resourceVersionMatch", "NotOlderThan");
    } else {
        add_query(r.target, "resourceVersion", version_);
    }
    add_query(r.target, "labelSelector", target_.label_selector);
    add_query(r.target, "fieldSelector", target_.field_selector);
    return r;
}

void Session::take_event(std::string_view type, Object object) {
    if (!listing_ && !object.resource_version().empty()) version_ = object.resource_version();
    if (type == "BOOKMARK") {
        if (listing_ && object.annotation("k8s.io/initial-events-end") == "true") end_list(std::string(object.resource_version()));
        return;
    }
    if (target_.metadata_only) object = typed_object(object.root(), resource_.gvk(), true);
    if (type == "ADDED" || type == "MODIFIED") return take_object(std::move(object));
    if (type != "DELETED") return; // client-go skips what it does not know as well
    const std::string id = identity(object);
    unseen_.erase(id);
    if (known_.erase(id) > 0) show(WatchEventKind::deleted, std::move(object));
}

void Session::take_line(std::string_view line) {
    const auto event = read_json(line);
    const Node* object = event ? event->find("object") : nullptr;
    if (!object) {
        refused_ = Error{.code = ErrorCode::unavailable, .message = "watch: an event that cannot be read"};
        return;
    }
    const std::string_view type = event->text_at("type");
    if (type == "ERROR")
        refused_ = error_of_status(*object);
    else
        take_event(type, Object(*object));
}

// One watch request until it ends. Ending after its round without a fault is success.
Result<void> Session::stream() {
    client_.count_watch();
    HttpRequest r = request();
    const long round = options_.round.count();
    const std::chrono::seconds time(std::uniform_int_distribution<long>(round, 2 * round)(random_));
    add_query(r.target, "timeoutSeconds", std::to_string(time.count()));
    r.timeout = time + options_.grace;
    if (version_.empty()) begin_list();
    std::string rest;
    bool too_long = false;
    const auto on_chunk = [&](std::string_view chunk) {
        std::size_t start = 0, from = rest.size(); // before it there is no end of a line
        rest += chunk;
        for (std::size_t end; !ended_ && !refused_ && (end = rest.find('\n', from)) != std::string::npos; start = from = end + 1)
            if (const auto line = trimmed(std::string_view(rest).substr(start, end - start), " \t\r"); !line.empty()) take_line(line);
        rest.erase(0, start);
        too_long = rest.size() > kMaxEvent;
        return !ended_ && !refused_ && !too_long;
    };
    refused_.reset();
    const auto began = steady_clock::now();
    const auto response = client_.transport().stream(std::move(r), on_chunk, stop_);
    if (steady_clock::now() - began >= options_.backoff_max) backoff_ = milliseconds(0); // it worked
    if (ended_) return {};
    if (too_long) return fail(ErrorCode::too_large, "watch: an event larger than 64 MiB");
    auto outcome = verdict(response, began);
    if (!std::exchange(listing_, false)) return outcome;
    // The list in the stream did not come to its end.
    const bool offered = outcome || outcome.error().http_status == 0 || outcome.error().code != ErrorCode::invalid;
    if (!offered) {
        client_.streaming_lists_refused();
        return list();
    }
    list_next_ = outcome || outcome.error().http_status == 0;
    return outcome ? fail(ErrorCode::unavailable, "watch: the stream ended within the first list") : outcome;
}

Result<void> Session::verdict(const Result<HttpResponse>& response, steady_clock::time_point began) {
    if (refused_) return fail(std::move(*refused_));
    unanswered_ = !response;
    if (!response) return std::unexpected(response.error());
    if (response->status / 100 != 2) return fail(error_of_response(*response));
    if (steady_clock::now() - began < std::chrono::seconds(1))
        return fail(ErrorCode::unavailable, "watch: the server ended it at once"); // not an endless loop of them
    return {};
}

milliseconds Session::next_backoff(const Error& error) {
    backoff_ = backoff_.count() == 0 ? options_.backoff_min : std::min(backoff_ * 2, options_.backoff_max);
    const double jitter = std::uniform_real_distribution<double>(0.5, 1.5)(random_);
    const auto asked = milliseconds(static_cast<long>(error.retry_after_seconds * 1000));
    return std::max(milliseconds(static_cast<long>(static_cast<double>(backoff_.count()) * jitter)), std::min(asked, options_.backoff_max));
}

Result<void> Session::run() {
    while (!stop_.stop_requested()) {
        auto outcome = version_.empty() ? resolve() : lost_ > 1 ? look_back() : Result<void>();
        if (outcome && version_.empty() && !streams_list()) {
            list_next_ = false;
            outcome = list();
        }
        if (outcome && !ended_) outcome = stream();
        if (ended_) return {};
        if (outcome) {
            lost_ = 0;
            continue;
        }
        Error error = std::move(outcome.error());
        lost_ = std::exchange(unanswered_, false) ? lost_ + 1 : 0;
        if (stop_.stop_requested() || error.code == ErrorCode::cancelled) break;
        if (error.code == ErrorCode::gone && !version_.empty()) {
            version_.clear(); // what happened in between is lost to the watch, a list tells
            if (steady_clock::now() - listed_at_ > std::chrono::seconds(1)) continue;
        }
        if (options_.fail_on_refusal && is_refusal(error)) return fail(std::move(error));
        const milliseconds wait = next_backoff(error);
        if (is_refusal(error)) version_.clear(); // e.g. the kind went away and may come back
        if (is_unknown_address(error)) client_.discovery().forget(target_.gvk.group);
        show(WatchEventKind::trouble, {}, std::move(error));
        if (ended_) return {};
        if (!pause_for(wait, stop_)) break;
    }
    return fail(ErrorCode::cancelled, "watch of " + target_.gvk.kind + " cancelled");
}

} // namespace

Result<void> watch(Client& client, const WatchTarget& target, const WatchHandler& handler, const WatchOptions& options, std::stop_token stop) {
    return Session(client, target, handler, options, std::move(stop)).run();
}

} // namespace weber::kube
