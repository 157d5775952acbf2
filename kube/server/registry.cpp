#include "kube/server/registry.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>

namespace weber::kube::server {
namespace {

struct ParsedVersion {
    int major = 0, stage = 0, minor = 0; // stage: 3 GA, 2 beta, 1 alpha
};

std::optional<ParsedVersion> parse(std::string_view v) {
    if (v.empty() || v[0] != 'v') return std::nullopt;
    std::size_t i = 1;
    ParsedVersion p;
    const auto number = [&](int& out) {
        const std::size_t from = i;
        while (i < v.size() && v[i] >= '0' && v[i] <= '9') out = out * 10 + (v[i++] - '0');
        return i > from;
    };
    if (!number(p.major)) return std::nullopt;
    p.stage = 3;
    if (i == v.size()) return p;
    if (v.substr(i).starts_with("beta"))
        p.stage = 2, i += 4;
    else if (v.substr(i).starts_with("alpha"))
        p.stage = 1, i += 5;
    else
        return std::nullopt;
    if (!number(p.minor) || i != v.size()) return std::nullopt;
    return p;
}

std::atomic<std::uint64_t> g_generation = 0;

using Words = std::set<std::string>;

// What a subresource of this name can do, whatever its parent.
SubresourceInfo subresource_info(std::string_view name, std::string_view parent_kind) {
    if (name == "scale") return {"Scale", {"get", "patch", "update"}};
    if (name == "binding") return {"Binding", {"create"}};
    if (name == "eviction") return {"Eviction", {"create"}};
    if (name == "token") return {"TokenRequest", {"create"}};
    if (name == "finalize") return {std::string(parent_kind), {"update"}};
    if (name == "log") return {std::string(parent_kind), {"get"}};
    if (name == "exec" || name == "attach" || name == "portforward" || name == "proxy") {
        const std::string base = parent_kind == "Pod" ? "Pod" : std::string(parent_kind);
        const std::string word = name == "exec" ? "Exec" : name == "attach" ? "Attach" : name == "proxy" ? "Proxy" : "PortForward";
        return {base + word + "Options", {"create", "get"}};
    }
    return {std::string(parent_kind), {"get", "patch", "update"}};
}

template <class Out, class In>
Out collect(const In& in) {
    Out out;
    for (const auto& x : in) out.insert(out.end(), std::string(x));
    return out;
}

ResourceInfo first_facts(const ResourceFacts& facts) {
    ResourceInfo r;
    r.group = facts.group;
    r.plural = facts.plural;
    r.singular = facts.singular;
    r.kind = facts.kind;
    r.list_kind = r.kind + "List";
    r.namespaced = facts.namespaced;
    r.verbs = collect<Words>(facts.verbs);
    r.short_names = collect<std::vector<std::string>>(facts.short_names);
    r.categories = collect<std::vector<std::string>>(facts.categories);
    return r;
}

// events.k8s.io shows the core group's events, so both share one place and shape in the store.
void join_events(ResourceInfo& named) {
    named.store_id = "/events";
    for (auto& v : named.versions) v.storage = false;
    VersionInfo stored;
    stored.name = "core";
    stored.api_version = "v1";
    stored.schema = find_builtin_type("", "v1", "Event");
    stored.storage = true;
    stored.served = false;
    named.versions.push_back(std::move(stored));
}

// kube-apiserver serves alpha and beta versions only when told to.
bool served_by_default(std::string_view version) { return version.find("alpha") == std::string_view::npos && version.find("beta") == std::string_view::npos; }

std::vector<ResourcePtr> load_built_in() {
    std::vector<ResourceInfo> list;
    for (const ResourceFacts& facts : builtin_resources()) {
        if (!served_by_default(facts.version)) continue;
        const auto same = [&](const ResourceInfo& r) { return r.group == facts.group && r.plural == facts.plural; };
        auto it = std::find_if(list.begin(), list.end(), same);
        if (it == list.end()) it = list.insert(list.end(), first_facts(facts));
        VersionInfo& version = it->versions.emplace_back();
        version.name = facts.version;
        version.api_version = facts.group.empty() ? std::string(facts.version) : std::string(facts.group) + "/" + std::string(facts.version);
        version.schema = find_builtin_type(facts.group, facts.version, facts.kind);
        if (!version.schema) version.schema = &deduced_schema();
        if (facts.group.empty() && facts.plural == "endpoints") {
            version.deprecated = true;
            version.deprecation_warning = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
        }
        if (facts.group.empty() && facts.plural == "componentstatuses") {
            version.deprecated = true;
            version.deprecation_warning = "v1 ComponentStatus is deprecated in v1.19+";
        }
        for (const auto name : facts.subresources) version.subresources.emplace(std::string(name), subresource_info(name, facts.kind));
    }
    std::vector<ResourcePtr> out;
    for (auto& r : list) {
        std::sort(r.versions.begin(), r.versions.end(),
                  [](const VersionInfo& a, const VersionInfo& b) { return version_before(a.name, b.name); });
        r.versions.front().storage = true;
        if (r.group == "events.k8s.io") join_events(r);
        out.push_back(std::make_shared<const ResourceInfo>(std::move(r)));
    }
    return out;
}

// Groups as kube-apiserver's discovery orders them; others follow by name.
constexpr std::array<std::string_view, 22> kGroupOrder{
    "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
    "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io",
    "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io"};

std::size_t group_rank(std::string_view g) {
    return static_cast<std::size_t>(std::find(kGroupOrder.begin(), kGroupOrder.end(), g) - kGroupOrder.begin());
}

} // namespace

bool version_before(std::string_view a, std::string_view b) {
    const auto x = parse(a), y = parse(b);
    if (x && y) {
        if (x->stage != y->stage) return x->stage > y->stage;
        if (x->major != y->major) return x->major > y->major;
        return x->minor > y->minor;
    }
    if (x.has_value() != y.has_value()) return x.has_value();
    return a < b;
}

const VersionInfo* ResourceInfo::version(std::string_view name) const {
    for (const auto& v : versions)
        if (v.name == name && v.served) return &v;
    return nullptr;
}

const VersionInfo& ResourceInfo::storage_version() const {
    for (const auto& v : versions)
        if (v.storage) return v;
    return versions.front();
}

std::shared_ptr<const Registry> Registry::built_in() {
    static const std::shared_ptr<const Registry> shared = [] {
        auto r = std::make_shared<Registry>();
        r->builtin_ = load_built_in();
        r->finish();
        return r;
    }();
    return shared;
}

std::shared_ptr<const Registry> Registry::with_custom(std::vector<ResourcePtr> custom) const {
    auto r = std::make_shared<Registry>();
    r->builtin_ = builtin_;
    r->custom_ = std::move(custom);
    r->finish();
    return r;
}

void Registry::finish() {
    generation_ = ++g_generation;
    std::map<std::pair<std::size_t, std::string>, Group> groups;
    for (const auto* list : {&builtin_, &custom_}) {
        for (const auto& r : *list) {
            by_id_.emplace(r->group + "/" + r->plural, r);
            Group& g = groups[{group_rank(r->group), r->group}];
            g.name = r->group;
            g.resources.push_back(r);
            for (const auto& v : r->versions)
                if (v.served && std::find(g.versions.begin(), g.versions.end(), v.name) == g.versions.end()) g.versions.push_back(v.name);
        }
    }
    for (auto& [key, g] : groups) {
        std::sort(g.versions.begin(), g.versions.end(), version_before);
        std::sort(g.resources.begin(), g.resources.end(),
                  [](const ResourcePtr& a, const ResourcePtr& b) { return a->plural < b->plural; });
        groups_.push_back(std::move(g));
    }
}

ResourcePtr Registry::find_id(std::string_view id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
}

ResourcePtr Registry::find(std::string_view group, std::string_view version, std::string_view plural) const {
    auto r = find_id(std::string(group) + "/" + std::string(plural));
    return r && r->version(version) ? r : nullptr;
}

ResourcePtr Registry::find_kind(std::string_view group, std::string_view kind) const {
    for (const auto& g : groups_) {
        if (g.name != group) continue;
        for (const auto& r : g.resources)
            if (r->kind == kind && r->verbs.contains("get")) return r;
    }
    return nullptr;
}

bool Registry::has_group(std::string_view group) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const Group& g) { return g.name == group; });
}

bool Registry::custom_group(std::string_view group) const {
    return std::none_of(builtin_.begin(), builtin_.end(), [&](const ResourcePtr& r) { return r->group == group; });
}

bool Registry::has_version(std::string_view group, std::string_view version) const {
    for (const auto& g : groups_)
        if (g.name == group) return std::find(g.versions.begin(), g.versions.end(), version) != g.versions.end();
    return false;
}

} // namespace weber::kube::server
