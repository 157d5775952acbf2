// The difference of two objects as `flux diff` prints it: a path, then what changed there (cli.md 2.5).
//
// Pure.
#pragma once

#include <string>

#include "kube/base/node.h"

namespace weber::agent {

// "" when they are the same. Each change has an empty line before it; values are printed as they are: mask Secrets first.
std::string diff_report(const Node& before, const Node& after);

} // namespace weber::agent
