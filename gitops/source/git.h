// What the other files of this folder ask of libgit2.
#pragma once

#include <optional>
#include <string>

#include "kube/base/error.h"

namespace weber::gitops {

// Where HEAD is and whether files below a directory differ from it (untracked ones count).
struct WorkTreeState {
    std::string branch; // "HEAD" when detached
    std::string commit; // hex
    bool changed = false;
};

// nullopt: `dir` is not in a git work tree, or the repository has no commit yet.
std::optional<WorkTreeState> work_tree_state(const std::string& dir);

} // namespace weber::gitops
