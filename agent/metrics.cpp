#include "agent/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weber::agent {

namespace {

std::string number(double v) {
    if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    return {buffer, end};
}

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    return out;
}

// `{a="1",le="+Inf"}`, or nothing.
std::string label_text(const Labels& labels, std::string_view bound = {}) {
    std::string out;
    for (const auto& [key, value] : labels) out += (out.empty() ? "" : ",") + key + "=\"" + escaped(value) + "\"";
    if (!bound.empty()) out += (out.empty() ? "le=\"" : ",le=\"") + std::string(bound) + "\"";
    return out.empty() ? out : "{" + out + "}";
}

} // namespace

Metrics::Family& Metrics::describe(const std::string& name, Kind kind, const std::string& help) {
    Family& family = families_[name];
    family.kind = kind;
    family.help = help;
    return family;
}

void Metrics::define_counter(const std::string& name, const std::string& help) {
    const std::lock_guard lock(mutex_);
    describe(name, Kind::counter, help);
}
void Metrics::define_gauge(const std::string& name, const std::string& help) {
    const std::lock_guard lock(mutex_);
    describe(name, Kind::gauge, help);
}
void Metrics::define_histogram(const std::string& name, const std::string& help, std::vector<double> buckets) {
    const std::lock_guard lock(mutex_);
    describe(name, Kind::histogram, help).bounds = std::move(buckets);
}

void Metrics::add(const std::string& name, const Labels& labels, double by) {
    const std::lock_guard lock(mutex_);
    families_[name].series[labels].value += by;
}
void Metrics::set(const std::string& name, double value, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    families_[name].series[labels].value = value;
}
void Metrics::observe(const std::string& name, double value, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    Family& family = families_[name];
    Series& series = family.series[labels];
    series.buckets.resize(family.bounds.size());
    const auto at = std::ranges::lower_bound(family.bounds, value);
    if (at != family.bounds.end()) ++series.buckets[static_cast<std::size_t>(at - family.bounds.begin())];
    ++series.count;
    series.value += value;
}

void Metrics::forget(const std::string& name, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    std::erase_if(families_[name].series, [&](const auto& entry) {
        return std::ranges::all_of(labels, [&](const auto& l) {
            const auto have = entry.first.find(l.first);
            return have != entry.first.end() && have->second == l.second;
        });
    });
}

void Metrics::before_scrape(std::function<void(Metrics&)> hook) {
    const std::lock_guard lock(mutex_);
    hooks_.push_back(std::move(hook));
}

void Metrics::write_family(const std::string& name, const Family& family, std::string& out) {
    static constexpr std::string_view kWords[] = {"counter", "gauge", "histogram"};
    out += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " + std::string(kWords[static_cast<int>(family.kind)]) + "\n";
    for (const auto& [labels, series] : family.series) {
        if (family.kind != Kind::histogram) {
            out += name + label_text(labels) + " " + number(series.value) + "\n";
            continue;
        }
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < family.bounds.size(); ++i) {
            below += series.buckets[i];
            out += name + "_bucket" + label_text(labels, number(family.bounds[i])) + " " + std::to_string(below) + "\n";
        }
        out += name + "_bucket" + label_text(labels, "+Inf") + " " + std::to_string(series.count) + "\n";
        out += name + "_sum" + label_text(labels) + " " + number(series.value) + "\n";
        out += name + "_count" + label_text(labels) + " " + std::to_string(series.count) + "\n";
    }
}

std::string Metrics::text() {
    std::vector<std::function<void(Metrics&)>> hooks;
    {
        const std::lock_guard lock(mutex_);
        hooks = hooks_;
    }
    for (const auto& hook : hooks) hook(*this);
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_)
        if (!family.series.empty()) write_family(name, family, out);
    return out;
}

} // namespace weber::agent
