// Real programs built by tests/cluster/tools.sh, for differential tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"

namespace weber::testing {

// The newest build of `name` in the cache of tools.sh; nullopt when there is none. Tests skip then, naming `tests/cluster/tools.sh NAME`.
std::optional<std::string> peer(std::string_view name);

// A number from the environment: WEBER_SEED=N WEBER_SEEDS=M make a random test try M other inputs than its usual ones, for a hunt.
std::uint32_t setting(const char* name, std::uint32_t otherwise);

std::string read_file(const std::string& path);

struct Ran {
    int status = 0;
    std::string out, err;
};
// `command` in a shell with nothing of the caller's environment but PATH, HOME = `home`, and `environment` ("NAME=value").
Ran run(const std::string& command, const std::string& home, const std::vector<std::string>& environment = {});
// `git COMMAND` in a folder, with an identity of its own and no configuration of the machine's.
Ran run_git(const std::string& dir, const std::string& command);

// flux-oracle's answers to `requests` (JSON objects, see tests/cluster/tools/flux/main.go), in order.
std::vector<Node> ask_flux(const std::string& oracle, const std::vector<Node>& requests);

} // namespace weber::testing
