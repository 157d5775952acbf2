// `weber agent` as a process, before a git repository of the test's own, on the embedded API server or a real one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/background.h"
#include "tests/support/objects.h"
#include "tests/support/test_cluster.h"

namespace weber::agent_test {

class AgentFleet : public ::testing::TestWithParam<testing::ClusterKind> {
protected:
    void SetUp() override;
    void TearDown() override; // shows the logs when the test failed

    // ---- git: a work tree on branch main and the bare repository that is served, <dir>/git/fleet.git
    // Writes, removes ("" as text) and commits files, then pushes; returns the revision, main@sha1:….
    std::string commit(const std::map<std::string, std::string>& files);
    // The same, but in place of the last commit.
    std::string force_push(const std::map<std::string, std::string>& files);
    [[nodiscard]] std::string bare() const { return dir_.path() + "/git"; }
    // Serves bare() by git_http_server.py until the test ends; returns the URL of the repository. `more`: its arguments.
    std::string serve(const std::vector<std::string>& more = {});

    // ---- the agent
    // One with its own storage folder (`name` below the test's) and log. `more`: flags; `kubeconfig`: a text in place of the cluster's own.
    void start(testing::Background& agent, const std::string& name = "agent", const std::vector<std::string>& more = {},
               const std::string& kubeconfig = {});
    [[nodiscard]] std::string storage(const std::string& name = "agent") const { return dir_.path() + "/" + name; }
    [[nodiscard]] std::string log(const std::string& name = "agent") const { return dir_.path() + "/" + name + ".log"; }

    // ---- objects; all live in the namespace of the test
    kube::Client& api() { return cluster_.client(); }
    kube::Object in_ns(const std::string& yaml) const;
    kube::Object make(const std::string& yaml);
    // GitRepository `fleet`; `more`: fields of the spec.
    kube::Object source(const std::string& url, const std::string& more = {});
    kube::Object kustomization(const std::string& name, const std::string& more = {}); // of folder ./NAME
    [[nodiscard]] std::string kustomization_yaml(const std::string& name, const std::string& more = {}) const;
    [[nodiscard]] std::string config_map(const std::string& name, const std::string& value) const;
    void secret(const std::string& name, const std::map<std::string, std::string>& values); // makes it or replaces it

    // Asks by annotation for a run of the GitRepository, and waits until that revision is its artifact and it is Ready.
    void fetch(const std::string& revision);
    void ask(const kube::ObjectRef& ref);
    kube::Object applied(const std::string& name, const std::string& revision); // waits until the Kustomization is Ready with it
    kube::Object await(const kube::ObjectRef& ref, const std::function<bool(const kube::Object&)>& wanted) { return testing::await(api(), ref, wanted); }
    void await_gone(const kube::ObjectRef& ref) { testing::await_gone(api(), ref); }
    kube::Object get(const kube::ObjectRef& ref);
    [[nodiscard]] kube::ObjectRef source_ref() const;
    [[nodiscard]] kube::ObjectRef kustomization_ref(const std::string& name) const;
    [[nodiscard]] kube::ObjectRef config_map_ref(const std::string& name) const;

    // "status/reason: message" of a condition; "" when there is none.
    static std::string condition(const kube::Object& o, const std::string& type);
    static std::string text(const kube::Object& o, std::initializer_list<std::string_view> path);
    // Names of the ConfigMaps that a Kustomization of this namespace owns, sorted.
    std::vector<std::string> owned();

    testing::TestCluster cluster_;
    testing::TempDir dir_;
    std::string ns_;

private:
    void git(const std::string& command);
    std::string push(const std::map<std::string, std::string>& files, const std::string& commit_flags, const std::string& push_flags);

    testing::Background git_server_;
    std::string kubeconfig_;
    std::string output_; // of the last git command
    int requests_ = 0;
};

} // namespace weber::agent_test
