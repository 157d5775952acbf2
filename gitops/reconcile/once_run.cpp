#include "gitops/reconcile/once_run.h"

#include <algorithm>

#include "gitops/api/names.h"
#include "gitops/reconcile/dependencies.h"
#include "gitops/reconcile/finalize.h"
#include "gitops/reconcile/health_expressions.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/reconcile/ready_expression.h"
#include "gitops/reconcile/status_writer.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kMaxThreads = 256; // most of them wait
constexpr std::chrono::seconds kStatusTimeout{10};

bool is_good(KustomizationState s) { return s != KustomizationState::failed && s != KustomizationState::blocked; }

std::vector<std::string> texts(const std::vector<NamespacedName>& names) {
    std::vector<std::string> out;
    for (const NamespacedName& n : names) out.push_back(n.to_string());
    return out;
}

kube::ObjectRef kustomization_ref(const NamespacedName& name) { return {{std::string(kKustomizeGroup), "v1", "Kustomization"}, name.ns, name.name}; }

// What a dry run takes for the object: as it is wanted, with the identity and the status of the one in the cluster.
Object planned(const Object& declared, const std::optional<Object>& live) {
    Object out = declared;
    if (!live) return out;
    for (std::string_view key : {"uid", "resourceVersion", "generation", "finalizers", "deletionTimestamp"})
        if (const Node* value = live->at({"metadata", key})) out.metadata_mut().set(key, *value);
    if (const Node* status = live->root().find("status")) out.root().set("status", *status);
    return out;
}

Phase end_phase(KustomizationState s) {
    switch (s) {
    case KustomizationState::failed: return Phase::failed;
    case KustomizationState::blocked: return Phase::blocked;
    case KustomizationState::suspended: return Phase::suspended;
    case KustomizationState::removed: return Phase::removed;
    case KustomizationState::ready:
    case KustomizationState::planned: break;
    }
    return Phase::ready;
}

} // namespace

// A place among the Kustomizations that build and apply at once.
class OnceRun::Slot {
public:
    explicit Slot(std::counting_semaphore<>& slots) : slots_(slots) { take(); }
    ~Slot() {
        if (held_) slots_.release();
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    void take() {
        slots_.acquire();
        held_ = true;
    }
    void give() {
        slots_.release();
        held_ = false;
    }

private:
    std::counting_semaphore<>& slots_;
    bool held_ = false;
};

// Progress goes on; events are not sent, for who runs once reads the result. Of the statuses between the steps only a grown inventory is written: new
// objects must be known before they are made.
class OnceRun::Observer final : public RunObserver {
public:
    Observer(OnceRun& run, Object live, KustomizationStatus status) : live(std::move(live)), written(std::move(status)), run_(run) {}

    Result<void> on_status(const KustomizationStatus& status) override {
        if (!status.inventory || !grew(*status.inventory)) return {};
        written.inventory = status.inventory;
        TRY(live, patch_status(run_.client_, live, written, {.timeout = kStatusTimeout}));
        return {};
    }
    void on_event(const Event&) override {}
    void on_progress(const Progress& p) override {
        if (p.phase == Phase::health) waiting = p.waiting_for;
        run_.say(p);
    }

