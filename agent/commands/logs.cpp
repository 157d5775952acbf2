// `logs`: what controllers wrote about Flux's objects (cli.md 2.9).
#include <algorithm>
#include <mutex>
#include <ostream>
#include <thread>

#include "agent/commands/commands.h"
#include "agent/flux/installation.h"
#include "kube/base/ascii.h"
#include "kube/base/clock.h"
#include "kube/base/json.h"

namespace weber::agent {

namespace {

struct Filter {
    std::string level, kind, name, ns; // "" = any

    [[nodiscard]] bool keeps(const Node& line) const {
        const auto is = [&](const std::string& wanted, std::string_view key) { return kube::same_but_case(wanted, line.text_at(key)); };
        return (level.empty() || level == line.text_at("level")) && (kind.empty() || is(kind, "controllerKind") || is(kind, "reconciler kind")) &&
               (name.empty() || is(name, "name")) && (ns.empty() || is(ns, "namespace"));
    }
};

// "<ts> <level> <Kind>/<name>.<namespace> - <msg> <error>"; "" for a line that is no JSON object or that the filter drops.
std::string format_line(const std::string& text, const Filter& filter) {
    const auto line = kube::read_json(text);
    if (!line || !line->is_map() || !filter.keeps(*line)) return "";
    const auto at = [&](std::string_view key) { return std::string(line->text_at(key)); };
    std::string kind = at("controllerKind");
    if (const std::string other = at("reconciler kind"); !other.empty()) kind = other;
    const std::string who = at("name").empty() ? kind : kind + "/" + at("name") + "." + at("namespace");
    return at("ts") + " " + at("level") + " " + who + " - " + at("msg") + " " + at("error") + "\n";
}

struct Source {
    std::string pod, container; // container "": the only one
};

// One pod of the Deployment, a running one first.
Result<std::optional<Source>> source_of(const Session& s, const Object& deployment) {
    const Node* labels = deployment.at({"spec", "template", "metadata", "labels"});
    if (!labels) return std::nullopt;
    kube::ListOptions options;
    options.ns = std::string(deployment.ns());
    for (const Node::Entry& e : labels->entries())
        options.label_selector += (options.label_selector.empty() ? "" : ",") + e.key.str() + "=" + std::string(e.value.text());
    TRY(const kube::ObjectList pods, s.client().list({"", "v1", "Pod"}, options, s.call()));
    if (pods.items.empty()) return std::nullopt;
    const auto running = std::ranges::find_if(pods.items, [](const Object& p) {
        const Node* phase = p.at({"status", "phase"});
        return phase && phase->text() == "Running";
    });
    const Object& pod = running == pods.items.end() ? pods.items.front() : *running;
    const Node* containers = pod.at({"spec", "containers"});
    return Source{.pod = std::string(pod.name()), .container = containers && containers->size() > 1 ? "manager" : ""};
}

std::string target_of(const Invocation& in, const std::string& ns, const Source& source) {
    std::string out = "/api/v1/namespaces/" + ns + "/pods/" + source.pod + "/log?follow=" + (in.flags.on("follow") ? "true" : "false");
    if (!source.container.empty()) out += "&container=" + source.container;
    if (in.flags.integer("tail") >= 0) out += "&tailLines=" + std::to_string(in.flags.integer("tail"));
    if (in.flags.duration("since").count() != 0) out += "&sinceSeconds=" + std::to_string(std::chrono::round<std::chrono::seconds>(in.flags.duration("since")).count());
    if (!in.flags.text("since-time").empty()) out += "&sinceTime=" + kube::url_escape(in.flags.text("since-time"));
    return out;
}

// Whole lines of a stream, filtered and printed. `mutex` guards the output.
Result<void> print_stream(const Invocation& in, const Session& s, const std::string& target, const Filter& filter, std::mutex& mutex) {
    std::string rest;
    const auto print = [&](const std::string& line) {
        const std::string text = format_line(line, filter);
        if (text.empty()) return;
        const std::lock_guard lock(mutex);
        in.io.out << text;
        in.io.out.flush();
    };
    kube::HttpRequest request{.target = target, .timeout = s.left()};
    bool begun = false;
    const auto response = s.client().transport().stream(std::move(request), [&](std::string_view chunk) {
        begun = true;
        rest += chunk;
        std::size_t begin = 0;
        for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) print(rest.substr(begin, end - begin));
        rest.erase(0, begin);
        return true;
    });
    const bool timed_out = in.flags.on("follow") && !response && response.error().code == ErrorCode::timeout; // nobody wrote anything until then
    if (!response && !begun && !timed_out) return fail(response.error());
    if (response && response->status >= 300) return fail(kube::error_of_response(*response));
    if (!rest.empty()) print(rest);
    return {};
}

// One pod after the other; with --follow all at once, and then what fails is only said, as flux does.
Result<int> print_all(const Invocation& in, const Session& s, const std::vector<std::string>& targets, const Filter& filter) {
    std::mutex mutex;
    bool failed = false;
    const auto print = [&](const std::string& target) {
        const auto end = print_stream(in, s, target, filter, mutex);
        if (end) return;
        const std::lock_guard lock(mutex);
        in.io.err << "failed getting logs: " << end.error().message << '\n';
        failed = true;
    };
    if (in.flags.on("follow") && targets.size() > 1) {
        std::vector<std::jthread> threads;
        for (const std::string& target : targets) threads.emplace_back([&print, &target] { print(target); });
        threads.clear();
        return kOk;
    }
    for (const std::string& target : targets) print(target);
    if (failed) return fail(ErrorCode::unavailable, "failed to collect logs from all Flux pods");
    return kOk;
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return fail(ErrorCode::invalid, "no argument required");
    const std::string since_time = in.flags.text("since-time");
    if (!since_time.empty() && in.flags.duration("since").count() != 0)
        return fail(ErrorCode::invalid, "at most one of `sinceTime` or `sinceDuration` may be specified");
    if (!since_time.empty() && !kube::parse_rfc3339(since_time)) return fail(ErrorCode::invalid, since_time + " is not a valid (RFC3339) time");
    const std::string level = in.flags.text("level");
    if (!level.empty() && level != "debug" && level != "info" && level != "error")
        return fail(ErrorCode::invalid, "invalid argument \"" + level + "\" for \"--level\" flag: unsupported log level '" + level + "', must be one of: debug, info, error");
    TRY(Session s, open_session(in));
    const Filter filter{.level = level, .kind = in.flags.text("kind"), .name = in.flags.text("name"), .ns = in.flags.on("all-namespaces") ? "" : s.ns};
    s.ns = in.flags.text("flux-namespace");
    TRY(const std::vector<Object> deployments, find_deployments(s));

    std::vector<std::string> targets;
    for (const Object& deployment : deployments) {
        TRY(const std::optional<Source> source, source_of(s, deployment));
        if (source) targets.push_back(target_of(in, s.ns, *source));
    }
    if (targets.empty()) return fail(ErrorCode::not_found, "no Flux pods found in namespace \"" + s.ns + "\"");
    return print_all(in, s, targets, filter);
}

} // namespace

Command logs_command() {
    Command c{.name = "logs", .summary = "Show what controllers wrote about Flux's objects", .flags = session_flags(), .run = run};
    c.flags.insert(c.flags.end(), {{.name = "follow", .kind = FlagKind::boolean, .help = "go on until --timeout", .letter = 'f'},
                                   {.name = "level", .help = "only this level: debug, info, error"},
                                   {.name = "kind", .help = "only of this kind"},
                                   {.name = "name", .help = "only of the object of this name"},
                                   {.name = "all-namespaces", .kind = FlagKind::boolean, .help = "of objects in all namespaces", .letter = 'A'},
                                   {.name = "tail", .kind = FlagKind::integer, .help = "only the last lines, counted before filtering", .default_text = "-1"},
                                   {.name = "since", .kind = FlagKind::duration, .help = "only what is newer than this"},
                                   {.name = "since-time", .help = "only what is newer than this time (RFC 3339)"},
                                   {.name = "flux-namespace", .help = "where the controllers run", .default_text = "flux-system"}});
    return c;
}

} // namespace weber::agent
