// `diff kustomization`: what applying a directory here would change in the cluster (cli.md 2.5).
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "agent/commands/commands.h"
#include "agent/flux/diff_report.h"
#include "agent/flux/local_build.h"
#include "gitops/api/names.h"
#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/drift_ignore.h"
#include "gitops/reconcile/inventory.h"
#include "gitops/reconcile/json_diff.h"
#include "gitops/reconcile/order.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/json.h"

namespace weber::agent {

namespace {

constexpr std::size_t kInFlight = 8;

// As flux shows it: all but who owns which field.
Node comparable(const Object& o) {
    Node out = o.root();
    if (Node* metadata = out.find_mut("metadata")) metadata->erase("managedFields");
    return out;
}

struct Difference {
    std::string text; // of all objects
    bool any = false;
    std::vector<Error> errors = {};

    void change(const std::string& line) {
        text += line;
        any = true;
    }
};

// Of values that are masked in the build only the keys can differ.
Object with_hidden_values(Object secret) {
    if (Node* data = secret.root().find_mut("data"))
        for (Node::Entry& e : data->entries_mut()) e.value = Node::string("*****");
    return secret;
}

std::size_t terminal_width(const Io& io) {
    winsize size{};
    return io.out_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kReportWidth;
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

// Compares builds with the cluster: a child Kustomization's changes stand below its own line.
class Differ {
public:
    Differ(const Invocation& in, kube::Client& client, const LocalBuildOptions& options)
        : client_(client), builder_(options, &client), recursive_(options.recursive), width_(terminal_width(in.io)) {}

    Result<Difference> all() {
        TRY(const LocalBuild root, builder_.root());
        return compare(root);
    }

private:
    Result<Difference> compare(const LocalBuild& build) {
        TRY(const gitops::DriftIgnoreRules ignore, gitops::DriftIgnoreRules::make(build.kustomization.spec.ignore));
        Difference out;
        std::vector<kube::ObjectRef> refs;
        for (const Object& o : build.objects) refs.push_back(kube::ref_of(o));
        const auto live = client_.get_all(refs, kInFlight);
        std::vector<Object> asked;
        for (std::size_t i = 0; i < refs.size(); ++i)
            if (!unreadable(live[i]) && !skipped(build.objects[i], present(live[i]))) asked.push_back(build.objects[i]);
        kube::ApplyOptions options;
        options.field_manager = std::string(gitops::kFieldManager);
        options.force = true;
        options.dry_run = true;
        const auto merged = client_.apply_all(asked, options, kInFlight);
        std::size_t answer = 0;
        for (std::size_t i = 0; i < refs.size(); ++i) {
            const Object& wanted = build.objects[i];
            if (unreadable(live[i])) {
                out.errors.push_back(Error(live[i].error()).on(wanted.subject()));
                continue;
            }
            bool made = false;
            if (skipped(wanted, present(live[i]))) out.text += "► " + wanted.subject() + " skipped\n";
            else if (!one(wanted, present(live[i]), merged[answer++], build.secret_values, ignore, made, out)) continue;
            if (recursive_ && !made && is_child(wanted, build.kustomization)) child(wanted, out);
        }
        gitops::mask_secret_values(out.errors, build.secret_values);
        if (!out.errors.empty()) return out;
        TRY(const gitops::Inventory gone, pruned_by(build));
        for (const gitops::InventoryEntry& e : gone) out.change("► " + e.key.subject() + " deleted\n");
        return out;
    }

    static bool unreadable(const Result<Object>& found) { return !found && found.error().code != ErrorCode::not_found; }
    static std::optional<Object> present(const Result<Object>& found) { return found ? std::optional(*found) : std::nullopt; }

    // `made`: the object would be created. False: the server refuses it.
    bool one(const Object& wanted, const std::optional<Object>& live, const Result<kube::Written>& merged, const std::vector<std::string>& secret_values,
             const gitops::DriftIgnoreRules& ignore, bool& made, Difference& out) const {
        const std::string subject = "► " + wanted.subject() + " ";
        const bool recreated = !merged && gitops::only_immutable_causes(merged.error()) && (gitops::may_recreate(wanted) || (live && gitops::may_recreate(*live)));
        if (!merged && !recreated) {
            Error refused = gitops::dry_run_error(wanted, merged.error());
            refused.object.clear(); // its text begins with it
            out.errors.push_back(std::move(refused));
            return false;
        }
        made = recreated || !live;
        if (made) {
            out.change(subject + "created\n");
            return true;
        }
        Object before = ignore.without_ignored(*live, merged->object), after = ignore.without_ignored(merged->object, merged->object);
        const bool masked = is_masked(wanted);
        if (masked && !gitops::has_drifted(with_hidden_values(before), with_hidden_values(after))) return true;
        if (!gitops::has_drifted(before, after)) return true;
        gitops::mask_secrets(before, after, secret_values);
        if (masked) before = with_hidden_values(std::move(before)), after = with_hidden_values(std::move(after));
        out.change(subject + "drifted\n" + diff_report(comparable(before), comparable(after), width_) + "\n");
        return true;
    }

    // What fails in a child does not keep the others from being compared.
    void child(const Object& kustomization, Difference& out) {
        if (!seen_.insert(kustomization.subject()).second) return; // Kustomizations that contain each other
        if (kustomization.at({"spec", "kubeConfig"}) != nullptr) {
            out.text += "⚠️ " + kustomization.subject() + " skipped: diff not supported for remote clusters\n";
            return;
        }
        const auto build = builder_.child(kustomization);
        const auto below = build ? compare(*build) : Result<Difference>(fail(build.error()));
        if (!below) {
            out.errors.push_back(below.error());
            return;
        }
        if (below->any) out.change("📁 " + kustomization.subject() + " changed\n" + below->text);
        out.errors.insert(out.errors.end(), below->errors.begin(), below->errors.end());
    }

    kube::Client& client_;
    LocalBuilder builder_;
    const bool recursive_;
    const std::size_t width_;
    std::set<std::string> seen_ = {};
};

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
    if (options.ignore_not_found && options.file.empty()) return fail(ErrorCode::invalid, "kustomization file is required when assuming new kustomizations");
    TRY(const Session session, open_session(in));
    if (!format.empty()) {
        TRY(const std::vector<LocalBuild> builds, build_locally(options, &session.client()));
        return diff_as_json(in, session.client(), builds);
    }
    TRY(const Difference found, Differ(in, session.client(), options).all());
    in.io.out << found.text;
    if (found.errors.empty()) return found.any;
    for (std::size_t i = 1; i < found.errors.size(); ++i) in.io.failure(found.errors[i]);
    return fail(found.errors.front());
}

Result<int> run(Invocation& in) {
    if (const std::string why = wrong_sources(in.flags); !why.empty()) return in.usage(why);
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
