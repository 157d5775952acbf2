#!/usr/bin/env python3
"""Generates kube/server/go_forms_data.cpp: how Go writes each field of a built-in type (facts read from the Kubernetes API's type declarations).
usage: kube/server/gen/go_forms.py [GOPATH/pkg/mod] [SHARED_DATA_DIR]"""
import glob
import json
import os
import re
import sys

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
mods = sys.argv[1] if len(sys.argv) > 1 else os.path.expanduser("~/go/pkg/mod")
data = sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "..", "shared", "data")
VERSION = "v0.36.3"
definitions = json.load(open(os.path.join(data, "kubernetes-openapi-definitions.json")))
definitions = definitions.get("definitions", definitions)
SPECIAL = {"Quantity", "IntOrString", "Time", "MicroTime", "RawExtension", "FieldsV1", "Patch"}

PLACES = [  # definition prefix, folder of its packages
    ("io.k8s.apiextensions-apiserver.", "k8s.io/apiextensions-apiserver@" + VERSION),
    ("io.k8s.kube-aggregator.", "k8s.io/kube-aggregator@" + VERSION),
    ("io.k8s.apimachinery.", "k8s.io/apimachinery@" + VERSION),
    ("io.k8s.api.", "k8s.io/api@" + VERSION),
]

packages = {}  # folder -> (structs: name -> [(json, go type, options)], kinds: name -> underlying type)


def package(folder):
    if folder in packages:
        return packages[folder]
    structs, kinds, imports = {}, {}, {}
    packages[folder] = (structs, kinds, imports)
    for path in sorted(glob.glob(os.path.join(mods, folder, "*.go"))):
        if path.endswith("_test.go") or "zz_generated" in path or "generated.pb" in path:
            continue
        text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
        for alias, target in re.findall(r'^\s*(?:import\s+)?(\w+)?\s*"(k8s\.io/[^"]+)"', text, flags=re.M):
            imports[alias or target.rsplit("/", 1)[1]] = target
        for name, underlying in re.findall(r"^(?:type )?\s*(\w+)\s+=?\s*([\w.\[\]*]+)\s*$", text, flags=re.M):
            kinds.setdefault(name, underlying)
        for match in re.finditer(r"^type (\w+) (?:= )?([\w.\[\]*]+)[ \t]*(?://.*)?$", text, flags=re.M):
            kinds[match.group(1)] = match.group(2)
        for match in re.finditer(r"^type (\w+) struct \{\n(.*?)^\}", text, flags=re.M | re.S):
            kinds[match.group(1)] = "struct"
            fields = []
            for line in match.group(2).split("\n"):
                m = re.match(r'\s*(?:(\w+)\s+)?([^\s`]+)\s+`[^`]*json:"([^"]*)"', line)
                if m:
                    name, *options = m.group(3).split(",")
                    wire = re.search(r'protobuf:"[^,"]*,(\d+)', line)
                    fields.append((name, m.group(2), options, int(wire.group(1)) if wire else 0))
            structs[match.group(1)] = fields
    return packages[folder]


def folder_of(module):
    for name in ("api", "apimachinery", "apiextensions-apiserver", "kube-aggregator"):
        if module == "k8s.io/" + name or module.startswith("k8s.io/%s/" % name):
            return "k8s.io/%s@%s%s" % (name, VERSION, module[len("k8s.io/" + name):])
    return ""


