// spec.kubeConfig: Kustomizations of one API server whose objects are in another (kustomization.md 6.6, section 9 items 61, 75). The cluster that holds them
// is the embedded server or a real kube-apiserver; the other one is an embedded server on a TCP port.
#include "kube/base/digest.h"
#include "kube/kubeconfig.h"
#include "tests/agent/kustomization_fixture.h"

namespace weber::agent {
namespace {

// The other cluster.
class Remote {
public:
    explicit Remote(kube::ServerOptions options = {}) {
        options.data_dir = dir_.path();
        options_ = options;
        start();
    }
    void start() {
        kube::ServerOptions options = options_;
        options.port = port_; // the same one again
        auto server = kube::Server::start(options);
        const auto limit = std::chrono::steady_clock::now() + kPatience; // a connection of somebody may have taken the port meanwhile
        while (!server && port_ != 0 && std::chrono::steady_clock::now() < limit) server = kube::Server::start(options);
        ASSERT_TRUE(server.has_value()) << server.error().to_string();
        server_ = std::move(*server);
        port_ = server_->port();
        kubeconfig = server_->kubeconfig();
        auto client = kube::Client::connect(kube::parse_kubeconfig(kubeconfig, "test", {}, true).value());
        ASSERT_TRUE(client.has_value());
        client_ = std::move(*client);
    }
    void stop() { server_.reset(); }
    kube::Client& api() { return *client_; }
    [[nodiscard]] std::string token() const { return server_->token(); }
    void make_namespace(const std::string& name) {
        ASSERT_TRUE(api().create(testing::object_of("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n")).has_value());
    }
    std::string kubeconfig;

private:
    testing::TempDir dir_;
    kube::ServerOptions options_;
    std::uint16_t port_ = 0;
    std::unique_ptr<kube::Server> server_;
    std::shared_ptr<kube::Client> client_;
};

class RemoteClusters : public KustomizationRuns {
protected:
    Object secret(const std::string& name, const std::map<std::string, std::string>& data) {
        Object o = in_ns("apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\n");
        Node values = Node::map();
        for (const auto& [key, value] : data) values.set(key, Node::string(kube::base64_encode(value)));
        o.root().set("data", std::move(values));
        return o;
    }
    void set_secret(const Object& o) {
        auto done = api().apply(o, {.field_manager = "test", .force = true});
        ASSERT_TRUE(done.has_value()) << done.error().to_string();
    }
    std::string map_text(const std::string& name, const std::string& value) {
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns_ + "}\ndata: {k: " + value + "}\n";
    }
    Object map_object(const std::string& name) { return in_ns(config_map(name, "")); }
    double gauge(const std::string& name) { // from /metrics
        const std::string text = metrics_.text();
        const auto at = text.find("\n" + name + " ");
        return at == text.npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }
    void await_gauge(const std::string& name, double value) {
        const auto limit = std::chrono::steady_clock::now() + kPatience;
        while (gauge(name) != value && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
        EXPECT_EQ(gauge(name), value) << name;
    }
    static std::function<bool(const Object&)> has_value(const std::string& v) {
        return [=](const Object& o) { return o.at({"data", "k"}) != nullptr && o.at({"data", "k"})->text() == v; };
    }
    static bool there(const Object&) { return true; }
    Object in(Remote& remote, const std::string& name, const std::string& value) {
        return testing::await(remote.api(), kube::ref_of(map_object(name)), has_value(value), kPatience);
    }
    static constexpr const char* kTo = "kubeConfig: {secretRef: {name: remote}}";
};
INSTANTIATE_TEST_SUITE_P(Servers, RemoteClusters, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

TEST_P(RemoteClusters, ObjectsLiveAndDieInTheOtherCluster) {
    Remote remote;
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    make(map_object("a")); // of somebody else, here
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}, {"b.yaml", map_text("b", "one")}, {"c.yaml", map_text("c", "one")}});
    const Object k = make(kustomization("app", "./", std::string("wait: true, ") + kTo));
    start_agent();
    const Object done = await(k, applied("main@sha1:1"));
    EXPECT_EQ(inventory_of(done), (std::vector<std::string>{"ConfigMap/a", "ConfigMap/b", "ConfigMap/c"}));
    EXPECT_TRUE(status_of(done).is_true("Healthy"));
    in(remote, "a", "one");
    EXPECT_EQ(value_of("a"), "") << "the object of the same name here is left alone";
    EXPECT_TRUE(absent(map_object("b")));
    // Pruned there.
    publish("main@sha1:2", {{"a.yaml", map_text("a", "two")}, {"b.yaml", map_text("b", "one")}});
    await(k, applied("main@sha1:2"));
    in(remote, "a", "two");
    testing::await_gone(remote.api(), kube::ref_of(map_object("c")), kPatience);
    // Drift is seen there and corrected, of a field and of a deletion.
    await_settled("app");
    ASSERT_TRUE(remote.api().patch(kube::ref_of(map_object("a")), kube::PatchType::merge, object_of("data: {k: edited}\n").root(), {.field_manager = "kubectl-edit"}).has_value());
    in(remote, "a", "two");
    await_settled("app");
    ASSERT_TRUE(remote.api().remove(kube::ref_of(map_object("b"))).has_value());
    in(remote, "b", "one");
    // Deleted there, with the finalizer; nobody needs that cluster then.
    EXPECT_EQ(gauge("weber_remote_clusters"), 1);
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    await_gone(k);
    EXPECT_FALSE(remote.api().find(kube::ref_of(map_object("a"))).value().has_value());
    EXPECT_FALSE(remote.api().find(kube::ref_of(map_object("b"))).value().has_value());
    EXPECT_EQ(value_of("a"), "");
    await_gauge("weber_remote_clusters", 0);
    for (const std::string& line : logged_.all()) EXPECT_EQ(line.find(remote.token()), line.npos);
}

TEST_P(RemoteClusters, AWaitHoldsNoWorkerAndEndsByItsWatch) {
    kube::ServerOptions options;
    options.simulate = false;
    Remote remote(options); // nothing becomes ready by itself
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    const std::string deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: " + ns_ + "}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
                                   "{containers: [{name: c, image: i}]}}}\n";
    publish("main@sha1:1", {{"far/d.yaml", deployment}, {"far/b.yaml", map_text("b", "one")}, {"near/a.yaml", map_text("a", "one")}});
    const std::string more = std::string("wait: true, timeout: 10m, ") + kTo;
    const Object far = make(kustomization("far", "./far", more)), far2 = make(kustomization("far2", "./far", more + ", nameSuffix: '2'")),
                 far3 = make(kustomization("far3", "./far", more + ", nameSuffix: '3'"));
    options_.concurrent = 1;
    start_agent();
    for (const Object& k : {far, far2, far3}) await(k, [](const Object& o) { return status_of(o).inventory.has_value() && status_of(o).is_true("Reconciling"); });
    for (const char* name : {"web", "web2", "web3"})
        testing::await(remote.api(), {{"apps", "v1", "Deployment"}, ns_, name}, there, kPatience);
    const Object near = make(kustomization("near", "./near"));
    await(near, applied("main@sha1:1")); // the only worker is free
    const Object d = remote.api().get({{"apps", "v1", "Deployment"}, ns_, "web"}).value();
    const std::string status = "status: {observedGeneration: " + std::to_string(d.generation()) + ", replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, "
                               "status: 'True'}, {type: Progressing, status: 'True', reason: NewReplicaSetAvailable}]}\n";
    ASSERT_TRUE(remote.api().patch({{"apps", "v1", "Deployment"}, ns_, "web"}, kube::PatchType::merge, object_of(status).root(), {.subresource = "status"}).has_value());
    await(far, applied("main@sha1:1"));
    EXPECT_FALSE(status_of(live(far2)).ready());
    // A newer revision ends the others' waits.
    publish("main@sha1:2", {{"far/b.yaml", map_text("b", "one")}, {"near/a.yaml", map_text("a", "one")}});
    await(far2, applied("main@sha1:2"));
    await(far3, applied("main@sha1:2"));
    EXPECT_EQ(gauge("weber_remote_clusters"), 1) << "three Kustomizations, one kubeconfig";
}

