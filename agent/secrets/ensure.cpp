#include "agent/secrets/ensure.h"

#include <map>
#include <set>

#include "agent/secrets/fleet_file.h"
#include "agent/secrets/generate.h"
#include "kube/base/digest.h"

namespace weber::agent {

using kube::SecretText;

namespace {

constexpr std::string_view kManager = "weber-bootstrap";

using Values = SecretValues;

class Ensurer {
public:
    Ensurer(kube::Client& client, const EnsureSettings& settings) : client_(client), settings_(settings) {}

    // What to say about the namespace; nullopt when it was there.
    std::optional<Ensured> ensure_namespace(const std::string& ns) {
        if (!namespaces_.insert(ns).second) return std::nullopt;
        Ensured out{.subject = "Namespace/" + ns};
        const auto found = client_.find({.gvk = {"", "v1", "Namespace"}, .name = ns});
        if (found && *found) return std::nullopt;
        out.action = EnsureAction::created;
        if (!found) out.error = found.error();
        else if (!settings_.dry_run) {
            const Object object(Node::map({{"apiVersion", Node::string("v1")},
                                           {"kind", Node::string("Namespace")},
                                           {"metadata", Node::map({{"name", Node::string(ns)}})}}));
            const auto made = client_.create(object, write_options());
            if (!made && made.error().code != ErrorCode::already_exists) out.error = made.error();
        }
        if (out.error) out.action = EnsureAction::failed;
        return out;
    }

    Ensured ensure(const SecretSpec& secret) {
        Ensured out{.subject = secret.subject()};
        auto action = try_ensure(secret, out);
        if (action) {
            out.action = *action;
        } else {
            out.action = EnsureAction::failed;
            out.error = std::move(action.error()).on(secret.subject()).at(secret.where);
        }
        return out;
    }

    Ensured ensure(const EncryptedFileSpec& file) {
        Ensured out{.subject = path_of_file(file.path, settings_.cluster)};
        auto action = try_ensure(file, out.subject);
        if (action) {
            out.action = *action;
        } else {
            out.action = EnsureAction::failed;
            out.error = std::move(action.error()).on(out.subject).at(file.secret.where);
        }
        return out;
    }

private:
    static kube::WriteOptions write_options() {
        kube::WriteOptions options;
        options.field_manager = kManager;
        return options;
    }

    Result<EnsureAction> try_ensure(const SecretSpec& secret, Ensured& out) {
        TRY(const Values* existing, find(secret.ns, secret.name));
        if (existing) {
            for (const SecretEntry& entry : secret.entries)
                if (!existing->contains(entry.key)) out.lacks.push_back(entry.key);
            return EnsureAction::unchanged;
        }
        TRY(Values values, make_all(secret));
        if (!settings_.dry_run) {
            const auto made = client_.create(object_of(secret, values), write_options());
            if (!made && made.error().code == ErrorCode::already_exists) { // somebody else was faster: theirs counts
                known_.erase({secret.ns, secret.name});
                return EnsureAction::unchanged;
            }
            if (!made) return fail(made.error());
        }
        known_.insert_or_assign({secret.ns, secret.name}, std::move(values));
        return EnsureAction::created;
    }

    Result<EnsureAction> try_ensure(const EncryptedFileSpec& file, const std::string& path) {
        TRY(const SecretText identity, lookup(file.key, file.secret, {}));
        TRY(const std::string recipient, age_recipient(identity));
        const FleetFile target{settings_.repository, path};
        TRY(const bool there, is_encrypted_for(target, recipient));
        TRY(const bool rules, has_sops_rules(target, recipient));
        if (!rules && !settings_.dry_run) TRY_VOID(write_sops_rules(target, recipient));
        if (there) return EnsureAction::unchanged;
        TRY(const Values values, make_all(file.secret));
        if (!settings_.dry_run) TRY_VOID(write_encrypted(target, file.secret, values, recipient, settings_.now));
        return EnsureAction::created;
    }

    Result<Values> make_all(const SecretSpec& secret) {
        Values values;
        for (const SecretEntry& entry : secret.entries) {
            auto value = make(entry, secret, values);
            if (!value) return fail(std::move(value.error()).with_prefix(entry.key + ": ").at(entry.where));
            values.insert_or_assign(entry.key, std::move(*value));
        }
        return values;
    }

