// The commands that Flux has, too, on an embedded cluster: bytes as cli.md has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "kube/base/clock.h"
#include "kube/base/json.h"
#include "tests/agent/everyday.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTable =
    "NAME          \tREVISION          \tSUSPENDED\tREADY  \tMESSAGE                                              \n"
    "apps          \tmain@sha1:9f86d081\tFalse    \tFalse  \tdependency 'flux-system/infrastructure' is not ready\t\n"
    "flux-system   \tmain@sha1:9f86d081\tFalse    \tTrue   \tApplied revision: main@sha1:9f86d081                \t\n"
    "infrastructure\tmain@sha1:9f86d081\tFalse    \tUnknown\tReconciliation in progress                          \t\n";

TEST_F(Everyday, GetKustomizations) {
    for (const char* word : {"kustomizations", "kustomization", "ks"}) {
        const Ran r = flux({"get", word});
        EXPECT_EQ(r.status, 0) << r.err;
        EXPECT_EQ(r.out, kTable);
        EXPECT_EQ(r.err, "");
    }
    EXPECT_EQ(flux({"get", "ks", "flux-system", "--no-header"}).out, "flux-system\tmain@sha1:9f86d081\tFalse\tTrue\tApplied revision: main@sha1:9f86d081\t\n");
}

TEST_F(Everyday, GetInAllNamespacesAndByName) {
    const Ran all = flux({"get", "ks", "-A"});
    EXPECT_THAT(all.out, testing::StartsWith("NAMESPACE  \tNAME          \tREVISION          \tSUSPENDED\tREADY  \tMESSAGE"));
    EXPECT_THAT(all.out, HasSubstr("team-a     \tshop          \tmain@sha1:1b4f0e98\tTrue     \tTrue   \t"));
    EXPECT_EQ(flux({"get", "ks", "shop", "-n", "team-a", "--no-header"}).out,
              "shop\tmain@sha1:1b4f0e98\tTrue\tTrue\tApplied revision: main@sha1:1b4f0e98\t\n");
    EXPECT_EQ(flux({"-n", "team-a", "get", "ks", "--no-header"}).out, flux({"get", "ks", "-n=team-a", "--no-header"}).out);
}

TEST_F(Everyday, GetSources) {
    EXPECT_EQ(flux({"get", "sources", "git"}).out,
              "NAME       \tREVISION          \tSUSPENDED\tREADY\tMESSAGE                                           \n"
              "flux-system\tmain@sha1:9f86d081\tFalse    \tTrue \tstored artifact for revision 'main@sha1:9f86d081'\t\n"
              "vendor     \t                  \tTrue     \tFalse\twaiting to be reconciled                         \t\n");
}

TEST_F(Everyday, GetAllInOrder) {
    const Ran r = flux({"get", "all"});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.err, ""); // kinds without definition are passed over
    const std::size_t git = r.out.find("gitrepository/flux-system"), ks = r.out.find("kustomization/apps");
    EXPECT_LT(git, ks);
    EXPECT_THAT(r.out, HasSubstr("\t\n\nNAME "));
    EXPECT_THAT(r.out, testing::EndsWith("\t\n\n"));
}

TEST_F(Everyday, GetFindsNothing) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"get", "ks", "-n", "web"}, "✗ no Kustomization objects found in \"web\" namespace\n"},
        {{"get", "ks", "x"}, "✗ Kustomization object 'x' not found in \"flux-system\" namespace\n"},
        {{"get", "ks", "x", "-A"}, "✗ Kustomization object 'x' not found in any namespace\n"},
        {{"get", "ks", "--status-selector", "ready"}, "✗ expected status selector in type=status or type!=status format, but found: ready\n"},
        {{"get", "ks", "-n", "A_b"}, "✗ namespace must be a valid DNS label: \"A_b\"\n"},
        {{"get", "all", "-w"}, "✗ expected a single resource type, but found all\n"},
    };
    for (const auto& [words, err] : cases) {
        const Ran r = flux(words);
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.out, "");
        EXPECT_EQ(r.err, err);
    }
}

