// The real `flux` command and Weber's on one cluster, run by Weber or by Flux's kustomize-controller: same statuses, same bytes (ages masked).
#include <gmock/gmock.h>

#include <regex>
#include <utility>

#include "tests/agent/peer_fleet.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;

class FluxCommand : public PeerFleet, public ::testing::WithParamInterface<Engine> {
protected:
    void SetUp() override {
        PeerFleet::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        commit({{"app/one.yaml", config_map("one", "1")},
                {"app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secret, namespace: " + ns_ + "}\ndata: {k: cGxhbnRlZA==}\n"},
                {"app/child.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: child, namespace: " + ns_ +
                                       "}\nspec: {interval: 1h, path: ./child, prune: true, sourceRef: {kind: GitRepository, name: fleet}}\n"},
                {"child/two.yaml", config_map("two", "1")},
                {"broken/x.yaml", "apiVersion: v1\nkind: Nope\nmetadata: {name: x, namespace: " + ns_ + "}\n"}});
        serve_source();
        kustomization("app", "./app", "wait: true");
        run(GetParam());
        applied("app", head_);
        applied("child", head_);
    }
    std::string config_map(const std::string& name, const std::string& value) const {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: '" + value + "'}\n";
    }
    testing::Ran with(const std::string& program, std::vector<std::string> words) {
        words.insert(words.end(), {"-n", ns_});
        return command(program, words);
    }
    // Ages and the blanks that they leave in a column.
    static std::string masked(const std::string& text) {
        const std::string ages = std::regex_replace(text, std::regex("(^|\n)([0-9]+[smhd])+( \\(x[0-9]+ over ([0-9]+[smhd])+\\))?"), "$1AGE");
        return std::regex_replace(ages, std::regex(" +(\t|\n|$)"), "$1");
    }
    // Flux exports a spec as its types encode it; Weber as it is stored (docs/differences.md).
    static std::string as_flux_encodes(std::string text) {
        for (const auto& [from, to] : {std::pair{"  force: false\n", ""}, {": 1h\n", ": 1h0m0s\n"}, {": 1m\n", ": 1m0s\n"}, {": 60s\n", ": 1m0s\n"}})
            text = std::regex_replace(text, std::regex(from), to);
        return text;
    }
    // Both say the same, with that status; what flux said.
    testing::Ran same(const std::vector<std::string>& words, int status = 0) {
        const testing::Ran flux = with("flux", words), weber = with("weber as flux", words);
        std::string line;
        for (const std::string& w : words) line += w + " ";
        EXPECT_EQ(flux.status, status) << line << flux.err;
        EXPECT_EQ(weber.status, flux.status) << line << weber.err;
        const bool aged = words.front() == "events", exported = words.front() == "export";
        EXPECT_EQ(aged ? masked(weber.out) : exported ? as_flux_encodes(weber.out) : weber.out, aged ? masked(flux.out) : flux.out) << line;
        EXPECT_EQ(weber.err, flux.err) << line;
        return flux;
    }
};
INSTANTIATE_TEST_SUITE_P(RunBy, FluxCommand, ::testing::Values(Engine::weber, Engine::flux),
                         [](const auto& engine) { return engine.param == Engine::weber ? "Weber" : "Flux"; });

