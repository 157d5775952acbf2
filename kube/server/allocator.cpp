#include "kube/server/allocator.h"

#include <arpa/inet.h>

#include <optional>

namespace weber::kube::server {
namespace {

constexpr std::uint32_t kBase = (10u << 24) | (96u << 16); // 10.96.0.0/16
constexpr std::uint32_t kSize = 1u << 16;

std::optional<std::uint32_t> offset_of(std::string_view ip) {
    in_addr address{};
    if (inet_pton(AF_INET, std::string(ip).c_str(), &address) != 1) return std::nullopt;
    const std::uint32_t value = ntohl(address.s_addr);
    if (value <= kBase || value >= kBase + kSize - 1) return std::nullopt;
    return value - kBase;
}

std::string text_of(std::uint32_t offset) {
    return "10.96." + std::to_string(offset >> 8) + "." + std::to_string(offset & 255);
}

} // namespace

bool Allocator::in_range(std::string_view ip) { return offset_of(ip).has_value(); }

std::string Allocator::take_ip() {
    std::lock_guard lock(mutex_);
    for (std::uint32_t tries = 0; tries < kSize; ++tries) {
        // A stride that visits every address spreads them, as the real allocator's random choice does.
        next_ip_ = (next_ip_ + 7919) % kSize;
        if (next_ip_ < 256 || next_ip_ == kSize - 1) continue; // the lower band is for fixed addresses
        if (ips_.insert(next_ip_).second) return text_of(next_ip_);
    }
    return "";
}

bool Allocator::take_ip(std::string_view ip) {
    const auto offset = offset_of(ip);
    std::lock_guard lock(mutex_);
    return offset && ips_.insert(*offset).second;
}

void Allocator::free_ip(std::string_view ip) {
    const auto offset = offset_of(ip);
    std::lock_guard lock(mutex_);
    if (offset) ips_.erase(*offset);
}

int Allocator::take_port() {
    std::lock_guard lock(mutex_);
    for (int tries = 0; tries < 2768; ++tries) {
        next_port_ = 30000 + (next_port_ - 30000 + 389) % 2768;
        if (ports_.insert(next_port_).second) return next_port_;
    }
    return 0;
}

bool Allocator::take_port(int port) {
    std::lock_guard lock(mutex_);
    return port_in_range(port) && ports_.insert(port).second;
}

void Allocator::free_port(int port) {
    std::lock_guard lock(mutex_);
    ports_.erase(port);
}

} // namespace weber::kube::server
