// URLs taken apart, remote bases and files through a fetcher, charts through a runner, output as files.
#include "kustomize/remote.h"

#include "tests/kustomize/harness.h"
#include "kustomize/helm.h"

namespace weber::kustomize {
namespace {

TEST(RepoUrl, TakenApartAsKustomizeDoes) {
    struct Case {
        std::string_view url, clone, directory, ref;
    };
    for (const Case& c : {Case{"https://github.com/org/repo", "https://github.com/org/repo", "", ""},
                          Case{"https://github.com/org/repo//a/b?ref=v1", "https://github.com/org/repo", "a/b", "v1"},
                          Case{"github.com/org/repo/a/b?version=v2", "https://github.com/org/repo", "a/b", "v2"},
                          Case{"GitHub.com/org/repo.git/a?ref=v1&version=v2", "https://github.com/org/repo.git", "a", "v1"},
                          Case{"git@github.com:org/repo.git//a", "git@github.com:org/repo.git", "a", ""},
                          Case{"ssh://git@github.com/org/repo", "git@github.com:org/repo", "", ""},
                          Case{"git::https://gitlab.com/g/p//x", "https://gitlab.com/g/p", "x", ""},
                          Case{"ssh://git@host.xz:7999/g/p.git/x", "ssh://git@host.xz:7999/g/p.git", "x", ""},
                          Case{"user@host.xz:path/to/repo.git/dir", "user@host.xz:path/to/repo.git", "dir", ""},
                          Case{"https://me@dev.azure.com/o/p/_git/repo/a/b", "https://me@dev.azure.com/o/p/_git/repo", "a/b", ""},
                          Case{"file:///srv/repos/x", "file:///srv/repos/x", "", ""},
                          Case{"file:///srv/repos/x.git//d?ref=f%2Fy", "file:///srv/repos/x.git", "d", "f/y"}}) {
        auto url = parse_repo_url(c.url);
        ASSERT_TRUE(url) << c.url << ": " << url.error().message;
        EXPECT_EQ(url->clone, c.clone);
        EXPECT_EQ(url->directory, c.directory) << c.url;
        EXPECT_EQ(url->ref, c.ref) << c.url;
    }
    for (std::string_view local : {"/abs/path", "base", "../base", "a.yaml", "https://host/onlyone", "https://github.com/a/b//../../c", "host:path/x/y", ""})
        EXPECT_FALSE(parse_repo_url(local)) << local;
}

TEST(RepoUrl, IsShownWithoutSecrets) {
    for (const auto& [url, shown] : {std::pair{"https://u:p@h/o/r//d?ref=v1&token=t&timeout=3", "https://h/o/r//d?ref=v1&token=…&timeout=3"},
                                     std::pair{"https://token@h/o/r", "https://h/o/r"}, std::pair{"ssh://git:p@h/o/r", "ssh://git@h/o/r"},
                                     std::pair{"git@h:o/r?ref=v1", "git@h:o/r?ref=v1"}, std::pair{"file:///a//b", "file:///a//b"}})
        EXPECT_EQ(shown_url(url), shown);
}

TEST(RepoUrl, QueryOptions) {
    const auto timeout = [](std::string_view query) { return parse_repo_url("https://h/a/b?" + std::string(query))->timeout.count(); };
    EXPECT_EQ(timeout("timeout=61"), 61'000);
    EXPECT_EQ(timeout("timeout=1m30s"), 90'000);
    EXPECT_EQ(timeout("timeout=500ms"), 500);
    for (std::string_view bad : {"", "timeout=", "timeout=-1", "timeout=0", "timeout=1m30", "timeout=x", "timeout=1.0", "timeout=5&a=%", "timeout=5;a=b", "ref=%2&timeout=5"}) EXPECT_EQ(timeout(bad), 27'000) << bad;
    EXPECT_FALSE(parse_repo_url("https://h/a/b?submodules=false")->submodules);
    EXPECT_TRUE(parse_repo_url("https://h/a/b?submodules=no")->submodules);
}

constexpr std::string_view kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n";

// Repositories and files in memory; counts what is fetched.
class FakeRemote final : public RemoteFetcher {
public:
    std::map<std::string, std::shared_ptr<MemoryFileSystem>> repositories;
    std::map<std::string, std::string> pages;
    int fetched = 0;
    RepoUrl last;

    Result<std::string> fetch_file(std::string_view url) override {
        auto it = pages.find(std::string(url));
        if (it == pages.end()) return fail(ErrorCode::not_found, "HTTP Error: status code 404 (Not Found)");
        return it->second;
    }
    Result<RemoteTree> fetch_repository(const RepoUrl& url) override {
        ++fetched;
        last = url;
        auto it = repositories.find(url.clone);
        if (it == repositories.end()) return fail(ErrorCode::not_found, "no such repository");
        return RemoteTree{it->second, "/repo"};
    }
};

class Remote : public ::testing::Test, public Harness {
protected:
    Remote() {
        options.remote = &remote;
        repo->write("/repo/base/kustomization.yaml", "resources: [c.yaml, ../more]\nnamePrefix: base-\n");
        repo->write("/repo/base/c.yaml", kConfigMap);
        repo->write("/repo/more/kustomization.yaml", "configMapGenerator:\n- name: g\n  files: [f.txt]\n  options: {disableNameSuffixHash: true}\n");
        repo->write("/repo/more/f.txt", "hello");
        repo->write("/repo/bad/kustomization.yaml", "resources: [../../etc]\n");
        repo->write("/repo/leak/kustomization.yaml", "resources: [../base/c.yaml]\n");
        repo->write("/repo/loop/kustomization.yaml", "resources: ['https://h/a/b//loop']\n");
        repo->write("/etc/kustomization.yaml", "resources: []\n");
        remote.repositories["https://h/a/b"] = repo;
    }
    FakeRemote remote;
    std::shared_ptr<MemoryFileSystem> repo = std::make_shared<MemoryFileSystem>();
};

TEST_F(Remote, BaseOfARepositoryIsBuiltInItsOwnTree) {
    write_k("/app", "namePrefix: app-\nresources: ['https://h/a/b//base?ref=v1']\n");
    expect_yaml("/app", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-base-c\n---\n"
                        "apiVersion: v1\ndata:\n  f.txt: hello\nkind: ConfigMap\nmetadata:\n  name: app-base-g\n");
    EXPECT_EQ(remote.last.ref, "v1");
    auto output = build("/app");
    ASSERT_TRUE(output);
    EXPECT_EQ(output->files_read[1], "https://h/a/b//base/kustomization.yaml?ref=v1");
}

// As kustomize writes it, "notCloned" included.
TEST_F(Remote, OriginsNameRepositoryAndRef) {
    repo->write("/repo/kustomization.yaml", "resources: [base]\n");
    write_k("/app", "buildMetadata: [originAnnotations]\nresources: ['https://me:pw@h/a/b//base/?ref=v1']\n");
    remote.repositories["https://me:pw@h/a/b"] = repo;
    expect_yaml("/app", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      path: base/c.yaml\n      repo: https://h/a/b\n      ref: v1\n"
                        "  name: base-c\n---\napiVersion: v1\ndata:\n  f.txt: hello\nkind: ConfigMap\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      repo: https://h/a/b\n"
                        "      ref: v1\n      configuredIn: more/kustomization.yaml\n      configuredBy:\n        apiVersion: builtin\n        kind: ConfigMapGenerator\n  name: base-g\n");
    write_k("/app", "buildMetadata: [originAnnotations]\nresources: ['https://h/a/b']\n");
    auto output = build("/app");
    ASSERT_TRUE(output) << output.error().to_string();
    EXPECT_NE(to_yaml(output->resources).find("path: notCloned/base/c.yaml\n      repo: https://h/a/b\n"), std::string::npos) << to_yaml(output->resources);
}

TEST_F(Remote, ARepositoryIsFetchedOnceABuild) {
    write_k("/x", "namePrefix: x-\nresources: ['https://h/a/b//base']\n");
    write_k("/y", "namePrefix: y-\nresources: ['https://h/a/b//base']\n");
    write_k("/app", "resources: [../x, ../y]\n");
    ASSERT_TRUE(build("/app"));
    EXPECT_EQ(remote.fetched, 1);
    ASSERT_TRUE(build("https://h/a/b//base")); // a build may start there
}

TEST_F(Remote, NothingLeavesTheRepository) {
    for (const auto& [directory, message] : {std::pair{"bad", "must be within the repo, but base '/etc' is outside '/repo'"},
                                             std::pair{"leak", "security; file '/repo/base/c.yaml' is not in or below '/repo/leak'"},
                                             std::pair{"loop", "cycle detected: URI 'https://h/a/b//loop'"},
                                             std::pair{"none", "has no such directory"}}) {
        write_k("/app", "resources: ['https://h/a/b//" + std::string(directory) + "']\n");
        options.load_restrictions = LoadRestrictions::none; // holds for local files only
        expect_error("/app", message);
    }
}

TEST_F(Remote, HttpFilesAreResourcesAndPatches) {
    remote.pages["https://h/c.yaml"] = kConfigMap;
    remote.pages["https://h/p.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: b\n";
    write_k("/app", "resources: ['https://h/c.yaml']\npatches: [{path: 'https://h/p.yaml'}]\n");
    expect_yaml("/app", "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: c\n");
    write_k("/app", "resources: ['https://h/none.yaml']\n");
    expect_error("/app", "status code 404");
    remote.pages["https://h/a/b"] = "<html> : </html>"; // the web page of a repository
    repo->write("/repo/kustomization.yaml", "resources: [base/c.yaml]\n");
    write_k("/app", "resources: ['https://h/a/b']\n");
    expect_yaml("/app", kConfigMap);
}

class FakeHelm final : public HelmRunner {
public:
    std::vector<std::string> calls;
    std::map<std::string, std::string> files;
    std::string output = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-chart\n";
    std::string version = "v3.14.2+gc309b6f\n";

    Result<std::string> run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) override {
        std::string line;
        for (const std::string& a : arguments) line += (line.empty() ? "" : " ") + a;
        calls.push_back(line);
        EXPECT_EQ(environment.front(), "HELM_CONFIG_HOME=/tmp/h/helm");
        return arguments.front() == "version" ? version : output;
    }
    Result<std::string> make_directory() override { return "/tmp/h"; }
    Result<void> write_file(const std::string& path, std::string_view text) override {
        files[path] = text;
        return {};
    }
};

class Helm : public ::testing::Test, public Harness {
protected:
    Helm() {
        options.helm = &helm;
        write("/app/charts/web/values.yaml", "a: 1\nb:\n  c: old\n");
    }
    FakeHelm helm;
};

TEST_F(Helm, TemplatesALocalChart) {
    write_k("/app", "namespace: prod\nhelmCharts:\n- name: web\n  releaseName: r\n  includeCRDs: true\n  valuesInline: {b: {c: new, d: 1}}\n");
    expect_yaml("/app", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-chart\n"); // helm took care of the namespace
    ASSERT_EQ(helm.calls.size(), 2u);
    EXPECT_EQ(helm.calls[1], "template r /app/charts/web --namespace prod -f /tmp/h/web-kustomize-values.yaml --include-crds");
    EXPECT_EQ(helm.files["/tmp/h/web-kustomize-values.yaml"], "a: 1\nb:\n  c: new\n  d: 1\n");
}

TEST_F(Helm, NamespaceComesFromAbove) {
    write_k("/app", "helmCharts: [{name: web}]\n");
    write_k("/top", "namespace: outer\nresources: [../app]\n");
    ASSERT_TRUE(build("/top"));
    EXPECT_EQ(helm.calls.back(), "template --generate-name /app/charts/web --namespace outer -f /tmp/h/web-kustomize-values.yaml");
}

TEST_F(Helm, PullsAMissingChart) {
    write("/app/v.yaml", "{}\n");
    write_k("/app", "helmCharts: [{name: db, repo: 'https://charts', version: 1.2.3, valuesFile: v.yaml}]\n");
    ASSERT_TRUE(build("/app"));
    EXPECT_EQ(helm.calls[1], "pull --untar --untardir /app/charts/db-1.2.3 --repo https://charts db --version 1.2.3");
}

TEST_F(Helm, ErrorsSayWhatIsMissing) {
    write_k("/app", "helmCharts: [{name: db}]\n");
    expect_error("/app", "/app/kustomization.yaml:3: no repo specified for pull, no chart found at '/app/charts/db'");
    write_k("/app", "helmCharts: [{name: web, valuesMerge: other}]\n");
    expect_error("/app", "valuesMerge must be one of [merge override replace]");
    helm.version = "v2.17.0";
    write_k("/app", "helmCharts: [{name: web}]\n");
    expect_error("/app", "requires helm V3 or V4 but got v2");
    options.helm = nullptr;
    expect_error("/app", "must specify --enable-helm");
}

TEST(Functions, AreNamedInTheError) {
    Harness h;
    h.write("/app/f.yaml", "apiVersion: v1\nkind: Gen\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n"
                           "      container: {image: example/gen:v1}\n");
    h.write_k("/app", "generators: [f.yaml]\n");
    h.expect_error("/app", "/app/f.yaml:1: external plugins disabled; unable to load external plugin 'Gen': KRM function in container 'example/gen:v1' is not run");
}

TEST(Files, AreNamedAsKustomizeNamesThem) {
    Harness h;
    h.write("/app/r.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: N1}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: Foo}\n"
                           "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
    h.write_k("/app", "resources: [r.yaml]\n");
    auto output = h.build("/app");
    ASSERT_TRUE(output);
    auto files = to_files(output->resources);
    ASSERT_TRUE(files);
    std::string names;
    for (const auto& [name, text] : *files) names += name + " ";
    EXPECT_EQ(names, "default_v1_configmap_c.yaml foo_apps_v1_deployment_d.yaml v1_namespace_n1.yaml ");
    EXPECT_EQ(files->at("default_v1_configmap_c.yaml"), kConfigMap);
    h.write("/app/r.yaml", std::string(kConfigMap) + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: C}\n");
    output = h.build("/app");
    ASSERT_TRUE(output);
    EXPECT_FALSE(to_files(output->resources));
}

// As kustomize 5.8.1 writes this object with `-o DIR` and prints it without.
TEST(Files, HoldDatesAndFoldedBlocksThatWereNotReadAgain) {
    Harness h;
    h.write("/app/r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  d: [2001-12-14t21:59:43Z, a]\n  e: {f: 2001-12-14}\n  t: >\n    one\n      deeper\n    more\n");
    h.write_k("/app", "resources: [r.yaml]\n");
    const std::string end = "kind: ConfigMap\nmetadata:\n  name: c\n";
    auto printed = h.build("/app");
    ASSERT_TRUE(printed);
    EXPECT_EQ(to_yaml(printed->resources), "apiVersion: v1\ndata:\n  d:\n  - \"2001-12-14t21:59:43Z\"\n  - a\n  e:\n    f: \"2001-12-14T00:00:00Z\"\n  t: |\n    one\n\n      deeper\n    more\n" + end);
    h.options.as_files = true;
    auto kept = h.build("/app");
    ASSERT_TRUE(kept);
    EXPECT_EQ(to_files(kept->resources)->at("v1_configmap_c.yaml"),
              "apiVersion: v1\ndata:\n  d:\n  - \"2001-12-14T21:59:43Z\"\n  - a\n  e:\n    f: \"2001-12-14T00:00:00Z\"\n  t: |\n    one\n      deeper\n    more\n" + end);
}

} // namespace
} // namespace weber::kustomize
