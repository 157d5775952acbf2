#!/usr/bin/env python3
"""Makes random kustomizations and compares what kustomize and Weber print for each, byte for byte.

    fuzz.py --kustomize BIN --weber CMD [--seed N] [--count N] [--keep DIR] [--helm BIN]

CMD is run with the directory as its last argument, e.g. "build/release/weber kustomize". Every tree whose results differ is kept in
DIR (named by its seed); both failing counts as agreement. A difference worth keeping becomes a case under
tests/kustomize/golden. Seeds from 10^12 on stand for trees with git repositories, charts (with --helm), files outside of the root and flags (wide.py), from 10^13 on for careless
ones (wild.py). Exit status: 0 no difference, 1 some, 2 usage."""
import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from extras import Extras

HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
NAMES = ["web", "api", "db", "cache", "web-1", "a.b"]
NAMESPACES = ["", "default", "prod", "stage"]
IMAGES = ["nginx", "nginx:1.2", "reg:5000/nginx:1", "reg.io/team/app@sha256:1234", "busybox:latest", "app:v1@sha256:ab"]
SCALARS = ["a", "1", "'1'", '"yes"', "yes", "true", "null", "~", "''", "1.0", "1e3", "0x1F", "0777", "2020-01-01", '"a: b"', "'it''s'",
           "a b  c", "é", '"tab\\tx"', "- ", "#x", "'#x'", "x #y", "@at", "'@at'", "*.com", "'*.com'", "|\n{i}  two\n{i}  lines", ">-\n{i}  fold\n{i}  ed\n\n{i}  more",
           "1_000", "+1", "-.5", "12345678901234567890", "0o17", "1:30", "=", "<<x", "y", "n", "on", "Off"]


