// `check`: can a cluster run the controllers, and do they run (cli.md 2.12)?
#include <cstdio>

#include "agent/commands/commands.h"
#include "agent/flux/installation.h"

namespace weber::agent {

namespace {

constexpr int kOldestMinor = 32; // Kubernetes 1.32, Flux 2.7's constraint

// Says whether the API server is new enough.
Result<bool> check_version(const Invocation& in, const Session& s) {
    TRY(const Node version, s.client().get_raw("/version", s.call()));
    std::string text(version.text_at("gitVersion"));
    if (text.starts_with('v')) text.erase(0, 1);
    int major = 0, minor = 0;
    if (std::sscanf(text.c_str(), "%d.%d", &major, &minor) != 2) return fail(ErrorCode::invalid, "Kubernetes version \"" + text + "\" cannot be read");
    const std::string constraint = ">=1." + std::to_string(kOldestMinor) + ".0-0";
    if (major > 1 || (major == 1 && minor >= kOldestMinor)) {
        in.io.success("Kubernetes " + text + " " + constraint);
        return true;
    }
    in.io.failure("Kubernetes version " + text + " does not match " + constraint);
    return false;
}

// What cannot be read is said, and the check goes on.
std::vector<Object> readable(const Invocation& in, Result<std::vector<Object>> found, bool& good) {
    if (found) return std::move(*found);
    in.io.failure(found.error());
    good = false;
    return {};
}

Result<bool> check_controllers(const Invocation& in, const Session& s) {
    in.io.action("checking controllers");
    bool good = true;
    std::vector<Object> deployments = readable(in, find_deployments(s), good);
    if (!good) return false;
    if (deployments.empty()) {
        in.io.failure("no controllers found in the '" + s.ns + "' namespace with the label selector '" + kPartOfFlux + "'");
        return false;
    }
    return wait_for_deployments(in, s, std::move(deployments), true);
}

bool check_definitions(const Invocation& in, const Session& s) {
    in.io.action("checking crds");
    bool good = true;
    const std::vector<Object> definitions = readable(in, find_definitions(s), good);
    if (good && definitions.empty()) {
        in.io.failure(std::string("no crds found with the label selector '") + kPartOfFlux + "'");
        return false;
    }
    for (const Object& crd : definitions) {
        const Node* stored = crd.at({"status", "storedVersions"});
        const bool kept = stored && !stored->empty();
        if (kept) in.io.success(std::string(crd.name()) + "/" + std::string(stored->items().back().text()));
        else in.io.failure("no stored versions for " + std::string(crd.name()));
        good = good && kept;
    }
    return good;
}

// Which distribution it is, by the definition of GitRepositories.
bool check_distribution(const Invocation& in, const Session& s) {
    in.io.action("checking version in cluster");
    const auto found = find_installation(s);
    if (!found) in.io.failure("checking failed: " + found.error().message);
    else if (!found->defined) in.io.failure("checking failed: customresourcedefinitions.apiextensions.k8s.io \"gitrepositories.source.toolkit.fluxcd.io\" not found");
    if (!found || !found->defined) return false;
    if (!found->distribution.empty()) in.io.success("distribution: " + found->distribution);
    in.io.success(std::string("bootstrapped: ") + (found->bootstrapped ? "true" : "false"));
    return true;
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.unknown_word();
    in.io.action("checking prerequisites");
    TRY(const Session s, open_session(in));
    TRY(bool good, check_version(in, s));
    if (in.flags.on("pre")) {
        if (!good) return fail(ErrorCode::invalid, "check failed");
        in.io.success("prerequisites checks passed");
        return kOk;
    }
    good = check_distribution(in, s) && good;
    TRY(const bool controllers, check_controllers(in, s));
    const bool definitions = check_definitions(in, s);
    if (!good || !controllers || !definitions) return fail(ErrorCode::invalid, "check failed");
    in.io.success("all checks passed");
    return kOk;
}

} // namespace

Command check_command() {
    Command c{.name = "check", .summary = "Check that a cluster can run the controllers, and that they run", .flags = session_flags(), .run = run};
    c.flags.insert(c.flags.end(), {{.name = "pre", .kind = FlagKind::boolean, .help = "only whether the cluster is fit"},
                                   {.name = "components", .kind = FlagKind::comma_list, .help = "accepted for compatibility: what is labelled is checked", .hidden = true},
                                   {.name = "components-extra", .kind = FlagKind::comma_list, .help = "accepted for compatibility", .hidden = true},
                                   {.name = "poll-interval", .kind = FlagKind::duration, .help = "accepted for compatibility: changes are watched", .default_text = "5s", .hidden = true}});
    return c;
}

} // namespace weber::agent
