#!/usr/bin/env python3
"""Writes ../table_columns_data.cpp: the columns of every built-in kind's table with their what they are about, as a real kube-apiserver gives them.

    tests/cluster/cluster.sh run --bare -- kube/server/gen/table_columns.py
"""
import json
import os
import ssl
import subprocess
import tempfile
import urllib.request
import base64
import glob

kubectl = sorted(glob.glob(os.path.expanduser("~/.cache/weber-tools/kubectl/*/kubectl")))[-1]
config = json.loads(subprocess.check_output([kubectl, "config", "view", "--raw", "-o", "json"]))
cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
context = ssl._create_unverified_context()
headers = {}
with tempfile.TemporaryDirectory() as folder:
    def file(data, path):
        if path:
            return path
        name = os.path.join(folder, str(len(os.listdir(folder))))
        with open(name, "wb") as f:
            f.write(base64.b64decode(data))
        return name

    if "client-certificate" in user or "client-certificate-data" in user:
        context.load_cert_chain(file(user.get("client-certificate-data"), user.get("client-certificate")), file(user.get("client-key-data"), user.get("client-key")))
    if "token" in user:
        headers["Authorization"] = "Bearer " + user["token"]

    def get(path, accept="application/json"):
        request = urllib.request.Request(cluster["server"] + path, headers={"Accept": accept, **headers})
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer)

    groups = [("/api/v1", "")] + [("/apis/" + g["preferredVersion"]["groupVersion"], g["name"]) for g in get("/apis")["groups"]]
    tables = {}
    for path, group in groups:
        for r in get(path)["resources"]:
            if "list" in r["verbs"] and "/" not in r["name"]:
                table = get(path + "/" + r["name"] + "?limit=1", "application/json;as=Table;v=v1;g=meta.k8s.io")
                tables[group + "/" + r["name"]] = table["columnDefinitions"]

texts = sorted({c["description"] for columns in tables.values() for c in columns})
out = ["// Made by gen/table_columns.py from a kube-apiserver 1.36; do not edit.\n", '#include "kube/server/table.h"\n\n', "namespace weber::kube::server {\nnamespace {\n\n",
       "// Descriptions, which come from the fields' documentation in the API, once each.\nconstexpr const char* kTexts[] = {\n"]
out += ["    " + json.dumps(t, ensure_ascii=False) + ",\n" for t in texts]
out += ["};\n\nconstexpr TableColumn kColumns[] = {\n"]
for resource, columns in sorted(tables.items()):
    out += ["    {%s, %s, %s, %s, %d, kTexts[%d]},\n" % (json.dumps(resource), json.dumps(c["name"]), json.dumps(c["type"]), json.dumps(c["format"]), c["priority"],
                                                     texts.index(c["description"])) for c in columns]
out += ["};\n\n} // namespace\n\nstd::span<const TableColumn> built_in_columns() { return kColumns; }\n\n} // namespace weber::kube::server\n"]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "table_columns_data.cpp"), "w", encoding="utf-8") as f:
    f.write("".join(out))
resources = sorted(tables)
print(len(resources), "kinds,", len(texts), "texts")
print("\n".join(resources))
