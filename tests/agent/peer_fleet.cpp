#include "tests/agent/peer_fleet.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <test_paths.h>

#include "gitops/api/definitions.h"
#include "gitops/api/names.h"
#include "kube/base/yaml.h"

namespace weber::agent_test {

namespace {

const kube::GroupVersionKind kKustomization{"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"};
const kube::GroupVersionKind kGitRepository{"source.toolkit.fluxcd.io", "v1", "GitRepository"};

} // namespace

std::vector<std::string> flux_definitions() {
    // The last three are kinds that kustomize-controller insists on watching; nobody makes objects of them here.
    const auto bare = [](const std::string& kind, const std::string& plural) {
        return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + plural + ".source.toolkit.fluxcd.io}\n"
               "spec:\n  group: source.toolkit.fluxcd.io\n  scope: Namespaced\n  names: {kind: " + kind + ", plural: " + plural + "}\n"
               "  versions: [{name: v1, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n";
    };
    return {std::string(gitops::kustomization_definition()), std::string(gitops::git_repository_definition()), bare("OCIRepository", "ocirepositories"),
            bare("Bucket", "buckets"), bare("ExternalArtifact", "externalartifacts")};
}

void PeerFleet::SetUp() {
    if (const std::string why = cluster_.use(testing::ClusterKind::real); !why.empty()) GTEST_SKIP() << why;
    for (const char* name : {"kustomize-controller", "flux", "kubectl"})
        if (!testing::peer(name)) GTEST_SKIP() << "no " << name << ": tests/cluster/tools.sh " << name;
    if (std::getenv("WEBER_BARE_CLUSTER") != nullptr) GTEST_SKIP() << "needs kube-controller-manager";
    kubeconfig_ = std::getenv("WEBER_TEST_KUBECONFIG");
    for (const std::string& text : flux_definitions()) testing::define(api(), text);
    ns_ = cluster_.make_namespace();
    git("init -q -b main work");
    git_server_.start({"python3", WEBER_SOURCE_DIR "/tests/gitops/source/git_http_server.py", dir_.path()}, {}, dir_.path() + "/git-server.log");
}

void PeerFleet::TearDown() {
    // Objects with finalizers go first, while somebody is there to take them off.
    engine_.stop();
    source_.stop();
    if (ns_.empty()) return;
    testing::drop_finalizers(api(), std::array{kKustomization, kGitRepository}, ns_);
    if (!HasFailure()) return;
    for (const auto& file : std::filesystem::directory_iterator(dir_.path()))
        if (file.path().extension() == ".log") ADD_FAILURE() << file.path().filename() << ":\n" << testing::read_file(file.path());
}

void PeerFleet::git(const std::string& command) {
    const testing::Ran ran = testing::run_git(dir_.path(), command);
    ASSERT_EQ(ran.status, 0) << command << ": " << ran.err;
    head_ = ran.out;
}

std::string PeerFleet::commit(const std::map<std::string, std::string>& files) {
    for (const auto& [path, text] : files) {
        if (text.empty()) std::filesystem::remove(dir_.path() + "/work/" + path);
        else dir_.write("work/" + path, text);
    }
    git("-C work add -A");
    git("-C work commit -qm change");
    git("-C work rev-parse HEAD");
    head_ = "main@sha1:" + head_.substr(0, 40);
    return head_;
}

void PeerFleet::serve_source() {
    const std::string port = testing::await_line(dir_.path() + "/git-server.log", "port ");
    ASSERT_NE(port, "");
    make("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\n"
         "spec: {interval: 1h, url: 'http://127.0.0.1:" + port + "/work/.git', ref: {branch: main}}\n");
    source_.start({WEBER_BINARY, "agent", "--controllers", "gitrepository", "--kubeconfig", kubeconfig_, "--watch-all-namespaces=false", "--storage-path",
                   dir_.path() + "/storage", "--storage-addr", "127.0.0.1:0", "--metrics-addr", "", "--health-addr", ""},
                  {{"RUNTIME_NAMESPACE", ns_}}, dir_.path() + "/source.log");
    fetch();
}

void PeerFleet::fetch() {
    const kube::ObjectRef ref{.gvk = kGitRepository, .ns = ns_, .name = "fleet"};
    const Node asked = Node::map({{"metadata", Node::map({{"annotations", Node::map({{std::string(gitops::kRequestedAt), Node::string("fetch-" + std::to_string(++requests_))}})}})}});
    const auto patched = api().patch(ref, kube::PatchType::merge, asked);
    ASSERT_TRUE(patched.has_value()) << patched.error().to_string();
    await(ref, [&](const kube::Object& o) {
        const Node* revision = o.at({"status", "artifact", "revision"});
        return revision != nullptr && revision->text() == head_ && has_condition(o, "Ready", "True");
    });
}

void PeerFleet::run(Engine engine, const std::vector<std::string>& words) {
    const std::string log = dir_.path() + "/" + std::to_string(++logs_) + (engine == Engine::flux ? "-flux.log" : "-weber.log");
    std::vector<std::string> line;
    std::map<std::string, std::string> environment{{"RUNTIME_NAMESPACE", ns_}};
    if (engine == Engine::flux) {
        line = {*testing::peer("kustomize-controller"), "--watch-all-namespaces=false", "--enable-leader-election=false", "--health-addr=127.0.0.1:0", "--metrics-addr=127.0.0.1:0",
                "--requeue-dependency=1s"};
        environment.insert({{"KUBECONFIG", kubeconfig_}, {"TMPDIR", dir_.path()}, {"HOME", dir_.path()}});
    } else {
        line = {WEBER_BINARY, "agent", "--controllers", "kustomization", "--kubeconfig", kubeconfig_, "--watch-all-namespaces=false", "--storage-path", dir_.path() + "/engine",
                "--metrics-addr", "", "--health-addr", ""};
    }
    line.insert(line.end(), words.begin(), words.end());
    engine_.start(line, environment, log);
}

std::string PeerFleet::ask(const std::string& name) {
    const std::string request = "request-" + std::to_string(++requests_);
    const Node asked = Node::map({{"metadata", Node::map({{"annotations", Node::map({{std::string(gitops::kRequestedAt), Node::string(request)}})}})}});
    const auto patched = api().patch({.gvk = kKustomization, .ns = ns_, .name = name}, kube::PatchType::merge, asked);
    EXPECT_TRUE(patched.has_value()) << patched.error().to_string();
    return request;
}

kube::Object PeerFleet::handled(const std::string& name, const std::string& request) {
    return await({.gvk = kKustomization, .ns = ns_, .name = name}, [&](const kube::Object& o) {
        const Node* done = o.at({"status", "lastHandledReconcileAt"});
        return done != nullptr && done->text() == request && has_condition(o, "Ready", "True");
    });
}

kube::Object PeerFleet::applied(const std::string& name, const std::string& revision) {
    return await({.gvk = kKustomization, .ns = ns_, .name = name}, [&](const kube::Object& o) {
        const Node* done = o.at({"status", "lastAppliedRevision"});
        return done != nullptr && done->text() == revision && has_condition(o, "Ready", "True") && !has_condition(o, "Reconciling", "True");
    });
}

kube::Object PeerFleet::in_ns(const std::string& yaml) {
    kube::Object o = testing::object_of(yaml);
    o.set_ns(ns_);
    return o;
}

kube::Object PeerFleet::make(const std::string& yaml) {
    const auto made = api().create(in_ns(yaml));
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    return made ? made->object : kube::Object();
}

kube::Object PeerFleet::kustomization(const std::string& name, const std::string& path, const std::string& more) {
    return make("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + "}\nspec: {interval: 1h, retryInterval: 2s, timeout: 1m, prune: true, path: " +
                path + ", sourceRef: {kind: GitRepository, name: fleet}" + (more.empty() ? "" : ", " + more) + "}\n");
}

testing::Ran PeerFleet::command(const std::string& program, const std::vector<std::string>& words) {
    std::string line = program == "weber" ? WEBER_BINARY : program == "weber as flux" ? dir_.path() + "/bin/flux" : *testing::peer(program);
    if (program == "weber as flux" && !std::filesystem::exists(line)) {
        std::filesystem::create_directories(dir_.path() + "/bin");
        std::filesystem::create_symlink(WEBER_BINARY, line);
    }
    for (const std::string& word : words) line += " '" + word + "'";
    return testing::run(line, dir_.path(), {"KUBECONFIG=" + kubeconfig_, "TZ=UTC"});
}

std::map<std::string, kube::Object> PeerFleet::inventory(const kube::Object& kustomization) {
    std::map<std::string, kube::Object> out;
    const Node* entries = kustomization.at({"status", "inventory", "entries"});
    EXPECT_NE(entries, nullptr);
    if (entries == nullptr) return out;
    for (const Node& entry : entries->items()) {
        const auto key = kube::ObjectKey::from_inventory_id(entry.text_at("id"));
        EXPECT_TRUE(key.has_value()) << entry.text_at("id");
        if (!key) continue;
        const kube::ObjectRef ref{.gvk = {key->group, std::string(entry.text_at("v")), key->kind}, .ns = key->ns, .name = key->name};
        const auto found = api().get(ref);
        EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().to_string());
        if (found) out.emplace(key->inventory_id(), *found);
    }
    return out;
}

} // namespace weber::agent_test
