// Watches against a server that does what a good one seldom does.
#include "kube/watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "kube/http_client.h"
#include "tests/kube/fault_server.h"
#include "tests/kube/scripted_transport.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

using namespace weber;
using namespace weber::kube;
using namespace weber::testing;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

const WatchTarget kTarget{.gvk = {"", "v1", "ConfigMap"}, .ns = "ns"};
const WatchOptions kQuick{.backoff_min = milliseconds(1), .backoff_max = milliseconds(3)};

std::string item(const std::string& name, int rv) {
    return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","resourceVersion":")" + std::to_string(rv) + R"("}})";
}
std::string event(const std::string& type, const std::string& name, int rv) {
    return R"({"type":")" + type + R"(","object":)" + item(name, rv) + "}\n";
}
std::string bookmark(int rv, bool end_of_list = false) {
    return R"({"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":")" + std::to_string(rv) + "\"" +
           (end_of_list ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "") + "}}}\n";
}
HttpResponse list(int rv, const std::vector<std::string>& items, const std::string& more = {}) {
    std::string body = R"({"kind":"ConfigMapList","metadata":{"resourceVersion":")" + std::to_string(rv) + R"(","continue":")" + more + R"("},"items":[)";
    for (std::size_t i = 0; i < items.size(); ++i) body += (i ? "," : "") + items[i];
    return json_answer(200, body + "]}");
}

std::string word(const WatchEvent& e) {
    const std::string name = std::string(e.object.name()) + (e.object.resource_version().empty() ? "" : "@" + std::string(e.object.resource_version()));
    switch (e.kind) {
    case WatchEventKind::added: return "+" + name;
    case WatchEventKind::modified: return "~" + name;
    case WatchEventKind::deleted: return "-" + name;
    case WatchEventKind::synced: return "synced";
    case WatchEventKind::trouble: break;
    }
    return "trouble";
}

// Runs a watch until the handler has seen `last`; the words of all events, without troubles unless asked for.
struct Watched {
    explicit Watched(ScriptedTransport::Script script) : transport(std::make_shared<ScriptedTransport>(std::move(script))), client(transport) {}

    std::vector<std::string> until(const std::string& last, WatchTarget target = kTarget, const WatchOptions& options = kQuick) {
        std::vector<std::string> words;
        outcome = watch(
            client, target,
            [&](const WatchEvent& e) {
                if (e.kind == WatchEventKind::trouble) troubles.push_back(*e.error);
                if (e.kind != WatchEventKind::trouble) words.push_back(word(e));
                if (e.kind == WatchEventKind::trouble && troubles.size() > 50) return false;
                return word(e) != last;
            },
            options);
        return words;
    }
    // Targets of requests after discovery, without the random timeoutSeconds.
    std::vector<std::string> targets() const {
        std::vector<std::string> out;
        for (const HttpRequest& r : transport->seen()) {
            std::string t = r.target.substr(0, r.target.find("&timeoutSeconds"));
            if (t.find("configmaps") != std::string::npos) out.push_back(t.substr(t.find("configmaps")));
        }
        return out;
    }
    std::shared_ptr<ScriptedTransport> transport;
    Client client;
    Result<void> outcome;
    std::vector<Error> troubles;
};

using Words = std::vector<std::string>;

bool is_watch(const HttpRequest& r) { return r.target.find("watch=true") != std::string::npos; }
bool is_list(const HttpRequest& r) { return r.target.find("configmaps") != std::string::npos && !is_watch(r); }
bool starts(const HttpRequest& r) { return r.target.find("sendInitialEvents=true") != std::string::npos; }

TEST(Watch, TheFirstListComesInTheStream) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        return json_answer(200, event("ADDED", "a", 1) + event("ADDED", "b", 2) + bookmark(5, true) + event("MODIFIED", "a", 6));
    });
    EXPECT_EQ(run.until("~a@6"), (Words{"+a@1", "+b@2", "synced", "~a@6"}));
    EXPECT_TRUE(run.outcome);
    EXPECT_EQ(run.client.counts().list, 0u);
    EXPECT_EQ(run.client.counts().watch, 1u);
    EXPECT_EQ(run.targets(), (Words{"configmaps?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"}));
}

