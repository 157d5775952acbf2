#include "agent/wait_board.h"

#include <algorithm>
#include <utility>

#include "agent/written_objects.h"
#include "kube/base/resource_version.h"

namespace weber::agent {

namespace {

constexpr std::chrono::seconds kRecheck{5}; // of objects that no watch tells of
constexpr std::chrono::seconds kRemoteRead{10};
using std::chrono::steady_clock;

bool needs_whole(const kube::GroupVersionKind& gvk) { return gvk.group == "apps" && (gvk.kind == "StatefulSet" || gvk.kind == "ReplicaSet"); }

} // namespace

void show_sighting(gitops::HealthTracker& tracker, std::size_t index, const Sighting& now) {
    if (now.whole.root().is_map()) tracker.observe(index, {.state = kube::Observation::State::present, .object = now.whole, .error = {}});
    else tracker.judge(index, now.status.code, now.status.message, now.status_error);
}

struct WaitBoard::Wait {
    Target target;
    std::vector<kube::ObjectRef> refs;
    std::vector<std::string> at_least; // resourceVersion that a sighting must have, by index; "" any
    gitops::HealthTracker tracker;
    steady_clock::time_point deadline;
    bool looked; // false: what this run did not write, and no watch has told of, is to be read at once
    std::optional<std::string> superseded = {};
    std::exception_ptr defect = {};

