"""Trees written by somebody careless: comments, odd scalars, repeated keys and anchors anywhere, shapes of schemas, generators over several overlays, vars in
nested components, functions, resources over http. Seeds from FIRST on stand for these."""
import http.server
import json
import os
import re
import threading

import fuzz
import wide

FIRST = 10 ** 13

ODD_SCALARS = ["|+\n{i}  a  \n{i}  b\n\n", ">-\n{i}  a  \n{i}  b\n\n{i}  c", ">+\n{i}  a\n\n\n{i}  b\n\n", "|-\n{i}  x\n{i}   \n{i}  y", ">2-\n{i}     led\n{i}  in", "|\n{i}  \tTab\n{i}  end",
               "\"a\\\n{i}   b\"", "'a\n\n{i}  b'", "a\n{i}  b\n\n{i}  c", "\"\\x41\\u263A\\U0001F600\"", "日本語: x".replace(": ", ":"), "'\U0001F600 #'", "\"\\e[0m\"", "\u00a0x", "x\u2028y", "'" + "long word " * 30 + "'",
               "long word " * 30 + "end", "x" * 400, "\"" + "q\\\" " * 60 + "\"", "!!str yes", "!!int '7'", "!!binary YQ==", "!local v", "&a1 v", "0b101", "0o7", "08", "1__0", "1e", 
               "190:20:30", "2001-12-14 21:59:43.10 -5", "2020-1-1", "12e03", "-2E+05", ".5", "5.", "0.10", "1_0.5", "0x_F", "TRUE", "False", "NULL", "Null", "nUll", "~x", "on", "NO", "{a}", "'#'", "\"\"", "\\n", "<", "a&b", "'{{ .x }}'",
               "${A}", "$(V)", "x\t#y", "x #", "'a''b'", "\"\\/\"", "'---'", "\"--- x\"", "'|'", "'>'", "=", "'='", "9007199254740993", "1.0e+400", "-0", "-0.0", "1e21", "123456789012345678901234567890", "0.1e-6", "1e6", "1000000.0"]

BAD_SCALARS = ["`x`", "%x", "x: ", "[", "&amp;", "- x", "? x", "|2\n{i}    led\n{i}  in", "{{ x }}", "---", "...", "!Own [", "*none", "\"\\q\"", ".inf", "x\x01"]

COMMENTS = ["# c", "#c", "#", "# {a: b}", "# - x", "# é", "## # x", "#: y"]

CRDS = [  # several shapes in which a type may tell of references
    lambda kind, name: {"example.com/v1." + kind: {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, "spec": {"$ref": name}}}},
                        name: {"Schema": {"properties": {"conf": {"type": "object", "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"}}}}},
    lambda kind, name: {name: {"Schema": {"properties": {"kind": {"type": "string"}, "apiVersion": {"type": "string"}, "metadata": {"$ref": "m"}, "spec": {"properties": {
        "key": {"properties": {"secretName": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "Secret"}}}}}}}}},
    lambda kind, name: {"github.com/x/v1." + kind: {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, "spec": {"$ref": name}}}},
                        name: {"Schema": {"properties": {"key": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "Secret",
                                                               "x-kubernetes-object-ref-name-key": "secretName"},
                                                         "confs": {"type": "array", "items": {"$ref": name}}, "chosen": {"x-kubernetes-label-selector": ""}, "noted": {"x-kubernetes-annotation": ""},
                                                         "who": {"x-kubernetes-identity": ""}}}}},
]

PATHS = ["spec.template.spec.containers.[name=main].image", "spec.template.spec.containers.[name=.*].image", "spec.template.spec.containers.*.name", "spec.template.spec.containers.[image=nginx].image",
         "spec.template.spec.containers.1.image", "spec.template.metadata.labels.new", "metadata.annotations.a\\.b", "metadata.annotations.[a.b/c]", "metadata.labels.[app]", "spec.list.[name=new].v",
         "spec.list.*.v", "spec.list.2", "spec.list.-", "data.k", "data.a\\.b", "data.[a.b]", "spec.deep", "spec.deep.x", "spec.ports.[port=80].name", "spec.ports.*.port", "spec.rules.*.host", "spec.replicas", "kind",
         "metadata.name", "metadata.namespace", "subjects.*.namespace", "roleRef.name", "spec", "metadata.labels", "spec.template.spec.containers.*.env.[name=A].value", "spec.template.spec.volumes.0.configMap.name"]