TEST_F(Everyday, Selectors) {
    EXPECT_EQ(flux({"get", "ks", "--status-selector", "READY=False", "--no-header"}).out,
              "apps\tmain@sha1:9f86d081\tFalse\tFalse\tdependency 'flux-system/infrastructure' is not ready\t\n");
    EXPECT_THAT(flux({"get", "ks", "--status-selector", "ready!=true", "-A"}).out, testing::AllOf(HasSubstr("apps"), HasSubstr("infrastructure"), Not(HasSubstr("shop"))));
    EXPECT_EQ(flux({"get", "ks", "--status-selector", "ready=false=x", "--no-header"}).out, "") << "no status is that, as for flux";
    const Ran none = flux({"get", "sources", "git", "vendor", "--status-selector", "ready=false"});
    EXPECT_EQ(none.status, 0); // no condition, no match: the header only
    EXPECT_EQ(none.out, "NAME\tREVISION\tSUSPENDED\tREADY\tMESSAGE \n");
    EXPECT_EQ(flux({"get", "ks", "-l", "team=a", "-o", "name"}).out, "kustomization.kustomize.toolkit.fluxcd.io/apps\n");
}

TEST_F(Everyday, GetAsJsonAndYaml) {
    const auto json = kube::read_json(flux({"get", "ks", "apps", "-o", "json"}).out);
    ASSERT_TRUE(json);
    EXPECT_EQ(json->find("items")->items().front().find_path({"metadata", "name"})->text(), "apps");
    EXPECT_TRUE(kube::read_yaml_one(flux({"get", "ks", "-o", "yaml"}).out));
    EXPECT_EQ(flux({"get", "ks", "-o", "wide"}).status, 2);
}

TEST_F(Everyday, WatchEndsWithTheTimeout) {
    const Ran r = flux({"get", "ks", "apps", "-w", "--timeout", "300ms"});
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.out, "NAME\tREVISION          \tSUSPENDED\tREADY\tMESSAGE                                              \n"
                     "apps\tmain@sha1:9f86d081\tFalse    \tFalse\tdependency 'flux-system/infrastructure' is not ready\t\n");
    EXPECT_EQ(r.err, "✗ timed out waiting for the condition\n");
}

TEST_F(Everyday, NamespaceOfTheEnvironment) {
    EXPECT_THAT(flux({"get", "ks"}, {{"FLUX_SYSTEM_NAMESPACE", "team-a"}}).out, HasSubstr("shop"));
    const Ran wrong = flux({"get", "ks"}, {{"FLUX_SYSTEM_NAMESPACE", "A_b"}});
    EXPECT_EQ(wrong.status, 0);
    EXPECT_EQ(wrong.err, "⚠️  ignoring invalid FLUX_SYSTEM_NAMESPACE: \"A_b\"\n");
    EXPECT_EQ(wrong.out, kTable);
}

TEST_F(Everyday, ReconcileAsksAndWaits) {
    const Ran r = flux({"reconcile", "ks", "flux-system", "--timeout", "300ms"}); // nobody answers
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(r.err, "► annotating Kustomization flux-system in flux-system namespace\n✔ Kustomization annotated\n"
                     "◎ waiting for Kustomization reconciliation\n✗ context deadline exceeded\n");
    const std::string asked(get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "flux-system").annotation(gitops::kRequestedAt));
    EXPECT_THAT(asked, testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]+Z"));
}

TEST_F(Everyday, ReconcileRefuses) {
    const Ran suspended = flux({"reconcile", "source", "git", "vendor"});
    EXPECT_EQ(suspended.status, 1);
    EXPECT_EQ(suspended.err, "✗ resource is suspended\n");
    EXPECT_EQ(get("source.toolkit.fluxcd.io", "GitRepository", "flux-system", "vendor").annotation(gitops::kRequestedAt), "");
    EXPECT_EQ(flux({"reconcile", "ks", "x"}).err, "✗ kustomizations.kustomize.toolkit.fluxcd.io \"x\" not found\n");
    EXPECT_EQ(flux({"reconcile", "ks"}).err, "✗ Kustomization name is required\n");
}

