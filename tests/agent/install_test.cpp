// `install`: the manifests it makes, and what becomes of them in the embedded API server and a real one (cli.md 2.13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <cstdlib>

#include "agent/cluster.h"
#include "kube/base/yaml.h"
#include "kube/kubeconfig.h"
#include "kube/server/server.h"
#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Object> exported(const std::vector<std::string>& flags) {
    std::vector<std::string> words = {"install", "--export"};
    words.insert(words.end(), flags.begin(), flags.end());
    const Ran r = weber(words);
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.err, "");
    const auto documents = kube::read_yaml(r.out);
    std::vector<Object> out;
    if (documents)
        for (const Node& d : *documents) out.emplace_back(d);
    return out;
}

Object named(const std::vector<Object>& objects, const std::string& kind) {
    for (const Object& o : objects)
        if (o.kind() == kind) return o;
    return {};
}

std::vector<std::string> arguments(const std::vector<Object>& objects) {
    std::vector<std::string> out;
    const Object deployment = named(objects, "Deployment");
    if (const Node* containers = deployment.at({"spec", "template", "spec", "containers"}))
        for (const Node& a : containers->items().front().find("args")->items()) out.emplace_back(a.text());
    return out;
}

std::string image(const std::vector<Object>& objects) {
    const Object deployment = named(objects, "Deployment");
    return std::string(deployment.at({"spec", "template", "spec", "containers"})->items().front().text_at("image"));
}

TEST(Install, ExportIsDeployInstallWithTheVersionOfThisProgram) {
    std::vector<std::string> subjects;
    for (const Object& o : exported({})) {
        subjects.push_back(o.subject());
        EXPECT_EQ(o.label("app.kubernetes.io/part-of"), "flux") << o.subject();
        EXPECT_EQ(o.label("app.kubernetes.io/version"), "v" WEBER_VERSION) << o.subject();
        EXPECT_EQ(o.label("app.kubernetes.io/instance"), "flux-system") << o.subject();
    }
    // What kustomize makes of the folder has the same objects, labels and image.
    const Ran plain = weber({"kustomize", WEBER_SOURCE_DIR "/deploy/install"});
    ASSERT_EQ(plain.status, 0) << plain.err;
    const std::vector<Node> documents = kube::read_yaml(plain.out).value();
    std::vector<std::string> plain_subjects;
    for (const Node& d : documents) {
        plain_subjects.push_back(Object(d).subject());
        EXPECT_EQ(Object(d).label("app.kubernetes.io/version"), "v" WEBER_VERSION);
    }
    EXPECT_EQ(subjects, plain_subjects);
    EXPECT_EQ(subjects.size(), 13u);
    EXPECT_THAT(plain.out, HasSubstr("image: weber:v" WEBER_VERSION "\n"));
}

TEST(Install, FlagsShapeTheManifests) {
    const auto all = exported({"-n", "gitops", "--components", "kustomize-controller", "--registry", "registry.example.org:5000/me", "--image-pull-secret", "pull",
                               "--registry-creds", "me:planted", "--network-policy=false", "--watch-all-namespaces=false", "--log-level", "debug", "--cluster-domain",
                               "corp.local", "--toleration-keys", "dedicated,other"});
    const std::vector<std::string> args = arguments(all);
    for (const char* wanted : {"--controllers=kustomization", "--watch-all-namespaces=false", "--log-level=debug", "--storage-adv-addr=weber.$(RUNTIME_NAMESPACE).svc.corp.local."})
        EXPECT_THAT(args, ::testing::Contains(wanted));
    EXPECT_EQ(image(all), "registry.example.org:5000/me/weber:v" WEBER_VERSION);
    const Object deployment = named(all, "Deployment");
    EXPECT_EQ(deployment.ns(), "gitops");
    EXPECT_EQ(deployment.at({"spec", "template", "spec", "imagePullSecrets"})->items().front().text_at("name"), "pull");
    EXPECT_EQ(deployment.at({"spec", "template", "spec", "tolerations"})->items().size(), 2u);
    EXPECT_EQ(named(all, "NetworkPolicy").name(), "");
    EXPECT_EQ(named(all, "Namespace").name(), "gitops");
    EXPECT_EQ(named(all, "Secret").name(), "pull");
    EXPECT_THAT(named(all, "Secret").at({"stringData", ".dockerconfigjson"})->text(), HasSubstr("registry.example.org:5000"));
    for (const Object& o : all)
        if (const Node* subjects = o.root().find("subjects")) {
            EXPECT_EQ(subjects->items().front().text_at("namespace"), "gitops") << o.subject();
        }
    EXPECT_EQ(image(exported({"--image", "example.org/weber:mine"})), "example.org/weber:mine");
    EXPECT_EQ(image(exported({"--image", "example.org/weber@sha256:" + std::string(64, 'a')})), "example.org/weber@sha256:" + std::string(64, 'a'));
}

