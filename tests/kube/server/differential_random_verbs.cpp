// Random sequences over what surrounds a write: subresources, directives of strategic patches, JSON patches with tests, field validation, names that
// the server makes, preconditions, deletions, lists.
#include "tests/kube/server/random_steps.h"

namespace weber::testing {
namespace {

class VerbGenerator : RandomSteps {
public:
    explicit VerbGenerator(std::uint32_t seed) : RandomSteps(seed) {}

    Sequence sequence(std::uint32_t seed) {
        Sequence out{"verbs " + std::to_string(seed), {}};
        kind_ = pick(5);
        out.steps.push_back(make("POST", all() + manager(), "", object("o")));
        for (std::uint32_t i = 8 + pick(6); i > 0; --i) out.steps.push_back(step());
        return out;
    }

private:
    struct Kind {
        const char *collection, *api_version, *kind;
        bool scales;
    };
    [[nodiscard]] const Kind& kind() const {
        static constexpr Kind kKinds[] = {{"/apis/apps/v1/namespaces/$ns/deployments", "apps/v1", "Deployment", true},
                                          {"/apis/apps/v1/namespaces/$ns/statefulsets", "apps/v1", "StatefulSet", true},
                                          {"/apis/apps/v1/namespaces/$ns/replicasets", "apps/v1", "ReplicaSet", true},
                                          {"/api/v1/namespaces/$ns/pods", "v1", "Pod", false},
                                          {"/api/v1/namespaces/$ns/secrets", "v1", "Secret", false}};
        return kKinds[kind_];
    }

    std::string all() const { return kind().collection; }
    std::string one() const { return all() + "/o"; }
    std::string manager() { return "?fieldManager=m" + std::to_string(pick(3)); }
    std::string number(std::uint32_t n) { return std::to_string(pick(n)); }
    std::string coded() { return std::string("Y") + static_cast<char>('Q' + pick(4)) + "=="; }
    std::string validation() { return chance(25) ? "&fieldValidation=" + std::string(chance(50) ? "Strict" : chance(50) ? "Warn" : "Ignore") : ""; }
    std::string dry() { return chance(10) ? "&dryRun=All" : ""; }
    std::string force() { return chance(40) ? "&force=true" : ""; }

    std::string container(const std::string& name) {
        return "{name: " + name + ", image: \"i:" + word() + "\"" + (chance(30) ? ", env: [{name: A, value: " + word() + "}, {name: B, value: " + word() + "}]" : "") +
               (chance(25) ? ", ports: [{containerPort: " + std::to_string(80 + pick(2)) + "}]" : "") + (chance(15) ? ", command: [" + word() + "]" : "") + "}";
    }
    std::string pod_spec() {
        if (kind_ == 3) // what else of a pod may change? The refusal's text ends in a diff of Go's internal form (known.txt)
            return "{automountServiceAccountToken: false, containers: [{name: c, image: \"i:" + word() + "\"}]" + (chance(20) ? ", activeDeadlineSeconds: 9" : "") + "}";
        return "{automountServiceAccountToken: false, containers: [" + container("c") + (chance(40) ? ", " + container("d") : "") + "]" +
               (chance(25) ? ", volumes: [{name: v, emptyDir: {}}, {name: " + word() + ", configMap: {name: x}}]" : "") +
               (chance(20) ? ", tolerations: [{key: " + word() + ", operator: Exists}]" : "") + (chance(15) ? ", hostAliases: [{ip: 1.2.3." + number(3) + ", hostnames: [h]}]" : "") +
               (chance(15) ? ", imagePullSecrets: [{name: " + word() + "}]" : "") + "}";
    }
    std::string metadata(const std::string& name) {
        return "{" + (name.empty() ? std::string("generateName: gen-") : "name: " + name) + (chance(50) ? ", labels: {" + word() + ": " + word() + "}" : "") +
               (chance(20) ? ", annotations: {" + word() + ": " + word() + "}" : "") + (chance(10) ? ", finalizers: [x.io/" + word() + "]" : "") +
               (chance(6) ? ", resourceVersion: \"1\"" : "") + (chance(4) ? ", uid: wrong" : "") + (chance(5) ? ", generation: 7" : "") + "}";
    }
    std::string content() {
        if (kind_ == 4) return "data: {p: " + coded() + (chance(40) ? ", q: " + coded() : "") + "}" + (chance(10) ? ", immutable: true" : "") + (chance(15) ? ", stringData: {s: " + word() + "}" : "") + (chance(15) ? ", type: Opaque" : "");
        if (kind_ == 3) return "spec: " + pod_spec();
        return "spec: {" + std::string(chance(50) ? "replicas: " + number(4) + ", " : "") + (chance(15) ? "minReadySeconds: " + number(3) + ", " : "") + (kind_ == 1 && chance(50) ? "serviceName: s, " : "") +
               "selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: " + pod_spec() + "}}";
    }
    std::string object(const std::string& name) {
        return std::string("{apiVersion: ") + kind().api_version + ", kind: " + kind().kind + ", metadata: " + metadata(name) + ", " + content() + (chance(6) ? ", unknown: {a: 1}" : "") +
               (chance(8) ? ", status: {x: 1}" : "") + "}";
    }

