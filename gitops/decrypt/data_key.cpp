#include "gitops/decrypt/data_key.h"

#include <algorithm>

#include "gitops/decrypt/crypto.h"
#include "gitops/decrypt/shamir.h"

namespace weber::gitops::sops {

namespace {

constexpr std::size_t kMostOpened = 4096; // half a MiB of locked memory
constexpr std::size_t kReasonWidth = 60, kReportWidth = 75;

// Greedy, at blanks; longer words stay whole.
std::string wrapped(std::string_view text, std::size_t width) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        const std::string_view word = text.substr(at, end - at);
        if (column > 0 && column + 1 + word.size() > width) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        if (end < text.size() && text[end] == '\n') {
            out += '\n';
            column = 0;
        }
        at = end + 1;
    }
    return out;
}

std::string prefixed(std::string_view text, std::string_view prefix) {
    std::string out(prefix);
    for (const char c : text) {
        out += c;
        if (c == '\n') out += prefix;
    }
    return out;
}

std::string key_report(const MasterKey& key, const std::string& reason) {
    std::string lines = prefixed(wrapped(reason, kReasonWidth), "  | ");
    lines[0] = '-';
    return key.name + ": FAILED\n" + prefixed(lines, "  ");
}

Result<SecretBytes> unwrap(const MasterKey& key, const KeyRing& keys) {
    switch (key.provider) {
    case Provider::age: {
        if (keys.age.empty()) return fail(ErrorCode::invalid, "failed to load age identities");
        auto plain = age_decrypt(key.enc, keys.age);
        if (!plain) return fail(std::move(plain.error()).with_prefix("failed to create reader for decrypting sops data key with age: "));
        return plain;
    }
    case Provider::pgp: return keys.pgp.decrypt(key.enc);
    default:
        return fail(ErrorCode::unsupported, std::string(provider_name(key.provider)) + " is not supported: weber unwraps data keys with age and PGP keys only");
    }
}

struct Unwrapped {
    SecretBytes part = {};
    std::string report = {}; // of a group that failed
};

Unwrapped unwrap_group(const KeyGroup& group, const KeyRing& keys) {
    std::vector<const MasterKey*> order;
    for (const MasterKey& key : group) order.push_back(&key);
    const auto rank = [](const MasterKey* k) { return k->provider == Provider::age ? 0 : k->provider == Provider::pgp ? 1 : 2; };
    std::ranges::stable_sort(order, {}, rank);
    Unwrapped out;
    for (const MasterKey* key : order) {
        auto part = unwrap(*key, keys);
        if (part) return {std::move(*part), {}};
        out.report += (out.report.empty() ? "" : "\n\n") + key_report(*key, part.error().message);
    }
    return out;
}

// The provider, when no group has a key that we could ever use.
const MasterKey* only_unsupported(const Metadata& m) {
    const MasterKey* any = nullptr;
    for (const KeyGroup& group : m.groups)
        for (const MasterKey& key : group) {
            if (key.provider == Provider::age || key.provider == Provider::pgp) return nullptr;
            if (any == nullptr) any = &key;
        }
    return any;
}

// Whose keys were tried: with that it is clear that the Secret holds another cluster's.
std::string keys_at_hand(const KeyRing& keys) {
    constexpr std::size_t kMostNamed = 3;
    std::string out;
    for (std::size_t i = 0; i < std::min(keys.age.size(), kMostNamed); ++i) out += (i > 0 ? ", " : "") + keys.age[i].recipient;
    if (keys.age.size() > kMostNamed) out += " and " + std::to_string(keys.age.size() - kMostNamed) + " more";
    return out.empty() ? "" : "the age keys at hand are those of " + out;
}

std::unexpected<Error> data_key_error(const Metadata& m, const std::vector<Unwrapped>& groups, const KeyRing& keys) {
    std::string text = "Failed to get the data key required to decrypt the SOPS file.\n";
    int good = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        good += !groups[i].part.empty();
        text += "\nGroup " + std::to_string(i) + (groups[i].part.empty() ? ": FAILED\n" + prefixed(groups[i].report, "  ") : ": SUCCESS") + "\n";
    }
    const std::string n = std::to_string(m.shamir_threshold);
    text += "\n" + wrapped(m.shamir_threshold == 0
                               ? "Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover the file, at least one key has to be "
                                 "successful, but none were."
                               : "Recovery failed because the file was encrypted with a Shamir threshold of " + n + ", but only " + std::to_string(good) +
                                     " part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover the file, at least " + n +
                                     " groups have to be successful. In order for a group to be successful, decryption has to succeed with any of the keys in that key group.",
                           kReportWidth);
    return fail(Error{.code = ErrorCode::invalid, .message = std::move(text), .hint = keys_at_hand(keys)});
}