TEST(Watch, AServerWithoutStreamingListsIsAskedOnce) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (starts(r)) return status_answer(422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
        if (is_watch(r)) return json_answer(200, event("ADDED", "b", 6));
        return is_list(r) ? list(5, {item("a", 1)}) : small_discovery(r);
    });
    EXPECT_EQ(run.until("+b@6"), (Words{"+a@1", "synced", "+b@6"}));
    EXPECT_TRUE(run.troubles.empty()) << "it is not a fault";
    EXPECT_EQ(run.until("+b@6"), (Words{"+a@1", "synced", "+b@6"}));
    int refused = 0;
    for (const HttpRequest& r : run.transport->seen()) refused += starts(r);
    EXPECT_EQ(refused, 1) << "the client remembers";
}

TEST(Watch, CutWithinTheFirstListItIsListedByPages) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (starts(r)) return json_answer(200, event("ADDED", "a", 1) + event("ADDED", "gone", 2));
        if (is_watch(r)) return json_answer(200, event("ADDED", "c", 9));
        return is_list(r) ? list(8, {item("a", 1), item("b", 3)}) : small_discovery(r);
    });
    EXPECT_EQ(run.until("+c@9"), (Words{"+a@1", "+gone@2", "+b@3", "-gone", "synced", "+c@9"}));
    EXPECT_EQ(run.troubles.size(), 1u);
}

TEST(Watch, ResumesFromTheLastBookmark) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        if (starts(r)) return json_answer(200, event("ADDED", "a", 1) + bookmark(5, true) + event("MODIFIED", "a", 6) + bookmark(40));
        return json_answer(200, event("MODIFIED", "a", 6) + event("DELETED", "a", 41));
    });
    EXPECT_EQ(run.until("-a@41"), (Words{"+a@1", "synced", "~a@6", "-a@41"})) << "a repeated state is not told again";
    EXPECT_EQ(run.targets().back(), "configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=40");
    EXPECT_EQ(run.client.counts().list, 0u);
}

TEST(Watch, TooOldItListsAgainAndTellsTheDifference) {
    for (const bool as_status : {true, false}) {
        Watched run([&](const HttpRequest& r, int n) -> Result<HttpResponse> {
            if (!is_watch(r)) return small_discovery(r);
            if (starts(r) && n < 5) return json_answer(200, event("ADDED", "a", 1) + event("ADDED", "b", 2) + event("ADDED", "c", 3) + bookmark(5, true));
            if (starts(r)) return json_answer(200, event("ADDED", "a", 1) + event("ADDED", "b", 20) + event("ADDED", "d", 21) + bookmark(30, true));
            return as_status ? status_answer(410, "Expired", "too old resource version")
                             : json_answer(200, R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}})"
                                                "\n");
        });
        EXPECT_EQ(run.until("-c"), (Words{"+a@1", "+b@2", "+c@3", "synced", "~b@20", "+d@21", "-c"})) << as_status;
    }
}

// etcd made anew, or restored from a backup, while the API server was away.
TEST(Watch, AStoreThatWasSetBackIsListedAnew) {
    for (const int store : {7, 200}) {
        int away = 0, begun = 0;
        Watched run([&](const HttpRequest& r, int) -> Result<HttpResponse> {
            if (is_list(r)) return list(store, {item("a", 7)});
            if (!is_watch(r)) return small_discovery(r);
            if (starts(r) && ++begun == 1) return json_answer(200, event("ADDED", "a", 100) + event("ADDED", "b", 101) + bookmark(105, true));
            if (starts(r)) return json_answer(200, event("ADDED", "a", 100) + bookmark(101, true)); // another object under the same number
            if (++away < 3) return fail(ErrorCode::unavailable, "cannot connect");
            return json_answer(200, event("DELETED", "b", 201));
        });
        if (store == 7) {
            EXPECT_EQ(run.until("-b"), (Words{"+a@100", "+b@101", "synced", "~a@100", "-b"}));
        } else {
            EXPECT_EQ(run.until("-b@201"), (Words{"+a@100", "+b@101", "synced", "-b@201"}));
        }
        const auto targets = run.targets();
        EXPECT_EQ(std::ranges::count(targets, "configmaps?limit=1"), 1) << "only once the server could not be reached";
        EXPECT_EQ(targets.back().find("resourceVersion=105") == std::string::npos, store == 7) << targets.back();
    }
}

