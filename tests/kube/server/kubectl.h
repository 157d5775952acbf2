// Where the real kubectl is.
#pragma once

#include <string>

namespace weber::testing {

// $KUBECTL, or the newest that tests/cluster/tools.sh built; "" when there is none.
std::string find_kubectl();

} // namespace weber::testing
