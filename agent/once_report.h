// What one sees after `weber reconcile --once`.
#pragma once

#include <string>

#include "agent/io.h"
#include "gitops/reconcile/once.h"

namespace weber::agent {

struct ReportOptions {
    bool dry_run = false;
    std::string source_dir = {}; // put before file names, so that they can be opened; "" = none
};

// The lines of the changed objects on out (with diffs for a dry run), then on err the failures and a summary.
void print_report(const Io& io, const gitops::OnceResult& result, const ReportOptions& options);

// The whole result as a document for -o json|yaml. Keys are fixed by docs/reconcile-once.md.
Node report_node(const gitops::OnceResult& result, const ReportOptions& options);

} // namespace weber::agent
