#include "gitops/decrypt/secret_keys.h"

#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

Result<void> import_one(std::string_view name, std::string_view value, KeySecret kind, KeyRing& keys) {
    if (name.ends_with(".agekey")) {
        auto identities = parse_age_identities(value);
        if (!identities) return fail(std::move(identities.error()).with_prefix("failed to parse and add to age identities: "));
        for (AgeIdentity& identity : *identities) keys.age.push_back(std::move(identity));
        return {};
    }
    if (name.ends_with(".asc") && kind == KeySecret::of_kustomization) return keys.pgp.import(value);
    return {};
}

} // namespace

Result<void> import_keys(const Object& secret, KeySecret kind, KeyRing& keys) {
    const auto import = [&](std::string_view name, std::string value) -> Result<void> {
        const WipedAtEnd guard(value);
        auto done = import_one(name, value, kind, keys);
        if (done) return {};
        Error error = std::move(done.error());
        const std::string_view what = kind == KeySecret::of_controller ? "' data from sops SOPS age decryption Secret '" : "' data from sops decryption Secret '";
        return fail(std::move(error).with_prefix("failed to import '" + std::string(name) + std::string(what) + std::string(secret.ns()) + "/" + std::string(secret.name()) + "': "));
    };
    const Node* data = secret.root().find("data");
    const Node* plain = secret.root().find("stringData"); // of a Secret in a file
    if (data != nullptr)
        for (const auto& [name, value] : data->entries()) {
            if (plain != nullptr && plain->contains(name)) continue;
            auto bytes = kube::base64_decode(value.text());
            if (!bytes) return fail(ErrorCode::invalid, "data." + name.str() + " of a decryption Secret is not base64", value.where());
            TRY_VOID(import(name, std::move(*bytes)));
        }
    if (plain != nullptr)
        for (const auto& [name, value] : plain->entries()) TRY_VOID(import(name, std::string(value.text())));
    return {};
}

} // namespace weber::gitops
