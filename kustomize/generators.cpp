#include "kustomize/generators.h"

#include <algorithm>
#include <map>

#include "kube/base/digest.h"
#include "kube/base/utf8.h"
#include "kustomize/path.h"
#include "kustomize/transform/scalars.h"

namespace weber::kustomize {
namespace {

using Data = std::map<std::string, std::string>;

std::string listed(const std::vector<std::string>& texts) { // as Go prints a slice
    std::string out = "[";
    for (const std::string& t : texts) out += (out.size() > 1 ? " " : "") + t;
    return out + "]";
}

std::string quoted(std::string_view s) { return "\"" + std::string(s) + "\""; }

// Collects key/value pairs; a key twice is an error.
class Pairs {
public:
    Pairs(const Loader& loader, const GeneratorArgs& args) : loader_(loader), args_(args) {}

    Result<Data> collect() {
        for (const std::string& path : args_.envs) {
            if (auto r = add_env_file(path); !r)
                return fail(std::move(r.error()).with_prefix("loading KV pairs: env source files: " + listed(args_.envs) + ": "));
        }
        for (const std::string& literal : args_.literals) {
            if (auto r = add_literal(literal); !r) return fail(std::move(r.error()).with_prefix("loading KV pairs: literal sources: "));
        }
        for (const std::string& source : args_.files) {
            if (auto r = add_file(source); !r)
                return fail(std::move(r.error()).with_prefix("loading KV pairs: file sources: " + listed(args_.files) + ": "));
        }
        return std::move(data_);
    }

private:
    Result<void> add(std::string key, std::string value) {
        auto [it, fresh] = data_.try_emplace(std::move(key), std::move(value));
        if (!fresh) return fail(ErrorCode::invalid, "configmap " + args_.name + " illegally repeats the key `" + it->first + "`");
        return {};
    }

    // The literal itself is not shown in errors: it may be a secret.
    Result<void> add_literal(std::string_view literal) {
        std::size_t equals = literal.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return fail(ErrorCode::invalid, "invalid literal source, expected key=value");
        std::string_view value = literal.substr(equals + 1);
        bool in_quotes = value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
        if (in_quotes) value = value.substr(1, value.size() - 2);
        return add(std::string(literal.substr(0, equals)), std::string(value));
    }

    Result<void> add_file(std::string_view source) {
        auto separators = std::ranges::count(source, '=');
        std::string key = base_of(source);
        std::string_view path = source;
        if (separators > 1) return fail(ErrorCode::invalid, "source " + quoted(source) + " key name or file path contains '='");
        if (separators == 1) {
            std::size_t equals = source.find('=');
            key = source.substr(0, equals);
            path = source.substr(equals + 1);
            if (key.empty()) return fail(ErrorCode::invalid, "missing key name for file path " + quoted(path) + " in source " + quoted(source));
            if (path.empty()) return fail(ErrorCode::invalid, "missing file path for key name " + quoted(key) + " in source " + quoted(source));
        }
        TRY(auto text, loader_.load(path));
        return add(std::move(key), *text);
    }