class Tree(Extras):
    """One random tree; `files` maps paths to texts. The directory to build is "top"."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.files = {}
        self.build()

    flags = []

    def prepare(self, root):
        """What is to be done once the files are written to `root`."""

    def maybe(self, p=0.5):
        return self.r.random() < p

    def pick(self, items):
        return self.r.choice(items)

    def scalar(self, indent):
        text = self.pick(SCALARS)
        if text in ("- ", "#x", "@at", "*.com"):
            text = "'" + text + "'"
        return text.replace("{i}", " " * indent)

    # ---- objects ------------------------------------------------------------------------------------------------
    def metadata(self, name, namespace):
        out = "metadata:\n  name: %s\n" % name
        if namespace:
            out += "  namespace: %s\n" % namespace
        for field in ("labels", "annotations"):
            if self.maybe(0.3):
                out += "  %s:\n" % field
                for key in self.r.sample(["app", "tier", "example.com/x", "z"], self.r.randint(1, 3)):
                    value = self.pick(["web", "db", '"1"', "x-y"]) if field == "labels" else self.scalar(4)
                    out += "    %s: %s\n" % (key, value)
            elif self.maybe(0.05):
                out += "  %s: %s\n" % (field, self.pick(["{}", "null", ""]))
        return out

    def pod_spec(self, indent):
        pad = " " * indent
        out = ""
        if self.maybe(0.5):
            out += pad + "serviceAccountName: %s\n" % self.pick(NAMES)
        for field in ["containers"] + (["initContainers"] if self.maybe(0.2) else []):
            out += pad + field + ":\n"
            for name in self.r.sample(["main", "side", "log"], self.r.randint(1, 2)):
                out += pad + "- name: %s\n" % name
                out += pad + "  image: %s\n" % self.pick(IMAGES)
                if self.maybe(0.3):
                    out += pad + "  args: [%s]\n" % ", ".join(self.r.sample(['"--a"', "-b", "'c d'", "$(V)"], 2))
                if self.maybe(0.4):
                    out += pad + "  env:\n"
                    for key in self.r.sample(["A", "B", "C"], self.r.randint(1, 2)):
                        if self.maybe(0.5):
                            out += pad + "  - name: %s\n%s    value: %s\n" % (key, pad, self.pick(['"1"', "x", "$(V)", "''"]))
                        else:
                            kind = self.pick(["configMapKeyRef", "secretKeyRef"])
                            out += pad + "  - name: %s\n%s    valueFrom:\n%s      %s:\n%s        name: %s\n%s        key: k\n" % (
                                key, pad, pad, kind, pad, self.pick(NAMES), pad)
                if self.maybe(0.3):
                    out += pad + "  ports:\n"
                    for port in self.r.sample([80, 443, 8080], self.r.randint(1, 2)):
                        out += pad + "  - containerPort: %d\n" % port
                        if self.maybe(0.5):
                            out += pad + "    protocol: %s\n" % self.pick(["TCP", "UDP"])
                if self.maybe(0.3):
                    out += pad + "  volumeMounts:\n%s  - {name: v, mountPath: /v}\n" % pad
        if self.maybe(0.4):
            out += pad + "volumes:\n"
            for name in self.r.sample(["v", "w"], self.r.randint(1, 2)):
                source = self.pick(["configMap: {name: %s}", "secret: {secretName: %s}", "emptyDir: {}", "persistentVolumeClaim: {claimName: %s}"])
                source = source % self.pick(NAMES) if "%s" in source else source
                out += pad + "- name: %s\n%s  %s\n" % (name, pad, source)
        if self.maybe(0.1):
            out += pad + "imagePullSecrets:\n%s- name: %s\n" % (pad, self.pick(NAMES))
        return out

    def workload(self, kind, name, namespace):
        out = "apiVersion: %s\nkind: %s\n" % ("batch/v1" if kind in ("Job", "CronJob") else "apps/v1", kind)
        out += self.metadata(name, namespace) + "spec:\n"
        if kind in ("Deployment", "StatefulSet") and self.maybe(0.6):
            out += "  replicas: %d\n" % self.r.randint(0, 3)
        if kind == "CronJob":
            return out + "  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n" + self.pod_spec(10)
        if kind != "Job":
            out += "  selector:\n    matchLabels:\n      app: %s\n" % name
        if kind == "StatefulSet":
            out += "  serviceName: %s\n" % self.pick(NAMES)
        out += "  template:\n    metadata:\n      labels:\n        app: %s\n    spec:\n" % name + self.pod_spec(6)
        return out

    def object(self, kind, name, namespace):
        if kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
            return self.workload(kind, name, namespace)
        head = lambda api: "apiVersion: %s\nkind: %s\n" % (api, kind) + self.metadata(name, namespace)
        if kind == "ConfigMap":
            out = head("v1")
            if self.maybe(0.9):
                out += "data:\n" + "".join("  %s: %s\n" % (k, self.scalar(2)) for k in self.r.sample(["k", "a.b", "x", "z1", "z10"], self.r.randint(1, 4)))
                if self.maybe(0.25):
                    out += self.embedded_data("  ")
            return out
        if kind == "Secret":
            return head("v1") + "type: Opaque\n%s:\n  k: %s\n" % (self.pick(["data", "stringData"]), "YWJj")
        if kind == "Service":
            out = head("v1") + "spec:\n  ports:\n"
            for port in self.r.sample([80, 443], self.r.randint(1, 2)):
                out += "  - port: %d\n" % port + ("    name: p%d\n" % port if self.maybe() else "")
            return out + ("  selector:\n    app: %s\n" % self.pick(NAMES) if self.maybe(0.8) else "")
        if kind == "ServiceAccount":
            return head("v1") + ("secrets:\n- name: %s\n" % self.pick(NAMES) if self.maybe(0.3) else "")
        if kind == "Ingress":
            return head("networking.k8s.io/v1") + ("spec:\n  tls:\n  - secretName: %s\n  rules:\n  - host: h.example.com\n    http:\n      paths:\n"
                                                   "      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: %s\n"
                                                   "            port: {number: 80}\n" % (self.pick(NAMES), self.pick(NAMES)))
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            role = "ClusterRole" if kind == "ClusterRoleBinding" or self.maybe(0.3) else "Role"
            subject = "- kind: ServiceAccount\n  name: %s\n" % self.pick(NAMES + ["default"])
            if self.maybe(0.7):
                subject += "  namespace: %s\n" % self.pick(["default", "prod", "other"])
            return head("rbac.authorization.k8s.io/v1") + "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %s\n  name: %s\nsubjects:\n%s" % (
                role, self.pick(NAMES), subject)
        if kind in ("Role", "ClusterRole"):
            return head("rbac.authorization.k8s.io/v1") + "rules:\n- apiGroups: [\"\"]\n  resources: [%s]\n  resourceNames: [%s]\n  verbs: [get]\n" % (
                self.pick(["configmaps", "secrets", "pods"]), self.pick(NAMES))
        if kind == "Namespace":
            return "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n" % name
        if kind == "HorizontalPodAutoscaler":
            return head("autoscaling/v2") + "spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: %s\n  maxReplicas: 3\n" % self.pick(NAMES)
        if kind == "PersistentVolumeClaim":
            return head("v1") + "spec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"
        return "apiVersion: example.com/v1\nkind: Widget\n" + self.metadata(name, namespace) + "spec:\n  list:\n  - name: a\n    v: %s\n  - name: b\n  deep: {x: {y: %s}}\n" % (
            self.scalar(4), self.pick(["1", "q"])) + self.widget_spec()

    KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ConfigMap", "ConfigMap", "Secret", "Service", "ServiceAccount", "Ingress", "RoleBinding",
             "ClusterRoleBinding", "Role", "ClusterRole", "Namespace", "HorizontalPodAutoscaler", "PersistentVolumeClaim", "Widget"]

    def objects(self):
        """A manifest file's text, and the (kind, name, namespace) it holds."""
        ids, texts = [], []
        for _ in range(self.r.randint(1, 5)):
            kind, name = self.pick(self.KINDS), self.pick(NAMES)
            namespace = "" if kind in ("Namespace", "ClusterRole", "ClusterRoleBinding") else self.pick(NAMESPACES + ["", ""])
            if any(i[0] == kind and i[1] == name for i in ids):
                continue
            ids.append((kind, name, namespace))
            texts.append(self.object(kind, name, namespace))
        text = "---\n".join(texts)
        if self.maybe(0.06):
            text = self.as_list(text)
        elif self.maybe(0.08):
            text = self.decorated(text)
        if self.maybe(0.05):
            text = text.replace("\n", "\r\n")
        return text, ids

    # ---- fields of a kustomization ----------------------------------------------------------------------------------
    def selector(self, ids):
        kind, name, namespace = self.pick(ids)
        fields = []
        if self.maybe(0.7):
            fields.append("kind: %s" % self.pick([kind, kind, ".*", "Deploy.*|Stateful.*"]))
        if self.maybe(0.5) or not fields:
            fields.append("name: %s" % self.pick([name, name, "'.*'", "'w.*'"]))
        if self.maybe(0.1):
            fields.append("namespace: %s" % (namespace or "default"))
        if self.maybe(0.1):
            fields.append("labelSelector: %s" % self.pick(["app=web", "'app in (web,db)'", "'!tier'", "tier"]))
        return "{%s}" % ", ".join(fields)

    def strategic_patch(self, ids):
        kind, name, namespace = self.pick(ids)
        api = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1", "Ingress": "networking.k8s.io/v1",
               "HorizontalPodAutoscaler": "autoscaling/v2", "Widget": "example.com/v1"}.get(kind, "rbac.authorization.k8s.io/v1" if "Role" in kind else "v1")
        out = "apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n" % (api, kind, name)
        if namespace:
            out += "  namespace: %s\n" % namespace
        if self.maybe(0.3):
            out += "  annotations:\n    patched: %s\n" % self.pick(["'yes'", "null", '"1"'])
        if self.maybe(0.05):
            return out + "$patch: delete\n"
        if kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            out += "spec:\n  template:\n    spec:\n"
            for _ in range(1):
                out += "      containers:\n"
                for name in self.r.sample(["main", "side", "new"], self.r.randint(1, 2)):
                    out += "      - name: %s\n" % name
                    choice = self.r.randint(0, 7)
                    if choice == 0:
                        out += "        $patch: delete\n"
                    elif choice == 1:
                        out += "        image: patched:1\n"
                    elif choice == 2:
                        out += "        env:\n        - name: A\n          value: patched\n        - name: NEW\n          value: x\n"
                    elif choice == 3:
                        out += "        ports:\n        - containerPort: 80\n          name: http\n"
                    elif choice == 4:
                        out += "        args: [x]\n        env: null\n"
                    elif choice == 5:
                        out += "        env:\n        - name: A\n          $patch: delete\n"
                    elif choice == 6:
                        out += "        env:\n        - $patch: replace\n        - name: ONLY\n          value: '1'\n"
                    else:
                        out += "        resources: {limits: {cpu: 1}}\n"
            if self.maybe(0.3):
                out += "      volumes:\n      - name: v\n        %s\n" % self.pick(["emptyDir: null\n        configMap: {name: web}", "$patch: delete", "secret: {secretName: db}"])
            if self.maybe(0.2):
                out += "      nodeSelector: {a: b}\n"
        elif kind == "ConfigMap":
            out += "data:\n  k: %s\n  added: %s\n" % (self.pick(["null", "new", "'2'"]), self.scalar(2))
        elif kind == "Service":
            out += "spec:\n  ports:\n  - port: 80\n    targetPort: 8080\n" + ("  type: NodePort\n" if self.maybe() else "")
        elif kind == "Widget":
            out += "spec:\n  list:\n  - name: a\n    w: 2\n  deep: {x: {z: 3, y: null}}\n"
        return out

    def json_patch(self, ids):
        """An entry of `patches`: mostly operations that the target has fields for."""
        kind, name, _ = self.pick(ids)
        choices = ["{op: add, path: /metadata/labels, value: {jp: x}}", "{op: test, path: /kind, value: %s}" % kind, "{op: add, path: /metadata/annotations, value: {a: b}}"]
        if self.maybe(0.1):
            choices += ["{op: add, path: /metadata/annotations/jp, value: %s}" % self.pick(["x", "'1'"]), "{op: remove, path: /data/k}",
                        "{op: replace, path: /metadata/name, value: renamed}"]
        if kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            choices += ["{op: add, path: /spec/replicas, value: 7}", "{op: add, path: /spec/template/spec/containers/-, value: {name: j, image: nginx}}",
                        "{op: replace, path: /spec/template/spec/containers/0/image, value: jp:1}", "{op: move, from: /spec/template, path: /spec/other}",
                        "{op: add, path: /spec/template/spec/containers/0, value: {name: first, image: 'busybox:1'}}",
                        "{op: copy, from: /spec/template/spec/containers/0/name, path: /spec/template/spec/hostname}"]
        if kind in ("Service", "Widget", "Ingress"):
            choices += ["{op: add, path: /spec/x~1y, value: [1, {a: null}]}", "{op: replace, path: /spec, value: {z: 1.5}}"]
        target = "{kind: %s, name: %s}" % (kind, name) if self.maybe(0.9) else self.selector(ids)
        operations = "".join("- %s\n" % self.pick(choices) for _ in range(self.r.randint(1, 2)))
        return "- target: %s\n  patch: |-\n" % target + self.indented(operations, 4)

    def indented(self, text, by):
        return "".join(" " * by + line + "\n" if line else "\n" for line in text.rstrip("\n").split("\n"))

    def replacement(self, ids):
        kind, name, _ = self.pick(ids)
        sources = ["metadata.name", "metadata.name", "kind", "apiVersion"]
        if kind in ("Deployment", "StatefulSet", "DaemonSet"):
            sources += ["spec.template.spec.containers.0.image", "spec.template.spec.containers.0.name", "spec.template.metadata.labels", "spec.template.spec.containers.-.image"]
        if self.maybe(0.1):
            sources += ["metadata.namespace", "data.k", "spec.replicas", "metadata.labels.app", "spec.template.spec.containers.[name=main].image"]
        source = self.pick(sources)
        out = "- source: {kind: %s, name: %s, fieldPath: '%s'" % (kind, name, source)
        if self.maybe(0.2):
            out += ", options: {delimiter: '%s', index: %d}" % (self.pick([":", "/", "-"]), self.r.randint(0, 1))
        if self.maybe(0.1):
            out = "- sourceValue: %s\n  targets:\n" % self.pick(["'v'", "x", "'1'", "'true'"])
        else:
            out += "}\n  targets:\n"
        for _ in range(self.r.randint(1, 2)):
            to_kind, to_name, _ = self.pick(ids)
            out += "  - select: %s\n" % ("{kind: %s, name: %s}" % (to_kind, to_name) if self.maybe(0.7) else self.selector(ids))
            if self.maybe(0.2):
                out += "    reject: [%s]\n" % self.selector(ids)
            fields = ["metadata.annotations.rep", "metadata.annotations.[a.b/c]", "metadata.labels.app"]
            if to_kind in ("Deployment", "StatefulSet", "DaemonSet"):
                fields += ["spec.replicas", "spec.template.spec.containers.*.image", "spec.template.spec.containers.[name=main].env.[name=A].value",
                           "spec.template.metadata.annotations.x", "spec.template.spec.serviceAccountName", "spec.template.spec.containers.[name=m].image",
                           "spec.template.spec.containers.0.args.0"]
            if to_kind in ("ConfigMap", "Secret"):
                fields += ["data.k", "data.new", self.embedded_path(), self.embedded_path()]
            if to_kind == "Widget":
                fields += ["spec.deep.x.y", "spec.list.0.v", "spec.list.2.v", "spec.list.[name=a].v"]
            out += "    fieldPaths: ['%s']\n" % self.pick(fields)
            if "conf\\" in out.rsplit("fieldPaths", 1)[1]:
                out += self.pick(["", "    options: {create: true}\n"])  # 5.8.1 knows no delimiter in there, the version after it does
            elif self.maybe(0.92):
                out += "    options: {%s}\n" % self.pick(["create: true", "create: true", "create: true", "delimiter: ':', index: 1, create: true",
                                                          "delimiter: '-', index: -1", "delimiter: '/', index: 9, create: true"])
        return out

    def generator(self, name, files_dir, secret, behaviors):
        out = "- name: %s\n" % name
        if self.maybe(0.5):
            out += "  literals: [%s]\n" % self.pick(["a=1", "'k=x y'", "\"q='v'\"", "a=b=c", "e="])
        else:
            self.files[files_dir + "/f.txt"] = self.pick(["text\n", "two\nlines\n", "", "trail \n", "a: b\n"])
            self.files[files_dir + "/f.env"] = self.pick(["E=1\nF=two\n", "# c\n\nG = x\n", "H=\n", "J='q'\n"])
            out += self.pick(["  files: [f.txt]\n", "  files: [key=f.txt]\n", "  envs: [f.env]\n"])
        if self.maybe(0.2):
            out += "  namespace: %s\n" % self.pick(["prod", "default"])
        if behaviors != ["create"] or self.maybe(0.1):
            out += "  behavior: %s\n" % self.pick(behaviors)
        if secret and self.maybe(0.3):
            out += "  type: kubernetes.io/tls\n"
        if self.maybe(0.3):
            out += "  options: {%s}\n" % self.pick(["disableNameSuffixHash: true", "labels: {g: h}", "annotations: {g: '1'}, immutable: true"])
        return out

    def transformer(self, ids):
        return self.pick([
            "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: tp-\nfieldSpecs:\n- path: metadata/name\n",
            "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: {tl: x}\nfieldSpecs:\n- path: metadata/labels\n  create: true\n",
            "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\nannotations: {ta: '1'}\nfieldSpecs:\n- path: metadata/annotations\n  create: true\n- path: spec/template/metadata/annotations\n  create: true\n  kind: Deployment\n",
            "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: t, namespace: tns}\nsetRoleBindingSubjects: %s\nunsetOnly: %s\n" % (
                self.pick(["none", "allServiceAccounts", "defaultOnly"]), self.pick(["true", "false"])),
            "apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: t}\nimageTag: {name: nginx, newTag: v9}\nfieldSpecs:\n- path: spec/template/spec/containers[]/image\n",
            "apiVersion: builtin\nkind: ReplicaCountTransformer\nmetadata: {name: t}\nreplica: {name: web, count: 9}\nfieldSpecs:\n- path: spec/replicas\n  create: true\n  kind: Deployment\n",
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npatch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations/pt\", \"value\": \"x\"}]'\ntarget: %s\n" % self.selector(ids),
            "apiVersion: builtin\nkind: SuffixTransformer\nmetadata: {name: t}\nsuffix: -ts\nfieldSpecs:\n- path: metadata/name\n  kind: %s\n" % self.pick(ids)[0],
            "apiVersion: builtin\nkind: PrefixSuffixTransformer\nmetadata: {name: t}\nprefix: a-\nsuffix: -z\nfieldSpecs:\n- path: metadata/name\n",
            "apiVersion: builtin\nkind: HashTransformer\nmetadata: {name: t}\n",
            "apiVersion: builtin\nkind: PatchJson6902Transformer\nmetadata: {name: t}\ntarget: {version: v1, kind: %s, name: %s}\njsonOp: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"pj\": \"x\"}}]'\n" % self.pick(ids)[:2],
            "apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npatches: |-\n" + self.indented(self.strategic_patch(ids), 2),
            "apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {name: t}\nreplacements:\n" + self.replacement(ids),
            "apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: t}\nvalue: va\ntargets:\n- selector: {kind: ConfigMap}\n  fieldPath: data/k\n  filePathPosition: %d\n" % self.r.randint(0, 3),
        ])

    def kustomization(self, directory, resources, ids, component=False):
        out = HEADER if not component else "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        if resources:
            out += "resources:\n" + "".join("- %s\n" % r for r in resources)
        add = lambda p, text: text if self.maybe(p) else ""
        out += add(0.3, "namePrefix: %s-\n" % self.pick(["p", "dev", "x"]))
        out += add(0.2, "nameSuffix: -%s\n" % self.pick(["s", "v2"]))
        out += add(0.3, "namespace: %s\n" % self.pick(["prod", "newns", "default"]))
        out += add(0.15, "commonLabels:\n  common: %s\n" % self.pick(["x", "'1'"]))
        out += add(0.15, "commonAnnotations:\n  note: %s\n" % self.pick(["hello", "'true'"]))
        if self.maybe(0.3):
            out += "labels:\n- pairs: {team: a}\n" + self.pick(["", "  includeSelectors: true\n", "  includeTemplates: true\n",
                                                               "  fields:\n  - path: spec/custom/labels\n    create: true\n    kind: Widget\n"])
        if self.maybe(0.3):
            out += "images:\n- name: %s\n" % self.pick(["nginx", "busybox", "reg.io/team/app", "reg:5000/nginx", "app", "'ngin.*'"])
            out += self.pick(["  newTag: '2'\n", "  newName: other/img\n", "  digest: sha256:ffff\n", "  newName: o\n  newTag: v1\n", "  tagSuffix: -x\n", "  newTag: '1.10'\n"])
        scalable = [i[1] for i in ids if i[0] in ("Deployment", "StatefulSet")]
        if scalable and self.maybe(0.15):
            out += "replicas:\n- name: %s\n  count: 5\n" % self.pick(scalable)
        if self.maybe(0.35):
            out += "patches:\n"
            for _ in range(self.r.randint(1, 2)):
                if self.maybe(0.5):
                    out += "- patch: |-\n" + self.indented(self.strategic_patch(ids), 4)
                    if self.maybe(0.3):
                        out += "  target: %s\n" % self.selector(ids)
                        if self.maybe(0.2):
                            out += "  options: {%s}\n" % self.pick(["allowNameChange: true", "allowKindChange: true", "allowNameChange: true, allowKindChange: true"])
                else:
                    out += self.json_patch(ids)
        if self.maybe(0.1):
            self.files[directory + "/p.yaml"] = "---\n".join(self.strategic_patch(ids) for _ in range(self.r.randint(1, 2)))
            out += self.pick(["patchesStrategicMerge: [p.yaml]\n", "patchesStrategicMerge:\n- |-\n" + self.indented(self.strategic_patch(ids), 2)])
        for field in ("configMapGenerator", "secretGenerator"):
            if self.maybe(0.25):
                out += field + ":\n"
                for name in self.r.sample(NAMES, self.r.randint(1, 2)):
                    taken = any(i[0] == ("Secret" if field == "secretGenerator" else "ConfigMap") and i[1] == name for i in ids)
                    if taken and not self.maybe(0.03):
                        out += self.generator(name, directory, field == "secretGenerator", ["merge", "replace"])
                    elif directory == "base" or self.maybe(0.2):
                        out += self.generator(name, directory, field == "secretGenerator", ["create"])
                if out.endswith(field + ":\n"):
                    out = out[:-len(field) - 2]
        out += add(0.1, "generatorOptions: {%s}\n" % self.pick(["disableNameSuffixHash: true", "labels: {go: x}", "immutable: true"]))
        if self.maybe(0.25):
            if self.maybe(0.15):
                self.files[directory + "/rep.yaml"] = self.replacement(ids)
                out += "replacements:\n- path: rep.yaml\n"
            else:
                out += "replacements:\n" + "".join(self.replacement(ids) for _ in range(self.r.randint(1, 2)))
        if self.maybe(0.1):
            out += self.plugins(directory, "transformers", [self.transformer(ids) for _ in range(self.r.randint(1, 2))])
        out += self.extra_fields(directory, ids)
        if self.maybe(0.07):
            kind, name, _ = self.pick(ids)
            out += "vars:\n- name: V\n  objref: {kind: %s, name: %s, apiVersion: %s}\n" % (kind, name, "apps/v1" if kind in ("Deployment", "StatefulSet", "DaemonSet") else "v1")
        out += add(0.05, "buildMetadata: [%s]\n" % self.pick(["originAnnotations", "transformerAnnotations", "managedByLabel", "originAnnotations, transformerAnnotations",
                                                           "originAnnotations, transformerAnnotations, managedByLabel"]))
        out += add(0.1, self.sort_options())
        if self.maybe(0.03):
            out = out.replace("\n", "\r\n")
        self.files[directory + "/kustomization.yaml"] = out

    def manifests(self, directory):
        ids, names = [], []
        for k in range(self.r.randint(1, 2)):
            text, more = self.objects()
            if any(a[0] == b[0] and a[1] == b[1] for a in ids for b in more):
                continue
            self.files["%s/r%d.yaml" % (directory, k)] = text
            ids += more
            names.append("r%d.yaml" % k)
        return names + self.extra_resources(directory), ids

    def build(self):
        shape = self.r.randint(0, 4)
        names, ids = self.manifests("base" if shape else "top")
        if shape == 0:
            return self.kustomization("top", names, ids)
        self.kustomization("base", names, ids)
        if shape == 1:
            return self.kustomization("top", ["../base"], ids)
        if shape == 2:  # two overlays of one base
            for side in ("left", "right"):
                self.kustomization(side, ["../base"], ids)
                self.files[side + "/kustomization.yaml"] = "namePrefix: %s-\n" % side + "\n".join(
                    l for l in self.files[side + "/kustomization.yaml"].split("\n") if not l.startswith("namePrefix"))
            return self.kustomization("top", ["../left", "../right"], ids)
        if shape == 3:  # more objects on top
            more, more_ids = self.manifests("top")
            return self.kustomization("top", ["../base"] + more, ids + more_ids)
        self.kustomization("comp", [], ids, component=True)
        self.kustomization("top", ["../base"], ids)
        self.files["top/kustomization.yaml"] += "components: [../comp]\n"


