"""Trees of what a file system alone does not show: bases in git repositories, charts, files outside of the root, flags. Seeds from FIRST on stand for these."""
import os
import subprocess

import fuzz

FIRST = 10 ** 12

MORE_SCALARS = [">\n{i}  folded\n{i}    deeper\n{i}  again", ">+\n{i}  kept\n\n", ">-\n{i}   led\n{i}  by a blank", "|+\n{i}  kept\n\n", "[2001-12-14t21:59:43Z, a]", "[2020-01-01]",
                "2001-12-14 21:59:43.10 -5", '"\\u00e9\\n"', "'a  b\n{i}  c'", "\"a\n{i}  b\"", "!!str 1", "!Own 5", ".inf", "'.nan'", "&x v", "? ", "-0", "0b11", "9e999"]

CLAIMS = ["  volumeClaimTemplates:\n  - metadata:\n      name: v\n%s    spec:\n      accessModes: [ReadWriteOnce]\n" % labels
          for labels in ("", "      labels: {app: x}\n", "      annotations: {}\n")]

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: '1'\n",
    "values.yaml": "who: world\ndeep: {a: 1, b: [x]}\n",
    "templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-cm\n  namespace: {{ .Release.Namespace }}\ndata:\n  who: {{ .Values.who | quote }}\n  b: {{ .Values.deep.b | toJson | quote }}\n",
    "templates/tests/t.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n",
    "crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.x.io}\nspec: {group: x.io}\n",
}


class WideTree(fuzz.Tree):
    """Also: `flags` for both programs; `prepare` makes repositories of the written tree."""

    def build(self):
        self.flags = []
        self.repository = None  # the folder that is one
        super().build()
        if any("includeTemplates" in text for text in self.files.values()):  # 5.8.1 means claims by that, too, the version after it (and Weber) does not
            for path in self.files:
                for claims in CLAIMS:
                    self.files[path] = self.files[path].replace(claims, "").replace(claims.replace("\n", "\r\n"), "")
        if "base/kustomization.yaml" in self.files and self.maybe(0.3):
            self.base_from_git()
        if self.maybe(0.25):
            self.outside()
        if self.helm and self.maybe(0.3):
            self.chart()
        if self.maybe(0.2):
            self.flags += self.pick([["--as-current-user"], ["-e", "A=B"], ["-e", "A=B", "-e", "C"], ["--load-restrictor", "LoadRestrictionsRootOnly"], ["--network"],
                                     ["--enable-alpha-plugins"], ["--enable-managedby-label"], ["--reorder", "none"], ["--reorder", "legacy"]])

    helm = ""  # the program, when there is one

    def scalar(self, indent):
        if self.maybe(0.8):
            return super().scalar(indent)
        text = self.pick(MORE_SCALARS)
        return ("'?'" if text == "? " else text).replace("{i}", " " * indent)

    def workload(self, kind, name, namespace):
        text = super().workload(kind, name, namespace)
        if kind == "StatefulSet" and self.maybe(0.6):
            text += self.pick(CLAIMS)
        return text

    def replacement(self, ids):
        text = super().replacement(ids)  # most that fail, fail for want of a field
        return text if "options:" in text.rsplit("fieldPaths", 1)[1] else text + "    options: {create: true}\n"

    def base_from_git(self):
        self.repository = "repo"
        for path in [p for p in self.files if p.startswith("base/")]:
            self.files["repo/" + path] = self.files.pop(path)
        url = "file://@ROOT@/repo//base" + self.pick(["", "?ref=main", "?ref=v1", "?ref=main&timeout=30s", "?version=main", "?ref=main&submodules=false"])
        for path, text in list(self.files.items()):
            if path.endswith("/kustomization.yaml"):
                self.files[path] = text.replace("- ../base\n", "- %s\n" % url).replace("- ../base\r\n", "- %s\r\n" % url)

    def outside(self):
        self.files["outside/o.yaml"] = self.object("ConfigMap", "outside", "")
        if self.maybe(0.8):
            self.flags += ["--load-restrictor", "LoadRestrictionsNone"]
        text = self.files["top/kustomization.yaml"]
        if "\nresources:\n" in text:
            self.files["top/kustomization.yaml"] = text.replace("\nresources:\n", "\nresources:\n- ../outside/o.yaml\n", 1)

    def chart(self):
        for path, text in CHART.items():
            self.files["top/charts/c/" + path] = text
        if self.maybe(0.9):
            self.flags += ["--enable-helm", "--helm-command", self.helm]
        text = "helmCharts:\n- name: c\n  %s\n" % self.pick(["releaseName: r", "releaseName: rel-1", "nameTemplate: nt"])
        for field in ("  namespace: hns\n", "  includeCRDs: true\n", "  skipTests: true\n", "  valuesInline: {who: '%s', deep: {b: [1, 'y']}}\n" % self.pick(["me", "1", "a: b"]),
                      "  valuesMerge: %s\n" % self.pick(["merge", "override", "replace"]), "  apiVersions: [x/v1]\n", "  kubeVersion: '1.30'\n"):
            if self.maybe(0.35):
                text += field
        self.files["top/kustomization.yaml"] += text

    def prepare(self, root):
        if not self.repository:
            return
        git = ["git", "-C", os.path.join(root, self.repository), "-c", "user.name=f", "-c", "user.email=f@x", "-c", "init.defaultBranch=main"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "c", "--date=2020-01-01T00:00:00Z"], ["tag", "v1"]):
            subprocess.run(git + words, check=True, capture_output=True)
