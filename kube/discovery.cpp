#include "kube/discovery.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "kube/base/json.h"
#include "kube/discovery_read.h"
#include "kube/pause.h"

namespace weber::kube {

namespace {

using namespace discovery_read;
using std::chrono::steady_clock;
using Freshness = DocumentCache::Freshness;

constexpr std::string_view kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

// What the server has of one group.
struct Group {
    std::vector<std::string> versions = {};                        // preferred first
    std::map<std::string, std::vector<ApiResource>> resources = {}; // by version; a version without entry was not read yet
};

std::string version_path(const std::string& group, const std::string& version) {
    return group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
}

const ApiResource* find_kind(const Group& group, const std::string& version, const std::string& kind) {
    const auto it = group.resources.find(version);
    if (it == group.resources.end()) return nullptr;
    const auto at = std::ranges::find(it->second, kind, &ApiResource::kind);
    return at == it->second.end() ? nullptr : &*at;
}

} // namespace

bool ApiResource::can(std::string_view verb) const { return std::ranges::find(verbs, verb) != verbs.end(); }

bool ApiResource::has_subresource(std::string_view name) const { return std::ranges::find(subresources, name) != subresources.end(); }

std::string ApiResource::base_path() const { return version_path(group, version); }

std::string ApiResource::path(std::string_view ns, std::string_view name) const {
    std::string out = base_path();
    if (namespaced && !ns.empty()) out += "/namespaces/" + url_escape(ns);
    out += "/" + resource;
    if (!name.empty()) out += "/" + url_escape(name);
    return out;
}

struct Discovery::Impl {
    Impl(std::shared_ptr<Transport> transport, DiscoveryOptions o) : options(std::move(o)), documents(std::move(transport), options.cache) {}

    const DiscoveryOptions options;
    DocumentCache documents;
    StoppableMutex mutex; // guards the rest, also while the server is asked
    std::chrono::milliseconds timeout{0}; // of the caller that holds it
    bool ask = false; // the next load does not trust what is on disk
    bool loaded = false;
    std::map<std::string, Group> groups;
    std::map<std::string, steady_clock::time_point> misses; // by path, when it was looked up in vain

