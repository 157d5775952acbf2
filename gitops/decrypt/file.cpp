#include "gitops/decrypt/file.h"

#include <algorithm>

#include "gitops/decrypt/cipher.h"
#include "gitops/decrypt/crypto.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kDataKey = 32;

std::unexpected<Error> prefixed(Error error, std::string prefix) { return fail(std::move(error).with_prefix(std::move(prefix) + ": ")); }

Result<void> verify(const Metadata& m, const SecretBytes& key, const std::string& computed) {
    const std::string what = "failed to verify sops data integrity";
    auto stored = decrypt_value(m.mac, key, m.last_modified);
    if (!stored) return prefixed(std::move(stored.error()), what);
    if (equal_in_constant_time(stored->text, computed)) return {};
    return fail(Error{.code = ErrorCode::invalid,
                      .message = what + ": " + (stored->text.empty() ? "the file has no MAC" : "the MAC does not fit the values"), // it is their digest: guesses could be tried on it
                      .hint = "the file was changed after it was encrypted; --sops-ignore-mac decrypts it all the same, as Flux does"});
}

Result<std::string> decrypt_loaded(Encrypted& file, const SecretBytes& key, const DecryptOptions& options) {
    auto mac = decrypt_tree(file.branches, file.metadata, key, options.verify_mac);
    if (!mac) return prefixed(std::move(mac.error()), "error decrypting sops tree");
    if (options.verify_mac) TRY_VOID(verify(file.metadata, key, *mac));
    return mac;
}

Result<SecretBytes> data_key_of(const Metadata& metadata, const KeyRing& keys) {
    auto key = unwrap_data_key(metadata, keys);
    if (!key) return prefixed(std::move(key.error()), "cannot get sops data key");
    return key;
}

Result<Encrypted> load(std::string_view text, Format format) {
    auto file = load_encrypted(format, text);
    if (!file) return prefixed(std::move(file.error()), "failed to load encrypted " + std::string(format_word(format)) + " data");
    return file;
}

Result<std::string> encrypt_branches(Branches branches, Format format, Metadata m, const KeyRing& keys, const std::string& now, const Indentation& indentation) {
    SecretBytes key(kDataKey);
    TRY_VOID(random_bytes(key.span()));
    TRY_VOID(wrap_data_key(m, key, keys, now));
    if (format == Format::yaml) settle_comments(branches, m.rule);
    TRY(const std::string mac, encrypt_tree(branches, m, key));
    m.last_modified = now;
    m.version = kSopsVersion;
    TRY(m.mac, encrypt_value(Value::of_text(mac), key, m.last_modified));
    return emit_encrypted(format, std::move(branches), m, indentation);
}

Result<void> change_recipients(std::vector<KeyGroup>& groups, const RecipientChanges& changes) {
    const auto same = [](const MasterKey& a) { return [&a](const MasterKey& b) { return a.provider == b.provider && a.name == b.name; }; };
    for (const MasterKey& key : changes.add)
        if (std::ranges::none_of(groups[0], same(key))) groups[0].push_back(key);
    for (const MasterKey& key : changes.remove) {
        std::size_t removed = 0;
        for (KeyGroup& group : groups) removed += std::erase_if(group, same(key));
        if (removed == 0) return fail(ErrorCode::not_found, key.name + " is no recipient of the file");
    }
    if (std::ranges::any_of(groups, &KeyGroup::empty)) return fail(ErrorCode::invalid, "no recipient would be left in a key group");
    return {};
}

bool has_section(const Branches& branches, Format format) {
    for (const Branch& branch : branches)
        for (const Item& item : branch)
            if (format == Format::dotenv ? item.key.starts_with("sops_") : item.key == "sops") return true;
    return false;
}

} // namespace

Result<std::string> decrypt_file(std::string_view text, Format from, Format to, const KeyRing& keys, const DecryptOptions& options) {
    TRY(Encrypted file, load(text, from));
    TRY(const SecretBytes key, data_key_of(file.metadata, keys));
    TRY_VOID(decrypt_loaded(file, key, options));
    auto out = emit_plain(to, file.branches, options.indentation);
    if (!out)
        return prefixed(std::move(out.error()), "failed to emit encrypted " + std::string(format_word(from)) + " file as decrypted " + std::string(format_word(to)));
    return out;
}

Result<std::string> extract_from_file(std::string_view text, Format from, Format to, std::string_view path, const KeyRing& keys, const DecryptOptions& options) {
    TRY(Encrypted file, load(text, from));
    TRY(const SecretBytes key, data_key_of(file.metadata, keys));
    TRY_VOID(decrypt_loaded(file, key, options));
    if (file.branches.empty()) return fail(ErrorCode::not_found, "the file has no document");
    TRY(const Value* value, value_at(file.branches[0], path));
    if (value->kind == Kind::branch) return emit_plain(to, {value->branch}, options.indentation);
    if (value->kind == Kind::list) return fail(ErrorCode::unsupported, std::string(path) + " is a list: name one of its entries, as in " + std::string(path) + "[0]");
    return value->kind == Kind::null ? std::string() : leaf_text(*value);
}

Result<void> verify_mac(std::string_view text, Format format, const KeyRing& keys) {
    auto file = load(text, format);
    if (!file) return {};
    const auto key = data_key_of(file->metadata, keys);
    if (!key) return {};
    keys.opened->keep(file->metadata, *key);
    const auto computed = decrypt_tree(file->branches, file->metadata, *key);
    return computed ? verify(file->metadata, *key, *computed) : Result<void>();
}

Result<Node> decrypt_document(const Node& document, const KeyRing& keys) {
    TRY(Value root, value_of(document));
    Encrypted file{{std::move(root.branch)}, {}};
    auto metadata = take_metadata(file.branches, Layout::nested);
    if (!metadata) return prefixed(std::move(metadata.error()), "failed to load encrypted JSON data");
    file.metadata = std::move(*metadata);
    TRY(const SecretBytes key, data_key_of(file.metadata, keys));
    TRY_VOID(decrypt_loaded(file, key, {.verify_mac = false}));
    return node_of(Value::of_branch(std::move(file.branches[0])));
}

Result<std::string> encrypt_file(std::string_view text, Format format, Metadata settings, const KeyRing& keys, const std::string& now, const Indentation& indentation) {
    auto branches = load_plain(format, text);
    if (!branches) return prefixed(std::move(branches.error()), "failed to load the file");
    if (branches->empty()) return fail(ErrorCode::invalid, "file cannot be completely empty, it must contain at least one document");
    if (has_section(*branches, format)) return fail(ErrorCode::invalid, "the file has a sops section: it is encrypted already");
    if (format == Format::binary) settings.rule = {}; // its one value is always encrypted
    else if (settings.rule == Rule{}) settings.rule.unencrypted_suffix = kDefaultUnencryptedSuffix;
    return encrypt_branches(std::move(*branches), format, std::move(settings), keys, now, indentation);
}

Result<std::string> rotate_file(std::string_view text, Format format, const KeyRing& keys, const std::string& now, const DecryptOptions& options,
                                const RecipientChanges& changes) {
    TRY(Encrypted file, load(text, format));
    TRY(const SecretBytes key, data_key_of(file.metadata, keys));
    TRY_VOID(decrypt_loaded(file, key, options));
    TRY_VOID(change_recipients(file.metadata.groups, changes));
    return encrypt_branches(std::move(file.branches), format, std::move(file.metadata), keys, now, options.indentation);
}

} // namespace weber::gitops::sops