TEST_P(RemoteClusters, TheAccountActsThere) {
    kube::ServerOptions options;
    options.authorization = kube::ServerOptions::Authorization::rbac;
    Remote remote(options);
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    const Object k = make(kustomization("app", "./", std::string("retryInterval: 1s, serviceAccountName: deployer, ") + kTo));
    make(in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: deployer}\n")); // finalization wants to see it here
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "system:serviceaccount:" + ns_ + ":deployer"));
    for (const std::string text : {"kind: Role\nmetadata: {name: d, namespace: NS}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]\n",
                                   "kind: RoleBinding\nmetadata: {name: d, namespace: NS}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: d}\n"
                                   "subjects: [{kind: User, name: 'system:serviceaccount:NS:deployer', apiGroup: rbac.authorization.k8s.io}]\n"}) {
        const auto made = remote.api().create(object_of("apiVersion: rbac.authorization.k8s.io/v1\n" + with_ns(text)));
        ASSERT_TRUE(made.has_value()) << made.error().to_string();
    }
    await(k, applied("main@sha1:1"));
    in(remote, "a", "one");
}

TEST_P(RemoteClusters, WhatIsWrongWithTheSecretIsSaid) { // item 61
    Remote remote;
    remote.make_namespace(ns_);
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    const std::string where = "'" + ns_ + "/remote'", exec = "users: [{name: admin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: /bin/touch, args: [" + ns_ + "]}}}]\n",
                      file = "users: [{name: admin, user: {tokenFile: /etc/hostname}}]\n", without_user = remote.kubeconfig.substr(0, remote.kubeconfig.find("users:"));
    const Object k = make(kustomization("app", "./", std::string("retryInterval: 1s, ") + kTo));
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "unable to read KubeConfig secret " + where + " error: "));
    EXPECT_EQ(EventReceiver::of("app", "ReconciliationFailed")(events_seen_.await(EventReceiver::of("app", "ReconciliationFailed", "failed to build kube client: unable to read"))), true);
    const struct {
        std::map<std::string, std::string> data;
        std::string text;
    } wrong[] = {
        {{{"kubeconfig", remote.kubeconfig}}, "KubeConfig secret " + where + " does not contain a 'value' key with a kubeconfig"},
        {{{"value", "{"}}, "invalid KubeConfig in secret " + where + ": "},
        {{{"value", without_user + exec}}, "invalid KubeConfig in secret " + where + ": it holds no credentials that may be used here; left out: exec"},
        {{{"value", without_user + file}}, "left out: tokenFile"},
        {{{"value", "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: 'unix:///run/x'}}]\ncontexts: [{name: c, context: {cluster: c}}]\n"}}, "a Unix socket is not allowed here"},
    };
    for (const auto& w : wrong) {
        set_secret(secret("remote", w.data));
        await(k, ready("False", "ReconciliationFailed", w.text));
    }
    patch(k, "spec: {kubeConfig: {secretRef: {key: mine}}}\n");
    await(k, ready("False", "ReconciliationFailed", "KubeConfig secret " + where + " does not contain a 'mine' key with a kubeconfig"));
    // `value` goes before `value.yaml`; a named key goes before both.
    set_secret(secret("remote", {{"mine", remote.kubeconfig}, {"value", "{"}}));
    await(k, applied("main@sha1:1"));
    patch(k, "spec: {kubeConfig: {secretRef: {key: null}}}\n");
    await(k, ready("False", "ReconciliationFailed", "invalid KubeConfig in secret"));
    set_secret(secret("remote", {{"value.yaml", remote.kubeconfig}}));
    await(k, applied("main@sha1:1"));
    in(remote, "a", "one");
}

