// Random sequences: few names, few values, several managers, so that fields are fought over.
#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "tests/kube/server/random_steps.h"

namespace weber::testing {
namespace {

class Generator : RandomSteps {
public:
    explicit Generator(std::uint32_t seed) : RandomSteps(seed) {}

    Sequence sequence(std::uint32_t seed) {
        Sequence out{"random " + std::to_string(seed), {}};
        kind_ = static_cast<int>(pick(3));
        const int steps = 5 + static_cast<int>(pick(6));
        for (int i = 0; i < steps; ++i) out.steps.push_back(step());
        return out;
    }

    Sequence custom(std::uint32_t seed) {
        Sequence out{"custom " + std::to_string(seed), {}};
        out.steps.push_back(make("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "", kDefinition));
        out.steps.push_back({"", "", "", "", "", "/apis/$ns.io/v1/namespaces/$ns/things"});
        const int steps = 8 + static_cast<int>(pick(6));
        for (int i = 0; i < steps; ++i) out.steps.push_back(custom_step());
        return out;
    }

private:
    static constexpr const char* kDefinition = R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.$ns.io}, spec: {
group: $ns.io, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: v1, served: true, storage: true, subresources: {status: {}}, schema: {
openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {
  text: {type: string, maxLength: 3, enum: [a, b, c]}, number: {type: integer, minimum: 0, maximum: 5}, size: {type: integer, default: 7},
  set: {type: array, x-kubernetes-list-type: set, items: {type: string}},
  keyed: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {
    k: {type: string}, v: {type: string}, w: {type: string, default: x}}}},
  plain: {type: array, maxItems: 3, items: {type: string}}, whole: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}, b: {type: string}}},
  free: {type: object, x-kubernetes-preserve-unknown-fields: true}, map: {type: object, additionalProperties: {type: string}},
  maybe: {type: string, nullable: true}, both: {x-kubernetes-int-or-string: true}, inner: {type: object, default: {}, properties: {p: {type: string, default: q}, r: {type: string}}}}},
  status: {type: object, properties: {phase: {type: string}}}}}}}]}})";

    std::string word_list() {
        std::string out = "[", separator;
        for (std::uint32_t i = pick(4); i > 0; --i) {
            out += separator + word();
            separator = ", ";
        }
        return out + "]";
    }

    std::string keyed_list() {
        std::string out = "[", separator;
        for (const char* key : {"a", "b", "c"})
            if (chance(45)) {
                out += separator + "{k: " + key + (chance(50) ? ", v: " + word() : "") + (chance(20) ? ", w: " + word() : "") + "}";
                separator = ", ";
            }
        return out + "]";
    }

    std::string thing_spec() {
        std::string out = "{", separator;
        const auto add = [&](std::uint32_t percent, const std::string& field) {
            if (!chance(percent)) return;
            out += separator + field;
            separator = ", ";
        };
        add(40, "text: " + (chance(10) ? std::string("long") : word()));
        add(30, "number: " + std::to_string(pick(chance(10) ? 9 : 6)));
        add(15, "size: " + std::to_string(pick(3)));
        add(40, "set: " + word_list());
        add(45, "keyed: " + keyed_list());
        add(25, "plain: " + word_list());
        add(25, "whole: {a: " + word() + (chance(50) ? ", b: " + word() : "") + "}");
        add(30, "free: {x: {" + word() + ": " + word() + "}" + (chance(40) ? ", y: [1, {z: " + word() + "}]" : "") + "}");
        add(30, "map: " + map_of(2, ""));
        add(15, chance(50) ? "maybe: null" : "maybe: " + word());
        add(15, chance(50) ? "both: 5" : "both: " + word());
        add(20, "inner: {r: " + word() + "}");
        // Beside a set: the real server stops at the unknown field or comes to the set's repeated values first, in the random order of Go's maps.
        if (const bool repeats = out.find("set: [") != std::string::npos; chance(4) && !repeats) out += separator + "unknown: 1";
        return out + "}";
    }

    std::string thing(bool with_status) {
        return "{apiVersion: $ns.io/v1, kind: Thing, " + metadata() + ", spec: " + thing_spec() + (with_status ? ", status: {phase: " + word() + "}" : "") + "}";
    }

    Step custom_step() {
        const std::string all = "/apis/$ns.io/v1/namespaces/$ns/things", one = all + "/o";
        const std::string manager = "?fieldManager=m" + std::to_string(pick(3));
        const std::uint32_t what = pick(100);
        if (what < 55) return make("PATCH", one + manager + (chance(40) ? "&force=true" : ""), "apply", thing(chance(15)));
        if (what < 70) return make("PATCH", one + manager, "merge", "{spec: " + thing_spec() + "}");
        if (what < 76) return make("PATCH", one + manager, "json", "[{op: add, path: /spec/number, value: " + std::to_string(pick(8)) + "}]");
        if (what < 84) return make("PUT", one + manager, "", thing(false));
        if (what < 90) return make("POST", all + manager, "", thing(chance(30)));
        if (what < 96) return make("PATCH", one + "/status" + manager, "merge", "{status: {phase: " + word() + "}}");
        return make("GET", one, "", "");
    }

    std::string metadata() {
        std::string out = "metadata: {name: o";
        if (chance(40)) out += ", labels: {" + word() + ": " + word() + "}";
        if (chance(25)) out += ", annotations: {" + word() + ": " + word() + ", " + "z: " + word() + "}";
        if (chance(8)) out += ", finalizers: [x.io/" + word() + "]";
        return out + "}";
    }

    std::string map_of(std::uint32_t most, std::string_view quote) {
        std::string out = "{", separator;
        for (const char key : {'p', 'q', 'r', 's'})
            if (pick(4) < most) {
                out += separator + key + ": " + std::string(quote) + word() + std::string(quote);
                separator = ", ";
            }
        return out + "}";
    }

    std::string config_map() { return "{apiVersion: v1, kind: ConfigMap, " + metadata() + (chance(85) ? ", data: " + map_of(2, "\"") : "") + "}"; }

    std::string service() {
        std::string ports, separator;
        for (const int port : {80, 81, 82})
            if (chance(60)) {
                ports += separator + "{name: n" + std::to_string(port) + ", port: " + std::to_string(port);
                if (chance(40)) ports += ", targetPort: " + std::to_string(8000 + pick(3));
                if (chance(20)) ports += ", protocol: TCP";
                if (chance(20)) ports += ", appProtocol: " + word();
                ports += "}";
                separator = ", ";
            }
        if (ports.empty()) ports = "{name: n80, port: 80}";
        std::string spec = "ports: [" + ports + "]";
        if (chance(60)) spec += ", selector: " + map_of(2, "");
        if (chance(20)) spec += ", sessionAffinity: " + std::string(chance(50) ? "ClientIP" : "None");
        if (chance(20)) spec += ", publishNotReadyAddresses: " + std::string(chance(50) ? "true" : "false");
        return "{apiVersion: v1, kind: Service, " + metadata() + ", spec: {" + spec + "}}";
    }

    std::string container(std::string_view name) {
        std::string out = "{name: " + std::string(name) + ", image: \"i:" + word() + "\"";
        if (chance(40)) {
            out += ", env: [";
            std::string separator;
            for (const char* variable : {"A", "B", "C"})
                if (chance(50)) {
                    out += separator + "{name: " + variable + ", value: " + word() + "}";
                    separator = ", ";
                }
            out += "]";
        }
        if (chance(30)) out += ", ports: [{containerPort: " + std::to_string(80 + pick(2)) + (chance(30) ? ", protocol: UDP" : "") + "}]";
        if (chance(30)) out += ", args: [" + word() + ", " + word() + "]";
        if (chance(20)) out += ", resources: {limits: {cpu: " + std::to_string(1 + pick(2)) + ", memory: 1Gi}}";
        if (chance(15)) out += ", readinessProbe: {httpGet: {port: 80}}";
        return out + "}";
    }

    std::string deployment() {
        std::string containers = container("c");
        if (chance(40)) containers = chance(50) ? containers + ", " + container("d") : container("d") + ", " + containers;
        std::string spec = "selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x" + std::string(chance(30) ? ", v: " + word() : "") +
                           "}}, spec: {containers: [" + containers + "]";
        if (chance(20)) spec += ", nodeSelector: {" + word() + ": " + word() + "}";
        if (chance(20)) spec += ", tolerations: [{key: " + word() + ", operator: Exists}]";
        if (chance(20)) spec += ", volumes: [{name: " + word() + ", emptyDir: {}}]";
        if (chance(20)) spec += ", terminationGracePeriodSeconds: " + std::to_string(5 + pick(2));
        spec += "}}";
        if (chance(40)) spec += ", replicas: " + std::to_string(pick(3));
        if (chance(20)) spec += ", strategy: {type: " + std::string(chance(50) ? "Recreate" : "RollingUpdate") + "}";
        return "{apiVersion: apps/v1, kind: Deployment, " + metadata() + ", spec: {" + spec + "}}";
    }

    std::string object() { return kind_ == 0 ? config_map() : kind_ == 1 ? service() : deployment(); }

    std::string merge_patch() {
        std::string out = "{metadata: {labels: {" + word() + ": " + (chance(30) ? "null" : word()) + "}}";
        if (kind_ == 0) out += ", data: {" + std::string(1, static_cast<char>('p' + pick(4))) + ": " + (chance(30) ? "null" : word()) + "}";
        if (kind_ == 1) out += ", spec: {selector: {" + word() + ": " + word() + "}}";
        if (kind_ == 2) out += ", spec: {replicas: " + std::to_string(pick(4)) + "}";
        return out + "}";
    }

    std::string strategic_patch() {
        if (kind_ == 1)
            return "{spec: {ports: [{port: " + std::to_string(80 + pick(3)) + ", name: n" + word() + (chance(25) ? ", $patch: delete" : "") + "}]}}";
        if (kind_ == 2) {
            if (chance(20)) return "{spec: {template: {spec: {containers: [{name: d, $patch: delete}]}}}}";
            if (chance(20)) return "{spec: {strategy: {$retainKeys: [type], type: Recreate}}}";
            return "{spec: {template: {spec: {containers: [" + container(chance(50) ? "c" : "d") + "]}}}}";
        }
        return merge_patch();
    }

    std::string json_patch() {
        if (kind_ == 0) return "[{op: add, path: /data, value: " + map_of(2, "\"") + "}]";
        if (kind_ == 1) return "[{op: replace, path: /spec/ports/0/port, value: " + std::to_string(90 + pick(2)) + "}]";
        return "[{op: replace, path: /spec/template/spec/containers/0/image, value: j}, {op: test, path: /metadata/name, value: o}]";
    }

    Step step() {
        static const char* const kCollections[] = {"/api/v1/namespaces/$ns/configmaps", "/api/v1/namespaces/$ns/services",
                                                   "/apis/apps/v1/namespaces/$ns/deployments"};
        const std::string one = std::string(kCollections[kind_]) + "/o";
        const std::string manager = "fieldManager=m" + std::to_string(pick(3));
        const std::string dry = chance(10) ? "&dryRun=All" : "";
        const std::uint32_t what = pick(100);
        if (what < 50) return make("PATCH", one + "?" + manager + (chance(35) ? "&force=true" : "") + dry, "apply", object());
        if (what < 60) return make("PATCH", one + "?" + manager + dry, "merge", merge_patch());
        if (what < 72) return make("PATCH", one + "?" + manager + dry, "strategic", strategic_patch());
        if (what < 80) return make("PATCH", one + "?" + manager + dry, "json", json_patch());
        if (what < 88) return make("PUT", one + "?" + manager + dry, "", object());
        if (what < 94) return make("POST", std::string(kCollections[kind_]) + "?" + manager + dry, "", object());
        if (what < 97) return make("GET", one, "", "");
        return make("DELETE", one, "", "");
    }

    int kind_ = 0;
};

} // namespace

Sequence random_sequence(std::uint32_t seed) { return Generator(seed).sequence(seed); }
Sequence random_custom_sequence(std::uint32_t seed) { return Generator(seed).custom(seed); }

} // namespace weber::testing
