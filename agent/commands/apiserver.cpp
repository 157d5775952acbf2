// `weber apiserver`: the embedded API server on a port, for kubectl and for trying things.
#include <filesystem>
#include <fstream>
#include <ostream>

#include <sys/stat.h>

#include "agent/commands/commands.h"
#include "agent/endpoints.h"
#include "agent/interrupt.h"
#include "kube/server/server.h"

namespace weber::agent {

namespace {

// Only its owner may read it: it holds a token.
Result<void> write_private(const std::string& path, const std::string& text) {
    const mode_t before = umask(0077);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    umask(before);
    file << text;
    file.close();
    if (!file) return fail(ErrorCode::invalid, "cannot write " + path);
    return {};
}

Result<int> run(Invocation& in) {
    if (!in.args.empty()) return in.usage("apiserver takes no arguments, but got \"" + in.args.front() + "\"");
    const auto listen = parse_listen_address(in.flags.text("listen"), "127.0.0.1");
    if (!listen) return in.usage("--listen must be ADDRESS:PORT, not \"" + in.flags.text("listen") + "\"");

    kube::ServerOptions options;
    options.data_dir = in.flags.text("data");
    options.address = listen->address;
    options.port = listen->port;
    options.allow_remote = in.flags.on("allow-remote");
    const std::string authorization = in.flags.text("authorization");
    if (authorization == "rbac") options.authorization = kube::ServerOptions::Authorization::rbac;
    else if (authorization != "always-allow") return in.usage("--authorization must be always-allow or rbac, not \"" + authorization + "\"");
    options.fail = in.flags.list("fail");
    options.rollout_delay = std::chrono::duration_cast<std::chrono::milliseconds>(in.flags.duration("rollout-delay"));

    Interrupt interrupt;
    TRY(const std::unique_ptr<kube::Server> server, kube::Server::start(std::move(options)));
    const std::string kubeconfig = in.flags.text("kubeconfig-out");
    if (!kubeconfig.empty()) TRY_VOID(write_private(kubeconfig, server->kubeconfig()));
    in.io.success("API server listens on " + server->url());
    if (!kubeconfig.empty()) in.io.action("kubectl --kubeconfig " + kubeconfig + " get namespaces");
    interrupt.wait();
    server->stop();
    in.io.success("stopped");
    return kOk;
}

} // namespace

Command apiserver_command() {
    return {.name = "apiserver",
            .summary = "Run the embedded API server, for kubectl and for trying things",
            .about = "A small Kubernetes API server in this process. Pods do not run: workloads are reported ready as soon as they are\n"
                     "written (see --fail and --rollout-delay). Ends with Ctrl-C.",
            .flags = {{.name = "data", .help = "directory of the state; without it everything is in memory", .value = "dir"},
                      {.name = "listen", .help = "where to listen; port 0 takes a free one", .value = "address:port", .default_text = "127.0.0.1:6443"},
                      {.name = "authorization", .help = "always-allow, or rbac: roles and bindings decide", .value = "mode", .default_text = "always-allow"},
                      {.name = "allow-remote", .kind = FlagKind::boolean, .help = "allow an address that is not loopback"},
                      {.name = "kubeconfig-out", .help = "write a kubeconfig for it to this file", .value = "file"},
                      {.name = "fail", .kind = FlagKind::list, .help = "a workload that never becomes healthy (repeatable)", .value = "kind/ns/name"},
                      {.name = "rollout-delay", .kind = FlagKind::duration, .help = "time until a workload's status settles", .default_text = "0s"}},
            .run = run};
}

} // namespace weber::agent
