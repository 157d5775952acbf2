#include "gitops/reconcile/apply_stage.h"

#include <algorithm>
#include <span>

#include "gitops/api/names.h"
#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/ca_bundle.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/owned_fields.h"
#include "gitops/reconcile/selectors.h"
#include "gitops/reconcile/served_kinds.h"
#include "gitops/reconcile/takeover.h"
#include "kube/pause.h"
#include "kube/watch.h"

namespace weber::gitops {

namespace {

// Dry runs are sent in pieces of this size, so that progress is seen.
constexpr std::size_t kPiece = 64;

bool exists(const std::optional<Object>& o) { return o && !o->uid().empty(); }

std::string reason_of(const Object& live, const Object& answer) {
    const std::vector<std::string> paths = changed_paths(live, answer);
    std::string out;
    for (std::size_t i = 0; i < paths.size() && i < 4; ++i) out += (out.empty() ? "" : ", ") + paths[i];
    if (paths.size() > 4) out += " and " + std::to_string(paths.size() - 4) + " more";
    return out;
}

// A JSON patch that sets every entry's apiVersion to `version`; null when they all have it (apply.md 3.7).
Node migration_patch(const Object& live, std::string_view version) {
    const Node* entries = live.at({"metadata", "managedFields"});
    if (entries == nullptr) return {};
    if (std::ranges::all_of(entries->items(), [&](const Node& e) { return e.text_at("apiVersion") == version; })) return {};
    Node list = *entries;
    for (Node& e : list.items_mut()) e.set("apiVersion", Node::string(version));
    return Node::list({Node::map({{"op", Node::string("replace")}, {"path", Node::string("/metadata/managedFields")}, {"value", std::move(list)}})});
}

// No such kind yet, in discovery or at its address.
bool not_served(const Error& e) {
    return e.code == ErrorCode::not_found && (e.http_status == 0 || e.message.ends_with("the server could not find the requested resource"));
}

// The read failed for the moment, or was cut short. (A refusal is final: Flux and we go on without the live object then.)
bool is_passing(const Error& e) { return e.retryable() || e.code == ErrorCode::cancelled; }

std::size_t hash_of_rules(const ApplySettings& settings) {
    Node all = Node::list();
    for (const std::string& manager : settings.override_managers) all.push_back(Node::string(manager));
    for (const IgnoreRule& rule : settings.ignore) {
        all.push_back(rule.target);
        for (const std::string& path : rule.paths) all.push_back(Node::string(path));
    }
    return all.hash();
}

} // namespace

ApplyStage::ApplyStage(kube::Client& client, Stage stage, const ApplySettings& settings, const DriftIgnoreRules& ignore,
                       const std::set<kube::GroupKind>& defined, const ApplyProgress& progress, std::stop_token stop)
    : client_(client), stage_(std::move(stage)), settings_(settings), ignore_(ignore), defined_(defined), progress_(progress), stop_(std::move(stop)),
      rules_(hash_of_rules(settings)) {
    items_.reserve(stage_.objects.size());
    for (const Object& o : stage_.objects) items_.push_back({.desired = without_invalid_ca_bundle(o)});
    written_.resize(items_.size());
}

bool ApplyStage::check() {
    recall();
    read_first();
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < items_.size(); ++i)
        if (!items_[i].settled && items_[i].action != Action::skipped && !items_[i].error) all.push_back(i);
    dry_run(all, true);
    await_served();
    read_live();
    for (StageItem& item : items_)
        if (!item.settled && !item.worded && item.action != Action::skipped) item.error ? decide_refused(item) : decide(item);
    return collect_errors();
}

// What nobody touched since the last apply need not be asked for.
void ApplyStage::recall() {
    if (settings_.memory == nullptr || !settings_.seen) return;
    for (StageItem& item : items_) {
        auto seen = settings_.seen(kube::ref_of(item.desired));
        if (!seen) continue;
        auto key = settings_.memory->settled(item.desired, *seen, rules_);
        if (!key) continue;
        item.settled = std::move(seen);
        item.settled_key = std::move(*key);
    }
}

void ApplyStage::remember(const StageItem& item) {
    if (settings_.memory != nullptr && !settings_.dry_run) settings_.memory->record(item.desired, item.best(), owned_hash(item.best(), settings_.override_managers), rules_);
}

