// The cluster that a command line means.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/command.h"
#include "kube/client.h"
#include "kube/server/server.h"

namespace weber::agent {

// An API server within this process, on a Unix socket in a directory of its own; both go away with the object.
class EmbeddedCluster {
public:
    // `options.unix_path` is set here; `data_dir` empty = in memory. Errors: those of Server::start.
    static Result<std::unique_ptr<EmbeddedCluster>> start(kube::ServerOptions options);
    ~EmbeddedCluster();
    EmbeddedCluster(const EmbeddedCluster&) = delete;
    EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;
    [[nodiscard]] kube::ClientConfig config() const { return kube::unix_socket_config(server_->unix_path()); }

private:
    EmbeddedCluster() = default;
    std::string socket_dir_;
    std::unique_ptr<kube::Server> server_;
};

struct Cluster {
    std::unique_ptr<EmbeddedCluster> embedded; // null: a real one
    kube::ClientConfig config;
    std::shared_ptr<kube::Client> client;      // goes before the server
    std::string description;                   // "context home of ~/.kube/config", "embedded cluster in DIR"
};

// --kubeconfig, --context and the rest of kubectl's flags for a connection, then --embedded and --state.
std::vector<Flag> connection_flags();

// For commands that Flux has, too: --state or --embedded, else as kubectl: --kubeconfig, $KUBECONFIG, ~/.kube/config, the pod's service account.
Result<Cluster> open_cluster(const Invocation& in);

// The files that kubectl would read: --kubeconfig, $KUBECONFIG, ~/.kube/config when it is there.
std::vector<std::string> kubeconfig_files(const Flags& flags);

// The namespace of the kubeconfig's context; "" = it names none, or there is no kubeconfig that can be read.
std::string context_namespace(const Flags& flags);

// For commands that write what the user may not expect: the cluster that --kubeconfig or --context names, nothing else is looked at.
bool names_kubeconfig(const Flags& flags);
Result<Cluster> open_kubeconfig(const Flags& flags);

// The embedded cluster that --state names or, with --embedded, the only one there is. It must exist.
bool names_embedded(const Flags& flags);
Result<Cluster> open_state(const Flags& flags);

Result<Cluster> open_embedded(kube::ServerOptions options);

} // namespace weber::agent
