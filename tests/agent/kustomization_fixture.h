// The controller of Kustomizations in the test's process, on one of the API servers, with a source whose artifacts the test makes and a receiver of the
// events that a notification-controller would get.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/controllers/kustomization.h"
#include "gitops/api/definitions.h"
#include "gitops/api/names.h"
#include "gitops/source/artifact.h"
#include "gitops/source/open.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kube/http_client.h"
#include "kube/server/http_front.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/objects.h"
#include "tests/support/test_cluster.h"

namespace weber::agent {

using testing::object_of;

inline constexpr std::chrono::seconds kPatience{60}; // for something that must happen, on a machine however busy

// Things that arrive on other threads, in order. Thread-safe.
template <class T>
class Arrivals {
public:
    void add(T one) {
        const std::lock_guard lock(mutex_);
        all_.push_back(std::move(one));
        changed_.notify_all();
    }
    [[nodiscard]] std::vector<T> all() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        all_.clear();
    }
    [[nodiscard]] std::size_t count(const std::function<bool(const T&)>& wanted) const {
        const auto now = all();
        return static_cast<std::size_t>(std::ranges::count_if(now, wanted));
    }
    // Waits until `n` of them are as wanted; the last of these.
    T await(const std::function<bool(const T&)>& wanted, std::size_t n = 1) const {
        std::unique_lock lock(mutex_);
        const auto count = [&] { return static_cast<std::size_t>(std::ranges::count_if(all_, wanted)); };
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return count() >= n; })) << "arrived: " << count() << " of " << n;
        for (auto at = all_.rbegin(); at != all_.rend(); ++at)
            if (wanted(*at)) return *at;
        return T{};
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<T> all_;
};

struct LogLines : Arrivals<std::string> {
    void add(std::string_view line) { Arrivals::add(std::string(line)); }
};

// What a notification-controller gets.
class EventReceiver : public Arrivals<Node> {
public:
    // The address for --events-addr.
    std::string start() {
        auto front = kube::server::HttpFront::start({}, [this](kube::server::HttpRequest&& request, const std::shared_ptr<kube::server::Exchange>& exchange) {
            if (auto body = kube::read_json(request.body)) add(std::move(*body));
            exchange->respond({});
        });
        EXPECT_TRUE(front.has_value());
        front_ = std::move(*front);
        return "http://127.0.0.1:" + std::to_string(front_->port()) + "/";
    }
    // Of the Kustomization `name`, with that reason and that part of the message.
    static std::function<bool(const Node&)> of(const std::string& name, const std::string& reason, const std::string& text = {}) {
        return [=](const Node& e) {
            const Node* about = e.find("involvedObject");
            return about != nullptr && about->text_at("name") == name && (reason.empty() || e.text_at("reason") == reason) && e.text_at("message").find(text) != std::string_view::npos;
        };
    }

private:
    std::unique_ptr<kube::server::HttpFront> front_;
};

// How a source differs from the usual one.
struct SourceDetails {
    std::string kind = "GitRepository";
    std::string origin = {}; // org.opencontainers.image.revision
    std::string url = {};    // "": the files are at hand
    std::string digest = {}; // "": the true one
    bool ready = true;
};

