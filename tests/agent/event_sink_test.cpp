// Events as a notification-controller gets them, and what becomes of those that it does not take (kustomization.md 4.1, notifications.md 1.1).
#include "agent/event_sink.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "kube/base/yaml.h"
#include "kube/server/http_front.h"
#include "tests/kube/scripted_transport.h"

namespace weber::agent {
namespace {

using namespace std::chrono_literals;
using kube::server::Exchange;
using kube::server::HttpFront;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A service that answers as the test says, 202 when it says nothing.
class Service {
public:
    explicit Service(std::vector<int> answers = {}, std::string retry_after = {}) : answers_(std::move(answers)), retry_after_(std::move(retry_after)) {
        auto front = HttpFront::start({}, [this](kube::server::HttpRequest&& request, const std::shared_ptr<Exchange>& exchange) {
            int status = 202;
            {
                const std::lock_guard lock(mutex_);
                if (requests_.size() < answers_.size()) status = answers_[requests_.size()];
                requests_.push_back(std::move(request));
            }
            kube::server::HttpResponse answer{.status = status, .content_type = "text/plain", .headers = {}, .body = {}};
            if (status >= 400 && !retry_after_.empty()) answer.headers = {{"Retry-After", retry_after_}};
            exchange->respond(std::move(answer));
        });
        EXPECT_TRUE(front.has_value());
        front_ = std::move(*front);
    }
    [[nodiscard]] std::string address(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(front_->port()) + path; }
    std::vector<kube::server::HttpRequest> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    const std::vector<int> answers_;
    const std::string retry_after_;
    std::mutex mutex_; // guards requests_
    std::vector<kube::server::HttpRequest> requests_;
    std::unique_ptr<HttpFront> front_;
};

class EventSinkTest : public ::testing::Test {
protected:
    std::unique_ptr<EventSink> sink(const std::string& address, std::chrono::milliseconds first_pause = 1ms) {
        auto client = std::make_shared<kube::Client>(std::make_shared<testing::ScriptedTransport>(
            [](const kube::HttpRequest& r, int) -> Result<kube::HttpResponse> { return kube::HttpResponse{.status = 201, .body = r.body}; }));
        return std::make_unique<EventSink>(std::move(client), "kustomize-controller", address,
                                           Log(LogLevel::info, true, [this](std::string_view line) { lines.emplace_back(line); }), first_pause);
    }
    static Object apps() {
        return Object(kube::read_yaml_one("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: team, uid: u-1, resourceVersion: '811'}\n").value());
    }
    static gitops::Event event(const std::string& message, bool warning = false) { return {.warning = warning, .reason = "Progressing", .message = message, .metadata = {{"g/revision", "main@sha1:1"}}}; }