// Objects whose own switches may keep them from being applied, and all of them when API versions are migrated before the dry run.
void ApplyStage::read_first() {
    std::vector<std::size_t> indices;
    std::vector<kube::ObjectRef> refs;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        const Object& d = items_[i].desired;
        if (items_[i].settled || (!is_excluded(d) && !only_if_absent(d) && !settings_.migrate_api_version)) continue;
        indices.push_back(i);
        refs.push_back(kube::ref_of(d));
    }
    if (refs.empty()) return;
    auto read = client_.get_all(refs, settings_.concurrency, {}, {.stop = stop_});
    for (std::size_t k = 0; k < indices.size(); ++k) {
        StageItem& item = items_[indices[k]];
        if (read[k]) item.live = std::move(*read[k]);
        // Taken for absent, it would be written over.
        const bool unknown = !read[k] && (is_passing(read[k].error()) || (only_if_absent(item.desired) && read[k].error().http_status != 404 && !not_served(read[k].error())));
        if (is_excluded(item.desired) || (item.live && is_excluded(*item.live)) || (exists(item.live) && only_if_absent(item.desired))) {
            item.action = Action::skipped;
            item.reason = only_if_absent(item.desired) ? "ssa: IfNotPresent, and it is there" : "excluded by label or annotation";
        } else if (unknown) {
            refuse(item, "query failed", std::move(read[k].error()));
        } else if (settings_.migrate_api_version && item.live && !settings_.dry_run) {
            const Node patch = migration_patch(*item.live, item.desired.api_version());
            if (patch.is_null()) continue;
            auto done = client_.patch(kube::ref_of(item.desired), kube::PatchType::json, patch, {.field_manager = std::string(kFieldManager)}, {.stop = stop_});
            if (!done)
                refuse(item, "failed to migrate API version: failed to migrate managed fields API version to " + std::string(item.desired.api_version()),
                       std::move(done.error()));
            else
                item.live = std::move(done->object), item.reason = "API version of field managers";
        }
    }
}

void ApplyStage::refuse(StageItem& item, std::string_view step, Error inner) {
    item.error = step_error(item.desired, step, std::move(inner));
    item.worded = true;
}

void ApplyStage::dry_run(const std::vector<std::size_t>& indices, bool report) {
    const kube::ApplyOptions options{.field_manager = std::string(kFieldManager), .force = true, .dry_run = true};
    for (std::size_t begin = 0; begin < indices.size(); begin += kPiece) {
        const std::size_t end = std::min(begin + kPiece, indices.size());
        if (report && progress_.checking) progress_.checking(stage_.name, begin, indices.size());
        std::vector<Object> objects;
        for (std::size_t k = begin; k < end; ++k) objects.push_back(items_[indices[k]].desired);
        auto answers = client_.apply_all(objects, options, settings_.concurrency, {.stop = stop_});
        for (std::size_t k = begin; k < end; ++k) {
            StageItem& item = items_[indices[k]];
            item.answer.reset();
            item.error.reset();
            if (auto& answer = answers[k - begin])
                item.answer = std::move(answer->object);
            else
                item.error = std::move(answer.error());
        }
    }
    if (report && progress_.checking) progress_.checking(stage_.name, indices.size(), indices.size());
}

// Kinds that a stage before, or somebody else, defined may take a moment until they are served, also after their definition is Established.
void ApplyStage::await_served() {
    if (settings_.dry_run) return;
    const std::vector<std::size_t> promised = not_yet_served();
    const auto deadline = std::chrono::steady_clock::now() + settings_.served_timeout;
    for (std::chrono::milliseconds wait{50};; wait = std::min(wait * 2, std::chrono::milliseconds(1000))) {
        std::vector<std::size_t> indices;
        std::ranges::copy_if(promised, std::back_inserter(indices), [this](std::size_t i) { return items_[i].error && not_served(*items_[i].error); });
        if (indices.empty() || std::chrono::steady_clock::now() + wait > deadline || !kube::pause_for(wait, stop_)) return;
        dry_run(indices, false);
    }
}

