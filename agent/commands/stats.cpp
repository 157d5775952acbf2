// `stats`: how many of each kind run, fail, are suspended (cli.md 2.10).
#include <array>
#include <cstdio>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "agent/flux/table.h"

namespace weber::agent {

namespace {

// In the order of the rows.
constexpr std::array<std::string_view, 13> kRows = {"GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "Kustomization", "HelmRelease",
                                                    "Alert", "Provider", "Receiver", "ImageUpdateAutomation", "ImagePolicy", "ImageRepository"};

std::string size_text(std::int64_t bytes) {
    if (bytes == 0) return "-";
    if (bytes < 1024) return std::to_string(bytes) + " B";
    constexpr std::array<const char*, 4> units = {"KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) value /= 1024, ++unit;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return text.data();
}

// What may not be listed counts as nothing, as in Flux, and is said.
Result<Row> row_of(const Invocation& in, const Session& s, const FluxKind& kind, const std::string& ns, bool& failed) {
    kube::ListOptions options;
    options.ns = ns;
    const auto found = s.client().list(kind.gvk(), options, s.call());
    const bool refused = !found && found.error().code == ErrorCode::forbidden;
    if (refused) in.io.failure(found.error());
    failed = failed || refused;
    if (!found && !refused && found.error().code != ErrorCode::not_found) return fail(found.error());
    std::size_t total = 0, failing = 0, suspended = 0;
    std::int64_t bytes = 0;
    if (found) {
        for (const Object& o : found->items) {
            ++total;
            if (suspended_cell(o) == "True") ++suspended;
            if (const Node* ready = condition_of(o, "Ready"); ready && ready->text_at("status") == "False") ++failing;
            if (const Node* size = o.at({"status", "artifact", "size"})) bytes += size->as_int().value_or(0);
        }
    }
    return Row{std::string(kind.kind), std::to_string(total - suspended), std::to_string(failing), std::to_string(suspended), size_text(bytes)};
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.unknown_word();
    TRY(const Session s, open_session(in));
    std::vector<Row> rows;
    bool failed = false;
    for (const std::string_view name : kRows) {
        TRY(Row row, row_of(in, s, *flux_kind(name), in.flags.on("all-namespaces") ? "" : s.ns, failed));
        rows.push_back(std::move(row));
    }
    in.io.out << format_table({"Reconcilers", "Running", "Failing", "Suspended", "Storage"}, rows);
    return failed ? kFailed : kOk;
}

} // namespace

Command stats_command() {
    Command c{.name = "stats", .summary = "Count Flux's objects by how they fare", .flags = session_flags(), .run = run};
    c.flags.push_back({.name = "all-namespaces", .kind = FlagKind::boolean, .help = "in all namespaces", .letter = 'A'});
    return c;
}

} // namespace weber::agent
