// Ages as kubectl prints them: "45s", "2m31s", "12m", "5h", "3d4h", "2y".
#pragma once

#include <chrono>
#include <string>

namespace weber::agent {

std::string human_duration(std::chrono::seconds age);

} // namespace weber::agent
