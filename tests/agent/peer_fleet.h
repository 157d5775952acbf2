// A namespace of a real cluster whose fleet is reconciled by Weber or by Flux's kustomize-controller, as processes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gitops/api/kustomization.h"
#include "tests/support/background.h"
#include "tests/support/objects.h"
#include "tests/support/peers.h"
#include "tests/support/test_cluster.h"

namespace weber::agent_test {

using testing::Background;
using testing::has_condition;

// The definitions that kustomize-controller needs before it starts, as YAML.
std::vector<std::string> flux_definitions();

enum class Engine { flux, weber };

class PeerFleet : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    // Writes, removes ("" as text) and commits files of the branch; returns the revision, main@sha1:….
    std::string commit(const std::map<std::string, std::string>& files);
    // Creates the GitRepository `fleet` and has Weber's source half fetch it.
    void serve_source();
    void fetch(); // asks for the newest commit, by annotation, and waits until it is the artifact
    void run(Engine engine, const std::vector<std::string>& words = {}); // `words`: flags that both programs have
    void stop() { engine_.stop(); }
    // Asks by annotation for a run of the Kustomization. `handled` waits until that was done and Ready is True; the object then.
    std::string ask(const std::string& name);
    kube::Object handled(const std::string& name, const std::string& request);
    kube::Object applied(const std::string& name, const std::string& revision); // waits for Ready with that revision

    kube::Client& api() { return cluster_.client(); }
    kube::Object in_ns(const std::string& yaml);
    kube::Object make(const std::string& yaml); // creates it in the namespace
    kube::Object kustomization(const std::string& name, const std::string& path, const std::string& more = {});
    kube::Object await(const kube::ObjectRef& ref, const std::function<bool(const kube::Object&)>& wanted) { return testing::await(api(), ref, wanted); }
    void await_gone(const kube::ObjectRef& ref) { testing::await_gone(api(), ref); }
    // A program of tools.sh or "weber", or "weber as flux", with KUBECONFIG set.
    testing::Ran command(const std::string& program, const std::vector<std::string>& words);
    // The objects of a Kustomization's inventory as they are, by id.
    std::map<std::string, kube::Object> inventory(const kube::Object& kustomization);

    testing::TestCluster cluster_;
    testing::TempDir dir_;
    std::string ns_;
    std::string kubeconfig_;
    std::string head_; // of the branch: main@sha1:…

private:
    void git(const std::string& command);
    Background git_server_, source_, engine_;
    int requests_ = 0;
    int logs_ = 0;
};

} // namespace weber::agent_test
