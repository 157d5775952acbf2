#include "agent/flux/session.h"

#include <algorithm>

namespace weber::agent {

namespace {

bool is_dns_label(std::string_view text) {
    const auto inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, inner) && text.front() != '-' && text.back() != '-';
}

} // namespace

std::vector<Flag> session_flags() {
    std::vector<Flag> flags = {
        {.name = "namespace", .help = "namespace of Flux's objects", .letter = 'n', .default_text = "flux-system"},
        {.name = "timeout", .kind = FlagKind::duration, .help = "limit of the whole command", .default_text = "5m0s"},
        {.name = "verbose", .kind = FlagKind::boolean, .help = "print generated objects"},
        {.name = "ns-follows-kube-context", .kind = FlagKind::boolean, .help = "by default the namespace of the kubeconfig's context; also $FLUX_NS_FOLLOWS_KUBE_CONTEXT"},
    };
    std::ranges::copy(connection_flags(), std::back_inserter(flags));
    return flags;
}

std::chrono::milliseconds Session::left() const {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(1));
}

Result<std::string> namespace_of(const Invocation& in) {
    std::string ns = in.flags.text("namespace");
    const auto system = environment("FLUX_SYSTEM_NAMESPACE");
    const bool wrong = system && !is_dns_label(*system);
    if (wrong) in.io.warning(" ignoring invalid FLUX_SYSTEM_NAMESPACE: \"" + *system + "\"");
    if (!in.flags.given("namespace")) {
        if (system && !wrong) ns = *system;
        if (in.flags.on("ns-follows-kube-context") || environment("FLUX_NS_FOLLOWS_KUBE_CONTEXT")) {
            if (const std::string current = context_namespace(in.flags); !current.empty()) ns = current;
        }
    }
    if (!is_dns_label(ns)) return fail(ErrorCode::invalid, "namespace must be a valid DNS label: \"" + ns + "\"");
    return ns;
}

Result<Session> open_session(const Invocation& in) {
    Session out;
    TRY(out.ns, namespace_of(in));
    out.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(in.flags.duration("timeout"));
    out.deadline = std::chrono::steady_clock::now() + out.timeout;
    TRY(out.cluster, open_cluster(in));
    return out;
}

Error name_required(std::string_view human) { return {.code = ErrorCode::invalid, .message = std::string(human) + " name is required"}; }

Error deadline_exceeded() { return {.code = ErrorCode::timeout, .message = "context deadline exceeded"}; }

Result<Object> get_object(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name) {
    auto found = s.client().get({.gvk = kind.gvk(), .ns = ns, .name = name}, {}, s.call());
    if (!found) found.error().object.clear(); // the API's text names it already
    return found;
}

} // namespace weber::agent
