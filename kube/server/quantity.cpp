#include "kube/server/quantity.h"

#include <algorithm>
#include <array>

namespace weber::kube::server {
namespace {

constexpr __int128 kOne = 1'000'000'000;
constexpr __int128 kMost = kOne * ((static_cast<__int128>(1) << 63) - 1);

struct Suffix {
    std::string_view text;
    Quantity::Format format;
    int base, power; // base^power
};
constexpr std::array<Suffix, 16> kSuffixes{{
    {"", Quantity::Format::decimal, 10, 0},    {"n", Quantity::Format::decimal, 10, -9}, {"u", Quantity::Format::decimal, 10, -6},
    {"m", Quantity::Format::decimal, 10, -3},  {"k", Quantity::Format::decimal, 10, 3},  {"M", Quantity::Format::decimal, 10, 6},
    {"G", Quantity::Format::decimal, 10, 9},   {"T", Quantity::Format::decimal, 10, 12}, {"P", Quantity::Format::decimal, 10, 15},
    {"E", Quantity::Format::decimal, 10, 18},  {"Ki", Quantity::Format::binary, 2, 10},  {"Mi", Quantity::Format::binary, 2, 20},
    {"Gi", Quantity::Format::binary, 2, 30},   {"Ti", Quantity::Format::binary, 2, 40},  {"Pi", Quantity::Format::binary, 2, 50},
    {"Ei", Quantity::Format::binary, 2, 60},
}};

std::optional<Suffix> suffix_of(std::string_view text) {
    for (const auto& s : kSuffixes)
        if (s.text == text) return s;
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
    const bool negative = text[1] == '-';
    std::size_t i = negative || text[1] == '+' ? 2 : 1;
    if (i == text.size() || text.size() - i > 3) return std::nullopt;
    int power = 0;
    for (; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        power = power * 10 + (text[i] - '0');
    }
    return Suffix{"", Quantity::Format::exponent, 10, negative ? -power : power};
}

__int128 capped_multiply(__int128 value, __int128 by) { return value > kMost / by ? kMost : value * by; }

} // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    std::string digits;
    int fraction = 0;
    bool point = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '.' && !point) {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits += text[i];
            if (point) ++fraction;
        } else {
            break;
        }
    }
    const auto suffix = suffix_of(text.substr(i));
    if (digits.empty() || !suffix) return std::nullopt;
    // digits × 10^-fraction × base^power, in nanos; what lies below a nano rounds away from zero.
    int ten = 9 - fraction + (suffix->base == 10 ? suffix->power : 0);
    while (ten < 0 && digits.size() > 1 && digits.back() == '0') digits.pop_back(), ++ten;
    __int128 value = 0;
    bool inexact = false;
    const std::size_t used = ten < 0 ? (digits.size() > static_cast<std::size_t>(-ten) ? digits.size() - static_cast<std::size_t>(-ten) : 0) : digits.size();
    if (suffix->base == 2) { // binary: scaled first, so that fractions of it stay exact
        for (const char c : digits) value = std::min(capped_multiply(value, 10) + (c - '0'), kMost);
        value = capped_multiply(value, static_cast<__int128>(1) << suffix->power);
        for (; ten > 0; --ten) value = capped_multiply(value, 10);
        for (; ten < 0; ++ten) {
            inexact = inexact || value % 10 != 0;
            value /= 10;
        }
    } else {
        for (std::size_t d = 0; d < digits.size(); ++d) {
            if (d < used)
                value = std::min(capped_multiply(value, 10) + (digits[d] - '0'), kMost);
            else
                inexact = inexact || digits[d] != '0';
        }
        for (; ten > 0 && value != 0; --ten) value = capped_multiply(value, 10);
    }
    if (inexact) ++value;
    return Quantity{std::min(negative ? -value : value, kMost), suffix->format};
}

std::string to_string(const Quantity& quantity) {
    __int128 v = quantity.nanos;
    if (v == 0) return "0";
    const bool negative = v < 0;
    if (negative) v = -v;
    std::string suffix;
    const auto number = [&] {
        std::string out;
        for (__int128 n = v; n > 0; n /= 10) out += static_cast<char>('0' + static_cast<int>(n % 10));
        if (negative) out += '-';
        std::reverse(out.begin(), out.end());
        return out;
    };
    if (quantity.format == Quantity::Format::binary && v >= 1024 * kOne && v % kOne == 0) {
        static constexpr std::array<std::string_view, 7> kBinary{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
        v /= kOne;
        std::size_t step = 0;
        while (step + 1 < kBinary.size() && v % 1024 == 0) v /= 1024, ++step;
        return number() + std::string(kBinary[step]);
    }
    static constexpr std::array<std::string_view, 10> kDecimal{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    std::size_t step = 0;
    while (step + 1 < kDecimal.size() && v % 1000 == 0) v /= 1000, ++step;
    if (quantity.format == Quantity::Format::exponent) {
        const int power = static_cast<int>(step) * 3 - 9;
        return number() + (power == 0 ? "" : "e" + std::to_string(power));
    }
    return number() + std::string(kDecimal[step]);
}

} // namespace weber::kube::server
