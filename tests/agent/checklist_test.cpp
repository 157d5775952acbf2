// Items of cli.md section 5 that want a controller, a file or a table of their own.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/flux/table.h"
#include "agent/once_view.h"
#include "kube/kubeconfig.h"
#include "kube/server/server.h"
#include "tests/agent/everyday.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 9
TEST(FluxTable, RunsOf40To128HexDigitsAreCut) {
    const std::string forty(40, 'a'), sixty_four(64, '0'), thirty_nine(39, 'b'), too_long(129, 'c');
    EXPECT_EQ(agent::short_hashes(forty + " " + sixty_four + " " + thirty_nine + " " + too_long), "aaaaaaaa 00000000 " + thirty_nine + " " + too_long);
}

// 10
TEST(FluxTable, ACellWithALineBreakTakesTwoLines) {
    EXPECT_EQ(agent::format_table({"Name", "Message"}, {{"apps", "first\nsecond one"}}), "NAME\tMESSAGE    \napps\tfirst     \t\n    \tsecond one\t\n");
}

// 16
TEST(FluxTable, AnOciHelmRepositoryIsReady) {
    const Object oci(kube::read_yaml_one("apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: x}\nspec: {type: oci}\n").value());
    EXPECT_EQ(agent::ready_cells(oci).ready, "True");
    EXPECT_EQ(agent::ready_cells(oci).message, "Helm repository is Ready");
}

// Plays the controllers while the command runs: what was asked for is handled at once, with the status that `answer` gives.
class Reconciling : public Everyday {
protected:
    using Answer = std::function<std::string(const Object&)>; // conditions

    Ran while_handled(std::vector<std::string> words, const Answer& answer) {
        kube::ServerOptions options;
        cluster_.reset();
        options.data_dir = dir / "state";
        const auto server = kube::Server::start(std::move(options));
        EXPECT_TRUE(server);
        const std::string file = dir.write("kubeconfig", (*server)->kubeconfig());
        const auto client = kube::Client::connect(kube::load_kubeconfig({.files = {file}}).value());
        EXPECT_TRUE(client);
        words.insert(words.end(), {"--kubeconfig", file, "--timeout", "120s"});
        Ran ran;
        std::atomic<bool> done = false;
        std::jthread controllers([&] {
            while (!done) {
                for (const auto& [group, kind] : {std::pair("source.toolkit.fluxcd.io", "GitRepository"), {"kustomize.toolkit.fluxcd.io", "Kustomization"}})
                    handle(**client, {.gvk = {group, "", kind}, .ns = "flux-system", .name = "flux-system"}, answer);
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
        });
        ran = weber(words);
        done = true;
        return ran;
    }
    std::vector<std::string> order; // kinds, as they were handled

private:
    // `resume` asks for nothing: it waits until the new generation is seen.
    static bool resumed(const Object& o) { return o.at({"spec", "suspend"}) != nullptr; }
    void handle(kube::Client& client, const kube::ObjectRef& ref, const Answer& answer) {
        const auto o = client.get(ref);
        if (!o) return;
        const std::string asked(o->annotation(gitops::kRequestedAt));
        const Node* handled = o->at({"status", "lastHandledReconcileAt"});
        const Node* observed = o->at({"status", "observedGeneration"});
        const bool seen = observed && observed->as_int() == o->generation();
        if (asked == (handled ? handled->text() : "") && (seen || !resumed(*o))) return;
        if (o->kind() == "GitRepository") { // 18: the Kustomization must not be asked for before its source is done
            const auto ks = client.get({.gvk = {"kustomize.toolkit.fluxcd.io", "", "Kustomization"}, .ns = ref.ns, .name = ref.name});
            EXPECT_TRUE(ks && ks->annotation(gitops::kRequestedAt).empty());
        }
        const std::string status = "{status: {observedGeneration: " + std::to_string(o->generation()) + ", lastHandledReconcileAt: '" + asked + "', " + answer(*o) + "}}";
        kube::WriteOptions write;
        write.field_manager = "controller";
        write.subresource = "status";
        if (client.patch(ref, kube::PatchType::merge, kube::read_yaml_one(status).value(), write)) order.emplace_back(o->kind());
    }
};

// 17, 18
TEST_F(Reconciling, TheSourceComesFirst) {
    const Ran r = while_handled({"reconcile", "ks", "flux-system", "--with-source"}, [](const Object&) { return conditions("True", "done"); });
    EXPECT_EQ(r.status, 0);
    EXPECT_EQ(r.out, "");
    const std::string hash = kHash;
    EXPECT_EQ(r.err, "► annotating GitRepository flux-system in flux-system namespace\n✔ GitRepository annotated\n◎ waiting for GitRepository reconciliation\n"
                     "✔ fetched revision main@sha1:" + hash + "\n► annotating Kustomization flux-system in flux-system namespace\n✔ Kustomization annotated\n"
                     "◎ waiting for Kustomization reconciliation\n✔ applied revision main@sha1:" + hash + "\n");
    EXPECT_EQ(order, (std::vector<std::string>{"GitRepository", "Kustomization"}));
}

// 20
TEST_F(Reconciling, AStalledObjectSaysWhy) {
    const Ran r = while_handled({"reconcile", "ks", "flux-system"}, [](const Object&) {
        return "conditions: [{type: Stalled, status: 'True', reason: X, message: 'cannot go on', lastTransitionTime: '2026-01-02T03:04:05Z'}]";
    });
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, testing::EndsWith("◎ waiting for Kustomization reconciliation\n✗ cannot go on\n"));
}