TEST_F(Everyday, SuspendAndResume) {
    const Ran off = flux({"suspend", "ks", "apps", "missing", "apps"});
    EXPECT_EQ(off.status, 0);
    EXPECT_EQ(off.err, "► suspending kustomization apps in flux-system namespace\n✔ kustomization suspended\n"
                       "✗ Kustomization missing not found in flux-system namespace\n");
    EXPECT_TRUE(get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps").at({"spec", "suspend"})->as_bool());

    const Ran on = flux({"resume", "ks", "apps", "infrastructure"}); // several: no wait
    EXPECT_EQ(on.status, 0) << on.err;
    EXPECT_EQ(on.err, "► resuming kustomization apps in flux-system namespace\n✔ kustomization resumed\n"
                      "► resuming kustomization infrastructure in flux-system namespace\n✔ kustomization resumed\n");
    EXPECT_FALSE(get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps").at({"spec", "suspend"})->as_bool());
    EXPECT_EQ(flux({"suspend", "ks"}).err, "✗ kustomization name is required\n");
    EXPECT_EQ(flux({"suspend", "source", "git", "--all"}).status, 0);
    EXPECT_TRUE(get("source.toolkit.fluxcd.io", "GitRepository", "flux-system", "flux-system").at({"spec", "suspend"})->as_bool());
}

TEST_F(Everyday, Tree) {
    EXPECT_EQ(flux({"tree", "ks", "flux-system"}).out, "Kustomization/flux-system/flux-system\n"
                                                       "├── Kustomization/flux-system/apps\n"
                                                       "│   └── ConfigMap/web/settings\n"
                                                       "├── Namespace/storage\n"
                                                       "└── GitRepository/flux-system/flux-system\n\n");
    EXPECT_THAT(flux({"tree", "ks", "flux-system", "--compact"}).out, Not(HasSubstr("ConfigMap")));
    const auto json = kube::read_json(flux({"tree", "ks", "flux-system", "-o", "json"}).out);
    ASSERT_TRUE(json);
    EXPECT_EQ(json->find_path({"resource", "GroupKind", "Kind"})->text(), "Kustomization");
    EXPECT_EQ(json->find("resources")->size(), 3u);
}

TEST_F(Everyday, Trace) {
    const std::string hash = kHash;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"trace", "configmap", "settings", "-n", "web"},
                                                  {"trace", "cm/settings", "-n", "web"},
                                                  {"trace", "settings", "--kind", "ConfigMap", "--api-version", "v1", "-n", "web"}})
        EXPECT_EQ(flux(words).out, "\nObject:          ConfigMap/settings\n"
                                   "Namespace:       web\n"
                                   "Status:          Managed by Flux\n"
                                   "---\n"
                                   "Kustomization:   apps\n"
                                   "Namespace:       flux-system\n"
                                   "Path:            ./apps\n"
                                   "Revision:        main@sha1:" + hash + "\n"
                                   "Status:          Last reconciled at 2026-01-02 03:04:05 +0000 UTC\n"
                                   "Message:         dependency 'flux-system/infrastructure' is not ready\n"
                                   "---\n"
                                   "GitRepository:   flux-system\n"
                                   "Namespace:       flux-system\n"
                                   "URL:             ssh://git@example.org/fleet\n"
                                   "Branch:          main\n"
                                   "Revision:        main@sha1:" + hash + "\n"
                                   "Status:          Last reconciled at 2026-01-02 03:04:05 +0000 UTC\n"
                                   "Message:         stored artifact for revision 'main@sha1:" + hash + "'\n");
    EXPECT_EQ(flux({"trace", "settings", "-n", "web"}).err, "✗ the server doesn't have a resource type \"settings\"\n");
    EXPECT_EQ(flux({"trace", "configmap", "-n", "web"}).err, "✗ resource(s) were provided, but no name was specified\n");
    const Ran mine = flux({"trace", "cm", "mine", "-n", "web"});
    EXPECT_EQ(mine.out, "");
    EXPECT_EQ(mine.err, "failed to trace ConfigMap/mine in namespace web: object not managed by Flux\n");
    EXPECT_EQ(flux({"trace", "ns", "default", "-n", "web"}).err, "failed to trace Namespace/default in namespace : object not managed by Flux\n"); // it has none
}

