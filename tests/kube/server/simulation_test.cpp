// What the server does in place of controllers: roll-outs, Jobs, claims, workloads that are told to fail.
#include <gtest/gtest.h>

#include "tests/kube/server/small_objects.h"

namespace weber::testing {
namespace {

kube::ServerOptions simulated() {
    kube::ServerOptions o;
    o.simulate = true;
    o.fail = {"Deployment/default/bad", "Job/default/bad"};
    return o;
}

TEST(ServerSimulation, RollsWorkloadsOut) {
    const TestServer s(simulated());
    s->post(kDeployments, deployment("d", 3));
    s->wait(kDeployments + "/d", [](const Reply& r) { return r.at("status.availableReplicas") == "3" && r.at("status.observedGeneration") == "1"; });
    s->patch(kDeployments + "/d", "merge", "{spec: {replicas: 5}}");
    s->wait(kDeployments + "/d", [](const Reply& r) { return r.at("status.availableReplicas") == "5" && r.at("status.observedGeneration") == "2"; });
    const std::string tail = "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}";
    s->post("/apis/apps/v1/namespaces/default/statefulsets", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, " + tail);
    s->post("/apis/apps/v1/namespaces/default/daemonsets", "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x}, " + tail);
    s->wait("/apis/apps/v1/namespaces/default/statefulsets/x", [](const Reply& r) { return r.at("status.readyReplicas") == "1"; });
    s->wait("/apis/apps/v1/namespaces/default/daemonsets/x", [](const Reply& r) { return r.at("status.numberAvailable") == "1"; });
}

TEST(ServerSimulation, CompletesJobsAndBindsClaims) {
    const TestServer s(simulated());
    const auto job = [](const std::string& name) {
        return "{apiVersion: batch/v1, kind: Job, metadata: {name: " + name +
               "}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}";
    };
    s->post("/apis/batch/v1/namespaces/default/jobs", job("j"));
    s->wait("/apis/batch/v1/namespaces/default/jobs/j", [](const Reply& r) { return r.at("status.succeeded") == "1"; });
    s->post("/apis/batch/v1/namespaces/default/jobs", job("bad"));
    s->wait("/apis/batch/v1/namespaces/default/jobs/bad",
            [](const Reply& r) { return r.body.find("\"type\":\"Failed\",\"status\":\"True\"") != std::string::npos; });
    s->post("/api/v1/namespaces/default/persistentvolumeclaims",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
    s->wait("/api/v1/namespaces/default/persistentvolumeclaims/p", [](const Reply& r) { return r.at("status.phase") == "Bound"; });
}

TEST(ServerSimulation, LeavesAWorkloadUnhealthyThatIsToldToFail) {
    const TestServer s(simulated());
    s->post(kDeployments, deployment("bad"));
    const Reply r = s->wait(kDeployments + "/bad", [](const Reply& x) { return x.body.find("ProgressDeadlineExceeded") != std::string::npos; });
    EXPECT_EQ(r.at("status.availableReplicas"), "");
    s->post(kDeployments, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: later, annotations: {weber.dev/simulate: fail}}, spec: {selector: "
                          "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}");
    s->wait(kDeployments + "/later", [](const Reply& x) { return x.body.find("ProgressDeadlineExceeded") != std::string::npos; });
}

// What the reference fleet waits for: the condition of 1Password's operator.
TEST(ServerSimulation, OnePasswordItemsGetTheirCondition) {
    const TestServer s(simulated());
    s->post(kCrds, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: onepassworditems.onepassword.com}, spec: {group: onepassword.com, names: "
                   "{kind: OnePasswordItem, listKind: OnePasswordItemList, plural: onepassworditems, singular: onepassworditem}, scope: Namespaced, versions: [{name: v1, served: true, "
                   "storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}");
    const std::string items = "/apis/onepassword.com/v1/namespaces/default/onepassworditems";
    s->wait(items, [](const Reply& r) { return r.status == 200; });
    s->post(items, "{apiVersion: onepassword.com/v1, kind: OnePasswordItem, metadata: {name: good}}");
    s->post(items, "{apiVersion: onepassword.com/v1, kind: OnePasswordItem, metadata: {name: odd, annotations: {weber.dev/simulate: fail}}}");
    const auto condition = [&](const std::string& name) {
        const Reply r = s->wait(items + "/" + name, [](const Reply& x) { return x.body.find("lastTransitionTime") != std::string::npos; });
        return r.at("status.conditions.0.type") + "=" + r.at("status.conditions.0.status");
    };
    EXPECT_EQ(condition("good"), "Ready=True");
    EXPECT_EQ(condition("odd"), "Ready=False");
}

} // namespace
} // namespace weber::testing
