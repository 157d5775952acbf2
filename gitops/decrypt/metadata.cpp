#include "gitops/decrypt/metadata.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace weber::gitops::sops {

namespace {

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

struct ProviderField {
    Provider provider;
    std::string_view field; // list under which keys of this kind stand
    std::string_view name;  // field that names a key
    std::string_view words;
};
// In the order in which a group lists its keys.
constexpr ProviderField kProviders[] = {
    {Provider::kms, "kms", "arn", "AWS KMS"},
    {Provider::gcp_kms, "gcp_kms", "resource_id", "Google Cloud KMS"},
    {Provider::hckms, "hckms", "key_id", "Huawei Cloud KMS"},
    {Provider::azure_kv, "azure_kv", "name", "Azure Key Vault"},
    {Provider::hc_vault, "hc_vault", "key_name", "HashiCorp Vault"},
    {Provider::pgp, "pgp", "fp", "PGP"},
    {Provider::age, "age", "recipient", "age"},
};

std::string text_at(const Branch& branch, std::string_view key) {
    const Value* v = find(branch, key);
    if (v == nullptr) return {};
    return v->kind == Kind::text || v->kind == Kind::time ? v->text : v->kind == Kind::null || v->kind == Kind::list || v->kind == Kind::branch ? "" : leaf_bytes(*v);
}

Result<KeyGroup> group_of(const Branch& from) {
    KeyGroup group;
    for (const ProviderField& p : kProviders) {
        const Value* keys = find(from, p.field);
        if (keys == nullptr) continue;
        for (const Value& key : keys->list) {
            if (key.kind != Kind::branch) continue;
            MasterKey master{p.provider, text_at(key.branch, p.name), text_at(key.branch, "enc"), text_at(key.branch, "created_at")};
            if (p.provider == Provider::azure_kv) master.name = text_at(key.branch, "vault_url") + "/keys/" + master.name + "/" + text_at(key.branch, "version");
            if (p.provider == Provider::hc_vault)
                master.name = text_at(key.branch, "vault_address") + "/v1/" + text_at(key.branch, "engine_path") + "/keys/" + master.name;
            if (p.provider != Provider::age) {
                TRY(master.created_at, parse_time(master.created_at));
            }
            group.push_back(std::move(master));
        }
    }
    return group;
}

Result<std::vector<KeyGroup>> groups_of(const Branch& section) {
    TRY(KeyGroup single, group_of(section));
    if (!single.empty()) return std::vector<KeyGroup>{std::move(single)};
    std::vector<KeyGroup> groups;
    if (const Value* list = find(section, "key_groups"))
        for (const Value& entry : list->list) {
            TRY(KeyGroup group, group_of(entry.branch));
            groups.push_back(std::move(group));
        }
    if (groups.empty()) return bad("No keys found in file");
    return groups;
}

struct RuleField {
    std::string_view field;
    std::string Rule::*member;
};
constexpr RuleField kRules[] = {{"encrypted_comment_regex", &Rule::encrypted_comment_regex},
                                {"encrypted_regex", &Rule::encrypted_regex},
                                {"encrypted_suffix", &Rule::encrypted_suffix},
                                {"unencrypted_comment_regex", &Rule::unencrypted_comment_regex},
                                {"unencrypted_regex", &Rule::unencrypted_regex},
                                {"unencrypted_suffix", &Rule::unencrypted_suffix}};

Result<Rule> rule_of(const Branch& section) {
    Rule rule;
    int set = 0;
    for (const RuleField& r : kRules) {
        rule.*r.member = text_at(section, r.field);
        set += !(rule.*r.member).empty();
    }
    if (set > 1)
        return bad("Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or "
                   "unencrypted_comment_regex in the same file");
    if (set == 0) rule.unencrypted_suffix = kDefaultUnencryptedSuffix;
    return rule;
}

Result<Metadata> metadata_of(const Branch& section) {
    Metadata m;
    TRY(m.last_modified, parse_time(text_at(section, "lastmodified")));
    TRY(m.groups, groups_of(section));
    TRY(m.rule, rule_of(section));
    m.mac = text_at(section, "mac");
    m.version = text_at(section, "version");
    const std::string threshold = text_at(section, "shamir_threshold");
    std::from_chars(threshold.data(), threshold.data() + threshold.size(), m.shamir_threshold);
    const std::string only = text_at(section, "mac_only_encrypted");
    m.mac_only_encrypted = only == "true" || only == "True" || only == "1";
    return m;
}

// ---- flat keys ----------------------------------------------------------------------------------------------------

constexpr std::string_view kMap = "__map_", kList = "__list_", kPrefix = "sops_", kKey = "sops";

// "age__list_0__map_enc" → age, 0, enc; list positions are marked.
struct Step {
    std::string key;
    bool position = false;
};
std::vector<Step> steps_of(std::string_view path) {
    std::vector<Step> out;
    bool position = false;
    for (;;) {
        const std::size_t map = path.find(kMap), list = path.find(kList), end = std::min(map, list);
        out.push_back({std::string(path.substr(0, end)), position});
        if (end == std::string_view::npos) return out;
        position = list < map;
        path.remove_prefix(end + (position ? kList : kMap).size());
    }
}

// A tree under construction. std::map sorts keys bytewise, positions by number of digits first.
struct Nested {
    const Value* value = nullptr;
    std::map<std::string, Nested> keys = {};
    std::map<std::size_t, Nested> positions = {};
};

Result<Value> value_of(const Nested& node) {
    const int kinds = (node.value != nullptr) + !node.keys.empty() + !node.positions.empty();
    if (kinds > 1) return bad("Error while unflattening: Type mismatch");
    if (node.value != nullptr) return *node.value;
    Value out(node.positions.empty() ? Kind::branch : Kind::list);
    for (const auto& [key, child] : node.keys) {
        TRY(Value value, value_of(child));
        out.branch.push_back({key, std::move(value)});
    }
    std::size_t expected = 0;
    for (const auto& [position, child] : node.positions) {
        if (position != expected++) return bad("Error while unflattening: Incomplete list");
        TRY(Value value, value_of(child));
        out.list.push_back(std::move(value));
    }
    return out;
}

Result<Branch> unflatten(const Branch& flat) {
    Nested root;
    for (const Item& item : flat) {
        if (item.is_comment()) continue;
        Nested* at = &root;
        for (const Step& step : steps_of(item.key)) {
            if (!step.position) {
                at = &at->keys[step.key];
                continue;
            }
            std::size_t n = 0;
            std::from_chars(step.key.data(), step.key.data() + step.key.size(), n);
            at = &at->positions[n];
        }
        if (at->value != nullptr) return bad("Error while unflattening \"" + item.key + "\": Duplicate value");
        at->value = &item.value;
    }
    TRY(Value value, value_of(root));
    return std::move(value.branch);
}

void flatten(const Value& value, const std::string& key, Branch& out) {
    if (value.kind == Kind::branch) {
        for (const Item& item : value.branch) flatten(item.value, key + std::string(kMap) + item.key, out);
    } else if (value.kind == Kind::list) {
        for (std::size_t i = 0; i < value.list.size(); ++i) flatten(value.list[i], key + std::string(kList) + std::to_string(i), out);
    } else {
        out.push_back({key, value});
    }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

// ---- taking out, putting in ---------------------------------------------------------------------------------------

Result<Branch> take_section(Branches& branches) {
    std::optional<Branch> section;
    for (std::size_t i = 0; i < branches.size(); ++i) {
        for (Item& item : branches[i]) {
            if (item.key != kKey || i > 0) continue;
            if (section) return bad("Found duplicate sops entry");
            if (item.value.kind != Kind::branch) return bad("Found sops entry that is not a mapping");
            section = std::move(item.value.branch);
        }
        std::erase_if(branches[i], [](const Item& item) { return item.key == kKey; });
    }
    if (!section) return bad("sops metadata not found");
    return std::move(*section);
}

Result<Branch> take_flat(Branches& branches) {
    Branch section;
    if (branches.empty()) return bad("sops metadata not found");
    for (const Item& item : branches[0])
        if (item.key.starts_with(kPrefix)) section.push_back({item.key.substr(kPrefix.size()), item.value});
    std::erase_if(branches[0], [](const Item& item) { return item.key.starts_with(kPrefix); });
    if (section.empty()) return bad("sops metadata not found");
    return section;
}

Value keys_of(const KeyGroup& group, Provider provider) {
    Value list(Kind::list);
    for (const MasterKey& key : group) {
        if (key.provider != provider) continue;
        Branch entry;
        if (provider == Provider::pgp) entry.push_back({"created_at", Value::of_text(key.created_at)});
        entry.push_back({"enc", Value::of_text(key.enc)});
        entry.push_back({provider == Provider::pgp ? "fp" : "recipient", Value::of_text(key.name)});
        list.list.push_back(Value::of_branch(std::move(entry)));
    }
    return list;
}

// The section with its keys in bytewise order, as SOPS writes it.
Branch section_of(const Metadata& m) {
    Branch out;
    const auto put = [&](std::string_view key, Value value) { out.push_back({std::string(key), std::move(value)}); };
    const bool single = m.groups.size() == 1;
    if (single) {
        if (Value age = keys_of(m.groups[0], Provider::age); !age.list.empty()) put("age", std::move(age));
        if (Value pgp = keys_of(m.groups[0], Provider::pgp); !pgp.list.empty()) put("pgp", std::move(pgp));
    } else {
        Value groups(Kind::list);
        for (const KeyGroup& group : m.groups) {
            Branch entry = {{"age", keys_of(group, Provider::age)}, {"hc_vault", Value(Kind::list)}};
            if (Value pgp = keys_of(group, Provider::pgp); !pgp.list.empty()) entry.push_back({"pgp", std::move(pgp)});
            groups.list.push_back(Value::of_branch(std::move(entry)));
        }
        put("key_groups", std::move(groups));
    }
    if (m.shamir_threshold != 0) put("shamir_threshold", Value::of_integer(m.shamir_threshold));
    for (const RuleField& r : kRules)
        if (!(m.rule.*r.member).empty()) put(r.field, Value::of_text(m.rule.*r.member));
    if (m.mac_only_encrypted) put("mac_only_encrypted", Value::of_boolean(true));
    put("lastmodified", Value::of_text(m.last_modified));
    put("mac", Value::of_text(m.mac));
    put("version", Value::of_text(m.version));
    std::ranges::sort(out, {}, &Item::key);
    return out;
}

bool two_digits(std::string_view text, std::size_t at, int low, int high) {
    if (at + 2 > text.size() || text[at] < '0' || text[at] > '9' || text[at + 1] < '0' || text[at + 1] > '9') return false;
    const int n = (text[at] - '0') * 10 + (text[at + 1] - '0');
    return n >= low && n <= high;
}

} // namespace

std::string_view provider_name(Provider provider) {
    for (const ProviderField& p : kProviders)
        if (p.provider == provider) return p.words;
    return "unknown";
}

Result<std::string> parse_time(std::string_view text) {
    // 2006-01-02T15:04:05[.fraction](Z|±hh:mm)
    const auto wrong = [&] { return bad("parsing time \"" + std::string(text) + "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse it"); };
    const bool fits = text.size() >= 20 && two_digits(text, 0, 0, 99) && two_digits(text, 2, 0, 99) && text[4] == '-' && two_digits(text, 5, 1, 12) &&
                      text[7] == '-' && two_digits(text, 8, 1, 31) && text[10] == 'T' && two_digits(text, 11, 0, 23) && text[13] == ':' &&
                      two_digits(text, 14, 0, 59) && text[16] == ':' && two_digits(text, 17, 0, 59);
    if (!fits) return wrong();
    std::string_view rest = text.substr(19);
    if (rest.starts_with('.') || rest.starts_with(',')) {
        const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        if (end == 1) return wrong();
        rest.remove_prefix(end);
    }
    const bool zone = rest == "Z" || (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && two_digits(rest, 1, 0, 23) && rest[3] == ':' && two_digits(rest, 4, 0, 59));
    if (!zone) return wrong();
    return std::string(text.substr(0, 19)).append(rest == "+00:00" || rest == "-00:00" ? "Z" : rest);
}

Result<Metadata> take_metadata(Branches& branches, Layout layout) {
    TRY(Branch section, layout == Layout::flat ? take_flat(branches) : take_section(branches));
    if (layout == Layout::nested) return metadata_of(section);
    if (layout == Layout::section)
        for (Item& item : section) replace_all(item.value.text, "\\n", "\n");
    TRY(const Branch nested, unflatten(section));
    return metadata_of(nested);
}

Result<void> add_metadata(Branches& branches, const Metadata& metadata, Layout layout) {
    const Branch section = section_of(metadata);
    Branch extra;
    if (layout == Layout::nested) {
        extra.push_back({std::string(kKey), Value::of_branch(section)});
    } else {
        for (const Item& item : section) flatten(item.value, (layout == Layout::flat ? std::string(kPrefix) : "") + item.key, extra);
        if (layout == Layout::section) {
            for (Item& item : extra) replace_all(item.value.text, "\n", "\\n");
            extra = {{std::string(kKey), Value::of_branch(std::move(extra))}};
        }
    }
    for (Branch& branch : branches) {
        for (const Item& item : branch) {
            if (item.is_comment()) continue;
            if (layout == Layout::flat && item.key.starts_with(kPrefix))
                return bad("Found key \"" + item.key + "\" in encrypted data, which starts with the reserved key prefix \"sops_\" for SOPS metadata");
            if (layout != Layout::flat && item.key == kKey) return bad("Found key \"sops\" in encrypted data, which is a reserved key used for SOPS metadata");
        }
        branch.insert(branch.end(), extra.begin(), extra.end());
    }
    return {};
}

} // namespace weber::gitops::sops
