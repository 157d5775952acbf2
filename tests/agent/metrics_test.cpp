#include "agent/metrics.h"

#include <gtest/gtest.h>

namespace weber::agent {
namespace {

TEST(Metrics, TextExposition) {
    Metrics m;
    m.define_counter("c_total", "Things.");
    m.define_gauge("g", "Level.");
    m.define_histogram("h_seconds", "Time.", {0.5, 1});
    m.define_gauge("unused", "No series, no text.");
    m.add("c_total", {{"name", "a\"b\\c\nd"}});
    m.add("c_total", {{"name", "a\"b\\c\nd"}}, 2);
    m.observe("h_seconds", 0.5, {{"kind", "K"}});
    m.observe("h_seconds", 7, {{"kind", "K"}});
    m.before_scrape([](Metrics& all) { all.set("g", 1.5); });
    EXPECT_EQ(m.text(), "# HELP c_total Things.\n# TYPE c_total counter\nc_total{name=\"a\\\"b\\\\c\\nd\"} 3\n"
                        "# HELP g Level.\n# TYPE g gauge\ng 1.5\n"
                        "# HELP h_seconds Time.\n# TYPE h_seconds histogram\n"
                        "h_seconds_bucket{kind=\"K\",le=\"0.5\"} 1\nh_seconds_bucket{kind=\"K\",le=\"1\"} 1\nh_seconds_bucket{kind=\"K\",le=\"+Inf\"} 2\n"
                        "h_seconds_sum{kind=\"K\"} 7.5\nh_seconds_count{kind=\"K\"} 2\n");
    m.forget("c_total", {{"name", "a\"b\\c\nd"}});
    EXPECT_EQ(m.text().find("c_total"), std::string::npos);
}

TEST(Metrics, BucketsOfFlux) {
    const std::vector<double> b = Metrics::exponential_buckets(10e-3, 1800, 10);
    ASSERT_EQ(b.size(), 10u);
    EXPECT_DOUBLE_EQ(b.front(), 0.01);
    EXPECT_NEAR(b.back(), 1800, 1e-6);
}

} // namespace
} // namespace weber::agent
