// From a source's files to built and desired objects: build.md 1 to 4, kustomization.md 6.2 and 2 (19a to 19c).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gitops/reconcile/generate.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/source/open.h"
#include "kube/base/yaml.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using weber::testing::object_of;
using weber::testing::TempDir;

constexpr std::string_view kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ";

std::string config_map(std::string_view name) { return std::string(kConfigMap) + std::string(name) + "\n"; }

class Build : public ::testing::Test {
protected:
    Kustomization k(std::string_view spec = "") {
        const auto parsed = parse_kustomization(object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: ns}\n"
                                                          "spec:\n  interval: 10m\n  prune: true\n  sourceRef: {kind: GitRepository, name: src}\n" + std::string(spec)));
        EXPECT_TRUE(parsed) << parsed.error().to_string();
        return *parsed;
    }
    Result<Built> build(std::string_view spec = "", const BuildSettings& settings = {}) {
        const auto snapshot = open_working_tree(dir.path());
        EXPECT_TRUE(snapshot) << snapshot.error().to_string();
        return build_objects(*snapshot, k(spec), settings);
    }
    std::vector<std::string> subjects(std::string_view spec = "") {
        const auto built = build(spec);
        EXPECT_TRUE(built) << built.error().to_string();
        std::vector<std::string> out;
        if (built)
            for (const Object& o : built->objects) out.push_back(o.subject());
        return out;
    }
    // The text a user reads.
    std::string error(std::string_view spec = "") {
        const auto built = build(spec);
        EXPECT_FALSE(built);
        return built ? "" : built.error().to_string();
    }
    // The merged kustomization file, as YAML.
    std::string file(std::string_view spec = "") {
        const auto snapshot = open_working_tree(dir.path());
        const Kustomization kustomization = k(spec);
        std::vector<std::string> warnings;
        const auto merged = kustomization_of(*snapshot, *snapshot->directory(kustomization.spec.path), kustomization.spec, warnings);
        EXPECT_TRUE(merged) << merged.error().to_string();
        return merged ? kube::write_yaml(*merged) : "";
    }
    TempDir dir;
};

TEST_F(Build, GeneratesAKustomizationFromAllYamlFiles) {
    dir.write("b.yaml", config_map("b"));
    dir.write("a/x.yml", config_map("x"));
    dir.write("a/notes.txt", "no: manifest");
    dir.write("z/kustomization.yaml", "resources: [in.yaml]\n");
    dir.write("z/in.yaml", config_map("in"));
    dir.write("z/out.yaml", config_map("out"));
    dir.write("empty.yaml", "# nothing\n");
    EXPECT_EQ(file(), "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ./a/x.yml\n- ./b.yaml\n- ./empty.yaml\n- ./z\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/x", "ConfigMap/b", "ConfigMap/in"));
}

TEST_F(Build, AnEmptySourceBuildsNothing) {
    dir.write("README.md", "x");
    EXPECT_THAT(subjects(), ElementsAre());
    dir.write("kustomization.yaml", "resources: []\n");
    EXPECT_THAT(subjects(), ElementsAre());
}

// build.md 8, item 1: byte order in each directory, directories with a file of their own are named, others entered, hidden ones as well.
TEST_F(Build, Item1WhatTheWalkLists) {
    for (const char* path : {"A.yaml", "b.yaml", "a.yml", "sub/c.yaml", "sub2/x.yaml", ".hidden/h.yaml"}) dir.write(path, config_map("x"));
    dir.write("sub2/kustomization.yaml", "resources: [x.yaml]\n");
    dir.write("README.md", "text");
    dir.write("x.json", "{}");
    dir.write("y.yaml.txt", "no: manifest");
    EXPECT_EQ(file(), "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ./.hidden/h.yaml\n- ./A.yaml\n- ./a.yml\n- ./b.yaml\n- ./sub/c.yaml\n- ./sub2\n");
}