TEST_F(Everyday, Stats) {
    EXPECT_EQ(flux({"stats"}).out, "RECONCILERS          \tRUNNING\tFAILING\tSUSPENDED\tSTORAGE \n"
                                   "GitRepository        \t1      \t0      \t1        \t1.4 MiB\t\n"
                                   "OCIRepository        \t0      \t0      \t0        \t-      \t\n"
                                   "HelmRepository       \t0      \t0      \t0        \t-      \t\n"
                                   "HelmChart            \t0      \t0      \t0        \t-      \t\n"
                                   "Bucket               \t0      \t0      \t0        \t-      \t\n"
                                   "Kustomization        \t3      \t1      \t0        \t-      \t\n"
                                   "HelmRelease          \t0      \t0      \t0        \t-      \t\n"
                                   "Alert                \t0      \t0      \t0        \t-      \t\n"
                                   "Provider             \t0      \t0      \t0        \t-      \t\n"
                                   "Receiver             \t0      \t0      \t0        \t-      \t\n"
                                   "ImageUpdateAutomation\t0      \t0      \t0        \t-      \t\n"
                                   "ImagePolicy          \t0      \t0      \t0        \t-      \t\n"
                                   "ImageRepository      \t0      \t0      \t0        \t-      \t\n");
}

TEST_F(Everyday, ExportCanBeAppliedAgain) {
    const Ran r = flux({"export", "ks", "apps"});
    EXPECT_THAT(r.out, testing::StartsWith("---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n"));
    EXPECT_THAT(r.out, Not(HasSubstr("status")));
    const Object live = get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps");
    const Object exported(kube::read_yaml_one(r.out).value());
    ASSERT_TRUE(live.at({"spec"}) && exported.at({"spec"}));
    EXPECT_EQ(*exported.at({"spec"}), *live.at({"spec"}));
    EXPECT_EQ(flux({"export", "ks", "--all", "-n", "web"}).err, "✗ no objects found in web namespace\n");
}

TEST_F(Everyday, Events) {
    const auto event = [](const std::string& name, const std::string& kind, const std::string& object, const std::string& type, const std::string& message) {
        return "apiVersion: v1\nkind: Event\nmetadata: {name: " + name + ", namespace: flux-system}\ninvolvedObject: {kind: " + kind + ", name: " + object +
               ", namespace: flux-system}\ntype: " + type + "\nreason: R\nmessage: '" + message +
               "'\nfirstTimestamp: '2020-01-01T00:00:00Z'\nlastTimestamp: '2020-01-01T00:00:00Z'\ncount: 1\n---\n";
    };
    EXPECT_EQ(flux({"events"}).err, "✗ No events found in flux-system namespace.\n");
    apply(event("a", "Kustomization", "apps", "Warning", "bad") + event("b", "GitRepository", "flux-system", "Normal", "stored") +
          event("c", "GitRepository", "vendor", "Normal", "other") + event("d", "Pod", "x", "Normal", "not ours"));
    const Ran r = flux({"events", "--for", "kustomization/apps"});
    EXPECT_THAT(r.out, testing::StartsWith("LAST SEEN\tTYPE   \tREASON\tOBJECT                   \tMESSAGE \n"));
    EXPECT_THAT(r.out, testing::AllOf(HasSubstr("Kustomization/apps"), HasSubstr("GitRepository/flux-system"), Not(HasSubstr("vendor"))));
    const Ran warnings = flux({"events", "--types", "warning"});
    EXPECT_THAT(warnings.out, testing::AllOf(HasSubstr("bad"), Not(HasSubstr("stored")), Not(HasSubstr("not ours"))));
    // Counted by client-go's old recorder, and as a series by the new one.
    const auto at = [](int minutes_ago) { return kube::format_rfc3339_micro(kube::system_clock().now() - std::chrono::minutes(minutes_ago)); };
    const std::string subject = "involvedObject: {kind: Kustomization, name: infrastructure, namespace: flux-system}\ntype: Normal\nreason: R\n";
    apply("apiVersion: v1\nkind: Event\nmetadata: {name: e, namespace: flux-system}\n" + subject + "message: counted\nfirstTimestamp: '" + at(180).substr(0, 19) + "Z'\nlastTimestamp: '" +
          at(60).substr(0, 19) + "Z'\ncount: 4\n---\napiVersion: v1\nkind: Event\nmetadata: {name: f, namespace: flux-system}\n" + subject + "message: in a series\neventTime: '" + at(300) +
          "'\nseries: {count: 7, lastObservedTime: '" + at(120) + "'}\nreportingComponent: c\nreportingInstance: i\naction: A\n---\napiVersion: v1\nkind: Event\nmetadata: {name: g, namespace: flux-system}\n" +
          subject + "message: once\neventTime: '" + at(240) + "'\nreportingComponent: c\nreportingInstance: i\naction: A\n---\n");
    std::vector<std::string> rows; // in the order of when each was seen last
    std::istringstream shown(flux({"events", "--for", "Kustomization/infrastructure"}).out);
    for (std::string row; std::getline(shown, row);) rows.push_back(std::regex_replace(row, std::regex(" +"), " "));
    EXPECT_THAT(rows, testing::ElementsAre(HasSubstr("LAST SEEN"), HasSubstr("stored"), "4h \tNormal\tR \tKustomization/infrastructure\tonce \t", "120m (x7 over 5h)\tNormal\tR \tKustomization/infrastructure\tin a series\t",
                                           "60m (x4 over 3h) \tNormal\tR \tKustomization/infrastructure\tcounted \t"));
    EXPECT_EQ(flux({"events", "--for", "Kustomization/nope"}).err, "✗ kustomizations.kustomize.toolkit.fluxcd.io \"nope\" not found\n");
    EXPECT_EQ(flux({"events", "--for", "pod/x"}).err, "✗ 'pod' is not a recognized Flux kind\n");
    EXPECT_EQ(flux({"events", "--types", "Odd"}).err, "✗ type 'Odd' not supported. Supported types are Normal, Warning\n");
}