    std::vector<std::string> lines; // of the log; read after the sink is gone
};

TEST_F(EventSinkTest, IsPostedAsFluxDoes) {
    Service service;
    auto events = sink(service.address("/hook?x=1"));
    events->send(apps(), event("Deployment/a/b configured\nService/a/b created"));
    events->send(apps(), event("no", true));
    events->send_trace(apps(), event("not for the service"));
    ASSERT_TRUE(events->flush(60s));
    const auto got = service.requests();
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(got[0].method, "POST");
    EXPECT_EQ(got[0].path, "/hook");
    EXPECT_EQ(got[0].param("x"), "1");
    EXPECT_EQ(got[0].content_type, "application/json");
    EXPECT_EQ(got[0].authorization, "");
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    EXPECT_THAT(got[0].body, MatchesRegex(R"(\{"involvedObject":\{"kind":"Kustomization","namespace":"team","name":"apps","uid":"u-1","apiVersion":"kustomize.toolkit.fluxcd.io/v1","resourceVersion":"811"\},)"
                                          R"("severity":"info","timestamp":"....-..-..T..:..:..Z","message":"Deployment/a/b configured\\nService/a/b created","reason":"Progressing",)"
                                          R"("metadata":\{"g/revision":"main@sha1:1"\},"reportingController":"kustomize-controller","reportingInstance":")" + std::string(host) + R"("\})"));
    EXPECT_THAT(got[1].body, HasSubstr(R"("severity":"error")"));
    events.reset();
    EXPECT_THAT(lines, ElementsAre());
}

TEST_F(EventSinkTest, NameAndPasswordOfTheAddressAreSent) {
    Service service;
    std::string address = service.address();
    auto events = sink(address.insert(7, "me:plan%3Ated@"));
    events->send(apps(), event("one"));
    ASSERT_TRUE(events->flush(60s));
    ASSERT_EQ(service.requests().size(), 1u);
    EXPECT_EQ(service.requests()[0].authorization, "Basic bWU6cGxhbjp0ZWQ=");
    address = service.address();
    events = sink(address.insert(7, "me@"));
    events->send(apps(), event("two"));
    ASSERT_TRUE(events->flush(60s));
    ASSERT_EQ(service.requests().size(), 2u);
    EXPECT_EQ(service.requests()[1].authorization, "Basic bWU6") << "as Go sends a name without a password: \"me:\"";
}

TEST_F(EventSinkTest, A5xxIsTriedFiveTimesADuplicateOnce) {
    Service service({500, 502, 503, 202, 429, 404, 500, 500, 500, 500, 500, 202}, "0");
    auto events = sink(service.address());
    for (const char* message : {"arrives", "is a duplicate", "has no such path", "is given up", "comes after it"}) events->send(apps(), event(message));
    ASSERT_TRUE(events->flush(60s));
    std::vector<std::string> order;
    for (const auto& r : service.requests()) order.emplace_back(kube::read_yaml_one(r.body).value().text_at("message"));
    EXPECT_THAT(order, ElementsAre("arrives", "arrives", "arrives", "arrives", "is a duplicate", "has no such path", "is given up", "is given up", "is given up", "is given up", "is given up",
                                   "comes after it"));
    events.reset();
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[0], HasSubstr(R"("error":"giving up after 1 attempt(s): unexpected HTTP status 404","name":"apps","namespace":"team","reconciler kind":"Kustomization")"));
    EXPECT_THAT(lines[1], ::testing::AllOf(HasSubstr(R"("msg":"unable to record event")"), HasSubstr("giving up after 5 attempt(s): unexpected HTTP status 500")));
}

// A notification-controller that is being replaced is away for longer than a second or two.
TEST_F(EventSinkTest, PausesDoubleAndHeedRetryAfter) {
    Service service({500, 500, 500, 202});
    auto events = sink(service.address(), 40ms);
    const auto began = std::chrono::steady_clock::now();
    events->send(apps(), event("arrives"));
    ASSERT_TRUE(events->flush(60s));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 40ms + 80ms + 160ms);
    Service asks({503}, "1");
    auto patient = sink(asks.address());
    const auto asked = std::chrono::steady_clock::now();
    patient->send(apps(), event("arrives"));
    ASSERT_TRUE(patient->flush(60s));
    EXPECT_GE(std::chrono::steady_clock::now() - asked, 1s);
    EXPECT_EQ(asks.requests().size(), 2u);
}

TEST_F(EventSinkTest, EndsAtOnceWithAServiceThatIsAway) {
    std::string address;
    {
        const Service gone;
        address = gone.address();
    }
    auto events = sink(address, 1h);
    events->send(apps(), event("one"));
    events->send(apps(), event("two"));
    EXPECT_FALSE(events->flush(20ms));
    events.reset(); // within the test's time limit
    ASSERT_EQ(lines.size(), 1u) << "the one that was under way";
    EXPECT_THAT(lines[0], HasSubstr("giving up after 1 attempt(s)"));
}

TEST(EventsAddress, MustBeAUrl) {
    for (const char* right : {"http://notification-controller.flux-system.svc.cluster.local./", "https://x", "http://[::1]:8080/a?b", "http://me:planted@x/"}) EXPECT_TRUE(check_events_address(right)) << right;
    for (const char* wrong : {"notification-controller", "ftp://x/", "http://", "http://a b/", "http://me:planted@", "x:80"}) {
        const auto refused = check_events_address(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_THAT(refused.error().message, ::testing::Not(HasSubstr("planted")));
    }
}

} // namespace
} // namespace weber::agent