// build.md 8, item 2
TEST_F(Build, Item2NothingToList) {
    dir.write("README.md", "text");
    const std::string head = "apiVersion: kustomize.config.k8s.io/v1beta1\nbuildMetadata:\n- originAnnotations\nkind: Kustomization\n";
    EXPECT_EQ(file(), head + "namespace: _placeholder\n");
    EXPECT_EQ(file("  targetNamespace: t\n"), head + "namespace: t\n");
    EXPECT_THAT(subjects(), ElementsAre());
    EXPECT_THAT(subjects("  targetNamespace: t\n"), ElementsAre());
}

TEST_F(Build, FilesThatAreNoManifestsAreNamed) {
    const std::string start = "failed to decode Kubernetes YAML from values.yaml: ";
    for (const auto& [text, problem] : {std::pair("replicas: 1\n", "missing Resource metadata"), {"- a\n", "missing Resource metadata"}, {"metadata: {}\n", "missing Resource metadata"},
                                        {"metadata: {name: a}\n", "missing kind in object"}, {"apiVersion: v1\n", "missing kind in object"}, {"kind: A\nmetadata: {}\n", "missing metadata.name in object"},
                                        {"kind: A\n", "missing metadata.name in object"}, {"a: [\n", "MalformedYAMLError: yaml: line "}}) {
        dir.write("values.yaml", text);
        EXPECT_THAT(error(), HasSubstr(start + problem)) << text;
    }
}

TEST_F(Build, ObjectsWithoutIdentityAreShownWithoutSecrets) { // kustomization.md 2, step 17
    dir.write("a.yaml", "kind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n");
    EXPECT_THAT(error(), HasSubstr(R"(failed to decode Kubernetes apiVersion, kind and name from: {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}})"));
    dir.write("a.yaml", "kind: Secret\nmetadata: {name: a}\nstringData: {k: swordfish}\n");
    EXPECT_THAT(error(), AllOf(HasSubstr(R"(from: {"kind":"Secret","metadata":{"name":"a"},"stringData":{"k":"***"}})"), Not(HasSubstr("swordfish"))));
}

// The files of an artifact, whoever made it and with whatever rules.
Snapshot artifact_of(std::map<std::string, std::string> files) {
    std::map<std::string, TreeFileSystem::File, std::less<>> entries;
    for (const auto& [path, text] : files) entries[path] = {path, text.size()};
    auto reader = [files = std::move(files)](const std::string& path, const TreeFileSystem::File&) -> Result<std::string> { return files.at(path); };
    return {std::make_shared<TreeFileSystem>(std::string(kSourceMount), std::move(entries), std::move(reader)), "main@sha1:1"};
}

// build.md 8, item 3: a .sops.yaml in an artifact is a file that is no manifest. Sources leave it out by default, so that repositories with one build.
TEST_F(Build, Item3RulesOfSopsAreNoManifest) {
    const std::string rules = "creation_rules:\n- age: age1x\n";
    const auto built = build_objects(artifact_of({{"a.yaml", config_map("a")}, {".sops.yaml", rules}}), k(), {});
    ASSERT_FALSE(built);
    EXPECT_THAT(built.error().to_string(), HasSubstr("failed to decode Kubernetes YAML from .sops.yaml: missing Resource metadata"));
    dir.write("a.yaml", config_map("a"));
    dir.write(".sops.yaml", rules);
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/a"));
}

// build.md 8, item 5: the build does not read .sourceignore; only what makes the source does.
TEST_F(Build, Item5SourceIgnoreIsNotRead) {
    const auto built = build_objects(artifact_of({{"a.yaml", config_map("a")}, {"b.yaml", config_map("b")}, {".sourceignore", "a.yaml\n"}}), k(), {});
    ASSERT_TRUE(built) << built.error().to_string();
    ASSERT_EQ(built->objects.size(), 2u);
    EXPECT_EQ(built->objects[0].subject(), "ConfigMap/a");
    dir.write("a.yaml", config_map("a"));
    dir.write("b.yaml", config_map("b"));
    dir.write(".sourceignore", "a.yaml\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/b"));
}

