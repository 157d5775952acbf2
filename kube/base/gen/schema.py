#!/usr/bin/env python3
"""Generates kube/base/schema_data/*.cpp from ../shared/data (facts only).   usage: kube/base/gen/schema.py [SHARED_DATA_DIR]"""
import json
import os
import sys

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
data = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "..", "shared", "data")
definitions = json.load(open(os.path.join(data, "kubernetes-openapi-definitions.json")))
definitions = definitions.get("definitions", definitions)
resources = json.load(open(os.path.join(data, "kubernetes-resources.json")))
out_dir = os.path.join(root, "kube", "base", "schema_data")

PREFIX = "#/definitions/"
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int_or_string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro_time",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
}
# Defaults of list-map keys that the OpenAPI document in shared/data does not carry (core/v1 defaults.go).
KEY_DEFAULTS = {("ContainerPort", "protocol"): "tcp", ("ServicePort", "protocol"): "tcp"}
# Keys that every object has: used as list-map keys only when a type says so.
SHORT = {
    "componentstatuses": ["cs"], "configmaps": ["cm"], "endpoints": ["ep"], "events": ["ev"], "limitranges": ["limits"],
    "namespaces": ["ns"], "nodes": ["no"], "persistentvolumeclaims": ["pvc"], "persistentvolumes": ["pv"], "pods": ["po"],
    "replicationcontrollers": ["rc"], "resourcequotas": ["quota"], "serviceaccounts": ["sa"], "services": ["svc"],
    "customresourcedefinitions": ["crd", "crds"], "daemonsets": ["ds"], "deployments": ["deploy"], "replicasets": ["rs"],
    "statefulsets": ["sts"], "horizontalpodautoscalers": ["hpa"], "cronjobs": ["cj"], "certificatesigningrequests": ["csr"],
    "ingresses": ["ing"], "networkpolicies": ["netpol"], "poddisruptionbudgets": ["pdb"], "priorityclasses": ["pc"],
    "storageclasses": ["sc"], "volumeattributesclasses": ["vac"], "ipaddresses": ["ip"],
}
ALL = {"pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "horizontalpodautoscalers",
       "cronjobs", "jobs"}
API_EXTENSIONS = {"mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies",
                  "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
                  "customresourcedefinitions", "apiservices"}
VERBS = {"post": "create", "put": "update"}

types = []       # C++ initialisers of TypeSchema, in order
type_index = {}  # initialiser -> index
objects = {}     # definition -> index of its TypeSchema
fields_of = {}   # definition -> list of (name, type index, required, key default)
key_lists = {}   # tuple of keys -> name


def cstr(s):
    return '"%s"' % s


def key_list(keys):
    keys = tuple(keys)
    return key_lists.setdefault(keys, len(key_lists))


def add(text):
    if text not in type_index:
        type_index[text] = len(types)
        types.append(text)
    return type_index[text]


def patch_bits(p):
    strategy = (p.get("x-kubernetes-patch-strategy") or "").split(",")
    bits = []
    if "merge" in strategy:
        bits.append(".patch_merge = true")
    if "replace" in strategy:
        bits.append(".patch_replace_keys = true")
    if "retainKeys" in strategy:
        bits.append(".patch_retain_keys = true")
    if p.get("x-kubernetes-patch-merge-key"):
        bits.append(".patch_merge_key = %s" % cstr(p["x-kubernetes-patch-merge-key"]))
    return bits


def initialiser(kind, *parts):
    return "{" + ", ".join([".kind = TypeKind::" + kind] + [p for p in parts if p]) + "}"


