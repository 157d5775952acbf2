#include "kustomize/plugin_configs.h"

#include <algorithm>

#include "kube/base/trim.h"
#include "kube/base/yaml.h"
#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

template <auto Member, class T>
Result<void> text_field(const Decoder& d, const Node& node, T& out) {
    return d.text(node, out.*Member);
}
template <auto Member, class T>
Result<void> map_field(const Decoder& d, const Node& node, T& out) {
    return d.text_map(node, out.*Member);
}
template <auto Member, class T>
Result<void> struct_field(const Decoder& d, const Node& node, T& out) {
    return decode(d, node, out.*Member);
}

struct Meta {
    std::string name, ns;
};

Result<void> decode_meta(const Decoder& d, const Node& node, Meta& out) {
    static constexpr Field<Meta> kFields[] = {{"name", text_field<&Meta::name>}, {"namespace", text_field<&Meta::ns>}};
    return decode_map<Meta>(d, node, kFields, out);
}

Result<void> decode_target(const Decoder& d, const Node& node, ValueAddTarget& out) {
    static constexpr Field<ValueAddTarget> kFields[] = {
        {"selector", [](const Decoder& d, const Node& n, ValueAddTarget& o) { return decode(d, n, o.selector.emplace()); }},
        {"fieldPath", text_field<&ValueAddTarget::field_path>},
        {"filePathPosition",
         [](const Decoder& d, const Node& n, ValueAddTarget& o) -> Result<void> {
             std::int64_t position = 0;
             TRY_VOID(d.integer(n, position));
             if (position < 0) return fail(ErrorCode::invalid, "value of FilePathPosition (" + std::to_string(position) + ") cannot be negative", n.where());
             o.file_path_position = static_cast<int>(std::min<std::int64_t>(position, 1 << 20));
             return {};
         }},
    };
    return decode_map<ValueAddTarget>(d, node, kFields, out);
}

Result<void> decode_targets(const Decoder& d, const Node& node, std::vector<ValueAddTarget>& out) {
    return decode_list(node, out, [&](const Node& item, ValueAddTarget& t) { return decode_target(d, item, t); });
}

} // namespace

Result<void> decode(const Decoder& d, const Node& node, PrefixConfig& out) {
    static constexpr Field<PrefixConfig> kFields[] = {
        {"prefix", text_field<&PrefixConfig::prefix>},
        {"suffix", text_field<&PrefixConfig::suffix>},
        {"fieldSpecs",
         [](const Decoder& d, const Node& n, PrefixConfig& o) {
             o.has_field_specs = true;
             return decode(d, n, o.field_specs);
         }},
    };
    return decode_map<PrefixConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, NamespaceConfig& out) {
    static constexpr Field<NamespaceConfig> kFields[] = {
        {"metadata",
         [](const Decoder& d, const Node& n, NamespaceConfig& o) -> Result<void> {
             Meta meta;
             TRY_VOID(decode_meta(d, n, meta));
             o.options.ns = meta.ns;
             return {};
         }},
        {"fieldSpecs", [](const Decoder& d, const Node& n, NamespaceConfig& o) { return decode(d, n, o.options.field_specs); }},
        {"unsetOnly", [](const Decoder& d, const Node& n, NamespaceConfig& o) { return d.boolean(n, o.options.unset_only); }},
        {"setRoleBindingSubjects",
         [](const Decoder& d, const Node& n, NamespaceConfig& o) -> Result<void> {
             std::string mode;
             TRY_VOID(d.text(n, mode));
             if (mode == "none") o.options.subjects = RoleBindingSubjects::none;
             else if (mode == "allServiceAccounts") o.options.subjects = RoleBindingSubjects::all_service_accounts;
             else if (mode != "defaultOnly" && !mode.empty())
                 return fail(ErrorCode::invalid, "invalid value \"" + mode + "\" for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\"", n.where());
             return {};
         }},
    };
    return decode_map<NamespaceConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, MapConfig& out) {
    static constexpr Field<MapConfig> kFields[] = {
        {"labels", map_field<&MapConfig::labels>},
        {"annotations", map_field<&MapConfig::annotations>},
        {"fieldSpecs", struct_field<&MapConfig::field_specs>},
    };
    return decode_map<MapConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, ImageConfig& out) {
    static constexpr Field<ImageConfig> kFields[] = {
        {"imageTag", struct_field<&ImageConfig::image>},
        {"fieldSpecs", struct_field<&ImageConfig::field_specs>},
    };
    return decode_map<ImageConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, ReplicaConfig& out) {
    static constexpr Field<ReplicaConfig> kFields[] = {
        {"replica", struct_field<&ReplicaConfig::replica>},
        {"fieldSpecs", struct_field<&ReplicaConfig::field_specs>},
    };
    return decode_map<ReplicaConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, ReplacementConfig& out) {
    static constexpr Field<ReplacementConfig> kFields[] = {
        {"replacements",
         [](const Decoder& d, const Node& n, ReplacementConfig& o) {
             return decode_list(n, o.replacements, [&](const Node& item, ReplacementEntry& e) { return decode(d, item, e); });
         }},
    };
    return decode_map<ReplacementConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, JsonPatchConfig& out) {
    static constexpr Field<JsonPatchConfig> kFields[] = {
        {"target", [](const Decoder& d, const Node& n, JsonPatchConfig& o) { return decode(d, n, o.patch.target.emplace()); }},
        {"path", [](const Decoder& d, const Node& n, JsonPatchConfig& o) { return d.text(n, o.patch.path); }},
        {"jsonOp",
         [](const Decoder& d, const Node& n, JsonPatchConfig& o) {
             o.patch.inline_line = text_begins(n);
             return d.text(n, o.patch.inline_text);
         }},
    };
    out.patch.where = node.where();
    return decode_map<JsonPatchConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, MergePatchConfig& out) {
    static constexpr Field<MergePatchConfig> kFields[] = {
        {"paths", [](const Decoder& d, const Node& n, MergePatchConfig& o) { return d.texts(n, o.paths); }},
        {"patches",
         [](const Decoder& d, const Node& n, MergePatchConfig& o) {
             o.patches_line = text_begins(n);
             return d.text(n, o.patches);
         }},
    };
    return decode_map<MergePatchConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, ValueAddConfig& out) {
    static constexpr Field<ValueAddConfig> kFields[] = {
        {"value", text_field<&ValueAddConfig::value>},
        {"targets", [](const Decoder& d, const Node& n, ValueAddConfig& o) { return decode_targets(d, n, o.targets); }},
        {"targetFilePath", text_field<&ValueAddConfig::target_file_path>},
    };
    return decode_map<ValueAddConfig>(d, node, kFields, out);
}