TEST_P(RemoteClusters, AnotherKubeconfigOpensAnotherConnection) {
    Remote one, two;
    one.make_namespace(ns_), two.make_namespace(ns_);
    set_secret(secret("remote", {{"value", one.kubeconfig}}));
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    const Object k = make(kustomization("app", "./", std::string("retryInterval: 1s, ") + kTo));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    set_secret(secret("remote", {{"value", two.kubeconfig}}));
    patch(k, "spec: {interval: 1s}\n"); // a run of its own, then one each second
    in(two, "a", "one");
    await_settled("app");
    await_gauge("weber_remote_clusters", 1);
    // The interval alone notices, too; what it left in the other cluster stays there, as with Flux.
    set_secret(secret("remote", {{"value", one.kubeconfig}}));
    ASSERT_TRUE(one.api().remove(kube::ref_of(map_object("a"))).has_value());
    in(one, "a", "one");
    in(two, "a", "one");
    await_gauge("weber_remote_clusters", 1);
    // Back home.
    patch(k, "spec: {kubeConfig: null, interval: 1h}\n");
    await(map_object("a"), has_value("one"));
    await_gauge("weber_remote_clusters", 0);
}

TEST_P(RemoteClusters, AnUnreachableClusterIsNoticedAndKeepsTheFinalizer) { // item 75
    Remote remote;
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    const Object k = make(each_second(kustomization("app", "./", std::string("retryInterval: 1s, timeout: 1s, ") + kTo)));
    options_.backoff.max = std::chrono::seconds(1);
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    remote.stop();
    await(k, [](const Object& o) { return !status_of(o).ready() && status_of(o).find("Ready")->status == "False"; }); // though nothing changed
    const Object kept = secret("remote", {{"value", remote.kubeconfig}});
    ASSERT_TRUE(api().remove(kube::ref_of(kept)).has_value());
    ASSERT_TRUE(api().remove(kube::ref_of(k)).has_value());
    logged_.await([](const std::string& line) { return line.find("failed to finalize") != line.npos && line.find("unable to read KubeConfig secret") != line.npos; });
    EXPECT_TRUE(live(k).deleting());
    set_secret(kept);
    logged_.await([](const std::string& line) { return line.find("failed to finalize") != line.npos && line.find("unable to read KubeConfig secret") == line.npos; });
    EXPECT_TRUE(live(k).deleting());
    remote.start();
    await_gone(k);
    EXPECT_FALSE(remote.api().find(kube::ref_of(map_object("a"))).value().has_value());
}

