// `get`: what there is, as tables (cli.md 2.1).
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <ostream>
#include <thread>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "agent/flux/table.h"
#include "kube/base/ascii.h"
#include "kube/base/json.h"
#include "kube/base/selector.h"
#include "kube/base/yaml.h"
#include "kube/watch.h"

namespace weber::agent {

namespace {

std::string text_at(const Object& o, std::initializer_list<std::string_view> path) {
    const Node* node = o.at(path);
    return node ? std::string(node->text()) : std::string();
}

// "Kind/ns/name" of what it comes from.
std::string source_of(const Object& o) {
    const Node* ref = o.at({"spec", "sourceRef"});
    if (!ref) ref = o.at({"spec", "chartRef"});
    if (!ref) ref = o.at({"spec", "chart", "spec", "sourceRef"});
    if (!ref) return "";
    const std::string ns(ref->text_at("namespace").empty() ? o.ns() : ref->text_at("namespace"));
    return std::string(ref->text_at("kind")) + "/" + ns + "/" + std::string(ref->text_at("name"));
}

struct Shape {
    bool all_namespaces = false, prefix = false, source = false;
};

Row header_of(const FluxKind& kind, const Shape& shape) {
    Row row;
    if (shape.all_namespaces) row.emplace_back("Namespace");
    row.emplace_back("Name");
    if (shape.source) row.emplace_back("Source");
    switch (kind.columns) {
    case Columns::revision: row.insert(row.end(), {"Revision", "Suspended"}); break;
    case Columns::plain: row.emplace_back("Suspended"); break;
    case Columns::no_suspend: break;
    case Columns::external: row.insert(row.end(), {"Revision", "Source"}); break;
    case Columns::image_repository: row.insert(row.end(), {"Last scan", "Suspended"}); break;
    case Columns::image_policy: row.insert(row.end(), {"Image", "Tag"}); break;
    case Columns::image_update: row.insert(row.end(), {"Last run", "Suspended"}); break;
    }
    row.insert(row.end(), {"Ready", "Message"});
    return row;
}

Row row_of(const FluxKind& kind, const Object& o, const Shape& shape) {
    Row row;
    if (shape.all_namespaces) row.emplace_back(o.ns());
    row.push_back((shape.prefix ? kube::ascii_lower(kind.kind) + "/" : "") + std::string(o.name()));
    if (shape.source) row.push_back(source_of(o));
    switch (kind.columns) {
    case Columns::revision: row.insert(row.end(), {revision_cell(o), suspended_cell(o)}); break;
    case Columns::plain: row.push_back(suspended_cell(o)); break;
    case Columns::no_suspend: break;
    case Columns::external: row.insert(row.end(), {revision_cell(o), source_of(o)}); break;
    case Columns::image_repository: row.insert(row.end(), {text_at(o, {"status", "lastScanResult", "scanTime"}), suspended_cell(o)}); break;
    case Columns::image_policy: row.insert(row.end(), {text_at(o, {"status", "latestRef", "name"}), text_at(o, {"status", "latestRef", "tag"})}); break;
    case Columns::image_update: row.insert(row.end(), {text_at(o, {"status", "lastAutomationRunTime"}), suspended_cell(o)}); break;
    }
    const ReadyCells ready = ready_cells(o);
    row.insert(row.end(), {ready.ready, ready.message});
    return row;
}

// --status-selector type=status or type!=status; null function: everything.
using Filter = std::function<bool(const Object&)>;
Result<Filter> filter_of(const std::string& selector) {
    if (selector.empty()) return Filter{};
    const bool negate = selector.find("!=") != std::string::npos;
    const std::size_t at = negate ? selector.find("!=") : selector.find('=');
    if (at == std::string::npos) // what follows the first sign is the status, whatever it holds
        return fail(ErrorCode::invalid, "expected status selector in type=status or type!=status format, but found: " + selector);
    const std::string type = selector.substr(0, at), status = selector.substr(at + (negate ? 2 : 1));
    return Filter([type, status, negate](const Object& o) {
        if (o.kind() == "Alert" || o.kind() == "Provider") return (type == "ready" && status == "true") != negate; // they have no conditions
        if (const Node* conditions = o.at({"status", "conditions"}))
            for (const Node& c : conditions->items())
                if (kube::same_but_case(c.text_at("type"), type)) return kube::same_but_case(c.text_at("status"), status) != negate;
        return negate;
    });
}

struct Query {
    const Invocation& in;
    const Session& session;
    Filter filter;
    std::string name;
    bool all_namespaces;

