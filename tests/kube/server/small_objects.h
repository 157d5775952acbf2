// Small objects that many tests of the server write, and what they read of the answers.
#pragma once

#include <string>
#include <vector>

#include "tests/kube/server/test_server.h"

namespace weber::testing {

inline const std::string kMaps = "/api/v1/namespaces/default/configmaps";
inline const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";
inline const std::string kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

// Flow YAML; `more` goes into metadata: ", labels: {a: b}".
inline std::string config_map(const std::string& name, const std::string& more = "") {
    return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + more + "}, data: {k: v}}";
}

inline std::string deployment(const std::string& name, int replicas = 2) {
    return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + "}, spec: {replicas: " + std::to_string(replicas) +
           ", selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}";
}

// A definition with a status subresource, a printer column, a default, a limit and a list merged by key.
inline const std::string kFooPath = "/apis/x.io/v1/namespaces/default/foos";
inline const char* const kFoos = R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.x.io}, spec: {group: x.io,
  scope: Namespaced, names: {kind: Foo, plural: foos, shortNames: [fo]}, versions: [{name: v1, served: true, storage: true, subresources: {status: {}},
  additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}],
  schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, required: [name], properties: {name: {type: string},
  size: {type: integer, default: 3, maximum: 9}, items: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k],
  items: {type: object, required: [k], properties: {k: {type: string}, v: {type: string}}}}}}, status: {type: object, properties: {ready: {type: boolean}}}}}}}]}})";

// The names of a list's items, in order.
inline std::vector<std::string> names(const Reply& list) {
    std::vector<std::string> out;
    for (const Node& item : list.node("items")->items()) out.emplace_back(item.find_path({"metadata", "name"})->text());
    return out;
}

inline bool gone(const Reply& r) { return r.status == 404; }

} // namespace weber::testing