class Server:
    """Serves texts by their paths; one for the process."""
    texts = {}
    port = 0

    @classmethod
    def start(cls):
        if cls.port:
            return

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                text = cls.texts.get(self.path.split("?")[0])
                self.send_response(404 if text is None else 200)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class WildTree(wide.WideTree):
    def build(self):
        super().build()
        if self.maybe(0.3):
            self.overlays()
        if self.maybe(0.25):
            self.nested_components()
        if self.maybe(0.12):
            self.over_http()
        if self.maybe(0.05):
            self.function()
        for path in list(self.files):
            manifest = re.search(r"/(r\d|outside|o|anchors|local)\.yaml$", path)
            if manifest and self.maybe(0.6):
                self.files[path] = self.careless(self.files[path])
            elif path.endswith("/kustomization.yaml") and self.maybe(0.25):
                self.files[path] = self.commented(self.files[path])
            if path.endswith(".yaml") and not path.startswith("top/charts") and self.maybe(0.04):
                self.files[path] = "\ufeff" + self.files[path]

    # ---- texts ------------------------------------------------------------------------------------------------------
    def commented(self, text):
        """Comments on lines of their own and behind values, outside of block scalars."""
        out, block = [], None
        for line in text.split("\n"):
            indent = len(line) - len(line.lstrip(" "))
            if block is not None and (not line.strip() or indent > block):
                out.append(line)
                continue
            block = indent if re.search(r"[|>][-+0-9]*\r?$", line) else None
            if self.maybe(0.08):
                out.append(" " * self.pick([0, indent, indent + 2]) + self.pick(COMMENTS))
            if line.strip() and block is None and not line.endswith("\r") and "'" not in line and '"' not in line and self.maybe(0.08):
                line += self.pick(["  ", " "]) + self.pick(COMMENTS + ["", " "])
            out.append(line)
        return "\n".join(out)

    def careless(self, text):
        if "\r" in text:
            return text
        lines = text.split("\n")
        for _ in range(self.r.randint(1, 3)):
            places = [i for i, l in enumerate(lines) if re.match(r"^ +[\w.]+: [\w']+$", l) and "name:" not in l and "app:" not in l]
            if not places:
                break
            i = self.pick(places)
            key, _ = lines[i].split(": ", 1)
            indent = len(key) - len(key.lstrip(" "))
            choice = self.r.randint(0, 11)
            if choice < 8:
                lines[i] = key + ": " + self.pick(ODD_SCALARS if self.maybe(0.97) else BAD_SCALARS).replace("{i}", " " * indent)
            elif choice == 8:
                lines[i] = key + ": " + self.pick(["{a: 1, b: [x, 'y'], ? c}", "[a, [b, {c: d}], ]", "{}", "[ ]", "{a: , b: ~}", "[a,\n%s  b]" % (" " * indent), "{a: b, # c\n%s  d: e}" % (" " * indent)])
            elif choice == 9:
                lines[i] = " " * indent + self.pick(['"%s"', "'%s'", "? %s\n" + " " * indent]) % key.strip() + ": " + self.pick(["v", "'1'"])
            elif choice == 10 and self.maybe(0.15):
                lines[i] += "\n" + lines[i]  # the key again
            else:
                lines[i] = key + ":" + self.pick(["\n" + " " * (indent + 3) + "v", "   v", "\t v", "\n\n" + " " * (indent + 1) + "'v'", " v   ", "\n" + " " * indent + "  # c\n" + " " * indent + "  v"])
        text = "\n".join(lines)
        return self.commented(text) if self.maybe(0.5) else text

    # ---- shapes -----------------------------------------------------------------------------------------------------
    def replacement(self, ids):
        if self.maybe(0.4):
            return super().replacement(ids)
        kind, name, namespace = self.pick(ids)
        fields = ["kind: %s" % kind, "name: %s" % name] + (["namespace: %s" % (namespace or "default")] if self.maybe(0.15) else [])
        out = "- source: {%s, fieldPath: '%s'" % (", ".join(fields), self.pick(["metadata.name"] * 12 + ["kind"] * 4 + PATHS))
        options = lambda: self.pick(["delimiter: '%s'" % self.pick([":", "/", "-", ".", "e", ""]), "index: %d" % self.r.randint(-2, 3), "create: true", "encoding: base64", "delimiter: '-', index: %d, create: true" % self.r.randint(-1, 4)])
        out += (", options: {%s}" % options() if self.maybe(0.25) else "") + "}\n  targets:\n"
        for _ in range(self.r.randint(1, 3)):
            to_kind, to_name, to_namespace = self.pick(ids)
            out += "  - select: %s\n" % self.pick(["{kind: %s, name: %s}" % (to_kind, to_name), "{kind: %s}" % to_kind, "{name: '%s.*'}" % to_name[0], "{namespace: %s}" % (to_namespace or "default"),
                                                  "{group: apps}", "{version: v1, kind: %s}" % to_kind, "{labelSelector: 'app=%s'}" % to_name, "{kind: '%s|ConfigMap'}" % to_kind])
            if self.maybe(0.25):
                out += "    reject:\n" + "".join("    - %s\n" % self.pick(["{kind: %s}" % self.pick(ids)[0], "{name: %s}" % self.pick(ids)[1], "{labelSelector: app=web}", "{annotationSelector: note}"])
                                                 for _ in range(self.r.randint(1, 2)))
            if self.maybe(0.9):
                out += "    fieldPaths:\n" + "".join("    - '%s'\n" % self.pick(["metadata.annotations.x", "metadata.annotations.y"] + PATHS) for _ in range(self.r.randint(1, 2)))
                out += "    options: {create: true}\n" if self.maybe(0.75) else "    options: {%s}\n" % options() if self.maybe(0.7) else ""
        return out

    def overlays(self):
        """Generators that merge into and replace each other across layers, with one name in several namespaces."""
        name, kind = self.pick(["gm", "web"]), self.pick(["configMapGenerator", "secretGenerator"])
        layer = lambda behavior, spaces: kind + ":\n" + "".join(
            "- name: %s\n  behavior: %s\n%s  literals: [%s]\n%s" % (
                name, behavior, "  namespace: %s\n" % space if space else "", self.pick(["a=1", "b=x y, a=2", "\"c='q'\"", "n=", "t=true"]),
                self.pick(["", "", "  options: {labels: {l: '1'}}\n", "  options: {disableNameSuffixHash: true}\n", "  options: {annotations: {z: q}, immutable: true}\n", "  type: a/b\n" if kind[0] == "s" else ""]))
            for space in spaces)
        spaces = self.r.sample(["", "prod", "stage", "default"], self.r.randint(1, 3))
        self.files["gen/base/kustomization.yaml"] = layer("create", spaces) + self.pick(["", "namespace: prod\n", "namePrefix: g-\n"])
        below = "../base"
        for depth in range(self.r.randint(1, 2)):
            folder = "gen/over%d" % depth
            self.files[folder + "/kustomization.yaml"] = ("resources: [%s]\n" % below + layer(self.pick(["merge", "merge", "replace"]), self.r.sample(spaces, self.r.randint(1, len(spaces)))) +
                                                         self.pick(["", "", "nameSuffix: -o\n", "namespace: stage\n", "generatorOptions: {labels: {go: x}, disableNameSuffixHash: %s}\n" % self.pick(["true", "false"])]))
            below = "../over%d" % depth
        self.resource("../gen/" + below[3:])

    def nested_components(self):
        head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        self.files["nest/inner/kustomization.yaml"] = head + self.pick(["namePrefix: in-\n", "patches:\n- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"in\": \"x\"}}]'\n",
                                                                        "configMapGenerator:\n- {name: inner, literals: [a=b]}\n", "vars:\n- {name: INNER, objref: {kind: ConfigMap, name: nested, apiVersion: v1}}\n"])
        self.files["nest/cm.yaml"] = ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nested}\ndata: {k: $(V2), n: a}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nested}\n"
                                      "spec:\n  template:\n    spec:\n      containers:\n      - {name: c, image: nginx, args: [$(V2), '$$(V2) $(INNER) $(NONE)'], env: [{name: E, value: 'x-$(V2)-$(V3)'}]}\n")
        self.files["nest/kustomization.yaml"] = head + "resources: [cm.yaml]\ncomponents: [inner]\nvars:\n- name: V2\n  objref: {kind: ConfigMap, name: nested, apiVersion: v1}\n  fieldref: {fieldpath: %s}\n" % self.pick(
            ["metadata.name", "data.n", "metadata.namespace", "data"]) + self.pick(["", "nameSuffix: -n\n", "- name: V3\n  objref: {kind: Deployment, name: nested, apiVersion: apps/v1}\n  fieldref: {fieldpath: 'spec.template.spec.containers[0].image'}\n"])
        self.files["top/kustomization.yaml"] += "components: [../nest]\n" if "components:" not in self.files["top/kustomization.yaml"] else ""

    def over_http(self):
        path = "/%d.yaml" % self.r.randint(0, 10 ** 12)
        Server.start()
        Server.texts[path] = self.careless(self.object("ConfigMap", "remote", self.pick(["", "prod"])))
        self.resource("http://127.0.0.1:%d%s%s" % (Server.port, path, self.pick(["", "?x=y"])))

    def function(self):
        self.files["top/fn.yaml"] = "apiVersion: example.com/v1\nkind: Fn\nmetadata:\n  name: fn\n  annotations:\n    config.kubernetes.io/function: |\n%s" % self.pick(
            ["      container: {image: a/b}\n", "      exec: {path: ./fn.sh}\n", "      starlark: {path: f.star, name: f}\n", "      {}\n"])
        field = self.pick(["resources", "transformers", "generators", "validators"])
        if field == "resources":
            self.resource("fn.yaml")
        elif "\n%s:" % field not in self.files["top/kustomization.yaml"]:
            self.files["top/kustomization.yaml"] += "%s: [fn.yaml]\n" % field

    def resource(self, entry):
        text = self.files["top/kustomization.yaml"]
        if "\nresources:\n" in text:
            self.files["top/kustomization.yaml"] = text.replace("\nresources:\n", "\nresources:\n- %s\n" % entry, 1)

    def extra_fields(self, directory, ids):
        out = super().extra_fields(directory, ids)
        if "crds:" not in out and self.maybe(0.1):
            self.files[directory + "/shape.json"] = json.dumps(self.pick(CRDS)("Widget", self.pick(["example.com/v1.WidgetSpec", "a.b/Spec"])))
            out += "crds: [shape.json]\n"
        return out

    def as_list(self, text):
        inner = super().as_list(text)
        if not self.maybe(0.3):
            return inner
        return "apiVersion: v1\nkind: %s\nitems:\n- " % self.pick(["List", "ConfigMapList", "WidgetList"]) + self.indented(inner, 2)[2:]
