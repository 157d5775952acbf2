#include "gitops/decrypt/cipher.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <unordered_map>

#include "gitops/decrypt/crypto.h"
#include "kube/base/digest.h"

namespace weber::gitops::sops {

namespace {

constexpr std::string_view kMacOnlyEncrypted("\x8a\x3f\xd2\xad\x54\xce\x66\x52\x7b\x10\x34\xf3\xd1\x47\xbe\x0b\x0b\x97\x5b\x3b\xf4\x4f\x72\xc6\xfd\xad\xec\x81\x76\xf2\x7d\x69", 32);
constexpr std::size_t kNonce = 32;

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

// ---- one value ----------------------------------------------------------------------------------------------------

struct Parts {
    std::string data, iv, tag;
    std::string_view type;
};

Result<void> parse_value(std::string_view text, Parts& p) {
    constexpr std::string_view kStart = "ENC[AES256_GCM,data:", kIv = ",iv:", kTag = ",tag:", kType = ",type:";
    const auto mismatch = [] { return bad("Input string <redacted> does not match sops' data format"); };
    const std::size_t end = text.rfind(']'), type = text.rfind(kType, end), tag = text.rfind(kTag, type), iv = text.rfind(kIv, tag);
    if (!text.starts_with(kStart) || end == std::string_view::npos || type == std::string_view::npos || tag == std::string_view::npos || iv == std::string_view::npos)
        return mismatch();
    if (iv <= kStart.size() || tag <= iv + kIv.size() || type <= tag + kTag.size() || end <= type + kType.size()) return mismatch();
    const auto decode = [](std::string_view part, const char* name, std::string& out) -> Result<void> {
        if (kube::base64_decode_into(part, out)) return {};
        return bad("Error base64-decoding " + std::string(name) + ": illegal base64 data");
    };
    TRY_VOID(decode(text.substr(kStart.size(), iv - kStart.size()), "data", p.data));
    TRY_VOID(decode(text.substr(iv + kIv.size(), tag - iv - kIv.size()), "iv", p.iv));
    TRY_VOID(decode(text.substr(tag + kTag.size(), type - tag - kTag.size()), "tag", p.tag));
    p.type = text.substr(type + kType.size(), end - type - kType.size());
    return {};
}

Result<Value> typed(std::string plain, std::string_view type) {
    if (type == "str" || type == "bytes") return Value::of_text(std::move(plain));
    if (type == "comment") return Value::of_comment(std::move(plain));
    if (type == "time") return Value(Kind::time, std::move(plain));
    const char *begin = plain.data(), *end = begin + plain.size();
    if (type == "int") {
        Value v(Kind::integer);
        const auto [stop, error] = std::from_chars(begin, end, v.integer);
        if (error != std::errc() || stop != end) return bad("a value of type int is no integer");
        return v;
    }
    if (type == "float") {
        Value v(Kind::floating);
        if (plain == "+Inf") ++begin; // as Go writes it
        const auto [stop, error] = std::from_chars(begin, end, v.floating);
        if (error != std::errc() || stop != end) return bad("a value of type float is no number");
        return v;
    }
    if (type == "bool") {
        for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"})
            if (plain == word) return Value::of_boolean(true);
        for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"})
            if (plain == word) return Value::of_boolean(false);
        return bad("a value of type bool is none");
    }
    return bad("Unknown datatype: " + std::string(type));
}

std::string_view type_of(const Value& value) {
    switch (value.kind) {
    case Kind::integer: return "int";
    case Kind::floating: return "float";
    case Kind::boolean: return "bool";
    case Kind::time: return "time";
    case Kind::comment: return "comment";
    default: return "str";
    }
}

Result<Value> open_value(std::string_view text, AesGcm& aes, std::string_view additional) {
    if (text.empty()) return Value::of_text("");
    thread_local Parts p; // its memory serves for all values of the thread; nothing of it is secret
    TRY_VOID(parse_value(text, p));
    auto plain = aes.open(p.iv, additional, p.data, p.tag);
    if (!plain) return bad("Could not decrypt with AES_GCM: cipher: message authentication failed");
    return typed(std::move(*plain), p.type);
}

Result<std::string> seal_value(const Value& value, AesGcm& aes, std::string_view additional) {
    const std::string plain = leaf_bytes(value);
    if (plain.empty()) return std::string();
    TRY(const std::string iv, random_text(kNonce));
    TRY(const AesGcm::Sealed sealed, aes.seal(iv, additional, plain));
    return "ENC[AES256_GCM,data:" + kube::base64_encode(sealed.data) + ",iv:" + kube::base64_encode(iv) + ",tag:" + kube::base64_encode(sealed.tag) +
           ",type:" + std::string(type_of(value)) + "]";
}

// ---- which leaves -------------------------------------------------------------------------------------------------

// Compiled patterns of this thread: a fleet uses two or three.
const re2::RE2& compiled(const std::string& pattern) {
    thread_local std::unordered_map<std::string, std::unique_ptr<re2::RE2>> cache;
    if (cache.size() > 64) cache.clear();
    auto& slot = cache[pattern];
    if (!slot) slot = std::make_unique<re2::RE2>(pattern, re2::RE2::Quiet);
    return *slot;
}
// A pattern that does not compile matches nothing, as in SOPS.
bool matches(const std::string& pattern, std::string_view text) {
    const re2::RE2& re = compiled(pattern);
    return re.ok() && re2::RE2::PartialMatch({text.data(), text.size()}, re);
}

bool key_matches(const Rule& rule, const std::string& key) {
    if (!rule.unencrypted_suffix.empty()) return key.ends_with(rule.unencrypted_suffix);
    if (!rule.encrypted_suffix.empty()) return key.ends_with(rule.encrypted_suffix);
    if (!rule.unencrypted_regex.empty()) return matches(rule.unencrypted_regex, key);
    if (!rule.encrypted_regex.empty()) return matches(rule.encrypted_regex, key);
    return false;
}

class Walker {
public:
    // `leaf`: the leaf, its additional data, whether the rule covers it, whether it is a comment.
    using Leaf = std::function<Result<void>(Value&, const std::string& path, bool covered)>;

