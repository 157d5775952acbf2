#include "agent/once_report.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <ostream>

#include "agent/once_view.h"
#include "kube/base/join.h"

namespace weber::agent {

using gitops::Action;
using gitops::Change;
using gitops::KustomizationResult;
using gitops::KustomizationState;
using gitops::OnceResult;

namespace {

// A deletion of a run is a prune: nothing else deletes.
std::string_view word(Action action) { return action == Action::deleted ? "pruned" : to_string(action); }

struct Counts {
    std::map<Action, std::size_t> by_action;
    std::size_t kustomizations = 0, good = 0;

    void add(const gitops::ChangeSet& set) {
        for (const Change& c : set.changes) ++by_action[c.action];
    }
    [[nodiscard]] std::size_t of(Action a) const {
        const auto it = by_action.find(a);
        return it == by_action.end() ? 0 : it->second;
    }
};

Counts count(const OnceResult& result) {
    Counts counts;
    counts.add(result.bootstrap);
    for (const KustomizationResult& k : result.kustomizations) {
        counts.add(k.changes);
        ++counts.kustomizations;
        if (k.state != KustomizationState::failed && k.state != KustomizationState::blocked) ++counts.good;
    }
    return counts;
}

std::string indented(const std::string& text) {
    std::string out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out += "    " + text.substr(begin, end - begin) + "\n";
        begin = end + 1;
    }
    return out;
}

// Not what is deleted, which is in the cluster to be looked at, nor the schemas of new definitions: thousands of lines that nobody reads.
bool shows_difference(const Change& c) {
    return c.action != Action::deleted && !(c.action == Action::created && c.key.kind == "CustomResourceDefinition");
}

void print_changes(std::ostream& out, const gitops::ChangeSet& set, const ReportOptions& options) {
    for (const Change& c : set.changes) {
        if (!is_change(c.action)) continue;
        out << c.key.subject() << ' ' << word(c.action);
        if (options.dry_run) out << " (dry run)";
        out << '\n' << (shows_difference(c) ? indented(c.diff) : "");
    }
}

Where shown(Where where, const ReportOptions& options) {
    if (options.source_dir.empty()) return where;
    const std::string dir = options.source_dir + (options.source_dir.ends_with('/') ? "" : "/");
    std::error_code error;
    const std::string whole = std::filesystem::canonical(options.source_dir, error).string() + "/";
    if (!error && where.file.starts_with(whole)) where.file = dir + where.file.substr(whole.size());
    else if (!where.file.empty() && where.file.front() != '/') where.file = dir + where.file;
    return where;
}

std::string detail_text(const kube::ErrorDetail& d) { return (d.field.empty() ? "" : d.field + ": ") + d.message; }

// What went wrong, where, and what to do; nothing twice.
void print_error(std::ostream& out, Error error, const ReportOptions& options) {
    error.where = shown(std::move(error.where), options);
    const std::string hint = std::exchange(error.hint, {});
    out << "  " << error.to_string() << '\n';
    for (const kube::ErrorDetail& d : error.details) {
        const std::string text = detail_text(d);
        if (error.message.find(text) == std::string::npos) out << "    " << text << '\n';
    }
    if (!hint.empty()) out << "  next step: " << hint << '\n';
}

void print_failure(const Io& io, const KustomizationResult& k, const ReportOptions& options) {
    std::string title = "Kustomization " + k.name.to_string();
    if (k.state == KustomizationState::blocked) title += " did not run" + (k.waits_for.empty() ? "" : ": it waits for " + kube::join(k.waits_for, ", "));
    else title += " failed" + (k.reason.empty() ? "" : " (" + k.reason + ")");
    io.failure(title);
    if (k.error) print_error(io.err, *k.error, options);
    else if (!k.message.empty()) io.err << "  " << k.message << '\n';
}

std::string duration_text(std::chrono::nanoseconds d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2fs", std::chrono::duration<double>(d).count());
    return text.data();
}

Node number(std::size_t n) { return Node::integer(static_cast<std::int64_t>(n)); }
Node milliseconds(std::chrono::nanoseconds d) { return Node::integer(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()); }

Node error_node(const Error& e, const ReportOptions& options) {
    Node out = Node::map({{"code", Node::string(to_string(e.code))}, {"message", Node::string(e.message)}});
    if (!e.object.empty()) out.set("object", Node::string(e.object));
    if (const Where where = shown(e.where, options); !where.file.empty()) {
        out.set("file", Node::string(where.file));
        if (where.line != 0) out.set("line", Node::integer(where.line));
    }
    if (!e.details.empty()) {
        Node details = Node::list();
        for (const kube::ErrorDetail& d : e.details) details.push_back(Node::string(detail_text(d)));
        out.set("details", std::move(details));
    }
    if (!e.hint.empty()) out.set("hint", Node::string(e.hint));
    return out;
}

Node changes_node(const gitops::ChangeSet& set, const ReportOptions& options) {
    Node list = Node::list();
    for (const Change& c : set.changes) {
        Node item = Node::map({{"object", Node::string(c.key.subject())}, {"group", Node::string(c.key.group)}, {"kind", Node::string(c.key.kind)}});
        if (!c.key.ns.empty()) item.set("namespace", Node::string(c.key.ns));
        item.set("name", Node::string(c.key.name));
        item.set("action", Node::string(word(c.action)));
        if (!c.reason.empty()) item.set("reason", Node::string(c.reason));
        if (const Where where = shown(c.where, options); !where.file.empty()) item.set("where", Node::string(where.to_string()));
        if (!c.diff.empty()) item.set("diff", Node::string(c.diff));
        list.push_back(std::move(item));
    }
    return list;
}

Node kustomization_node(const KustomizationResult& k, const ReportOptions& options) {
    Node out = Node::map({{"namespace", Node::string(k.name.ns)}, {"name", Node::string(k.name.name)}, {"state", Node::string(to_string(k.state))}});
    if (!k.parent.name.empty()) out.set("parent", Node::string(k.parent.to_string()));
    if (!k.path.empty()) out.set("path", Node::string(k.path));
    if (!k.revision.empty()) out.set("revision", Node::string(k.revision));
    if (!k.reason.empty()) out.set("reason", Node::string(k.reason));
    if (!k.message.empty()) out.set("message", Node::string(k.message));
    if (k.error) out.set("error", error_node(*k.error, options));
    if (!k.warnings.empty()) {
        Node lines = Node::list();
        for (const std::string& line : k.warnings) lines.push_back(Node::string(line));
        out.set("warnings", std::move(lines));
    }
    if (!k.waits_for.empty()) {
        Node names = Node::list();
        for (const std::string& name : k.waits_for) names.push_back(Node::string(name));
        out.set("waitsFor", std::move(names));
    }
    out.set("changes", changes_node(k.changes, options));
    out.set("milliseconds", milliseconds(k.took));
    Node steps = Node::map();
    for (const gitops::StepTime& s : k.steps) steps.set(to_string(s.step), milliseconds(s.took));
    if (!steps.empty()) out.set("steps", std::move(steps));
    return out;
}

} // namespace