TEST(Watch, PagesAndAnExpiredPageToken) {
    WatchOptions paged = kQuick;
    paged.streaming_list = false;
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (is_watch(r)) return json_answer(200, event("ADDED", "z", 9));
        if (!is_list(r)) return small_discovery(r);
        if (r.target.find("continue=") != std::string::npos) return status_answer(410, "Expired", "The provided continue parameter is too old");
        if (r.target.find("limit=") != std::string::npos) return list(5, {item("a", 1), item("b", 2)}, "token");
        return list(7, {item("a", 1), item("c", 6)});
    });
    EXPECT_EQ(run.until("+z@9", kTarget, paged), (Words{"+a@1", "+b@2", "+c@6", "-b", "synced", "+z@9"}));
    EXPECT_EQ(run.targets().back(), "configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=7");
}

TEST(Watch, SelectorsAndMetadata) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        return is_watch(r) ? Result<HttpResponse>(json_answer(200, event("ADDED", "a", 1))) : small_discovery(r);
    });
    WatchTarget target = kTarget;
    target.label_selector = "app=x,tier in (a,b)";
    target.field_selector = "metadata.name=a";
    target.metadata_only = true;
    EXPECT_EQ(run.until("+a@1", target), Words{"+a@1"});
    EXPECT_NE(run.targets().back().find("&labelSelector=app%3Dx%2Ctier%20in%20%28a%2Cb%29&fieldSelector=metadata.name%3Da"), std::string::npos)
        << run.targets().back();
    EXPECT_EQ(run.transport->seen().back().headers[0].value, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
}

TEST(Watch, BacksOffLongerAndLonger) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        return is_watch(r) ? Result<HttpResponse>(status_answer(500, "InternalError")) : small_discovery(r);
    });
    std::vector<milliseconds> gaps;
    auto last = steady_clock::now();
    const auto outcome = watch(
        run.client, kTarget,
        [&](const WatchEvent& e) {
            EXPECT_EQ(e.kind, WatchEventKind::trouble);
            gaps.push_back(std::chrono::duration_cast<milliseconds>(steady_clock::now() - std::exchange(last, steady_clock::now())));
            return gaps.size() < 6;
        },
        {.backoff_min = milliseconds(8), .backoff_max = milliseconds(32), .streaming_list = true});
    ASSERT_EQ(gaps.size(), 6u);
    const long least[] = {0, 4, 8, 16, 16, 16}; // half of 8, 16, 32, 32 …
    for (std::size_t i = 1; i < gaps.size(); ++i) EXPECT_GE(gaps[i].count(), least[i]) << i;
}

TEST(Watch, AServerThatIsAlwaysTooOldIsNotHammered) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        return starts(r) ? json_answer(200, bookmark(5, true)) : status_answer(410, "Expired");
    });
    run.until("never");
    EXPECT_GE(run.troubles.size(), 50u);
    EXPECT_LT(run.transport->seen().size(), 4 * run.troubles.size());
}

TEST(Watch, RefusalsEndItOnlyWhenAsked) {
    const auto forbid = [](const HttpRequest& r, int n) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        return n < 6 ? status_answer(403, "Forbidden") : json_answer(200, bookmark(5, true));
    };
    WatchOptions strict = kQuick;
    strict.fail_on_refusal = true;
    Watched ends(forbid);
    EXPECT_EQ(ends.until("synced", kTarget, strict), Words{});
    ASSERT_FALSE(ends.outcome);
    EXPECT_EQ(ends.outcome.error().code, ErrorCode::forbidden);
    Watched goes_on(forbid);
    EXPECT_EQ(goes_on.until("synced"), Words{"synced"});
    EXPECT_FALSE(goes_on.troubles.empty());
    EXPECT_EQ(goes_on.troubles[0].code, ErrorCode::forbidden);
}

TEST(Watch, StopEndsItAlsoInAPause) {
    Watched run([](const HttpRequest& r, int) -> Result<HttpResponse> {
        return is_watch(r) ? Result<HttpResponse>(fail(ErrorCode::unavailable, "down")) : small_discovery(r);
    });
    std::stop_source stop;
    const auto outcome = watch(
        run.client, kTarget, [&](const WatchEvent&) { return stop.request_stop(); },
        {.backoff_min = std::chrono::hours(1), .backoff_max = std::chrono::hours(1)}, stop.get_token());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::cancelled);
}

TEST(Watch, BadEventsAreTroubleNotTheEnd) {
    Watched run([](const HttpRequest& r, int n) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        if (n == 3) return json_answer(200, bookmark(5, true) + "{\"type\":\n");
        if (n == 4) return json_answer(200, "[]\n");
        return json_answer(200, event("ADDED", "a", 6));
    });
    EXPECT_EQ(run.until("+a@6"), (Words{"synced", "+a@6"}));
    EXPECT_EQ(run.troubles.size(), 2u);
}

