// kstatus by the table of readiness.md 7 and by the branches of its section 2.
#include "kube/kstatus.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"

using namespace weber;
using namespace weber::kube;

namespace {

const SystemTime kNow = *parse_rfc3339("2026-01-01T12:00:00Z");

Object object(std::string_view yaml) {
    auto node = read_yaml_one(yaml);
    EXPECT_TRUE(node) << yaml;
    return Object(node ? std::move(*node) : Node::map());
}

std::string text(const Result<Status>& status) {
    if (!status) return "Unknown + " + status.error().message;
    std::string out(to_string(status->code));
    if (!status->message.empty()) out += " " + status->message;
    if (!status->conditions.empty()) out += " [" + status->conditions[0].type + " " + status->conditions[0].reason + "]";
    return out;
}

struct Case {
    const char* name;
    const char* yaml;
    const char* expected;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class KstatusTable : public testing::TestWithParam<Case> {};

TEST_P(KstatusTable, IsAsTheLibrarySays) { EXPECT_EQ(text(compute_status(object(GetParam().yaml), kNow)), GetParam().expected); }

#define FOO "apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: a, namespace: ns"
#define DEPLOY "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, generation: 1}\n"
#define RS "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\n"
#define STS "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\n"
#define DS "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a, generation: 1}\n"
#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: a, creationTimestamp: '2026-01-01T11:59:40Z'}\n"
#define CRD "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
#define JOB "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"

const Case kTable[] = {
    {"r01", FOO "}\n", "Current Resource is current"},
    {"r02", FOO ", deletionTimestamp: '2026-01-01T00:00:00Z'}\nstatus: {conditions: [{type: Stalled, status: 'True'}]}\n",
     "Terminating Resource scheduled for deletion"},
    {"r03", FOO ", generation: 2}\nstatus: {observedGeneration: 1, conditions: [{type: Stalled, status: 'True'}]}\n",
     "InProgress Foo generation is 2, but latest observed generation is 1 [Reconciling LatestGenerationNotObserved]"},
    {"r04", FOO ", generation: 1}\nstatus: {observedGeneration: -1}\n",
     "InProgress Foo generation is 1, but latest observed generation is -1 [Reconciling LatestGenerationNotObserved]"},
    {"r04_larger", FOO ", generation: 1}\nstatus: {observedGeneration: 2}\n",
     "InProgress Foo generation is 1, but latest observed generation is 2 [Reconciling LatestGenerationNotObserved]"},
    {"r05", FOO ", generation: 2}\nstatus: {observedGeneration: '2'}\n",
     "Unknown + looking up status.observedGeneration from resource: .status.observedGeneration accessor error: 2 is of the type string, expected "
     "int64"},
    {"r05_null", FOO ", generation: 2}\nstatus: {observedGeneration: null}\n",
     "Unknown + looking up status.observedGeneration from resource: .status.observedGeneration accessor error: <nil> is of the type <nil>, expected "
     "int64"},
    {"status_null", FOO ", generation: 2}\nstatus: null\n", "Current Resource is current"},
    {"conditions_string", FOO "}\nstatus: {conditions: x}\n", "Unknown + cannot restore slice from string"},
    {"conditions_map", FOO "}\nstatus: {conditions: {}}\n", "Unknown + cannot restore slice from map"},
    {"condition_bool", FOO "}\nstatus: {conditions: [{type: Ready, status: true}]}\n", "Unknown + unrecognized type: string"},
    {"r06", FOO "}\nstatus: {conditions: [{type: Ready, status: 'False', reason: R, message: M}]}\n", "InProgress M [Reconciling R]"},
    {"ready_unknown", FOO "}\nstatus: {conditions: [{type: Ready, status: Unknown, reason: R, message: M}]}\n", "InProgress M [Reconciling R]"},
    {"ready", FOO "}\nstatus: {conditions: [{type: Ready, status: 'True'}]}\n", "Current Resource is Ready"},
    {"r07", FOO "}\nstatus: {conditions: [{type: Ready, status: 'True'}, {type: Reconciling, status: 'True', reason: R, message: M}]}\n",
     "InProgress M [Reconciling R]"},
    {"r08", FOO "}\nstatus: {conditions: [{type: Stalled, status: 'True', reason: S, message: M}, {type: Reconciling, status: 'True'}]}\n",
     "Failed M [Stalled S]"},
    {"r09", FOO "}\nstatus: {conditions: [{type: Reconciling, status: 'True', reason: R, message: M}, {type: Stalled, status: 'True'}]}\n",
     "InProgress M [Reconciling R]"},
    {"r10", FOO "}\nstatus: {conditions: [{type: Ready, status: Foo}]}\n", "Current Resource is current"},
    {"r10_no_status", FOO "}\nstatus: {conditions: [{type: Ready}]}\n", "Current Resource is current"},
    {"api_service_unavailable", "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: a}\nstatus: {conditions: [{type: "
                                "Available, status: 'False'}]}\n",
     "Current Resource is current"},
    {"r11", DEPLOY, "InProgress Replicas: 0/1 [Reconciling LessReplicas]"},
    {"r12", DEPLOY "spec: {replicas: 2}\nstatus: {replicas: 2, updatedReplicas: 1, availableReplicas: 1}\n",
     "InProgress Updated: 1/2 [Reconciling LessUpdated]"},
    {"r13", DEPLOY "spec: {replicas: 2}\nstatus: {replicas: 2, updatedReplicas: 2, availableReplicas: 1}\n",
     "InProgress Available: 1/2 [Reconciling LessAvailable]"},
    {"r14", DEPLOY "spec: {replicas: 1}\nstatus: {replicas: 2, updatedReplicas: 1}\n",
     "InProgress Pending termination: 1 [Reconciling ExtraPods]"},
    {"deployment_less_ready", DEPLOY "spec: {replicas: 2}\nstatus: {replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 1}\n",
     "InProgress Ready: 1/2 [Reconciling LessReady]"},
    {"r15", DEPLOY "spec: {progressDeadlineSeconds: 45}\nstatus: {replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1, "
                   "conditions: [{type: Progressing, status: 'True', reason: ReplicaSetUpdated}, {type: Available, status: 'True'}]}\n",
     "InProgress ReplicaSet not Available [Reconciling ReplicaSetNotAvailable]"},
    {"r16", DEPLOY "status: {replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1}\n",
     "InProgress Deployment not Available [Reconciling DeploymentNotAvailable]"},
    {"r17", DEPLOY "status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: M}]}\n",
     "Failed Progress deadline exceeded [Stalled ProgressDeadlineExceeded]"},
    {"r18", DEPLOY "spec: {replicas: 0, progressDeadlineSeconds: 600}\nstatus: {conditions: [{type: Progressing, status: 'True', reason: "
                   "NewReplicaSetAvailable}, {type: Available, status: 'True'}]}\n",
     "Current Deployment is available. Replicas: 0"},
    {"deployment_extensions", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n",
     "InProgress Replicas: 0/1 [Reconciling LessReplicas]"},
    {"deployment_elsewhere", "apiVersion: x.io/v1\nkind: Deployment\nmetadata: {name: a}\n", "Current Resource is current"},
    {"replicas_of_wrong_type", DEPLOY "spec: {replicas: '3'}\n", "InProgress Replicas: 0/1 [Reconciling LessReplicas]"},
    {"r19", RS "spec: {replicas: 4}\nstatus: {replicas: 4, fullyLabeledReplicas: 2}\n", "InProgress Labelled: 2/4 [Reconciling LessLabelled]"},
    {"rs_failure", RS "status: {conditions: [{type: ReplicaFailure, status: 'True'}]}\n",
     "InProgress Replica Failure condition. Check Pods [Reconciling ReplicaFailure]"},
    {"rs_available", RS "status: {replicas: 1, fullyLabeledReplicas: 1}\n", "InProgress Available: 0/1 [Reconciling LessAvailable]"},
    {"rs_ready", RS "status: {replicas: 1, fullyLabeledReplicas: 1, availableReplicas: 1}\n", "InProgress Ready: 0/1 [Reconciling LessReady]"},
    {"rs_extra", RS "status: {replicas: 3, fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1}\n",
     "InProgress Pending termination: 2 [Reconciling ExtraPods]"},
    {"rs_current", RS "status: {replicas: 1, fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1}\n",
     "Current ReplicaSet is available. Replicas: 1"},
    {"r20", STS "spec: {updateStrategy: {type: OnDelete}}\n", "Current StatefulSet is using the ondelete update strategy"},
    {"sts_replicas", STS, "InProgress Replicas: 0/1 [Reconciling LessReplicas]"},
    {"sts_ready", STS "status: {replicas: 1}\n", "InProgress Ready: 0/1 [Reconciling LessReady]"},
    {"sts_extra", STS "status: {replicas: 2, readyReplicas: 1}\n", "InProgress Pending termination: 1 [Reconciling ExtraPods]"},
    {"r21", STS "spec: {replicas: 4, updateStrategy: {rollingUpdate: {partition: 2}}}\nstatus: {replicas: 4, readyReplicas: 4, updatedReplicas: 1}\n",
     "InProgress updated: 1/2 [Reconciling PartitionRollout]"},
    {"r22", STS "spec: {replicas: 2, updateStrategy: {rollingUpdate: {partition: 0}}}\nstatus: {replicas: 2, readyReplicas: 2, updatedReplicas: 2, "
                "currentRevision: a, updateRevision: b}\n",
     "Current Partition rollout complete. updated: 2"},
    {"sts_current_replicas", STS "status: {replicas: 1, readyReplicas: 1}\n", "InProgress current: 0/1 [Reconciling LessCurrent]"},
    {"r23", STS "status: {replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentReplicas: 1, currentRevision: a, updateRevision: b}\n",
     "InProgress Waiting for updated revision to match current [Reconciling RevisionMismatch]"},
    {"sts_current", STS "status: {replicas: 1, readyReplicas: 1, currentReplicas: 1, currentRevision: a, updateRevision: a}\n",
     "Current All replicas scheduled as expected. Replicas: 1"},
    {"ds_no_generation", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\n",
     "InProgress DaemonSet metadata.generation not found [Reconciling NoGeneration]"},
    {"r26", DS, "InProgress DaemonSet status.observedGeneration not found [Reconciling NoObservedGeneration]"},
    {"ds_no_desired", DS "status: {observedGeneration: 1}\n", "InProgress Missing .status.desiredNumberScheduled [Reconciling NoDesiredNumber]"},
    {"r27", DS "status: {observedGeneration: 1, desiredNumberScheduled: 0}\n", "Current All replicas scheduled as expected. Replicas: 0"},
    {"ds_current", DS "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 1}\n",
     "InProgress Current: 1/2 [Reconciling LessCurrent]"},
    {"ds_updated", DS "status: {observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1}\n",
     "InProgress Updated: 0/1 [Reconciling LessUpdated]"},
    {"ds_available", DS "status: {observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1}\n",
     "InProgress Available: 0/1 [Reconciling LessAvailable]"},
    {"ds_ready",
     DS "status: {observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1}\n",
     "InProgress Ready: 0/1 [Reconciling LessReady]"},
    {"r28", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n", "InProgress PVC is not Bound. phase: unknown [Reconciling NotBound]"},
    {"pvc_bound", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nstatus: {phase: Bound}\n", "Current PVC is Bound"},
    {"r29", POD "status: {phase: Failed}\n", "Current Pod has completed, but not successfully"},
    {"pod_succeeded", POD "status: {phase: Succeeded}\n", "Current Pod has completed successfully"},
    {"pod_ready", POD "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}\n", "Current Pod is Ready"},
    {"pod_not_ready", POD "status: {phase: Running}\n", "InProgress Pod is running but is not Ready [Reconciling PodRunningNotReady]"},
    {"pod_crash", POD "status: {phase: Running, containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}, {name: c, state: "
                      "{running: {}}}, {name: b, state: {waiting: {reason: CrashLoopBackOff}}}]}\n",
     "Failed Containers in CrashLoop state: a,b [Stalled ContainerCrashLooping]"},
    {"r30", POD "status: {phase: Pending, initContainerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}]}\n",
     "InProgress Pod is in the Pending phase [Reconciling PodPending]"},
    {"r31", POD "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}\n",
     "Failed Pod could not be scheduled [Stalled PodUnschedulable]"},
    {"pod_unschedulable_young", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, creationTimestamp: '2026-01-01T11:59:50Z'}\nstatus: {phase: Pending, "
                                "conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}\n",
     "InProgress Pod has not been scheduled [Reconciling PodNotScheduled]"},
    {"pod_no_phase", POD, "InProgress Pod phase not available [Reconciling PodNotObserved]"},
    {"pod_other_phase", POD "status: {phase: Unknown}\n", "Unknown + unknown phase Unknown"},
    {"r32", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: LoadBalancer, clusterIP: 10.0.0.1}\n", "Current Service is ready"},
    {"service_no_ip", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: LoadBalancer}\n",
     "InProgress ClusterIP not set. Service type: LoadBalancer [Reconciling NoIPAssigned]"},
    {"r33", CRD "status: {conditions: [{type: NamesAccepted, status: 'False', reason: R, message: MM}]}\n", "Failed MM [Stalled R]"},
    {"r34", CRD "status: {conditions: [{type: Established, status: 'True'}, {type: NamesAccepted, status: 'False'}]}\n", "Current CRD is established"},
    {"crd_installing", CRD "status: {conditions: [{type: Established, status: 'False', reason: Installing}]}\n",
     "InProgress Install in progress [Reconciling Installing]"},
    {"crd_not_established", CRD "status: {conditions: [{type: Established, status: 'False', reason: Other, message: M}]}\n", "Failed M [Stalled Other]"},
    {"always_config", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "Current Resource is always ready"},
    {"always_secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n", "Current Resource is always ready"},
    {"always_cron", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\n", "Current Resource is always ready"},
    {"pdb", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n", "Current AllowedDisruptions has been computed."},
    {"job_not_started", JOB, "InProgress Job not started [Reconciling JobNotStarted]"},
    {"job_running", JOB "status: {startTime: x, active: 1}\n", "Current Job in progress. success:0, active: 1, failed: 0"},
    {"job_complete", JOB "spec: {parallelism: 3}\nstatus: {succeeded: 3, conditions: [{type: Complete, status: 'True'}]}\n",
     "Current Job Completed. succeeded: 3/3"},
    {"job_failed", JOB "status: {failed: 2, conditions: [{type: Failed, status: 'True'}]}\n", "Failed Job Failed. failed: 2/1 [Stalled JobFailed]"},
};

INSTANTIATE_TEST_SUITE_P(Readiness, KstatusTable, testing::ValuesIn(kTable), [](const auto& info) { return std::string(info.param.name); });

class FluxJob : public testing::TestWithParam<Case> {};

TEST_P(FluxJob, IsAsFluxsReaderSays) { EXPECT_EQ(text(compute_flux_status(object(GetParam().yaml), kNow)), GetParam().expected); }

const Case kJobs[] = {
    {"r35_running", JOB "status: {startTime: x, active: 1}\n",
     "InProgress Job in progress. success:0, active: 1, failed: 0 [Reconciling JobInProgress]"},
    {"r35_complete_deleting", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}\nstatus: {succeeded: "
                              "1, conditions: [{type: Complete, status: 'True'}]}\n",
     "Current Job Completed. succeeded: 1/1"},
    {"generation_ignored", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, generation: 2}\nstatus: {observedGeneration: 1, failed: 1, "
                           "conditions: [{type: Failed, status: 'True'}]}\n",
     "Failed Job Failed. failed: 1/1 [Stalled JobFailed]"},
    {"suspended", JOB "spec: {suspend: true}\n", "Current Job is suspended"},
    {"not_started", JOB "spec: {parallelism: 2}\n", "InProgress Job not started. active: 0/2 [Reconciling JobNotStarted]"},
    {"others_by_the_library", DEPLOY, "InProgress Replicas: 0/1 [Reconciling LessReplicas]"},
};

INSTANTIATE_TEST_SUITE_P(Readiness, FluxJob, testing::ValuesIn(kJobs), [](const auto& info) { return std::string(info.param.name); });

TEST(Kstatus, PodsOfAnUnreadySetDecide) {
    const Object set = object(STS);
    const Object crashing = object(POD "status: {phase: Running, containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}]}\n");
    const Object pending = object(POD "status: {phase: Pending}\n");
    const Object unschedulable = object(POD "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}\n");
    const Object leaving = object("apiVersion: v1\nkind: Pod\nmetadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}\nstatus: {phase: Running, "
                                  "containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}]}\n");
    ASSERT_TRUE(needs_pods(set));
    EXPECT_FALSE(needs_pods(object(DEPLOY)));
    const Status own = *compute_status(set, kNow);
    const std::vector<Object> broken{pending, crashing};
    EXPECT_EQ(text(with_pods(own, broken, kNow)), "Failed 1 pods have failed");
    const std::vector<Object> fine{pending, unschedulable, leaving};
    EXPECT_EQ(text(with_pods(own, fine, kNow)), text(own));
    const Status ready{StatusCode::current, "x", {}};
    EXPECT_EQ(with_pods(ready, broken, kNow).code, StatusCode::current);
}

} // namespace