class Local : public Everyday {
protected:
    void SetUp() override {
        Everyday::SetUp();
        dir.write("repo/apps/kustomization.yaml", "resources: [cm.yaml, secret.yaml]\n");
        dir.write("repo/apps/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {a: '1', v: '${who:=nobody}'}\n");
        dir.write("repo/apps/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\nstringData: {p: planted-one}\n");
        file = dir.write("ks.yaml", kustomization("flux-system", "apps", ", postBuild: {substitute: {x: z}}", ""));
    }
    std::string file;
};

TEST_F(Local, BuildWithoutACluster) {
    const Ran r = weber({"build", "ks", "apps", "--path", dir / "repo/apps", "--dry-run", "--kustomization-file", file});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, testing::StartsWith("apiVersion: v1\ndata:\n  a: \"1\"\n  v: nobody\nkind: ConfigMap\nmetadata:\n  labels:\n"
                                           "    kustomize.toolkit.fluxcd.io/name: apps\n    kustomize.toolkit.fluxcd.io/namespace: flux-system\n"));
    EXPECT_THAT(r.out, testing::EndsWith("\n---\n"));
}

TEST_F(Local, BuildAndDiffTakeValuesAndKeys) {
    const std::string key = dir / "age.key";
    std::string recipient = weber({"sops", "keygen", "-o", key}).out;
    recipient.pop_back();
    ASSERT_EQ(weber({"sops", "encrypt", "-i", "--age", recipient, dir / "repo/apps/secret.yaml"}).status, 0);
    dir.write("repo/apps/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {v: 'x${who}', w: 'x${zone:=none}'}\n---\n"
                                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: raw1, namespace: web, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {v: '${who}'}\n---\n"
                                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: raw2, namespace: web, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {v: '${who}'}\n");
    const auto with = [&](const std::string& strategy) {
        return dir.write("ks.yaml", kustomization("flux-system", "apps", ", decryption: {provider: sops, secretRef: {name: sops-age}}, postBuild: {" + strategy +
                                                                             "substituteFrom: [{kind: ConfigMap, name: a}, {kind: Secret, name: b, optional: true}]}", ""));
    };
    const std::string values = dir.write("values.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {who: first}\n---\n"
                                                        "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {who: second}\n");
    const std::vector<std::string> build = {"build", "ks", "apps", "--path", dir / "repo/apps", "--dry-run", "--kustomization-file", with("")};
    const auto run = [](std::vector<std::string> words, std::vector<std::string> more) {
        words.insert(words.end(), more.begin(), more.end());
        return weber(words);
    };
    const Ran built = run(build, {"--values", values, "--age-key-file", key});
    ASSERT_EQ(built.status, 0) << built.err;
    EXPECT_THAT(built.out, HasSubstr("  v: xsecond\n  w: xnone\n")); // later in substituteFrom wins
    EXPECT_THAT(built.out, testing::AllOf(HasSubstr("name: raw1\n"), HasSubstr("name: raw2\n"), HasSubstr("v: ${who}\n")));
    EXPECT_THAT(built.out, HasSubstr("p: planted-one\n"));
    EXPECT_THAT(run(build, {"--values", values}).out, HasSubstr("p: '**SOPS**'\n")); // without a key: **SOPS**
    const Ran missing = run(build, {"--values", dir.write("none.yaml", "x: y\n")});
    EXPECT_EQ(missing.status, 1);
    EXPECT_THAT(missing.err, HasSubstr("substitute from 'ConfigMap/a' error: configmaps \"a\" not found"));
    const std::string only_c = dir.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {c: d}\n");
    EXPECT_THAT(run(build, {"--values", only_c}).out, HasSubstr("  v: x\n"));
    EXPECT_THAT(run(build, {"--values", only_c, "--strict-substitute"}).err, HasSubstr("variable not set (strict mode): \"who\""));
    const std::string nothing = dir.write("nothing.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {}\n");
    EXPECT_THAT(run(build, {"--values", nothing}).out, HasSubstr("  w: x${zone:=none}\n")); // no variable at all: nothing is done
    with("substituteStrategy: Always, ");
    EXPECT_THAT(run(build, {"--values", nothing}).out, HasSubstr("  w: xnone\n"));

    const Ran diff = flux({"diff", "ks", "apps", "--path", dir / "repo/apps", "--kustomization-file", with(""), "--values", values, "--age-key-file", key});
    EXPECT_EQ(diff.status, 1) << diff.err;
    EXPECT_THAT(diff.out, HasSubstr("► ConfigMap/web/new created\n"));
    EXPECT_THAT(diff.out, HasSubstr("► Secret/web/s created\n"));
    EXPECT_THAT(diff.out + diff.err, Not(HasSubstr("planted-one")));
    const Ran diff_missing = flux({"diff", "ks", "apps", "--path", dir / "repo/apps", "--kustomization-file", with(""), "--age-key-file", key});
    EXPECT_EQ(diff_missing.status, 2);
    EXPECT_THAT(diff_missing.err, HasSubstr("substitute from 'ConfigMap/a' error: configmaps \"a\" not found"));
    const Ran diff_strict = flux({"diff", "ks", "apps", "--path", dir / "repo/apps", "--kustomization-file", with(""), "--values", only_c, "--strict-substitute"});
    EXPECT_THAT(diff_strict.err, HasSubstr("variable not set (strict mode): \"who\""));
}

TEST_F(Local, BuildChecksItsArguments) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"build", "ks"}, "✗ kustomization name is required\n"},
        {{"build", "ks", "apps"}, "✗ invalid resource path \"\"\n"},
        {{"build", "ks", "apps", "--path", file}, "✗ invalid resource path \"" + file + "\"\n"},
        {{"build", "ks", "apps", "--path", dir / "repo", "--dry-run"}, "✗ dry-run mode requires a kustomization file\n"},
        {{"build", "ks", "apps", "--path", dir / "repo", "--kustomization-file", "/nonexistent"}, "✗ invalid kustomization file \"/nonexistent\"\n"},
        {{"build", "ks", "other", "--path", dir / "repo", "--dry-run", "--kustomization-file", file},
         "✗ failed to get kustomization object: failed find kustomization with name 'other' and namespace 'flux-system' in file '" + file + "'\n"},
    };
    for (const auto& [words, err] : cases) {
        const Ran r = weber(words);
        EXPECT_EQ(r.status, 1);
        EXPECT_EQ(r.err, err);
    }
}

