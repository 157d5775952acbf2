#include "gitops/substitute/variables.h"

#include <algorithm>

#include "kube/base/digest.h"
#include "kube/base/yaml.h"

namespace weber::gitops {

namespace {

std::string without_newlines(std::string value) {
    std::erase(value, '\n');
    return value;
}

bool carries_values(const Object& o) { return o.api_version() == "v1" && (o.kind() == "ConfigMap" || o.kind() == "Secret"); }

} // namespace

Error absent(std::string_view kind, std::string_view name) {
    return {.code = ErrorCode::not_found,
            .message = (kind == "Secret" ? "secrets \"" : "configmaps \"") + std::string(name) + "\" not found",
            .reason = "NotFound"};
}

Result<Variables> entries_of(const Object& object) {
    Variables out;
    const bool secret = object.kind() == "Secret";
    if (const Node* data = object.root().find("data"))
        for (const auto& [key, value] : data->entries()) {
            std::string text(value.text());
            if (secret) {
                auto decoded = kube::base64_decode(text);
                if (!decoded) return fail(ErrorCode::invalid, "data." + key.str() + " is not base64", value.where());
                text = std::move(*decoded);
            }
            out.insert_or_assign(key.str(), std::move(text));
        }
    const Node* plain = secret ? object.root().find("stringData") : nullptr;
    if (plain != nullptr)
        for (const auto& [key, value] : plain->entries()) out.insert_or_assign(key.str(), std::string(value.text()));
    return out;
}

Result<Variables> load_variables(const PostBuildSpec& spec, const std::string& ns, const ObjectLookup& lookup, const Variables& extra) {
    Variables out;
    for (const SubstituteFrom& from : spec.substitute_from) {
        auto object = lookup(from.kind, ns, from.name);
        if (!object && object.error().code == ErrorCode::not_found && from.optional) continue;
        auto entries = object ? entries_of(*object) : Result<Variables>(std::unexpected(object.error()));
        if (!entries) {
            Error error = std::move(entries.error());
            error.object.clear(); // named by the message
            return fail(std::move(error).with_prefix("substitute from '" + from.kind + "/" + from.name + "' error: ").at(spec.where));
        }
        for (auto& [name, value] : *entries) out.insert_or_assign(name, without_newlines(std::move(value)));
    }
    for (const auto& [name, value] : extra) out.insert_or_assign(name, without_newlines(value));
    for (const auto& [name, value] : spec.substitute) out.insert_or_assign(name, without_newlines(value));
    return out;
}

Result<ValuesFile> parse_values(std::string_view text, std::string_view file) {
    ValuesFile out;
    TRY(const std::vector<Node> documents, kube::read_yaml(text, {.file = file}));
    for (const Node& document : documents) {
        if (document.is_null()) continue;
        if (!document.is_map()) return fail(ErrorCode::invalid, "a file of values holds maps of names and values, ConfigMaps or Secrets", document.where());
        if (const Object object(document); carries_values(object)) {
            TRY_VOID(object.check_identity());
            out.objects.push_back(object);
            continue;
        }
        for (const auto& [name, value] : document.entries()) {
            if (!value.is_scalar() && !value.is_null())
                return fail(Error{.code = ErrorCode::invalid,
                                  .message = "the value of '" + name.str() + "' is a " + std::string(value.kind_word()) + ", not a text",
                                  .where = value.where()});
            out.variables.insert_or_assign(name.str(), std::string(value.text()));
        }
    }
    return out;
}

ObjectLookup lookup_in(std::vector<Object> objects) {
    std::erase_if(objects, [](const Object& o) { return !carries_values(o); });
    return [objects = std::move(objects)](std::string_view kind, const std::string& ns, const std::string& name) -> Result<Object> {
        const auto fits = [&](const Object& o) { return o.kind() == kind && o.name() == name && (o.ns().empty() || o.ns() == ns); };
        const auto it = std::find_if(objects.rbegin(), objects.rend(), fits);
        if (it == objects.rend()) return fail(absent(kind, name));
        return *it;
    };
}

ObjectLookup first_of(std::vector<ObjectLookup> lookups) {
    return [lookups = std::move(lookups)](std::string_view kind, const std::string& ns, const std::string& name) -> Result<Object> {
        for (const ObjectLookup& lookup : lookups) {
            auto object = lookup(kind, ns, name);
            if (object || object.error().code != ErrorCode::not_found) return object;
        }
        return fail(absent(kind, name));
    };
}

} // namespace weber::gitops
