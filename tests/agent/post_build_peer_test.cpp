// Substitution, decryption and health rules beside Flux's kustomize-controller: the same artifact, the same Kustomizations, one engine after the other; then the
// objects are equal, and so are conditions, inventories and revisions, also of what fails.
#include <gmock/gmock.h>
#include <test_paths.h>

#include <algorithm>
#include <regex>

#include "gitops/decrypt/file.h"
#include "kube/base/digest.h"
#include "kube/base/yaml.h"
#include "tests/agent/peer_fleet.h"

namespace weber::agent_test {
namespace {

namespace sops = gitops::sops;

struct Case {
    std::string name;
    std::map<std::string, std::string> files; // below ./NAME
    std::string spec = {};                    // more of it, flow style
    std::string ready = "True";
    std::string reason = "ReconciliationSucceeded";
    bool same_words = true; // false: errors of kustomize, which ours words in its own way
};

// What an engine made of a case, as text: conditions, inventory, revisions, objects.
using Outcome = std::map<std::string, std::string>;

const kube::GroupVersionKind kKustomization{"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"};

// Weber's BuildFailed messages end in the file and line to edit, and librnp speaks for gpg (docs/differences.md); durations and temporary folders differ from run to run.
std::string comparable(std::string message) {
    static const std::regex duration(R"(\b(\d+(\.\d+)?(ms|µs|s|m))+\b)"), folder(R"(/[^ ']*/kustomization-[0-9]+/)"), where(R"( \([a-z./-]+(:[0-9]+)*\)$)"), gpg(R"((\.asc' data from sops decryption Secret '[^']*': )[^]*)");
    message = std::regex_replace(message, duration, "<duration>");
    message = std::regex_replace(message, folder, "<root>/");
    message = std::regex_replace(message, where, "");
    return std::regex_replace(message, gpg, "$1<words of gpg or librnp>");
}

class SideBySide : public PeerFleet {
protected:
    void SetUp() override {
        PeerFleet::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        identity_ = gitops::make_age_identity().value();
        make("apiVersion: v1\nkind: Secret\nmetadata: {name: age}\nstringData: {id.agekey: '" + gitops::age_identity_text(identity_) + "'}\n");
    }

    std::string config_map(const std::string& name, const std::string& data, const std::string& metadata = {}) const {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: " + ns_ + "\n" + metadata + "data:\n" + data;
    }
    std::string secret(const std::string& name, const std::string& body) const {
        return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: " + ns_ + "\n" + body;
    }
    std::string encrypted(const std::string& text, sops::Format format, const std::string& regex = {}) const {
        const sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = identity_.recipient}}}, .rule = {.encrypted_regex = regex}};
        const auto out = sops::encrypt_file(text, format, settings, {}, "2026-01-02T03:04:05Z");
        EXPECT_TRUE(out) << out.error().message;
        return out.value_or("");
    }

    // All cases with that engine, from nothing to nothing.
    std::map<std::string, Outcome> run_all(Engine engine, const std::vector<Case>& cases, const std::vector<std::string>& words) {
        for (const Case& c : cases)
            make("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + c.name + "}\nspec: {interval: 1h, retryInterval: 1h, timeout: 5s, prune: true, path: ./" +
                 c.name + ", sourceRef: {kind: GitRepository, name: fleet}" + (c.spec.empty() ? "" : ", " + c.spec) + "}\n");
        run(engine, words);
        std::map<std::string, Outcome> out;
        for (const Case& c : cases) out[c.name] = outcome(settled(c), c);
        stop();
        clear();
        return out;
    }

    void agree(const std::vector<Case>& cases, std::vector<std::string> words = {}) {
        words.push_back("--concurrent=24"); // time-outs of health checks run side by side
        std::map<std::string, std::string> files;
        for (const Case& c : cases)
            for (const auto& [path, text] : c.files) files[path.starts_with("../") ? path.substr(3) : c.name + "/" + path] = text;
        commit(files);
        serve_source();
        const auto theirs = run_all(Engine::flux, cases, words), ours = run_all(Engine::weber, cases, words);
        for (const Case& c : cases) {
            SCOPED_TRACE(c.name);
            EXPECT_TRUE(theirs.at(c.name).contains("condition Ready"));
            Outcome left = ours.at(c.name);
            for (const auto& [what, text] : theirs.at(c.name)) {
                EXPECT_EQ(left[what], text) << what;
                left.erase(what);
            }
            EXPECT_THAT(left, ::testing::IsEmpty());
        }
    }