    std::vector<std::string> waiting; // what the present wait still waits for
    Object live; // as it is after the last write
    KustomizationStatus written;

private:
    [[nodiscard]] bool grew(const Inventory& now) const {
        return std::ranges::any_of(now, [&](const InventoryEntry& e) {
            return !written.inventory || std::ranges::find(*written.inventory, e.key, &InventoryEntry::key) == written.inventory->end();
        });
    }
    OnceRun& run_;
};

OnceRun::OnceRun(kube::Client& client, const OnceOptions& options, OnceSources& sources, std::vector<Object> planned, ProgressSink* progress,
                 std::stop_token stop)
    : client_(client), options_(options), sources_(sources), progress_(progress), stop_(std::move(stop)), remote_({.stop = stop_}),
      slots_(static_cast<std::ptrdiff_t>(std::max<std::size_t>(options.concurrency, 1))), planned_(std::move(planned)) {
    settings_.dry_run = options.dry_run;
    settings_.prune = options.prune;
    settings_.dry_runs_in_flight = options.dry_runs_in_flight;
    settings_.post_build = options.post_build;
    settings_.cache = &cache_;
    settings_.own = &client_;
    settings_.remote = &remote_;
}

OnceRun::~OnceRun() = default;

void OnceRun::say(Progress progress) {
    if (progress_ == nullptr) return;
    const std::lock_guard lock(saying_);
    progress_->on_progress(progress);
}

std::vector<KustomizationResult> OnceRun::run(const Kustomization& root) {
    add({}, root.object.key(), "v1", &root.object, root.object.where());
    std::unique_lock lock(mutex_);
    for (;;) {
        if (start_ready()) continue;
        if (running_ > 0) changed_.wait(lock);
        else if (!decide_pending()) break;
    }
    lock.unlock();
    for (auto& [name, member] : members_)
        if (member->thread.joinable()) member->thread.join();
    return in_order();
}

// ---- finding -----------------------------------------------------------------------------------------------------

void OnceRun::add(const NamespacedName& parent, const kube::ObjectKey& key, const std::string& version, const Object* declared, const Where& where) {
    const NamespacedName name{key.ns, key.name};
    auto member = std::make_unique<Member>(Member{.name = name, .parent = parent, .k = Kustomization{}});
    if (declared != nullptr)
        if (auto parsed = parse_kustomization(*declared)) member->declared = std::move(*parsed);
    const auto read = [&]() -> Result<Kustomization> {
        Result<std::optional<Object>> found = client_.find({{key.group, version, key.kind}, key.ns, key.name}, {}, {.stop = stop_});
        const bool plan = options_.dry_run && declared != nullptr;
        if (!found && plan && found.error().code == ErrorCode::not_found) found = std::nullopt; // not even the kind is there yet
        TRY(const std::optional<Object> live, std::move(found));
        if (plan) return parse_kustomization(planned(*declared, live));
        if (!live) return fail(Error{.code = ErrorCode::not_found, .message = "the object is gone", .where = where, .object = key.subject()});
        return parse_kustomization(*live);
    };
    member->k = read();
    if (!member->k) member->k = fail(Error(member->k.error()).at(where).on(key.subject()));
    member->planned_removal = options_.dry_run && declared == nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (members_.contains(name)) return;
        std::vector<NamespacedName> needs;
        if (member->k)
            for (const Dependency& d : member->k->spec.depends_on) needs.push_back(d.name);
        graph_.set(name, std::move(needs));
        members_.emplace(name, std::move(member));
        changed_.notify_all();
    }
    say({.name = name, .phase = Phase::found, .parent = parent});
}

// Kustomizations among what a run applied or pruned.
void OnceRun::discover(const NamespacedName& parent, const ChangeSet& changes, const std::vector<Object>& objects) {
    for (const Change& c : changes.changes) {
        if (c.key.kind != "Kustomization" || c.key.group != kKustomizeGroup || c.action == Action::skipped || c.action == Action::unknown) continue;
        const auto declared = std::ranges::find_if(objects, [&](const Object& o) { return o.key() == c.key; });
        if (c.action == Action::deleted && !options_.dry_run) { // gone for good, or waiting for its finalizer
            const auto live = client_.find(kustomization_ref({c.key.ns, c.key.name}), {}, {.stop = stop_});
            if (live && !*live) continue;
        }
        add(parent, c.key, c.version, c.action != Action::deleted && declared != objects.end() ? &*declared : nullptr, c.where);
    }
}

// ---- who may run -------------------------------------------------------------------------------------------------

