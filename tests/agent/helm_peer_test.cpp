// helmCharts: `weber kustomize --enable-helm` beside the real kustomize, with the real helm and with one that records its arguments.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <filesystem>
#include <regex>

#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

namespace fs = std::filesystem;
using weber::testing::peer;

constexpr const char* kTemplate = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
  namespace: {{ .Release.Namespace }}
  labels: {kube: "{{ .Capabilities.KubeVersion.Version }}"}
spec:
  replicas: {{ .Values.replicas }}
  template: {spec: {containers: [{name: web, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-values"}
data:
  values: |
{{ toYaml .Values | indent 4 }}
  api: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}
)";
constexpr const char* kValues = "# of the chart\nreplicas: 2\nimage: {repository: nginx, tag: \"1.25\"}\nnested:\n  a: 1\n  list: [x, y]\non: \"yes\"\n";
constexpr const char* kHook = R"(apiVersion: batch/v1
kind: Job
metadata: {name: "{{ .Release.Name }}-hook", annotations: {helm.sh/hook: pre-install}}
spec: {template: {spec: {containers: [{name: h, image: busybox}], restartPolicy: Never}}}
)";
constexpr const char* kHelmTest = R"(apiVersion: v1
kind: Pod
metadata: {name: "{{ .Release.Name }}-test", annotations: {helm.sh/hook: test}}
spec: {containers: [{name: t, image: busybox}]}
)";
constexpr const char* kDefinition = R"(apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget, plural: widgets}, scope: Namespaced, versions: [{name: v1, served: true, storage: true}]}
)";
// Prints what it was asked as an object; makes the directory of a chart when it pulls one.
constexpr const char* kRecorder = R"sh(#!/bin/sh
if [ "$1" = version ]; then echo v3.22.0; exit 0; fi
log=$(dirname "$0")/pulled
if [ "$1" = pull ]; then printf '%s ' "$@" >"$log"; mkdir -p "$4/web"; echo 'from: pull' >"$4/web/values.yaml"; exit 0; fi
echo 'apiVersion: v1'; echo 'kind: ConfigMap'; echo 'metadata: {name: asked}'; echo 'data:'
for a in "$@"; do i=$((i+1)); echo "  a$((100+i)): '$a'"; [ "$p" = -f ] && { echo "  v$((100+i)): |"; sed 's/^/    /' "$a"; }; p=$a; done
echo "  config: '$HELM_CONFIG_HOME'"; echo "  cache: '$HELM_CACHE_HOME'"; echo "  home: '$HELM_DATA_HOME'"
[ -f "$log" ] && for a in $(cat "$log"); do i=$((i+1)); echo "  p$((100+i)): '$a'"; done
exit 0
)sh";

struct Case {
    const char* name;
    const char* text;
    const char* flags = "";
};

const Case kCases[] = {
    {"plain", "helmCharts: [{name: web, releaseName: r}]\n"},
    {"name_template", "helmCharts: [{name: web, nameTemplate: fixed}]\n"},
    {"chart_home", "helmGlobals: {chartHome: alt}\nhelmCharts: [{name: web, releaseName: r}, {name: web, releaseName: second, version: 1.2.3}]\n"},
    {"all_options", "namespace: outer\nnamePrefix: p-\nhelmCharts:\n- name: web\n  releaseName: r\n  namespace: inner\n  includeCRDs: true\n  skipTests: true\n  skipHooks: true\n"
                    "  apiVersions: [example.com/v1, foo/v2]\n  kubeVersion: '1.27'\n  valuesFile: v.yaml\n  additionalValuesFiles: [v2.yaml]\n  debug: true\n  devel: true\n"},
    {"inline", "helmCharts:\n- name: web\n  releaseName: r\n  valuesInline: {replicas: 3, nested: {b: x, list: [q]}, image: {tag: 1.30}, on: off, date: 2020-01-01,\n"
               "    f: 1e3, nul: null, s: '1', multi: \"a\\nb\\n\"}\n"},
    {"merge", "helmCharts:\n- name: web\n  releaseName: r\n  valuesMerge: merge\n  valuesInline: {replicas: '3', nested: {b: x, list: [q], a: null}, new: {deep: [1, {a: b}]}}\n"},
    {"override", "helmCharts:\n- name: web\n  releaseName: r\n  valuesMerge: override\n  valuesInline: {nested: {b: x, list: [q], a: null}, image: null, new: {}}\n"},
    {"replace", "helmCharts:\n- name: web\n  releaseName: r\n  valuesMerge: replace\n  valuesInline: {replicas: 3, image: {repository: z, tag: '9'}}\n"},
    {"old_form", "helmChartInflationGenerator: [{chartName: web, releaseName: r, values: v.yaml, valuesLocal: {replicas: 8}, valuesMerge: merge}]\n"},
    {"as_generator", "generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: x}\n  name: web\n  releaseName: r\n  namespace: gns\n  valuesInline: {replicas: 4}\n"},
    {"transformed", "namespace: outer\nlabels: [{pairs: {l: m}, includeSelectors: true}]\nimages: [{name: nginx, newTag: '9'}]\nreplicas: [{name: r-web, count: 7}]\n"
                    "buildMetadata: [originAnnotations, transformerAnnotations]\nhelmCharts: [{name: web, releaseName: r}]\n"},
    {"flags", "helmCharts: [{name: web, releaseName: r, kubeVersion: '1.27'}]\n", "--helm-kube-version 1.29 --helm-api-versions example.com/v1 --helm-api-versions a/v1 --helm-debug"},
    {"no_chart", "helmCharts: [{name: other}]\n"},
    {"no_values", "helmCharts: [{name: web, valuesFile: missing.yaml}]\n"},
    {"outside", "helmCharts: [{name: web, valuesFile: ../v.yaml}]\n"},
    {"bad_merge", "helmCharts: [{name: web, valuesMerge: both}]\n"},
    {"no_name", "helmCharts: [{releaseName: r}]\n"},
};
// Nothing that the real helm could do without a network.
const Case kPulls[] = {
    {"pull", "helmCharts: [{name: web, releaseName: r, repo: 'https://charts.example.com/x'}]\nhelmGlobals: {chartHome: elsewhere}\n"},
    {"pull_version", "helmCharts: [{name: web, repo: 'https://charts.example.com', version: 1.2.3, devel: true}]\n"},
    {"pull_oci", "helmCharts: [{name: web, repo: 'oci://charts.example.com/x/', version: 1.2.3, namespace: n}]\n"},
    {"config_home", "helmGlobals: {configHome: /tmp/config-home}\nhelmCharts: [{name: web, releaseName: r}]\n"},
};