private:
    // The end of the first run that did not wait for a dependency; flux writes the status of a success in two steps.
    kube::Object settled(const Case& c) {
        kube::Object last = await({.gvk = kKustomization, .ns = ns_, .name = c.name}, [&](const kube::Object& o) {
            const Node* ready = ready_of(o);
            if (ready == nullptr || ready->text_at("status") == "Unknown") return false;
            if (ready->text_at("status") == "True") return o.at({"status", "lastAppliedRevision"}) != nullptr;
            return ready->text_at("reason") == c.reason || ready->text_at("reason") != "DependencyNotReady";
        });
        const Node* ready = ready_of(last);
        EXPECT_TRUE(ready != nullptr && ready->text_at("status") == c.ready && ready->text_at("reason") == c.reason) << c.name << ":\n" << kube::write_yaml(*last.at({"status"}));
        return last;
    }
    static const Node* ready_of(const kube::Object& o) {
        const Node* conditions = o.at({"status", "conditions"});
        if (conditions == nullptr) return nullptr;
        const auto found = std::ranges::find_if(conditions->items(), [](const Node& n) { return n.text_at("type") == "Ready"; });
        return found == conditions->items().end() ? nullptr : &*found;
    }

    Outcome outcome(const kube::Object& kustomization, const Case& c) {
        Outcome out;
        const Node* status = kustomization.root().find("status");
        if (status == nullptr) return out;
        for (Node n : status->find("conditions") == nullptr ? std::vector<Node>() : status->find("conditions")->items()) {
            n.erase("lastTransitionTime");
            const bool own_words = !c.same_words && n.text_at("type") == "Ready";
            n.set("message", Node::string(own_words ? "" : comparable(std::string(n.text_at("message")))));
            out["condition " + std::string(n.text_at("type"))] = kube::write_yaml(n);
        }
        for (const char* field : {"inventory", "lastAppliedRevision", "lastAttemptedRevision", "observedGeneration"})
            if (const Node* value = status->find(field)) out[field] = kube::write_yaml(*value);
        for (const kube::GroupVersionKind& gvk : kinds_) {
            const auto listed = api().list(gvk, {.ns = ns_, .label_selector = "kustomize.toolkit.fluxcd.io/name=" + c.name});
            EXPECT_TRUE(listed.has_value());
            for (kube::Object o : listed->items) {
                Node* metadata = o.root().find_mut("metadata");
                for (const char* field : {"uid", "resourceVersion", "creationTimestamp"}) metadata->erase(field);
                for (Node& manager : metadata->find_mut("managedFields")->items_mut()) manager.erase("time");
                out[o.subject()] = kube::write_yaml(o.root());
            }
        }
        return out;
    }

    // Takes away what the engine made, without anybody's finalization.
    void clear() {
        std::vector<kube::GroupVersionKind> all{kKustomization};
        all.insert(all.end(), kinds_.begin(), kinds_.end());
        for (const kube::GroupVersionKind& gvk : all) {
            const auto listed = api().list(gvk, {.ns = ns_, .label_selector = gvk == kKustomization ? "" : "kustomize.toolkit.fluxcd.io/namespace=" + ns_});
            ASSERT_TRUE(listed.has_value());
            for (const kube::Object& o : listed->items) {
                const kube::ObjectRef ref = kube::ref_of(o);
                if (gvk == kKustomization) (void)api().patch(ref, kube::PatchType::merge, testing::object_of("metadata: {finalizers: null}\n").root());
                (void)api().remove(ref);
                await_gone(ref);
            }
        }
    }

    const std::vector<kube::GroupVersionKind> kinds_{{"", "v1", "ConfigMap"}, {"", "v1", "Secret"}, {"", "v1", "Service"}, {"batch", "v1", "CronJob"}};

protected:
    gitops::AgeIdentity identity_;
};

