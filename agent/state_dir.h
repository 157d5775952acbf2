// Where embedded clusters keep their state: one directory a cluster below the user's state directory (XDG), never in the source tree – there it
// would be part of what is reconciled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::agent {

// $XDG_STATE_HOME/weber, else ~/.local/state/weber.
std::string state_root();

// The directory of cluster `cluster` of the source `source` (a path or a URL): state_root()/<last part of source>-<cluster>-<8 hex>. The same path
// written in another way is the same directory.
std::string state_dir_of(std::string_view source, std::string_view cluster);

// Those there are, sorted.
std::vector<std::string> state_dirs();

// The only one there is. Error not_found: none, or several (the message lists them), with what to do.
Result<std::string> only_state_dir();

} // namespace weber::agent
