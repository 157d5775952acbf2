// What shells run to complete a command line: each script asks the program itself (`__complete WORDS…`).
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace weber::agent {

// `shell`: bash, zsh, fish or powershell; `program`: the name that is completed.
std::string completion_script(std::string_view shell, const std::string& program);

} // namespace weber::agent