    Walker(const Rule& rule, Leaf leaf) : rule_(rule), leaf_(std::move(leaf)) {}

    Result<void> branch(Branch& items, std::string& path, bool matched) {
        comments_.emplace_back();
        for (Item& item : items) {
            if (item.is_comment()) {
                comments_.back().push_back(item.value.text);
                TRY_VOID(comment(item.value, path, matched));
                continue;
            }
            const std::size_t length = path.size();
            path.append(item.key).append(":");
            TRY_VOID(value(item.value, path, matched || key_matches(rule_, item.key)));
            path.resize(length);
            comments_.back().clear();
        }
        comments_.pop_back();
        return {};
    }

private:
    Result<void> value(Value& v, std::string& path, bool matched) {
        switch (v.kind) {
        case Kind::null: return {};
        case Kind::branch: return branch(v.branch, path, matched);
        case Kind::list: return list(v.list, path, matched);
        default: return leaf_(v, path, covered(matched, false));
        }
    }

    Result<void> list(std::vector<Value>& items, std::string& path, bool matched) {
        comments_.emplace_back();
        for (Value& v : items) {
            if (v.kind == Kind::comment) {
                comments_.back().push_back(v.text);
                TRY_VOID(comment(v, path, matched));
                continue;
            }
            TRY_VOID(value(v, path, matched));
            comments_.back().clear();
        }
        comments_.pop_back();
        return {};
    }

    Result<void> comment(Value& v, const std::string& path, bool matched) { return leaf_(v, path.empty() ? ":" : path, covered(matched, true)); }

    [[nodiscard]] bool covered(bool matched, bool is_comment) const {
        if (!rule_.encrypted_suffix.empty() || !rule_.encrypted_regex.empty()) return matched;
        if (!rule_.unencrypted_comment_regex.empty()) return !any_comment(rule_.unencrypted_comment_regex, false);
        if (!rule_.encrypted_comment_regex.empty()) return any_comment(rule_.encrypted_comment_regex, is_comment);
        return !matched;
    }

    // `but_last`: the comment at hand itself does not count.
    [[nodiscard]] bool any_comment(const std::string& pattern, bool but_last) const {
        for (std::size_t i = 0; i < comments_.size(); ++i)
            for (std::size_t j = 0; j < comments_[i].size(); ++j) {
                if (but_last && i + 1 == comments_.size() && j + 1 == comments_[i].size()) continue;
                if (matches(pattern, comments_[i][j])) return true;
            }
        return false;
    }

