#!/usr/bin/env python3
"""Writes a tree of kustomizations for bench/build.sh: generate.py SHAPE OBJECTS DIR. The directory to build is DIR/top.

Shapes: flat (one file, prefix, namespace, labels with selectors, one image), overlays (many overlays of one base of 20 objects),
deep (10 bases on top of each other, objects spread over them), references (generated names, prefix, labels), replacements."""
import os
import sys

SERVICE_ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: sa-{i}
"""
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: cm-{i}
data:
  key: value-{i}
  config.yaml: |
    server:
      port: {port}
      host: host-{i}.example.com
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: svc-{i}
spec:
  ports:
  - name: http
    port: 80
    targetPort: 8080
  selector:
    app: app-{i}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{i}
  labels:
    app: app-{i}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app-{i}
  template:
    metadata:
      labels:
        app: app-{i}
    spec:
      serviceAccountName: sa-{sa}
      containers:
      - name: main
        image: nginx:1.25
        args: ["--config", "/etc/app/config.yaml"]
        env:
        - name: KEY
          valueFrom:
            configMapKeyRef:
              name: {config}
              key: key
        ports:
        - containerPort: 8080
        resources:
          requests:
            cpu: 100m
            memory: 64Mi
        volumeMounts:
        - name: config
          mountPath: /etc/app
      volumes:
      - name: config
        configMap:
          name: {config}
"""
HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
ALL_TRANSFORMS = """namePrefix: p-
namespace: bench
labels:
- pairs:
    team: bench
  includeSelectors: true
images:
- name: nginx
  newTag: "1.27"
"""


def one_object(i, config=None):
    """Objects by turns; a Deployment refers to the ServiceAccount and the ConfigMap before it."""
    text = (SERVICE_ACCOUNT, CONFIG_MAP, SERVICE, DEPLOYMENT)[i % 4]
    return text.format(i=i, sa=i - 3, port=8000 + i % 1000, config=config or "cm-%d" % (i - 2))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def objects(first, count, config=None):
    return "---\n".join(one_object(i, config(i) if config else None) for i in range(first, first + count))


def flat(n, root):
    write(root + "/top/all.yaml", objects(0, n))
    write(root + "/top/kustomization.yaml", HEADER + ALL_TRANSFORMS + "resources:\n- all.yaml\n")


def overlays(n, root):
    size = 20
    write(root + "/base/all.yaml", objects(0, size))
    write(root + "/base/kustomization.yaml", HEADER + "resources:\n- all.yaml\n")
    for k in range(n // size):
        write("%s/o%d/kustomization.yaml" % (root, k), HEADER + "namePrefix: o%d-\nnamespace: ns-%d\ncommonLabels:\n  overlay: o%d\nresources:\n- ../base\n"
              "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /spec/replicas, value: 3}\n" % (k, k, k))
    write(root + "/top/kustomization.yaml", HEADER + "resources:\n" + "".join("- ../o%d\n" % k for k in range(n // size)))


def deep(n, root):
    levels, size = 10, n // 10 // 4 * 4
    for k in range(levels):
        name = "top" if k == levels - 1 else "l%d" % k
        below = "- ../l%d\n" % (k - 1) if k else ""
        write("%s/%s/all.yaml" % (root, name), objects(k * size, size if k < levels - 1 else n - k * size))
        write("%s/%s/kustomization.yaml" % (root, name), HEADER + "namePrefix: l%d-\nlabels:\n- pairs:\n    level-%d: x\nresources:\n- all.yaml\n%s" % (k, k, below))


def references(n, root):
    """Every fourth object is a generated ConfigMap, referred to by a Deployment."""
    texts, generators = [], []
    for i in range(n):
        if i % 4 == 1:
            generators.append("- name: cm-%d\n  literals: [key=value-%d]\n" % (i, i))
        else:
            texts.append(one_object(i))
    write(root + "/top/all.yaml", "---\n".join(texts))
    write(root + "/top/kustomization.yaml", HEADER + "namePrefix: p-\nlabels:\n- pairs:\n    team: bench\n  includeSelectors: true\nresources:\n- all.yaml\n"
          "configMapGenerator:\n" + "".join(generators))


def replacements(n, root):
    """One replacement for each hundred objects, from a ConfigMap to the Deployment named; one more to all Deployments."""
    text = ""
    for i in range(0, n, 100):
        text += ("- source: {kind: ConfigMap, name: cm-%d, fieldPath: data.key}\n  targets:\n  - select: {kind: Deployment, name: app-%d}\n"
                 "    fieldPaths: ['spec.template.spec.containers.[name=main].env.[name=KEY].value']\n    options: {create: true}\n" % (i + 1, i + 3))
    text += ("- source: {kind: ConfigMap, name: cm-1, fieldPath: data.key}\n  targets:\n  - select: {kind: Deployment}\n"
             "    fieldPaths: [spec.template.metadata.labels.from]\n    options: {create: true}\n")
    write(root + "/top/all.yaml", objects(0, n))
    write(root + "/top/kustomization.yaml", HEADER + "namePrefix: p-\nresources:\n- all.yaml\nreplacements:\n" + text)


SHAPES = {"flat": flat, "overlays": overlays, "deep": deep, "references": references, "replacements": replacements}

if __name__ == "__main__":
    SHAPES[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
