// `suspend` and `resume` (cli.md 2.3).
#include <algorithm>
#include <future>

#include "agent/commands/commands.h"
#include "agent/flux/requests.h"

namespace weber::agent {

namespace {

Node suspend_patch(bool on) { return Node::map({{"spec", Node::map({{"suspend", Node::boolean(on)}})}}); }

std::vector<std::string> distinct(std::vector<std::string> names) {
    std::vector<std::string> out;
    for (std::string& name : names)
        if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
    return out;
}

Result<std::vector<std::string>> names_in(const Session& s, const FluxKind& kind) {
    kube::ListOptions options;
    options.ns = s.ns;
    TRY(const kube::ObjectList found, s.client().list(kind.gvk(), options, s.call()));
    std::vector<std::string> out;
    for (const Object& o : found.items) out.emplace_back(o.name());
    return out;
}

// An object that is not there is told and passed over.
Result<void> suspend_one(const Invocation& in, const Session& s, const FluxKind& kind, const std::string& name) {
    const auto found = get_object(s, kind, s.ns, name);
    if (!found && found.error().http_status == 404) { // else the kind itself is not there
        in.io.failure(std::string(kind.kind) + " " + name + " not found in " + s.ns + " namespace");
        return {};
    }
    if (!found) return fail(found.error());
    in.io.action("suspending " + std::string(kind.human) + " " + name + " in " + s.ns + " namespace");
    TRY_VOID(merge_patch(s, kind, s.ns, name, suspend_patch(true)));
    in.io.success(std::string(kind.human) + " suspended");
    return {};
}

Result<int> suspend(const Invocation& in, const FluxKind& kind) {
    if (in.args.empty() && !in.flags.on("all")) return fail(name_required(kind.human));
    TRY(const Session s, open_session(in));
    std::vector<std::string> names = distinct(in.args);
    if (names.empty()) {
        TRY(names, names_in(s, kind));
        if (names.empty()) return fail(ErrorCode::not_found, "no objects found");
    }
    bool failed = false;
    for (const std::string& name : names) {
        const auto done = suspend_one(in, s, kind, name);
        if (done) continue;
        if (in.args.empty()) return fail(done.error()); // --all
        in.io.failure("failed suspending " + std::string(kind.kind) + " " + name + " in " + s.ns + " namespace: " + done.error().message);
        failed = true;
    }
    return failed ? kFailed : kOk;
}

// Waits for all at once; says how each ended, by name.
Result<int> await(const Invocation& in, const Session& s, const FluxKind& kind, std::vector<std::string> names) {
    std::ranges::sort(names);
    for (std::size_t i = 0; i < names.size(); ++i) in.io.waiting("waiting for " + std::string(kind.kind) + " reconciliation"); // a line each, as flux's
    std::vector<std::future<Result<Object>>> ends;
    for (const std::string& name : names)
        ends.push_back(std::async(std::launch::async, [&s, &kind, name]() -> Result<Object> {
            TRY(Object object, get_object(s, kind, s.ns, name));
            if (is_static(object)) return object; // nothing to wait for
            return wait_reconciled(s, kind, s.ns, name);
        }));
    std::size_t failed = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const Result<Object> end = ends[i].get();
        const std::string who = std::string(kind.kind) + " " + names[i];
        if (!end) {
            ++failed;
            const std::string generic = std::string(kind.kind) + " reconciliation failed: ";
            std::string why = end.error().message;
            if (why.starts_with(generic)) why.erase(0, generic.size());
            in.io.failure(who + " reconciliation failed: " + why);
            continue;
        }
        in.io.success(who + " reconciliation completed");
        in.io.success(done_text(kind, *end));
    }
    if (failed > 0) return fail(ErrorCode::invalid, "reconciliation failed for " + std::to_string(failed) + " " + std::string(kind.kind) + "(s)");
    return kOk;
}

Result<int> resume(const Invocation& in, const FluxKind& kind) {
    if (in.args.empty() && !in.flags.on("all")) return fail(name_required(kind.human));
    TRY(const Session s, open_session(in));
    std::vector<std::string> names = distinct(in.args);
    if (names.empty()) {
        auto all = names_in(s, kind);
        if (!all) return fail(std::move(all.error()).with_prefix("failed patching objects: "));
        names = std::move(*all);
        if (names.empty()) {
            in.io.failure("no " + std::string(kind.kind) + " objects found in " + s.ns + " namespace");
            return kOk;
        }
    }
    std::vector<std::string> resumed;
    for (const std::string& name : names) {
        const auto found = get_object(s, kind, s.ns, name);
        if (!found && found.error().http_status == 404) {
            in.io.failure(std::string(kind.kind) + " object '" + name + "' not found in " + s.ns + " namespace");
            continue;
        }
        if (!found) return fail(found.error());
        in.io.action("resuming " + std::string(kind.human) + " " + name + " in " + s.ns + " namespace");
        TRY_VOID(merge_patch(s, kind, s.ns, name, suspend_patch(false)));
        in.io.success(std::string(kind.human) + " resumed");
        resumed.push_back(name);
    }
    const bool wait = in.flags.given("wait") ? in.flags.on("wait") : in.args.size() == 1;
    if (!wait || resumed.empty()) return kOk;
    return await(in, s, kind, std::move(resumed));
}

Command one(const FluxKind& kind, bool resumes) {
    Command c{.name = kind.words.size() > 1 ? kind.words[1] : kind.words.front(), .args = "NAME...", .summary = kind.kind};
    for (std::string_view word : kind.words)
        if (word != c.name) c.aliases.push_back(word);
    c.run = [&kind, resumes](Invocation& in) { return resumes ? resume(in, kind) : suspend(in, kind); };
    return c;
}

Command verb(std::string_view name, std::string_view summary, bool resumes) {
    Command c{.name = name, .summary = summary, .inherited = session_flags()};
    c.inherited.push_back({.name = "all", .kind = FlagKind::boolean, .help = "all of the namespace"});
    if (resumes) c.inherited.push_back({.name = "wait", .kind = FlagKind::boolean, .help = "wait until it is reconciled (default for a single name)"});
    Command sources{.name = "source", .summary = "Sources: git, oci, bucket, helm, chart", .aliases = {"sources"}};
    Command images{.name = "image", .summary = "Image automation: repository, policy, update", .aliases = {"images"}};
    for (const FluxKind& kind : flux_kinds()) {
        if (kind.kind == "ExternalArtifact") continue;
        if (kind.parent == "sources") sources.children.push_back(one(kind, resumes));
        else if (kind.parent == "images") images.children.push_back(one(kind, resumes));
        else c.children.push_back(one(kind, resumes));
    }
    c.children.push_back(std::move(sources));
    c.children.push_back(std::move(images));
    return c;
}

} // namespace

Command suspend_command() { return verb("suspend", "Stop reconciling an object for a while", false); }
Command resume_command() { return verb("resume", "Go on reconciling a suspended object", true); }

} // namespace weber::agent
