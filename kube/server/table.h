// `kubectl get`'s tables: columns and cells per kind, as kube-apiserver's printers make them for the common kinds; others
// show name and age. Custom resources show their CRD's printer columns. Pure but for the clock that ages need.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/node.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

std::vector<PrinterColumn> table_columns(const ResourceInfo& resource, const VersionInfo& version);
// What a column of a built-in kind ("apps/deployments") is about.
struct ColumnText {
    const char* resource;
    const char* column;
    const char* description;
};
std::span<const ColumnText> column_texts(); // sorted by resource
// Is there more to show than name and time?
bool has_printer(const ResourceInfo& resource);
// One cell per column.
Node table_cells(const ResourceInfo& resource, const VersionInfo& version, const Node& obj, SystemTime now);
// "5m12s", "3d4h": how kubectl shows ages.
std::string human_duration(std::chrono::seconds d);

} // namespace weber::kube::server