    // The JSON of `path`; nullopt for 404.
    Result<std::optional<Node>> fetch(const std::string& path, std::string_view accept, Freshness freshness, std::stop_token stop);
    Result<void> load(std::stop_token stop);
    Result<bool> load_root(const std::string& path, std::stop_token stop);
    Result<void> load_group_versions(Group& group, const std::string& name, std::stop_token stop);
    Result<bool> load_version(const std::string& group, const std::string& version, std::stop_token stop);
    void distrust_disk();
    bool missed_lately(const std::string& path);
    Result<void> refresh_version(const std::string& group, const std::string& version, std::stop_token stop);
    Result<void> refresh_group(const std::string& group, std::stop_token stop);
};

Result<std::optional<Node>> Discovery::Impl::fetch(const std::string& path, std::string_view accept, Freshness freshness, std::stop_token stop) {
    auto body = documents.get(path, accept, freshness, stop, timeout);
    if (!body) return fail(std::move(body.error()).with_prefix("discovery: "));
    if (!*body) return std::optional<Node>();
    auto node = read_json(**body);
    if (!node) {
        documents.drop(path);
        return fail(std::move(node.error()).with_prefix("discovery of " + path + ": "));
    }
    return std::optional<Node>(std::move(*node));
}

// /api or /apis. False when the server does not have it.
Result<bool> Discovery::Impl::load_root(const std::string& path, std::stop_token stop) {
    TRY(const auto root, fetch(path, kAggregated, ask ? Freshness::asked : Freshness::recent, stop));
    if (!root) return false;
    if (root->text_at("kind") == "APIGroupDiscoveryList") {
        const Node* items = root->find("items");
        if (!items) return true;
        for (const Node& item : items->items()) {
            const Node* name = item.find_path({"metadata", "name"});
            Group& group = groups[std::string(name ? name->text() : "")];
            const Node* versions = item.find("versions");
            if (!versions) continue;
            for (const Node& v : versions->items()) {
                const std::string version(v.text_at("version"));
                group.versions.push_back(version);
                // A stale version's resources could not be had by the aggregator: read with the first question.
                if (v.text_at("freshness") != "Stale") group.resources[version] = read_aggregated(name ? std::string(name->text()) : "", v);
            }
        }
    } else if (path == "/api") {
        Group& core = groups[""];
        core.versions = string_list(root->find("versions"));
        TRY_VOID(load_group_versions(core, "", stop));
    } else if (const Node* list = root->find("groups")) {
        for (const Node& g : list->items()) {
            Group& group = groups[std::string(g.text_at("name"))];
            group.versions = versions_of(g);
            TRY_VOID(load_group_versions(group, std::string(g.text_at("name")), stop));
        }
    }
    return true;
}

Result<void> Discovery::Impl::load_group_versions(Group& group, const std::string& name, std::stop_token stop) {
    for (const std::string& version : group.versions) {
        const auto list = fetch(version_path(name, version), "application/json", ask ? Freshness::asked : Freshness::recent, stop);
        if (list && *list) group.resources[version] = read_legacy(name, version, **list);
        if (!list && list.error().code == ErrorCode::cancelled) return std::unexpected(list.error());
        // An API service that is down must not hide the other groups.
    }
    return {};
}

Result<void> Discovery::Impl::load(std::stop_token stop) {
    if (loaded) return {};
    groups.clear();
    misses.clear();
    TRY(const bool core, load_root("/api", stop));
    TRY(const bool named, load_root("/apis", stop));
    if (!core && !named) return fail(ErrorCode::not_found, "this is not an API server: it has neither /api nor /apis");
    loaded = true;
    ask = false;
    return {};
}

// The server has something that the documents on disk lack, or the reverse: the next process asks.
void Discovery::Impl::distrust_disk() {
    documents.drop("/api");
    documents.drop("/apis");
}

bool Discovery::Impl::missed_lately(const std::string& path) {
    const auto it = misses.find(path);
    return it != misses.end() && steady_clock::now() - it->second < options.miss_interval;
}

// True when the server has that version now.
Result<bool> Discovery::Impl::load_version(const std::string& group, const std::string& version, std::stop_token stop) {
    const std::string path = version_path(group, version);
    TRY(const auto list, fetch(path, "application/json", Freshness::asked, stop));
    Group& known = groups[group];
    if (!list) {
        known.resources.erase(version);
        std::erase(known.versions, version);
        return false;
    }
    known.resources[version] = read_legacy(group, version, *list);
    distrust_disk();
    if (std::ranges::find(known.versions, version) == known.versions.end()) known.versions.push_back(version);
    return true;
}

Result<void> Discovery::Impl::refresh_version(const std::string& group, const std::string& version, std::stop_token stop) {
    const std::string path = version_path(group, version);
    if (version.empty() || missed_lately(path)) return {};
    TRY_VOID(load_version(group, version, stop));
    misses[path] = steady_clock::now();
    return {};
}

Result<void> Discovery::Impl::refresh_group(const std::string& group, std::stop_token stop) {
    const std::string path = "/apis/" + group;
    if (group.empty()) return refresh_version("", "v1", stop);
    if (missed_lately(path)) return {};
    TRY(const auto found, fetch(path, "application/json", Freshness::asked, stop));
    misses[path] = steady_clock::now();
    if (!found) {
        groups.erase(group);
        return {};
    }
    const std::vector<std::string> versions = versions_of(*found);
    for (const std::string& version : versions) TRY_VOID(load_version(group, version, stop));
    groups[group].versions = versions;
    return {};
}

// One caller's time with the documents; false when it was stopped, or its time was over, before its turn came.
class Discovery::Turn {
public:
    Turn(Impl& impl, std::stop_token stop, std::chrono::milliseconds timeout) : impl_(impl), held_(impl.mutex.lock(std::move(stop), timeout)) {
        if (held_) impl_.timeout = timeout;
    }
    ~Turn() {
        if (held_) impl_.mutex.unlock();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return held_; }
    static std::unexpected<Error> refusal(const std::stop_token& stop) {
        if (stop.stop_requested()) return fail(ErrorCode::cancelled, "discovery: cancelled");
        return fail(ErrorCode::timeout, "discovery: another call's questions were not answered in time");
    }

private:
    Impl& impl_;
    const bool held_;
};

Discovery::Discovery(std::shared_ptr<Transport> transport, DiscoveryOptions options)
    : impl_(std::make_unique<Impl>(std::move(transport), std::move(options))) {}

Discovery::~Discovery() = default;

Result<ApiResource> Discovery::find(const GroupVersionKind& gvk, std::stop_token stop, std::chrono::milliseconds timeout) {
    const Turn turn(*impl_, stop, timeout);
    if (!turn) return turn.refusal(stop);
    TRY_VOID(impl_->load(stop));
    if (const ApiResource* known = find_kind(impl_->groups[gvk.group], gvk.version, gvk.kind)) return *known;
    TRY_VOID(impl_->refresh_version(gvk.group, gvk.version, stop));
    if (const ApiResource* known = find_kind(impl_->groups[gvk.group], gvk.version, gvk.kind)) return *known;
    return fail(ErrorCode::not_found, "no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
}

Result<ApiResource> Discovery::preferred(const GroupKind& kind, std::stop_token stop, std::chrono::milliseconds timeout) {
    const Turn turn(*impl_, stop, timeout);
    if (!turn) return turn.refusal(stop);
    TRY_VOID(impl_->load(stop));
    for (int round = 0; round < 2; ++round) {
        if (round == 1) TRY_VOID(impl_->refresh_group(kind.group, stop));
        const Group& group = impl_->groups[kind.group];
        for (const std::string& version : group.versions)
            if (const ApiResource* known = find_kind(group, version, kind.kind)) return *known;
    }
    return fail(ErrorCode::not_found, "no matches for kind \"" + kind.kind + "\" in group \"" + kind.group + "\"");
}

Result<std::vector<ApiResource>> Discovery::all(std::stop_token stop) {
    const Turn turn(*impl_, stop, {});
    if (!turn) return turn.refusal(stop);
    TRY_VOID(impl_->load(stop));
    std::vector<ApiResource> out;
    for (const auto& [name, group] : impl_->groups)
        for (const std::string& version : group.versions)
            if (const auto it = group.resources.find(version); it != group.resources.end())
                out.insert(out.end(), it->second.begin(), it->second.end());
    return out;
}

void Discovery::invalidate() {
    const std::lock_guard lock(impl_->mutex);
    impl_->loaded = false;
    impl_->ask = true;
}

void Discovery::forget(const std::string& group) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->loaded || impl_->groups.erase(group) == 0) return;
    std::erase_if(impl_->misses, [&](const auto& miss) { return miss.first.starts_with("/apis/" + group) || (group.empty() && miss.first.starts_with("/api/")); });
    impl_->distrust_disk();
}

} // namespace weber::kube