    [[nodiscard]] std::string ns() const { return all_namespaces ? "" : session.ns; }
    [[nodiscard]] std::string place() const { return all_namespaces ? "any namespace" : "\"" + session.ns + "\" namespace"; }
};

Result<std::vector<Object>> list(const Query& q, const FluxKind& kind) {
    kube::ListOptions options;
    options.ns = q.ns();
    options.label_selector = q.in.flags.text("label-selector");
    if (!q.name.empty()) options.field_selector = "metadata.name=" + q.name;
    TRY(kube::ObjectList found, q.session.client().list(kind.gvk(), options, q.session.call()));
    return std::move(found.items);
}

std::vector<Object> filtered(std::vector<Object> objects, const Filter& filter) {
    if (filter) std::erase_if(objects, [&](const Object& o) { return !filter(o); });
    return objects;
}

std::string table(const Query& q, const FluxKind& kind, const std::vector<Object>& objects, bool prefix) {
    const Shape shape{.all_namespaces = q.all_namespaces, .prefix = prefix, .source = q.in.flags.knows("show-source") && q.in.flags.on("show-source")};
    std::vector<Row> rows;
    for (const Object& o : objects) rows.push_back(row_of(kind, o, shape));
    return format_table(q.in.flags.on("no-header") ? Row{} : header_of(kind, shape), rows);
}

void print_objects(std::ostream& out, const std::vector<Object>& objects, const std::string& format) {
    if (format == "name") {
        for (const Object& o : objects) out << kube::ascii_lower(o.kind()) << '.' << o.group() << '/' << o.name() << '\n';
        return;
    }
    Node items = Node::list();
    for (const Object& o : objects) {
        Object shown = o;
        shown.metadata_mut().erase("managedFields");
        items.push_back(shown.root());
    }
    const Node document = Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("List")}, {"items", std::move(items)}});
    if (format == "json") out << kube::write_json_pretty(document, 2);
    else out << kube::write_yaml(document);
}

Result<int> watch(const Query& q, const FluxKind& kind) {
    const Shape shape{.all_namespaces = q.all_namespaces, .prefix = false, .source = q.in.flags.knows("show-source") && q.in.flags.on("show-source")};
    bool header = !q.in.flags.on("no-header");
    std::stop_source stop;
    std::jthread timer([&](const std::stop_token& end) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        wake.wait_for(lock, end, q.session.left(), [] { return false; });
        stop.request_stop();
    });
    kube::WatchTarget target;
    target.gvk = kind.gvk();
    target.ns = q.ns();
    target.label_selector = q.in.flags.text("label-selector");
    if (!q.name.empty()) target.field_selector = "metadata.name=" + q.name;
    kube::WatchOptions options;
    options.fail_on_refusal = true;
    const auto ended = kube::watch(
        q.session.client(), target,
        [&](const kube::WatchEvent& event) {
            const bool row = event.kind != kube::WatchEventKind::synced && event.kind != kube::WatchEventKind::trouble;
            if (!row) return true;
            const bool shown = !q.filter || q.filter(event.object);
            if (!shown && !header) return true;
            std::vector<Row> rows; // the header comes with the first event, be it shown or not
            if (shown) rows.push_back(row_of(kind, event.object, shape));
            q.in.io.out << format_table(header ? header_of(kind, shape) : Row{}, rows);
            q.in.io.out.flush();
            header = false;
            return static_cast<bool>(q.in.io.out);
        },
        options, stop.get_token());
    if (!ended && ended.error().code != ErrorCode::cancelled) return fail(ended.error());
    return fail(ErrorCode::timeout, "timed out waiting for the condition");
}

// What can be said without asking the server, in client-go's words.
Result<void> check_label_selector(const std::string& text) {
    const auto parsed = kube::LabelSelector::parse(text);
    if (parsed) return {};
    return fail(ErrorCode::invalid, "unable to parse label selector: couldn't parse the selector string \"" + text + "\": " + parsed.error().message);
}

Result<Query> query(const Invocation& in, const Session& session) {
    if (in.args.size() > 1) return fail(ErrorCode::invalid, "accepts at most 1 arg(s), received " + std::to_string(in.args.size()));
    TRY_VOID(check_label_selector(in.flags.text("label-selector")));
    TRY(Filter filter, filter_of(in.flags.text("status-selector")));
    return Query{in, session, std::move(filter), in.args.empty() ? "" : in.args.front(), in.flags.on("all-namespaces")};
}

