#!/usr/bin/env python3
"""Writes ../bootstrap_data.cpp: the ClusterRoles and their bindings that every cluster has for people (not those of its own components),
as a real kube-apiserver makes them.

    tests/cluster/cluster.sh run --bare -- kube/server/gen/bootstrap_roles.py
"""
import glob
import json
import os
import subprocess

kubectl = sorted(glob.glob(os.path.expanduser("~/.cache/weber-tools/kubectl/*/kubectl")))[-1]
ROLES = ["admin", "cluster-admin", "edit", "view", "system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view",
         "system:auth-delegator", "system:basic-user", "system:discovery", "system:monitoring", "system:public-info-viewer",
         "system:service-account-issuer-discovery"]
BINDINGS = ["cluster-admin", "system:basic-user", "system:discovery", "system:monitoring", "system:public-info-viewer",
            "system:service-account-issuer-discovery"]


def objects(kind, names):
    for name in names:
        subprocess.check_call([kubectl, "wait", "--for=create", "--timeout=60s", kind + "/" + name], stdout=subprocess.DEVNULL)
        o = json.loads(subprocess.check_output([kubectl, "get", kind, name, "-o", "json"]))
        o["metadata"] = {k: o["metadata"][k] for k in ("name", "labels", "annotations") if k in o["metadata"]}
        if o.get("rules") is None:
            o.pop("rules", None)
        yield o


def text(o):
    return '    R"json(' + json.dumps(o, separators=(",", ":")) + ')json",\n'


out = ["// Made by gen/bootstrap_roles.py from a kube-apiserver 1.36; do not edit.\n", '#include "kube/server/bootstrap.h"\n\n', "namespace weber::kube::server {\nnamespace {\n\n",
       "constexpr std::string_view kRoles[] = {\n"]
out += [text(o) for o in objects("clusterrole", ROLES)]
out += ["};\n\nconstexpr std::string_view kBindings[] = {\n"]
out += [text(o) for o in objects("clusterrolebinding", BINDINGS)]
out += ["};\n\n} // namespace\n\nstd::span<const std::string_view> bootstrap_roles() { return kRoles; }\nstd::span<const std::string_view> bootstrap_bindings() { return kBindings; }\n\n",
        "} // namespace weber::kube::server\n"]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bootstrap_data.cpp"), "w", encoding="utf-8") as f:
    f.write("".join(out))
