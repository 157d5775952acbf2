// `diff kustomization`: what applying a directory here would change in the cluster (cli.md 2.5).
#include <algorithm>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/diff_report.h"
#include "agent/flux/local_build.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/inventory.h"
#include "gitops/reconcile/json_diff.h"
#include "gitops/reconcile/order.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/json.h"

namespace weber::agent {

namespace {

constexpr std::size_t kInFlight = 8;

// What the server adds to every object, and what no source sets.
Node comparable(const Object& o) {
    Node out = o.root();
    out.erase("status");
    if (Node* metadata = out.find_mut("metadata"))
        for (const char* field : {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}) metadata->erase(field);
    return out;
}

struct Difference {
    std::string text; // of all objects
    bool any = false;
    std::vector<Error> errors = {};
};

std::string report_of(Object live, Object merged, const std::vector<std::string>& secret_values) {
    gitops::mask_secrets(live, merged, secret_values);
    return diff_report(comparable(live), comparable(merged));
}

void diff_one(const Object& wanted, const std::optional<Object>& live, const Result<kube::Written>& merged, const std::vector<std::string>& secret_values, Difference& out) {
    const std::string subject = "► " + wanted.subject() + " ";
    if (!merged) {
        Error refused = gitops::dry_run_error(wanted, merged.error());
        refused.object.clear(); // its text begins with it
        out.errors.push_back(std::move(refused));
        return;
    }
    if (!live) {
        out.text += subject + "created\n";
        out.any = true;
        return;
    }
    if (!gitops::has_drifted(*live, merged->object)) return;
    out.text += subject + "drifted\n" + report_of(*live, merged->object, secret_values) + "\n";
    out.any = true;
}

bool skipped(const Object& wanted, const std::optional<Object>& live) {
    if (gitops::is_excluded(wanted) || (live && gitops::is_excluded(*live))) return true;
    return live && gitops::only_if_absent(wanted);
}

// What is in the inventory and not in the build.
Result<gitops::Inventory> pruned_by(const LocalBuild& build) {
    const Node* status = build.live && build.kustomization.spec.prune ? build.live->at({"status"}) : nullptr;
    if (status == nullptr) return gitops::Inventory{};
    TRY(const gitops::Inventory old, gitops::read_inventory(*status));
    gitops::Inventory now;
    for (const Object& o : build.objects) now.push_back({o.key(), std::string(o.version())});
    gitops::Inventory gone = gitops::stale(old, now);
    std::ranges::reverse(gone); // shown in the order of an apply
    return gone;
}

Result<Difference> diff_of(kube::Client& client, const LocalBuild& build) {
    Difference out;
    std::vector<Object> wanted = build.objects;
    std::vector<kube::ObjectRef> refs;
    for (const Object& o : wanted) refs.push_back(kube::ref_of(o));
    const auto found = client.get_all(refs, kInFlight);
    std::vector<std::optional<Object>> live(wanted.size());
    std::vector<Object> asked;
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (found[i]) live[i] = *found[i];
        else if (found[i].error().code != ErrorCode::not_found) {
            out.errors.push_back(Error(found[i].error()).on(wanted[i].subject()));
            continue;
        }
        if (skipped(wanted[i], live[i])) {
            out.text += "► " + wanted[i].subject() + " skipped\n";
            continue;
        }
        asked.push_back(wanted[i]);
        index.push_back(i);
    }
    kube::ApplyOptions options;
    options.field_manager = std::string(gitops::kFieldManager);
    options.force = true;
    options.dry_run = true;
    const auto merged = client.apply_all(asked, options, kInFlight);
    for (std::size_t i = 0; i < asked.size(); ++i) diff_one(asked[i], live[index[i]], merged[i], build.secret_values, out);
    gitops::mask_secret_values(out.errors, build.secret_values);

