#include "kube/server/core.h"

#include <algorithm>
#include <map>

#include "kube/server/claim_admission.h"
#include "kube/server/convert.h"
#include "kube/server/crd_values.h"
#include "kube/server/crd.h"
#include "kube/server/engine.h"
#include "kube/server/limits.h"
#include "kube/server/object_meta.h"
#include "kube/server/quota.h"
#include "kube/server/strategy.h"
#include "kube/server/tls.h"
#include "kube/server/typed_decode.h"
#include "kube/server/warnings.h"

namespace weber::kube::server {
namespace {

constexpr int kMaxTries = 1000; // of one optimistic write; each try loses only to a write that won

// Five characters without vowels, as kube-apiserver appends to generateName.
std::string random_suffix() {
    static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    const std::string hex = random_hex(10);
    std::string out;
    for (std::size_t i = 0; i < 5; ++i) {
        const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
        out += kAlphabet[static_cast<std::size_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1])) % kAlphabet.size()];
    }
    return out;
}

Api<void> match_namespace(const Call& call, Node& obj) {
    if (!call.resource->namespaced) {
        erase_meta(obj, "namespace");
        return {};
    }
    const auto ns = meta_text(obj, "namespace");
    if (!ns.empty() && ns != call.path.ns)
        return refuse(bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    set_meta(obj, "namespace", call.path.ns);
    return {};
}

bool may_go(const ResourceInfo& resource, const Node& obj) {
    if (!is_deleting(obj) || !finalizers(obj).empty()) return false;
    if (meta_int(obj, "deletionGracePeriodSeconds") != 0) return false;
    if (resource.group.empty() && resource.plural == "namespaces") {
        const Node* list = obj.find_path({"spec", "finalizers"});
        return !list || list->empty();
    }
    return true;
}

// `there` may be null: gone again since.
ApiError name_taken(const ResourceInfo& resource, const std::string& name, const StoredObject* there) {
    ApiError error = already_exists(resource.plural, resource.group, name);
    if (there != nullptr && there->deleting) error.message = "object is being deleted: " + error.message;
    return error;
}

// The key under which the real server would keep the object in etcd; its messages show it, without the prefix where etcd is not asked.
std::string storage_key(const ResourceInfo& resource, std::string_view ns, std::string_view name, bool dry_run) {
    static const std::map<std::string_view, std::string_view> kOddNames{{"/services", "services/specs"}, {"/endpoints", "services/endpoints"},
                                                                        {"/nodes", "minions"}, {"/replicationcontrollers", "controllers"},
                                                                        {"networking.k8s.io/ingresses", "ingress"}};
    const std::string id = resource.id();
    const auto odd = kOddNames.find(id);
    std::string out = (dry_run ? "/" : "/registry/") + (resource.custom ? resource.group + "/" : std::string());
    out += odd == kOddNames.end() ? resource.plural : std::string(odd->second);
    if (!ns.empty()) out += "/" + std::string(ns);
    return out + "/" + std::string(name);
}

// Deletion begins: the object is finished when its finalizers are gone.
void mark_deleted(Node& obj) {
    set_meta(obj, "deletionTimestamp", now_text());
    meta_mut(obj).set("deletionGracePeriodSeconds", Node::integer(0));
    if (const auto generation = meta_int(obj, "generation"); generation > 0) meta_mut(obj).set("generation", Node::integer(generation + 1));
}

// Of a change only what is new: formats that a definition had already are not named again.
void warn(Call& call, const Node& obj, const Node* live = nullptr) {
    if (call.resource->custom) return;
    const bool definition = call.id() == "apiextensions.k8s.io/customresourcedefinitions";
    const auto before = definition && live != nullptr ? object_warnings(call.id(), *live, nullptr) : std::vector<std::string>();
    const auto in = [](const std::vector<std::string>& list, const std::string& w) { return std::find(list.begin(), list.end(), w) != list.end(); };
    for (auto& w : object_warnings(call.id(), obj, live))
        if (!in(call.warnings, w) && !(w.starts_with("unrecognized format ") && in(before, w))) call.warnings.push_back(std::move(w));
}

} // namespace

RegistryPtr Core::registry() const {
    std::lock_guard lock(registry_mutex_);
    return registry_;
}