TEST_F(Build, InvalidYamlNamesFileAndLine) {
    dir.write("kustomization.yaml", "resources: [bad.yaml]\n");
    dir.write("bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {x: [1, 2\n");
    EXPECT_THAT(error(), HasSubstr("bad.yaml:"));
    dir.write("kustomization.yaml", "resources:\n- a\n  b: c\n");
    EXPECT_THAT(error(), HasSubstr("kustomization.yaml:"));
}

TEST_F(Build, AnAliasBombIsRefused) {
    std::string bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int j = 0; j < 10; ++j) bomb += last + ",";
        bomb += "]\n";
    }
    dir.write("kustomization.yaml", "resources: [bomb.yaml]\n");
    dir.write("bomb.yaml", bomb);
    const auto built = build();
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::too_large) << built.error().to_string();
    EXPECT_THAT(built.error().to_string(), HasSubstr("bomb.yaml:"));
}

TEST_F(Build, AMissingBaseIsNamed) {
    dir.write("kustomization.yaml", "resources:\n- ../base\n");
    EXPECT_THAT(error(), HasSubstr("base"));
    dir.write("kustomization.yaml", "resources:\n- missing.yaml\n");
    EXPECT_THAT(error(), HasSubstr("missing.yaml"));
}

TEST_F(Build, ACycleOfBasesIsSeen) {
    dir.write("a/kustomization.yaml", "resources: [../b]\n");
    dir.write("b/kustomization.yaml", "resources: [../a]\n");
    EXPECT_THAT(error("  path: ./a\n"), HasSubstr("cycle"));
}

TEST_F(Build, NothingOutsideTheSourceCanBeRead) {
    TempDir other;
    other.write("secret.yaml", config_map("stolen"));
    dir.write("app/kustomization.yaml", "resources:\n- ../../../../../../../.." + other.path() + "/secret.yaml\n");
    EXPECT_THAT(error("  path: app\n"), HasSubstr("fs-security-constraint"));
    dir.write("app/kustomization.yaml", "resources:\n- " + other.path() + "/secret.yaml\n");
    EXPECT_THAT(error("  path: app\n"), HasSubstr("fs-security-constraint"));
    // files of the source outside the path are fine
    dir.write("shared.yaml", config_map("shared"));
    dir.write("app/kustomization.yaml", "resources:\n- ../shared.yaml\n");
    EXPECT_THAT(subjects("  path: app\n"), ElementsAre("ConfigMap/shared"));
}

// build.md 8, items 15, 17, 18: kustomize's words; item 19: no order of ours.
TEST_F(Build, Items15To19) {
    dir.write("a.yaml", config_map("a"));
    dir.write("b.yaml", config_map("a"));
    EXPECT_THAT(error(), HasSubstr("may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"));
    dir.write("kustomization.yaml", "resources: [../../../etc/passwd]\n");
    EXPECT_THAT(error(), HasSubstr("fs-security-constraint read "));
    EXPECT_THAT(error(), HasSubstr(": path '/etc/passwd' is not in or below '"));
    dir.write("kustomization.yaml", "helmCharts: [{name: c, repo: 'https://example.org'}]\n");
    EXPECT_THAT(error(), HasSubstr("must specify --enable-helm"));
    dir.write("kustomization.yaml", "resources: [b.yaml, namespace.yaml]\n");
    dir.write("namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/a", "Namespace/n"));
    dir.write("b.yaml", config_map("local") + "  annotations: {config.kubernetes.io/local-config: 'true'}\n---\n" + config_map("kept") +
                            "  annotations: {config.kubernetes.io/local-config: 'false'}\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/kept", "Namespace/n"));
}

TEST_F(Build, PathsAreJoinedSoThatTheyCannotLeaveTheRoot) {
    dir.write("etc/a.yaml", config_map("a"));
    EXPECT_THAT(subjects("  path: ../../etc\n"), ElementsAre("ConfigMap/a"));
    EXPECT_THAT(subjects("  path: /etc\n"), ElementsAre("ConfigMap/a"));
    const auto built = build("  path: ./missing\n");
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::not_found);
    EXPECT_THAT(built.error().message, HasSubstr("kustomization path not found: stat missing: no such file or directory"));
}