def of_definition(name, p=None):
    p = p or {}
    if name in SPECIAL:
        special = SPECIAL[name]
        if special == "any":
            return add(initialiser("any", ".atomic = true"))
        return add(initialiser(special))
    d = definitions[name]
    if "properties" not in d:
        if d.get("type") == "object":
            return add(initialiser("object", ".atomic = true" if d.get("x-kubernetes-map-type") == "atomic" else ""))
        return add(initialiser("any", ".atomic = true"))
    map_type = p.get("x-kubernetes-map-type", d.get("x-kubernetes-map-type"))
    bits = [".atomic = true" if map_type == "atomic" else ""] + patch_bits(p) + [".fields = FIELDS(%s)" % name]
    index = add(initialiser("object", *bits))
    if name not in fields_of:
        fields_of[name] = None  # being made: recursion ends here
        required = set(d.get("required", []))
        rows = []
        for field in sorted(d["properties"]):
            rows.append((field, of_property(d["properties"][field]), field in required, d["properties"][field]))
        fields_of[name] = rows
    return index


def of_property(p):
    if "$ref" in p:
        return of_definition(p["$ref"][len(PREFIX):], p)
    kind = p.get("type")
    if kind == "array":
        element = of_property(p["items"])
        list_type = p.get("x-kubernetes-list-type", "atomic")
        bits = [".list_type = ListType::%s" % list_type if list_type != "atomic" else ""] + patch_bits(p)
        bits.append(".element = %d" % element)
        if p.get("x-kubernetes-list-map-keys"):
            bits.append(".keys = %d" % key_list(p["x-kubernetes-list-map-keys"]))
        return add(initialiser("list", *bits))
    if kind == "object":
        atomic = ".atomic = true" if p.get("x-kubernetes-map-type") == "atomic" else ""
        if "additionalProperties" in p:
            return add(initialiser("map", atomic, *patch_bits(p), ".element = %d" % of_property(p["additionalProperties"])))
        return add(initialiser("object", atomic, ".preserve_unknown = true"))
    if kind == "string":
        return add(initialiser("bytes" if p.get("format") == "byte" else "string", *patch_bits(p)))
    return add(initialiser({"integer": "integer", "number": "number", "boolean": "boolean"}.get(kind, "any")))


def short_name(definition):
    for prefix in ("io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apiextensions-apiserver.pkg.apis.", "io.k8s.kube-aggregator.pkg.apis.",
                   "io.k8s.apimachinery.pkg."):
        if definition.startswith(prefix):
            return definition[len(prefix):]
    return definition


for name in sorted(definitions):
    objects[name] = of_definition(name)

key_fields = set()  # (definition, field) used as a list-map key somewhere
for name in definitions:
    for p in definitions[name].get("properties", {}).values():
        if p.get("x-kubernetes-list-map-keys") and "$ref" in p.get("items", {}):
            for key in p["x-kubernetes-list-map-keys"]:
                key_fields.add((p["items"]["$ref"][len(PREFIX):], key))


def key_default(definition, field, required, p):
    if (definition, field) not in key_fields:
        return ""
    special = KEY_DEFAULTS.get((definition.rsplit(".", 1)[1], field))
    if special:
        return "KeyDefault::%s" % special
    if not required:
        return ""
    return {"string": "KeyDefault::empty_string", "integer": "KeyDefault::zero"}.get(p.get("type"), "")


HEADER = """// Generated by kube/base/gen/schema.py from the Kubernetes 1.36 OpenAPI document: do not edit.
#include "kube/base/schema_tables.h"

namespace weber::kube::schema_tables {

"""
os.makedirs(out_dir, exist_ok=True)
offsets = {}
rows = []
for name in sorted(fields_of):
    offsets[name] = (len(rows), len(fields_of[name]))
    for field, index, required, p in fields_of[name]:
        extra = ", .required = true" if required else ""
        default = key_default(name, field, required, p)
        if default:
            extra += ", .key_default = " + default
        rows.append("    {.name = %s, .type = %d%s}," % (cstr(field), index, extra))

with open(os.path.join(out_dir, "fields.cpp"), "w") as f:
    f.write(HEADER)
    f.write("constinit const FieldRow kFieldRows[kFieldCount] = {\n" + "\n".join(rows) + "\n};\n\n} // namespace weber::kube::schema_tables\n")

