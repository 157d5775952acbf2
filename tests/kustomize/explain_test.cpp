// --explain: who set each field, by manifests, patches, generators, transformers, replacements, references and vars.
#include "kustomize/explain.h"

#include "kube/base/yaml.h"
#include "tests/kustomize/harness.h"

namespace weber::kustomize {
namespace {

std::string explained(Harness& h, std::string_view dir, std::string_view base = "/app") {
    h.options.explain = true;
    h.options.reorder = Reorder::legacy;
    auto output = h.build(dir);
    return output ? to_explained_yaml(*output, base) : output.error().to_string();
}

TEST(Explain, EveryKindOfSetter) {
    Harness h;
    h.write("/app/base/kustomization.yaml", R"(resources: [web.yaml]
configMapGenerator:
- name: conf
  literals: [a=1]
  files: [f.txt]
)");
    h.write("/app/base/f.txt", "line\n");
    h.write("/app/base/web.yaml", R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: app
        image: nginx:1
        args: [a, b]
        envFrom:
        - configMapRef: {name: conf}
        command:
        - sh
        - |
          multi
          line
        - "a very long text that is folded somewhere because it does not fit into eighty columns at all, or is it"
)");
    h.write("/app/prod/kustomization.yaml", R"(resources:
- ../base
namePrefix: prod-
namespace: live
labels:
- pairs: {team: a}
  includeTemplates: true
images:
- name: other
  newTag: x
- name: nginx
  newTag: v2
configMapGenerator:
- name: conf
  behavior: merge
  envs: [x.env]
patches:
- path: p.yaml
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/replicas
      value: 3
replacements:
- source: {kind: ConfigMap, fieldPath: data.E}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [metadata.annotations.e]
    options: {create: true}
)");
    h.write("/app/prod/x.env", "# c\nE=5\n");
    h.write("/app/prod/p.yaml", R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: side
        image: side:1
      - name: app
        env:
        - name: A
          value: b
)");
    EXPECT_EQ(explained(h, "/app/prod"), R"(apiVersion: v1 # prod/kustomization.yaml:14 ConfigMapGenerator < base/kustomization.yaml:3 ConfigMapGenerator
data:
  E: "5" # prod/x.env:2 ConfigMapGenerator
  a: "1" # base/kustomization.yaml:3 ConfigMapGenerator
  # base/f.txt:1 ConfigMapGenerator
  f.txt: |
    line
kind: ConfigMap # prod/kustomization.yaml:14 ConfigMapGenerator < base/kustomization.yaml:3 ConfigMapGenerator
metadata:
  labels:
    team: a # prod/kustomization.yaml:6 LabelTransformer
  name: prod-conf-52cg9f6h7d # prod/kustomization.yaml:14 HashTransformer < prod/kustomization.yaml:3 PrefixTransformer < prod/kustomization.yaml:14 ConfigMapGenerator < base/kustomization.yaml:3 ConfigMapGenerator
  namespace: live # prod/kustomization.yaml:4 NamespaceTransformer
---
apiVersion: apps/v1 # base/web.yaml:1
kind: Deployment # base/web.yaml:2
metadata:
  annotations:
    e: "5" # prod/kustomization.yaml:25 ReplacementTransformer
  labels:
    team: a # prod/kustomization.yaml:6 LabelTransformer
  name: prod-web # prod/kustomization.yaml:3 PrefixTransformer < base/web.yaml:4
  namespace: live # prod/kustomization.yaml:4 NamespaceTransformer
spec:
  replicas: 3 # prod/kustomization.yaml:23 PatchTransformer
  template:
    metadata:
      labels:
        team: a # prod/kustomization.yaml:6 LabelTransformer
    spec:
      containers:
      - image: side:1 # prod/p.yaml:9 PatchTransformer
        name: side # prod/p.yaml:8 PatchTransformer
      - args:
        - a # base/web.yaml:11
        - b # base/web.yaml:11
        command:
        - sh # base/web.yaml:15
        # base/web.yaml:16
        - |
          multi
          line
        # base/web.yaml:19
        - a very long text that is folded somewhere because it does not fit into eighty
          columns at all, or is it
        env:
        - name: A # prod/p.yaml:12 PatchTransformer
          value: b # prod/p.yaml:13 PatchTransformer
        envFrom:
        - configMapRef:
            name: prod-conf-52cg9f6h7d # prod/kustomization.yaml:14 NameReferenceTransformer < base/web.yaml:13
        image: nginx:v2 # prod/kustomization.yaml:11 ImageTagTransformer < base/web.yaml:10
        name: app # base/web.yaml:9
)");
}

TEST(Explain, VarsPluginsAndBuildMetadata) {
    Harness h;
    h.write("/app/r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: x\n    command: [$(NAME)]\n");
    h.write("/app/t.yaml", "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\nannotations: {k: v}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n");
    h.write("/app/kustomization.yaml", "resources: [r.yaml]\ntransformers: [t.yaml]\nnameSuffix: -s\nvars:\n- name: NAME\n  objref: {apiVersion: v1, kind: ConfigMap, name: c}\nbuildMetadata: [managedByLabel]\n");
    const std::string text = explained(h, "/app");
    for (std::string_view line : {"    k: v # t.yaml:1 AnnotationsTransformer\n", "  name: c-s # kustomization.yaml:3 SuffixTransformer < r.yaml:3\n",
                                  "    - c-s # kustomization.yaml:5 RefVarTransformer < r.yaml:11\n",
                                  "app.kubernetes.io/managed-by: kustomize-v5.8.1 # kustomization.yaml:7 buildMetadata\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

// Comments apart, it is the same output.
TEST(Explain, ChangesNothing) {
    Harness h;
    h.write("/app/r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: |\n    # kept\n    x\n  b: 'c: d # e'\n  e: {}\n  l: [[1, 2], [], [{}]]\n");
    h.write("/app/kustomization.yaml", "resources: [r.yaml]\n");
    const auto read = [](std::string_view text) { return *kube::read_yaml(text, {.file = {}}); };
    const std::string text = explained(h, "/app");
    EXPECT_EQ(read(text), read(to_yaml(h.build("/app")->resources))) << text;
}

} // namespace
} // namespace weber::kustomize