TEST_F(Build, SymbolicLinksAreNotPartOfASource) {
    dir.write("a.yaml", config_map("a"));
    ASSERT_EQ(symlink("a.yaml", (dir.path() + "/b.yaml").c_str()), 0);
    ASSERT_EQ(symlink("/etc", (dir.path() + "/etc").c_str()), 0);
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/a"));
    dir.write("kustomization.yaml", "resources: [a.yaml, b.yaml]\n"); // 16: also when it is named
    EXPECT_THAT(error(), HasSubstr("b.yaml"));
    dir.write("kustomization.yaml", "resources: [etc]\n");
    EXPECT_THAT(error(), HasSubstr("etc"));
}

TEST_F(Build, TwoKustomizationFilesAreAnError) {
    dir.write("kustomization.yaml", "resources: []\n");
    dir.write("Kustomization", "resources: []\n");
    EXPECT_THAT(error(), HasSubstr("Found multiple kustomization files under: ."));
}

TEST_F(Build, SpecFieldsAreMergedOverTheFile) {
    dir.write("kustomization.yaml", "namePrefix: old-\nnamespace: old\nresources: [a.yaml]\n"
                                    "images:\n- {name: one, newTag: v1}\n- {name: two, newName: x, digest: sha256:0}\n"
                                    "patches:\n- {patch: 'first'}\n");
    dir.write("a.yaml", config_map("a"));
    const std::string spec = "  targetNamespace: new\n  namePrefix: new-\n  nameSuffix: -s\n"
                             "  images:\n  - {name: two, newTag: v2}\n  - {name: three, newName: y}\n"
                             "  patches:\n  - {patch: 'second', target: {kind: ConfigMap}}\n";
    EXPECT_EQ(file(spec), "apiVersion: kustomize.config.k8s.io/v1beta1\n"
                          "images:\n- name: one\n  newTag: v1\n- name: two\n  newName: x\n  newTag: v2\n- name: three\n  newName: \"y\"\n"
                          "kind: Kustomization\nnamePrefix: new-\nnameSuffix: -s\nnamespace: new\n"
                          "patches:\n- patch: first\n- patch: second\n  target:\n    kind: ConfigMap\nresources:\n- a.yaml\n");
}

// What flux 2.9.5 builds of it. kustomize refuses such a file, also below this one.
TEST_F(Build, NumbersAndTruthsInTheFileStandForTexts) {
    dir.write("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: 7\nimages: [{name: nginx, newTag: 1.20, surprise: 1}]\n"
                                    "labels: [{pairs: {x: y, k: 1.50, big: 12345678, f: 0.00001, h: 0x10, d: 2020-01-01}}]\n");
    dir.write("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: nginx}]}\n");
    const auto built = build();
    ASSERT_TRUE(built) << built.error().to_string();
    EXPECT_EQ(kube::write_yaml(built->objects.at(0).root()), "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    big: \"12345678\"\n    d: \"2020-01-01\"\n    f: \"1e-05\"\n    h: \"16\"\n"
                                                            "    k: \"1.5\"\n    x: \"true\"\n  name: 7a\nspec:\n  containers:\n  - image: nginx:1.2\n    name: c\n");
    dir.write("kustomization.yaml", "resources: [base]\n");
    dir.write("base/kustomization.yaml", "resources: [../a.yaml]\nnamePrefix: 7\n");
    EXPECT_THAT(error(), AllOf(HasSubstr("base/kustomization.yaml:2: "), HasSubstr("invalid Kustomization: namePrefix: expected a string")));
}

