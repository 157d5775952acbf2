// `version`: of this program, and of what runs in the cluster (cli.md 2.12).
#include <algorithm>
#include <map>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/installation.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

// "ghcr.io/fluxcd/source-controller:v1.7.4" → source-controller, v1.7.4; a digest stays with the tag, as in Flux.
Result<std::pair<std::string, std::string>> name_and_tag(const std::string& image) {
    const std::string host = image.substr(0, std::min(image.find('/'), image.size()));
    const bool registry = host.size() < image.size() && (host.find_first_of(".:") != std::string::npos || host == "localhost");
    const std::size_t begin = registry ? host.size() : 0, colon = image.find(':', begin);
    if (colon == std::string::npos) return fail(ErrorCode::invalid, "missing image tag in image " + image);
    const std::string name = image.substr(begin, colon - begin);
    return std::pair(name.substr(name.rfind('/') + 1), image.substr(colon + 1));
}

Result<void> add_cluster(const Invocation& in, Node& out) {
    TRY(const Session s, open_session(in));
    TRY(const Installation found, find_installation(s));
    TRY(const std::vector<Object> deployments, find_deployments(s));
    if (deployments.empty()) return fail(ErrorCode::not_found, "no deployments found in " + s.ns + " namespace");
    if (!found.distribution.empty()) out.set("distribution", Node::string(found.distribution));
    std::map<std::string, std::string> images;
    for (const Object& d : deployments)
        for (const std::string& image : images_of(d)) {
            TRY(const auto named, name_and_tag(image));
            images.insert_or_assign(named.first == in.program ? named.first + "-agent" : named.first, named.second); // the program's own line stays
        }
    for (const auto& [name, tag] : images) out.set(name, Node::string(tag));
    return {};
}

Result<int> run(Invocation& in) {
    const std::string format = in.flags.text("output");
    if (format != "yaml" && format != "json") return fail(ErrorCode::invalid, "--output must be json or yaml, not " + format);
    Node out = Node::map({{in.program, Node::string("v" WEBER_VERSION)}});
    // Flux asks the cluster unless told not to; we ask only one that is named.
    const bool named = names_kubeconfig(in.flags) || names_embedded(in.flags) || in.flags.given("server");
    if (!in.flags.on("client") && (in.as_flux() || named)) TRY_VOID(add_cluster(in, out));
    if (format == "json") in.io.out << kube::write_json_pretty(out, 2, true);
    else in.io.out << kube::write_yaml(out, {.order = kube::YamlKeyOrder::as_is});
    return kOk;
}

} // namespace

Command version_command() {
    Command c{.name = "version", .summary = "Print the version, and those of a cluster's controllers", .flags = session_flags(), .run = run};
    c.flags.push_back({.name = "client", .kind = FlagKind::boolean, .help = "only of this program"});
    c.flags.push_back({.name = "output", .help = "yaml or json", .letter = 'o', .value = "format", .default_text = "yaml"});
    return c;
}

} // namespace weber::agent