// Items of kinds that the API server does not know, yet a definition in the cluster does.
std::vector<std::size_t> ApplyStage::not_yet_served() {
    std::vector<std::size_t> promised, unknown;
    std::set<std::string> groups;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (!items_[i].error || !not_served(*items_[i].error)) continue;
        const kube::GroupVersionKind gvk = items_[i].desired.gvk();
        if (defined_.contains(gvk.group_kind()))
            promised.push_back(i);
        else if (gvk.group.find('.') != std::string::npos) // definitions have no other groups
            unknown.push_back(i), groups.insert(gvk.group);
    }
    if (unknown.empty()) return promised;
    const std::set<kube::GroupVersionKind> kinds = promised_kinds(client_, groups, stop_);
    std::ranges::copy_if(unknown, std::back_inserter(promised), [&](std::size_t i) { return kinds.contains(items_[i].desired.gvk()); });
    return promised;
}

// The objects that are there, and those that were refused: what they carry may exclude or force them.
void ApplyStage::read_live() {
    std::vector<std::size_t> indices;
    std::vector<kube::ObjectRef> refs;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        const StageItem& item = items_[i];
        if (item.settled || item.action == Action::skipped || item.live) continue;
        if (item.answer && item.answer->resource_version().empty()) continue; // absent
        if (item.error && (item.error->http_status == 404 || item.error->http_status == 0)) continue;
        indices.push_back(i);
        refs.push_back(kube::ref_of(item.desired));
    }
    if (refs.empty()) return;
    auto read = client_.get_all(refs, settings_.concurrency, {}, {.stop = stop_});
    for (std::size_t k = 0; k < indices.size(); ++k) {
        StageItem& item = items_[indices[k]];
        if (read[k])
            item.live = std::move(*read[k]);
        else if (is_passing(read[k].error()) && !item.error)
            refuse(item, "query failed", std::move(read[k].error()));
    }
}

void ApplyStage::decide(StageItem& item) {
    const bool migrated = !item.reason.empty();
    if (!item.live || item.answer->resource_version().empty()) {
        item.action = item.answer->resource_version().empty() ? Action::created : Action::configured;
        item.reason = item.action == Action::created ? "new" : "the live object cannot be read";
        return;
    }
    if (is_excluded(*item.live)) {
        item.action = Action::skipped;
        item.reason = "excluded by label or annotation in the cluster";
        return;
    }
    if (!keeps_other_managers(item.desired) && !keeps_other_managers(*item.live)) item.takeover = takeover_patch(*item.live, settings_.override_managers);
    const bool drifted = ignore_.empty() ? has_drifted(*item.live, *item.answer)
                                         : has_drifted(ignore_.without_ignored(*item.live, *item.answer), ignore_.without_ignored(*item.answer, *item.answer));
    if (drifted)
        item.reason = reason_of(*item.live, *item.answer);
    else if (item.takeover.size() > 0)
        item.reason = "fields of other managers are taken over";
    item.action = drifted || item.takeover.size() > 0 || migrated ? Action::configured : Action::unchanged;
    if (item.action != Action::unchanged) return;
    item.answer = item.live; // the dry run's resourceVersion and managedFields are not the live ones
    remember(item);
}

bool ApplyStage::may_force(const StageItem& item) const {
    return settings_.force || may_recreate(item.desired) || (item.live && may_recreate(*item.live));
}

void ApplyStage::decide_refused(StageItem& item) {
    if (item.live && is_excluded(*item.live)) {
        item.action = Action::skipped;
        item.error.reset();
        item.reason = "excluded by label or annotation in the cluster";
        return;
    }
    if (item.live && counts_as_immutable(*item.error) && may_force(item) && recreation_would_pass(item)) {
        item.action = Action::created;
        item.recreate = true;
        item.error.reset();
        item.reason = "immutable field changed: recreated";
        return;
    }
    item.error = dry_run_error(item.desired, std::move(*item.error));
}

// An object is deleted only for what a new one would be allowed: either the causes speak of nothing but immutable fields, or the API server accepts
// the same object under another name.
bool ApplyStage::recreation_would_pass(const StageItem& item) {
    if (only_immutable_causes(*item.error)) return true;
    Object other = item.desired;
    other.set_name(std::string(item.desired.name()).substr(0, 40) + "-weber-check");
    return client_.apply(other, {.field_manager = std::string(kFieldManager), .force = true, .dry_run = true}, {.stop = stop_}).has_value();
}

bool ApplyStage::collect_errors() {
    for (StageItem& item : items_)
        if (item.error) errors_.push_back(*item.error);
    return errors_.empty();
}