TEST_F(Build, ComponentsAreAppendedAndMustBeLocal) {
    dir.write("app/kustomization.yaml", "resources: [a.yaml]\n");
    dir.write("app/a.yaml", config_map("a"));
    dir.write("extra/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [c.yaml]\n");
    dir.write("extra/c.yaml", config_map("c"));
    EXPECT_THAT(subjects("  path: app\n  components: [../extra]\n"), ElementsAre("ConfigMap/a", "ConfigMap/c"));
    EXPECT_THAT(subjects("  path: app\n  components: [../extra, ../nowhere]\n  ignoreMissingComponents: true\n"), ElementsAre("ConfigMap/a", "ConfigMap/c"));
    EXPECT_THAT(error("  path: app\n  components: [../nowhere]\n"), HasSubstr("nowhere"));
    for (const char* bad : {"/abs", "https://github.com/a/b", "git@github.com:a/b", "GitHub.com/a/b"})
        EXPECT_THAT(error("  path: app\n  components: ['" + std::string(bad) + "']\n"), HasSubstr("component path '" + std::string(bad) + "' must be local and relative"));
}

TEST_F(Build, BuildMetadataGivesOriginAnnotations) {
    dir.write("a.yaml", config_map("a"));
    const auto built = build("  buildMetadata: [originAnnotations]\n");
    ASSERT_TRUE(built) << built.error().to_string();
    EXPECT_THAT(std::string(built->objects.at(0).annotation("config.kubernetes.io/origin")), HasSubstr("path: a.yaml"));
}

TEST_F(Build, AKustomizationFileWithoutResourcesIsBuilt) {
    dir.write("kustomization.yaml", "buildMetadata: [managedByLabel]\nconfigMapGenerator:\n- {name: made, literals: [a=b], options: {disableNameSuffixHash: true}}\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/made"));
    EXPECT_THAT(file(), HasSubstr("buildMetadata:\n- originAnnotations\nconfigMapGenerator:")); // item 7
    EXPECT_THAT(std::string(build()->objects.at(0).annotation("config.kubernetes.io/origin")), HasSubstr("configuredBy"));
}

TEST_F(Build, KustomizeFilesAmongTheObjectsAreDropped) {
    dir.write("kustomization.yaml", "resources: [a.yaml, list.yaml]\n");
    dir.write("a.yaml", config_map("a"));
    dir.write("list.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n");
    EXPECT_THAT(subjects(), ElementsAre("ConfigMap/a", "ConfigMap/b"));
}

TEST_F(Build, TheDigestFollowsTheContentOnly) {
    dir.write("a.yaml", config_map("a"));
    const std::string first = build()->digest;
    EXPECT_EQ(build("  commonMetadata: {labels: {x: y}}\n")->digest, first);
    EXPECT_EQ(first.size(), std::string("sha256:").size() + 64);
    dir.write("a.yaml", config_map("b"));
    EXPECT_NE(build()->digest, first);
}

TEST_F(Build, HooksDecryptFilesThenObjectsAndSubstituteAfterwards) {
    dir.write("kustomization.yaml", "secretGenerator:\n- {name: s, files: [token.enc], options: {disableNameSuffixHash: true}}\n");
    dir.write("token.enc", "cipher");
    std::vector<std::string> calls;
    BuildSettings settings;
    settings.post_build = [&](const Kustomization&, ReferenceReader* client) -> Result<PostBuild> {
        EXPECT_EQ(client, nullptr);
        PostBuild hooks;
        hooks.files = [&](const Snapshot& s, const std::string& where, const Node& merged) -> Result<Snapshot> {
            calls.push_back("files");
            EXPECT_TRUE(merged.contains("secretGenerator"));
            return s.with_files({{where + "/token.enc", "plain"}});
        };
        hooks.decrypt = [&](const Object& o) -> Result<Object> {
            calls.push_back("decrypt");
            EXPECT_EQ(o.at({"data", "token.enc"})->text(), "cGxhaW4=");
            return o;
        };
        hooks.substitute = [&](const Object& o) -> Result<Object> {
            calls.push_back("substitute");
            Object out = o;
            out.set_label("x", "y");
            return out;
        };
        return hooks;
    };
    const auto built = build("  decryption: {provider: sops}\n", settings);
    ASSERT_TRUE(built) << built.error().to_string();
    EXPECT_THAT(calls, ElementsAre("files", "decrypt", "substitute"));
    EXPECT_EQ(built->objects.at(0).label("x"), "y");

    settings.post_build = [](const Kustomization&, ReferenceReader*) -> Result<PostBuild> {
        PostBuild hooks;
        hooks.substitute = [](const Object&) -> Result<Object> { return fail(ErrorCode::invalid, "envsubst error"); };
        return hooks;
    };
    const auto failed = build("  postBuild: {substitute: {a: b}}\n", settings);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "post build failed for 'Secret.v1.[noGrp]/s': envsubst error");
}