    const Rule& rule_;
    Leaf leaf_;
    std::vector<std::vector<std::string>> comments_; // in force, by level
};

Result<std::string> walk(Branches& branches, const Metadata& m, const SecretBytes& key,
                         const std::function<Result<void>(Value&, AesGcm&, const std::string&)>& change, bool mac_before, bool with_mac = true) {
    TRY(AesGcm aes, AesGcm::with_key(key));
    Sha512 mac;
    if (m.mac_only_encrypted) mac.add(kMacOnlyEncrypted);
    Walker walker(m.rule, [&](Value& leaf, const std::string& path, bool covered) -> Result<void> {
        // sops writes a comment of a list as an entry and then counts it when it reads the file, so that it refuses its own file; it never counts here.
        const auto count = [&] {
            if (with_mac && leaf.kind != Kind::comment && (covered || !m.mac_only_encrypted)) mac.add(leaf_bytes(leaf));
        };
        if (mac_before) count();
        if (covered) TRY_VOID(change(leaf, aes, path));
        if (!mac_before) count();
        return {};
    });
    for (Branch& b : branches) {
        std::string path;
        if (auto done = walker.branch(b, path, false); !done) return fail(std::move(done.error()).with_prefix("Error walking tree: "));
    }
    return with_mac ? mac.hex_upper() : std::string();
}

Result<void> decrypt_leaf(Value& leaf, AesGcm& aes, const std::string& path) {
    if (leaf.kind == Kind::comment) {
        if (leaf.text.empty()) return {}; // stays where it is
        // Else it was never encrypted. A decrypted comment stands on a line of its own, as sops has it.
        if (auto plain = open_value(leaf.text, aes, path); plain) leaf = Value::of_comment(leaf_bytes(*plain));
        return {};
    }
    if (leaf.kind != Kind::text) return bad("Expected encrypted value as string, but got " + std::string(type_word(leaf.kind)));
    auto plain = open_value(leaf.text, aes, path);
    if (!plain) return fail(std::move(plain.error()).with_prefix("Could not decrypt value: "));
    leaf = std::move(*plain);
    return {};
}

Result<void> encrypt_leaf(Value& leaf, AesGcm& aes, const std::string& path) {
    TRY(std::string sealed, seal_value(leaf, aes, path));
    leaf = leaf.kind == Kind::comment ? Value::of_comment(std::move(sealed), leaf.inline_comment) : Value::of_text(std::move(sealed));
    return {};
}

// ---- comments -----------------------------------------------------------------------------------------------------

Value& value_in(Item& item) { return item.value; }
Value& value_in(Value& item) { return item; }
bool is_comment(const Item& item) { return item.is_comment(); }
bool is_comment(const Value& item) { return item.kind == Kind::comment; }

// Written in lines of its own, as a map or list with entries is.
bool takes_lines(const Value& v) {
    const auto entry = [](const auto& item) { return !is_comment(item); };
    return std::ranges::any_of(v.branch, entry) || std::ranges::any_of(v.list, entry);
}

void append_comment(Value& to, Value comment) {
    if (to.kind == Kind::branch) to.branch.push_back({"", std::move(comment)});
    else to.list.push_back(std::move(comment));
}

// One comment of all those in an empty map or list: only one has a place, behind the brackets.
template <class Items>
void join_comments(Items& items) {
    if (items.size() < 2 || !std::ranges::all_of(items, [](const auto& item) { return is_comment(item); })) return;
    for (std::size_t i = 1; i < items.size(); ++i) value_in(items[0]).text.append(" #").append(value_in(items[i]).text);
    items.erase(items.begin() + 1, items.end());
}

// Settles the comments at the end of the map or list `items`; `nested`: it is none of the document's own.
template <class Items>
void settle(Items& items, const Rule& rule, bool matched, bool nested);

void settle_in(Value& v, const Rule& rule, bool matched) {
    if (v.kind == Kind::branch) settle(v.branch, rule, matched, true);
    else if (v.kind == Kind::list) settle(v.list, rule, matched, true);
}

template <class Items>
void settle(Items& items, const Rule& rule, bool matched, bool nested) {
    join_comments(items);
    const auto inside = [&](const auto& item) {
        if constexpr (requires { item.key; }) return matched || key_matches(rule, item.key);
        else return matched;
    };
    const auto last = std::ranges::find_if(items.rbegin(), items.rend(), [](const auto& item) { return !is_comment(item); }).base(); // behind it
    if (nested && last != items.begin() && takes_lines(value_in(*(last - 1))) && inside(*(last - 1)) == matched) {
        Value& into = value_in(*(last - 1));
        for (auto comment = last; comment != items.end(); ++comment) append_comment(into, value_in(*comment));
        items.erase(last, items.end());
    }
    for (auto& item : items) settle_in(value_in(item), rule, inside(item));
}

} // namespace

void settle_comments(Branches& branches, const Rule& rule) {
    for (Branch& branch : branches) settle(branch, rule, false, false);
}

Result<Value> decrypt_value(std::string_view text, const SecretBytes& key, std::string_view additional) {
    TRY(AesGcm aes, AesGcm::with_key(key));
    return open_value(text, aes, additional);
}

Result<std::string> encrypt_value(const Value& value, const SecretBytes& key, std::string_view additional) {
    TRY(AesGcm aes, AesGcm::with_key(key));
    return seal_value(value, aes, additional);
}

Result<std::string> decrypt_tree(Branches& branches, const Metadata& metadata, const SecretBytes& key, bool with_mac) {
    return walk(branches, metadata, key, decrypt_leaf, false, with_mac);
}

Result<std::string> encrypt_tree(Branches& branches, const Metadata& metadata, const SecretBytes& key) {
    return walk(branches, metadata, key, encrypt_leaf, true);
}

} // namespace weber::gitops::sops
