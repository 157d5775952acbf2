// A small fleet in a folder and a cluster to bring it to, for tests of whole runs. Everything is in namespaces of its own, so that tests share a real
// server.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>

#include "gitops/api/names.h"
#include "gitops/reconcile/once.h"
#include "gitops/reconcile/status.h"
#include "gitops/reconcile/status_writer.h"
#include "tests/support/test_cluster.h"

namespace weber::testing {

// Keeps what a run says, as lines "name phase [waiting for …]".
class Recorder final : public gitops::ProgressSink {
public:
    void on_progress(const gitops::Progress& p) override {
        const std::lock_guard lock(mutex_);
        std::string line = p.name.name + " " + std::string(to_string(p.phase));
        for (const std::string& w : p.waiting_for) line += " <" + w + ">";
        lines.push_back(std::move(line));
        if (on_line) on_line(lines.back());
    }
    std::vector<std::string> lines;
    std::function<void(const std::string&)> on_line;

private:
    std::mutex mutex_;
};

class FleetTest : public ::testing::TestWithParam<ClusterKind> {
protected:
    void SetUp() override {
        if (const std::string why = cluster.use(GetParam(), server_options()); !why.empty()) GTEST_SKIP() << why;
        ns = cluster.make_namespace();
        options.path = dir.path();
        options.cluster = "test";
        options.cache_dir = cache.path();
        write_sync();
    }
    void TearDown() override {
        if (ns.empty() || !cluster.is_real()) return;
        const auto all = cluster.client().list({std::string(gitops::kKustomizeGroup), "v1", "Kustomization"}, {.ns = ns});
        if (!all) return;
        for (const kube::Object& k : all->items) (void)gitops::remove_finalizer(cluster.client(), k);
    }

    // Of the embedded server.
    [[nodiscard]] virtual kube::ServerOptions server_options() const { return {}; }

    // clusters/test/sync.yaml: source and root Kustomization `root`.
    void write_sync(std::string_view spec = "") {
        dir.write("clusters/test/sync.yaml",
                  "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: " + ns +
                      "}\nspec: {interval: 1m, url: 'https://example.com/fleet.git'}\n---\n" + kustomization("root", "./clusters/test", spec));
    }
    std::string kustomization(const std::string& name, const std::string& path, std::string_view spec = "") const {
        return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: " + ns +
               "}\nspec:\n  interval: 10m\n  prune: true\n  path: " + path + "\n  sourceRef: {kind: GitRepository, name: fleet}\n" + std::string(spec);
    }
    // clusters/test/NAME.yaml with path ./NAME.
    void declare(const std::string& name, std::string_view spec = "") { dir.write("clusters/test/" + name + ".yaml", kustomization(name, "./" + name, spec)); }
    void remove(const std::string& file) const { std::filesystem::remove_all(dir.path() + "/" + file); }
    // NAME/OBJECT.yaml: a ConfigMap in the test's namespace.
    void config_map(const std::string& folder, const std::string& name, const std::string& value = "1", std::string_view metadata = "") {
        dir.write(folder + "/" + name + ".yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: " + ns + "\n" + std::string(metadata) +
                                                     "data: {k: '" + value + "'}\n");
    }

    gitops::OnceResult once(gitops::ProgressSink* sink = nullptr, std::stop_token stop = {}) {
        auto result = gitops::reconcile_once(cluster.client(), options, sink, std::move(stop));
        EXPECT_TRUE(result) << result.error().to_string();
        return result ? std::move(*result) : gitops::OnceResult{};
    }
    // "name state" in order.
    static std::vector<std::string> states(const gitops::OnceResult& r) {
        std::vector<std::string> out;
        for (const auto& k : r.kustomizations) out.push_back(k.name.name + " " + std::string(to_string(k.state)));
        return out;
    }
    static const gitops::KustomizationResult& of(const gitops::OnceResult& r, std::string_view name) {
        static const gitops::KustomizationResult none;
        for (const auto& k : r.kustomizations)
            if (k.name.name == name) return k;
        ADD_FAILURE() << "no result for " << name;
        return none;
    }
    // "Kind/name action" of what changed.
    static std::vector<std::string> changed(const gitops::KustomizationResult& k) {
        std::vector<std::string> out;
        for (const auto& c : k.changes.changes)
            if (c.action != gitops::Action::unchanged) out.push_back(c.key.kind + "/" + c.key.name + " " + std::string(to_string(c.action)));
        return out;
    }
    std::optional<kube::Object> find(const std::string& kind, const std::string& name, const std::string& group = "") {
        const auto found = cluster.client().find({{group, "", kind}, ns, name});
        EXPECT_TRUE(found) << found.error().to_string();
        return found ? *found : std::nullopt;
    }
    kube::Object live(const std::string& name) {
        const auto found = find("Kustomization", name, std::string(gitops::kKustomizeGroup));
        EXPECT_TRUE(found) << "no Kustomization " << name;
        return found.value_or(kube::Object());
    }
    gitops::KustomizationStatus status(const std::string& name) {
        const auto s = gitops::read_status(live(name));
        EXPECT_TRUE(s);
        return s.value_or(gitops::KustomizationStatus{});
    }
    std::string ready(const std::string& name) {
        const gitops::KustomizationStatus s = status(name);
        const gitops::Condition* c = s.find("Ready");
        return c == nullptr ? "" : c->status + "/" + c->reason + ": " + c->message;
    }
    std::vector<std::string> inventory(const std::string& name) {
        std::vector<std::string> out;
        const auto s = status(name);
        if (s.inventory)
            for (const auto& e : *s.inventory) out.push_back(e.key.kind + "/" + e.key.name);
        return out;
    }

    TestCluster cluster;
    TempDir dir, cache;
    std::string ns;
    gitops::OnceOptions options;
};

} // namespace weber::testing