class KustomizationRuns : public ::testing::TestWithParam<testing::ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster_.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
        for (std::string_view text : {gitops::kustomization_definition(), gitops::git_repository_definition()}) testing::define(api(), text);
        ns_ = cluster_.make_namespace();
        options_.watch_namespace = ns_;
        options_.requeue_dependency = std::chrono::minutes(10); // longer than any test: what starts sooner was started by an event
        auto http = kube::HttpClient::create(cluster_.config());
        ASSERT_TRUE(http.has_value());
        faults_ = std::make_shared<testing::FaultyTransport>(std::shared_ptr<kube::Transport>(std::move(*http)));
        client_ = std::make_shared<kube::Client>(faults_);
        options_.events_addr = events_seen_.start();
    }
    void TearDown() override { stop_agent(); }

    void start_agent() {
        events_ = std::make_unique<EventSink>(client_, "kustomize-controller", options_.events_addr, log_);
        controller_ = std::make_unique<KustomizationController>(client_, cluster_.config(), options_, artifacts_, *events_, metrics_, log_);
        agent_ = std::jthread([this](std::stop_token stop) { controller_->run(stop); });
    }
    void stop_agent() {
        agent_ = {};
        if (events_) events_->flush(std::chrono::seconds(5));
        controller_.reset();
        events_.reset();
    }

    // The source `fleet` now has these files under that revision.
    void publish(const std::string& revision, const std::map<std::string, std::string>& files, SourceDetails details = {}) {
        const std::string bytes = pack(files);
        ArtifactRef artifact{.url = details.url, .digest = gitops::artifact_digest(bytes), .revision = revision, .origin_revision = details.origin};
        if (!details.digest.empty()) artifact.digest = details.digest;
        if (artifact.url.empty()) { // nobody downloads it
            artifact.url = "http://127.0.0.1:1/" + revision;
            artifacts_.put(artifact, gitops::unpack_artifact(bytes, revision).value());
        }
        Object source = in_ns("apiVersion: source.toolkit.fluxcd.io/v1\nkind: " + details.kind +
                              "\nmetadata: {name: fleet}\nspec: {interval: 1h, url: 'https://example.org/x.git'}\n");
        if (!api().find(kube::ref_of(source)).value()) {
            ASSERT_TRUE(api().create(source).has_value());
        }
        Node described = Node::map({{"url", Node::string(artifact.url)}, {"digest", Node::string(artifact.digest)}, {"revision", Node::string(revision)},
                                    {"path", Node::string("x")}, {"lastUpdateTime", Node::string("2026-01-01T00:00:00Z")}});
        if (!details.origin.empty()) described.set("metadata", Node::map({{"org.opencontainers.image.revision", Node::string(details.origin)}}));
        Node status = Node::map({{"artifact", std::move(described)}});
        if (!details.ready) status.set("conditions", *object_of("c: [{type: Ready, status: 'False', reason: GitOperationFailed, message: m, "
                                                               "lastTransitionTime: '2026-01-01T00:00:00Z'}]").root().find("c"));
        const auto patched = api().patch(kube::ref_of(source), kube::PatchType::merge, Node::map({{"status", status}}), {.subresource = "status"});
        ASSERT_TRUE(patched.has_value()) << patched.error().to_string();
    }
    // As a source-controller serves it.
    static std::string pack(const std::map<std::string, std::string>& files) {
        const testing::TempDir dir;
        for (const auto& [path, text] : files) dir.write(path, text);
        gitops::Snapshot tree = gitops::open_working_tree(dir.path()).value();
        return gitops::pack_artifact(tree).value();
    }

    kube::Client& api() { return cluster_.client(); } // a person's
    Object in_ns(const std::string& yaml) {
        Object o = object_of(yaml);
        o.set_ns(ns_);
        return o;
    }
    Object kustomization(const std::string& name, const std::string& path, const std::string& more = {}) {
        return in_ns("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + "}\nspec: {interval: 1h, prune: true, path: " + path +
                     ", sourceRef: {kind: GitRepository, name: fleet}" + (more.empty() ? "" : ", " + more) + "}\n");
    }
    static Object each_second(Object k) {
        Node spec = *k.at({"spec"});
        spec.set("interval", Node::string("1s"));
        k.root().set("spec", std::move(spec));
        return k;
    }
    Object make(Object o) {
        auto made = api().create(o);
        EXPECT_TRUE(made.has_value()) << made.error().to_string();
        return made ? made->object : o;
    }
    // A merge patch, as a person sends it; "NS" stands for the test's namespace.
    Object patch(const Object& o, const std::string& yaml, const std::string& subresource = {}) {
        auto done = api().patch(kube::ref_of(o), kube::PatchType::merge, object_of(with_ns(yaml)).root(), {.field_manager = "kubectl-edit", .subresource = subresource});
        EXPECT_TRUE(done.has_value()) << done.error().to_string();
        return done ? done->object : o;
    }
    std::string with_ns(std::string text) const {
        for (std::size_t at = 0; (at = text.find("NS", at)) != std::string::npos; at += ns_.size()) text.replace(at, 2, ns_);
        return text;
    }
    // Asks for a run and waits for its end.
    Object ask(const Object& k, const std::string& token) {
        patch(k, "metadata: {annotations: {reconcile.fluxcd.io/requestedAt: " + token + "}}\n");
        return await(k, [&](const Object& o) { return gitops::read_status(o)->last_handled_reconcile_at == token; });
    }
    bool absent(const Object& o) { return !api().find(kube::ref_of(o)).value(); }
    Object live(const Object& o) {
        auto got = api().get(kube::ref_of(o));
        EXPECT_TRUE(got.has_value()) << got.error().to_string();
        return got.value_or(Object{});
    }
    // data.k of a ConfigMap
    std::string value_of(const std::string& config_map_name) {
        const Object now = live(in_ns(config_map(config_map_name, "")));
        const Node* k = now.at({"data", "k"});
        return k != nullptr ? std::string(k->text()) : "<none>";
    }
    static gitops::KustomizationStatus status_of(const Object& o) { return gitops::read_status(o).value(); }
    // "Kind/name", in the order of the inventory.
    static std::vector<std::string> inventory_of(const Object& o) {
        std::vector<std::string> out;
        for (const auto& e : status_of(o).inventory.value_or(gitops::Inventory{})) out.push_back(e.key.kind + "/" + e.key.name);
        return out;
    }
    std::string config_map(const std::string& name, const std::string& value) {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n";
    }

    // Waits until the object is as wanted; the object then.
    Object await(const Object& o, const std::function<bool(const Object&)>& wanted) { return testing::await(api(), kube::ref_of(o), wanted, kPatience); }
    // Until the agent's watches have told of what its last run of that Kustomization wrote.
    void await_settled(const std::string& name) {
        const auto limit = std::chrono::steady_clock::now() + kPatience;
        while (!controller_->settled(ns_ + "/" + name) && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
        EXPECT_TRUE(controller_->settled(ns_ + "/" + name));
    }
    void await_gone(const Object& o) { testing::await_gone(api(), kube::ref_of(o), kPatience); }
    static std::function<bool(const Object&)> ready(const std::string& status, const std::string& reason, const std::string& text = {}) {
        return [=](const Object& o) {
            const auto s = gitops::read_status(o);
            const gitops::Condition* c = s ? s->find("Ready") : nullptr;
            return c != nullptr && c->status == status && c->reason == reason && c->message.find(text) != c->message.npos;
        };
    }
    static std::function<bool(const Object&)> applied(const std::string& revision) { return ready("True", "ReconciliationSucceeded", "Applied revision: " + revision); }

    testing::TestCluster cluster_;
    std::string ns_;
    AgentOptions options_;
    std::shared_ptr<testing::FaultyTransport> faults_; // before the agent's client
    std::shared_ptr<kube::Client> client_; // the agent's
    LogLines logged_;
    Log log_{LogLevel::info, true, [this](std::string_view line) { logged_.add(line); }};
    Metrics metrics_;
    EventReceiver events_seen_;
    ArtifactStore artifacts_{DownloadOptions{.retries = 0}};
    std::unique_ptr<EventSink> events_;
    std::unique_ptr<KustomizationController> controller_;
    std::jthread agent_;
};

} // namespace weber::agent
