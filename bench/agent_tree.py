#!/usr/bin/env python3
"""The tree of bench/agent.sh: agent_tree.py N DIR writes DIR/source, DIR/source.yaml and DIR/kustomizations.yaml."""
import os
import sys

APP = """apiVersion: v1
kind: ServiceAccount
metadata: {{name: a{0}, namespace: default}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: a{0}, namespace: default}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: a{0}}}}}
  template:
    metadata: {{labels: {{app: a{0}}}}}
    spec: {{serviceAccountName: a{0}, containers: [{{name: c, image: nginx}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: a{0}, namespace: default}}
spec: {{selector: {{app: a{0}}}, ports: [{{port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: a{0}, namespace: default}}
spec: {{rules: [{{host: a{0}.example.org, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: a{0}, port: {{number: 80}}}}}}}}]}}}}]}}
"""
KUSTOMIZATION = """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: a{0}, namespace: default}}
spec: {{interval: 1h, path: ./apps/a{0}, prune: true, wait: true, sourceRef: {{kind: GitRepository, name: fleet}}}}
"""
SOURCE = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: default}
spec: {interval: 1h, url: "https://example.org/fleet.git"}
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


n, root = int(sys.argv[1]), sys.argv[2]
for i in range(n):
    write(f"{root}/source/apps/a{i}/app.yaml", APP.format(i))
write(f"{root}/source.yaml", SOURCE)
write(f"{root}/kustomizations.yaml", "".join(KUSTOMIZATION.format(i) for i in range(n)))