Result<void> decode(const Decoder& d, const Node& node, GeneratorConfig& out) {
    TRY_VOID(decode(d, node, out.args));
    Meta meta;
    if (const Node* metadata = node.find("metadata")) TRY_VOID(decode_meta(d, *metadata, meta));
    if (out.args.name.empty()) out.args.name = meta.name;
    if (out.args.ns.empty()) out.args.ns = meta.ns;
    return {};
}

Result<void> decode(const Decoder& d, const Node& node, IamPolicyConfig& out) {
    static constexpr Field<IamPolicyConfig> kService[] = {
        {"name", text_field<&IamPolicyConfig::service_name>},
        {"namespace", text_field<&IamPolicyConfig::service_namespace>},
    };
    static constexpr Field<IamPolicyConfig> kAccount[] = {
        {"name", text_field<&IamPolicyConfig::account_name>},
        {"projectId", text_field<&IamPolicyConfig::project_id>},
    };
    static constexpr Field<IamPolicyConfig> kFields[] = {
        {"cloud", text_field<&IamPolicyConfig::cloud>},
        {"kubernetesService", [](const Decoder& d, const Node& n, IamPolicyConfig& o) { return decode_map<IamPolicyConfig>(d, n, kService, o); }},
        {"serviceAccount", [](const Decoder& d, const Node& n, IamPolicyConfig& o) { return decode_map<IamPolicyConfig>(d, n, kAccount, o); }},
    };
    return decode_map<IamPolicyConfig>(d, node, kFields, out);
}

Result<ValueAddOptions> finish_value_add(ValueAddConfig config, const Loader& loader) {
    ValueAddOptions options{.value = std::string(kube::trimmed(config.value)), .targets = std::move(config.targets)};
    if (options.value.empty()) options.value = base_of(loader.root());
    if (!config.target_file_path.empty()) {
        TRY(Documents documents, loader.load_documents(config.target_file_path, YamlKind::kustomization));
        const Node* more = documents->empty() ? nullptr : documents->front().find("targets");
        std::vector<ValueAddTarget> targets;
        if (more) TRY_VOID(decode_targets(Decoder{.strict = false, .lax = true}, *more, targets));
        options.targets.insert(options.targets.end(), targets.begin(), targets.end());
    }
    if (options.targets.empty()) return fail(ErrorCode::invalid, "must specify at least one target");
    for (const ValueAddTarget& target : options.targets)
        if (target.field_path.empty()) return fail(ErrorCode::invalid, "fieldPath cannot be empty");
    return options;
}

// "container IMAGE", "executable PATH"… when the object asks for a KRM function; else "".
static std::string function_of(const Resource& config) {
    std::string_view text = config.annotation("config.kubernetes.io/function");
    if (text.empty()) text = config.annotation("config.k8s.io/function");
    if (text.empty()) return {};
    const auto documents = kube::read_yaml(text, {.file = {}});
    const Node spec = documents && !documents->empty() ? documents->front() : Node();
    if (const Node* container = spec.find("container")) return "container '" + std::string(container->text_at("image")) + "'";
    if (const Node* exec = spec.find("exec")) return "executable '" + std::string(exec->text_at("path")) + "'";
    if (const Node* script = spec.find("starlark")) return "Starlark script '" + std::string(script->text_at("name")) + "'";
    return "an unknown form";
}

Result<void> check_builtin(const Resource& config) {
    if (config.gvk().group().empty() && config.gvk().version() == "builtin") return {};
    if (auto function = function_of(config); !function.empty()) {
        return fail(Error{.code = ErrorCode::unsupported,
                          .message = "external plugins disabled; unable to load external plugin '" + std::string(config.kind()) + "': KRM function in " + function + " is not run",
                          .where = config.where(),
                          .hint = "run the function beforehand and commit its output, or use a built-in plugin (apiVersion: builtin)"});
    }
    return fail(Error{.code = ErrorCode::unsupported,
                      .message = "external plugins disabled; unable to load external plugin '" + std::string(config.kind()) + "'",
                      .where = config.where(),
                      .hint = "only built-in plugins (apiVersion: builtin) run; exec, container and Go plugins do not"});
}

std::unexpected<Error> unknown_plugin(const Resource& config, std::string_view role) {
    return fail(Error{.code = ErrorCode::unsupported,
                      .message = "unable to load builtin " + config.gvk().to_string() + ": not a " + std::string(role),
                      .where = config.where()});
}

} // namespace weber::kustomize