TEST_F(Local, DiffSaysWhatWouldChange) {
    const std::vector<std::string> words = {"diff", "ks", "apps", "--path", dir / "repo/apps"};
    const Ran first = flux(words);
    EXPECT_EQ(first.status, 1) << first.err;
    EXPECT_THAT(first.out, HasSubstr("► ConfigMap/web/new created\n"));
    EXPECT_THAT(first.out, HasSubstr("► ConfigMap/web/settings deleted\n")); // in the inventory, not in the build
    EXPECT_EQ(first.err, "⚠️ identified at least one change, exiting with non-zero exit code\n");

    // As applied by a controller before, with other values.
    apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {a: '0', old: x}\n---\n"
          "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\nstringData: {p: planted-two}\n");
    const Ran second = flux(words);
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.out, HasSubstr("► ConfigMap/web/new drifted\n"));
    EXPECT_THAT(second.out, HasSubstr("\ndata.a\n± value change\n- 0\n+ 1\n"));
    EXPECT_THAT(second.out, HasSubstr("► Secret/web/s drifted\n"));
    for (const char* value : {"planted-one", "planted-two", "cGxhbnRlZC1vbmU", "cGxhbnRlZC10d28"}) EXPECT_THAT(second.out + second.err, Not(HasSubstr(value)));
}