    // A key that is given twice, which only text can have.
    Step twice() {
        const std::string meta = R"("metadata":{"name":"o","labels":{"a":"b","a":"c"}})";
        const std::string head = std::string(R"({"apiVersion":")") + kind().api_version + R"(","kind":")" + kind().kind + "\",";
        Step s = chance(50) ? make("POST", all() + manager() + validation(), "", "") : make("PATCH", one() + manager() + validation(), chance(50) ? "merge" : "apply", "");
        if (s.type == "merge") s.path = one() + manager(); // strictness would quote the whole patched object (known.txt)
        s.body = s.type == "merge" ? "{" + meta + "}" : head + meta + (kind_ == 4 ? R"(,"data":{"k":"YQ==","k":"Yg=="}})" : "}");
        return s;
    }

    Step status() {
        const std::string body = kind_ == 3 ? "{status: {phase: Running, message: " + word() + (chance(50) ? ", conditions: [{type: Ready, status: \"True\"}]" : "") + "}}"
                                            : "{spec: {replicas: 9}, status: {replicas: " + number(3) + ", observedGeneration: " + number(3) +
                                                  (chance(50) ? std::string(", conditions: [{type: ") + (chance(50) ? "A" : "B") + ", status: \"" + (chance(50) ? "True" : "False") + "\"}]" : "") + "}}";
        const std::uint32_t what = pick(100);
        if (what < 10) return make("GET", one() + "/status", "", "");
        if (what < 40) return make("PATCH", one() + "/status" + manager() + dry(), "merge", body);
        if (what < 70) return make("PATCH", one() + "/status" + manager() + dry(), "strategic", body);
        const std::string typed = std::string("{apiVersion: ") + kind().api_version + ", kind: " + kind().kind + ", metadata: {name: o" + (chance(20) ? ", labels: {s: t}" : "") + "}, " + body.substr(1);
        return make("PATCH", one() + "/status" + manager() + force() + dry(), "apply", kind_ == 3 || chance(50) ? typed : "{apiVersion: " + std::string(kind().api_version) + ", kind: " + kind().kind + ", metadata: {name: o}, status: {readyReplicas: " + number(3) + "}}");
    }

    Step scale() {
        const std::string body = "{spec: {replicas: " + number(5) + "}}";
        const std::uint32_t what = pick(100);
        if (what < 25) return make("GET", one() + "/scale", "", "");
        if (what < 50) return make("PATCH", one() + "/scale" + manager() + dry(), "merge", body);
        if (what < 60) return make("PATCH", one() + "/scale" + manager(), "json", "[{op: replace, path: /spec/replicas, value: " + number(5) + "}]");
        const std::string typed = "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: o" + std::string(chance(60) ? ", namespace: $ns" : "") + (chance(10) ? ", resourceVersion: \"1\"" : "") + "}, spec: {" +
                                  (chance(85) ? "replicas: " + number(5) : "") + "}}";
        return what < 80 ? make("PUT", one() + "/scale" + manager(), "", typed) : make("PATCH", one() + "/scale" + manager() + force(), "apply", typed);
    }

    std::string directives() {
        if (kind_ == 4) return chance(50) ? "{data: {$patch: replace, z: " + coded() + "}}" : "{metadata: {labels: {$patch: " + std::string(chance(50) ? "delete" : "replace") + "}}}";
        if (kind_ == 3) return chance(50) ? "{spec: {containers: [{name: c, $patch: delete}]}}" : "{spec: {tolerations: [{key: " + word() + ", operator: Exists}]}}";
        std::string inside;
        switch (pick(9)) {
        case 0: inside = "containers: [{name: c, $patch: delete}]"; break;
        case 1: inside = "containers: [{$patch: replace}, " + container("e") + "]"; break;
        case 2: inside = "$setElementOrder/containers: [{name: d}, {name: c}], containers: [{name: c, image: \"i:" + word() + "\"}]"; break;
        case 3: inside = "containers: [{name: c, env: [{name: A, $patch: delete}, {name: C, value: " + word() + "}]}]"; break;
        case 4: inside = "containers: [{name: c, $setElementOrder/env: [{name: B}, {name: A}], env: [{name: B, value: " + word() + "}]}]"; break;
        case 5: inside = "volumes: [{name: v, $retainKeys: [name, secret], secret: {secretName: s}}]"; break;
        case 6: inside = "tolerations: [{key: " + word() + ", operator: Exists}]"; break;
        case 7: inside = "containers: [{name: c, ports: [{containerPort: 80, $patch: delete}]}], imagePullSecrets: [{name: " + word() + "}]"; break;
        default: inside = "containers: [{name: c, command: null, resources: {limits: {cpu: 1}}}], $setElementOrder/volumes: [{name: a}, {name: v}]";
        }
        if (chance(15)) return "{metadata: {$deleteFromPrimitiveList/finalizers: [x.io/a], finalizers: [x.io/b]}}";
        return "{spec: {template: {spec: {" + inside + "}}}}";
    }