// 21
TEST_F(Reconciling, AFailureSaysWhyLongBeforeTheTimeout) {
    const Ran r = while_handled({"reconcile", "ks", "flux-system"}, [](const Object&) {
        return "conditions: [{type: Reconciling, status: 'True', reason: X, message: retrying, lastTransitionTime: '2026-01-02T03:04:05Z'}, {type: Ready, status: 'False', "
               "reason: BuildFailed, message: 'no such file', lastTransitionTime: '2026-01-02T03:04:05Z'}]";
    });
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, testing::EndsWith("✗ Kustomization reconciliation failed: no such file\n"));
}

// 25
TEST_F(Reconciling, ResumeOfOneWaits) {
    const Ran r = while_handled({"resume", "ks", "flux-system"}, [](const Object&) { return conditions("True", "done"); });
    EXPECT_THAT(r.err, HasSubstr("◎ waiting for Kustomization reconciliation\n"));
}

TEST_F(Everyday, DebugKustomization) { // as flux 2.9.5 prints it
    apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux-system}\ndata: {B: from-map, C: \"it's\", multi: \"a\\nb\"}\n---\n"
          "apiVersion: v1\nkind: Secret\nmetadata: {name: secret-vars, namespace: flux-system}\nstringData: {C: from-secret, Z: 'x y $z'}\n---\n" +
          kustomization("flux-system", "vars", ", postBuild: {substitute: {A: one, B: inline}, substituteFrom: [{kind: ConfigMap, name: vars}, {kind: Secret, name: secret-vars}, "
                                               "{kind: Secret, name: nobody, optional: true}]}", "{observedGeneration: 3}"));
    const Ran vars = flux({"debug", "ks", "vars", "--show-vars"});
    EXPECT_EQ(vars.status, 0) << vars.err;
    EXPECT_EQ(vars.out, "A=one\nB=inline\nC=from-secret\nZ=x y $z\nmulti=ab\n");
    EXPECT_EQ(flux({"debug", "kustomization", "vars", "--show-status"}).out,
              "# Status documentation: https://fluxcd.io/flux/components/kustomize/kustomizations/#kustomization-status\nobservedGeneration: 3\n");
    EXPECT_EQ(flux({"debug", "ks", "vars", "--show-history"}).out, "# History documentation: https://fluxcd.io/flux/components/kustomize/kustomizations/#history\n[]\n");
    EXPECT_EQ(flux({"debug", "ks", "vars"}).err, "✗ exactly one of --show-status, --show-vars, or --show-history must be set\n");
    EXPECT_EQ(flux({"debug", "ks", "apps", "--show-vars"}).err, "✗ no post build substitutions found\n");
    EXPECT_EQ(flux({"debug", "ks", "nope", "--show-vars"}).err, "✗ kustomizations.kustomize.toolkit.fluxcd.io \"nope\" not found\n");
}

using agent::fit_height;

TEST(TreeView, FitsTheTerminal) {
    const std::vector<std::string> lines = {"✔ a  ready", "├── ◎ b  waiting", "├── ✔ c  ready", "└── ◓ d  building"};
    EXPECT_EQ(fit_height(lines, 4), lines);
    EXPECT_EQ(fit_height(lines, 3), (std::vector<std::string>{"├── ◎ b  waiting", "└── ◓ d  building", "… 2 more"}));
    EXPECT_EQ(fit_height(lines, 2), (std::vector<std::string>{"├── ◎ b  waiting", "… 3 more"}));
    EXPECT_EQ(fit_height(lines, 1), std::vector<std::string>{"… 4 more"});
}

