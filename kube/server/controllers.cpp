#include "kube/server/controllers.h"

#include <algorithm>

#include "kube/server/aggregate.h"
#include "kube/server/api_services.h"
#include "kube/server/crd.h"
#include "kube/server/object_meta.h"
#include "kube/server/quota.h"
#include "kube/server/simulate.h"
#include "kube/server/strategy.h"

namespace weber::kube::server {
namespace {

constexpr std::string_view kCrds = "apiextensions.k8s.io/customresourcedefinitions";
constexpr std::string_view kRoles = "rbac.authorization.k8s.io/clusterroles";
constexpr std::string_view kApiServices = "apiregistration.k8s.io/apiservices";
constexpr std::string_view kQuotas = "/resourcequotas";
constexpr std::string_view kManager = "kube-controller-manager";
constexpr std::string_view kFailAnnotation = "weber.dev/simulate";

} // namespace

Controllers::Controllers(Core& core, ControllerOptions options) : core_(core), options_(std::move(options)) {
    fail_.insert(options_.fail.begin(), options_.fail.end());
}

Controllers::~Controllers() { stop(); }

void Controllers::start() {
    make_api_services(false);
    sync_crds(); // custom resources must be served before the first request
    while (sync_roles()) {
    } // roles like "view" are complete then, too
    for (const auto& resource : core_.store.resources())
        for (const auto& o : core_.store.list(resource, "").objects) push({resource, o->ns, o->name});
    thread_ = std::thread([this] { run(); });
}

void Controllers::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Controllers::push(Key key) {
    {
        std::lock_guard lock(mutex_);
        queue_.insert(std::move(key));
    }
    work_.notify_one();
}

void Controllers::push_quotas(const std::string& ns) {
    for (const auto& quota : core_.store.list(kQuotas, ns).objects) push({std::string(kQuotas), ns, quota->name});
}

void Controllers::push_at(Key key, Clock::time_point when) {
    std::lock_guard lock(mutex_);
    later_.emplace(when, std::move(key)); // from the worker itself, which looks before it sleeps
}

void Controllers::observe(const std::string& resource, const StoreEvent& event) {
    // May run under the store's lock: only queues.
    const StoredObject& o = *event.object;
    {
        std::lock_guard lock(mutex_);
        if (event.type == StoreEvent::Type::deleted)
            removed_.emplace_back(resource, event.object);
        else
            queue_.insert({resource, o.ns, o.name});
        if (resource == kCrds || resource == kRoles) queue_.insert({resource, "", ""}); // all of them together
    }
    work_.notify_one();
}

// What a namespace gets when it is made, and again when somebody removes it.
bool Controllers::every_namespace_has(std::string_view resource, std::string_view name) {
    return (resource == "/serviceaccounts" && name == "default") || (resource == "/configmaps" && name == "kube-root-ca.crt");
}

void Controllers::removed(const std::string& resource, const StoredObject& o) {
    if (resource == kApiServices) make_api_services(true);
    for (const auto& ref : core_.store.dependents(o.uid)) collect({ref.resource, ref.ns, ref.name});
    if (!o.ns.empty()) { // the last object of a terminating namespace, or what each one that stays has
        const ObjectPtr ns = core_.store.get("/namespaces", "", o.ns);
        if (ns && (ns->deleting || every_namespace_has(resource, o.name))) push({"/namespaces", "", o.ns});
        push_quotas(o.ns);
    }
    for (const auto& owner : o.owner_uids) // an owner that waits for its dependents
        if (const auto ref = core_.store.find_uid(owner)) push({ref->resource, ref->ns, ref->name});
    if (const ResourcePtr r = info(resource); r && r->custom) {
        const ObjectPtr crd = core_.store.get(kCrds, "", r->crd_name);
        if (crd && crd->deleting) push({std::string(kCrds), "", ""});
    }
}

void Controllers::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto now = Clock::now();
        while (!later_.empty() && later_.begin()->first <= now) {
            queue_.insert(later_.begin()->second);
            later_.erase(later_.begin());
        }
        if (!removed_.empty()) {
            const auto gone = std::move(removed_.front());
            removed_.pop_front();
            lock.unlock();
            removed(gone.first, *gone.second);
            lock.lock();
        } else if (!queue_.empty()) {
            const Key key = *queue_.begin();
            queue_.erase(queue_.begin());
            lock.unlock();
            sync(key);
            lock.lock();
        } else if (later_.empty()) {
            work_.wait(lock);
        } else {
            work_.wait_until(lock, later_.begin()->first);
        }
    }
}

ResourcePtr Controllers::info(std::string_view store_id) const { return core_.registry()->find_id(store_id); }