TEST_P(FluxCommand, Reads) {
    EXPECT_THAT(same({"get", "sources", "git"}).out, HasSubstr("stored artifact for revision 'main@sha1:" + head_.substr(10, 8) + "'"));
    EXPECT_THAT(same({"get", "kustomizations"}).out, HasSubstr("Applied revision: main@sha1:" + head_.substr(10, 8)));
    same({"get", "ks", "app", "--no-header"});
    same({"get", "ks", "nope"}, 1);
    same({"get", "ks", "--status-selector", "ready=false"});
    same({"get", "all"});
    same({"get", "all", "--status-selector", "ready=false"});
    same({"get", "sources", "all"});
    same({"get", "ks", "-l", "bad=="}, 1);
    same({"get", "ks", "-l", "=="}, 1);
    same({"get", "ks", "-l", "a in b"}, 1);
    same({"get", "ks", "--as", "nobody"}, 1);
    same({"get", "ks", "--status-selector", "a=b=c"});
    same({"trace", "one"}, 1);
    same({"trace", "configmap"}, 1);
    EXPECT_THAT(same({"tree", "kustomization", "app"}).out, HasSubstr("Kustomization/" + ns_ + "/child"));
    same({"tree", "ks", "app", "--compact"});
    same({"tree", "ks", "nope"}, 1);
    same({"tree", "ks", "app", "-o", "json"});
    same({"trace", "configmap", "two"});
    same({"trace", "kustomization", "child"});
    same({"trace", "configmap/two", "configmap/one", "kustomization/child"});
    same({"trace", "gitrepository/fleet", "configmap/two"}); // nobody's, then somebody's
    same({"trace"}, 1);
    same({"trace", "two", "--kind", "configmap", "--api-version", "v1"}); // kinds in whatever case
    same({"trace", "--kind", "ConfigMap", "--api-version", "v1"}, 1);
    same({"trace", "kustomizations.v1.kustomize.toolkit.fluxcd.io", "child"});
    for (const std::vector<std::string>& refused : {std::vector<std::string>{"events"}, {"version"}, {"resume", "kustomization", "--all"}, {"tree", "ks", "app"}}) {
        std::vector<std::string> words = refused;
        words.insert(words.end(), {"--as", "nobody"});
        same(words, 1);
    }
    same({"uninstall", "--dry-run"}); // the order of kinds
    same({"trace", "two", "--kind", "ConfigMap", "--api-version", "v1"});
    same({"export", "source", "git", "fleet"});
    same({"export", "kustomization", "app"});
    same({"export", "kustomization", "--all"});
    same({"export", "kustomization"}, 1);
    same({"export", "kustomization", "nope"}, 1);
    same({"stats"});
    for (const char* alone : {"stats", "check", "logs", "install", "uninstall"}) same({alone, "x"}, 1);
    EXPECT_EQ(with("flux", {"check", "--pre"}).status, with("weber as flux", {"check", "--pre"}).status); // the oldest Kubernetes differs
}

TEST_P(FluxCommand, Events) {
    // Events are written beside the run: both must be asked when all are there.
    EXPECT_THAT(same({"events", "--for", "Kustomization/child"}).out, HasSubstr("Kustomization/child"));
    same({"events", "--types", "Warning"});
    same({"events", "--for", "Kustomization/nope"}, 1);
    same({"events", "--for", "nope"}, 1);
    same({"events", "--types", "Nope"}, 1);
}

TEST_P(FluxCommand, BuildsAndDiffs) {
    const std::string tree = dir_.path() + "/work/app";
    same({"build", "kustomization", "app", "--path", tree});
    same({"build", "kustomization", "app", "--path", "./nope"}, 1);
    same({"diff", "kustomization", "app", "--path", "./nope"}, 2);
    same({"diff", "kustomization", "app", "--path", tree, "--progress-bar=false"});
    same({"diff", "kustomization", "app", "--path", dir_.path() + "/work/child", "--progress-bar=false"}, 1); // several objects go
    dir_.write("work/app/one.yaml", config_map("one", "2"));
    dir_.write("work/app/new.yaml", config_map("new", "2"));
    dir_.write("work/app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secret, namespace: " + ns_ + "}\ndata: {k: cmVwbGFudGVk}\n");
    const testing::Ran changed = same({"diff", "kustomization", "app", "--path", tree, "--progress-bar=false"}, 1);
    EXPECT_THAT(changed.out, HasSubstr("ConfigMap/" + ns_ + "/one drifted\n\ndata.k\n± value change\n- 1\n+ 2\n"));
    EXPECT_THAT(changed.out, ::testing::Not(HasSubstr("cmVwbGFudGVk")));
}

