#!/usr/bin/env python3
"""Writes ../bootstrap_data.cpp: the roles, their bindings and the flow control that a kube-apiserver makes in every cluster.

    tests/cluster/cluster.sh run --bare -- kube/server/gen/bootstrap_objects.py
"""
import glob
import json
import os
import subprocess
import time

kubectl = sorted(glob.glob(os.path.expanduser("~/.cache/weber-tools/kubectl/*/kubectl")))[-1]
KINDS = [("clusterroles.rbac.authorization.k8s.io", "system:controller:volumeattributesclass-protection-controller", ""),
         ("clusterrolebindings.rbac.authorization.k8s.io", "system:controller:volumeattributesclass-protection-controller", ""),
         ("roles.rbac.authorization.k8s.io", "system:controller:bootstrap-signer", "kube-public"),
         ("rolebindings.rbac.authorization.k8s.io", "system:controller:bootstrap-signer", "kube-public"),
         ("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "workload-low", ""),
         ("flowschemas.flowcontrol.apiserver.k8s.io", "service-accounts", "")]


def with_now(node):
    if isinstance(node, dict):
        return {k: "@now" if k == "lastTransitionTime" else with_now(v) for k, v in node.items()}
    return [with_now(n) for n in node] if isinstance(node, list) else node


def objects(kind, last, namespace):
    """`last`: one that is there when all are."""
    where = ["-n", namespace] if namespace else []
    subprocess.check_call([kubectl, "wait", "--for=create", "--timeout=60s", kind + "/" + last, *where], stdout=subprocess.DEVNULL)
    for o in json.loads(subprocess.check_output([kubectl, "get", kind, "-A", "-o", "json"]))["items"]:
        o["metadata"] = {k: o["metadata"][k] for k in ("name", "namespace", "labels", "annotations") if k in o["metadata"]}
        if "aggregationRule" in o or o.get("rules", 0) is None:
            o.pop("rules", None)
        group, plural = kind.split(".", 1)[1], kind.split(".", 1)[0]
        yield group + "/" + plural, with_now(o)


time.sleep(5)  # conditions of flow schemas come later than the schemas, and nothing tells that all have theirs
out = ["// Made by gen/bootstrap_objects.py from a kube-apiserver 1.36; do not edit.\n", '#include "kube/server/bootstrap.h"\n\n', "namespace weber::kube::server {\nnamespace {\n\n",
       "constexpr BootstrapObject kObjects[] = {\n"]
for kind in KINDS:
    for store_id, o in objects(*kind):
        out.append('    {"' + store_id + '", R"json(' + json.dumps(o, separators=(",", ":")) + ')json"},\n')
out += ["};\n\n} // namespace\n\nstd::span<const BootstrapObject> bootstrap_objects() { return kObjects; }\n\n", "} // namespace weber::kube::server\n"]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bootstrap_data.cpp"), "w", encoding="utf-8") as f:
    f.write("".join(out))