void Controllers::sync(const Key& key) {
    if (key.resource == kCrds && key.name.empty()) return sync_crds();
    if (key.resource == kRoles && key.name.empty()) {
        sync_roles();
        return;
    }
    const ObjectPtr o = core_.store.get(key.resource, key.ns, key.name);
    if (!o) return;
    if (key.resource == "/namespaces") sync_namespace(key);
    if (!o->owner_uids.empty() && !o->deleting) sync_owners(key, *o);
    if (o->deleting) sync_finalizers(key, parse_stored(*o));
    const ResourcePtr resource = info(key.resource);
    if (resource && options_.simulate && is_simulated(key.resource)) sync_status(key, *resource, *o);
    if (options_.simulate && key.resource == kQuotas) count_quota(core_, key.ns, key.name);
    if (key.resource == "/pods") push_quotas(key.ns); // one that is done uses nothing any more
    if (!o->ns.empty()) { // something was made while its namespace went away
        const ObjectPtr ns = core_.store.get("/namespaces", "", o->ns);
        if (!ns || ns->deleting) push({"/namespaces", "", o->ns});
    }
}

// ---- namespaces -----------------------------------------------------------------------------------------------------

void Controllers::sync_namespace(const Key& key) {
    const ObjectPtr ns = core_.store.get("/namespaces", "", key.name);
    const ResourcePtr namespaces = info("/namespaces");
    if (!ns || !namespaces) return;
    if (!ns->deleting) {
        if (!core_.store.get("/serviceaccounts", key.name, "default"))
            if (const ResourcePtr accounts = info("/serviceaccounts"))
                core_.make(*accounts,
                           Node::map({{"apiVersion", Node::string("v1")},
                                      {"kind", Node::string("ServiceAccount")},
                                      {"metadata", Node::map({{"name", Node::string("default")}, {"namespace", Node::string(key.name)}})}}),
                           kManager);
        if (!core_.store.get("/configmaps", key.name, "kube-root-ca.crt"))
            if (const ResourcePtr maps = info("/configmaps"))
                core_.make(*maps,
                           Node::map({{"apiVersion", Node::string("v1")},
                                      {"kind", Node::string("ConfigMap")},
                                      {"metadata", Node::map({{"name", Node::string("kube-root-ca.crt")},
                                                              {"namespace", Node::string(key.name)},
                                                              {"annotations", Node::map({{"kubernetes.io/description",
                                                                  Node::string("Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.")}})}})},
                                      {"data", Node::map({{"ca.crt", Node::string(options_.ca_certificate)}})}}),
                           kManager);
        return;
    }
    if (!empty_namespace(key.name)) return; // each deletion of its content comes back here
    core_.edit(*namespaces, "", key.name, [](Node& obj) {
        Node& spec = obj.get_or_insert("spec");
        Node kept = Node::list();
        if (const Node* list = spec.find("finalizers"))
            for (const auto& f : list->items())
                if (f.text() != "kubernetes") kept.push_back(f);
        if (kept.empty())
            spec.erase("finalizers");
        else
            spec.set("finalizers", std::move(kept));
        return true;
    });
}

bool Controllers::empty_namespace(const std::string& ns) {
    bool empty = true;
    for (const auto& id : core_.store.resources_in(ns)) {
        const ResourcePtr resource = info(id);
        for (const auto& o : core_.store.list(id, ns).objects) {
            empty = false;
            if (o->deleting && resource) continue; // waits for a finalizer
            const auto ack = std::make_shared<Ack>();
            DeleteOptions options;
            options.propagation = DeleteOptions::Propagation::background;
            if (resource) core_.remove(*resource, ns, o->name, options, *ack);
        }
    }
    if (!empty) return core_.store.resources_in(ns).empty();
    return true;
}

// ---- custom resource definitions --------------------------------------------------------------------------------------

void Controllers::sync_crds() {
    const auto page = core_.store.list(kCrds, "");
    const auto accepted = crds_.accept(page.objects, now_text());
    std::vector<ResourcePtr> custom;
    for (const auto& a : accepted)
        if (a.resource) custom.push_back(a.resource);
    const RegistryPtr before = core_.registry();
    // Who sees "Established" finds the resource served, and who finds it served sees "Established".
    core_.set_registry(Registry::built_in()->with_custom(std::move(custom)), [&] {
        for (std::size_t i = 0; i < accepted.size(); ++i)
            if (!page.objects[i]->deleting && !accepted[i].status.is_null()) store_status(page.objects[i]->name, accepted[i].status);
    });
    for (std::size_t i = 0; i < accepted.size(); ++i)
        if (page.objects[i]->deleting) end_definition(page.objects[i], accepted[i]);
    end_watches(*before);
    make_api_services(true);
}