TEST_F(Local, DiffAsJsonPatches) {
    apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {a: '0', old: x}\n");
    const Ran ran = flux({"diff", "ks", "apps", "--path", dir / "repo/apps", "-o", "json"});
    EXPECT_EQ(ran.status, 1) << ran.err;
    const auto entries = kube::read_json(ran.out);
    ASSERT_TRUE(entries.has_value()) << ran.out;
    std::map<std::string, std::string> changes;
    for (const Node& e : entries->items()) changes[std::string(e.text_at("kind")) + "/" + std::string(e.text_at("name"))] = e.text_at("change");
    EXPECT_EQ(changes["ConfigMap/new"], "update");
    EXPECT_EQ(changes["Secret/s"], "create");
    EXPECT_EQ(changes["ConfigMap/settings"], "delete");
    EXPECT_THAT(ran.out, HasSubstr(R"({"op":"replace","path":"/data/a","value":"1","oldValue":"0"})"));
    EXPECT_THAT(ran.out, Not(HasSubstr("/data/old"))) << "somebody else's";
    for (const char* value : {"planted-one", "cGxhbnRlZC1vbmU"}) EXPECT_THAT(ran.out + ran.err, Not(HasSubstr(value)));
    const Ran wrong = flux({"diff", "ks", "apps", "--path", dir / "repo/apps", "-o", "xml"});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_EQ(wrong.err, "✗ --output must be json, not xml\n");
}

TEST_F(Local, DiffHidesVariablesFromSecretsInWhateverObject) {
    const std::string values = dir.write("values.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {who: planted-who}\n");
    const std::string with_secret = dir.write("ks.yaml", kustomization("flux-system", "apps", ", postBuild: {substituteFrom: [{kind: Secret, name: b}]}", ""));
    const std::vector<std::string> words = {"diff", "ks", "apps", "--path", dir / "repo/apps", "--kustomization-file", with_secret, "--values", values};
    apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {a: '1', v: rotated-who}\n");
    const Ran drifted = flux(words);
    EXPECT_EQ(drifted.status, 1) << drifted.err;
    EXPECT_THAT(drifted.out, HasSubstr("\ndata.v\n± value change\n- *** (before)\n+ *** (after)\n"));
    dir.write("repo/apps/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: web}\ndata: {a: {b: '${who}'}}\n");
    const Ran refused = flux(words);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, testing::ContainsRegex("apps/cm.yaml:[0-9]+: ConfigMap/web/new dry-run failed"));
    for (const Ran& r : {drifted, refused})
        for (const char* value : {"planted-who", "rotated-who"}) EXPECT_THAT(r.out + r.err, Not(HasSubstr(value)));
}

TEST_F(Local, DiffErrorsExitWithTwo) {
    EXPECT_EQ(flux({"diff", "ks", "apps", "--path", "/nonexistent"}).status, 2);
    EXPECT_EQ(flux({"diff", "ks", "x", "--path", dir / "repo/apps"}).status, 2);
    EXPECT_EQ(flux({"diff", "ks"}).status, 2);
}