// What stands between the events, and what is no event: nothing of it is an object or the end.
TEST(Watch, OddLines) {
    const std::string plain = event("ADDED", "b", 7);
    Watched run([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        if (!is_watch(r)) return small_discovery(r);
        if (!starts(r)) return json_answer(200, event("ADDED", "c", 12));
        return json_answer(200, event("ADDED", "a", 1) + R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4","creationTimestamp":null}}})" + "\n" + // within the list: not its end
                                    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4","annotations":null}}})" + "\r\n" + bookmark(5, true) +
                                    "\n\r\n  \n" + plain.substr(0, plain.size() - 1) + "\r\n" + event("SOMETHING", "x", 8) + event("", "y", 9) + R"({"type":"BOOKMARK","object":{}})" + "\n" +
                                    event("MODIFIED", "b", 11));
    });
    EXPECT_EQ(run.until("+c@12"), (Words{"+a@1", "synced", "+b@7", "~b@11", "+c@12"}));
    EXPECT_EQ(run.targets().back(), "configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=11");
    EXPECT_EQ(run.troubles.size(), 1u) << "the cut";
}

// An ERROR event within a 200: what it says decides whether the version still counts.
TEST(Watch, ErrorEvents) {
    const struct {
        const char* status;
        ErrorCode code;
        bool resumes;
    } cases[] = {
        {R"({"kind":"Status","code":429,"reason":"TooManyRequests","message":"storage is (re)initializing","details":{"retryAfterSeconds":1e300}})", ErrorCode::throttled, true},
        {R"({"kind":"Status","code":500,"reason":"InternalError","message":"etcdserver: leader changed"})", ErrorCode::unavailable, true},
        {R"({"kind":"Status","code":504,"reason":"Timeout","message":"Too large resource version"})", ErrorCode::timeout, true},
        {R"({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"})", ErrorCode::gone, false},
        {R"({"kind":"Status","code":410,"reason":"Gone","message":"too old resource version","details":{"retryAfterSeconds":-5}})", ErrorCode::gone, false},
        {R"({"kind":"Status","message":"who knows"})", ErrorCode::invalid, false},
        {R"([])", ErrorCode::invalid, false},
    };
    for (const auto& c : cases) {
        Watched run([&](const HttpRequest& r, int n) -> Result<HttpResponse> {
            if (!is_watch(r)) return small_discovery(r);
            if (n == 3) return json_answer(200, event("ADDED", "a", 1) + bookmark(5, true) + R"({"type":"ERROR","object":)" + c.status + "}\n" + event("ADDED", "never", 6));
            return starts(r) ? json_answer(200, event("ADDED", "a", 1) + event("ADDED", "z", 9) + bookmark(9, true)) : json_answer(200, event("ADDED", "z", 9));
        });
        EXPECT_EQ(run.until("+z@9"), (Words{"+a@1", "synced", "+z@9"})) << c.status;
        EXPECT_EQ(run.targets().at(1).ends_with("resourceVersion=5"), c.resumes) << c.status << run.targets().at(1);
        ASSERT_EQ(run.troubles.size(), 1u) << c.status;
        EXPECT_EQ(run.troubles[0].code, c.code) << c.status;
    }
}

// Pieces as they come from the network: an event of several megabytes in many, and several events in one.
TEST(Watch, EventsAreWholeHoweverTheyCome) {
    std::string large = event("ADDED", "large", 2);
    large.insert(large.find("\"metadata\""), "\"data\":{\"k\":\"" + std::string(6u << 20, 'x') + "\"},");
    const std::string events = event("ADDED", "a", 1) + large + bookmark(5, true) + event("ADDED", "b", 6);
    char size[16];
    std::snprintf(size, sizeof size, "%zx", events.size());
    FaultServer server([&](const SeenRequest& r, int) {
        const auto known = small_discovery({.method = r.method, .target = r.target});
        if (r.target.find("watch=") == std::string::npos) return answer(known->status, known->body);
        RawAnswer out{.pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(size) + "\r\n"}, .hold = true};
        for (std::size_t at = 0; at < events.size(); at += 5000) out.pieces.push_back(events.substr(at, 5000));
        out.pieces.emplace_back("\r\n");
        return out;
    });
    Client client(*HttpClient::create({.server = server.url(), .unix_socket = {}, .proxy_url = "direct"}));
    Words words;
    std::size_t bytes = 0;
    EXPECT_TRUE(watch(client, kTarget, [&](const WatchEvent& e) {
        words.push_back(word(e));
        if (const Node* k = e.object.at({"data", "k"})) bytes = k->text().size();
        return words.size() < 4;
    }, kQuick));
    EXPECT_EQ(words, (Words{"+a@1", "+large@2", "synced", "+b@6"}));
    EXPECT_EQ(bytes, 6u << 20);
}