OnceRun::Settled OnceRun::settle(const Member& member) const {
    Settled out;
    if (!member.k || member.k->object.deleting() || member.k->spec.suspend || member.planned_removal) return out; // needs nobody
    for (const Dependency& d : member.k->spec.depends_on) {
        const auto it = members_.find(d.name);
        if (it == members_.end()) {
            if (!ready_outside_.contains({member.name, d.name})) out.missing.push_back(d.name);
        } else if (it->second->state != Member::State::ended) {
            out.open.push_back(d.name);
        } else if (!d.ready_expr.empty() && !options_.dry_run) {
            if (!ready_outside_.contains({member.name, d.name})) out.missing.push_back(d.name); // its expression decides, over what the cluster has
        } else if (!is_good(it->second->result.state) || it->second->result.state == KustomizationState::removed) {
            out.not_ready.push_back(d.name);
        } else if (it->second->result.state == KustomizationState::suspended && !ready_outside_.contains({member.name, d.name})) {
            out.missing.push_back(d.name); // what it was before it was suspended counts: the cluster knows
        }
    }
    out.ready = out.open.empty() && out.missing.empty() && out.not_ready.empty();
    return out;
}

// True when something changed.
bool OnceRun::start_ready() {
    bool any = false;
    for (auto& [name, member] : members_) {
        if (member->state != Member::State::pending) continue;
        const Settled s = settle(*member);
        if (s.ready && running_ < kMaxThreads) {
            start(*member);
            any = true;
        } else if (!s.not_ready.empty()) {
            block(*member, "dependency '" + s.not_ready.front().to_string() + "' is not ready", s.not_ready, std::nullopt);
            any = true;
        } else {
            std::vector<std::string> waits = texts(s.open);
            for (const NamespacedName& n : s.missing) waits.push_back(n.to_string());
            std::string said;
            for (const std::string& w : waits) said += w + " ";
            if (said == member->said) continue;
            member->said = said;
            say({.name = name, .phase = Phase::waiting, .parent = member->parent, .waiting_for = std::move(waits)});
        }
    }
    return any;
}

// A dependency of the Kustomization as the source has it, which knows its line.
const Dependency& OnceRun::written_dependency(const Member& member, const NamespacedName& on) {
    const std::vector<Dependency>& written = (member.declared ? *member.declared : *member.k).spec.depends_on;
    const auto found = std::ranges::find(written, on, &Dependency::name);
    return found != written.end() ? *found : *std::ranges::find(member.k->spec.depends_on, on, &Dependency::name);
}

void OnceRun::block_in_cycle(Member& member) {
    if (member.state != Member::State::pending) return;
    const std::vector<NamespacedName> cycle = graph_.cycle_from(member.name);
    const std::string text = cycle_message(cycle);
    const auto in_cycle = [&](const Dependency& d) { return std::ranges::find(cycle, d.name) != cycle.end(); };
    const auto via = std::ranges::find_if(member.k->spec.depends_on, in_cycle);
    block(member, text, graph_.dependencies(member.name),
          Error{.code = ErrorCode::invalid, .message = text,
                .where = via != member.k->spec.depends_on.end() ? written_dependency(member, via->name).where : Where{},
                .object = member.k->object.subject(), .hint = "take one of these dependencies out of spec.dependsOn"});
}

// Nothing runs, so nothing more will be found: cycles end here, and dependencies outside this run are looked up. True when something changed.
bool OnceRun::decide_pending() {
    for (auto& [name, member] : members_) {
        if (member->state != Member::State::pending) continue;
        const std::vector<NamespacedName> cycle = graph_.cycle_from(name);
        if (!cycle.empty()) {
            for (const NamespacedName& n : cycle) block_in_cycle(*members_.at(n));
            if (member->state == Member::State::pending) block_in_cycle(*member); // leads into it
            return true;
        }
    }
    for (auto& [name, member] : members_) {
        if (member->state != Member::State::pending) continue;
        const Settled s = settle(*member);
        if (!s.open.empty() || s.missing.empty()) continue;
        const NamespacedName& missing = s.missing.front();
        const auto dependency = std::ranges::find(member->k->spec.depends_on, missing, &Dependency::name);
        const auto source = sources_.resolve(member->k->spec.source, stop_);
        const auto problem = dependency_problem(*member->k, *dependency, client_.get(kustomization_ref(missing), {}, {.stop = stop_}),
                                                source ? source->revision : std::string(), evaluate_ready_expression);
        if (problem) {
            Error e{.code = ErrorCode::invalid, .message = problem->message, .where = written_dependency(*member, missing).where,
                    .object = member->k->object.subject()};
            if (!problem->terminal) e.hint = "nothing in the source makes it ready: correct the name in spec.dependsOn, or add the Kustomization";
            block(*member, problem->message, {missing}, std::move(e),
                  problem->terminal ? std::optional(Terminal{"InvalidCELExpression", problem->message, true}) : std::nullopt);
        } else {
            ready_outside_.emplace(name, missing);
        }
        return true;
    }
    return false;
}

