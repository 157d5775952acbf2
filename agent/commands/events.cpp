// `events`: what controllers said about Flux's objects (cli.md 2.8).
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <thread>

#include "agent/commands/commands.h"
#include "agent/flux/age.h"
#include "agent/flux/session.h"
#include "agent/flux/table.h"
#include "kube/base/ascii.h"
#include "kube/base/clock.h"
#include "kube/watch.h"

namespace weber::agent {

namespace {

struct Subject {
    std::string kind, name, ns; // "" = any
};

std::string text_at(const Object& o, std::initializer_list<std::string_view> path) {
    const Node* node = o.at(path);
    return node ? std::string(node->text()) : std::string();
}

kube::SystemTime time_at(const Object& o, std::initializer_list<std::string_view> path) {
    return kube::parse_rfc3339(text_at(o, path)).value_or(kube::SystemTime{});
}

// The first that is there.
kube::SystemTime first_set(std::initializer_list<kube::SystemTime> times) {
    for (const auto t : times)
        if (t != kube::SystemTime{}) return t;
    return {};
}

// Flux shows events of all its kinds but one.
bool has_events(std::string_view kind) {
    const FluxKind* known = flux_kind(kind);
    return known != nullptr && known->kind != "ExternalArtifact";
}

bool is_series(const Object& event) { return event.at({"series"}) != nullptr; }

// What events are sorted by.
kube::SystemTime last_time(const Object& event) {
    if (is_series(event)) return time_at(event, {"series", "lastObservedTime"});
    return first_set({time_at(event, {"lastTimestamp"}), time_at(event, {"eventTime"})});
}

std::string age_of(kube::SystemTime t) {
    if (t == kube::SystemTime{}) return "<unknown>";
    return human_duration(std::chrono::duration_cast<std::chrono::seconds>(kube::system_clock().now() - t));
}

// "2m31s", or "12m (x4 over 42m)" when it came more than once, as kubectl has it.
std::string last_seen(const Object& event) {
    const std::string first = age_of(first_set({time_at(event, {"eventTime"}), time_at(event, {"firstTimestamp"})}));
    const Node* count = is_series(event) ? event.at({"series", "count"}) : event.at({"count"});
    if (!count || (!is_series(event) && count->as_int().value_or(1) <= 1)) return first;
    return age_of(is_series(event) ? last_time(event) : time_at(event, {"lastTimestamp"})) + " (x" + std::string(count->text()) + " over " + first + ")";
}

Row row_of(const Object& event, bool with_namespace) {
    Row row;
    if (with_namespace) row.emplace_back(event.ns());
    row.insert(row.end(), {last_seen(event), text_at(event, {"type"}), text_at(event, {"reason"}),
                           text_at(event, {"involvedObject", "kind"}) + "/" + text_at(event, {"involvedObject", "name"}), text_at(event, {"message"})});
    return row;
}

Row header(bool with_namespace) {
    Row row;
    if (with_namespace) row.emplace_back("Namespace");
    row.insert(row.end(), {"Last seen", "Type", "Reason", "Object", "Message"});
    return row;
}

// Kind and name of --for; then what that object refers to.
Result<std::vector<Subject>> subjects_of(const Session& s, const std::string& text, const std::string& ns) {
    if (text.empty()) return std::vector<Subject>{};
    const std::size_t slash = text.find('/');
    const bool unnamed = slash == std::string::npos || slash == 0; // "/x" names a kind, too
    const std::string word = slash == 0 ? text.substr(1) : text.substr(0, slash);
    if (word.empty()) return fail(ErrorCode::invalid, "--for selector must be of format <kind>[/<name>]");
    const FluxKind* kind = flux_kind(word);
    if (!kind || !has_events(word)) return fail(ErrorCode::invalid, "'" + word + "' is not a recognized Flux kind");
    std::vector<Subject> out = {{std::string(kind->kind), unnamed ? "" : text.substr(slash + 1), ns}};
    if (out[0].name.empty()) return out;
    TRY(const Object object, get_object(s, *kind, s.ns, out[0].name));
    const auto add = [&](std::initializer_list<std::string_view> path, std::string_view fixed_kind) {
        const Node* ref = object.at(path);
        if (!ref) return;
        const std::string ref_ns(ref->text_at("namespace").empty() ? object.ns() : ref->text_at("namespace"));
        const std::string ref_kind(ref->text_at("kind").empty() ? fixed_kind : ref->text_at("kind"));
        out.push_back({ref_kind, std::string(ref->text_at("name")), ref_ns});
    };
    add({"spec", "sourceRef"}, "GitRepository");
    add({"spec", "chartRef"}, "OCIRepository");
    add({"spec", "chart", "spec", "sourceRef"}, "HelmRepository");
    add({"spec", "providerRef"}, "Provider");
    add({"spec", "imageRepositoryRef"}, "ImageRepository");
    if (kind->kind == "HelmRelease" && object.at({"spec", "chart"})) // beside its source
        out.push_back({"HelmChart", std::string(object.ns()) + "-" + std::string(object.name()), out.back().ns});
    return out;
}

struct Filter {
    std::vector<Subject> subjects;
    std::vector<std::string> types;