// The connection stays open and nothing comes on it any more, not even the end that was asked for: another watch goes on from there.
TEST(Watch, AStalledConnectionIsLeftAfterItsTime) {
    FaultServer server([watches = std::make_shared<std::atomic<int>>(0)](const SeenRequest& r, int) {
        if (r.target.find("watch=") == std::string::npos) {
            const auto known = small_discovery({.method = r.method, .target = r.target});
            return answer(known->status, known->body);
        }
        const std::string events = ++*watches == 1 ? event("ADDED", "a", 5) + bookmark(6, true) : event("ADDED", "b", 7);
        char size[16];
        std::snprintf(size, sizeof size, "%zx", events.size());
        return RawAnswer{.pieces = {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(size) + "\r\n" + events + "\r\n"},
                         .hold = true};
    });
    const auto transport = HttpClient::create({.server = server.url(), .unix_socket = {}, .proxy_url = "direct"});
    ASSERT_TRUE(transport) << transport.error().to_string();
    Client client(*transport);
    WatchOptions options = kQuick;
    options.round = std::chrono::seconds(1);
    options.grace = milliseconds(50);
    Words words;
    std::vector<ErrorCode> troubles;
    const auto outcome = watch(
        client, kTarget,
        [&](const WatchEvent& e) {
            if (e.kind == WatchEventKind::trouble) troubles.push_back(e.error->code);
            else words.push_back(word(e));
            return words.size() < 3;
        },
        options);
    EXPECT_TRUE(outcome);
    EXPECT_EQ(words, (Words{"+a@5", "synced", "+b@7"}));
    EXPECT_EQ(troubles, std::vector<ErrorCode>{ErrorCode::timeout});
}

class WatchOn : public ::testing::TestWithParam<ClusterKind> {};

TEST_P(WatchOn, OffersStreamingListsAndBookmarksOfTheListsVersion) {
    TestCluster cluster;
    if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
    const std::string ns = cluster.make_namespace();
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(cluster.client().create(object_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: c" + std::to_string(i) + ", namespace: " + ns + "}}")));
    for (const bool streaming : {true, false}) {
        auto faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
        Client client(faulty);
        Words words;
        WatchOptions options = kQuick;
        options.streaming_list = streaming;
        const auto outcome = watch(
            client, {.gvk = {"", "v1", "ConfigMap"}, .ns = ns, .field_selector = "metadata.name!=kube-root-ca.crt"},
            [&](const WatchEvent& e) {
                words.push_back(word(e).substr(0, word(e).find('@')));
                return e.kind != WatchEventKind::synced;
            },
            options);
        ASSERT_TRUE(outcome) << outcome.error().to_string();
        EXPECT_EQ(words, (Words{"+c0", "+c1", "+c2", "synced"}));
        EXPECT_EQ(faulty->count("list"), streaming ? 0 : 1);
    }
}

// The server takes up a changed definition some time after it has accepted it; until then its old cache still knows the past. Nothing but its
// own answer tells when: a watch from `version` lasts a second, or is answered with 410.
void wait_until_gone(TestCluster& cluster, const std::string& path, std::string_view version) {
    const std::string target = path + "?watch=1&timeoutSeconds=1&resourceVersion=" + std::string(version);
    std::string answer;
    for (const auto end = steady_clock::now() + std::chrono::minutes(1); steady_clock::now() < end;) {
        const auto response = cluster.client().transport().send({.method = "GET", .target = target});
        ASSERT_TRUE(response) << response.error().to_string();
        answer = response->body;
        if (answer.find("\"code\":410") != std::string::npos) return;
    }
    FAIL() << "the server still knows what was before " << version << ": " << answer;
}

