#include "agent/secrets/secret_list.h"

#include <algorithm>
#include <initializer_list>

#include <yaml-cpp/yaml.h>

namespace weber::agent {

namespace {

// Thrown within this file only, where yaml-cpp throws as well.
struct Wrong {
    std::string message;
    YAML::Mark mark;
};

[[noreturn]] void wrong(const YAML::Node& node, std::string message) { throw Wrong{std::move(message), node.Mark()}; }

void only_fields(const YAML::Node& map, std::string_view what, std::initializer_list<std::string_view> known) {
    if (!map.IsMap()) wrong(map, std::string(what) + " must be a map");
    for (const auto& field : map) {
        const auto name = field.first.as<std::string>();
        if (std::ranges::find(known, name) != known.end()) continue;
        std::string list;
        for (std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
        wrong(field.first, "unknown field \"" + name + "\" in " + std::string(what) + "; known: " + list);
    }
}

std::string text_of(const YAML::Node& map, const char* field, std::string_view what) {
    const YAML::Node value = map[field];
    if (!value) wrong(map, std::string(what) + " needs " + field);
    if (!value.IsScalar() || value.Scalar().empty()) wrong(value, std::string(what) + ": " + field + " must be a text");
    return value.Scalar();
}

int number_of(const YAML::Node& map, const char* field, int fallback, int least, int most) {
    const YAML::Node value = map[field];
    if (!value) return fallback;
    int number = 0;
    try {
        number = value.as<int>();
    } catch (const YAML::Exception&) {
        wrong(value, std::string(field) + " must be a number");
    }
    if (number < least || number > most)
        wrong(value, std::string(field) + " must be from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
}

ValueRecipe recipe_of(const YAML::Node& value, const std::string& what) {
    only_fields(value, what, {"random", "prefix", "bcrypt", "cost", "template", "environment", "age"});
    int kinds = 0;
    for (const char* kind : {"random", "bcrypt", "template", "environment", "age"}) kinds += value[kind] ? 1 : 0;
    if (kinds != 1) wrong(value, what + " needs exactly one of random, bcrypt, template, environment, age");
    if (value["prefix"] && !value["random"]) wrong(value["prefix"], "prefix goes with random");
    if (value["cost"] && !value["bcrypt"]) wrong(value["cost"], "cost goes with bcrypt");
    if (value["random"])
        return RandomValue{.length = number_of(value, "random", 32, 16, 1024), .prefix = value["prefix"] ? text_of(value, "prefix", what) : ""};
    if (value["bcrypt"]) return BcryptValue{.key = text_of(value, "bcrypt", what), .cost = number_of(value, "cost", 11, 4, 15)};
    if (value["template"]) return TemplateValue{.text = text_of(value, "template", what)};
    if (value["age"]) {
        if (text_of(value, "age", what) != "identity") wrong(value["age"], "age: identity is all there is");
        return AgeIdentityValue{};
    }
    return EnvironmentValue{.variable = text_of(value, "environment", what)};
}

Where where_of(const YAML::Node& node, const std::string& file) {
    return {.file = file, .line = static_cast<std::uint32_t>(node.Mark().line + 1)};
}

SecretSpec secret_of(const YAML::Node& node, const std::string& file) {
    only_fields(node, "a secret", {"name", "namespace", "type", "data"});
    SecretSpec out{.ns = text_of(node, "namespace", "a secret"), .name = text_of(node, "name", "a secret"), .entries = {}, .where = where_of(node, file)};
    if (node["type"]) out.type = text_of(node, "type", "a secret");
    const YAML::Node data = node["data"];
    if (!data || !data.IsMap() || data.size() == 0) wrong(data ? data : node, out.subject() + " needs data: a map of keys");
    for (const auto& entry : data) {
        const auto key = entry.first.as<std::string>();
        out.entries.push_back({.key = key, .recipe = recipe_of(entry.second, out.subject() + " " + key), .where = where_of(entry.first, file)});
    }
    return out;
}

// A hash needs its text, a template of this very Secret its keys: earlier in the same list.
Result<void> check_order(const SecretSpec& secret) {
    std::vector<std::string> known;
    for (const SecretEntry& entry : secret.entries) {
        if (const auto* hash = std::get_if<BcryptValue>(&entry.recipe); hash && std::ranges::find(known, hash->key) == known.end())
            return fail(ErrorCode::invalid, secret.subject() + " " + entry.key + ": bcrypt names \"" + hash->key + "\", which does not stand before it", entry.where);
        known.push_back(entry.key);
    }
    return {};
}

bool stays_below(const std::string& path) {
    if (path.starts_with('/')) return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = std::string_view(path).substr(begin, end - begin);
        if (part.empty() || part == "..") return false;
        begin = end + 1;
    }
    return true;
}

EncryptedFileSpec file_of(const YAML::Node& node, const std::string& file) {
    only_fields(node, "an encrypted file", {"file", "key", "secret"});
    if (!node["secret"]) wrong(node, "an encrypted file needs secret");
    EncryptedFileSpec out{.path = text_of(node, "file", "an encrypted file"), .key = {}, .secret = secret_of(node["secret"], file)};
    if (!stays_below(out.path)) wrong(node["file"], "file must be a path below the repository");
    auto key = parse_value_ref(text_of(node, "key", "an encrypted file"), out.secret);
    if (!key) wrong(node["key"], key.error().message);
    out.key = std::move(*key);
    return out;
}

const YAML::Node list_of(const YAML::Node& document, const char* field) {
    const YAML::Node list = document[field];
    if (list && !list.IsSequence()) wrong(document, std::string(field) + " must be a list");
    return list;
}

SecretList read(const std::string& text, const std::string& file) {
    const YAML::Node document = YAML::Load(text);
    only_fields(document, "the list", {"secrets", "encrypted"});
    const YAML::Node list = list_of(document, "secrets");
    if (!list) wrong(document, "secrets must be a list");
    SecretList out;
    for (const auto& node : list) {
        SecretSpec secret = secret_of(node, file);
        const bool twice = std::ranges::any_of(out.secrets, [&](const SecretSpec& s) { return s.subject() == secret.subject(); });
        if (twice) wrong(node, secret.subject() + " stands twice in the list");
        out.secrets.push_back(std::move(secret));
    }
    if (const YAML::Node files = list_of(document, "encrypted"))
        for (const auto& node : files) out.files.push_back(file_of(node, file));
    return out;
}

} // namespace

Result<ValueRef> parse_value_ref(std::string_view text, const SecretSpec& self) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    if (parts.size() > 3 || std::ranges::find(parts, "") != parts.end())
        return fail(ErrorCode::invalid, "${" + std::string(text) + "} is not ${KEY}, ${name/KEY} or ${namespace/name/KEY}");
    ValueRef ref{.ns = self.ns, .name = self.name, .key = parts.back()};
    if (parts.size() > 1) ref.name = parts[parts.size() - 2];
    if (parts.size() > 2) ref.ns = parts[0];
    return ref;
}

Result<SecretList> parse_secret_list(const std::string& text, const std::string& file) {
    const auto at = [&](const YAML::Mark& mark) {
        return Where{.file = file, .line = mark.is_null() ? 0 : static_cast<std::uint32_t>(mark.line + 1)};
    };
    try {
        SecretList out = read(text, file);
        for (const SecretSpec& secret : out.secrets) TRY_VOID(check_order(secret));
        for (const EncryptedFileSpec& f : out.files) TRY_VOID(check_order(f.secret));
        return out;
    } catch (const Wrong& w) {
        return fail(ErrorCode::invalid, w.message, at(w.mark));
    } catch (const YAML::Exception& e) {
        return fail(ErrorCode::invalid, e.msg, at(e.mark));
    }
}

} // namespace weber::agent
