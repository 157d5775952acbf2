#include "tests/agent/agent_fleet.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <test_paths.h>

#include "gitops/api/definitions.h"
#include "gitops/api/names.h"
#include "kube/base/digest.h"
#include "kube/base/yaml.h"
#include "tests/support/peers.h"

namespace weber::agent_test {

namespace {

const kube::GroupVersionKind kKustomization{"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"};
const kube::GroupVersionKind kGitRepository{"source.toolkit.fluxcd.io", "v1", "GitRepository"};

} // namespace

void AgentFleet::SetUp() {
    if (const std::string why = cluster_.use(GetParam()); !why.empty()) GTEST_SKIP() << why;
    kubeconfig_ = cluster_.is_real() ? std::getenv("WEBER_TEST_KUBECONFIG") : dir_.write("kubeconfig", cluster_.server()->kubeconfig());
    for (const std::string_view text : {gitops::kustomization_definition(), gitops::git_repository_definition()}) testing::define(api(), text);
    ns_ = cluster_.make_namespace();
    git("init -q -b main work");
    git("init -q --bare -b main git/fleet.git");
}

void AgentFleet::TearDown() {
    if (!ns_.empty()) testing::drop_finalizers(api(), std::array{kKustomization, kGitRepository}, ns_);
    if (!HasFailure()) return;
    for (const auto& file : std::filesystem::directory_iterator(dir_.path()))
        if (file.path().extension() == ".log") ADD_FAILURE() << file.path().filename() << ":\n" << testing::read_file(file.path());
}

// ---- git ---------------------------------------------------------------------------------------------------------

void AgentFleet::git(const std::string& command) {
    const testing::Ran ran = testing::run_git(dir_.path(), command);
    ASSERT_EQ(ran.status, 0) << command << ": " << ran.err;
    output_ = ran.out;
}

std::string AgentFleet::push(const std::map<std::string, std::string>& files, const std::string& commit_flags, const std::string& push_flags) {
    for (const auto& [path, text] : files) {
        if (text.empty()) std::filesystem::remove(dir_.path() + "/work/" + path);
        else dir_.write("work/" + path, text);
    }
    git("-C work add -A");
    git("-C work commit -q --allow-empty -m change " + commit_flags);
    git("-C work push -q " + push_flags + " ../git/fleet.git main");
    git("-C work rev-parse HEAD");
    return "main@sha1:" + output_.substr(0, 40);
}

std::string AgentFleet::commit(const std::map<std::string, std::string>& files) { return push(files, "", ""); }
std::string AgentFleet::force_push(const std::map<std::string, std::string>& files) { return push(files, "--amend", "--force"); }

std::string AgentFleet::serve(const std::vector<std::string>& more) {
    std::vector<std::string> words{"python3", WEBER_SOURCE_DIR "/tests/gitops/source/git_http_server.py", bare()};
    words.insert(words.end(), more.begin(), more.end());
    git_server_.start(words, {}, dir_.path() + "/git-server.log");
    return "http://127.0.0.1:" + testing::await_line(dir_.path() + "/git-server.log", "port ") + "/fleet.git";
}

// ---- the agent ---------------------------------------------------------------------------------------------------

void AgentFleet::start(testing::Background& agent, const std::string& name, const std::vector<std::string>& more, const std::string& kubeconfig) {
    const std::string file = kubeconfig.empty() ? kubeconfig_ : dir_.write("kubeconfig-" + name, kubeconfig);
    std::vector<std::string> words{WEBER_BINARY, "agent", "--kubeconfig", file, "--watch-all-namespaces=false", "--storage-path", storage(name), "--storage-addr",
                                   "127.0.0.1:0", "--metrics-addr", "", "--health-addr", "", "--max-retry-delay", "2s"};
    words.insert(words.end(), more.begin(), more.end());
    agent.start(words, {{"RUNTIME_NAMESPACE", ns_}, {"HOME", dir_.path()}}, log(name));
}

// ---- objects -----------------------------------------------------------------------------------------------------

kube::Object AgentFleet::in_ns(const std::string& yaml) const {
    kube::Object o = testing::object_of(yaml);
    o.set_ns(ns_);
    return o;
}

kube::Object AgentFleet::make(const std::string& yaml) {
    const auto made = api().create(in_ns(yaml));
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    return made ? made->object : kube::Object();
}

kube::Object AgentFleet::source(const std::string& url, const std::string& more) {
    return make("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\nspec: {interval: 1h, url: '" + url +
                "', ref: {branch: main}" + (more.empty() ? "" : ", " + more) + "}\n");
}

std::string AgentFleet::kustomization_yaml(const std::string& name, const std::string& more) const {
    return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: " + ns_ +
           "}\nspec: {interval: 1h, retryInterval: 1s, timeout: 1m, prune: true, path: ./" + name + ", sourceRef: {kind: GitRepository, name: fleet}" +
           (more.empty() ? "" : ", " + more) + "}\n";
}

kube::Object AgentFleet::kustomization(const std::string& name, const std::string& more) { return make(kustomization_yaml(name, more)); }

std::string AgentFleet::config_map(const std::string& name, const std::string& value) const {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n";
}

void AgentFleet::secret(const std::string& name, const std::map<std::string, std::string>& values) {
    Node data = Node::map();
    for (const auto& [key, value] : values) data.set(key, Node::string(kube::base64_encode(value)));
    kube::Object o = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\n");
    o.root().set("data", std::move(data));
    (void)api().remove(kube::ref_of(o));
    const auto made = api().create(o);
    ASSERT_TRUE(made.has_value()) << made.error().to_string();
}

void AgentFleet::ask(const kube::ObjectRef& ref) {
    const Node asked = Node::map({{"metadata", Node::map({{"annotations", Node::map({{std::string(gitops::kRequestedAt), Node::string("request-" + std::to_string(++requests_))}})}})}});
    const auto patched = api().patch(ref, kube::PatchType::merge, asked);
    ASSERT_TRUE(patched.has_value()) << patched.error().to_string();
}

void AgentFleet::fetch(const std::string& revision) {
    ask(source_ref());
    await(source_ref(), [&](const kube::Object& o) { return text(o, {"status", "artifact", "revision"}) == revision && condition(o, "Ready").starts_with("True"); });
}

kube::Object AgentFleet::applied(const std::string& name, const std::string& revision) {
    return await(kustomization_ref(name), [&](const kube::Object& o) {
        return text(o, {"status", "lastAppliedRevision"}) == revision && condition(o, "Ready").starts_with("True") && condition(o, "Reconciling").empty();
    });
}

kube::Object AgentFleet::get(const kube::ObjectRef& ref) {
    const auto found = api().get(ref);
    EXPECT_TRUE(found.has_value()) << ref.name << ": " << (found ? "" : found.error().to_string());
    return found ? *found : kube::Object(Node::map());
}

kube::ObjectRef AgentFleet::source_ref() const { return {.gvk = kGitRepository, .ns = ns_, .name = "fleet"}; }
kube::ObjectRef AgentFleet::kustomization_ref(const std::string& name) const { return {.gvk = kKustomization, .ns = ns_, .name = name}; }
kube::ObjectRef AgentFleet::config_map_ref(const std::string& name) const { return {.gvk = {"", "v1", "ConfigMap"}, .ns = ns_, .name = name}; }

std::string AgentFleet::condition(const kube::Object& o, const std::string& type) {
    const Node* conditions = o.at({"status", "conditions"});
    if (conditions == nullptr) return {};
    for (const Node& c : conditions->items())
        if (c.text_at("type") == type) return std::string(c.text_at("status")) + "/" + std::string(c.text_at("reason")) + ": " + std::string(c.text_at("message"));
    return {};
}

std::string AgentFleet::text(const kube::Object& o, std::initializer_list<std::string_view> path) {
    const Node* n = o.at(path);
    return n == nullptr ? "" : std::string(n->text());
}

std::vector<std::string> AgentFleet::owned() {
    std::vector<std::string> out;
    const auto list = api().list({"", "v1", "ConfigMap"}, {.ns = ns_, .label_selector = std::string(gitops::kOwnerName)});
    EXPECT_TRUE(list.has_value());
    if (list)
        for (const kube::Object& o : list->items) out.emplace_back(o.name());
    std::ranges::sort(out);
    return out;
}

} // namespace weber::agent_test
