// Random sequences over kinds with merge rules of their own, and over several versions of one resource.
#include "tests/kube/server/random_steps.h"

namespace weber::testing {
namespace {

// Two served versions of a custom resource with different fields, and one that a change of the definition takes away and brings back;
// HorizontalPodAutoscalers, whose versions have different forms.
class VersionGenerator : RandomSteps {
public:
    explicit VersionGenerator(std::uint32_t seed) : RandomSteps(seed) {}

    Sequence sequence(std::uint32_t seed) {
        Sequence out{"versions " + std::to_string(seed), {}};
        if (chance(25)) {
            for (std::uint32_t i = 6 + pick(5); i > 0; --i) out.steps.push_back(autoscaler_step());
            return out;
        }
        out.steps.push_back(make("POST", kDefinitions, "", definition(true)));
        out.steps.push_back({"", "", "", "", "", "/apis/$ns.io/v2/namespaces/$ns/things"});
        for (std::uint32_t i = 8 + pick(6); i > 0; --i) out.steps.push_back(thing_step());
        return out;
    }

private:
    static constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    static std::string definition(bool v2_stored) {
        const auto version = [](const std::string& name, bool stored, const std::string& spec, const std::string& status) {
            return "{name: " + name + ", served: true, storage: " + (stored ? "true" : "false") + ", subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {" + spec +
                   "}}, status: {type: object, properties: {" + status + "}}}}}}";
        };
        return "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.$ns.io}, spec: {group: $ns.io, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [" +
               version("v1", !v2_stored, "both: {type: string}, old: {type: string}, list: {type: array, items: {type: string}}, size: {type: integer, default: 1}", "phase: {type: string}, old: {type: string}") + ", " +
               version("v2", v2_stored, "both: {type: string}, new: {type: string}, list: {type: array, x-kubernetes-list-type: set, items: {type: string}}, size: {type: integer, default: 2}",
                       "phase: {type: string}, seen: {type: integer}") +
               "]}}";
    }

    std::string version() { return chance(50) ? "v1" : "v2"; }
    std::string manager() { return "?fieldManager=m" + std::to_string(pick(3)); }

    std::string spec() {
        std::string out = "{", separator;
        const auto add = [&](std::uint32_t percent, const std::string& field) {
            if (!chance(percent)) return;
            out += separator + field;
            separator = ", ";
        };
        add(60, "both: " + word());
        add(40, "old: " + word());
        add(40, "new: " + word());
        add(40, std::string("list: [") + (chance(50) ? "x" : "y") + (chance(50) ? ", z" : "") + "]");
        add(20, "size: " + std::to_string(1 + pick(3)));
        return out + "}";
    }
    std::string status() { return std::string("{phase: ") + word() + (chance(40) ? ", seen: 1" : "") + (chance(40) ? ", old: " + word() : "") + "}"; }
    std::string thing(const std::string& at) {
        return "{apiVersion: $ns.io/" + at + ", kind: Thing, metadata: {name: o" + (chance(25) ? ", labels: {" + word() + ": " + word() + "}" : "") + "}, spec: " + spec() + "}";
    }

    Step thing_step() {
        const std::string at = version(), all = "/apis/$ns.io/" + at + "/namespaces/$ns/things", one = all + "/o";
        const std::uint32_t what = pick(100);
        if (what < 45) return make("PATCH", one + manager() + (chance(50) ? "&force=true" : ""), "apply", thing(at));
        if (what < 55) return make("PATCH", one + manager(), "merge", "{spec: " + spec() + "}");
        if (what < 65) return make("PUT", one + manager(), "", thing(at));
        if (what < 70) return make("POST", all + manager(), "", thing(at));
        if (what < 80) return make("PATCH", one + "/status" + manager(), "merge", "{status: " + status() + "}");
        if (what < 88) return make("PATCH", one + "/status" + manager() + "&force=true", "apply", "{apiVersion: $ns.io/" + at + ", kind: Thing, metadata: {name: o}, status: " + status() + "}");
        if (what < 94) return make("GET", one, "", "");
        return make("PATCH", one + manager(), "json", "[{op: add, path: /spec/both, value: " + word() + "}]");
    }

