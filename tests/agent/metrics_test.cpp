#include "agent/metrics.h"

#include <gtest/gtest.h>

#include "agent/controller_metrics.h"
#include "agent/metered_transport.h"
#include "tests/kube/scripted_transport.h"

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

TEST(Metrics, BucketsOfFlux) { // the labels that kustomize-controller 1.9.6 gives them
    Metrics m;
    ControllerMetrics numbers(m, "kustomization", "Kustomization");
    numbers.count({"ns", "a"}, gitops::NextRun::interval, std::chrono::seconds(1));
    const std::string text = m.text();
    for (const char* bound : {"0.01", "0.038363583488692544", "0.1471764538093883", "0.5646216173286169", "2.166090855590701", "8.309900738254731", "31.879757075478317", "122.30217221643493",
                              "469.19495946736544", "1799.9999999999986"})
        EXPECT_NE(text.find("gotk_reconcile_duration_seconds_bucket{kind=\"Kustomization\",name=\"a\",namespace=\"ns\",le=\"" + std::string(bound) + "\"}"), text.npos) << bound << "\n" << text;
}

TEST(Metrics, RequestsAreCountedAsClientGoDoes) {
    Metrics m;
    const auto script = [](const kube::HttpRequest& r, int) -> Result<kube::HttpResponse> {
        if (r.target == "/lost") return kube::fail(ErrorCode::unavailable, "no");
        return kube::HttpResponse{.status = r.target == "/none" ? 404 : 200};
    };
    MeteredTransport t(std::make_shared<testing::ScriptedTransport>(script), "https://10.0.0.1:6443/prefix", m);
    MeteredTransport again(std::make_shared<testing::ScriptedTransport>(script), "https://other:443", m); // changes nothing of the first
    (void)t.send({.target = "/a"});
    (void)t.send({.method = "PATCH", .target = "/none"});
    (void)t.send_all({{.method = "PATCH", .target = "/a"}, {.method = "PATCH", .target = "/lost"}, {.method = "PATCH", .target = "/a"}}, 2);
    (void)t.stream({.target = "/a?watch=1"}, [](std::string_view) { return true; });
    EXPECT_EQ(m.text(), "# HELP rest_client_requests_total Number of HTTP requests, partitioned by status code, method, and host.\n# TYPE rest_client_requests_total counter\n"
                        "rest_client_requests_total{code=\"200\",host=\"10.0.0.1:6443\",method=\"GET\"} 1\n"
                        "rest_client_requests_total{code=\"200\",host=\"10.0.0.1:6443\",method=\"PATCH\"} 2\n"
                        "rest_client_requests_total{code=\"404\",host=\"10.0.0.1:6443\",method=\"PATCH\"} 1\n"
                        "rest_client_requests_total{code=\"<error>\",host=\"10.0.0.1:6443\",method=\"GET\"} 1\n" // the stream was cut
                        "rest_client_requests_total{code=\"<error>\",host=\"10.0.0.1:6443\",method=\"PATCH\"} 1\n");
}

TEST(Metrics, OfAController) {
    Metrics m;
    WorkQueue queue;
    ControllerMetrics numbers(m, "kustomization", "Kustomization");
    ControllerMetrics other(m, "gitrepository", "GitRepository");
    numbers.observe(queue, 4, [] { return 1; });
    std::stop_source stop;
    for (const char* key : {"ns/a", "ns/b", "ns/c"}) queue.add(key);
    queue.add("ns/d", Priority::sweep);
    queue.add("ns/c"); // waits already
    queue.add_after("ns/e", std::chrono::hours(1));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(queue.next(stop.get_token()).has_value());
    queue.done("ns/a");
    queue.add_with_backoff("ns/a");
    numbers.count({"ns", "a"}, gitops::NextRun::backoff, std::chrono::milliseconds(20));
    numbers.count({"ns", "a"}, gitops::NextRun::interval, std::chrono::milliseconds(20));
    numbers.count_panic();
    other.count({"ns", "a"}, gitops::NextRun::terminal, std::chrono::milliseconds(20));
    const std::string text = m.text();
    for (const char* line : {"workqueue_depth{controller=\"kustomization\",name=\"kustomization\",priority=\"0\"} 1", "workqueue_depth{controller=\"kustomization\",name=\"kustomization\",priority=\"-100\"} 1",
                             "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"success\"} 0", "controller_runtime_reconcile_timeouts_total{controller=\"kustomization\"} 0",
                             "controller_runtime_reconcile_panics_total{controller=\"kustomization\"} 1", "controller_runtime_reconcile_panics_total{controller=\"gitrepository\"} 0", "controller_runtime_reconcile_errors_total{controller=\"gitrepository\"} 1", "workqueue_adds_total{controller=\"kustomization\",name=\"kustomization\"} 4",
                             "workqueue_retries_total{controller=\"kustomization\",name=\"kustomization\"} 2", "workqueue_queue_duration_seconds_count{controller=\"kustomization\",name=\"kustomization\"} 2",
                             "workqueue_work_duration_seconds_count{controller=\"kustomization\",name=\"kustomization\"} 1", "workqueue_unfinished_work_seconds{controller=\"kustomization\",name=\"kustomization\"} ",
                             "workqueue_longest_running_processor_seconds{controller=\"kustomization\",name=\"kustomization\"} ", "controller_runtime_active_workers{controller=\"kustomization\"} 0",
                             "controller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 4", "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"error\"} 2",
                             "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"requeue_after\"} 1", "controller_runtime_reconcile_errors_total{controller=\"kustomization\"} 2",
                             "controller_runtime_terminal_reconcile_errors_total{controller=\"gitrepository\"} 1", "controller_runtime_reconcile_time_seconds_count{controller=\"kustomization\"} 2",
                             "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"a\",namespace=\"ns\"} 2", "gotk_reconcile_duration_seconds_count{kind=\"GitRepository\",name=\"a\",namespace=\"ns\"} 1"})
        EXPECT_NE(text.find(std::string("\n") + line), text.npos) << line << "\n" << text;
    numbers.forget({"ns", "a"});
    EXPECT_EQ(m.text().find("kind=\"Kustomization\""), std::string::npos);
    EXPECT_NE(m.text().find("kind=\"GitRepository\""), std::string::npos);
}

} // namespace
} // namespace weber::agent