    [[nodiscard]] bool over() const { return superseded || defect || tracker.ended(); }
};

WaitBoard::WaitBoard() = default;
WaitBoard::~WaitBoard() = default;

void WaitBoard::begin(const std::string& key, const gitops::WaitTask& task, const gitops::ChangeSet& applied, const Target& target,
                      const std::set<std::string>& whole_groups) {
    ManagedObjects& objects = target.cluster->objects();
    std::unordered_map<kube::ObjectKey, std::string> written;
    for (const gitops::Change& c : applied.changes) written[c.key] = c.resource_version;
    std::vector<kube::ObjectKey> keys;
    std::vector<std::string> at_least;
    for (const kube::ObjectRef& ref : task.objects) {
        keys.push_back(ref.key());
        const auto at = written.find(ref.key());
        at_least.push_back(at != written.end() ? at->second : "");
        objects.watch(ref.gvk, whole_groups.contains(ref.gvk.group) || needs_whole(ref.gvk));
    }
    const auto timeout = std::chrono::duration_cast<steady_clock::duration>(task.settings.timeout);
    const bool others = std::ranges::any_of(at_least, [](const std::string& version) { return version.empty(); });
    auto wait = std::make_unique<Wait>(Wait{.target = target, .refs = task.objects, .at_least = std::move(at_least), .tracker = gitops::HealthTracker(keys, task.settings),
                                            .deadline = steady_clock::now() + timeout, .looked = !others});
    const std::lock_guard lock(mutex_);
    Wait& begun = *(waits_[key] = std::move(wait));
    auto& waiters = by_object_[target.cluster->id()];
    for (std::size_t i = 0; i < keys.size(); ++i) {
        waiters[keys[i]].emplace(key, i);
        if (const auto seen = objects.find(keys[i])) show(key, begun, i, seen);
    }
    if (begun.over() || others) due_.add(key);
    else due_.add_after(key, std::min<std::chrono::nanoseconds>(task.settings.timeout, kRecheck));
}

// The wait's reader is called here, on a watch thread: what it throws concerns this wait and no other.
void WaitBoard::show(const std::string& key, Wait& wait, std::size_t index, const std::optional<Sighting>& now) {
    try {
        if (!now) wait.tracker.judge(index, kube::StatusCode::not_found, "Resource not found");
        else if (kube::is_older(now->resource_version, wait.at_least[index])) return;
        else show_sighting(wait.tracker, index, *now);
    } catch (const std::exception&) {
        wait.defect = std::current_exception();
    }
    if (wait.over()) due_.add(key);
}

void WaitBoard::on_sighting(const TargetCluster& cluster, const kube::ObjectKey& object, const std::optional<Sighting>& now) {
    const std::lock_guard lock(mutex_);
    const auto there = by_object_.find(cluster.id());
    if (there == by_object_.end()) return;
    const auto at = there->second.find(object);
    if (at == there->second.end()) return;
    for (const auto& [key, index] : at->second) show(key, *waits_.at(key), index, now);
}

bool WaitBoard::supersede(const std::string& key, const std::string& trigger) {
    const std::lock_guard lock(mutex_);
    const auto at = waits_.find(key);
    if (at == waits_.end()) return false;
    at->second->superseded = trigger;
    due_.add(key, Priority::user);
    return true;
}

bool WaitBoard::waiting(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    return waits_.contains(key);
}

std::size_t WaitBoard::size() const {
    const std::lock_guard lock(mutex_);
    return waits_.size();
}

// What no watch has told by now is read: objects without our labels, or of kinds that cannot be watched.
void WaitBoard::read_unknown(const std::string& key, std::stop_token stop) {
    std::vector<std::size_t> indices;
    std::vector<kube::ObjectRef> refs;
    Target target;
    {
        const std::lock_guard lock(mutex_);
        const auto at = waits_.find(key);
        if (at == waits_.end()) return;
        Wait& wait = *at->second;
        target = wait.target;
        const bool first = !std::exchange(wait.looked, true); // the watches are about to tell of what was written
        for (std::size_t i = 0; i < wait.refs.size(); ++i) {
            if (first && !wait.at_least[i].empty()) continue;
            const auto seen = target.cluster->objects().find(wait.refs[i].key());
            const bool told = seen && !kube::is_older(seen->resource_version, wait.at_least[i]);
            if (told && !(kube::needs_pods(seen->whole) && seen->status.code == kube::StatusCode::in_progress)) continue;
            indices.push_back(i);
            refs.push_back(wait.refs[i]);
        }
    }
    if (refs.empty()) return;
    auto read = target.client->get_all(refs, 8, {}, {.stop = stop, .timeout = target.cluster->is_local() ? std::chrono::milliseconds(0) : kRemoteRead});
    std::vector<std::vector<Object>> pods(refs.size());
    for (std::size_t k = 0; k < refs.size(); ++k)
        if (read[k] && kube::needs_pods(*read[k])) pods[k] = gitops::pods_of(*target.client, *read[k], stop);
    const std::lock_guard lock(mutex_);
    const auto at = waits_.find(key);
    if (at == waits_.end()) return;
    Wait& wait = *at->second;
    for (std::size_t k = 0; k < indices.size(); ++k) {
        kube::Observation seen{.state = kube::Observation::State::unknown, .object = {}, .error = {}};
        if (read[k]) {
            seen.state = kube::Observation::State::present;
            seen.object = std::move(*read[k]);
        } else if (read[k].error().http_status == 404) {
            seen.state = kube::Observation::State::absent;
        } else {
            seen.error = std::move(read[k].error());
        }
        wait.tracker.observe(indices[k], seen, pods[k]);
    }
}

// As read_unknown, but what that throws ends the wait.
void WaitBoard::look(const std::string& key, std::stop_token stop) {
    try {
        read_unknown(key, std::move(stop));
    } catch (const std::exception&) {
        const std::lock_guard lock(mutex_);
        if (const auto at = waits_.find(key); at != waits_.end()) at->second->defect = std::current_exception();
    }
}

std::optional<WaitBoard::Ended> WaitBoard::settle(const std::string& key, std::unique_ptr<Wait>& over) {
    const auto at = waits_.find(key);
    if (at == waits_.end()) return std::nullopt;
    Wait& wait = *at->second;
    const auto now = steady_clock::now();
    std::optional<Ended> ended;
    if (wait.superseded) ended = Ended{key, gitops::Superseded{*wait.superseded}};
    else if (wait.defect) ended = Ended{key, gitops::HealthEnd{}, wait.defect};
    else if (wait.tracker.ended()) ended = Ended{key, wait.tracker.conclude(false)};
    else if (now >= wait.deadline) ended = Ended{key, wait.tracker.conclude(true)};
    if (!ended) {
        due_.add_after(key, std::min<std::chrono::nanoseconds>(wait.deadline - now, kRecheck));
        return std::nullopt;
    }
    const auto there = by_object_.find(wait.target.cluster->id());
    for (std::size_t i = 0; i < wait.refs.size(); ++i) {
        const auto object = there->second.find(wait.refs[i].key());
        object->second.erase({key, i});
        if (object->second.empty()) there->second.erase(object);
    }
    if (there != by_object_.end() && there->second.empty()) by_object_.erase(there); // gone already: of a wait for nothing, when another's end took it
    over = std::move(at->second);
    waits_.erase(at);
    return ended;
}

std::optional<WaitBoard::Ended> WaitBoard::next(std::stop_token stop) {
    while (const auto key = due_.next(stop)) {
        std::optional<Ended> ended;
        std::unique_ptr<Wait> over; // with its hold on the cluster, which must not end under our lock
        bool going_on = false, remote = false;
        {
            const std::lock_guard lock(mutex_);
            const auto at = waits_.find(*key);
            going_on = at != waits_.end() && !at->second->over();
            remote = going_on && !at->second->target.cluster->is_local();
        }
        if (remote) remote_.add(*key);
        else if (going_on) look(*key, stop);
        {
            const std::lock_guard lock(mutex_);
            due_.done(*key);
            ended = settle(*key, over);
        }
        if (ended) return ended;
    }
    return std::nullopt;
}

void WaitBoard::read_remote(std::stop_token stop) {
    while (const auto key = remote_.next(stop)) {
        look(*key, stop);
        remote_.done(*key);
        const std::lock_guard lock(mutex_);
        if (const auto at = waits_.find(*key); at != waits_.end() && at->second->over()) due_.add(*key);
    }
}

} // namespace weber::agent