// 43
TEST_F(Everyday, DeleteAsksFirst) {
    const Ran no = flux({"delete", "ks", "apps"});
    EXPECT_EQ(no.status, 1);
    EXPECT_THAT(no.err, testing::EndsWith("✗ aborting\n"));
    EXPECT_EQ(get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps").name(), "apps");
    const Ran yes = flux({"delete", "ks", "apps", "-s"});
    EXPECT_EQ(yes.status, 0);
    EXPECT_EQ(yes.err, "► deleting kustomization apps in flux-system namespace\n✔ kustomization deleted\n");
    EXPECT_EQ(get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps").name(), "");
    EXPECT_EQ(flux({"delete", "ks", "apps", "-s"}).err, "✗ kustomizations.kustomize.toolkit.fluxcd.io \"apps\" not found\n");
}

class Building : public testing::Test {
protected:
    void SetUp() override {
        dir.write("repo/apps/plain.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '${A:=1}', b: '${B}'}\n");
        file = dir.write("ks.yaml", kustomization("flux-system", "apps", ", postBuild: {substitute: {x: z}}", "") +
                                        kustomization("flux-system", "root", "", ""));
    }
    Ran build(const std::string& name, const std::string& path, std::vector<std::string> more = {}) {
        std::vector<std::string> words = {"build", "ks", name, "--path", dir / path, "--dry-run", "--kustomization-file", file};
        words.insert(words.end(), more.begin(), more.end());
        return weber(words);
    }
    // Names and contents of everything below `repo`.
    std::map<std::string, std::string> content() {
        std::map<std::string, std::string> out;
        for (const auto& e : std::filesystem::recursive_directory_iterator(dir / "repo"))
            if (e.is_regular_file()) out[e.path().string()] = read_file(e.path().string());
        return out;
    }
    TempDir dir;
    std::string file;
};

// 29
TEST_F(Building, StrictSubstitutionRefusesWhatHasNoValue) {
    const Ran loose = build("apps", "repo/apps");
    EXPECT_EQ(loose.status, 0) << loose.err;
    EXPECT_THAT(loose.out, HasSubstr("  a: 1\n  b: null\n"));
    const Ran strict = build("apps", "repo/apps", {"--strict-substitute"});
    EXPECT_EQ(strict.status, 1);
    EXPECT_EQ(strict.out, "");
    EXPECT_THAT(strict.err, HasSubstr("variable not set (strict mode): \"B\""));
}

// 30
TEST_F(Building, EncryptedValuesAreMasked) {
    dir.write("repo/enc/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: 'ENC[AES256_GCM,data:planted,type:str]'}\nsops: {mac: planted, version: 3.9.0}\n");
    const Ran r = build("root", "repo/enc");
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, HasSubstr("**SOPS**"));
    EXPECT_THAT(r.out, Not(HasSubstr("planted")));
    EXPECT_THAT(r.out, Not(HasSubstr("\nsops:")));
}

// 31: the directory has no kustomization.yaml, so one is generated, in memory only.
TEST_F(Building, TheDirectoryIsNotTouched) {
    const auto before = content();
    EXPECT_EQ(build("apps", "repo/apps").status, 0);
    EXPECT_EQ(content(), before);
}

// 32
TEST_F(Building, RecursiveWantsToKnowWhereSourcesLie) {
    dir.write("repo/root/apps.yaml", kustomization("flux-system", "apps", "", ""));
    const Ran unknown = build("root", "repo/root", {"--recursive"});
    EXPECT_EQ(unknown.status, 1);
    EXPECT_THAT(unknown.err, HasSubstr("cannot get local path for GitRepository/flux-system/flux-system of kustomization apps"));
    const Ran known = build("root", "repo/root", {"-r", "--local-sources", "GitRepository/flux-system/flux-system=" + (dir / "repo")});
    EXPECT_EQ(known.status, 0) << known.err;
    EXPECT_LT(known.out.find("kind: Kustomization"), known.out.find("kind: ConfigMap"));
}

// completion
TEST(Shells, EachHasItsScript) {
    for (const char* shell : {"bash", "zsh", "fish", "powershell"}) {
        const Ran r = weber({"completion", shell});
        EXPECT_EQ(r.status, 0) << shell;
        EXPECT_THAT(r.out, HasSubstr("__complete"));
    }
}

TEST(AsFlux, WordsAndStatusesOfFlux) {
    EXPECT_EQ(weber({"--version"}, {.program = "flux"}).out, "flux version " WEBER_VERSION "\n");
    EXPECT_EQ(weber({"nope"}, {.program = "flux"}).err, "✗ unknown command \"nope\" for \"flux\"\n");
    const Ran group = weber({"get"}, {.program = "flux"});
    EXPECT_EQ(group.status, 0);
    EXPECT_THAT(group.out, HasSubstr("kustomizations"));
    EXPECT_EQ(weber({"get", "nope"}, {.program = "flux"}).status, 0);
    const std::vector<std::vector<std::string>> lacking = {{"create", "helmrelease", "x"}, {"create", "hr", "x"}, {"create", "secret", "tls", "x", "--export"}, {"create", "source", "helm", "x"},
                                                           {"build", "artifact"}, {"delete", "alert", "x", "-s"}};
    for (const auto& words : lacking) { // what Flux would have done must not seem to be done
        const Ran r = weber(words, {.program = "flux"});
        EXPECT_EQ(r.status, 1) << words[1];
        EXPECT_THAT(r.err, HasSubstr("✗ ")) << words[1];
        EXPECT_EQ(r.out, "") << words[1];
    }
}

} // namespace
} // namespace weber::agent_test