TEST_P(RemoteClusters, QuietIntervalsAskEachServerLittle) {
    Remote remote;
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    std::map<std::string, std::string> files;
    for (int i = 0; i < 10; ++i) files["cm" + std::to_string(i) + ".yaml"] = map_text("cm" + std::to_string(i), "v");
    publish("main@sha1:1", files);
    const Object k = make(each_second(kustomization("app", "./", kTo)));
    start_agent();
    await(k, applied("main@sha1:1"));
    await_settled("app");
    const auto finished = EventReceiver::of("app", "ReconciliationSucceeded", "Reconciliation finished");
    events_seen_.await(finished, events_seen_.count(finished) + 1);
    ASSERT_TRUE(events_->flush(kPatience));
    const auto version = [&] { return std::string(remote.api().get(kube::ref_of(map_object("cm0"))).value().resource_version()); };
    const std::string before = version();
    const auto requests = [this] {
        const auto c = client_->counts();
        return c.get + c.list + c.create + c.update + c.patch + c.apply + c.dry_run + c.remove;
    };
    const auto start = requests();
    const std::size_t runs = events_seen_.count(finished);
    events_seen_.await(finished, runs + 3);
    const auto end = requests();
    EXPECT_LE(end - start, 2 * (events_seen_.count(finished) - runs + 1)) << "the status, now and then an event";
    EXPECT_EQ(version(), before);
}

