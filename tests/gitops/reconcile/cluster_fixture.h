// A namespace on an API server, a client whose requests are recorded and can be made to fail, and short words for the tests of the reconcile engine.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gitops/reconcile/apply.h"
#include "gitops/reconcile/prune.h"
#include "kube/http_client.h"
#include "tests/support/faulty_transport.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {

struct SeenRequest {
    std::string verb; // testing::verb_of
    std::string target, content_type, body;
};

// Passes everything on and keeps what it saw. Thread-safe.
class RecordingTransport : public kube::Transport {
public:
    explicit RecordingTransport(std::shared_ptr<kube::Transport> real) : real_(std::move(real)) {}

    std::vector<SeenRequest> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(seen_, {});
    }
    Result<kube::HttpResponse> send(kube::HttpRequest r, std::stop_token stop = {}) override {
        record(r);
        return real_->send(std::move(r), std::move(stop));
    }
    std::vector<Result<kube::HttpResponse>> send_all(std::vector<kube::HttpRequest> all, std::size_t in_flight, std::stop_token stop = {}) override {
        for (const auto& r : all) record(r);
        return real_->send_all(std::move(all), in_flight, std::move(stop));
    }
    Result<kube::HttpResponse> stream(kube::HttpRequest r, const kube::ChunkHandler& chunk, std::stop_token stop = {}) override {
        record(r);
        return real_->stream(std::move(r), chunk, std::move(stop));
    }

private:
    void record(const kube::HttpRequest& r) {
        SeenRequest s{.verb = testing::verb_of(r), .target = r.target, .content_type = {}, .body = r.body};
        for (const auto& h : r.headers)
            if (h.name == "Content-Type") s.content_type = h.value;
        const std::lock_guard lock(mutex_);
        seen_.push_back(std::move(s));
    }
    std::shared_ptr<kube::Transport> real_;
    std::mutex mutex_;
    std::vector<SeenRequest> seen_;
};

// Each test runs on the embedded and on a real API server (skipped, and said so, without one).
class OnClusters : public ::testing::TestWithParam<testing::ClusterKind> {
protected:
    // What the server is started with when it is the embedded one.
    virtual kube::ServerOptions server_options() const { return {}; }

    void SetUp() override {
        if (const std::string why = cluster_.use(GetParam(), server_options()); !why.empty()) GTEST_SKIP() << why;
        auto http = kube::HttpClient::create(cluster_.config());
        ASSERT_TRUE(http) << http.error().to_string();
        faults_ = std::make_shared<testing::FaultyTransport>(std::shared_ptr<kube::Transport>(std::move(*http)));
        recorder_ = std::make_shared<RecordingTransport>(faults_);
        client_ = std::make_shared<kube::Client>(recorder_);
        ns_ = cluster_.make_namespace();
    }

    [[nodiscard]] kube::Client& client() { return *client_; } // recorded
    [[nodiscard]] kube::Client& other() { return cluster_.client(); } // somebody else's, not recorded

    // The object in the test's namespace, with the owner labels of Kustomization flux-system/app. "NS" in the text is the namespace.
    Object in_ns(std::string yaml, bool owned = true) {
        Object o = object(std::move(yaml));
        o.set_ns(ns_);
        return owned ? owned_by_app(o) : o;
    }
    Object object(std::string yaml) {
        for (std::size_t at = 0; (at = yaml.find("NS", at)) != std::string::npos; at += ns_.size()) yaml.replace(at, 2, ns_);
        return testing::object_of(yaml);
    }
    static Object owned_by_app(Object o) {
        o.set_label("kustomize.toolkit.fluxcd.io/name", "app");
        o.set_label("kustomize.toolkit.fluxcd.io/namespace", "flux-system");
        return o;
    }
    Object config_map(const std::string& name, const std::string& value = "v") {
        return in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {k: '" + value + "'}\n");
    }
    // Cluster-scoped; deleted at the end of the test on a real server.
    Object custom_resource_definition(const std::string& kind, const std::string& plural) {
        return cluster_scoped("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + plural +
                              ".NS.example.org}\nspec:\n  group: NS.example.org\n  scope: Namespaced\n  names: {kind: " + kind + ", plural: " + plural +
                              ", singular: " + plural + "x, listKind: " + kind +
                              "List}\n  versions:\n  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: "
                              "{type: object, properties: {size: {type: integer}}}, status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}, "
                              "subresources: {status: {}}}\n");
    }
    Object cluster_scoped(std::string yaml) {
        Object o = object(std::move(yaml));
        to_remove_.push_back(kube::ref_of(o));
        return o;
    }