// Lists, texts, entries that come and go, keys of secrets: the report is flux's to the byte.
TEST_P(FluxCommand, DiffsWhateverChanges) {
    const auto shapes = [&](const std::string& image, const std::string& more, const std::string& text, const std::string& ports, const std::string& labels) {
        return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shapes, namespace: " + ns_ + ", labels: {" + labels + "}}\nspec:\n  replicas: 0\n  selector: {matchLabels: {a: b}}\n"
               "  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      - {name: app, image: '" + image + "'}\n" + more +
               "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shapes, namespace: " + ns_ + "}\ndata:\n  text: |\n" + text +
               "---\napiVersion: v1\nkind: Service\nmetadata: {name: shapes, namespace: " + ns_ + "}\nspec: {selector: {a: b}, ports: [" + ports + "]}\n";
    };
    commit({{"app/shapes.yaml", shapes("x:1", "", "    one\n    two\n    three\n", "{name: http, port: 80, targetPort: 8080}, {name: old, port: 81}", "team: a")}});
    EXPECT_EQ(with("flux", {"reconcile", "kustomization", "app", "--with-source"}).status, 0);
    const std::string tree = dir_.path() + "/work/app";
    dir_.write("work/app/shapes.yaml", shapes("x:2", "      - {name: side, image: y, args: [-v, 'a: b'], env: [{name: A, value: '1'}]}\n", "    one\n    2\n    three\n    four\n",
                                              "{name: new, port: 82}, {name: http, port: 80, targetPort: 8081}", "part: b"));
    EXPECT_THAT(same({"diff", "kustomization", "app", "--path", tree, "--progress-bar=false"}, 1).out, HasSubstr("± value change in multiline text"));
    dir_.write("work/app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secret, namespace: " + ns_ + "}\ndata: {k: RU5DW0FFUzI1Nl0gc29wcw==, l: eA==}\n"); // an encrypted file
    same({"diff", "kustomization", "app", "--path", tree, "--progress-bar=false"}, 1);
    same({"build", "kustomization", "app", "--path", tree});
    dir_.write("work/app/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: secret, namespace: " + ns_ + "}\nstringData: {k: 'ENC[a]'}\nsops: {mac: 'ENC[b]'}\n");
    same({"diff", "kustomization", "app", "--path", tree, "--progress-bar=false"}, 1); // the same key: no drift
}

TEST_P(FluxCommand, GoesIntoChildren) {
    const std::string work = dir_.path() + "/work", mapping = "GitRepository/" + ns_ + "/fleet=" + work;
    const std::vector<std::string> diff = {"diff", "kustomization", "app", "--path", work + "/app", "--progress-bar=false", "--recursive"};
    const auto with_sources = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--local-sources", mapping});
        return words;
    };
    same(with_sources(diff));
    same({"build", "kustomization", "app", "--path", work + "/app", "-r", "--local-sources", mapping});
    same({"build", "kustomization", "app", "--path", work + "/app", "-r"}, 1); // nobody knows where the child's source lies
    same(diff, 2);
    dir_.write("work/child/two.yaml", config_map("two", "2"));
    dir_.write("work/app/one.yaml", config_map("one", "2"));
    dir_.write("work/app/grandchild.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: another, namespace: " + ns_ +
                                               "}\nspec: {interval: 1h, path: ./child, prune: true, sourceRef: {kind: GitRepository, name: fleet}}\n");
    const testing::Ran changed = same(with_sources(diff), 1);
    EXPECT_THAT(changed.out, HasSubstr("📁 Kustomization/" + ns_ + "/child changed\n► ConfigMap/" + ns_ + "/two drifted\n"));
}

TEST_P(FluxCommand, AsksSuspendsAndResumes) {
    same({"reconcile", "source", "git", "fleet"});
    same({"reconcile", "kustomization", "app"});
    same({"reconcile", "kustomization"}, 1);
    same({"resume", "kustomization", "--all", "--wait", "--timeout", "60s"});
    same({"reconcile", "kustomization", "nope"}, 1);
    same({"reconcile", "source", "git", "nope"}, 1);
    for (const std::vector<std::string>& group : {std::vector<std::string>{"reconcile"}, {"reconcile", "nope", "x"}, {"get", "nope"}})
        EXPECT_EQ(command("flux", group).status, command("weber as flux", group).status); // each prints its own help
    EXPECT_THAT(same({"reconcile", "kustomization", "app", "--with-source"}).err, HasSubstr("applied revision " + head_));
    same({"suspend", "kustomization", "child"});
    same({"get", "kustomizations"});
    same({"reconcile", "kustomization", "child"}, 1);
    same({"resume", "kustomization", "child"});
    same({"suspend", "source", "git", "fleet"});
    same({"resume", "source", "git", "fleet"});
    same({"suspend", "kustomization", "nope"});
    same({"suspend", "kustomization", "--all"});
    same({"resume", "kustomization", "--all"});

    // A new commit, asked for by the command, is applied when it returns.
    commit({{"app/one.yaml", config_map("one", "3")}});
    const testing::Ran moved = with("flux", {"reconcile", "kustomization", "app", "--with-source"});
    EXPECT_EQ(moved.status, 0) << moved.err;
    EXPECT_THAT(moved.err, HasSubstr("applied revision " + head_));
    EXPECT_EQ(api().get({.gvk = {"", "v1", "ConfigMap"}, .ns = ns_, .name = "one"}).value().at({"data", "k"})->text(), "3");
}

} // namespace
} // namespace weber::agent_test
