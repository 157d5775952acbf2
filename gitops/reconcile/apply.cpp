#include "gitops/reconcile/apply.h"

#include <algorithm>
#include <set>

#include "gitops/reconcile/apply_stage.h"
#include "gitops/reconcile/health.h"
#include "gitops/reconcile/served_kinds.h"

namespace weber::gitops {

namespace {

bool is_current(const Object& o) {
    const auto status = kube::compute_flux_status(o);
    return status && status->code == kube::StatusCode::current;
}

// After definitions and classes: all must be Current (apply.md 2.2). What the API server's last answer shows to be Current is not read again.
std::optional<Error> wait_for_stage(kube::Client& client, std::string_view name, const ApplyStage& stage, const ApplySettings& settings,
                                    const ApplyProgress& progress, std::stop_token stop) {
    std::vector<kube::ObjectRef> refs;
    const Object* first = nullptr;
    for (const StageItem& item : stage.items()) {
        if (item.settled ? item.settled->current : is_current(item.best())) continue;
        if (first == nullptr) first = &item.desired;
        refs.push_back(kube::ref_of(item.best()));
    }
    if (refs.empty()) return std::nullopt;
    HealthProgress report;
    if (progress.waiting)
        report = [&](std::size_t ready, std::size_t total, const auto& waiting) { progress.waiting(name, ready, total, waiting); };
    auto end = wait_healthy(client, refs, {.timeout = settings.stage_timeout, .fail_fast = false}, report, std::move(stop));
    if (!end) return std::move(end.error());
    if (end->healthy) return std::nullopt;
    Error error{.code = end->timed_out ? ErrorCode::timeout : ErrorCode::invalid, .message = std::move(end->message), .where = first->where()};
    for (std::string& line : end->details) error.details.push_back({.reason = "NotReady", .message = std::move(line), .field = {}});
    return error;
}

Inventory to_create(const ApplyStage& stage) {
    Inventory out;
    for (const StageItem& item : stage.items())
        if (item.action == Action::created) out.push_back({item.best().key(), std::string(item.best().version())});
    return out;
}

} // namespace

ChangeSet apply_staged(kube::Client& client, std::vector<Object> objects, const ApplySettings& settings, const ApplyProgress& progress,
                       std::stop_token stop, const BeforeCreate& before_create) {
    ChangeSet result;
    auto ignore = DriftIgnoreRules::make(settings.ignore);
    if (!ignore) {
        result.errors.push_back(std::move(ignore.error()));
        return result;
    }
    std::vector<Object> planned = settings.planned; // definitions and namespaces that a dry run only pretends to make
    std::set<kube::GroupKind> defined;              // by definitions of the stages before
    for (Stage& s : stages_of(std::move(objects), settings.custom_stage_kinds)) {
        if (stop.stop_requested()) {
            result.errors.push_back({.code = ErrorCode::cancelled, .message = "the apply was cancelled"});
            return result;
        }
        const std::string_view name = s.name;
        const bool wait = s.wait;
        ApplyStage stage(client, std::move(s), settings, *ignore, defined, progress, stop);
        bool ok = stage.check();
        if (!ok && settings.dry_run) {
            stage.forgive_missing(planned);
            ok = stage.errors().empty();
        }
        if (ok && !settings.dry_run && before_create) {
            if (const Inventory objects = to_create(stage); !objects.empty())
                if (auto noted = before_create(objects); !noted) {
                    result.errors.push_back(std::move(noted.error()));
                    return result;
                }
        }
        if (ok && !settings.dry_run) ok = stage.write();
        if (!ok) {
            result.errors = std::move(stage.errors());
            result.unfinished = stage.written();
            return result;
        }
        std::ranges::move(stage.changes(), std::back_inserter(result.changes));
        for (const StageItem& item : stage.items())
            if (auto kind = defined_kind(item.desired)) defined.insert(std::move(*kind));
        if (settings.dry_run) {
            for (const StageItem& item : stage.items())
                if (item.action == Action::created) planned.push_back(item.desired);
        } else if (wait) {
            if (auto error = wait_for_stage(client, name, stage, settings, progress, stop)) {
                result.errors.push_back(std::move(*error));
                return result;
            }
            const auto defines = [](const Change& c) { return c.key.kind == "CustomResourceDefinition" && is_change(c.action); };
            if (std::ranges::any_of(stage.written(), defines)) client.discovery().invalidate();
        }
    }
    return result;
}

std::vector<kube::GroupKind> parse_stage_kinds(std::string_view text) {
    std::vector<kube::GroupKind> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view item = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        while (item.starts_with(' ')) item.remove_prefix(1);
        while (item.ends_with(' ')) item.remove_suffix(1);
        if (item.empty()) continue;
        const std::size_t slash = item.find('/');
        if (slash == item.npos)
            out.push_back({"", std::string(item)});
        else
            out.push_back({std::string(item.substr(0, slash)), std::string(item.substr(slash + 1))});
    }
    return out;
}

} // namespace weber::gitops