void OnceRun::start(Member& member) {
    member.state = Member::State::running;
    ++running_;
    member.thread = std::jthread([this, &member] { end(member, work(member)); });
}

void OnceRun::block(Member& member, const std::string& message, std::vector<NamespacedName> waits_for, std::optional<Error> error,
                    const std::optional<Terminal>& terminal) {
    KustomizationResult r{.name = member.name, .parent = member.parent, .state = KustomizationState::blocked,
                          .reason = terminal ? terminal->reason : "DependencyNotReady",
                          .message = message, .error = std::move(error), .waits_for = texts(waits_for), .path = member.k->spec.path};
    if (const auto status = read_status(member.k->object)) {
        const RunContext run = run_context(*member.k);
        const Outcome outcome = terminal ? Outcome(*terminal) : Outcome(DependencyNotReady{message});
        const Conclusion end = conclude(*status, run, outcome, kube::system_clock().now(), {});
        write_status(*member.k, member.k->object, *status, end.status, r);
    }
    member.state = Member::State::ended;
    member.result = std::move(r);
    say({.name = member.name, .phase = Phase::blocked, .parent = member.parent, .waiting_for = member.result.waits_for, .message = message});
}

void OnceRun::end(Member& member, KustomizationResult result) {
    result.name = member.name;
    result.parent = member.parent;
    say({.name = member.name, .phase = end_phase(result.state), .parent = member.parent,
         .message = result.error ? result.error->to_string() : result.message, .elapsed = result.took});
    const std::lock_guard lock(mutex_);
    member.state = Member::State::ended;
    member.result = std::move(result);
    --running_;
    changed_.notify_all();
}

// ---- one of them -------------------------------------------------------------------------------------------------

KustomizationResult OnceRun::work(const Member& member) {
    Slot slot(slots_);
    const auto began = kube::system_clock().monotonic();
    KustomizationResult r;
    if (stop_.stop_requested()) r.error = Error{.code = ErrorCode::cancelled, .message = "stopped before it began"};
    else if (!member.k) r.error = member.k.error();
    else if (member.k->object.deleting() || member.planned_removal) r = finalize_one(*member.k);
    else r = reconcile_one(member, slot);
    if (r.message.empty() && r.error) r.message = r.error->message;
    if (member.k) r.path = member.k->spec.path;
    r.took = kube::system_clock().monotonic() - began;
    return r;
}

// The error names the line in the source where it can.
Result<void> OnceRun::check_supported(const Member& member) const {
    const Features can{.post_build = bool(options_.post_build), .decryption = bool(options_.post_build), .expressions = true, .ignore_rules = true,
                       .impersonation = bool(options_.act_as)};
    auto checked = check_features(*member.k, can);
    if (checked || !member.declared) return checked;
    const auto in_source = check_features(*member.declared, can);
    return in_source ? checked : in_source;
}

// Acting as spec.serviceAccountName, or the run's own.
Result<kube::Client*> OnceRun::client_of(const Kustomization& k) {
    if (k.spec.service_account.empty()) return &client_;
    if (!options_.act_as) TRY_VOID(check_features(k, {.post_build = true, .decryption = true, .expressions = true, .ignore_rules = true, .remote_cluster = true}));
    const std::string user = "system:serviceaccount:" + k.name.ns + ":" + k.spec.service_account;
    const std::lock_guard lock(mutex_);
    std::shared_ptr<kube::Client>& kept = clients_[user];
    if (!kept) {
        TRY(kept, options_.act_as(user));
    }
    return kept.get();
}

