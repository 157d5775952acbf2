// The difference of two objects as `flux diff` prints it: a path, then what changed there (cli.md 2.5).
//
// Pure and thread-safe.
#pragma once

#include <string>

#include "kube/base/node.h"

namespace weber::agent {

// A line when stdout is no terminal.
inline constexpr std::size_t kReportWidth = 80;

// "" when they are the same. Each change has an empty line before it; what was removed and added at one place stands side by side where `width` columns
// suffice. Values are printed as they are: mask Secrets first.
std::string diff_report(const Node& before, const Node& after, std::size_t width = kReportWidth);

} // namespace weber::agent