void ApplyStage::forgive_missing(const std::vector<Object>& planned) {
    const auto made = [&](const Object& o) {
        return std::ranges::any_of(planned, [&](const Object& p) {
            return (p.kind() == "Namespace" && p.name() == o.ns()) || defined_kind(p) == o.gvk().group_kind();
        });
    };
    errors_.clear();
    for (StageItem& item : items_) {
        if (!item.error) continue;
        const bool missing = item.error->http_status == 404 || item.error->code == ErrorCode::not_found;
        if (!missing || !made(item.desired)) {
            errors_.push_back(*item.error);
            continue;
        }
        item.error.reset();
        item.action = Action::created;
        item.reason = "new, in a namespace or of a kind that is new as well";
    }
}

bool ApplyStage::write() {
    to_write_ = static_cast<std::size_t>(std::ranges::count_if(items_, [](const StageItem& i) { return is_change(i.action); }));
    if (to_write_ == 0) return true;
    if (!recreate()) return false;
    // One kind after the other, in order; the objects of one kind together.
    for (std::size_t begin = 0; begin < items_.size();) {
        std::size_t end = begin + 1;
        const auto together = [&](std::size_t a, std::size_t b) {
            const kube::ObjectKey x = items_[a].desired.key(), y = items_[b].desired.key();
            return x.group_kind() == y.group_kind() && x != y; // of two writes of one object the later one wins
        };
        while (end < items_.size() && together(end - 1, end)) ++end;
        if (!write_run(begin, end)) return false;
        begin = end;
    }
    return true;
}

// Deletes what has to be made anew, waits until it is gone, and checks again before anything is written.
bool ApplyStage::recreate() {
    std::vector<std::size_t> indices;
    std::vector<Object> old;
    for (std::size_t i = 0; i < items_.size() && errors_.empty(); ++i) {
        if (!items_[i].recreate) continue;
        old.push_back(*items_[i].live);
        indices.push_back(i);
        remove_old(items_[i]);
    }
    if (indices.empty()) return true;
    if (errors_.empty()) dry_run(indices, false);
    for (const std::size_t i : indices)
        if (items_[i].error) errors_.push_back(dry_run_error(items_[i].desired, std::move(*items_[i].error)));
    if (errors_.empty()) return true;
    for (std::size_t k = 0; k < indices.size(); ++k) restore(items_[indices[k]], old[k]);
    return false;
}

bool ApplyStage::remove_old(StageItem& item) {
    const kube::ObjectRef ref = kube::ref_of(item.desired);
    auto gone = client_.remove(ref, {.propagation = kube::Propagation::background, .uid = std::string(item.live->uid())}, {.stop = stop_});
    if (!gone && gone.error().http_status != 404) {
        errors_.push_back(step_error(item.desired, "immutable field detected, failed to delete object", std::move(gone.error())));
        return false;
    }
    if (gone && !*gone) {
        const auto is_gone = [](std::size_t, const kube::Observation& seen) { return seen.state == kube::Observation::State::absent; };
        auto end = kube::wait_for(client_, std::span(&ref, 1), is_gone, {.timeout = settings_.recreate_timeout}, stop_);
        if (!end || *end == kube::WaitEnd::timed_out) {
            Error inner = end ? Error{.code = ErrorCode::timeout, .message = "context deadline exceeded"} : std::move(end.error());
            errors_.push_back(step_error(item.desired, "immutable field detected, failed to wait for object to be deleted", std::move(inner)));
            return false;
        }
    }
    item.live.reset();
    item.takeover = {};
    return true;
}

// Nothing of the stage will be written: what was deleted for it comes back as it was. (In Flux it stays away until the next run that succeeds.)
void ApplyStage::restore(StageItem& item, const Object& old) {
    if (item.live) return; // still there
    Object copy = old;
    for (std::string_view field : {"uid", "resourceVersion", "creationTimestamp", "generation", "selfLink"}) copy.metadata_mut().erase(field);
    copy.root().erase("status");
    const auto made = client_.create(copy, {.field_manager = std::string(kFieldManager)}, {});
    Error& error = errors_.front();
    if (made) {
        error.hint = item.desired.subject() + " had been deleted for it and was made again as it was" + (error.hint.empty() ? "" : "; " + error.hint);
    } else {
        error.hint = item.desired.subject() + " had been deleted for it and could not be made again: " + step_error(item.desired, "create failed", made.error()).message;
    }
}