// Then nothing can be deleted in its name, and Flux lets go of the objects (kustomization.md 5.3).
Result<bool> OnceRun::account_is_gone(const Kustomization& k) {
    if (k.spec.service_account.empty()) return false;
    TRY(const std::optional<Object> account, client_.find({{"", "v1", "ServiceAccount"}, k.name.ns, k.spec.service_account}, {.metadata_only = true}, {.stop = stop_}));
    return !account;
}

kube::RequestCounts OnceRun::counts_of_others() const {
    const std::lock_guard lock(mutex_);
    kube::RequestCounts out;
    for (const auto& [user, client] : clients_)
        if (client) out = out + client->counts();
    return out;
}

KustomizationResult OnceRun::reconcile_one(const Member& member, Slot& slot) {
    const Kustomization& k = *member.k;
    KustomizationResult r;
    const auto before = read_status(k.object);
    if (!before) {
        r.error = before.error();
        return r;
    }
    const RunContext context = run_context(k);
    const auto conclude_now = [&](const Outcome& outcome, const Object& live) {
        const Conclusion end = conclude(*before, context, outcome, kube::system_clock().now(), {});
        write_status(k, live, *before, end.status, r);
    };
    if (k.spec.suspend) {
        conclude_now(SuspendedRun{}, k.object);
        r.state = KustomizationState::suspended;
        r.message = "Reconciliation is suspended";
        return r;
    }
    if (auto can = check_supported(member); !can) {
        r.error = can.error();
        conclude_now(Terminal{"UnsupportedField", can.error().message}, k.object);
        return r;
    }
    auto health = HealthExpressions::compile(k.spec.health_expressions);
    if (!health) {
        r.error = health.error();
        conclude_now(Terminal{"InvalidCELExpression", health.error().message}, k.object);
        return r;
    }
    const auto target = client_of(k);
    if (!target) {
        r.error = target.error();
        return r;
    }
    Object live = k.object;
    if (!options_.dry_run) {
        auto added = add_finalizer(client_, live, {.stop = stop_});
        if (!added) {
            r.error = std::move(added.error()).on(k.object.subject());
            return r;
        }
        live = std::move(*added);
    }
    auto source = sources_.resolve(k.spec.source, stop_);
    if (!source) {
        const Node* kind = member.declared ? member.declared->object.at({"spec", "sourceRef", "kind"}) : nullptr;
        r.error = Error(source.error()).at(kind != nullptr ? kind->where() : Where{}).on(k.object.subject());
        conclude_now(source.error().code == ErrorCode::not_found ? Outcome(source_not_found(k.spec.source))
                                                                 : Outcome(SourceUnreadable{source.error().message}), live);
        return r;
    }
    r.revision = source->revision;

    Observer observer(*this, std::move(live), *before);
    PipelineSettings settings = settings_now();
    settings.health_reader = [reader = health_reader(std::move(*health))](const Kustomization&) { return reader; };
    Run run(k, *before, std::move(*source), settings, **target, observer);
    std::optional<WaitTask> wait = run.until_wait(stop_);
    if (options_.dry_run) remember_planned(run.changes(), run.objects());
    discover(k.name, run.changes(), run.objects());
    if (wait) {
        slot.give(); // a wait holds nobody up
        const auto health = wait_until_healthy(**target, *wait, k.name, &observer, stop_);
        slot.take();
        run.finish(health ? *health : given_up(health.error(), observer.waiting));
    }
    RunResult done = run.result();
    r.changes = std::move(done.changes);
    r.error = std::move(done.error);
    r.warnings = std::move(done.warnings);
    if (r.error && done.path_missing && r.error->where.file.empty() && member.declared) {
        const Node* path = member.declared->object.at({"spec", "path"});
        r.error = std::move(*r.error).at(path != nullptr ? path->where() : Where{}).on(k.object.subject());
    }
    r.steps = std::move(done.steps);
    r.state = r.error ? KustomizationState::failed : options_.dry_run ? KustomizationState::planned : KustomizationState::ready;
    write_status(k, observer.live, observer.written, done.conclusion.status, r);
    return r;
}

