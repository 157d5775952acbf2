// Numbers for Prometheus: counters, gauges and histograms with labels, and their text exposition (version 0.0.4).
//
// Thread-safe. Names, labels and help texts are constants of the program; label values may be anything and are escaped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weber::agent {

using Labels = std::map<std::string, std::string>;

class Metrics {
public:
    // Says what a metric is, before its first use; once more changes nothing. `buckets`: upper bounds of a histogram, ascending, without +Inf.
    void define_counter(const std::string& name, const std::string& help);
    void define_gauge(const std::string& name, const std::string& help);
    void define_histogram(const std::string& name, const std::string& help, std::vector<double> buckets);

    void add(const std::string& name, const Labels& labels = {}, double by = 1);
    void set(const std::string& name, double value, const Labels& labels = {});
    void observe(const std::string& name, double value, const Labels& labels = {});
    // Drops all series of `name` that have these labels (among others).
    void forget(const std::string& name, const Labels& labels);

    // Called before each exposition, to set gauges of things that know their own numbers.
    void before_scrape(std::function<void(Metrics&)> hook);

    [[nodiscard]] std::string text();

private:
    enum class Kind : std::uint8_t { counter, gauge, histogram };
    struct Series {
        double value = 0; // sum, of a histogram
        std::uint64_t count = 0;
        std::vector<std::uint64_t> buckets = {}; // not cumulative
    };
    struct Family {
        Kind kind = Kind::counter;
        std::string help;
        std::vector<double> bounds = {};
        std::map<Labels, Series> series = {};
    };
    Family& describe(const std::string& name, Kind kind, const std::string& help); // the caller holds mutex_
    static void write_family(const std::string& name, const Family& family, std::string& out);

    std::mutex mutex_; // guards the rest
    std::map<std::string, Family> families_;
    std::vector<std::function<void(Metrics&)>> hooks_;
};

} // namespace weber::agent