std::string wrong_format(const Invocation& in) {
    const std::string format = in.flags.text("output");
    return format.empty() || format == "json" || format == "yaml" || format == "name" ? "" : "--output must be json, yaml or name, not " + format;
}

Result<int> run_one(const Invocation& in, const FluxKind& kind) {
    if (const std::string why = wrong_format(in); !why.empty()) return in.usage(why);
    TRY(const Session session, open_session(in));
    TRY(const Query q, query(in, session));
    if (in.flags.on("watch")) return watch(q, kind);
    TRY(const std::vector<Object> found, list(q, kind));
    if (found.empty() && !q.name.empty())
        return fail(ErrorCode::not_found, std::string(kind.kind) + " object '" + q.name + "' not found in " + q.place());
    if (found.empty()) return fail(ErrorCode::not_found, "no " + std::string(kind.kind) + " objects found in " + q.place());
    const std::vector<Object> shown = filtered(found, q.filter);
    if (const std::string format = in.flags.text("output"); !format.empty()) print_objects(in.io.out, shown, format);
    else in.io.out << table(q, kind, shown, false);
    return kOk;
}

// The kinds whose word in `get` is `parent`; "" = all.
Result<int> run_all(const Invocation& in, std::string_view parent) {
    if (const std::string why = wrong_format(in); !why.empty()) return in.usage(why);
    if (in.flags.on("watch")) return fail(ErrorCode::invalid, "expected a single resource type, but found all");
    TRY(const Session session, open_session(in));
    TRY(const Query q, query(in, session));
    const std::string format = in.flags.text("output");
    std::vector<Object> everything;
    for (const FluxKind& kind : flux_kinds()) {
        if (!parent.empty() && kind.parent != parent) continue;
        const auto found = list(q, kind);
        if (!found && found.error().code == ErrorCode::not_found) continue; // no such custom resource definition
        if (!found) {
            in.io.failure(found.error());
            continue;
        }
        const std::vector<Object> shown = filtered(*found, q.filter);
        if (!format.empty()) everything.insert(everything.end(), shown.begin(), shown.end());
        else if (!shown.empty()) in.io.out << table(q, kind, shown, true) << '\n';
    }
    if (!format.empty()) print_objects(in.io.out, everything, format);
    return kOk;
}

Command one(const FluxKind& kind) {
    Command c{.name = kind.words.front(), .args = "[NAME]", .summary = kind.kind};
    c.aliases.assign(kind.words.begin() + 1, kind.words.end());
    if (kind.kind == "Kustomization" || kind.kind == "HelmRelease")
        c.flags.push_back({.name = "show-source", .kind = FlagKind::boolean, .help = "add the source"});
    c.run = [&kind](Invocation& in) { return run_one(in, kind); };
    return c;
}

Command group(std::string_view name, std::string_view alias, std::string_view summary) {
    Command c{.name = name, .summary = summary};
    if (!alias.empty()) c.aliases.push_back(alias);
    for (const FluxKind& kind : flux_kinds())
        if (kind.parent == name) c.children.push_back(one(kind));
    c.children.push_back({.name = "all", .summary = "All of them", .run = [name](Invocation& in) { return run_all(in, name); }});
    return c;
}

} // namespace

Command get_command() {
    Command c{.name = "get",
              .summary = "Show Flux's objects and whether they are ready",
              .inherited = {{.name = "all-namespaces", .kind = FlagKind::boolean, .help = "in all namespaces", .letter = 'A'},
                            {.name = "no-header", .kind = FlagKind::boolean, .help = "leave the header out"},
                            {.name = "watch", .kind = FlagKind::boolean, .help = "show changes as they come, until --timeout", .letter = 'w'},
                            {.name = "status-selector", .help = "only those with this condition, e.g. ready=false", .value = "type=status"},
                            {.name = "label-selector", .help = "only those with these labels", .letter = 'l', .value = "selector"},
                            {.name = "output", .help = "json, yaml or name in place of a table", .letter = 'o', .value = "format"}}};
    std::ranges::copy(session_flags(), std::back_inserter(c.inherited));
    for (const FluxKind& kind : flux_kinds())
        if (kind.parent.empty()) c.children.push_back(one(kind));
    c.children.push_back(group("sources", "source", "Sources: git, oci, bucket, helm, chart"));
    c.children.push_back(group("images", "image", "Image automation: repository, policy, update"));
    c.children.push_back({.name = "all", .summary = "Everything", .run = [](Invocation& in) { return run_all(in, ""); }});
    return c;
}

} // namespace weber::agent