PipelineSettings OnceRun::settings_now() {
    PipelineSettings out = settings_;
    const std::lock_guard lock(mutex_);
    out.planned = planned_;
    return out;
}

// What dependents of a planned Kustomization may count on.
void OnceRun::remember_planned(const ChangeSet& changes, const std::vector<Object>& objects) {
    const std::lock_guard lock(mutex_);
    for (const Object& o : objects) {
        if (o.kind() != "Namespace" && o.kind() != "CustomResourceDefinition") continue;
        const auto change = std::ranges::find(changes.changes, o.key(), &Change::key);
        if (change != changes.changes.end() && change->action == Action::created) planned_.push_back(o);
    }
}

Finalized OnceRun::prune_all(const Kustomization& k, const KustomizationStatus& status, Observer& observer) {
    const auto target = client_of(k);
    const auto gone = account_is_gone(k);
    if (!target || !gone) return {.error = target ? gone.error() : target.error()};
    if (k.spec.kube_config) // its objects are in a cluster that this run does not reach
        return {.error = check_features(k, {.post_build = true, .decryption = true, .expressions = true, .ignore_rules = true, .impersonation = true}).error()};
    if (!*gone) return finalize(**target, k, status, options_.dry_run, &observer, {}, stop_);
    return {.done = true, .error = Error{.code = ErrorCode::not_found, .message = "unable to prune objects: ServiceAccount " + k.name.ns + "/" + k.spec.service_account + " is gone",
                                         .object = k.object.subject(), .hint = "delete by hand what the Kustomization had applied"}};
}

KustomizationResult OnceRun::finalize_one(const Kustomization& k) {
    KustomizationResult r;
    const auto status = read_status(k.object);
    if (!status) {
        r.error = status.error();
        return r;
    }
    Observer observer(*this, k.object, *status);
    Finalized done{.done = true};
    if (deletes_on_removal(k.spec, *status)) done = prune_all(k, *status, observer);
    discover(k.name, done.changes, {});
    r.changes = std::move(done.changes);
    r.error = std::move(done.error);
    if (done.done && !options_.dry_run) {
        if (auto removed = remove_finalizer(client_, k.object, {.stop = stop_}); !removed && !r.error) r.error = std::move(removed.error());
    }
    r.state = r.error ? KustomizationState::failed : options_.dry_run ? KustomizationState::planned : KustomizationState::removed;
    return r;
}

// Condition Ready goes into the result; the status into the cluster when it says something new.
void OnceRun::write_status(const Kustomization& k, const Object& live, const KustomizationStatus& before, const KustomizationStatus& after,
                           KustomizationResult& result) {
    if (const Condition* ready = after.find("Ready"); ready != nullptr && !options_.dry_run) {
        result.reason = ready->reason;
        result.message = ready->message;
    }
    if (options_.dry_run || says_the_same(before, after)) return;
    // Also after a stop: what was applied until then must be known.
    if (auto written = patch_status(client_, live, after, {.timeout = kStatusTimeout}); !written && !result.error) {
        result.error = Error(written.error()).with_prefix("failed to update status: ").on(k.object.subject());
        result.state = KustomizationState::failed;
    }
}

std::vector<KustomizationResult> OnceRun::in_order() {
    // A parent counts as a dependency; where that is not possible (cycles), names decide.
    Graph order;
    for (const auto& [name, member] : members_) {
        std::vector<NamespacedName> before = graph_.dependencies(name);
        if (!member->parent.name.empty()) before.push_back(member->parent);
        order.set(name, std::move(before));
    }
    std::vector<KustomizationResult> out;
    if (const auto sorted = order.order()) {
        for (const NamespacedName& name : *sorted) out.push_back(std::move(members_.at(name)->result));
    } else {
        for (auto& [name, member] : members_) out.push_back(std::move(member->result));
    }
    return out;
}

} // namespace weber::gitops