with open(os.path.join(out_dir, "types.cpp"), "w") as f:
    f.write(HEADER + "constinit const KeyListRow kKeyListRows[kKeyListCount] = {\n")
    for keys in key_lists:
        f.write("    {%s},\n" % ", ".join(cstr(k) for k in keys))
    f.write("};\n\nconstinit const TypeRow kTypeRows[kTypeCount] = {\n")
    for text in types:
        if "FIELDS(" in text:
            begin = text.index("FIELDS(")
            end = text.index(")", begin)
            text = text[:begin] + "{%d, %d}" % offsets[text[begin + 7:end]] + text[end + 1:]
        f.write("    %s,\n" % text)
    f.write("};\n\n")
    f.write("constinit const Definition kDefinitions[kDefinitionCount] = {\n")
    for name in sorted(definitions, key=short_name):
        f.write("    {%s, %d},\n" % (cstr(short_name(name)), objects[name]))
    f.write("};\n\n")
    kinds = []
    for name, d in definitions.items():
        for g in d.get("x-kubernetes-group-version-kind", []):
            if g["kind"] != "DeleteOptions" and g["kind"] != "WatchEvent":
                kinds.append((g["group"], g["version"], g["kind"], objects[name]))
    f.write("constinit const KindRow kKinds[kKindCount] = {\n")
    for row in sorted(kinds):
        f.write("    {%s, %s, %s, %d},\n" % (cstr(row[0]), cstr(row[1]), cstr(row[2]), row[3]))
    f.write("};\n\n} // namespace weber::kube::schema_tables\n")

names = {}  # tuple of strings -> array name


def strings(values):
    values = tuple(values)
    if not values:
        return "{}"
    return names.setdefault(values, "kNames%d" % len(names))


main_rows = []
subs = {}
for r in resources:
    if "/" in r["resource"]:
        subs.setdefault((r["group"], r["version"], r["resource"].split("/")[0]), []).append(r["resource"].split("/", 1)[1])
for r in sorted((r for r in resources if "/" not in r["resource"]), key=lambda r: (r["group"], r["version"], r["resource"])):
    verbs = {VERBS.get(v, v) for v in r["verbs"]}
    if "list" in verbs and r["resource"] != "componentstatuses":
        verbs.add("watch")
    plural = r["resource"]
    categories = (["all"] if plural in ALL else []) + (["api-extensions"] if plural in API_EXTENSIONS else [])
    main_rows.append("    {.group = %s, .version = %s, .plural = %s, .singular = %s, .kind = %s, .namespaced = %s, .verbs = %s, .short_names = %s, "
                     ".categories = %s, .subresources = %s}," % (
                         cstr(r["group"]), cstr(r["version"]), cstr(plural), cstr(r["kind"].lower()), cstr(r["kind"]),
                         "true" if r["namespaced"] else "false", strings(sorted(verbs)), strings(SHORT.get(plural, [])), strings(categories),
                         strings(sorted(set(subs.get((r["group"], r["version"], plural), []))))))
with open(os.path.join(out_dir, "resources.cpp"), "w") as f:
    f.write(HEADER + "namespace {\n\n")
    for values, array in names.items():
        f.write("constexpr std::string_view %s[] = {%s};\n" % (array, ", ".join(cstr(v) for v in values)))
    f.write("\n} // namespace\n\nconstinit const ResourceFacts kResourceRows[] = {\n" + "\n".join(main_rows) +
            "\n};\nconst std::span<const ResourceFacts> kResources(kResourceRows);\n\n} // namespace weber::kube::schema_tables\n")
with open(os.path.join(out_dir, "sizes.h"), "w") as f:
    f.write("// Generated by kube/base/gen/schema.py: do not edit.\n#pragma once\n\n#include <cstddef>\n\nnamespace weber::kube::schema_tables {\n\n"
            + "".join("inline constexpr std::size_t k%sCount = %d;\n" % size for size in
                      (("Type", len(types)), ("Field", len(rows)), ("KeyList", len(key_lists)), ("Definition", len(definitions)), ("Kind", len(kinds))))
            + "\n} // namespace weber::kube::schema_tables\n")
print("%d types, %d fields, %d definitions, %d resources" % (len(types), len(rows), len(definitions), len(main_rows)))