// Restricted Pod Security Standard, and what the issue asks for.
TEST(Install, ThePodIsRestricted) {
    const auto all = exported({});
    const Object deployment = named(all, "Deployment");
    const Node* pod = deployment.at({"spec", "template", "spec"});
    const Node& container = pod->find("containers")->items().front();
    EXPECT_TRUE(pod->find_path({"securityContext", "runAsNonRoot"})->as_bool());
    EXPECT_EQ(pod->find_path({"securityContext", "seccompProfile", "type"})->text(), "RuntimeDefault");
    EXPECT_TRUE(container.find_path({"securityContext", "readOnlyRootFilesystem"})->as_bool());
    EXPECT_FALSE(container.find_path({"securityContext", "allowPrivilegeEscalation"})->as_bool());
    EXPECT_EQ(container.find_path({"securityContext", "capabilities", "drop"})->items().front().text(), "ALL");
    EXPECT_TRUE(container.find_path({"resources", "limits", "memory"}));
    EXPECT_TRUE(container.find_path({"resources", "limits", "cpu"}));
    EXPECT_EQ(named(all, "NetworkPolicy").name(), "weber");
    EXPECT_EQ(named(all, "Service").name(), "weber");
}

struct Wrong {
    std::vector<std::string> flags;
    int status;
    std::string err;
};

TEST(Install, RefusesWhatItCannotDo) {
    const std::vector<Wrong> cases = {
        {{"--components", "helm-controller"}, 1, "✗ component helm-controller is not part of weber\n"},
        {{"--components-extra", "image-reflector-controller"}, 1, "✗ component image-reflector-controller is not part of weber\n"},
        {{"--components="}, 1, "✗ component  is not part of weber\n"},
        {{"--version", "v2.7.5"}, 2, "✗ this program installs its own version, v" WEBER_VERSION ", not v2.7.5"},
        {{"--log-level", "loud"}, 2, "✗ --log-level must be trace, debug, info or error, not loud\n"},
        {{"--registry-creds", "a:b"}, 2, "✗ --registry-creds requires --image-pull-secret to be set\n"},
        {{"--registry-creds", "ab", "--image-pull-secret", "x", "--registry", "r"}, 2, "✗ invalid --registry-creds format, expected 'user:password'\n"},
        {{"-n", "A_b"}, 1, "✗ namespace must be a valid DNS label: \"A_b\"\n"},
        {{"something"}, 2, "✗ unknown command \"something\" for \"weber install\"\n"},
    };
    for (const Wrong& c : cases) {
        std::vector<std::string> words = {"install", "--export"};
        words.insert(words.end(), c.flags.begin(), c.flags.end());
        const Ran r = weber(words);
        EXPECT_EQ(r.status, c.status) << r.err;
        EXPECT_EQ(r.out, "");
        EXPECT_THAT(r.err, ::testing::StartsWith(c.err));
    }
}