TEST_F(SideBySide, Substitution) {
    make(config_map("settings", "  zone: map\n  cluster: prod\n  text: |\n    two\n    lines\n  port: '8080'\n"));
    make(secret("more", "stringData: {zone: secret, password: 'a b: c #d', number: '0755'}\n"));
    make(config_map("dotted", "  app.yaml: x\n"));
    make(config_map("colon", "  broken: 'a: b'\n"));
    const std::string from = "substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: more}, {kind: ConfigMap, name: absent, optional: true}]";
    const std::string words = "  a: ${zone}\n  b: ${inline}-${cluster^^}\n  c: ${text}\n  d: ${unset:=default}\n  e: \"${port}x\"\n  f: $${escaped} $plain\n  g: ${cluster/pro/re}\n"
                              "  h: ${password:0:3}\n  i: |\n    cost $5\n    ${cluster}\n  j: \"1\"\n  \"${cluster}-key\": ${unset:-${zone}}\n";
    agree({
        {"precedence", {{"a.yaml", config_map("precedence-a", words)}, {"b.yaml", secret("precedence-b", "stringData:\n  p: x${cluster}\ndata:\n  q: JHt6b25lfQ==\n")}},
         "postBuild: {" + from + ", substitute: {inline: here}}"},
        {"inline", {{"a.yaml", config_map("inline-a", "  a: ${zone}\n")}}, "postBuild: {" + from + ", substitute: {zone: inline}}"},
        {"off",
         {{"a.yaml", config_map("off-a", "  a: ${zone}${bad.name}\n", "  labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n")},
          {"b.yaml", config_map("off-b", "  a: ${zone}${unset}\n", "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n")},
          {"c.yaml", config_map("off-c", "  a: ${zone}\n", "  annotations: {kustomize.toolkit.fluxcd.io/substitute: Disabled}\n")}},
         "postBuild: {" + from + "}"},
        {"numbers", {{"a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: numbers-a, namespace: " + ns_ + "}\nspec: {clusterIP: None, selector: {app: a}, ports: [{port: \"${port}\"}]}\n"}},
         "postBuild: {" + from + "}"},
        {"nothing", {{"a.yaml", config_map("nothing-a", "  a: ${unset:=default}\n")}}, "postBuild: {substituteFrom: [{kind: ConfigMap, name: absent, optional: true}]}"},
        {"always", {{"a.yaml", config_map("always-a", "  a: ${unset:=default}\n")}}, "postBuild: {substituteStrategy: Always}"},
        {"unset", {{"a.yaml", config_map("unset-a", "  a: ${unset}\n")}}, "postBuild: {" + from + "}", "False", "BuildFailed"},
        {"unset-nested", {{"a.yaml", config_map("unset-nested-a", "  a: ${zone:-${unset}}\n")}}, "postBuild: {" + from + "}", "False", "BuildFailed"},
        {"absent", {{"a.yaml", config_map("absent-a", "  a: b\n")}}, "postBuild: {substituteFrom: [{kind: ConfigMap, name: absent}]}", "False", "BuildFailed"},
        {"absent-secret", {{"a.yaml", config_map("absent-secret-a", "  a: b\n")}}, "postBuild: {substituteFrom: [{kind: Secret, name: absent}]}", "False", "BuildFailed"},
        {"bad-name", {{"a.yaml", config_map("bad-name-a", "  a: b\n")}}, "postBuild: {substituteFrom: [{kind: ConfigMap, name: dotted}]}", "False", "BuildFailed"},
        {"bad-words", {{"a.yaml", config_map("bad-words-a", "  a: ${a.b}\n")}}, "postBuild: {" + from + "}", "False", "BuildFailed"},
        {"bad-yaml", {{"a.yaml", config_map("bad-yaml-a", "  a: ${broken}\n")}}, "postBuild: {substituteFrom: [{kind: ConfigMap, name: colon}]}", "False", "BuildFailed"},
        {"bad-brace", {{"a.yaml", config_map("bad-brace-a", "  a: ${zone\n")}}, "postBuild: {" + from + "}", "False", "BuildFailed"},
    });
}