// What the server has forgotten since the list: the real one because etcd was compacted and its cache began anew (as after a change of the
// definition), ours because its log keeps so many events only.
// `object`: some object of the kind, whose collection is at `path`; `version`: the last that was written.
void forget_history(TestCluster& cluster, const std::string& crd, Object object, const std::string& path, std::string_view version) {
    if (!cluster.is_real()) {
        for (int i = 0; i < 5000; ++i) {
            object.set_label("n", std::to_string(i));
            ASSERT_TRUE(cluster.client().apply(object, {.field_manager = "test", .force = true}));
        }
        return;
    }
    const auto etcd = *HttpClient::create({.server = std::getenv("WEBER_TEST_ETCD"), .unix_socket = {}, .proxy_url = "direct"});
    const auto compacted = etcd->send({.method = "POST", .target = "/v3/kv/compaction", .body = R"({"revision":")" + std::string(version) + R"(","physical":true})"});
    ASSERT_TRUE(compacted) << compacted.error().to_string();
    ASSERT_EQ(compacted->status, 200) << compacted->body;
    const auto changed = cluster.client().apply(object_of(crd), {.field_manager = "test", .force = true});
    ASSERT_TRUE(changed) << changed.error().to_string();
    wait_until_gone(cluster, path, version);
}

TEST_P(WatchOn, ListsAgainWhatWasCompactedMeanwhile) {
    TestCluster cluster;
    if (const std::string why = cluster.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
    if (cluster.is_real() && !std::getenv("WEBER_TEST_ETCD")) GTEST_SKIP() << "no address of etcd (tests/cluster/cluster.sh run sets WEBER_TEST_ETCD)";
    const std::string ns = cluster.make_namespace(), group = ns + ".example.org";
    const auto crd = [&](const std::string& more) {
        return "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos." + group + "}, spec: {group: " + group +
               ", scope: Namespaced, names: {kind: Foo, plural: foos, singular: foo, listKind: FooList" + more + "}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}";
    };
    ASSERT_TRUE(cluster.client().apply(object_of(crd("")), {.field_manager = "test"}));
    const auto foo = [&](const std::string& name) { return object_of("{apiVersion: " + group + "/v1, kind: Foo, metadata: {name: " + name + ", namespace: " + ns + "}}"); };
    const auto put = [&](const std::string& name, const std::string& label) {
        Object o = foo(name);
        o.set_label("v", label);
        auto done = cluster.client().apply(o, {.field_manager = "test", .force = true});
        for (const auto end = steady_clock::now() + std::chrono::minutes(1); !done && steady_clock::now() < end;) { // nothing announces that a kind is served
            std::this_thread::sleep_for(milliseconds(20));
            done = cluster.client().apply(o, {.field_manager = "test", .force = true});
        }
        EXPECT_TRUE(done) << done.error().to_string();
        return done ? done->object : o;
    };
    put("a", "1");
    put("b", "1");
    auto faulty = std::make_shared<FaultyTransport>(std::shared_ptr<Transport>(&cluster.client().transport(), [](Transport*) {}));
    Client client(faulty);
    Words words;
    WatchOptions options = kQuick;
    options.streaming_list = false;
    options.backoff_max = milliseconds(200);
    const auto outcome = watch(
        client, {.gvk = {group, "v1", "Foo"}, .ns = ns},
        [&](const WatchEvent& e) {
            if (e.kind == WatchEventKind::trouble) return true;
            words.push_back(word(e).substr(0, word(e).find('@')));
            if (e.kind == WatchEventKind::synced) { // listed, and not yet watched
                EXPECT_TRUE(cluster.client().remove({.gvk = {group, "v1", "Foo"}, .ns = ns, .name = "a"}));
                put("b", "2");
                const Object last = put("c", "1");
                forget_history(cluster, crd(", shortNames: [fo]"), foo("c"), "/apis/" + group + "/v1/namespaces/" + ns + "/foos", last.resource_version());
            }
            return words.size() < 6;
        },
        options);
    ASSERT_TRUE(outcome) << outcome.error().to_string();
    std::sort(words.begin() + 3, words.end());
    EXPECT_EQ(words, (Words{"+a", "+b", "synced", "+c", "-a", "~b"}));
    EXPECT_GE(faulty->count("list"), 2);
    EXPECT_TRUE(cluster.client().remove({.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "foos." + group}));
}

INSTANTIATE_TEST_SUITE_P(Clusters, WatchOn, ::testing::ValuesIn(kBothClusters), cluster_name);

} // namespace