// The embedded API server's state, and a real cluster.
class InstallOn : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (const char* file = std::getenv("WEBER_TEST_KUBECONFIG"); GetParam() && file) {
            target = {"--kubeconfig", file};
        } else if (GetParam()) {
            GTEST_SKIP() << "no real kube-apiserver: WEBER_TEST_KUBECONFIG is not set (tests/cluster/cluster.sh run -- …)";
        } else {
            dir.write("state/.keep", "");
            target = {"--state", dir / "state"};
        }
        static int tests = 0; // a namespace of the one before may still be going
        ns = "install-" + std::to_string(getpid()) + "-" + std::to_string(++tests);
    }
    void TearDown() override {
        if (ns.empty() || !GetParam()) return; // the definitions stay: other tests use them
        const auto config = kube::load_kubeconfig({.files = {target.back()}});
        const auto client = kube::Client::connect(*config);
        const std::string rbac = "rbac.authorization.k8s.io";
        for (const auto& [kind, name] : {std::pair("ClusterRoleBinding", "weber-agent"), {"ClusterRoleBinding", "weber-cluster-reconciler"}, {"ClusterRole", "weber-agent"}, {"ClusterRole", "weber-view"}, {"ClusterRole", "weber-edit"}})
            (void)(*client)->remove({.gvk = {rbac, "v1", kind}, .name = name});
        (void)(*client)->remove({.gvk = {"", "v1", "Namespace"}, .name = ns});
    }
    Ran run(std::vector<std::string> words) {
        words.insert(words.end(), {"-n", ns, "--timeout", "120s"});
        words.insert(words.end(), target.begin(), target.end());
        return weber(words);
    }
    TempDir dir;
    std::string ns;
    std::vector<std::string> target;
};
INSTANTIATE_TEST_SUITE_P(Servers, InstallOn, ::testing::Bool(), [](const auto& i) { return i.param ? "Real" : "Embedded"; });

TEST_P(InstallOn, BecomesReadyAndADryUninstallNamesAllOfIt) {
    const Ran first = run({"install"});
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_THAT(first.out, HasSubstr("Namespace/" + ns + " created\n"));
    EXPECT_THAT(first.out, HasSubstr("Deployment/" + ns + "/weber created\n"));
    EXPECT_EQ(first.err, "✚ generating manifests\n✔ manifests build completed\n► installing components in " + ns +
                             " namespace\n◎ verifying installation\n✔ weber: deployment ready\n✔ install finished\n");
    const Ran plan = run({"uninstall", "--dry-run"});
    EXPECT_EQ(plan.status, 0) << plan.err;
    for (const std::string& subject : {"Deployment/" + ns + "/weber", "Service/" + ns + "/weber", "NetworkPolicy/" + ns + "/weber", "ServiceAccount/" + ns + "/weber",
                                       std::string("ClusterRole/weber-agent"), std::string("ClusterRole/weber-view"), std::string("ClusterRole/weber-edit"), std::string("ClusterRoleBinding/weber-cluster-reconciler"), "Namespace/" + ns})
        EXPECT_THAT(plan.err, HasSubstr("✔ " + subject + " deleted (dry run)\n"));
}

TEST_P(InstallOn, TheRealFluxChecksItAndNamesItsVersion) { // cli.md 5, item 44
    const auto flux = testing::peer("flux");
    if (!flux) GTEST_SKIP() << "no flux: tests/cluster/tools.sh flux";
    ASSERT_EQ(run({"install"}).status, 0);
    std::string kubeconfig = target.back();
    std::unique_ptr<kube::Server> server; // the embedded cluster, for a program that is not ours
    if (!GetParam()) {
        kube::ServerOptions options;
        options.data_dir = target.back();
        auto started = kube::Server::start(std::move(options));
        ASSERT_TRUE(started.has_value()) << started.error().to_string();
        server = std::move(*started);
        kubeconfig = dir.write("kubeconfig", server->kubeconfig());
    }
    const auto check = testing::run(*flux + " check -n " + ns, dir.path(), {"KUBECONFIG=" + kubeconfig});
    EXPECT_EQ(check.status, 0) << check.err;
    EXPECT_THAT(check.err, HasSubstr("✔ weber: deployment ready\n► weber:v" WEBER_VERSION "\n"));
    EXPECT_THAT(check.err, ::testing::EndsWith("✔ all checks passed\n"));
    const auto version = testing::run(*flux + " version -n " + ns, dir.path(), {"KUBECONFIG=" + kubeconfig});
    EXPECT_EQ(version.status, 0) << version.err;
    EXPECT_THAT(version.out, HasSubstr("distribution: flux-v" WEBER_VERSION "\nweber: v" WEBER_VERSION "\n"));
}

