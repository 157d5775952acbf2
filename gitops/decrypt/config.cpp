#include "gitops/decrypt/config.h"

#include <re2/re2.h>

#include <algorithm>

#include "kube/base/trim.h"
#include "kube/base/yaml.h"

namespace weber::gitops::sops {

namespace {

std::unexpected<Error> bad(std::string message, const Node& node) { return fail(ErrorCode::invalid, std::move(message), node.where()); }

// A list of texts, or one text with commas.
Result<std::vector<std::string>> names(const Node* field) {
    std::vector<std::string> out;
    if (field == nullptr || field->is_null()) return out;
    const auto add = [&](std::string_view text) {
        for (std::size_t at = 0; at <= text.size();) {
            const std::size_t end = std::min(text.find(',', at), text.size());
            if (std::string name(kube::trimmed(text.substr(at, end - at), " \t\r\n")); !name.empty()) out.push_back(std::move(name));
            at = end + 1;
        }
    };
    if (field->is_string()) add(field->text());
    else if (!field->is_list()) return bad("keys must be a text or a list of texts", *field);
    for (const Node& item : field->items()) {
        if (!item.is_string()) return bad("keys must be a text or a list of texts", item);
        add(item.text());
    }
    return out;
}

struct KeyField {
    std::string_view field;
    Provider provider;
};
constexpr KeyField kFields[] = {{"age", Provider::age},
                                {"pgp", Provider::pgp},
                                {"kms", Provider::kms},
                                {"gcp_kms", Provider::gcp_kms},
                                {"hckms", Provider::hckms},
                                {"azure_keyvault", Provider::azure_kv},
                                {"hc_vault_transit_uri", Provider::hc_vault},
                                {"hc_vault", Provider::hc_vault}};

Result<void> add_keys(const Node& from, KeyGroup& group) {
    if (const Node* merge = from.find("merge"))
        for (const Node& other : merge->items()) TRY_VOID(add_keys(other, group));
    for (const KeyField& f : kFields) {
        const Node* field = from.find(f.field);
        if (field != nullptr && field->is_list() && !field->empty() && field->items()[0].is_map()) { // KMS keys of a group are maps
            for (std::size_t i = 0; i < field->size(); ++i) group.push_back({.provider = f.provider, .name = std::string(f.field)});
            continue;
        }
        TRY(const std::vector<std::string> found, names(field));
        for (const std::string& name : found)
            if (std::ranges::none_of(group, [&](const MasterKey& k) { return k.provider == f.provider && k.name == name; }))
                group.push_back({.provider = f.provider, .name = name});
    }
    return {};
}

Result<Rule> rule_of(const Node& node) {
    Rule rule;
    int set = 0;
    const auto take = [&](std::string_view field, std::string& out) {
        out = node.text_at(field);
        set += !out.empty();
    };
    take("unencrypted_suffix", rule.unencrypted_suffix);
    take("encrypted_suffix", rule.encrypted_suffix);
    take("unencrypted_regex", rule.unencrypted_regex);
    take("encrypted_regex", rule.encrypted_regex);
    take("unencrypted_comment_regex", rule.unencrypted_comment_regex);
    take("encrypted_comment_regex", rule.encrypted_comment_regex);
    if (set > 1)
        return bad("error loading config: cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or "
                   "unencrypted_comment_regex for the same rule",
                   node);
    for (const std::string* pattern : {&rule.unencrypted_regex, &rule.encrypted_regex, &rule.unencrypted_comment_regex, &rule.encrypted_comment_regex})
        if (!re2::RE2(*pattern, re2::RE2::Quiet).ok()) return bad("'" + *pattern + "' is no regular expression", node);
    return rule;
}

Result<Metadata> settings_of(const Node& node) {
    Metadata m;
    TRY(m.rule, rule_of(node));
    if (const Node* only = node.find("mac_only_encrypted"); only != nullptr && !only->is_null()) {
        if (only->kind() != NodeKind::boolean) return bad("mac_only_encrypted must be true or false", *only);
        m.mac_only_encrypted = only->as_bool();
    }
    if (const Node* threshold = node.find("shamir_threshold"); threshold != nullptr && !threshold->is_null()) {
        if (threshold->kind() != NodeKind::integer) return bad("shamir_threshold must be a number", *threshold);
        m.shamir_threshold = static_cast<int>(threshold->as_int().value_or(0));
    }
    const Node* groups = node.find("key_groups");
    if (groups == nullptr || groups->empty()) {
        KeyGroup group;
        TRY_VOID(add_keys(node, group));
        m.groups.push_back(std::move(group));
        return m;
    }
    for (const Node& entry : groups->items()) {
        KeyGroup group;
        TRY_VOID(add_keys(entry, group));
        m.groups.push_back(std::move(group));
    }
    return m;
}

} // namespace

Result<std::optional<Metadata>> creation_rule(std::string_view config, std::string_view config_file, std::string_view path) {
    TRY(const Node root, kube::read_yaml_one(config, {.file = config_file}));
    const Node* rules = root.find("creation_rules");
    if (rules == nullptr) return std::optional<Metadata>();
    for (const Node& rule : rules->items()) {
        if (const std::string pattern(rule.text_at("path_regex")); !pattern.empty()) {
            const re2::RE2 re(pattern, re2::RE2::Quiet);
            if (!re.ok()) return bad("'" + pattern + "' is no regular expression", *rule.find("path_regex"));
            if (!re2::RE2::PartialMatch({path.data(), path.size()}, re)) continue;
        }
        TRY(Metadata m, settings_of(rule));
        return std::optional<Metadata>(std::move(m));
    }
    return std::optional<Metadata>();
}

Result<Indentation> indentation(std::string_view config, std::string_view config_file) {
    TRY(const Node root, kube::read_yaml_one(config, {.file = config_file}));
    Indentation out;
    const Node* stores = root.find("stores");
    for (const auto& [store, number] : {std::pair("yaml", &out.yaml), {"json", &out.json}, {"json_binary", &out.binary}}) {
        const Node* settings = stores != nullptr ? stores->find(store) : nullptr;
        const Node* indent = settings != nullptr ? settings->find("indent") : nullptr;
        if (indent == nullptr || indent->is_null()) continue;
        if (indent->kind() != NodeKind::integer) return bad("stores." + std::string(store) + ".indent must be a number", *indent);
        *number = static_cast<int>(std::clamp<std::int64_t>(indent->as_int().value_or(0), -2, 1000));
    }
    return out;
}

} // namespace weber::gitops::sops