    static Object object_of(const SecretSpec& secret, const Values& values) {
        Node data = Node::map();
        for (const auto& [key, value] : values) data.set(key, Node::string(kube::base64_encode(value.reveal())));
        return Object(Node::map({{"apiVersion", Node::string("v1")},
                                 {"kind", Node::string("Secret")},
                                 {"metadata", Node::map({{"name", Node::string(secret.name)}, {"namespace", Node::string(secret.ns)}})},
                                 {"type", Node::string(secret.type)},
                                 {"data", std::move(data)}}));
    }

    // The values of a Secret: made in this run, or in the cluster. Null when there is none.
    Result<const Values*> find(const std::string& ns, const std::string& name) {
        const std::pair id(ns, name);
        if (const auto it = known_.find(id); it != known_.end()) return &it->second;
        TRY(const std::optional<Object> object, client_.find({.gvk = {"", "v1", "Secret"}, .ns = ns, .name = name}));
        if (!object) return nullptr;
        Values values;
        if (const Node* data = object->at({"data"})) {
            for (const Node::Entry& entry : data->entries()) {
                TRY(std::string value, kube::base64_decode(entry.value.text()));
                values.insert_or_assign(std::string(entry.key.view()), SecretText(std::move(value)));
            }
        }
        return &known_.insert_or_assign(id, std::move(values)).first->second;
    }

    Result<SecretText> make(const SecretEntry& entry, const SecretSpec& self, const Values& so_far) {
        if (const auto* random = std::get_if<RandomValue>(&entry.recipe)) {
            TRY(const SecretText text, random_text(random->length));
            return SecretText(random->prefix + text.reveal());
        }
        if (std::holds_alternative<AgeIdentityValue>(entry.recipe)) return new_age_identity();
        if (const auto* hash = std::get_if<BcryptValue>(&entry.recipe)) return bcrypt_hash(so_far.at(hash->key), hash->cost);
        if (const auto* variable = std::get_if<EnvironmentValue>(&entry.recipe)) {
            const auto value = settings_.environment(variable->variable);
            if (value) return SecretText(*value);
            return fail(Error{.code = ErrorCode::invalid, .message = "the environment variable " + variable->variable + " is not set",
                              .hint = "run it again as " + variable->variable + "=… ; Secrets that exist by then stay as they are"});
        }
        return expand(std::get<TemplateValue>(entry.recipe).text, self, so_far);
    }

    Result<SecretText> expand(const std::string& text, const SecretSpec& self, const Values& so_far) {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t begin = text.find("${", at);
            if (begin == std::string::npos) {
                out += text.substr(at);
                break;
            }
            const std::size_t end = text.find('}', begin);
            if (end == std::string::npos) return fail(ErrorCode::invalid, "the template has a ${ without }");
            out += text.substr(at, begin - at);
            TRY(const ValueRef ref, parse_value_ref(std::string_view(text).substr(begin + 2, end - begin - 2), self));
            TRY(const SecretText value, lookup(ref, self, so_far));
            out += value.reveal();
            at = end + 1;
        }
        return SecretText(std::move(out));
    }

    Result<SecretText> lookup(const ValueRef& ref, const SecretSpec& self, const Values& so_far) {
        const Values* values = &so_far;
        const std::string subject = "Secret/" + ref.ns + "/" + ref.name;
        if (ref.ns != self.ns || ref.name != self.name) {
            TRY(values, find(ref.ns, ref.name));
            if (!values)
                return fail(ErrorCode::not_found, subject + ", which the template names, is neither in the cluster nor earlier in the list");
        }
        const auto it = values->find(ref.key);
        if (it == values->end()) return fail(ErrorCode::not_found, subject + ", which the template names, has no key \"" + ref.key + "\"");
        return it->second;
    }

    kube::Client& client_;
    const EnsureSettings& settings_;
    std::set<std::string> namespaces_;
    std::map<std::pair<std::string, std::string>, Values> known_;
};

} // namespace

std::vector<Ensured> ensure_secrets(kube::Client& client, const SecretList& list, const EnsureSettings& settings) {
    Ensurer ensurer(client, settings);
    std::vector<Ensured> out;
    for (const SecretSpec& secret : list.secrets) {
        if (auto ns = ensurer.ensure_namespace(secret.ns)) out.push_back(std::move(*ns));
        out.push_back(ensurer.ensure(secret));
    }
    for (const EncryptedFileSpec& file : list.files)
        if (!settings.cluster.empty() || !names_cluster(file.path)) out.push_back(ensurer.ensure(file));
    return out;
}

} // namespace weber::agent
