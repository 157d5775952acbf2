#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <cstdlib>
#include <filesystem>

#include "tests/agent/run_binary.h"
#include "tests/support/background.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

constexpr const char* kObjects = R"(apiVersion: v1
kind: ConfigMap
metadata: {name: A, namespace: one}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: two}
---
apiVersion: v1
kind: Namespace
metadata: {name: one}
)";

class KustomizeCommand : public ::testing::Test {
protected:
    void SetUp() override {
        dir.write("app/kustomization.yaml", "resources: [objects.yaml]\n");
        dir.write("app/objects.yaml", kObjects);
        dir.write("up/kustomization.yaml", "resources: [../app/objects.yaml]\n");
    }
    TempDir dir;
};

const std::string kBuilt = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: one\n---\n"
                               "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: A\n  namespace: one\n---\n"
                               "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: two\n";

TEST_F(KustomizeCommand, PrintsTheBuild) {
    const Ran r = weber({"kustomize", dir / "app"});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, kBuilt);
    EXPECT_EQ(weber({"kustomize"}, {.directory = dir / "app"}).out, kBuilt);
}

TEST_F(KustomizeCommand, SeveralDirectoriesAreSeparateDocuments) {
    EXPECT_EQ(weber({"kustomize", dir / "app", dir / "app"}).out, kBuilt + "---\n" + kBuilt);
}

// Built in parallel over one base (ParseCache.BuildsAtTheSameTimeReadACommonBaseOnce), printed in the order of the arguments.
TEST_F(KustomizeCommand, ManyDirectoriesPrintWhatEachPrintsAlone) {
    std::vector<std::string> words{"kustomize"};
    std::string alone;
    for (int i = 0; i < 12; ++i) {
        const std::string name = "overlay" + std::to_string(i);
        dir.write(name + "/kustomization.yaml", "resources: [../app]\nnamePrefix: n" + std::to_string(i) + "-\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n");
        words.push_back(dir / name);
        const Ran one = weber({"kustomize", dir / name});
        ASSERT_EQ(one.status, 0) << one.err;
        alone += (alone.empty() ? "" : "---\n") + one.out;
    }
    EXPECT_EQ(weber(words).out, alone);
    words.push_back(dir / "none");
    EXPECT_EQ(weber(words).status, 1); // one that fails fails all
}

TEST_F(KustomizeCommand, ADashStandsForTheDirectoriesOfStandardInput) {
    const std::string list = (dir / "app") + "\r\n\n" + (dir / "app");
    EXPECT_EQ(weber({"kustomize", "-"}, {.input = list}).out, kBuilt + "---\n" + kBuilt);
    EXPECT_EQ(weber({"kustomize", dir / "app", "-"}, {.input = dir / "app"}).out, kBuilt + "---\n" + kBuilt);
    const Ran none = weber({"kustomize", "-"}, {.input = "\n"});
    EXPECT_EQ(none.status, 2);
    EXPECT_NE(none.err.find("standard input names no directory"), std::string::npos) << none.err;
}

TEST_F(KustomizeCommand, AFileThatCannotBeWrittenSaysWhy) {
    const Ran r = weber({"kustomize", dir / "app", "-o", dir / "none/out.yaml"});
    EXPECT_EQ(r.status, 1);
    EXPECT_NE(r.err.find("none/out.yaml: No such file or directory"), std::string::npos) << r.err;
}

TEST_F(KustomizeCommand, WritesAFile) {
    const Ran r = weber({"kustomize", dir / "app", "-o", dir / "out.yaml"});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(read_file(dir / "out.yaml"), kBuilt);
}