bool ApplyStage::write_run(std::size_t begin, std::size_t end) {
    std::vector<std::size_t> indices;
    std::vector<Object> payloads;
    for (std::size_t i = begin; i < end; ++i) {
        StageItem& item = items_[i];
        if (!is_change(item.action)) continue;
        if (item.takeover.size() > 0) {
            auto done = client_.patch(kube::ref_of(item.desired), kube::PatchType::json, item.takeover, {.field_manager = std::string(kFieldManager)}, {.stop = stop_});
            if (!done) {
                errors_.push_back(step_error(item.desired, "metadata.managedFields cleanup failed", std::move(done.error())));
                return false;
            }
        }
        indices.push_back(i);
        payloads.push_back(item.live && item.answer && !ignore_.empty() ? ignore_.payload(item.desired, *item.live, *item.answer) : item.desired);
    }
    if (indices.empty()) return true;
    // A stop comes between pieces: a write that was sent must be known to have happened, or its object would be tracked nowhere.
    const std::size_t piece = std::max<std::size_t>(settings_.concurrency, 1) * 8;
    for (std::size_t from = 0; from < indices.size() && errors_.empty(); from += piece) {
        if (stop_.stop_requested()) {
            errors_.push_back({.code = ErrorCode::cancelled, .message = "the apply was cancelled"});
            break;
        }
        const std::size_t n = std::min(piece, indices.size() - from);
        auto answers = client_.apply_all(std::span(payloads).subspan(from, n), {.field_manager = std::string(kFieldManager), .force = true}, settings_.concurrency);
        for (std::size_t k = 0; k < n; ++k) {
            StageItem& item = items_[indices[from + k]];
            if (!answers[k]) {
                errors_.push_back(step_error(item.desired, "apply failed", std::move(answers[k].error())));
                continue;
            }
            item.answer = std::move(answers[k]->object);
            remember(item);
            written_[indices[from + k]] = true;
            ++done_;
        }
        if (progress_.applying) progress_.applying(stage_.name, done_, to_write_);
    }
    return errors_.empty();
}

Change ApplyStage::change_of(const StageItem& item) const {
    // The server's answer knows best: a namespace wrongly given to a cluster-scoped object is gone from it.
    const Object& o = item.action == Action::skipped ? (exists(item.live) ? *item.live : item.desired) : item.best();
    Change change{.key = o.key(), .version = std::string(o.version()), .action = item.action, .reason = item.reason, .where = item.desired.where()};
    if (item.settled) {
        change.key = item.settled_key;
        change.resource_version = item.settled->resource_version;
        change.owned = item.settled->owned;
    } else if (item.action != Action::skipped && item.answer) {
        change.resource_version = item.answer->resource_version();
        change.owned = owned_hash(*item.answer, settings_.override_managers);
    } else if (item.action == Action::skipped && exists(item.live) && !is_excluded(item.desired)) {
        change.resource_version = item.live->resource_version();
    }
    if (!settings_.dry_run || !is_change(item.action)) return change;
    if (item.action == Action::configured && item.live && item.answer) {
        change.before = ignore_.without_ignored(*item.live, *item.answer);
        change.after = ignore_.without_ignored(*item.answer, *item.answer);
        change.before->metadata_mut().erase("managedFields");
        change.after->metadata_mut().erase("managedFields");
        mask_secrets(*change.before, *change.after, settings_.secret_values);
    }
    if (item.recreate)
        change.diff = diff_text(&*item.live, &item.desired, settings_.secret_values);
    else
        change.diff = diff_text(item.live ? &*item.live : nullptr, item.answer ? &*item.answer : &item.desired, settings_.secret_values);
    return change;
}

std::vector<Change> ApplyStage::changes() const {
    std::vector<Change> out;
    out.reserve(items_.size());
    for (const StageItem& item : items_) out.push_back(change_of(item));
    return out;
}

std::vector<Change> ApplyStage::written() const {
    std::vector<Change> out;
    for (std::size_t i = 0; i < items_.size(); ++i)
        if (written_[i]) out.push_back(change_of(items_[i]));
    return out;
}

} // namespace weber::gitops