// build.md 8, items 1 to 20 (5 and 16 cannot come in an artifact; of 3 the .sops.yaml, which sources leave out).
TEST_F(SideBySide, Build) {
    const auto cm = [&](const std::string& name, const std::string& more = {}) { return config_map(name, "  x: '1'\n", more); };
    const auto bare = [](const std::string& name) { return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"; };
    const std::string in_ns = "namespace: " + ns_ + "\n";
    const auto cron = [&](const std::string& name) {
        return "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\nspec:\n  schedule: '0 0 1 1 *'\n  suspend: true\n  jobTemplate:\n    spec:\n" +
               "      template:\n        spec:\n          restartPolicy: Never\n          containers: [{name: a, image: 'nginx:v0'}, {name: b, image: other@sha256:" + std::string(64, '0') + "}]\n";
    };
    const std::string list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: walk-l1, namespace: " + ns_ +
                             "}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: walk-l2, namespace: " + ns_ + "}}\n";
    agree({
        {"walk",
         {{"A.yaml", cm("walk-a")}, {"b.yaml", cm("walk-b")}, {"a.yml", cm("walk-c")}, {"sub/c.yaml", cm("walk-d")}, {"sub2/kustomization.yaml", "resources: [x.yaml]\nnamePrefix: p-\n"},
          {"sub2/x.yaml", cm("walk-e")}, {"sub2/unlisted.yaml", cm("walk-f")}, {"README.md", "text\n"}, {".sops.yaml", "creation_rules: []\n"}, {"x.json", "{}\n"}, {"empty.yaml", "\n"}, {"comment.yaml", "# nothing\n"}, {"list.yaml", list}}},
        {"only-readme", {{"README.md", "text\n"}}},
        {"only-readme-t", {{"README.md", "text\n"}}, "targetNamespace: t"},
        {"no-manifest", {{"a.yaml", "foo: bar\n"}}, "", "False", "BuildFailed", false},
        {"bogus", {{"kustomization.yaml", "bogus: 1\nresources: [a.yaml]\n"}, {"a.yaml", cm("bogus-a")}}},
        {"bogus-below", {{"kustomization.yaml", "resources: [b]\n"}, {"b/kustomization.yaml", "bogus: 1\nresources: [a.yaml]\n"}, {"b/a.yaml", cm("bogus-below-a")}}, "", "False", "BuildFailed", false},
        {"origin", {{"kustomization.yaml", in_ns + "configMapGenerator: [{name: origin-a, literals: [a=b]}]\nbuildMetadata: [managedByLabel]\n"}}},
        {"yml", {{"kustomization.yml", "resources: [a.yaml]\nnameSuffix: -s\n"}, {"a.yaml", cm("yml-a")}, {"b.yaml", cm("yml-b")}}},
        {"two-files", {{"kustomization.yml", "resources: [a.yaml]\n"}, {"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", cm("two-files-a")}}, "", "False", "BuildFailed", false},
        {"patches",
         {{"kustomization.yaml", "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"replace\", \"path\": \"/data/x\", \"value\": \"file\"}]'}]\n"}, {"a.yaml", cm("patches-a")}},
         "patches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"replace\", \"path\": \"/data/x\", \"value\": \"spec\"}]'}]"},
        {"images",
         {{"kustomization.yaml", "resources: [a.yaml]\nimages: [{name: nginx, newTag: v1}, {name: other, digest: 'sha256:" + std::string(64, '1') + "'}]\n"}, {"a.yaml", cron("images-a")}},
         "images: [{name: nginx, newName: my/nginx}, {name: other, newTag: v2}, {name: unknown, newTag: v3}]"},
        {"components",
         {{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", cm("components-a")}, {"c/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n"}},
         "components: [c, missing], ignoreMissingComponents: true"},
        {"component-missing",
         {{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", cm("component-missing-a")}}, "components: [missing]", "False", "BuildFailed", false},
        {"component-url", {{"a.yaml", cm("component-url-a")}}, "components: ['https://x/y']", "False", "BuildFailed", true},
        {"component-root", {{"a.yaml", cm("component-root-a")}}, "components: [/etc]", "False", "BuildFailed", true},
        {"component-above", {{"a.yaml", cm("component-above-a")}}, "components: [../components/c]"},
        {"names",
         {{"kustomization.yaml", "resources: [a.yaml]\nnamespace: file\nnamePrefix: f-\nnameSuffix: -f\n"}, {"a.yaml", bare("a")}},
         "targetNamespace: " + ns_ + ", namePrefix: p-, nameSuffix: -s"},
        {"above", {{"kustomization.yaml", "resources: [../base/a.yaml]\n"}, {"../base/a.yaml", cm("above-a")}}},
        {"outside", {{"kustomization.yaml", "resources: [../../../etc/passwd]\n"}}, "", "False", "BuildFailed", false},
        {"twice", {{"a.yaml", cm("twice-a")}, {"b.yaml", cm("twice-a")}}, "", "False", "BuildFailed", false},
        {"charts", {{"kustomization.yaml", "helmCharts: [{name: c, repo: 'https://example.org'}]\n"}}, "", "False", "BuildFailed", false},
        {"local", {{"a.yaml", cm("local-a")}, {"b.yaml", cm("local-b", "  annotations: {config.kubernetes.io/local-config: 'true'}\n")}}},
        {"metadata",
         {{"a.yaml", cm("metadata-a", "  labels: {l: old}\n")}, {"b.yaml", cron("metadata-b")}},
         "commonMetadata: {labels: {l: new}, annotations: {a: '${x}'}}, postBuild: {substitute: {x: y}}"},
    });
}

TEST_F(SideBySide, SubstitutionThatIsNotStrict) {
    agree({{"unset", {{"a.yaml", config_map("unset-a", "  a: \"[${unset}]\"\n")}}, "postBuild: {substitute: {set: x}}"},
           {"bad-words", {{"a.yaml", config_map("bad-words-a", "  a: ${a[0]}\n")}}, "postBuild: {substitute: {set: x}}", "False", "BuildFailed"}},
          {"--feature-gates=StrictPostBuildSubstitutions=false"});
}

TEST_F(SideBySide, Decryption) {
    const std::string data = std::string(WEBER_SOURCE_DIR) + "/tests/gitops/decrypt/data/";
    Node pgp = testing::object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: pgp}\n").root();
    pgp.set("stringData", Node::map({{"sops.asc", Node::string(testing::read_file(data + "pgp-ecc-test-key.asc"))}}));
    make(kube::write_yaml(pgp));
    make(secret("garbage", "stringData: {id.agekey: nonsense}\n"));
    make(secret("garbage-pgp", "stringData: {x.asc: nonsense}\n"));
    make("apiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {id.agekey: '" + gitops::age_identity_text(gitops::make_age_identity().value()) + "', unknown: ignored}\n");
    const std::string with_age = "decryption: {provider: sops, secretRef: {name: age}}", rule = "^(data|stringData)$";
    const auto of_kind = [&](const std::string& kind, const std::string& name, const std::string& body) {
        return encrypted("apiVersion: v1\nkind: " + kind + "\nmetadata:\n    name: " + name + "\n    namespace: " + ns_ + "\n" + body, sops::Format::yaml, rule);
    };
    std::string plain = of_kind("Secret", "plain-a", "stringData:\n    a: b\n");
    plain.insert(plain.find("stringData:\n") + 12, "    added: later\n");
    std::string number = of_kind("Secret", "number-a", "stringData:\n    a: b\n");
    number.insert(number.find("stringData:\n") + 12, "    added: 5\n");
    std::string changed = of_kind("Secret", "changed-a", "stringData:\n    a: b\n    c: b\n");
    const std::size_t key = changed.find("    a: ENC");
    changed.replace(key, 6, "    d:");
    const std::string generators =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: " + ns_ + "\nresources: [encoded.yaml, target.yaml, sub]\npatches: [{path: patch.yaml}]\n"
        "secretGenerator:\n- name: generated\n  files: [a.yaml, b.json, c.ini, d.bin, 'e.yaml=f.txt', config.env=g.env, '.dockerconfigjson=docker']\n- name: from-env\n  envs: [g.env]\n"
        "configMapGenerator:\n- name: same-file\n  files: [d.bin]\n";
    std::string encoded = secret("encoded", "data:\n  a.yaml: " + kube::base64_encode(encrypted("x: y\n", sops::Format::yaml)) + "\n  plain: cGxhaW4=\n  bin: " +
                                                kube::base64_encode(encrypted("some bytes", sops::Format::binary)) + "\n");
    const std::string no_text("swordfish\xFF\xC3(", 12);
    make(secret("no-text", "data: {x: " + kube::base64_encode(no_text) + "}\n"));
    agree({
        {"bytes",
         {{"a.yaml", of_kind("Secret", "bytes-a", "stringData:\n    b: !!binary " + kube::base64_encode(no_text) + "\n")},
          {"b.yaml", secret("bytes-b", "data:\n  b: " + kube::base64_encode(encrypted(no_text, sops::Format::binary)) + "\n")}},
         with_age + ", postBuild: {substitute: {x: y}}"},
        {"bytes-variable", {{"a.yaml", config_map("bytes-variable-a", "  a: ${x}\n")}}, "postBuild: {substituteFrom: [{kind: Secret, name: no-text}]}", "False", "BuildFailed"},
        {"data", {{"a.yaml", of_kind("Secret", "data-a", "data:\n    a: dmFsdWU=\nstringData:\n    b: text\n")}}, with_age},
        {"config", {{"a.yaml", of_kind("ConfigMap", "config-a", "data:\n    a: value\n    n: \"5\"\n")}}, with_age},
        {"renamed",
         {{"kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-\nlabels: [{pairs: {l: v}}]\n"}, {"a.yaml", of_kind("Secret", "renamed-a", "stringData:\n    b: text\n")}},
         with_age},
        {"substituted", {{"a.yaml", of_kind("Secret", "substituted-a", "data:\n    a: JHt4fQ==\nstringData:\n    b: ${x}\n")}}, with_age + ", postBuild: {substitute: {x: why}}"},
        {"off",
         {{"a.yaml", encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: off-a\n    namespace: " + ns_ +
                                   "\n    annotations:\n        kustomize.toolkit.fluxcd.io/decrypt: Disabled\nstringData:\n    a: b\n",
                               sops::Format::yaml, rule)}},
         with_age},
        {"files",
         {{"kustomization.yaml", generators},
          {"encoded.yaml", encoded},
          {"target.yaml", config_map("target", "  a: old\n")},
          {"patch.yaml", encrypted("apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: target\n    namespace: " + ns_ + "\ndata:\n    a: new\n", sops::Format::yaml, rule)},
          {"a.yaml", encrypted("b: 1\na: [x, true, 1.5]\n", sops::Format::yaml)},
          {"b.json", encrypted("{\"z\": {\"y\": null, \"x\": 2}, \"a\": []}", sops::Format::json)},
          {"c.ini", encrypted("[one]\nkey = value\n\n[two]\nother = 2\n", sops::Format::ini)},
          {"d.bin", encrypted(std::string("\x01\xff text\n", 8), sops::Format::binary)},
          {"f.txt", encrypted("in: yaml\n", sops::Format::yaml)},
          {"docker", encrypted("{\"auths\": {}}", sops::Format::json)},
          {"g.env", encrypted("# note\nA=1\nB=two words\n", sops::Format::dotenv)},
          {"sub/kustomization.yaml", "secretGenerator: [{name: below, files: [h.txt]}]\n"},
          {"sub/h.txt", encrypted("below", sops::Format::binary)}},
         with_age},
        {"pgp",
         {{"kustomization.yaml", "namespace: " + ns_ + "\nsecretGenerator: [{name: pgp-a, files: [a.yaml]}]\n"}, {"a.yaml", testing::read_file(data + "pgp-ecc.sops.yaml")}},
         "decryption: {provider: sops, secretRef: {name: pgp}}"},
        {"undecrypted", {{"a.yaml", of_kind("Secret", "undecrypted-a", "data:\n    a: dmFsdWU=\n")}}, "", "False", "ReconciliationFailed"},
        {"wrong-key", {{"a.yaml", of_kind("Secret", "wrong-key-a", "stringData:\n    b: text\n")}}, "decryption: {provider: sops, secretRef: {name: other}}", "False", "BuildFailed"},
        {"wrong-key-file",
         {{"kustomization.yaml", "secretGenerator: [{name: g, files: [a.bin]}]\n"}, {"a.bin", encrypted("text", sops::Format::binary)}},
         "decryption: {provider: sops, secretRef: {name: other}}", "False", "BuildFailed"},
        {"no-secret", {{"a.yaml", config_map("no-secret-a", "  a: b\n")}}, "decryption: {provider: sops, secretRef: {name: absent}}", "False", "BuildFailed"},
        {"bad-secret", {{"a.yaml", config_map("bad-secret-a", "  a: b\n")}}, "decryption: {provider: sops, secretRef: {name: garbage}}", "False", "BuildFailed"},
        {"bad-pgp", {{"a.yaml", config_map("bad-pgp-a", "  a: b\n")}}, "decryption: {provider: sops, secretRef: {name: garbage-pgp}}", "False", "BuildFailed"},
        {"plain", {{"a.yaml", plain}}, with_age, "False", "BuildFailed"},
        {"number", {{"a.yaml", number}}, with_age, "False", "BuildFailed"},
        {"changed", {{"a.yaml", changed}}, with_age, "False", "BuildFailed"},
        {"no-file", {{"kustomization.yaml", "secretGenerator: [{name: g, files: [absent.bin]}]\n"}}, with_age, "False", "BuildFailed"},
    });
}

TEST_F(SideBySide, HealthRules) {
    const auto one = [&](const std::string& name, const std::string& data) { return std::map<std::string, std::string>{{"a.yaml", config_map(name + "-a", data)}}; };
    const auto rules = [](const std::string& rule) { return "wait: true, healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, " + rule + "}]"; };
    const std::string depends = "dependsOn: [{name: current, readyExpr: ";
    agree({
        {"current", one("current", "  ready: 'true'\n"), rules("current: \"data.ready == 'true'\"")},
        {"checks", one("checks", "  ready: 'true'\n"),
         "healthChecks: [{apiVersion: v1, kind: ConfigMap, name: checks-a, namespace: " + ns_ + "}], healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: 'has(data.ready)'}]"},
        {"failed", one("failed", "  broken: 'yes'\n"), rules("current: \"true\", failed: \"data.broken == 'yes'\""), "False", "HealthCheckFailed"},
        {"in-progress", one("in-progress", "  a: b\n"), rules("current: \"true\", inProgress: \"data.a == 'b'\""), "False", "HealthCheckFailed"},
        {"not-there", one("not-there", "  a: b\n"), "healthChecks: [{apiVersion: v1, kind: ConfigMap, name: nobody, namespace: " + ns_ + "}]", "False", "HealthCheckFailed"},
        {"no-kind", one("no-kind", "  a: b\n"), "healthChecks: [{apiVersion: example.org/v1, kind: Nothing, name: nobody, namespace: " + ns_ + "}]", "False", "HealthCheckFailed"},
        {"evaluation", one("evaluation", "  a: b\n"), rules("current: \"has(status.x)\""), "False", "HealthCheckFailed"},
        {"no-key", one("no-key", "  a: b\n"), rules("current: \"data.b == 'c'\""), "False", "HealthCheckFailed"},
        {"not-bool", one("not-bool", "  a: b\n"), rules("current: \"data.a\""), "False", "HealthCheckFailed"},
        {"any-version", one("any-version", "  a: b\n"), "healthChecks: [{apiVersion: v9, kind: ConfigMap, name: any-version-a, namespace: " + ns_ + "}]"},
        {"syntax", one("syntax", "  a: b\n"), rules("current: \"data.\""), "False", "InvalidCELExpression"},
        {"creation", one("creation", "  a: b\n"), rules("current: \"now()\""), "False", "InvalidCELExpression"},
        {"twice", one("twice", "  a: b\n"),
         "wait: true, healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, current: 'true'}, {apiVersion: v1, kind: ConfigMap, current: 'false'}]", "False", "InvalidCELExpression"},
        {"ready", one("ready", "  a: b\n"), depends + "\"self.metadata.name == 'ready' && dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')\"}]"},
        {"unready", one("unready", "  a: b\n"), depends + "\"dep.metadata.name == 'other'\"}]", "False", "DependencyNotReady"},
        {"unready-error", one("unready-error", "  a: b\n"), depends + "\"dep.metadata.labels['x'] == 'y'\"}]", "False", "DependencyNotReady"},
        {"ready-dyn", one("ready-dyn", "  a: b\n"), depends + "\"dep.status.ready\"}]", "False", "InvalidCELExpression"},
        {"ready-name", one("ready-name", "  a: b\n"), depends + "\"metadata.name == 'a'\"}]", "False", "InvalidCELExpression"},
        {"ready-syntax", one("ready-syntax", "  a: b\n"), depends + "\"dep..x\"}]", "False", "InvalidCELExpression"},
    });
}

} // namespace
} // namespace weber::agent_test