TEST_F(Everyday, CheckNamesWhatIsMissing) {
    const Ran pre = flux({"check", "--pre"});
    EXPECT_EQ(pre.status, 0) << pre.err;
    EXPECT_THAT(pre.err, testing::MatchesRegex("► checking prerequisites\n✔ Kubernetes [0-9.]+\\+weber >=1.32.0-0\n✔ prerequisites checks passed\n"));
    const Ran all = flux({"check"});
    EXPECT_EQ(all.status, 1);
    EXPECT_THAT(all.err, HasSubstr("✗ no controllers found in the 'flux-system' namespace with the label selector 'app.kubernetes.io/part-of=flux'\n"));
    EXPECT_THAT(all.err, testing::EndsWith("✗ check failed\n"));
}

TEST_F(Everyday, CheckNamesEachControllerWithItsImages) {
    for (const std::string name : {"beta", "alpha"})
        apply("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}\nspec: {selector: {matchLabels: {app: " + name +
              "}}, template: {metadata: {labels: {app: " + name + "}}, spec: {containers: [{name: manager, image: 'x/" + name + ":v1'}, {name: side, image: 'x/side:v2'}]}}}\n");
    const kube::ObjectRef crd{.gvk = {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, .name = "gitrepositories.source.toolkit.fluxcd.io"};
    const auto label = [&](const std::string& labels) {
        ASSERT_TRUE(client().patch(crd, kube::PatchType::merge, kube::read_yaml_one("metadata: {labels: " + labels + "}\n").value()).has_value());
    };
    label("{app.kubernetes.io/part-of: flux, app.kubernetes.io/version: v9.9.9}");
    const Ran good = flux({"check"});
    EXPECT_EQ(good.status, 0);
    EXPECT_THAT(good.err, HasSubstr("► checking version in cluster\n✔ distribution: flux-v9.9.9\n✔ bootstrapped: false\n► checking controllers\n✔ alpha: deployment ready\n► x/alpha:v1\n► x/side:v2\n"
                                    "✔ beta: deployment ready\n► x/beta:v1\n► x/side:v2\n► checking crds\n✔ gitrepositories.source.toolkit.fluxcd.io/v1\n✔ all checks passed\n"));
    label("{app.kubernetes.io/part-of: null}");
    EXPECT_THAT(flux({"check"}).err, HasSubstr("✔ distribution: v9.9.9\n"));
    ASSERT_TRUE(client().remove(crd).has_value());
    const Ran gone = flux({"check"});
    EXPECT_EQ(gone.status, 1);
    EXPECT_THAT(gone.err, HasSubstr("► checking version in cluster\n✗ checking failed: customresourcedefinitions.apiextensions.k8s.io \"gitrepositories.source.toolkit.fluxcd.io\" not found\n"
                                    "► checking controllers\n✔ alpha: deployment ready\n"));
}

TEST_F(Everyday, UninstallAsksFirst) {
    const Ran no = flux({"uninstall"});
    EXPECT_EQ(no.status, 1);
    EXPECT_THAT(no.err, testing::EndsWith("✗ aborting\n"));
    apply("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: weber, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}\n"
          "spec: {selector: {matchLabels: {app: w}}, template: {metadata: {labels: {app: w}}, spec: {containers: [{name: manager, image: 'x/weber:v1'}]}}}\n");
    const Ran dry = flux({"uninstall", "--dry-run"});
    EXPECT_EQ(dry.status, 0) << dry.err;
    EXPECT_THAT(dry.err, HasSubstr("✔ Deployment/flux-system/weber deleted (dry run)\n"));
    EXPECT_EQ(get("apps", "Deployment", "flux-system", "weber").name(), "weber");
    EXPECT_THAT(flux({"version", "-o", "json"}).out, HasSubstr("\"weber-agent\": \"v1\""));
    const Ran yes = flux({"uninstall", "-s", "--keep-namespace"});
    EXPECT_EQ(yes.status, 0) << yes.err;
    EXPECT_EQ(get("apps", "Deployment", "flux-system", "weber").name(), "");
    EXPECT_EQ(get("", "ConfigMap", "web", "settings").name(), "settings"); // what was applied stays
}

} // namespace
} // namespace weber::agent_test