    Result<void> add_env_file(const std::string& path) {
        TRY(auto text, loader_.load(path));
        std::string_view rest = *text;
        for (std::size_t line = 1; !rest.empty(); ++line) {
            std::size_t end = std::min(rest.find('\n'), rest.size());
            std::string_view content = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (content.ends_with('\r')) content.remove_suffix(1);
            if (line == 1 && content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
            if (!kube::is_valid_utf8(content))
                return fail(ErrorCode::invalid, "line " + std::to_string(line) + " has invalid utf8 bytes", {path, static_cast<std::uint32_t>(line), 0});
            while (!content.empty() && std::string_view(" \t\n\v\f\r").find(content.front()) != std::string_view::npos) content.remove_prefix(1);
            if (content.empty() || content.front() == '#') continue;
            std::size_t equals = std::min(content.find('='), content.size());
            if (equals == 0) continue; // no key: kustomize passes over it
            TRY_VOID(add(std::string(content.substr(0, equals)), std::string(content.substr(std::min(equals + 1, content.size())))));
        }
        return {};
    }

    const Loader& loader_;
    const GeneratorArgs& args_;
    Data data_;
};

// As kyaml writes base64 into YAML: lines of 70 when one is not enough.
std::string base64_lines(std::string_view bytes) {
    constexpr std::size_t kLine = 70;
    std::string encoded = kube::base64_encode(bytes);
    if (encoded.size() < kLine) return encoded;
    std::string out;
    for (std::size_t i = 0; i < encoded.size(); i += kLine) out.append(encoded, i, kLine).push_back('\n');
    return out;
}

Node metadata_of(const GeneratorArgs& args) {
    Node metadata = Node::map();
    metadata.set("name", Node::string(args.name));
    if (!args.ns.empty()) metadata.set("namespace", Node::string(args.ns));
    if (!args.options) return metadata;
    for (auto [field, map] : {std::pair{"labels", &args.options->labels}, std::pair{"annotations", &args.options->annotations}}) {
        if (map->empty()) continue;
        Node texts = Node::map();
        for (const auto& [key, value] : *map) texts.append_unchecked(Text(key), Node::string(value));
        metadata.set(field, std::move(texts));
    }
    return metadata;
}

Result<Node> base_object(std::string_view kind, const GeneratorArgs& args) {
    if (args.name.empty()) return fail(ErrorCode::invalid, "a configmap must have a name", args.where);
    Node object = Node::map();
    object.set("apiVersion", Node::string("v1"));
    object.set("kind", Node::string(kind));
    object.set("metadata", metadata_of(args));
    return object;
}

std::unique_ptr<Resource> finish(Node object, const GeneratorArgs& args) {
    if (args.options && args.options->immutable) object.set("immutable", Node::boolean(true));
    auto resource = std::make_unique<Resource>(std::move(object));
    resource->behavior = behavior_from(args.behavior);
    resource->needs_hash = !(args.options && args.options->disable_name_suffix_hash);
    resource->had_build_annotations = true;
    return resource;
}

} // namespace

std::optional<GeneratorOptions> merge_generator_options(std::optional<GeneratorOptions> local, const std::optional<GeneratorOptions>& global) {
    if (!global) return local;
    if (!local) local.emplace();
    local->labels.insert(global->labels.begin(), global->labels.end()); // present keys stay
    local->annotations.insert(global->annotations.begin(), global->annotations.end());
    local->disable_name_suffix_hash |= global->disable_name_suffix_hash;
    local->immutable |= global->immutable;
    return local;
}

Result<std::unique_ptr<Resource>> make_config_map(const Loader& loader, const GeneratorArgs& args) {
    TRY(Node object, base_object("ConfigMap", args));
    auto data = Pairs(loader, args).collect();
    if (!data) return fail(std::move(data.error()).at(args.where));
    for (const auto& [key, value] : *data) {
        bool text = kube::is_valid_utf8(value);
        object.get_or_insert(text ? "data" : "binaryData").set(key, text ? Node::string(value, new_value_style(value)) : Node::string(base64_lines(value)));
    }
    return finish(std::move(object), args);
}

Result<std::unique_ptr<Resource>> make_secret(const Loader& loader, const GeneratorArgs& args) {
    TRY(Node object, base_object("Secret", args));
    object.set("type", Node::string(args.type.empty() ? std::string_view("Opaque") : std::string_view(args.type)));
    auto data = Pairs(loader, args).collect();
    if (!data) return fail(std::move(data.error()).at(args.where));
    Node values = Node::map();
    for (const auto& [key, value] : *data) values.append_unchecked(Text(key), Node::string(base64_lines(value)));
    object.set("data", std::move(values));
    return finish(std::move(object), args);
}

} // namespace weber::kustomize