    Step autoscaler_step() {
        const bool v1 = chance(50);
        const std::string one = std::string("/apis/autoscaling/") + (v1 ? "v1" : "v2") + "/namespaces/$ns/horizontalpodautoscalers/o";
        std::string spec = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, maxReplicas: " + std::to_string(3 + pick(2));
        if (chance(40)) spec += ", minReplicas: " + std::to_string(1 + pick(2));
        if (v1 && chance(50)) spec += ", targetCPUUtilizationPercentage: " + std::to_string(50 + pick(2));
        if (!v1 && chance(60))
            spec += ", metrics: [{type: Resource, resource: {name: " + std::string(chance(60) ? "cpu" : "memory") + ", target: {type: Utilization, averageUtilization: " + std::to_string(60 + pick(2)) + "}}}]";
        if (!v1 && chance(25)) spec += ", behavior: {scaleDown: {stabilizationWindowSeconds: " + std::to_string(pick(3)) + "}}";
        const std::string object = std::string("{apiVersion: autoscaling/") + (v1 ? "v1" : "v2") + ", kind: HorizontalPodAutoscaler, metadata: {name: o}, spec: {" + spec + "}}";
        const std::uint32_t what = pick(100);
        if (what < 65) return make("PATCH", one + manager() + (chance(50) ? "&force=true" : ""), "apply", object);
        if (what < 75) return make("PUT", one + manager(), "", object);
        if (what < 85) return make("PATCH", one + manager(), "merge", "{spec: {maxReplicas: " + std::to_string(3 + pick(3)) + "}}");
        return make("GET", one, "", "");
    }
};

// One kind a sequence; every write at random.
class KindGenerator : RandomSteps {
public:
    explicit KindGenerator(std::uint32_t seed) : RandomSteps(seed) {}

    Sequence sequence(std::uint32_t seed) {
        Sequence out{"kinds " + std::to_string(seed), {}};
        kind_ = pick(9);
        for (std::uint32_t i = 6 + pick(5); i > 0; --i) out.steps.push_back(step());
        return out;
    }

private:
    struct Kind {
        const char *collection, *api_version, *kind;
    };
    [[nodiscard]] const Kind& kind() const {
        static constexpr Kind kKinds[] = {
            {"/api/v1/namespaces/$ns/secrets", "v1", "Secret"},
            {"/apis/networking.k8s.io/v1/namespaces/$ns/ingresses", "networking.k8s.io/v1", "Ingress"},
            {"/apis/networking.k8s.io/v1/namespaces/$ns/networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"},
            {"/apis/rbac.authorization.k8s.io/v1/namespaces/$ns/roles", "rbac.authorization.k8s.io/v1", "Role"},
            {"/apis/batch/v1/namespaces/$ns/cronjobs", "batch/v1", "CronJob"},
            {"/apis/policy/v1/namespaces/$ns/poddisruptionbudgets", "policy/v1", "PodDisruptionBudget"},
            {"/apis/apps/v1/namespaces/$ns/statefulsets", "apps/v1", "StatefulSet"},
            {"/apis/apps/v1/namespaces/$ns/daemonsets", "apps/v1", "DaemonSet"},
            {"/api/v1/namespaces/$ns/serviceaccounts", "v1", "ServiceAccount"},
        };
        return kKinds[kind_];
    }

    std::string number(std::uint32_t n) { return std::to_string(1 + pick(n)); }
    // Each field with its chance, in a map.
    std::string some(std::initializer_list<std::pair<std::uint32_t, std::string>> fields) {
        std::string out, separator;
        for (const auto& [percent, text] : fields)
            if (chance(percent)) {
                out += separator + text;
                separator = ", ";
            }
        return out;
    }

    std::string pod(const char* restart) {
        return std::string("{metadata: {labels: {app: x}}, spec: {") + restart + "containers: [{name: c, image: \"i:" + word() + "\"" + (chance(30) ? ", env: [{name: A, value: " + word() + "}]" : "") +
               (chance(30) ? ", volumeMounts: [{name: v, mountPath: /" + word() + "}]" : "") + "}]" + (chance(90) ? ", volumes: [{name: v, emptyDir: {}}]" : "") + "}}";
    }

