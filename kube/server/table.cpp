#include "kube/server/table.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "kube/base/join.h"
#include "kube/server/convert.h"
#include "kube/server/json_path.h"
#include "kube/server/object_meta.h"
#include "kube/server/table_rows.h"

namespace weber::kube::server {
namespace {

using Cells = Node (*)(const Row&);

// Null: the kind shows name and time alone.
Cells printer(std::string_view resource) {
    static const auto* table = [] {
        auto* all = new std::map<std::string_view, Cells>;
        for (const auto part : {workload_printers(), network_printers(), storage_printers(), cluster_printers()})
            for (const Printer& p : part) all->emplace(p.resource, p.cells);
        return all;
    }();
    const auto it = table->find(resource);
    return it == table->end() ? nullptr : it->second;
}

PrinterColumn column(std::string name, std::string type, std::string format, std::string description, int priority) {
    PrinterColumn c;
    c.name = std::move(name);
    c.type = std::move(type);
    c.format = std::move(format);
    c.description = std::move(description);
    c.priority = priority;
    return c;
}

std::vector<PrinterColumn> columns_of(std::string_view resource) {
    const auto all = built_in_columns();
    const auto first = std::find_if(all.begin(), all.end(), [&](const TableColumn& c) { return resource == c.resource; });
    std::vector<PrinterColumn> out;
    for (auto it = first; it != all.end() && resource == it->resource; ++it) out.push_back(column(it->name, it->type, it->format, it->description, it->priority));
    return out;
}

// Names and ages are described alike everywhere; the rest by the definition, or by the path that they show.
std::vector<PrinterColumn> custom_columns(const VersionInfo& version) {
    const auto common = columns_of("/serviceaccounts"); // name and age
    std::vector<PrinterColumn> columns{common[0]};
    if (version.columns.empty()) {
        PrinterColumn age = common[1];
        age.type = "date";
        age.json_path = ".metadata.creationTimestamp";
        columns.push_back(age);
    }
    for (const PrinterColumn& own : version.columns) {
        columns.push_back(own);
        if (own.description.empty()) columns.back().description = "Custom resource definition column (in JSONPath format): " + own.json_path;
    }
    return columns;
}

// A custom column's cell: dates as ages, other values as they are; several values joined by commas.
Node custom_cell(const PrinterColumn& column, const Row& r) {
    const auto found = json_path(r.o, column.json_path);
    if (found.empty()) return Node();
    if (column.type == "date") return cell(parse_rfc3339(found[0].text()) ? r.since(found[0].text()) : "<invalid>");
    if (found.size() == 1 && found[0].is_scalar()) {
        if (column.type == "integer") return found[0].as_int() ? cell(*found[0].as_int()) : Node();
        return column.type == "string" ? cell(found[0].text()) : found[0];
    }
    std::vector<std::string> all;
    for (const auto& n : found) all.emplace_back(n.text());
    return cell(join(all, ","));
}

} // namespace

std::string human_duration(std::chrono::seconds d) {
    const long sec = d.count();
    const auto two = [](long a, const char* x, long b, const char* y) {
        return std::to_string(a) + x + (b ? std::to_string(b) + y : "");
    };
    if (sec < -1) return "<invalid>";
    if (sec < 0) return "0s";
    if (sec < 120) return std::to_string(sec) + "s";
    const long min = sec / 60;
    if (min < 10) return two(min, "m", sec % 60, "s");
    if (min < 180) return std::to_string(min) + "m";
    const long hours = min / 60;
    if (hours < 8) return two(hours, "h", min % 60, "m");
    if (hours < 48) return std::to_string(hours) + "h";
    if (hours < 192) return two(hours / 24, "d", hours % 24, "h");
    if (hours < 24 * 365 * 2) return std::to_string(hours / 24) + "d";
    if (hours < 24 * 365 * 8) return two(hours / 24 / 365, "y", hours / 24 % 365, "d");
    return std::to_string(hours / 24 / 365) + "y";
}

std::vector<PrinterColumn> table_columns(const ResourceInfo& resource, const VersionInfo& version) {
    if (resource.custom) return custom_columns(version);
    if (resource.plural == "scales") { // no kind of its own, so not among the columns that were read from a real server
        const auto common = columns_of("/serviceaccounts");
        return {column("Name", "string", "", common[0].description, 0), column("Desired", "integer", "", "replicas is the desired number of instances for the scaled object.", 0),
                column("Available", "integer", "", "replicas is the actual number of observed instances of the scaled object.", 0), common[1]};
    }
    auto columns = columns_of(resource.id());
    return columns.empty() ? columns_of("rbac.authorization.k8s.io/roles") : columns; // the columns of every kind without a printer
}

bool has_printer(const ResourceInfo& resource) { return resource.custom || printer(resource.id()) != nullptr; }

Node table_cells(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, SystemTime now) {
    if (resource.custom) {
        const Row row{obj, now};
        Node cells = Node::list({name_cell(row)});
        for (const auto& c : table_columns(resource, version))
            if (!c.json_path.empty()) cells.push_back(custom_cell(c, row));
        return cells;
    }
    // Printers know one version, the newest; only events and autoscalers have others of another form.
    const Node newest = convert_version(resource, obj, resource.storage_version());
    const Row row{newest, now};
    const Cells cells = printer(resource.id());
    return cells ? cells(row) : Node::list({name_cell(row), cell(meta_text(obj, "creationTimestamp"))});
}

Node table_conditions(const ResourceInfo& resource, const Node& obj) {
    if (resource.id() != "/pods") return {};
    const Node* phase = obj.find_path({"status", "phase"});
    const bool succeeded = phase && phase->text() == "Succeeded";
    if (!succeeded && !(phase && phase->text() == "Failed")) return {};
    return Node::list({Node::map({{"type", Node::string("Completed")},
                                  {"status", Node::string("True")},
                                  {"reason", Node::string(phase->text())},
                                  {"message", Node::string(succeeded ? "The pod has completed successfully." : "The pod failed.")}})});
}

std::vector<ObjectPtr> in_row_order(const ResourceInfo& resource, std::vector<ObjectPtr> objects) {
    if (resource.id() != "flowcontrol.apiserver.k8s.io/flowschemas") return objects;
    std::vector<std::tuple<std::int64_t, std::string, ObjectPtr>> keyed;
    for (auto& o : objects) {
        const Node tree = parse_stored(*o);
        keyed.emplace_back(Row{tree, {}}.number({"spec", "matchingPrecedence"}), meta_text(tree, "name"), std::move(o));
    }
    std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b)); });
    for (std::size_t i = 0; i < keyed.size(); ++i) objects[i] = std::move(std::get<2>(keyed[i]));
    return objects;
}

} // namespace weber::kube::server