void Core::set_registry(RegistryPtr next, const std::function<void()>& with) {
    std::lock_guard lock(registry_mutex_);
    if (with) with();
    registry_ = std::move(next);
}

Node Core::convert(const ResourceInfo& resource, Node obj, const VersionInfo& to) {
    const bool other_version = resource.custom && obj.text_at("apiVersion") != to.api_version;
    Node out = convert_version(resource, std::move(obj), to);
    if (other_version && to.schema != nullptr) { // what the version does not know is not shown
        Node managed;
        if (const Node* m = out.find_path({"metadata", "managedFields"})) managed = *m;
        (void)decode_typed(out, *to.schema, true);
        if (!managed.is_null()) meta_mut(out).set("managedFields", std::move(managed));
    }
    if (resource.custom) default_custom(out, to.open_api); // stored before the schema had the default, or at a version without it
    return out;
}

bool Core::namespace_active(std::string_view ns) const {
    const ObjectPtr o = store.get("/namespaces", "", ns);
    return o && !o->deleting;
}

Api<void> Core::admit_namespace(const Call& call, std::string_view ns) const {
    if (!call.resource->namespaced || ns.empty()) return {};
    const ObjectPtr o = store.get("/namespaces", "", ns);
    if (!o) return refuse(server::not_found("namespaces", "", ns));
    if (!o->deleting) return {};
    ApiError e = forbidden(call.plural(), call.group(), call.path.name,
                           "unable to create new content in namespace " + std::string(ns) + " because it is being terminated");
    e.causes.push_back({"NamespaceTerminating", "namespace " + std::string(ns) + " is being terminated", "metadata.namespace"});
    return refuse(std::move(e));
}

Api<Written> Core::create(Call& call, Node obj, Ack& ack) {
    API_TRY_VOID(match_namespace(call, obj));
    for (const auto field : {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})
        erase_meta(obj, field);
    const std::string given_rv(meta_text(obj, "resourceVersion"));
    const bool generate = meta_text(obj, "name").empty() && !meta_text(obj, "generateName").empty();
    if (generate) set_meta(obj, "name", std::string(meta_text(obj, "generateName")) + random_suffix());
    if (call.path.name.empty()) call.path.name = meta_text(obj, "name");
    obj = track_update(call, Node(), std::move(obj), {});
    API_TRY_VOID(admit_namespace(call, call.path.ns));
    API_TRY_VOID(admit(call, obj, Node()));
    auto made = store_new(call, std::move(obj), ack, !given_rv.empty());
    if (made && !given_rv.empty()) set_meta(made->object, "resourceVersion", given_rv);
    return made;
}

// From an object with managedFields to a stored one.
Api<Written> Core::store_new(Call& call, Node obj, Ack& ack, bool versioned) {
    const ResourceInfo& resource = *call.resource;
    const Strategy strategy = strategy_of(resource, *call.version);
    set_meta(obj, "uid", random_uuid());
    set_meta(obj, "creationTimestamp", now_text());
    erase_meta(obj, "resourceVersion");
    if (strategy.generation)
        meta_mut(obj).set("generation", Node::integer(1)); // other kinds keep what they are given
    if (resource.id() == "/namespaces") meta_mut(obj).get_or_insert("labels").set("kubernetes.io/metadata.name", Node::string(meta_text(obj, "name")));
    API_TRY_VOID(prepare_create(*this, call, obj));
    complete_object(call, obj);
    const std::string name(meta_text(obj, "name"));
    if (auto causes = validate_new(call, obj); !causes.empty()) {
        release(*this, resource, obj);
        return refuse(invalid(resource.kind, resource.group, name, std::move(causes)));
    }
    QuotaGate quotas(*this, call, true);
    auto admitted = check_limits(*this, call, obj, true);
    if (admitted) admitted = quotas.check(obj, Node());
    if (!admitted) {
        release(*this, resource, obj);
        return refuse(std::move(admitted).error());
    }
    warn(call, obj);
    if (call.dry_run) {
        release(*this, resource, obj);
        if (const ObjectPtr there = store.get(resource.id(), call.path.ns, name)) return refuse(name_taken(resource, name, there.get()));
        return Written{std::move(obj), 201};
    }
    if (versioned) { // told last, by the store; a dry run does not get there
        release(*this, resource, obj);
        return refuse(unclassified("resourceVersion should not be set on objects to be created"));
    }
    Node kept = convert(resource, obj, resource.storage_version());
    if (resource.custom && !call.version->storage) obj = convert(resource, kept, *call.version); // defaults of the stored version show
    StoreWrite write{resource.id(), nullptr, to_stored(kept)};
    const ObjectPtr stored = store.commit(std::move(write), ack.expect());
    if (!stored) {
        ack.forget();
        release(*this, resource, obj);
        return refuse(name_taken(resource, name, store.get(resource.id(), call.path.ns, name).get()));
    }
    quotas.charge();
    set_meta(obj, "resourceVersion", std::to_string(stored->rv));
    return Written{std::move(obj), 201};
}

