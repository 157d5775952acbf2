#include "agent/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <random>

#include "kube/base/ascii.h"
#include "kube/base/clock.h"
#include "kube/base/json.h"

namespace weber::agent {

namespace {

std::function<void(std::string_view)> standard_error() {
    auto logger = std::make_shared<spdlog::logger>("weber", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->flush_on(spdlog::level::info);
    return [logger](std::string_view line) { logger->info(spdlog::string_view_t(line.data(), line.size())); };
}

std::string_view word(LogLevel level) {
    switch (level) {
    case LogLevel::trace: return "trace";
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::error: return "error";
    }
    return "info";
}

// 2026-11-24T14:11:59.123Z
std::string timestamp() {
    std::string t = kube::format_rfc3339_micro(kube::system_clock().now());
    return t.substr(0, t.size() - 4) + "Z";
}

} // namespace

Log::Log(LogLevel level, bool json, std::function<void(std::string_view)> sink)
    : level_(level), json_(json), sink_(sink ? std::move(sink) : standard_error()) {}

Log Log::with(LogFields fields) const {
    Log out = *this;
    for (auto& f : fields) out.fields_.push_back(std::move(f));
    return out;
}

void Log::error(std::string_view message, std::string_view error, const LogFields& fields) const {
    LogFields all{{"error", Node::string(error)}};
    all.insert(all.end(), fields.begin(), fields.end());
    write(LogLevel::error, message, all);
}

// As zap's console encoder has it: time, level in capitals, logger, message, the rest as JSON, with tabs between.
std::string Log::console_line(LogLevel level, std::string_view message, const LogFields& fields) const {
    std::string logger;
    Node rest = Node::map();
    for (const LogFields* all : {&fields_, &fields})
        for (const auto& [key, value] : *all)
            if (key == "logger") logger = std::string(value.text()) + "\t";
            else rest.set(key, value);
    return timestamp() + "\t" + kube::ascii_upper(word(level)) + "\t" + logger + std::string(message) + (rest.empty() ? "" : "\t" + kube::write_json(rest));
}

void Log::write(LogLevel level, std::string_view message, const LogFields& fields) const {
    if (level < level_) return;
    if (!json_) return sink_(console_line(level, message, fields));
    Node line = Node::map({{"level", Node::string(word(level))}, {"ts", Node::string(timestamp())}, {"msg", Node::string(message)}});
    for (const auto& [key, value] : fields_) line.set(key, value);
    for (const auto& [key, value] : fields) line.set(key, value);
    sink_(kube::write_json(line));
}

std::string new_reconcile_id() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    std::uint64_t a = random(), b = random();
    a = (a & ~0xF000ull) | 0x4000ull;
    b = (b & ~(3ull << 62)) | (2ull << 62);
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xFFFF, a & 0xFFFF, b >> 48, b & 0xFFFFFFFFFFFF);
}

} // namespace weber::agent