    [[nodiscard]] bool keeps(const Object& event) const {
        const std::string kind = text_at(event, {"involvedObject", "kind"});
        if (!has_events(kind)) return false;
        const std::string type = text_at(event, {"type"});
        if (!types.empty() && std::ranges::none_of(types, [&](const std::string& t) { return kube::same_but_case(t, type); })) return false;
        if (subjects.empty()) return true;
        return std::ranges::any_of(subjects, [&](const Subject& s) {
            return kube::same_but_case(s.kind, kind) && (s.name.empty() || s.name == text_at(event, {"involvedObject", "name"})) &&
                   (s.ns.empty() || s.ns == text_at(event, {"involvedObject", "namespace"}));
        });
    }
};

Result<int> watch(const Invocation& in, const Session& s, const Filter& filter, const std::string& ns, bool with_namespace) {
    std::stop_source stop;
    std::jthread timer([&](const std::stop_token& end) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        wake.wait_for(lock, end, s.left(), [] { return false; });
        stop.request_stop();
    });
    bool first = true;
    kube::WatchTarget target;
    target.gvk = {"", "v1", "Event"};
    target.ns = ns;
    kube::WatchOptions options;
    options.fail_on_refusal = true;
    const auto end = kube::watch(
        s.client(), target,
        [&](const kube::WatchEvent& e) {
            const bool shown = (e.kind == kube::WatchEventKind::added || e.kind == kube::WatchEventKind::modified) && filter.keeps(e.object);
            if (!shown) return true;
            in.io.out << format_table(std::exchange(first, false) ? header(with_namespace) : Row{}, {row_of(e.object, with_namespace)});
            in.io.out.flush();
            return static_cast<bool>(in.io.out);
        },
        options, stop.get_token());
    if (!end && end.error().code != ErrorCode::cancelled) return fail(end.error());
    return kOk;
}

Result<int> run(Invocation& in) {
    TRY(const Session s, open_session(in));
    const bool all = in.flags.on("all-namespaces");
    Filter filter{.subjects = {}, .types = in.flags.list("types")};
    for (const std::string& type : filter.types)
        if (!kube::same_but_case(type, "Normal") && !kube::same_but_case(type, "Warning"))
            return fail(ErrorCode::invalid, "type '" + type + "' not supported. Supported types are Normal, Warning");
    TRY(filter.subjects, subjects_of(s, in.flags.text("for"), all ? "" : s.ns));
    const bool foreign = std::ranges::any_of(filter.subjects, [&](const Subject& x) { return !x.ns.empty() && x.ns != s.ns; });
    const std::string ns = all || foreign ? "" : s.ns;
    if (in.flags.on("watch")) return watch(in, s, filter, ns, all || foreign);

    kube::ListOptions options;
    options.ns = ns;
    auto listed = s.client().list({"", "v1", "Event"}, options, s.call());
    if (!listed) return fail(std::move(listed.error()).with_prefix("error getting events: "));
    kube::ObjectList found = std::move(*listed);
    std::erase_if(found.items, [&](const Object& e) { return !filter.keeps(e); });
    if (found.items.empty()) {
        in.io.failure(all ? "No events found." : "No events found in " + s.ns + " namespace.");
        return kOk;
    }
    std::ranges::stable_sort(found.items, {}, last_time);
    std::vector<Row> rows;
    for (const Object& e : found.items) rows.push_back(row_of(e, all || foreign));
    in.io.out << format_table(header(all || foreign), rows);
    return kOk;
}

} // namespace

Command events_command() {
    Command c{.name = "events", .summary = "Show what controllers said about Flux's objects", .flags = session_flags(), .run = run};
    c.flags.insert(c.flags.end(), {{.name = "all-namespaces", .kind = FlagKind::boolean, .help = "in all namespaces", .letter = 'A'},
                                   {.name = "watch", .kind = FlagKind::boolean, .help = "show events as they come, until --timeout", .letter = 'w'},
                                   {.name = "for", .help = "only of this object and what it refers to", .value = "kind/name"},
                                   {.name = "types", .kind = FlagKind::comma_list, .help = "only these: Normal, Warning", .value = "types"}});
    return c;
}

} // namespace weber::agent
