#include "gitops/decrypt/objects.h"

#include <algorithm>

#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kSwitch = "kustomize.toolkit.fluxcd.io/decrypt";

bool is_encrypted(const Object& object) {
    const Node* mac = object.at({"sops", "mac"});
    return mac != nullptr && !mac->is_null() && !(mac->is_string() && mac->text().empty());
}

// Flux goes through its table of markers in an order that changes from run to run; the envelope of JSON and binary is told apart here.
std::optional<sops::Format> detect(std::string_view text) {
    for (const sops::Format format : {sops::Format::json, sops::Format::yaml, sops::Format::dotenv, sops::Format::ini})
        if (text.find(sops::marker(format)) != std::string_view::npos) return format;
    return std::nullopt;
}

std::string subject(const Object& object) { return "'" + std::string(object.ns()) + "/" + std::string(object.name()) + "' "; }

Result<Object> decrypt_values(const Object& secret, const KeyRing& keys, const sops::DecryptOptions& options) {
    Object out = secret;
    const Node* data = secret.root().find("data");
    if (data == nullptr || !data->is_map()) return out;
    for (const auto& [key, value] : data->entries()) {
        if (value.text().size() < 8) continue;
        const auto bytes = kube::base64_decode(value.text());
        if (!bytes) continue; // the API server says what is wrong with it
        const auto format = detect(*bytes);
        if (!format) continue;
        auto plain = sops::decrypt_file(*bytes, *format, sops::format_for_path(key), keys, options);
        if (!plain)
            return fail(std::move(plain.error()).with_prefix("failed to decrypt and format " + subject(secret) + "Secret field '" + key.str() + "': ").at(value.where()));
        Node encoded = Node::string(kube::base64_encode(*plain));
        wipe(plain->data(), plain->size());
        encoded.set_position(value.file(), value.line());
        out.root().find_mut("data")->set(key, std::move(encoded));
    }
    return out;
}

} // namespace

bool decryption_disabled(const Object& object) {
    const std::string_view value = object.annotation(kSwitch);
    return std::ranges::equal(value, std::string_view("disabled"), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

Result<Object> decrypt_object(const Object& object, const KeyRing& keys, const sops::DecryptOptions& options) {
    if (decryption_disabled(object)) return object;
    if (is_encrypted(object)) {
        auto plain = sops::decrypt_document(object.root(), keys);
        if (!plain)
            return fail(std::move(plain.error()).with_prefix("failed to decrypt and format " + subject(object) + std::string(object.kind()) + " data: ").at(object.where()));
        plain->set_position(object.root().file(), object.root().line());
        return Object(std::move(*plain));
    }
    if (object.kind() == "Secret") return decrypt_values(object, keys, options);
    return object;
}

} // namespace weber::gitops
