// The agent's log: one JSON object a line with Flux's keys, which `flux logs` and dashboards parse (kustomization.md 8.4).
//
// Thread-safe; lines of several threads do not mix. Whoever logs a value answers for it being no secret.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/base/node.h"

namespace weber::agent {

enum class LogLevel : std::uint8_t { trace, debug, info, error };

using LogFields = std::vector<std::pair<std::string, Node>>;

class Log {
public:
    // "json" or "console"; lines go to `sink`, without line break; null: standard error.
    Log(LogLevel level, bool json, std::function<void(std::string_view)> sink = {});

    // The same log with more fields in every line.
    [[nodiscard]] Log with(LogFields fields) const;

    void debug(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::debug, message, fields); }
    void info(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::info, message, fields); }
    void error(std::string_view message, std::string_view error, const LogFields& fields = {}) const;

private:
    void write(LogLevel level, std::string_view message, const LogFields& fields) const;
    [[nodiscard]] std::string console_line(LogLevel level, std::string_view message, const LogFields& fields) const;

    LogLevel level_;
    bool json_;
    std::function<void(std::string_view)> sink_;
    LogFields fields_;
};

// A random id (UUID, version 4) for the lines of one run: `reconcileID`.
std::string new_reconcile_id();

} // namespace weber::agent