    if (!out.errors.empty()) return out;
    TRY(const gitops::Inventory gone, pruned_by(build));
    for (const gitops::InventoryEntry& e : gone) {
        out.text += "► " + e.key.subject() + " deleted\n";
        out.any = true;
    }
    return out;
}

Node json_entry(const kube::ObjectKey& key, std::string_view version, std::string_view change, Node patch) {
    return Node::map({{"apiVersion", Node::string((key.group.empty() ? "" : key.group + "/") + std::string(version))},
                      {"kind", Node::string(key.kind)},
                      {"namespace", Node::string(key.ns)},
                      {"name", Node::string(key.name)},
                      {"change", Node::string(change)},
                      {"patch", std::move(patch)}});
}

// For programs: what differs as JSON patches, with the rules of Flux's drift detection (json_diff.h).
Result<bool> diff_as_json(const Invocation& in, kube::Client& client, const std::vector<LocalBuild>& builds) {
    bool any = false;
    std::vector<Error> errors;
    Node out = Node::list();
    for (const LocalBuild& build : builds) {
        const gitops::JsonDiffSettings settings{.field_manager = std::string(gitops::kFieldManager),
                                                .ignore = build.kustomization.spec.ignore,
                                                .exclude = {{std::string(gitops::kReconcileKey), "disabled"}, {std::string(gitops::kSsaKey), "Ignore"}},
                                                .mask_secrets = true,
                                                .graceful = true,
                                                .in_flight = kInFlight,
                                                .secret_values = build.secret_values};
        TRY(gitops::JsonDiffSet set, gitops::json_diffs(client, build.objects, settings));
        any = any || set.has_changes();
        for (gitops::JsonDiff& d : set.entries) out.push_back(json_entry(d.desired.key(), d.desired.version(), to_string(d.type), std::move(d.patch)));
        if (set.errors.empty()) {
            TRY(const gitops::Inventory gone, pruned_by(build));
            for (const gitops::InventoryEntry& e : gone) out.push_back(json_entry(e.key, e.version, "delete", Node::list()));
            any = any || !gone.empty();
        }
        std::ranges::move(set.errors, std::back_inserter(errors));
    }
    in.io.out << kube::write_json(out) << "\n";
    if (errors.empty()) return any;
    for (std::size_t i = 1; i < errors.size(); ++i) in.io.failure(errors[i]);
    return fail(std::move(errors.front()));
}

Result<bool> diff(const Invocation& in) {
    const std::string format = in.flags.text("output");
    if (!format.empty() && format != "json") return fail(ErrorCode::invalid, "--output must be json, not " + format);
    TRY(std::string ns, namespace_of(in));
    TRY(const LocalBuildOptions options, local_build_options(in, std::move(ns)));
    TRY_VOID(check(options));
    TRY(const Session session, open_session(in));
    TRY(const std::vector<LocalBuild> builds, build_locally(options, &session.client()));
    if (!format.empty()) return diff_as_json(in, session.client(), builds);
    bool any = false;
    std::vector<Error> errors;
    for (const LocalBuild& build : builds) {
        TRY(const Difference d, diff_of(session.client(), build));
        if (&build != &builds.front() && d.any) in.io.out << "📁 Kustomization/" << build.kustomization.name.to_string() << " changed\n";
        in.io.out << d.text;
        any = any || d.any;
        errors.insert(errors.end(), d.errors.begin(), d.errors.end());
    }
    if (errors.empty()) return any;
    for (std::size_t i = 1; i < errors.size(); ++i) in.io.failure(errors[i]);
    return fail(errors.front());
}

Result<int> run(Invocation& in) {
    const auto any = diff(in);
    if (!any) {
        in.io.failure(any.error());
        return kUsage; // 2: an error; 1 means differences
    }
    if (!*any) return kOk;
    in.io.err << "⚠️ identified at least one change, exiting with non-zero exit code\n"; // one blank, unlike other warnings: flux prints it so
    return kFailed;
}

} // namespace

Command diff_command() {
    Command ks{.name = "kustomization",
               .args = "NAME",
               .summary = "Show what applying a directory here would change",
               .about = "Exit status: 0 nothing, 1 at least one change, 2 an error. Values of Secrets are masked.",
               .aliases = {"ks"},
               .flags = local_build_flags(),
               .run = run};
    ks.flags.push_back({.name = "progress-bar", .kind = FlagKind::boolean, .help = "accepted for compatibility: there is none", .default_text = "true", .hidden = true});
    ks.flags.push_back({.name = "output", .help = "json: each object with the JSON patch that is missing; labels and annotations that would only go are left out", .letter = 'o'});
    ks.flags.push_back({.name = "ignore-not-found", .kind = FlagKind::boolean, .help = "a Kustomization that the cluster lacks is new"});
    return {.name = "diff", .summary = "Compare a Kustomization built here with the cluster", .inherited = session_flags(), .children = {std::move(ks)}};
}

} // namespace weber::agent