    std::string content() {
        switch (kind_) {
        case 0: return some({{50, "data: {" + word() + ": QQ==}"}, {50, "stringData: {" + word() + ": " + word() + "}"}, {15, "type: " + word()}, {5, "immutable: true"}});
        case 1: {
            const std::string before = some({{30, "ingressClassName: " + word()}, {30, "tls: [{hosts: [" + word() + ".example.com], secretName: s}]"}});
            const std::string path = "{path: /" + word() + ", pathType: Prefix, backend: {service: {name: s, port: {number: " + number(3) + "}}}}";
            return "spec: {" + before + (before.empty() ? "" : ", ") + "rules: [{host: " + word() + ".example.com, http: {paths: [" + path + "]}}]}";
        }
        case 2:
            return "spec: {podSelector: {" + some({{50, "matchLabels: {" + word() + ": " + word() + "}"}}) + "}" + (chance(50) ? ", ingress: [{from: [{podSelector: {}}], ports: [{port: " + number(90) + "}]}]" : "") +
                   (chance(30) ? ", egress: [{}]" : "") + (chance(30) ? ", policyTypes: [Ingress]" : "") + "}";
        case 3: return "rules: [" + std::string(chance(80) ? "{apiGroups: [''], resources: [" + std::string(chance(50) ? "pods" : "services") + "], verbs: [get]}" : "") + "]";
        case 4:
            return "spec: {schedule: \"" + number(9) + " * * * *\", " + (chance(30) ? "suspend: true, " : "") + (chance(30) ? "concurrencyPolicy: Forbid, " : "") + "jobTemplate: {spec: {template: " + pod("restartPolicy: Never, ") + "}}}";
        case 5: return "spec: {" + std::string(chance(50) ? "minAvailable: " + number(3) : "maxUnavailable: 25%") + (chance(70) ? ", selector: {matchLabels: {a: b}}" : "") + "}";
        case 6:
            return "spec: {serviceName: s, " + std::string(chance(40) ? "replicas: " + number(3) + ", " : "") + "selector: {matchLabels: {app: x}}, template: " + pod("") +
                   (chance(30) ? ", volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " + number(2) + "Gi}}}}]" : "") + "}";
        case 7: return "spec: {selector: {matchLabels: {app: x}}, template: " + pod("") + (chance(30) ? ", updateStrategy: {type: OnDelete}" : "") + "}";
        default: return some({{40, "automountServiceAccountToken: false"}, {40, "imagePullSecrets: [{name: " + word() + "}]"}, {30, "secrets: [{name: " + word() + "}]"}});
        }
    }

    std::string object() {
        const std::string rest = content();
        return std::string("{apiVersion: ") + kind().api_version + ", kind: " + kind().kind + ", metadata: {name: o" + (chance(30) ? ", labels: {" + word() + ": " + word() + "}" : "") +
               (chance(15) ? ", annotations: {" + word() + ": " + word() + "}" : "") + "}" + (rest.empty() ? "" : ", " + rest) + "}";
    }

    Step step() {
        const std::string all = kind().collection, one = all + "/o", manager = "?fieldManager=m" + std::to_string(pick(3));
        const std::uint32_t what = pick(100);
        if (what < 45) return make("PATCH", one + manager + (chance(40) ? "&force=true" : ""), "apply", object());
        if (what < 58) return make("PUT", one + manager, "", object());
        if (what < 68) return make("POST", all + manager, "", object());
        const std::string rest = content();
        if (what < 78) return make("PATCH", one + manager, "merge", "{" + rest + "}");
        if (what < 90) return make("PATCH", one + manager, "strategic", "{" + rest + "}");
        if (what < 94) return make("PATCH", one + manager, "json", "[{op: add, path: /metadata/labels, value: {" + word() + ": " + word() + "}}]");
        if (what < 97) return make("GET", one, "", "");
        return make("DELETE", one, "", "");
    }

    std::uint32_t kind_ = 0;
};

} // namespace

Sequence random_versions_sequence(std::uint32_t seed) { return VersionGenerator(seed).sequence(seed); }
Sequence random_kinds_sequence(std::uint32_t seed) { return KindGenerator(seed).sequence(seed); }

} // namespace weber::testing