Result<void> wrap(MasterKey& key, const SecretBytes& part, const KeyRing& keys, const std::string& now) {
    switch (key.provider) {
    case Provider::age: {
        TRY(key.enc, age_encrypt(part.view(), key.name));
        return {};
    }
    case Provider::pgp: {
        TRY(key.enc, keys.pgp.encrypt(part.view(), key.name));
        key.created_at = now;
        return {};
    }
    default:
        return fail(ErrorCode::unsupported, std::string(provider_name(key.provider)) + " (" + key.name + ") is not supported: weber encrypts for age and PGP keys only");
    }
}

// What decides the data key: all its wrapped parts and how many are needed. Each is prefixed by its length, so that no other list of parts reads alike.
std::string wrapped_parts(const Metadata& m) {
    std::string out = std::to_string(m.shamir_threshold) + "\n";
    for (const KeyGroup& group : m.groups) {
        out += "group\n";
        for (const MasterKey& key : group) out.append(std::to_string(key.enc.size())).append("\n").append(key.enc);
    }
    return out;
}

} // namespace

void OpenedDataKeys::keep(const Metadata& m, const SecretBytes& data_key) {
    std::string parts = wrapped_parts(m);
    SecretBytes copy = SecretBytes::copy_of(data_key.view());
    const std::lock_guard lock(mutex_);
    if (by_wrapped_.size() < kMostOpened) by_wrapped_.try_emplace(std::move(parts), std::move(copy));
}

std::optional<SecretBytes> OpenedDataKeys::find(const Metadata& m) const {
    const std::lock_guard lock(mutex_);
    if (by_wrapped_.empty()) return std::nullopt;
    const auto it = by_wrapped_.find(wrapped_parts(m));
    return it == by_wrapped_.end() ? std::nullopt : std::optional(SecretBytes::copy_of(it->second.view()));
}

Result<SecretBytes> unwrap_data_key(const Metadata& m, const KeyRing& keys) {
    if (auto opened = keys.opened->find(m)) return std::move(*opened);
    if (const MasterKey* key = only_unsupported(m))
        return fail(Error{.code = ErrorCode::unsupported,
                          .message = "the data key is wrapped by " + std::string(provider_name(key->provider)) + " (" + key->name + "), which weber does not support",
                          .hint = "add an age or PGP recipient to the file (sops updatekeys)"});
    std::vector<Unwrapped> groups;
    std::vector<SecretBytes> parts;
    for (const KeyGroup& group : m.groups) groups.push_back(unwrap_group(group, keys));
    const auto good = static_cast<std::size_t>(std::ranges::count_if(groups, [](const Unwrapped& u) { return !u.part.empty(); }));
    const bool single = groups.size() == 1;
    if (single ? good != 1 : good < static_cast<std::size_t>(std::max(m.shamir_threshold, 0))) return data_key_error(m, groups, keys);
    if (single) return std::move(groups[0].part);
    for (Unwrapped& u : groups)
        if (!u.part.empty()) parts.push_back(std::move(u.part));
    auto key = combine_shares(parts);
    if (!key) return fail(std::move(key.error()).with_prefix("could not get data key from shamir parts: "));
    return key;
}

Result<void> wrap_data_key(Metadata& m, const SecretBytes& data_key, const KeyRing& keys, const std::string& now) {
    if (m.groups.empty()) return fail(ErrorCode::invalid, "no key groups provided");
    std::vector<SecretBytes> parts;
    if (m.groups.size() == 1) {
        parts.push_back(SecretBytes::copy_of(data_key.view()));
    } else {
        if (m.shamir_threshold == 0) m.shamir_threshold = static_cast<int>(m.groups.size());
        TRY(parts, split_secret(data_key, m.groups.size(), static_cast<std::size_t>(m.shamir_threshold)));
    }
    for (std::size_t i = 0; i < m.groups.size(); ++i) {
        if (m.groups[i].empty()) return fail(ErrorCode::invalid, "empty key group provided");
        for (MasterKey& key : m.groups[i]) TRY_VOID(wrap(key, parts[i], keys, now));
    }
    return {};
}

} // namespace weber::gitops::sops
