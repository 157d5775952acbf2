"""The rarer features of a kustomization, as methods that fuzz.py's Tree mixes in. Each adds files to `self.files` and returns text."""
import json

OPENAPI = {"definitions": {"com.example.v1.Widget": {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {
        "list": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}},
    "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Widget", "version": "v1"}]}}}

CRD = {"example.com/v1.Widget": {"Schema": {"properties": {
    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": "meta"}, "spec": {"$ref": "example.com/v1.WidgetSpec"}}}},
    "example.com/v1.WidgetSpec": {"Schema": {"properties": {
        "conf": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"},
        "key": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "Secret", "x-kubernetes-object-ref-name-key": "secretName"},
        "chosen": {"x-kubernetes-label-selector": ""}, "noted": {"x-kubernetes-annotation": ""}}}}}

CONFIGURATIONS = [
    "nameReference:\n- kind: Service\n  fieldSpecs:\n  - {path: spec/svc, kind: Widget}\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {path: spec/confs, kind: Widget}\n",
    "commonLabels:\n- {path: spec/chosen, kind: Widget, create: true}\n", "images:\n- {path: spec/image, kind: Widget}\n",
    "replicas:\n- {path: spec/count, kind: Widget, create: true}\n", "namespace:\n- {path: spec/ns, kind: Widget, create: true}\n",
    "varReference:\n- {path: data, kind: ConfigMap}\n- {path: spec/list/v, kind: Widget}\n", "commonAnnotations:\n- {path: spec/noted, kind: Widget, create: true}\n",
    "namePrefix:\n- {path: spec/svc, kind: Widget}\n", "nameSuffix:\n- {path: data/k, kind: ConfigMap}\n",
]

EMBEDDED = {
    "conf.yaml": ["db:\n  host: h\n  port: 5432\nlist:\n- name: a\n  v: x\n- name: b\n", "db: {host: h}\nlist: [{name: a, v: 'x'}]\n", "db:\n  host: \"q\"\nn: ~\n"],
    "conf.json": ['{"db": {"host": "h", "port": 1.50}, "list": [{"name": "a", "v": 1}]}', '{"db":{"host":"h"}}', '{\n  "db": {\n    "host": "<h>"\n  },\n  "e": []\n}\n'],
}


class Extras:
    def embedded_data(self, pad):
        key = self.pick(sorted(EMBEDDED))
        text = self.pick(EMBEDDED[key])
        return "%s%s: |\n%s" % (pad, key, self.indented(text, len(pad) + 2))

    def embedded_path(self):
        return "data.%s.%s" % (self.pick(["conf\\.yaml", "conf\\.json"]), self.pick(["db.host", "db.host", "list.[name=a].v", "list.0.v", "db.new"]))

    def widget_spec(self):
        out = ""
        for text in ("  conf: {name: %s}\n", "  confs: [%s]\n", "  key: {secretName: %s}\n", "  svc: %s\n"):
            if self.maybe(0.4):
                out += text % self.pick(["web", "api", "db", "cache"])
        return out + ("  image: nginx:1\n" if self.maybe(0.3) else "") + ("  chosen: {a: b}\n" if self.maybe(0.2) else "")

    # ---- other forms of a manifest file -----------------------------------------------------------------------------
    def as_list(self, text):
        items = [d for d in text.split("---\n") if d.strip()]
        out = "apiVersion: v1\nkind: %s\nitems:\n" % self.pick(["List", "List", "MixedList"])
        for item in items:
            lines = self.indented(item, 2).split("\n")
            out += "-" + lines[0][1:] + "\n" + "\n".join(lines[1:])
        return out

    def decorated(self, text):
        choice = self.r.randint(0, 5)
        if choice == 0:
            return "\ufeff" + text
        if choice == 1:
            return "# leading comment\n---\n" + text + "---\n# nothing here\n"
        if choice == 2:
            return "---\n" + text + "...\n"
        if choice == 3:
            return "---\n---\n" + text
        return "\n\n" + text if choice == 4 else text + "\n\n---\n"

    def json_objects(self, names):
        out = []
        for name in names:
            if self.maybe():
                out.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": {"j": self.pick(["1", "x\ty", "é<&>", "yes"])}},
                            "data": {"a": self.pick(["1", "null", "", "a\nb\n", "0x1F"])}})
            else:
                out.append({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": {"n": self.pick([1, 1.5, 1e3, None, True, [], {}, 1e21]), "l": [1, "a", None][:2]}})
        if self.maybe(0.3):
            return json.dumps({"apiVersion": "v1", "kind": "List", "items": out}, indent=self.pick([None, 1]))
        return "\n---\n".join(json.dumps(o, indent=self.pick([None, 2])) for o in out) + "\n"

    def anchored(self, name):
        return ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  labels: &l {app: x, z: y}\n  annotations: *l\ndata:\n  <<: &m {a: '1', b: %s}\n  b: '2'\n---\n"
                "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: %s\nspec:\n  base: &b {k: 1, deep: {l: [1]}}\n  list:\n  - &i\n    name: a\n    <<: *b\n  - <<: [*i, {name: c, q: r}]\n    name: b\n"
                % (name, self.pick(["y", "'x'", "0x1F"]), name))

    def local_object(self, name):
        return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  annotations:\n    config.kubernetes.io/local-config: %s\ndata: {k: local}\n" % (
            name, self.pick(["'true'", "'false'", "'x'", "''"]))

    def extra_resources(self, directory):
        """Manifest files of the rarer kinds, with names that no other object has."""
        names = []
        for chance, suffix, text in ((0.1, "j.json", lambda: self.json_objects(["j1", "j2"])), (0.08, "anchors.yaml", lambda: self.anchored("anch")),
                                     (0.08, "local.yaml", lambda: self.local_object("loc"))):
            if self.maybe(chance):
                self.files[directory + "/" + suffix] = text()
                names.append(suffix)
        return names

    # ---- fields -------------------------------------------------------------------------------------------------------
    def plugin_generator(self, name):
        return self.pick([
            "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: %s, namespace: gns}\nliterals: [a=b]\n" % name,
            "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: %s}\ntype: x/y\nliterals: [a=b]\noptions: {disableNameSuffixHash: true}\n" % name,
            "apiVersion: builtin\nkind: IAMPolicyGenerator\nmetadata: {name: i}\ncloud: gke\nkubernetesService: {name: %s}\nserviceAccount: {name: g, projectId: p}\n" % name])

    def plugins(self, directory, field, objects):
        """`field` filled with `objects` inline, from a file or from a directory."""
        form = self.r.randint(0, 2)
        text = "---\n".join(objects)
        if form == 0:
            return field + ":\n" + "".join("- |-\n" + self.indented(o, 2) for o in objects)
        if form == 1:
            self.files["%s/%s.yaml" % (directory, field)] = text
            return "%s: [%s.yaml]\n" % (field, field)
        self.files["%s/%s-dir/plugins.yaml" % (directory, field)] = text
        self.files["%s/%s-dir/kustomization.yaml" % (directory, field)] = "resources: [plugins.yaml]\n" + self.pick(["", "namePrefix: z-\n", "commonAnnotations: {pl: x}\n"])
        return "%s: [%s-dir]\n" % (field, field)

    def patches_json6902(self, directory, ids):
        kind, name, namespace = self.pick(ids)
        version = {"HorizontalPodAutoscaler": "v2"}.get(kind, "v1")
        operations = [{"op": "add", "path": "/metadata/labels", "value": {"j69": self.pick(["x", "y"])}}, {"op": "test", "path": "/kind", "value": kind}]
        if self.maybe(0.2):
            operations.append({"op": "replace", "path": "/kind", "value": "Changed"})
        out = "patchesJson6902:\n- target: {version: %s, kind: %s, name: %s%s}\n" % (version, kind, name, ", namespace: " + namespace if namespace and self.maybe() else "")
        if self.maybe():
            self.files[directory + "/ops.json"] = json.dumps(operations, indent=1)
            return out + "  path: ops.json\n"
        return out + "  patch: '%s'\n" % json.dumps(operations) + ("  options: {allowNameChange: true, allowKindChange: true}\n" if self.maybe(0.3) else "")

    def extra_fields(self, directory, ids):
        out = ""
        if self.maybe(0.08):
            self.files[directory + "/schema.json"] = json.dumps(OPENAPI)
            out += "openapi: {path: schema.json}\n"
        if self.maybe(0.08):
            self.files[directory + "/crd.json"] = json.dumps(CRD)
            out += "crds: [crd.json]\n"
        if self.maybe(0.12):
            picked = self.r.sample(CONFIGURATIONS, self.r.randint(1, 3))
            self.files[directory + "/conf.yaml"] = "".join(picked)
            out += "configurations: [conf.yaml]\n"
        if self.maybe(0.08):
            out += self.plugins(directory, "generators", [self.plugin_generator("gen%d" % k) for k in range(self.r.randint(1, 2))])
        if self.maybe(0.05):
            out += self.plugins(directory, "validators", ["apiVersion: builtin\nkind: HashTransformer\nmetadata: {name: h}\n"])
        if ids and self.maybe(0.08):
            out += self.patches_json6902(directory, ids)
        return out

    def sort_options(self):
        if self.maybe(0.5):
            return "sortOptions:\n  order: %s\n" % self.pick(["fifo", "legacy"])
        kinds = ["Deployment", "ConfigMap", "Secret", "Service", "Widget", "Namespace", "StatefulSet", "Role"]
        self.r.shuffle(kinds)
        return "sortOptions:\n  order: legacy\n  legacySortOptions:\n    orderFirst: [%s]\n    orderLast: [%s]\n" % (", ".join(kinds[:3]), ", ".join(kinds[4:6]))