using InstallEmbedded = InstallOn;
INSTANTIATE_TEST_SUITE_P(Servers, InstallEmbedded, ::testing::Values(false), [](const auto&) { return "Embedded"; });

// Labels of definitions are everybody's in a real cluster that tests share.
TEST_P(InstallEmbedded, ASecondChangesNothingAndItIsChecked) {
    ASSERT_EQ(run({"install"}).status, 0);
    const Ran second = run({"install"});
    ASSERT_EQ(second.status, 0) << second.err;
    EXPECT_THAT(second.out, Not(HasSubstr(" created\n")));
    EXPECT_THAT(second.out, Not(HasSubstr(" configured\n")));

    const Ran check = run({"check"});
    EXPECT_EQ(check.status, 0) << check.err;
    EXPECT_THAT(check.err, HasSubstr("✔ distribution: flux-v" WEBER_VERSION "\n"));
    EXPECT_THAT(check.err, HasSubstr("✔ weber: deployment ready\n► weber:v" WEBER_VERSION "\n"));
    EXPECT_THAT(check.err, ::testing::EndsWith("✔ all checks passed\n"));
    EXPECT_EQ(run({"version"}).out, "weber: v" WEBER_VERSION "\ndistribution: flux-v" WEBER_VERSION "\nweber-agent: v" WEBER_VERSION "\n");
}

TEST_P(InstallEmbedded, UninstallIsTheReverse) {
    ASSERT_EQ(run({"install"}).status, 0);
    const Ran gone = run({"uninstall", "-s"});
    EXPECT_EQ(gone.status, 0) << gone.err;
    EXPECT_THAT(gone.err, ::testing::EndsWith("✔ uninstall finished\n"));
    EXPECT_EQ(run({"get", "ks"}).status, 1); // the kind itself is gone
    const Ran twice = run({"uninstall", "-s"});
    EXPECT_EQ(twice.status, 0) << "nothing is left to do";
    EXPECT_THAT(twice.err, HasSubstr("✗ Namespace/" + ns + " deletion failed: namespaces \"" + ns + "\" not found\n")) << "but it may be mistyped";
    const Ran again = run({"install"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io created\n"));
}

TEST_P(InstallEmbedded, RefusesBesideFluxsControllers) {
    {
        kube::ServerOptions options;
        options.data_dir = target.back();
        const auto cluster = agent::open_embedded(options);
        ASSERT_TRUE(cluster);
        for (const std::string& text : {"apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns + "}\n",
                                        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kustomize-controller, namespace: " + ns +
                                            ", labels: {app.kubernetes.io/part-of: flux}}\nspec: {selector: {matchLabels: {a: k}}, template: {metadata: {labels: {a: k}}, "
                                            "spec: {containers: [{name: manager, image: 'k:v1'}]}}}\n"})
            ASSERT_TRUE(cluster->client->apply(Object(kube::read_yaml_one(text).value()), {.field_manager = "test"}));
    }
    const Ran refused = run({"install"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("✗ Flux's kustomize-controller runs in this cluster: two engines must not work on the same objects\n"));
    EXPECT_EQ(run({"install", "--components", "source-controller"}).status, 0);
    EXPECT_EQ(run({"install", "--force"}).status, 0);
}

} // namespace
} // namespace weber::agent_test
