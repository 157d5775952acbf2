// Generators configured by objects under `generators`.
#include "kustomize/generators.h"
#include "kustomize/plugin_configs.h"
#include "kustomize/plugins.h"

namespace weber::kustomize {
namespace {

using Generated = std::vector<std::unique_ptr<Resource>>;

// A ServiceAccount bound to a Google service account (kustomize: filters/iampolicygenerator).
Result<std::unique_ptr<Resource>> make_gke_service_account(const IamPolicyConfig& c) {
    if (c.cloud != "gke") return fail(ErrorCode::invalid, "cloud provider " + c.cloud + " not supported yet");
    Node metadata = Node::map();
    metadata.set("annotations", Node::map({{"iam.gke.io/gcp-service-account", Node::string(c.account_name + "@" + c.project_id + ".iam.gserviceaccount.com")}}));
    metadata.set("name", Node::string(c.service_name));
    if (!c.service_namespace.empty()) metadata.set("namespace", Node::string(c.service_namespace));
    return std::make_unique<Resource>(
        Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("ServiceAccount")}, {"metadata", std::move(metadata)}}));
}

Result<std::unique_ptr<Resource>> generate(const Resource& config, const PluginContext& context) {
    std::string_view kind = config.kind();
    if (kind == "ConfigMapGenerator" || kind == "SecretGenerator") {
        TRY(GeneratorConfig c, read_plugin<GeneratorConfig>(config.node()));
        if (!c.args.env.empty()) c.args.envs.push_back(std::exchange(c.args.env, {}));
        return kind == "SecretGenerator" ? make_secret(context.loader, c.args) : make_config_map(context.loader, c.args);
    }
    if (kind == "IAMPolicyGenerator") {
        TRY(IamPolicyConfig c, read_plugin<IamPolicyConfig>(config.node()));
        return make_gke_service_account(c);
    }
    return unknown_plugin(config, "generator");
}

} // namespace

Result<Generated> run_generator_plugin(const Resource& config, const PluginContext& context) {
    TRY_VOID(check_builtin(config));
    if (config.kind() == "HelmChartInflationGenerator") {
        TRY(HelmChart chart, read_plugin<HelmChart>(config.node()));
        TRY(HelmGlobals globals, read_plugin<HelmGlobals>(config.node()));
        return inflate_chart(std::move(chart), globals, context);
    }
    auto made = generate(config, context);
    if (!made) return fail(std::move(made.error()).at(config.where()));
    Generated list;
    list.push_back(std::move(*made));
    return list;
}

} // namespace weber::kustomize