// File names as kustomize 5.8.1 chose them for this input.
TEST_F(KustomizeCommand, WritesOneFileAnObjectIntoADirectory) {
    dir.write("out/.keep", "");
    ASSERT_EQ(weber({"kustomize", dir / "app", "-o", dir / "out"}).status, 0);
    EXPECT_EQ(read_file(dir / "out/v1_namespace_one.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: one\n");
    EXPECT_EQ(read_file(dir / "out/one_v1_configmap_a.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: A\n  namespace: one\n");
    EXPECT_NE(read_file(dir / "out/two_apps_v1_deployment_web.yaml"), "");
}

TEST_F(KustomizeCommand, FilesOutsideNeedTheRestrictorOff) {
    const Ran refused = weber({"kustomize", dir / "up"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, ::testing::HasSubstr("is not in or below"));
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(weber({"kustomize", dir / "up", "--load-restrictor", "LoadRestrictionsNone"}).out, kBuilt);
    EXPECT_EQ(weber({"kustomize", dir / "up", "--load-restrictor", "x"}).status, 2);
}

// A script in place of helm: it answers `template` with one object.
TEST_F(KustomizeCommand, ChartsNeedTheFlag) {
    dir.write("charts/kustomization.yaml", "helmCharts: [{name: c, releaseName: r}]\n");
    dir.write("charts/charts/c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    dir.write("charts/charts/c/values.yaml", "{}\n");
    const std::string helm = dir.write("helm", "#!/bin/sh\ncase $1 in template) printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: made}\\n' ;; "
                                               "*) echo v3.16.0 ;; esac\n");
    std::filesystem::permissions(helm, std::filesystem::perms::owner_all);
    EXPECT_EQ(weber({"kustomize", dir / "charts"}).status, 1);
    const Ran r = weber({"kustomize", dir / "charts", "--enable-helm", "--helm-command", helm});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made\n");
    EXPECT_EQ(weber({"kustomize", dir / "charts", "--enable-helm", "--helm-command", "/nonexistent/helm"}).status, 1);
}

TEST_F(KustomizeCommand, ExplainsEachField) {
    dir.write("up/kustomization.yaml", "resources: [../app]\nnamePrefix: p-\n");
    const Ran r = weber({"kustomize", "--explain", "up"}, {.directory = dir / "."});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, ::testing::HasSubstr("  name: p-A # up/kustomization.yaml:2 PrefixTransformer < app/objects.yaml:3\n"));
    dir.write("out/.keep", "");
    EXPECT_EQ(weber({"kustomize", "--explain", dir / "up", "-o", dir / "out"}).status, 2);
}

// Every flag of kustomize 5.8.1, also its hidden ones.
TEST_F(KustomizeCommand, TakesTheFlagsOfKustomize) {
    const Ran all = weber({"kustomize", dir / "app", "-e", "A=b", "--env=C", "--as-current-user", "--enable-alpha-plugins", "--enable-exec", "--mount",
                           "type=bind,src=a,dst=b", "--network", "--network-name", "n", "--helm-api-versions", "v1", "--helm-api-versions", "v2", "--helm-kube-version", "1.30",
                           "--helm-debug", "--stack-trace", "--load-restrictor", "LoadRestrictionsRootOnly"});
    EXPECT_EQ(all.status, 0) << all.err;
    EXPECT_EQ(all.out, kBuilt);
    EXPECT_THAT(weber({"kustomize", dir / "app", "--reorder", "none"}).out, ::testing::StartsWith("apiVersion: v1\nkind: ConfigMap"));
    EXPECT_EQ(weber({"kustomize", dir / "app", "--reorder", "other"}).status, 2);
    EXPECT_THAT(weber({"kustomize", dir / "app", "--enable-managedby-label"}).out, ::testing::HasSubstr("app.kubernetes.io/managed-by: kustomize-v5.8.1"));
}

TEST_F(KustomizeCommand, FunctionsAreOneErrorEach) {
    for (const auto& [function, named] : {std::pair{"exec: {path: ./f.sh}", "executable './f.sh'"}, std::pair{"container: {image: img:v1}", "container 'img:v1'"},
                                          std::pair{"starlark: {path: f.star, name: s}", "Starlark script 's'"}}) {
        dir.write("fn/kustomization.yaml", "transformers: [f.yaml]\nresources: [o.yaml]\n");
        dir.write("fn/o.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
        dir.write("fn/f.yaml", "apiVersion: v1\nkind: F\nmetadata:\n  name: f\n  annotations:\n    config.kubernetes.io/function: |\n      " + std::string(function) + "\n");
        const Ran r = weber({"kustomize", dir / "fn", "--enable-exec", "--enable-alpha-plugins"});
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.out, "");
        EXPECT_THAT(r.err, ::testing::AllOf(::testing::HasSubstr(named), ::testing::HasSubstr("fn/f.yaml:1"), ::testing::HasSubstr("commit its output")));
    }
}

// The target of a build may be a repository.
TEST_F(KustomizeCommand, BuildsARepository) {
    const std::string make = "cd " + (dir / "app") + " && export GIT_CONFIG_GLOBAL=/dev/null && git init -q && git add -A && git -c user.name=t -c user.email=t@t commit -qm t";
    ASSERT_EQ(std::system(make.c_str()), 0);
    const Ran r = weber({"kustomize", "file://" + (dir / "app")});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, kBuilt);
}

// From a real sshd: the key is in an ssh agent, the host in known_hosts; as kustomize with git and ssh.
TEST_F(KustomizeCommand, BuildsARepositoryOverSsh) {
    weber::testing::GitServers servers;
    const std::string root = std::filesystem::canonical(dir.path()).string();
    if (const std::string why = servers.start(root, dir / "servers"); !why.empty()) GTEST_SKIP() << why;
    const std::string prepare =
        "cd " + (dir / "app") + " && export GIT_CONFIG_GLOBAL=/dev/null && git init -q -b main && git add -A && git -c user.name=t -c user.email=t@t commit -qm t && "
        "git clone -q --bare . ../repo.git && cd .. && mkdir -p home/.ssh outer && chmod 700 home/.ssh && cp servers/client_key home/.ssh/key && "
        "ssh-keygen -q -p -P " + std::string(weber::testing::GitServers::kPassphrase) + " -N '' -f home/.ssh/key";
    ASSERT_EQ(std::system(("(" + prepare + ") >/dev/null 2>&1").c_str()), 0);
    dir.write("home/.ssh/known_hosts", servers.known_host("ecdsa") + servers.known_host("ed25519") + servers.known_host("rsa"));
    dir.write("outer/kustomization.yaml", "namePrefix: far-\nresources:\n- " + servers.ssh("/repo.git") + "//?ref=main\n");
    std::vector<std::string> sanitizers; // how tests/run.sh has set them
    for (const char* name : {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"})
        if (const char* value = std::getenv(name)) sanitizers.push_back(std::string(name) + "=" + value);
    // The agent lives as long as this one shell.
    const auto run = [&](const std::string& command, bool with_key) {
        const std::string script = "export GIT_SSH_COMMAND='ssh -F none -o UserKnownHostsFile=" + (dir / "home/.ssh/known_hosts") + "'; eval $(ssh-agent -s) >/dev/null; " +
                                   (with_key ? "ssh-add -q " + (dir / "home/.ssh/key") + "; " : std::string()) + command + "; status=$?; ssh-agent -k >/dev/null; exit $status";
        return weber::testing::run(script, dir / "home", sanitizers);
    };
    const auto ours = run(std::string(WEBER_BINARY) + " kustomize " + (dir / "outer"), true);
    EXPECT_EQ(ours.status, 0) << ours.err;
    EXPECT_THAT(ours.out, ::testing::HasSubstr("name: far-web"));
    const auto locked_out = run(std::string(WEBER_BINARY) + " kustomize " + (dir / "outer"), false);
    EXPECT_EQ(locked_out.status, 1);
    EXPECT_THAT(locked_out.err, ::testing::AllOf(::testing::HasSubstr("outer/kustomization.yaml:3"), ::testing::HasSubstr("a key in the ssh agent")));
    const auto kustomize = weber::testing::peer("kustomize");
    if (!kustomize) GTEST_SKIP() << "no kustomize to compare with: run tests/cluster/tools.sh kustomize";
    EXPECT_EQ(ours.out, run(*kustomize + " build " + (dir / "outer"), true).out);
}

TEST_F(KustomizeCommand, ErrorsNameFileAndLine) {
    dir.write("bad/kustomization.yaml", "resources:\n- objects.yaml\n");
    dir.write("bad/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n");
    const Ran r = weber({"kustomize", dir / "bad"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, ::testing::ContainsRegex("objects.yaml:[45]:"));
}

TEST_F(KustomizeCommand, MissingDirectory) {
    const Ran r = weber({"kustomize", "/nonexistent"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, ::testing::StartsWith("✗ must build at directory: not a valid directory: "));
}

} // namespace
} // namespace weber::agent_test