TEST_F(Build, WhatCannotBeDoneIsNamedWithItsPlace) {
    dir.write("a.yaml", config_map("a"));
    EXPECT_THAT(error("  postBuild: {substitute: {a: b}}\n"), HasSubstr("spec.postBuild"));
}

// ---- desired objects ---------------------------------------------------------------------------------------------

class Desired : public Build {
protected:
    Result<std::vector<Object>> desired(std::string_view object, std::string_view spec = "") { return desired_objects({object_of(object)}, k(spec)); }
};

TEST_F(Desired, OwnerLabelsThenCommonMetadata) {
    const auto out = desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns, labels: {l: old}}}",
                             "  commonMetadata: {labels: {l: new, kustomize.toolkit.fluxcd.io/name: other}, annotations: {n: t}}\n");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->at(0).label("l"), "new");
    EXPECT_EQ(out->at(0).label("kustomize.toolkit.fluxcd.io/name"), "other") << "common metadata comes last";
    EXPECT_EQ(out->at(0).label("kustomize.toolkit.fluxcd.io/namespace"), "ns");
    EXPECT_EQ(out->at(0).annotation("n"), "t");
}

TEST_F(Desired, NormalizesBuiltInKinds) {
    const auto out = desired("apiVersion: v1\nkind: Secret\nmetadata: {name: a, creationTimestamp: null, annotations: {x: null}}\nstringData: {k: v}\nstatus: {}\n");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->at(0).at({"data", "k"})->text(), "dg==");
    EXPECT_EQ(out->at(0).root().find("stringData"), nullptr);
    EXPECT_EQ(out->at(0).root().find("status"), nullptr);
    EXPECT_EQ(out->at(0).at({"metadata", "creationTimestamp"}), nullptr);
    const auto service = desired("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}, {port: 2, protocol: UDP}]}\n");
    EXPECT_EQ(service->at(0).at({"spec", "ports"})->items()[0].text_at("protocol"), "TCP");
    EXPECT_EQ(service->at(0).at({"spec", "ports"})->items()[1].text_at("protocol"), "UDP");
    const auto role = desired("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a, creationTimestamp: null}\nrules: []\n");
    EXPECT_NE(role->at(0).root().find("rules"), nullptr) << "left alone";
}

TEST_F(Desired, AnEncryptedSecretIsRefusedWhateverItsForm) {
    for (const char* form : {"data: {a: 'ENC[AES256_GCM,data:x]'}", "stringData: {a: 'ENC[AES256_GCM,data:x]'}"}) {
        const auto out = desired("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n" + std::string(form) + "\nsops: {mac: x}\n");
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().message, "Secret/ns/a is SOPS encrypted, configuring decryption is required for this secret to be reconciled");
    }
    const auto kept = desired("apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}}\nsops: {mac: x}\n");
    ASSERT_TRUE(kept) << "Flux applies the ciphertext";
    EXPECT_EQ(kept->at(0).root().find("sops"), nullptr) << "which no API server takes in a Secret";
}

TEST_F(Desired, LabelsThatAreNoMapAreAnErrorWithItsPlace) {
    const auto out = desired("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: [x]\n");
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "metadata.labels: expected a map of strings, found array");
    EXPECT_EQ(out.error().where.line, 5u);
}

} // namespace
} // namespace weber::gitops