// Of both API servers together.
TEST_P(RemoteClusters, AFirstRunWithReferencesCostsNoMore) {
    Remote remote;
    remote.make_namespace(ns_);
    set_secret(secret("remote", {{"value", remote.kubeconfig}}));
    std::map<std::string, std::string> files;
    for (const char* name : {"none", "plain", "many"}) files[std::string(name) + "/a.yaml"] = config_map(name, "${a:=}${b:=}");
    publish("main@sha1:1", files);
    for (const char* name : {"a", "b"}) {
        make(in_ns(std::string("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars-") + name + "}\ndata: {" + name + ": x}\n"));
        make(in_ns(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: more-") + name + "}\nstringData: {" + name + ": x}\n"));
    }
    start_agent();
    const auto there = [this] {
        const std::string text = metrics_.text();
        int all = 0;
        for (std::size_t at = 0; (at = text.find("\nrest_client_requests_total{", at)) != text.npos; ++at)
            all += std::stoi(text.substr(text.find("} ", at) + 2));
        return all;
    };
    const auto cost = [&](const std::string& name, const std::string& more) {
        faults_->reset_counts();
        const int before = there();
        await(make(kustomization(name, "./" + name, kTo + more)), applied("main@sha1:1"));
        EXPECT_TRUE(events_->flush(kPatience));
        auto by_verb = faults_->counts();
        by_verb.erase("watch"); // those stay open
        int all = there() - before;
        for (const auto& [verb, n] : by_verb) all += n;
        return all;
    };
    constexpr int kMost = 2 * 1 + 7;
    cost("none", ""); // the cluster is opened
    await_settled("none");
    EXPECT_LE(cost("plain", ""), kMost);
    EXPECT_LE(cost("many", ", postBuild: {substituteFrom: [{kind: ConfigMap, name: vars-a}, {kind: ConfigMap, name: vars-b}, {kind: Secret, name: more-a}, {kind: Secret, name: more-b}]}"), kMost);
}

TEST_P(RemoteClusters, WhatIsWrongWithTheConfigMapIsSaid) {
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    const Object k = make(kustomization("app", "./", "retryInterval: 1s, kubeConfig: {configMapRef: {name: far}}"));
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "failed to get configmap " + ns_ + "/far: "));
    const Object map = make(in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\n"));
    await(k, ready("False", "ReconciliationFailed", "provider '' not implemented"));
    for (const char* cloud : {"aws", "azure", "gcp"}) {
        patch(map, std::string("data: {provider: ") + cloud + "}\n");
        await(k, ready("False", "ReconciliationFailed", std::string("spec.kubeConfig.configMapRef: provider '") + cloud + "' of ConfigMap '" + ns_ + "/far' is not supported"));
    }
    patch(map, "data: {provider: generic}\n");
    await(k, ready("False", "ReconciliationFailed", "must name a serviceAccountName"));
    patch(map, "data: {serviceAccountName: deployer}\n");
    await(k, ready("False", "ReconciliationFailed", "ObjectLevelWorkloadIdentity feature gate is not enabled"));
    stop_agent();
    options_.object_level_workload_identity = true;
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "cluster address is required to create a REST config"));
    patch(map, "data: {address: 'http://127.0.0.1:1'}\n");
    await(k, ready("False", "ReconciliationFailed", "must use https scheme"));
    patch(map, "data: {address: '127.0.0.1:1'}\n");
    await(k, ready("False", "ReconciliationFailed", "failed to get access token for cluster: failed to get service account '" + ns_ + "/deployer': "));
    patch(map, "data: {serviceAccountName: ../../../default/serviceaccounts/deployer}\n");
    await(k, ready("False", "ReconciliationFailed", "is not the name of a service account"));
}

TEST_P(RemoteClusters, TokensOfAnAccountOpenAClusterThatTrustsThem) {
    if (!cluster_.is_real()) GTEST_SKIP() << "the tokens must be of a server on a TCP port with RBAC";
    publish("main@sha1:1", {{"a.yaml", map_text("a", "one")}});
    make(in_ns("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: deployer}\n"));
    Object map = in_ns("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\ndata: {provider: generic, serviceAccountName: deployer, audiences: \"\\n https://kubernetes.default.svc \\n\"}\n");
    Node data = *map.root().find("data");
    data.set("address", Node::string(cluster_.config().server));
    data.set("ca.crt", Node::string(cluster_.config().tls.ca));
    map.root().set("data", std::move(data));
    make(map);
    options_.object_level_workload_identity = true;
    const Object k = make(kustomization("app", "./", "wait: true, retryInterval: 1s, kubeConfig: {configMapRef: {name: far}}"));
    start_agent();
    await(k, ready("False", "ReconciliationFailed", "system:serviceaccount:" + ns_ + ":deployer")); // it is known there, and may do nothing
    make(in_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: d}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]\n"));
    make(in_ns(with_ns("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: d}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: d}\n"
                       "subjects: [{kind: ServiceAccount, name: deployer, namespace: NS}]\n")));
    await(k, applied("main@sha1:1"));
    EXPECT_EQ(value_of("a"), "one");
}

} // namespace
} // namespace weber::agent