    ChangeSet apply(std::vector<Object> objects, const ApplySettings& settings = {}) {
        return apply_staged(client(), std::move(objects), settings);
    }
    Object live(const Object& o) {
        auto got = other().get(kube::ref_of(o));
        EXPECT_TRUE(got.has_value()) << got.error().to_string();
        return got.value_or(Object{});
    }
    bool absent(const Object& o) {
        const auto found = other().find(kube::ref_of(o));
        EXPECT_TRUE(found.has_value()) << found.error().to_string();
        return found && !*found;
    }
    // Text of the server's ConfigMap, say {"data", "k"}; "<none>" when there is none.
    std::string live_text(const Object& o, std::initializer_list<std::string_view> path) {
        const Object now = live(o);
        const Node* at = now.at(path);
        return at != nullptr ? std::string(at->text()) : "<none>";
    }
    // "manager/operation" of each entry, sorted as they stand.
    std::vector<std::string> managers(const Object& o) {
        std::vector<std::string> out;
        const Object now = live(o);
        if (const Node* entries = now.at({"metadata", "managedFields"}))
            for (const Node& e : entries->items())
                out.push_back(std::string(e.text_at("manager")) + "/" + std::string(e.text_at("operation")) +
                              (e.text_at("subresource").empty() ? "" : "/" + std::string(e.text_at("subresource"))));
        return out;
    }
    // "Kind/name action" a line, then "error: message"; the test's namespace as NS.
    std::string lines(const ChangeSet& set) {
        std::string out;
        for (const Change& c : set.changes) out += c.key.kind + "/" + c.key.name + " " + std::string(to_string(c.action)) + "\n";
        for (const Error& e : set.errors) out += "error: " + e.message + "\n";
        return anonymous(std::move(out));
    }
    std::string anonymous(std::string text) {
        for (std::size_t at = 0; !ns_.empty() && (at = text.find(ns_, at)) != std::string::npos; at += 2) text.replace(at, ns_.size(), "NS");
        return text;
    }
    // Verbs of the requests since the last call, in order, without discovery.
    std::vector<std::string> verbs() {
        std::vector<std::string> out;
        for (const SeenRequest& r : recorder_->take())
            if (r.verb != "other") out.push_back(r.verb);
        return out;
    }
    // Changes the live object as `manager` does by a merge patch.
    void edit(const Object& o, const std::string& merge_patch_yaml, const std::string& manager = "kubectl-edit") {
        const auto done = other().patch(kube::ref_of(o), kube::PatchType::merge, testing::object_of(merge_patch_yaml).root(), {.field_manager = manager});
        EXPECT_TRUE(done.has_value()) << done.error().to_string();
    }

    void TearDown() override {
        if (!cluster_.is_real()) return;
        for (const kube::ObjectRef& ref : to_remove_) (void)other().remove(ref);
    }

    testing::TestCluster cluster_;
    std::shared_ptr<testing::FaultyTransport> faults_;
    std::shared_ptr<RecordingTransport> recorder_;
    std::shared_ptr<kube::Client> client_;
    std::string ns_;
    std::vector<kube::ObjectRef> to_remove_;
};

// Repeated for each suite on top of OnClusters.
#define WEBER_ON_CLUSTERS(suite) \
    INSTANTIATE_TEST_SUITE_P(Servers, suite, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name)

using Strings = std::vector<std::string>;

} // namespace weber::gitops