    std::string json_operations() {
        const std::string spec = kind_ == 3 ? "/spec" : "/spec/template/spec";
        const std::string place = kind_ == 4 ? "/data/p" : spec + "/containers/0/image";
        std::string out = "[", separator;
        for (std::uint32_t i = 1 + pick(3); i > 0; --i) {
            switch (pick(10)) {
            case 0: out += separator + "{op: test, path: " + place + ", value: " + (kind_ == 4 ? coded() : "\"i:" + word() + "\"") + "}"; break;
            case 1: out += separator + "{op: test, path: /metadata/name, value: o}"; break;
            case 2: out += separator + "{op: replace, path: " + place + ", value: " + (kind_ == 4 ? coded() : "\"j:" + word() + "\"") + "}"; break;
            case 3: out += separator + "{op: add, path: /metadata/labels, value: {" + word() + ": " + word() + "}}"; break;
            case 4: out += separator + "{op: add, path: /metadata/labels/" + word() + ", value: " + word() + "}"; break;
            case 5: out += separator + "{op: remove, path: /metadata/labels/" + word() + "}"; break;
            case 6: out += separator + (kind_ >= 3 ? "{op: copy, from: /metadata/name, path: /metadata/labels/n}" : "{op: add, path: " + spec + "/containers/-, value: " + container("f") + "}"); break;
            case 7: out += separator + (kind_ >= 3 ? "{op: move, from: /metadata/labels/a, path: /metadata/labels/b}" : "{op: remove, path: " + spec + "/containers/1}"); break;
            case 8: out += separator + "{op: add, path: /metadata/annotations, value: {x: y, \"a.b/c\": d}}"; break;
            default: out += separator + "{op: remove, path: /metadata/annotations/a.b~1c}";
            }
            separator = ", ";
        }
        return out + "]";
    }

    Step deletion() {
        std::string options = "{kind: DeleteOptions, apiVersion: v1";
        if (chance(50)) options += ", propagationPolicy: Background"; // the other ones wait for a garbage collector, which a bare cluster lacks
        if (chance(15)) options += ", preconditions: {resourceVersion: \"1\"}";
        else if (chance(10)) options += ", preconditions: {uid: wrong}";
        if (chance(20)) options += ", gracePeriodSeconds: 0";
        if (chance(15)) options += ", dryRun: [All]";
        options += "}";
        if (chance(35)) return make("DELETE", all() + (chance(50) ? "?labelSelector=" + word() : ""), "", chance(50) ? options : "");
        return make("DELETE", one() + (chance(15) ? "?dryRun=All" : ""), "", chance(70) ? options : "");
    }

    Step reading() {
        Step s = make("GET", chance(30) ? one() : all() + (chance(40) ? "?labelSelector=" + word() + (chance(50) ? "%21%3D" : "%3D") + word() : chance(30) ? "?fieldSelector=metadata.name%3Do" : ""), "", "");
        if (chance(20)) s.accept = "application/json;as=PartialObjectMetadata" + std::string(s.path.ends_with("/o") ? "" : "List") + ";g=meta.k8s.io;v=v1";
        return s;
    }

    Step step() {
        const std::uint32_t what = pick(100);
        if (what < 14) return make("PATCH", one() + manager() + force() + validation() + dry(), "apply", object("o"));
        if (what < 24 && kind_ != 3) return make("PUT", one() + manager() + validation() + dry(), "", object("o"));
        if (what < 32) return make("POST", all() + manager() + validation() + dry(), "", object(chance(50) ? "o" : chance(50) ? "p" : ""));
        if (what < 44) return make("PATCH", one() + manager() + dry(), "strategic", directives());
        if (what < 56) return make("PATCH", one() + manager() + dry(), "json", json_operations());
        if (what < 62) return make("PATCH", one() + manager() + dry(), "merge", "{metadata: " + metadata("o") + ", " + content() + (chance(20) ? ", other: 1" : "") + "}");
        if (what < 67) return twice();
        if (what < 77) return kind_ == 4 ? reading() : status();
        if (what < 86) return kind().scales ? scale() : reading();
        if (what < 93) return reading();
        return deletion();
    }

    std::uint32_t kind_ = 0;
};

} // namespace

Sequence random_verbs_sequence(std::uint32_t seed) { return VerbGenerator(seed).sequence(seed); }

} // namespace weber::testing