void write_tree(const TempDir& dir, const Case& c) {
    fs::remove_all(dir / "app");
    for (const std::string home : {"app/charts/web/", "app/alt/web/"}) {
        dir.write(home + "Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n");
        dir.write(home + "values.yaml", home.contains("alt") ? "replicas: 9\nimage: {repository: alt, tag: t}\n" : kValues);
        dir.write(home + "templates/objects.yaml", kTemplate);
    }
    dir.write("app/charts/web/templates/hook.yaml", kHook);
    dir.write("app/charts/web/templates/tests/test.yaml", kHelmTest);
    dir.write("app/charts/web/crds/crd.yaml", kDefinition);
    dir.write("app/v.yaml", "replicas: 5\nimage: {repository: v, tag: x}\nnested: {a: 7, c: null}\n");
    dir.write("app/v2.yaml", "nested: {list: [z]}\nextra: 1\n");
    dir.write("v.yaml", "a: 1\n");
    dir.write("app/kustomization.yaml", c.text);
}

// Without the names of temporary directories.
std::string without_places(const std::string& text) {
    static const std::regex place("/tmp/(kustomize-helm-|weber-helm-)[A-Za-z0-9]+");
    return std::regex_replace(text, place, "TMP");
}

class HelmPeer : public ::testing::Test {
protected:
    // Both programs on a fresh copy each: a pull leaves a chart behind.
    void compare(const std::string& kustomize, const std::string& helm, const Case& c) {
        SCOPED_TRACE(c.name);
        const std::string words = " --enable-helm --helm-command " + helm + " " + c.flags + " " + (dir / "app");
        write_tree(dir, c);
        fs::remove(dir / "pulled");
        const auto wanted = weber::testing::run(kustomize + " build" + words, dir.path());
        write_tree(dir, c);
        fs::remove(dir / "pulled");
        const auto got = weber::testing::run(std::string(WEBER_BINARY) + " kustomize" + words, dir.path());
        EXPECT_EQ(got.status != 0, wanted.status != 0) << wanted.err << got.err;
        EXPECT_EQ(without_places(got.out), without_places(wanted.out)) << wanted.err << got.err;
    }
    TempDir dir;
};

TEST_F(HelmPeer, ChartsAreInflatedAsByKustomize) {
    const auto kustomize = peer("kustomize"), helm = peer("helm");
    if (!kustomize || !helm) GTEST_SKIP() << "no kustomize or no helm here: tests/cluster/tools.sh kustomize helm";
    for (const Case& c : kCases) compare(*kustomize, *helm, c);
}

TEST_F(HelmPeer, HelmIsAskedTheSame) {
    const auto kustomize = peer("kustomize");
    if (!kustomize) GTEST_SKIP() << "no kustomize here: tests/cluster/tools.sh kustomize";
    dir.write("recorder", kRecorder);
    fs::permissions(dir / "recorder", fs::perms::owner_all);
    for (const Case& c : kCases) compare(*kustomize, dir / "recorder", c);
    for (const Case& c : kPulls) compare(*kustomize, dir / "recorder", c);
}

} // namespace
} // namespace weber::agent_test