// Of what `before` served and the present registry does not.
void Controllers::end_watches(const Registry& before) {
    const RegistryPtr now = core_.registry();
    std::vector<std::string> gone;
    for (const auto& group : before.groups())
        for (const auto& resource : group.resources)
            if (resource->custom && now->find_id(resource->id()) == nullptr) gone.push_back(resource->id());
    if (gone.empty()) return;
    core_.store.wait_durable(core_.store.current_rv()); // they tell of the end of their objects first
    for (const std::string& id : gone) core_.store.wake(id);
}

void Controllers::make_api_services(bool custom) {
    const ResourcePtr resource = info(kApiServices);
    std::set<std::string> wanted;
    for (Node& service : api_services(*core_.registry(), custom)) {
        const std::string name(meta_text(service, "name"));
        wanted.insert(name);
        if (core_.store.get(kApiServices, "", name)) continue;
        core_.make(*resource, std::move(service), "kube-apiserver");
        core_.edit(*resource, "", name, [](Node& obj) {
            mark_local(obj);
            return true;
        });
    }
    if (!custom) return;
    for (const auto& o : core_.store.list(std::string(kApiServices), "").objects) {
        if (wanted.contains(o->name) || !made_for_custom(parse_stored(*o))) continue;
        const auto ack = std::make_shared<Ack>();
        core_.remove(*resource, "", o->name, {}, *ack);
    }
}

void Controllers::store_status(const std::string& definition, const Node& status) {
    core_.edit(*info(kCrds), "", definition, [&](Node& obj) {
        if (is_deleting(obj)) return false;
        obj.set("status", status);
        return true;
    }, "kube-apiserver", "status");
}

// Its objects first, then the definition itself.
void Controllers::end_definition(const ObjectPtr& definition, const AcceptedCrd& accepted) {
    const ResourcePtr crds = info(kCrds);
    std::size_t left = 0;
    if (accepted.resource) {
        for (const auto& o : core_.store.list(accepted.resource->id(), "").objects) {
            if (o->deleting) continue;
            const auto ack = std::make_shared<Ack>();
            core_.remove(*accepted.resource, o->ns, o->name, {}, *ack);
        }
        left = core_.store.count(accepted.resource->id());
    }
    if (left == 0) core_.edit(*crds, "", definition->name, [](Node& obj) { return remove_finalizer(obj, kCrdFinalizer); });
}

// ---- roles that consist of others -------------------------------------------------------------------------------------

bool Controllers::sync_roles() {
    const ResourcePtr resource = info(kRoles);
    bool changed = false;
    std::vector<Node> roles;
    for (const auto& o : core_.store.list(std::string(kRoles), "").objects) roles.push_back(parse_stored(*o));
    for (const Node& role : roles) {
        auto rules = aggregated_rules(role, roles);
        if (!rules) continue;
        const std::string name(meta_text(role, "name"));
        Node patch = Node::map({{"apiVersion", Node::string("rbac.authorization.k8s.io/v1")},
                                {"kind", Node::string("ClusterRole")},
                                {"metadata", Node::map({{"name", Node::string(name)}})}});
        if (!rules->empty()) patch.set("rules", std::move(*rules)); // as Go leaves an empty list out
        changed = core_.apply(*resource, "", name, patch, "clusterrole-aggregation-controller") || changed; // comes back here: roles may build on it
    }
    return changed;
}

// ---- garbage collection ---------------------------------------------------------------------------------------------

bool Controllers::owner_exists(const Node& ref, std::string_view ns) const {
    const auto found = core_.store.find_uid(ref.text_at("uid"));
    if (!found) return false;
    return found->ns.empty() || found->ns == ns;
}

void Controllers::sync_owners(const Key& key, const StoredObject& o) {
    for (const auto& uid : o.owner_uids)
        if (!core_.store.find_uid(uid)) return collect(key);
}

void Controllers::collect(const Key& key) {
    const ObjectPtr o = core_.store.get(key.resource, key.ns, key.name);
    const ResourcePtr resource = info(key.resource);
    if (!o || !resource) return;
    const Node obj = parse_stored(*o);
    Node kept = Node::list();
    if (const Node* refs = obj.find_path({"metadata", "ownerReferences"}))
        for (const auto& ref : refs->items())
            if (owner_exists(ref, key.ns)) kept.push_back(ref);
    if (kept.empty()) {
        if (o->deleting) return;
        const auto ack = std::make_shared<Ack>();
        DeleteOptions options;
        options.propagation = has_finalizer(obj, "orphan")               ? DeleteOptions::Propagation::orphan
                              : has_finalizer(obj, "foregroundDeletion") ? DeleteOptions::Propagation::foreground
                                                                         : DeleteOptions::Propagation::background;
        options.uid = o->uid;
        core_.remove(*resource, key.ns, key.name, options, *ack);
        return;
    }
    core_.edit(*resource, key.ns, key.name, [&](Node& n) {
        meta_mut(n).set("ownerReferences", kept);
        return true;
    });
}

