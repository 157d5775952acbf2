#include "tests/support/faulty_transport.h"

#include <stdexcept>

#include "kube/pause.h"

namespace weber::testing {

using kube::HttpRequest;
using kube::HttpResponse;

namespace {

std::vector<std::string_view> segments(std::string_view path) {
    std::vector<std::string_view> out;
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        const auto slash = std::min(path.find('/'), path.size());
        if (slash > 0) out.push_back(path.substr(0, slash));
        path.remove_prefix(slash);
    }
    return out;
}

// -1: not a resource's address; 0: a collection; 1: one object.
int names_object(std::string_view target) {
    auto parts = segments(target.substr(0, target.find('?')));
    const std::size_t prefix = parts.empty() ? 0 : parts[0] == "api" ? 2 : parts[0] == "apis" ? 3 : 0;
    if (prefix == 0 || parts.size() <= prefix) return -1;
    parts.erase(parts.begin(), parts.begin() + static_cast<long>(prefix));
    if (parts[0] == "namespaces" && parts.size() > 2 && parts[2] != "status" && parts[2] != "finalize") parts.erase(parts.begin(), parts.begin() + 2);
    return parts.size() > 1 ? 1 : 0;
}

HttpResponse status_answer(int code, std::string_view reason, std::string_view message) {
    HttpResponse out{.status = code, .headers = {{"Content-Type", "application/json"}}};
    out.body = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + std::string(message) + R"(","reason":")" +
               std::string(reason) + R"(","code":)" + std::to_string(code) + "}";
    if (code == 429) out.headers.push_back({"Retry-After", "1"});
    return out;
}

} // namespace

std::string verb_of(const HttpRequest& r) {
    const int one = names_object(r.target);
    if (one < 0) return "other";
    const auto says = [&](std::string_view word) { return r.target.find(word) != std::string::npos; };
    std::string verb = "other";
    if (r.method == "GET") verb = says("watch=true") ? "watch" : one ? "get" : "list";
    if (r.method == "POST") verb = "create";
    if (r.method == "PUT") verb = "update";
    if (r.method == "DELETE") verb = one ? "delete" : "deletecollection";
    if (r.method == "PATCH") {
        verb = "patch";
        for (const auto& h : r.headers)
            if (h.value.starts_with("application/apply-patch")) verb = "apply";
    }
    return says("dryRun=All") ? "dry-run " + verb : verb;
}

void FaultyTransport::fail(FaultRule rule) {
    const std::lock_guard lock(mutex_);
    rules_.push_back({.rule = std::move(rule)});
}

void FaultyTransport::heal() {
    const std::lock_guard lock(mutex_);
    rules_.clear();
}

int FaultyTransport::count(const std::string& verb) const {
    const std::lock_guard lock(mutex_);
    const auto at = counts_.find(verb);
    return at == counts_.end() ? 0 : at->second;
}

std::map<std::string, int> FaultyTransport::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

int FaultyTransport::writes() const {
    int sum = 0;
    for (const char* verb : {"create", "update", "patch", "apply", "delete", "deletecollection"}) sum += count(verb);
    return sum;
}

int FaultyTransport::faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
}

void FaultyTransport::reset_counts() {
    const std::lock_guard lock(mutex_);
    counts_.clear();
    faults_ = 0;
}

std::optional<FaultRule> FaultyTransport::decide(const HttpRequest& request) {
    const std::string verb = verb_of(request);
    const std::lock_guard lock(mutex_);
    ++counts_[verb];
    std::optional<FaultRule> out;
    for (Armed& a : rules_) {
        if (!a.rule.verb.empty() && a.rule.verb != verb) continue;
        if (!a.rule.path.empty() && request.target.find(a.rule.path) == std::string::npos) continue;
        ++a.matched;
        const bool by_chance = a.rule.probability > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < a.rule.probability;
        if (out || a.made >= a.rule.times || (a.matched != a.rule.nth && !by_chance)) continue;
        ++a.made;
        ++faults_;
        out = a.rule;
    }
    return out;
}

kube::Result<HttpResponse> FaultyTransport::make(const FaultRule& rule, const HttpRequest& request, const std::stop_token& stop) const {
    switch (rule.kind) {
    case FaultKind::conflict:
        return status_answer(409, "Conflict",
                             "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again");
    case FaultKind::throttled: return status_answer(429, "TooManyRequests", "too many requests, please try again later");
    case FaultKind::server_error: return status_answer(500, "InternalError", "Internal error occurred: made by a test");
    case FaultKind::forbidden: return status_answer(403, "Forbidden", "admission webhook denied the request: made by a test");
    case FaultKind::not_served: return HttpResponse{.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found\n"};
    case FaultKind::exception: throw std::runtime_error("thrown by a test");
    case FaultKind::cut: return kube::fail(ErrorCode::unavailable, request.method + ": the connection was cut by a test");
    case FaultKind::stall:
    case FaultKind::late: break; // of a stream
    }
    if (!kube::pause_for(request.timeout.count() > 0 ? request.timeout : stall_limit, stop))
        return kube::fail(ErrorCode::cancelled, request.method + ": cancelled");
    return kube::fail(ErrorCode::timeout, request.method + ": no answer in time (stalled by a test)");
}

kube::Result<HttpResponse> FaultyTransport::send(HttpRequest request, std::stop_token stop) {
    std::vector<HttpRequest> one;
    one.push_back(std::move(request));
    return std::move(send_all(std::move(one), 1, std::move(stop)).front());
}

std::vector<kube::Result<HttpResponse>> FaultyTransport::send_all(std::vector<HttpRequest> requests, std::size_t in_flight, std::stop_token stop) {
    std::vector<std::optional<FaultRule>> faults;
    std::vector<HttpRequest> heads(requests.size()); // of those that fail, for messages and deadlines
    std::vector<HttpRequest> sound;
    bool late = false;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        faults.push_back(decide(requests[i]));
        if (faults[i] && faults[i]->kind == FaultKind::late) late = true, faults[i].reset();
        if (faults[i]) heads[i] = {.method = requests[i].method, .timeout = requests[i].timeout};
        if (!faults[i] || faults[i]->after) sound.push_back(std::move(requests[i]));
    }
    if (late) (void)kube::pause_for(late_by, stop);
    auto answers = sound.empty() ? std::vector<kube::Result<HttpResponse>>() : real_->send_all(std::move(sound), in_flight, stop);
    std::vector<kube::Result<HttpResponse>> out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < faults.size(); ++i) {
        if (!faults[i]) {
            out.push_back(std::move(answers[next++]));
            continue;
        }
        if (faults[i]->after) ++next;
        out.push_back(make(*faults[i], heads[i], stop));
    }
    return out;
}

kube::Result<HttpResponse> FaultyTransport::stream(HttpRequest request, const kube::ChunkHandler& on_chunk, std::stop_token stop) {
    const auto rule = decide(request);
    if (!rule) return real_->stream(std::move(request), on_chunk, std::move(stop));
    if (rule->kind != FaultKind::cut) return make(*rule, request, stop);
    (void)real_->stream(
        std::move(request),
        [&](std::string_view piece) {
            if (rule->after) on_chunk(piece);
            return false;
        },
        std::move(stop));
    return kube::fail(ErrorCode::unavailable, "GET: the stream was cut by a test");
}

} // namespace weber::testing
