#include "agent/flux/age.h"

namespace weber::agent {

namespace {

std::string two(long long major, const char* unit, long long minor, const char* small) {
    return std::to_string(major) + unit + (minor == 0 ? "" : std::to_string(minor) + small);
}

} // namespace

// k8s.io/apimachinery: duration.HumanDuration.
std::string human_duration(std::chrono::seconds age) {
    const long long s = age.count();
    if (s < -1) return "<invalid>";
    if (s < 0) return "0s";
    if (s < 120) return std::to_string(s) + "s";
    const long long minutes = s / 60, hours = minutes / 60, days = hours / 24;
    if (minutes < 10) return two(minutes, "m", s % 60, "s");
    if (minutes < 180) return std::to_string(minutes) + "m";
    if (hours < 8) return two(hours, "h", minutes % 60, "m");
    if (hours < 48) return std::to_string(hours) + "h";
    if (hours < 192) return two(days, "d", hours % 24, "h");
    if (days < 730) return std::to_string(days) + "d";
    const long long years = days / 365;
    if (years < 8) return two(years, "y", days % 365, "d");
    return std::to_string(years) + "y";
}

} // namespace weber::agent