Api<Written> Core::change(Call& call, const ChangeOptions& options, const Change& change, Ack& ack) {
    for (int i = 0; i < kMaxTries; ++i) {
        API_TRY(auto done, try_change(call, options, change, ack));
        if (done) return std::move(*done);
    }
    return refuse(internal_error("too many concurrent changes"));
}

// nullopt: somebody else was faster, try again.
Api<std::optional<Written>> Core::try_change(Call& call, const ChangeOptions& options, const Change& change, Ack& ack) {
    const ResourceInfo& resource = *call.resource;
    const ObjectPtr live_ptr = store.get(resource.id(), call.path.ns, call.path.name);
    if (!live_ptr) {
        if (!options.create_allowed) return refuse(call.not_found());
        API_TRY(Node obj, change(Node()));
        API_TRY_VOID(match_namespace(call, obj));
        if (!options.precondition_uid.empty() || !meta_text(obj, "uid").empty())
            return refuse(conflict(resource.plural, resource.group, call.path.name,
                                   "uid mismatch: the provided object specified uid " +
                                       std::string(options.precondition_uid.empty() ? meta_text(obj, "uid")
                                                                                    : std::string_view(options.precondition_uid)) +
                                       ", and no existing object was found"));
        for (const auto field : {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})
            erase_meta(obj, field);
        API_TRY_VOID(admit_namespace(call, call.path.ns));
        API_TRY_VOID(admit(call, obj, Node()));
        const std::string given_rv(meta_text(obj, "resourceVersion"));
        auto made = store_new(call, std::move(obj), ack);
        if (made && call.dry_run && !given_rv.empty()) set_meta(made->object, "resourceVersion", given_rv);
        if (!made && made.error().reason == "AlreadyExists") return std::nullopt;
        if (!made) return refuse(std::move(made).error());
        return std::move(*made);
    }
    if (!options.precondition_uid.empty() && options.precondition_uid != live_ptr->uid)
        return refuse(conflict(resource.plural, resource.group, call.path.name,
                               "StorageError: invalid object, Code: 4, Key: " + storage_key(resource, call.path.ns, call.path.name, call.dry_run) +
                                   ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
                                   options.precondition_uid + ", UID in object meta: " + live_ptr->uid));
    const Node live = convert(resource, parse_stored(*live_ptr), *call.version);
    API_TRY(Node obj, change(live));
    API_TRY_VOID(match_namespace(call, obj));
    API_TRY_VOID(admit(call, obj, live));
    const Strategy strategy = strategy_of(resource, *call.version);
    if (const auto rv = meta_text(obj, "resourceVersion"); !rv.empty() && rv != std::to_string(live_ptr->rv))
        return refuse(modified_conflict(resource.plural, resource.group, call.path.name));
    else if (rv.empty() && !strategy.unconditional)
        return refuse(invalid(resource.plural, resource.group, call.path.name,
                              {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion"}}));
    // System metadata is the server's: an update can neither set nor remove it.
    Node& meta = meta_mut(obj);
    for (const auto field : {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"}) {
        const Node* old = live.find_path({"metadata", field});
        if (old)
            meta.set(field, *old);
        else
            meta.erase(field);
    }
    if (meta_text(obj, "uid").empty()) set_meta(obj, "uid", live_ptr->uid);
    API_TRY_VOID(prepare_update(*this, call, obj, live, options.subresource));
    complete_object(call, obj);
    if (options.subresource != "status" && strategy.generation && generation_changes(resource, *call.version, obj, live))
        meta_mut(obj).set("generation", Node::integer(meta_int(live, "generation") + 1));
    if (auto causes = validate_change(call, obj, live); !causes.empty())
        return refuse(invalid(resource.kind, resource.group, call.path.name, std::move(causes)));
    API_TRY_VOID(check_limits(*this, call, obj, false));
    QuotaGate quotas(*this, call, false);
    API_TRY_VOID(quotas.check(obj, live));
    API_TRY_VOID(admit_growth(*this, call, obj, live));
    if (options.subresource != "status") warn(call, obj, &live);
    if (same_but_times(obj, live)) {
        // Equal at this version is not equal as stored: what the version does not know is gone once it is written there.
        if (!resource.custom || convert(resource, live, resource.storage_version()) == parse_stored(*live_ptr)) return Written{live, 200};
        obj = live;
    }
    if (call.dry_run) return Written{std::move(obj), 200};
    const bool gone = may_go(resource, obj);
    Node kept = convert(resource, obj, resource.storage_version());
    if (resource.custom && !call.version->storage) obj = convert(resource, kept, *call.version);
    StoreWrite write{resource.id(), live_ptr, to_stored(kept), gone};
    const ObjectPtr stored = store.commit(std::move(write), ack.expect());
    if (!stored) {
        ack.forget();
        return std::nullopt;
    }
    if (gone) release(*this, resource, obj);
    quotas.charge();
    set_meta(obj, "resourceVersion", std::to_string(stored->rv));
    return Written{std::move(obj), 200, gone};
}

Api<Written> Core::remove(Call& call, const DeleteOptions& options, Ack& ack) {
    auto done = remove(*call.resource, call.path.ns, call.path.name, options, ack);
    if (done) done->object = convert(*call.resource, std::move(done->object), *call.version);
    return done;
}

Api<Written> Core::remove(const ResourceInfo& resource, std::string_view ns, std::string_view name,
                          const DeleteOptions& options, Ack& ack) {
    for (int i = 0; i < kMaxTries; ++i) {
        API_TRY(auto done, try_remove(resource, ns, name, options, ack));
        if (done) return std::move(*done);
    }
    return refuse(internal_error("too many concurrent changes"));
}

Api<std::optional<Written>> Core::try_remove(const ResourceInfo& resource, std::string_view ns, std::string_view name,
                                             const DeleteOptions& options, Ack& ack) {
    const ObjectPtr live_ptr = store.get(resource.id(), ns, name);
    if (!live_ptr) return refuse(server::not_found(resource.plural, resource.group, name));
    const std::string rv = std::to_string(live_ptr->rv);
    if (!options.uid.empty() && options.uid != live_ptr->uid)
        return refuse(conflict(resource.kind, resource.group, name,
                               "the UID in the precondition (" + options.uid + ") does not match the UID in record (" +
                                   live_ptr->uid + "). The object might have been deleted and then recreated"));
    if (!options.resource_version.empty() && options.resource_version != rv)
        return refuse(conflict(resource.kind, resource.group, name,
                               "the ResourceVersion in the precondition (" + options.resource_version +
                                   ") does not match the ResourceVersion in record (" + rv +
                                   "). The object might have been modified"));
    const bool is_namespace = resource.group.empty() && resource.plural == "namespaces";
    if (is_namespace && (name == "default" || name == "kube-system" || name == "kube-public"))
        return refuse(forbidden("namespaces", "", name, "this namespace may not be deleted"));
    Node live = parse_stored(*live_ptr);
    Node obj = live;
    using P = DeleteOptions::Propagation;
    const bool orphan = options.propagation == P::orphan || options.orphan_dependents.value_or(false);
    const bool foreground = options.propagation == P::foreground;
    const bool background = options.propagation == P::background || (options.orphan_dependents && !*options.orphan_dependents);
    if (!(is_deleting(live) && finalizers(live).empty())) {
        // What the caller asks for decides; without a word an existing finalizer stays.
        if (orphan || background || foreground) {
            if (!orphan) remove_finalizer(obj, "orphan");
            if (!foreground) remove_finalizer(obj, "foregroundDeletion");
            if (orphan) add_finalizer(obj, "orphan");
            if (foreground) add_finalizer(obj, "foregroundDeletion");
        }
    }
    const bool is_definition = resource.id() == "apiextensions.k8s.io/customresourcedefinitions";
    if (is_definition && !is_deleting(live)) add_finalizer(obj, kCrdFinalizer); // its objects go first
    const bool pending = !finalizers(obj).empty() || (is_namespace && !may_go(resource, [&] {
                                                          Node probe = obj;
                                                          set_meta(probe, "deletionTimestamp", "x");
                                                          return probe;
                                                      }()));
    if (!pending) {
        if (options.dry_run) {
            if (resource.id() == "/pods") mark_deleted(obj);
            return Written{std::move(obj), 200, true};
        }
        StoreWrite write{resource.id(), live_ptr, to_stored(obj), true};
        const ObjectPtr stored = store.commit(std::move(write), ack.expect());
        if (!stored) {
            ack.forget();
            return std::nullopt;
        }
        release(*this, resource, obj);
        set_meta(obj, "resourceVersion", rv);
        if (resource.id() == "/pods") mark_deleted(obj); // the last state of a pod that had no kubelet to wait for
        return Written{std::move(obj), 200, true};
    }
    if (!is_deleting(obj)) {
        if (is_definition) {
            set_meta(obj, "deletionTimestamp", now_text());
            mark_terminating(obj);
        } else if (is_namespace) {
            set_meta(obj, "deletionTimestamp", now_text());
        } else {
            mark_deleted(obj);
        }
        if (is_namespace) obj.get_or_insert("status").set("phase", Node::string("Terminating"));
    }
    if (obj == live || options.dry_run) return Written{std::move(obj), 200};
    StoreWrite write{resource.id(), live_ptr, to_stored(obj)};
    const ObjectPtr stored = store.commit(std::move(write), ack.expect());
    if (!stored) {
        ack.forget();
        return std::nullopt;
    }
    set_meta(obj, "resourceVersion", std::to_string(stored->rv));
    return Written{std::move(obj), 200};
}

Call Core::own_call(const ResourceInfo& resource, std::string_view manager) const {
    Call call;
    call.registry = registry();
    call.resource = call.registry->find_id(resource.id());
    if (call.resource) call.version = &call.resource->storage_version();
    call.manager = manager;
    return call;
}

bool Core::apply(const ResourceInfo& resource, std::string_view ns, std::string_view name, const Node& patch, std::string_view manager) {
    Call call = own_call(resource, manager);
    for (int i = 0; call.resource && i < kMaxTries; ++i) {
        const ObjectPtr live_ptr = store.get(resource.id(), ns, name);
        if (!live_ptr) return false;
        const Node live = parse_stored(*live_ptr);
        auto obj = apply_patch(call, live, patch, true, {});
        if (!obj || same_but_times(*obj, live)) return false;
        complete_object(call, *obj);
        if (store.commit({resource.id(), live_ptr, to_stored(*obj), false}, nullptr)) return true;
    }
    return false;
}

bool Core::edit(const ResourceInfo& resource, std::string_view ns, std::string_view name, const std::function<bool(Node&)>& edit,
                std::string_view manager, std::string_view subresource) {
    for (int i = 0; i < kMaxTries; ++i) {
        const ObjectPtr live_ptr = store.get(resource.id(), ns, name);
        if (!live_ptr) return false;
        const Node live = parse_stored(*live_ptr);
        Node obj = live;
        if (!edit(obj) || obj == live) return false;
        if (!manager.empty()) {
            const Call call = own_call(resource, manager);
            if (!call.resource) return false;
            obj = track_update(call, live, std::move(obj), subresource);
        }
        const bool gone = may_go(resource, obj);
        if (store.commit({resource.id(), live_ptr, to_stored(obj), gone}, nullptr)) {
            if (gone) release(*this, resource, obj);
            return true;
        }
    }
    return false;
}

bool Core::make(const ResourceInfo& resource, Node obj, std::string_view manager) {
    Call call = own_call(resource, manager);
    if (!call.resource) return false;
    call.path.ns = meta_text(obj, "namespace");
    call.path.name = meta_text(obj, "name");
    set_defaults(call, obj);
    const auto ack = std::make_shared<Ack>();
    obj = track_update(call, Node(), std::move(obj), {});
    return store_new(call, std::move(obj), *ack).has_value();
}

} // namespace weber::kube::server
