// `kubectl get`'s tables: columns and cells of every kind, as kube-apiserver's printers make them. Custom resources show their CRD's
// printer columns. Pure but for the clock that ages need.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/node.h"
#include "kube/server/registry.h"
#include "kube/server/store.h"

namespace weber::kube::server {

std::vector<PrinterColumn> table_columns(const ResourceInfo& resource, const VersionInfo& version);
// A column of a built-in kind ("apps/deployments").
struct TableColumn {
    const char* resource;
    const char* name;
    const char* type;
    const char* format;
    int priority;
    const char* description;
};
std::span<const TableColumn> built_in_columns(); // sorted by resource, in the order of the table
// Is there more to show than name and time?
bool has_printer(const ResourceInfo& resource);
// One cell per column.
Node table_cells(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, SystemTime now);
// What a row says beside its cells ("this pod has completed"); null for most.
Node table_conditions(const ResourceInfo& resource, const Node& obj);
// The order of a list's rows: as the objects are listed, but flow schemas by precedence.
std::vector<ObjectPtr> in_row_order(const ResourceInfo& resource, std::vector<ObjectPtr> objects);
// "5m12s", "3d4h": how kubectl shows ages.
std::string human_duration(std::chrono::seconds d);

} // namespace weber::kube::server