// Foreground deletion waits for the dependents that block; orphaning cuts them loose.
void Controllers::sync_finalizers(const Key& key, const Node& obj) {
    const ResourcePtr resource = info(key.resource);
    if (!resource) return;
    const std::string uid(meta_text(obj, "uid"));
    if (has_finalizer(obj, "orphan")) {
        for (const auto& ref : core_.store.dependents(uid)) {
            const ResourcePtr r = info(ref.resource);
            if (!r) continue;
            core_.edit(*r, ref.ns, ref.name, [&](Node& n) {
                Node kept = Node::list();
                if (const Node* refs = n.find_path({"metadata", "ownerReferences"}))
                    for (const auto& owner : refs->items())
                        if (owner.text_at("uid") != uid) kept.push_back(owner);
                if (kept.empty())
                    erase_meta(n, "ownerReferences");
                else
                    meta_mut(n).set("ownerReferences", std::move(kept));
                return true;
            });
        }
        core_.edit(*resource, key.ns, key.name, [](Node& n) { return remove_finalizer(n, "orphan"); });
    }
    if (!has_finalizer(obj, "foregroundDeletion")) return;
    bool blocked = false;
    for (const auto& ref : core_.store.dependents(uid)) {
        const ObjectPtr o = core_.store.get(ref.resource, ref.ns, ref.name);
        const ResourcePtr r = info(ref.resource);
        if (!o || !r) continue;
        const Node dependent = parse_stored(*o);
        if (const Node* refs = dependent.find_path({"metadata", "ownerReferences"}))
            for (const auto& owner : refs->items())
                if (const Node* b = owner.find("blockOwnerDeletion"); b && owner.text_at("uid") == uid && b->as_bool()) blocked = true;
        if (o->deleting) continue;
        const auto ack = std::make_shared<Ack>();
        DeleteOptions options;
        options.propagation = DeleteOptions::Propagation::foreground;
        core_.remove(*r, ref.ns, ref.name, options, *ack);
        push({ref.resource, ref.ns, ref.name});
    }
    if (blocked) {
        bool left = false;
        for (const auto& ref : core_.store.dependents(uid)) left = left || core_.store.get(ref.resource, ref.ns, ref.name) != nullptr;
        if (left) return; // each dependent's deletion comes back here
    }
    core_.edit(*resource, key.ns, key.name, [](Node& n) { return remove_finalizer(n, "foregroundDeletion"); });
}

// ---- simulated status -------------------------------------------------------------------------------------------------

bool Controllers::told_to_fail(const ResourceInfo& resource, const Node& obj) const {
    if (const Node* a = obj.find_path({"metadata", "annotations", kFailAnnotation}); a && a->text() == "fail") return true;
    const std::string ns(meta_text(obj, "namespace")), name(meta_text(obj, "name"));
    return fail_.contains(resource.kind + "/" + (ns.empty() ? "" : ns + "/") + name);
}

void Controllers::sync_status(const Key& key, const ResourceInfo& resource, const StoredObject& o) {
    const Node live = parse_stored(o);
    Simulation s;
    s.fail = told_to_fail(resource, live);
    s.now = now_text();
    if (options_.rollout_delay.count() > 0 && takes_time(key.resource) && !o.deleting) {
        const std::int64_t generation = meta_int(live, "generation");
        auto [it, fresh] = rollouts_.try_emplace(o.uid, -1, Clock::time_point());
        if (it->second.first != generation) {
            it->second = {generation, Clock::now() + options_.rollout_delay};
            push_at(key, it->second.second);
        }
        s.settled = Clock::now() >= it->second.second;
    }
    if (o.deleting) rollouts_.erase(o.uid);
    core_.edit(
        resource, key.ns, key.name, [&](Node& obj) { return simulate(key.resource, obj, s); }, kManager, "status");
    if (key.resource != "batch/jobs" || o.deleting) return;
    if (const ObjectPtr now = core_.store.get(key.resource, key.ns, key.name)) {
        const long left = job_ttl_left(parse_stored(*now), system_clock().now());
        if (left > 0) push_at(key, Clock::now() + std::chrono::seconds(left));
        if (left == 0) {
            const auto ack = std::make_shared<Ack>();
            DeleteOptions options;
            options.propagation = DeleteOptions::Propagation::foreground;
            core_.remove(resource, key.ns, key.name, options, *ack);
        }
    }
}

} // namespace weber::kube::server