def basic(folder, go):
    """The kind of a Go type: string, number, bool, struct, list, map, bytes, quantity, int_or_string, time, pointer, other."""
    if go.startswith("*"):
        return "pointer"
    if go in ("[]byte", "[]uint8"):
        return "bytes"
    if go.startswith("["):
        return "list"
    if go.startswith("map["):
        return "map"
    if go == "string":
        return "string"
    if go == "bool":
        return "bool"
    if re.fullmatch(r"u?int\d*|float\d*|byte", go):
        return "number"
    short = go.rsplit(".", 1)[-1]
    if short == "Quantity":
        return "quantity"
    if short == "IntOrString":
        return "int_or_string"
    if short in ("Time", "MicroTime"):
        return "time"
    if short in ("RawExtension", "FieldsV1", "JSON", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrStringArray", "Object"):
        return "other"
    if "." in go:
        alias, short = go.split(".", 1)
        target = package(folder)[2].get(alias)
        if not target:
            return "other"
        folder = folder_of(target)
        if not folder:
            return {"types.UID": "string"}.get(go, "other")
        return basic(folder, short)
    underlying = package(folder)[1].get(go)
    if underlying is None:
        return "other"
    if underlying == "struct":
        return "struct"
    return basic(folder, underlying)


def form(folder, go, options):
    kind = basic(folder, go)
    if kind == "pointer" or kind == "other":
        return "keep"
    if "omitzero" in options:
        return "drop_empty"
    if kind == "struct":
        return "always_map"
    if kind == "quantity":
        return "always_quantity"
    if kind == "int_or_string":
        return "always_zero"
    if kind == "time":
        return "always_null"
    if "omitempty" in options:
        return "drop_empty"
    return {"string": "always_text", "number": "always_zero", "bool": "always_false", "list": "always_null", "map": "always_null",
            "bytes": "always_null"}[kind]


def word(folder, go):
    """The type as encoding/json names it in an error: pointers are followed, named types keep their package."""
    go = go.lstrip("*")
    if go.startswith("[]"):
        return "[]" + ("*" if go[2:].startswith("*") else "") + ("uint8" if go[2:] == "byte" else word(folder, go[2:]))
    if go.startswith("map["):
        key, _, value = go[4:].partition("]")
        return "map[%s]%s" % (word(folder, key), ("*" if value.startswith("*") else "") + word(folder, value))
    if re.fullmatch(r"string|bool|u?int\d*|float\d*|byte|interface\{\}", go):
        return go
    if "." in go:
        alias, short = go.split(".", 1)
        return package(folder)[2].get(alias, alias).rsplit("/", 1)[-1] + "." + short
    return os.path.basename(folder).split("@")[0] + "." + go


def fields(folder, name, numbers=()):
    """JSON name -> (form, wire numbers from the outermost message inwards: embedded structs are messages of their own)."""
    structs = package(folder)[0]
    out = {}
    kinds = package(folder)[1]
    if name not in structs and name in kinds and kinds[name] != "struct":  # an alias of another struct
        target = kinds[name]
        return fields(folder, target, numbers) if "." not in target else {}
    for json_name, go, options, number in structs.get(name, []):
        inner = numbers + ((number,) if number else ())
        if go.endswith("TypeMeta"):  # in the envelope, not on the wire
            continue
        if "inline" in options and not json_name:
            target = go.lstrip("*")
            if "." in target:
                alias, short = target.split(".", 1)
                module = package(folder)[2].get(alias, "")
                out.update(fields(folder_of(module), short, inner) if folder_of(module) else {})
            else:
                out.update(fields(folder, target, inner))
        elif json_name and json_name != "-":
            out[json_name] = (form(folder, go, options), inner if number else (), word(folder, go))
    return out


forms = []
wires = []
places = []
words = []
unknown = []
for name in sorted(definitions):
    if "properties" not in definitions[name] or name.rsplit(".", 1)[1] in SPECIAL:
        continue
    prefix, module = next((p, f) for p, f in PLACES if name.startswith(p))
    parts = name[len(prefix):].split(".")
    folder = os.path.join(module, *parts[:-1])
    known = fields(folder, parts[-1])
    for field in sorted(definitions[name]["properties"]):
        if field not in known and field not in ("apiVersion", "kind"):
            unknown.append("%s.%s" % (name, field))
        mode, numbers, go_word = known.get(field, ("keep", (), "string"))
        words.append(go_word)
        # Fields of TypeMeta come first; it is embedded at the top of every struct that has it.
        places.append(list(known).index(field) + 2 if field in known else {"kind": 0, "apiVersion": 1}.get(field, 255))
        forms.append(mode)
        assert len(numbers) <= 3 and all(n < 256 for n in numbers), (name, field, numbers)
        wires.append(sum(n << (8 * i) for i, n in enumerate(numbers)))

letters = {"keep": "k", "drop_empty": "d", "always_map": "m", "always_text": "t", "always_zero": "z", "always_false": "f", "always_null": "n",
           "always_quantity": "q"}
text = "".join(letters[f] for f in forms)
with open(os.path.join(root, "kube", "server", "go_forms_data.cpp"), "w") as out:
    out.write("""// Generated by kube/server/gen/go_forms.py from the Kubernetes 1.36 API types: do not edit.
#include <iterator>

#include "kube/base/schema_tables.h"
#include "kube/server/go_forms.h"

namespace weber::kube::server {

// One letter a row of schema_tables::kFieldRows, see GoForm.
constexpr std::string_view kRows =
""")
    for i in range(0, len(text), 120):
        out.write('    "%s"\n' % text[i:i + 120])
    out.write("""    ;
static_assert(kRows.size() == schema_tables::kFieldCount);

// Protobuf numbers of the same rows, see proto_number.
constexpr std::uint32_t kNumbers[] = {
""")
    for i in range(0, len(wires), 20):
        out.write("    %s,\n" % ", ".join(str(w) for w in wires[i:i + 20]))
    out.write("""};
static_assert(std::size(kNumbers) == schema_tables::kFieldCount);

// Places of the same rows in their structs, see go_place.
constexpr std::uint8_t kPlaces[] = {
""")
    for i in range(0, len(places), 30):
        out.write("    %s,\n" % ", ".join(str(w) for w in places[i:i + 30]))
    out.write("""};
static_assert(std::size(kPlaces) == schema_tables::kFieldCount);

// Go's types, and which one each row has, see go_type_word.
constexpr std::string_view kWords[] = {
""")
    known_words = sorted(set(words))
    for w in known_words:
        out.write('    "%s",\n' % w)
    out.write("""};
constexpr std::uint16_t kWordOf[] = {
""")
    for i in range(0, len(words), 25):
        out.write("    %s,\n" % ", ".join(str(known_words.index(w)) for w in words[i:i + 25]))
    out.write("""};
static_assert(std::size(kWordOf) == schema_tables::kFieldCount);

static std::size_t row_of(const FieldSchema& field) { return static_cast<std::size_t>(&field - schema_tables::tables().fields.data()); }

std::uint32_t proto_number(const FieldSchema& field) { return kNumbers[row_of(field)]; }

std::string_view go_type_word(const FieldSchema& field) { return kWords[kWordOf[row_of(field)]]; }

std::uint8_t go_place(const FieldSchema& field) { return kPlaces[row_of(field)]; }

GoForm go_form(const FieldSchema& field) { return static_cast<GoForm>(kRows[row_of(field)]); }

} // namespace weber::kube::server
""")
print("%d fields, %d unknown: %s" % (len(forms), len(unknown), " ".join(unknown[:40])))
