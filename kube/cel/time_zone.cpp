// Zones of the machine's database (RFC 8536 files under /usr/share/zoneinfo). GCC 12's <chrono> has none.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "kube/base/json.h"
#include "kube/cel/go_format.h"
#include "kube/cel/time.h"

namespace weber::cel {

namespace {

struct Zone {
    std::vector<std::int64_t> changes;     // UTC seconds, ascending
    std::vector<std::uint8_t> kinds;       // of each change: index into offsets
    std::vector<std::int32_t> offsets;     // seconds east
    std::vector<bool> is_summer;
    std::string rule;                      // POSIX TZ for the time after the last change
};

// Big-endian numbers from a buffer; reading past the end gives zeros and sets `bad`.
struct Reader {
    std::string_view data;
    std::size_t at = 0;
    bool bad = false;

    std::uint64_t number(std::size_t bytes) {
        std::uint64_t v = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            if (at >= data.size()) {
                bad = true;
                return 0;
            }
            v = v << 8 | static_cast<std::uint8_t>(data[at++]);
        }
        return v;
    }
    void skip(std::size_t bytes) {
        bad = bad || bytes > data.size() - at;
        at = std::min(data.size(), at + bytes);
    }
};

struct Header {
    char version = 0;
    std::uint32_t utc = 0, std = 0, leap = 0, times = 0, types = 0, chars = 0;
};

std::optional<Header> read_header(Reader& in) {
    if (in.data.substr(in.at, 4) != "TZif") return std::nullopt;
    in.skip(4);
    Header h;
    h.version = static_cast<char>(in.number(1));
    in.skip(15);
    for (std::uint32_t* field : {&h.utc, &h.std, &h.leap, &h.times, &h.types, &h.chars}) *field = static_cast<std::uint32_t>(in.number(4));
    return in.bad ? std::nullopt : std::optional(h);
}

std::optional<Zone> parse_zone(std::string_view data) {
    Reader in{data};
    auto header = read_header(in);
    if (!header) return std::nullopt;
    std::size_t width = 4;
    if (header->version >= '2') {
        in.skip(header->times * 5ull + header->types * 6ull + header->chars + header->leap * 8ull + header->std + header->utc);
        header = read_header(in);
        if (!header) return std::nullopt;
        width = 8;
    }
    if (header->times > data.size() || header->types == 0 || header->types > 256) return std::nullopt;
    Zone zone;
    for (std::uint32_t i = 0; i < header->times; ++i) {
        const std::uint64_t v = in.number(width);
        zone.changes.push_back(width == 8 ? static_cast<std::int64_t>(v) : static_cast<std::int32_t>(v));
    }
    for (std::uint32_t i = 0; i < header->times; ++i) zone.kinds.push_back(static_cast<std::uint8_t>(in.number(1)));
    for (std::uint32_t i = 0; i < header->types; ++i) {
        zone.offsets.push_back(static_cast<std::int32_t>(in.number(4)));
        zone.is_summer.push_back(in.number(1) != 0);
        in.skip(1);
    }
    in.skip(header->chars + header->leap * (width + 4ull) + header->std + header->utc);
    if (in.bad || std::ranges::any_of(zone.kinds, [&](std::uint8_t k) { return k >= zone.offsets.size(); })) return std::nullopt;
    if (width == 8 && in.at < data.size() && data[in.at] == '\n') {
        const std::size_t end = data.find('\n', in.at + 1);
        if (end != std::string_view::npos) zone.rule = data.substr(in.at + 1, end - in.at - 1);
    }
    return zone;
}

// ---- the POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3" ----------------------------------------------------

struct RuleText {
    std::string_view text;
    bool take(char c) {
        if (!text.starts_with(c)) return false;
        text.remove_prefix(1);
        return true;
    }
    void name() {
        if (take('<')) {
            text.remove_prefix(std::min(text.size(), text.find('>') + 1));
            return;
        }
        while (!text.empty() && ((text[0] | 32) >= 'a' && (text[0] | 32) <= 'z')) text.remove_prefix(1);
    }
    int number() {
        int v = 0;
        while (!text.empty() && text[0] >= '0' && text[0] <= '9' && v < 100'000) {
            v = v * 10 + (text[0] - '0');
            text.remove_prefix(1);
        }
        return v;
    }
    // [+-]h[:m[:s]] in seconds.
    int time() {
        const bool negative = take('-');
        if (!negative) take('+');
        int v = number() * 3600;
        if (take(':')) v += number() * 60;
        if (take(':')) v += number();
        return negative ? -v : v;
    }
};

struct Change {
    char kind = 'M'; // M month.week.day, J day without 29 February, n day with it
    int month = 0, week = 0, day = 0;
    int time = 7200;
};

Change read_change(RuleText& in) {
    Change c;
    if (in.take('M')) {
        c.month = in.number();
        in.take('.');
        c.week = in.number();
        in.take('.');
        c.day = in.number();
    } else {
        c.kind = in.take('J') ? 'J' : 'n';
        c.day = in.number();
    }
    if (in.take('/')) c.time = in.time();
    return c;
}

// Days since 1970 of the day a rule names in `year`.
std::int64_t rule_day(const Change& c, std::int64_t in_year) {
    namespace chrono = std::chrono;
    const chrono::year y(static_cast<int>(in_year));
    if (c.kind == 'M') {
        const chrono::month m(static_cast<unsigned>(std::clamp(c.month, 1, 12)));
        const chrono::weekday d(static_cast<unsigned>(c.day % 7));
        const chrono::sys_days day =
            c.week >= 5 ? chrono::sys_days(y / m / d[chrono::last]) : chrono::sys_days(y / m / d[static_cast<unsigned>(std::max(c.week, 1))]);
        return day.time_since_epoch().count();
    }
    const std::int64_t first = chrono::sys_days(y / chrono::January / 1).time_since_epoch().count();
    if (c.kind == 'n') return first + c.day;
    return first + c.day - 1 + (y.is_leap() && c.day >= 60 ? 1 : 0);
}

std::int64_t rule_offset(std::string_view rule, Timestamp t) {
    RuleText in{rule};
    in.name();
    const std::int64_t standard = -in.time();
    if (in.text.empty()) return standard;
    in.name();
    const std::int64_t summer = in.text.starts_with(',') || in.text.empty() ? standard + 3600 : -in.time();
    if (!in.take(',')) return standard;
    const Change start = read_change(in);
    in.take(',');
    const Change end = read_change(in);
    const std::int64_t year = calendar(t, standard).year;
    const std::int64_t from = rule_day(start, year) * 86'400 + start.time - standard;
    const std::int64_t to = rule_day(end, year) * 86'400 + end.time - summer;
    const bool inside = from < to ? t.seconds >= from && t.seconds < to : t.seconds >= from || t.seconds < to;
    return inside ? summer : standard;
}

std::int64_t offset_at(const Zone& zone, Timestamp t) {
    const auto after = std::ranges::upper_bound(zone.changes, t.seconds);
    if (after == zone.changes.begin()) {
        // Before the first change: the first kind that is not summer time.
        for (std::size_t i = 0; i < zone.offsets.size(); ++i)
            if (!zone.is_summer[i]) return zone.offsets[i];
        return zone.offsets[0];
    }
    if (after == zone.changes.end() && !zone.rule.empty()) return rule_offset(zone.rule, t);
    return zone.offsets[zone.kinds[static_cast<std::size_t>(after - zone.changes.begin()) - 1]];
}

// Zones read so far. Only existing zones are kept, so the number of zone files bounds it.
std::shared_ptr<const Zone> load_zone(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const Zone>> zones;
    const std::scoped_lock lock(mutex);
    if (const auto it = zones.find(name); it != zones.end()) return it->second;
    for (const char* root : {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/"}) {
        std::ifstream file(root + name, std::ios::binary);
        std::string data(1 << 16, '\0');
        if (!file.read(data.data(), static_cast<std::streamsize>(data.size())) && file.gcount() == 0) continue;
        data.resize(static_cast<std::size_t>(file.gcount()));
        if (auto zone = parse_zone(data)) return zones[name] = std::make_shared<const Zone>(std::move(*zone));
    }
    return nullptr;
}

Result<std::int64_t> fixed_offset(std::string_view zone, std::size_t colon) {
    const auto part = [](std::string_view text) -> Result<std::int64_t> {
        if (const auto v = parse_go_int(text)) return *v;
        return fail(ErrorCode::invalid, "strconv.Atoi: parsing " + kube::write_json(Node::string(text)) + ": invalid syntax"); // quoted
    };
    TRY(const std::int64_t hours, part(zone.substr(0, colon)));
    TRY(const std::int64_t minutes, part(zone.substr(colon + 1)));
    if (std::abs(hours) > 10'000 || std::abs(minutes) > 1'000'000) return fail(ErrorCode::invalid, "time zone offset out of range: " + std::string(zone));
    return (zone.starts_with('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60;
}

} // namespace

Result<std::int64_t> zone_offset(std::string_view zone, Timestamp t) {
    if (const std::size_t colon = zone.find(':'); colon != std::string_view::npos) return fixed_offset(zone, colon);
    if (zone.empty() || zone == "UTC" || zone == "Local") return 0;
    if (zone.find("..") != std::string_view::npos || zone[0] == '/' || zone[0] == '\\' || zone.size() > 200 || zone.find('\0') != std::string_view::npos)
        return fail(ErrorCode::invalid, "time: invalid location name");
    const auto found = load_zone(std::string(zone));
    if (found == nullptr) return fail(ErrorCode::invalid, "unknown time zone " + std::string(zone));
    return offset_at(*found, t);
}

} // namespace weber::cel