void print_report(const Io& io, const OnceResult& result, const ReportOptions& options) {
    print_changes(io.out, result.bootstrap, options);
    for (const KustomizationResult& k : result.kustomizations) print_changes(io.out, k.changes, options);
    io.out.flush();
    for (const KustomizationResult& k : result.kustomizations)
        for (const std::string& warning : k.warnings) io.warning("Kustomization " + k.name.to_string() + ": " + warning);
    for (const KustomizationResult& k : result.kustomizations)
        if (k.state == KustomizationState::failed || k.state == KustomizationState::blocked) print_failure(io, k, options);

    const Counts counts = count(result);
    std::string text = std::to_string(counts.good) + " of " + std::to_string(counts.kustomizations) + " Kustomizations " +
                       (options.dry_run ? "planned" : "ready") + " at " + result.revision + " in " + duration_text(result.took) + ": ";
    for (const Action a : {Action::created, Action::configured, Action::unchanged, Action::deleted})
        text += (a == Action::created ? "" : ", ") + std::to_string(counts.of(a)) + " " + std::string(word(a));
    if (counts.of(Action::skipped) > 0) text += ", " + std::to_string(counts.of(Action::skipped)) + " skipped";
    if (options.dry_run) text += " (dry run, nothing was changed)";
    if (result.ok()) io.success(text);
    else io.failure(text);
}

Node report_node(const OnceResult& result, const ReportOptions& options) {
    const Counts counts = count(result);
    Node summary = Node::map();
    for (const Action a : {Action::created, Action::configured, Action::unchanged, Action::skipped, Action::deleted})
        summary.set(word(a), number(counts.of(a)));
    Node kustomizations = Node::list();
    for (const KustomizationResult& k : result.kustomizations) kustomizations.push_back(kustomization_node(k, options));
    return Node::map({{"ok", Node::boolean(result.ok())},
                      {"dryRun", Node::boolean(options.dry_run)},
                      {"revision", Node::string(result.revision)},
                      {"milliseconds", milliseconds(result.took)},
                      {"summary", std::move(summary)},
                      {"bootstrap", changes_node(result.bootstrap, options)},
                      {"kustomizations", std::move(kustomizations)},
                      {"requests", Node::map({{"reads", number(result.requests.get + result.requests.list + result.requests.watch)},
                                              {"dryRuns", number(result.requests.dry_run)},
                                              {"writes", number(result.requests.writes())}})}});
}

} // namespace weber::agent