def run(command, directory):
    done = subprocess.run(command + [directory], capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def as_files(command, directory, root):
    """What `-o DIR` writes: a map from names to texts, as one text; None when it fails."""
    out = os.path.join(root, "written")
    os.makedirs(out)
    done = subprocess.run(command + [directory, "-o", out], capture_output=True, timeout=60)
    files = {name: open(os.path.join(out, name), "rb").read() for name in sorted(os.listdir(out))}
    shutil.rmtree(out)
    return None if done.returncode else b"".join(b"# " + name.encode() + b"\n" + text for name, text in files.items())


def documented(files, wanted, got):
    """Is it one of the differences that docs/differences.md tells of?"""
    if got[0] and not wanted[0]:
        return "the value to write is no " in got[2] or "a map key must be a scalar" in got[2]  # kustomize lets a later step hide it; makes an empty annotation of it
    unhashed = lambda output: re.sub(rb"-[a-z0-9]{10}\b", b"", output[1])
    changes_kinds = any("allowKindChange" in text or "/kind" in text for text in files.values())
    return changes_kinds and not wanted[0] and not got[0] and unhashed(wanted) == unhashed(got)  # kustomize hashes line numbers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kustomize", required=True)
    parser.add_argument("--weber", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--keep", default="differences")
    parser.add_argument("--helm", default="")
    args = parser.parse_args()
    import wide  # which is made of what is above
    import wild
    wide.WideTree.helm = args.helm
    same = failed = known = different = 0
    for seed in range(args.seed, args.seed + args.count):
        root = tempfile.mkdtemp(prefix="kfuzz-")
        tree = (Tree if seed < wide.FIRST else wide.WideTree if seed < wild.FIRST else wild.WildTree)(seed)
        files = tree.files
        weber, reference = shlex.split(args.weber) + tree.flags, [args.kustomize, "build"] + tree.flags
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", newline="") as out:
                out.write(text.replace("@ROOT@", root))
        tree.prepare(root)
        wanted, got = run(reference, root + "/top"), run(weber, root + "/top")
        if seed % 8 == 0 and not wanted[0] and wanted[1] == got[1]:  # every eighth tree once more, as files
            written = as_files(reference, root + "/top", root), as_files(weber, root + "/top", root)
            if written[1] is not None:  # two objects of one file name are our error, as docs/differences.md says
                wanted, got = [(0, text, "") for text in written]
        if wanted[0] and got[0]:
            failed += 1
        elif not wanted[0] and not got[0] and wanted[1] == got[1]:
            same += 1
        elif documented(files, wanted, got):
            known += 1
        else:
            different += 1
            kept = os.path.join(args.keep, str(seed))
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(root, kept)
            for name, result in (("kustomize", wanted), ("weber", got)):
                with open(os.path.join(kept, name + ".out"), "wb") as out:
                    out.write(result[1] if not result[0] else result[2].encode())
        shutil.rmtree(root)
    print("%d the same, %d fail in both, %d differ as docs/differences.md says, %d differ" % (same, failed, known, different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
