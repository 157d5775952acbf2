// `weber sops`: files of the fleet encrypted, decrypted, and given a new data key. What it writes, the `sops` program reads, and the other way round.
#include <chrono>
#include <ctime>
#include <filesystem>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/post_build_flags.h"
#include "agent/write_file.h"
#include "gitops/decrypt/config.h"
#include "gitops/decrypt/file.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

namespace fs = std::filesystem;
namespace sops = gitops::sops;
using gitops::WipedAtEnd;

constexpr std::string_view kSecretFields = "^(data|stringData)$";

std::string now() {
    const std::time_t t = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&t, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// ---- where the result goes ----------------------------------------------------------------------------------------

Result<int> deliver(const Invocation& in, const std::string& text) {
    const std::string output = in.flags.on("in-place") ? in.args[0] : in.flags.text("output");
    if (output.empty()) {
        in.io.out << text;
        return kOk;
    }
    TRY_VOID(write_file(output, text, kForOwner));
    return kOk;
}

// ---- what comes in ------------------------------------------------------------------------------------------------

struct Input {
    std::string name; // whose suffix and folder count, and which errors show
    std::string text;
};

bool from_stdin(const Invocation& in) { return in.args.empty() || in.args[0] == "-"; }

std::string name_of(const Invocation& in) {
    if (in.flags.given("filename-override")) return in.flags.text("filename-override");
    return from_stdin(in) ? "" : in.args[0];
}

Result<Input> input(const Invocation& in) {
    Input out{name_of(in), {}};
    if (!from_stdin(in)) {
        TRY(out.text, read_file(in.args[0]));
        return out;
    }
    out.text.assign(std::istreambuf_iterator<char>(in.io.in), {});
    return out;
}

std::string objection(const Invocation& in) {
    if (in.args.size() > 1 || (in.args.empty() && in.io.in_terminal)) return "name one file";
    if (in.flags.on("in-place") && in.flags.given("output")) return "--in-place and --output exclude each other";
    if (in.flags.on("in-place") && from_stdin(in)) return "--in-place needs a file";
    if (from_stdin(in) && !in.flags.given("input-type") && !in.flags.given("filename-override"))
        return "say what the standard input is: --input-type yaml, json, dotenv, ini or binary, or --filename-override NAME";
    for (const std::string_view flag : {"input-type", "output-type"})
        if (in.flags.knows(flag) && in.flags.given(flag) && !sops::format_from_word(in.flags.text(flag)))
            return "--" + std::string(flag) + " must be yaml, json, dotenv, ini or binary";
    return "";
}

sops::Format format_of(const Invocation& in, std::string_view flag, const std::string& path) {
    const auto given = in.flags.knows(flag) ? sops::format_from_word(in.flags.text(flag)) : std::nullopt;
    return given ? *given : sops::format_for_path(path);
}

// ---- what a new file is encrypted with ----------------------------------------------------------------------------

// The nearest .sops.yaml above the file.
std::string config_above(const std::string& file) {
    std::error_code error;
    for (fs::path dir = fs::weakly_canonical(file, error).parent_path(); !dir.empty(); dir = dir.parent_path()) {
        if (fs::exists(dir / ".sops.yaml", error)) return (dir / ".sops.yaml").string();
        if (dir == dir.root_path()) break;
    }
    return "";
}

// How the result is indented: by --indent, else by `stores` of the config file.
Result<sops::Indentation> indentation(const Invocation& in, const std::string& file) {
    if (in.flags.given("indent")) {
        const int blanks = static_cast<int>(std::clamp<std::int64_t>(in.flags.integer("indent"), -2, 1000));
        return sops::Indentation{.yaml = blanks, .json = blanks, .binary = blanks};
    }
    const std::string config = in.flags.given("config") ? in.flags.text("config") : config_above(file);
    if (config.empty()) return sops::Indentation();
    TRY(const std::string text, read_file(config));
    return sops::indentation(text, config);
}

struct Config {
    std::string file;                       // empty: there is none
    std::string relative;                   // the file to encrypt, seen from it
    std::optional<sops::Metadata> rule = {}; // nullopt: none fits
};

Result<Config> rule_from_config(const Invocation& in, const std::string& file) {
    Config out{in.flags.given("config") ? in.flags.text("config") : config_above(file), {}};
    if (out.file.empty()) return out;
    TRY(const std::string text, read_file(out.file));
    std::error_code error;
    out.relative = fs::relative(fs::weakly_canonical(file, error), fs::weakly_canonical(out.file, error).parent_path(), error).string();
    TRY(out.rule, sops::creation_rule(text, out.file, out.relative));
    return out;
}

void rule_from_flags(const Flags& flags, sops::Rule& rule) {
    sops::Rule given{.unencrypted_suffix = flags.text("unencrypted-suffix"),
                     .encrypted_suffix = flags.text("encrypted-suffix"),
                     .unencrypted_regex = flags.text("unencrypted-regex"),
                     .encrypted_regex = flags.text("encrypted-regex"),
                     .unencrypted_comment_regex = flags.text("unencrypted-comment-regex"),
                     .encrypted_comment_regex = flags.text("encrypted-comment-regex")};
    if (given != sops::Rule{}) rule = given;
}

// A Kubernetes object must keep its kind and name readable, else no build can decrypt it.
bool is_object(std::string_view text, sops::Format format) {
    if (format != sops::Format::yaml && format != sops::Format::json) return false;
    const auto documents = kube::read_yaml(text);
    return documents && !documents->empty() && documents->front().contains("apiVersion") && documents->front().contains("kind");
}

sops::KeyGroup group_of(const std::vector<std::string>& age, const std::vector<std::string>& pgp) {
    sops::KeyGroup group;
    for (const std::string& recipient : age) group.push_back({.provider = sops::Provider::age, .name = recipient});
    for (const std::string& fingerprint : pgp) group.push_back({.provider = sops::Provider::pgp, .name = fingerprint});
    return group;
}

Result<sops::Metadata> settings_for(const Invocation& in, const std::string& file, std::string_view text, sops::Format format) {
    const sops::KeyGroup given = group_of(in.flags.list("age"), in.flags.list("pgp"));
    TRY(Config config, rule_from_config(in, file));
    if (given.empty() && config.file.empty())
        return fail(Error{.code = ErrorCode::invalid, .message = "nobody to encrypt for: there is no .sops.yaml above the file", .hint = "give --age RECIPIENT or --pgp FINGERPRINT"});
    if (given.empty() && !config.rule) return fail(ErrorCode::invalid, "no creation rule fits " + config.relative, {config.file, 0, 0});
    sops::Metadata m = config.rule ? std::move(*config.rule) : sops::Metadata();
    if (!given.empty()) m.groups = {given}; // what is encrypted stays the rule's, as in sops
    rule_from_flags(in.flags, m.rule);
    if (m.rule == sops::Rule{} && is_object(text, format)) m.rule.encrypted_regex = kSecretFields;
    if (in.flags.on("mac-only-encrypted")) m.mac_only_encrypted = true;
    return m;
}

// ---- the commands -------------------------------------------------------------------------------------------------

const gitops::KeyRing& ring(const std::shared_ptr<const gitops::KeyRing>& keys) {
    static const gitops::KeyRing kNone;
    return keys ? *keys : kNone;
}

Error about(Error error, const std::string& file) { return std::move(error).at({file.empty() ? "standard input" : file, error.where.line, 0}); }

Result<int> encrypt(Invocation& in) {
    if (const std::string why = objection(in); !why.empty()) return in.usage(why);
    TRY(Input from, input(in));
    const WipedAtEnd guard(from.text);
    const sops::Format format = format_of(in, "input-type", from.name);
    TRY(sops::Metadata settings, settings_for(in, from.name, from.text, format));
    TRY(const auto keys, local_keys(in.flags));
    TRY(const sops::Indentation indent, indentation(in, from.name));
    auto out = sops::encrypt_file(from.text, format, std::move(settings), ring(keys), now(), indent);
    if (!out) return fail(about(std::move(out.error()), from.name));
    return deliver(in, *out);
}

Result<sops::DecryptOptions> options(const Invocation& in, const std::string& file) {
    TRY(const sops::Indentation indent, indentation(in, file));
    return sops::DecryptOptions{.verify_mac = !in.flags.on("sops-ignore-mac") && !in.flags.on("ignore-mac"), .indentation = indent};
}

Result<int> decrypt(Invocation& in) {
    if (const std::string why = objection(in); !why.empty()) return in.usage(why);
    TRY(const Input from, input(in));
    TRY(const auto keys, local_keys(in.flags));
    const sops::Format format = format_of(in, "input-type", from.name), to = in.flags.given("output-type") ? format_of(in, "output-type", from.name) : format;
    TRY(const sops::DecryptOptions how, options(in, from.name));
    auto out = in.flags.given("extract") ? sops::extract_from_file(from.text, format, to, in.flags.text("extract"), ring(keys), how)
                                         : sops::decrypt_file(from.text, format, to, ring(keys), how);
    if (!out) return fail(about(std::move(out.error()), from.name));
    const WipedAtEnd guard(*out);
    return deliver(in, *out);
}

Result<int> rotate(Invocation& in) {
    if (const std::string why = objection(in); !why.empty()) return in.usage(why);
    TRY(const Input from, input(in));
    TRY(const auto keys, local_keys(in.flags));
    const sops::RecipientChanges changes{.add = group_of(in.flags.list("add-age"), in.flags.list("add-pgp")), .remove = group_of(in.flags.list("rm-age"), in.flags.list("rm-pgp"))};
    TRY(const sops::DecryptOptions how, options(in, from.name));
    auto out = sops::rotate_file(from.text, format_of(in, "input-type", from.name), ring(keys), now(), how, changes);
    if (!out) return fail(about(std::move(out.error()), from.name));
    return deliver(in, *out);
}

Result<int> keygen(Invocation& in) {
    if (!in.args.empty()) return in.usage("no arguments, please");
    TRY(const gitops::AgeIdentity identity, gitops::make_age_identity());
    std::string secret = gitops::age_identity_text(identity);
    std::string text = "# created: " + now() + "\n# public key: " + identity.recipient + "\n" + secret + "\n";
    const WipedAtEnd guard(secret), guard_text(text);
    const std::string output = in.flags.text("output");
    if (output.empty()) {
        in.io.out << text;
        return kOk;
    }
    if (fs::exists(output)) return fail(ErrorCode::already_exists, "the file exists; a key is never overwritten", {output, 0, 0});
    TRY_VOID(write_file(output, text, kForOwner));
    in.io.out << identity.recipient << "\n";
    return kOk;
}

std::vector<Flag> with_common(std::vector<Flag> flags) {
    flags.push_back({.name = "in-place", .kind = FlagKind::boolean, .help = "write the result over the file", .letter = 'i'});
    flags.push_back({.name = "output", .help = "write the result to this file", .value = "file"});
    flags.push_back({.name = "input-type", .help = "yaml, json, dotenv, ini or binary; by the file's name otherwise", .value = "format"});
    flags.push_back({.name = "config", .help = "creation rules and indentation; otherwise the nearest .sops.yaml above the file", .value = "file"});
    flags.push_back({.name = "indent", .kind = FlagKind::integer, .help = "blanks before nested lines of YAML and JSON", .value = "n"});
    flags.push_back({.name = "filename-override", .help = "take the file, or the standard input, for one of this name", .value = "name"});
    for (const Flag& flag : key_flags()) flags.push_back(flag);
    return flags;
}

std::vector<Flag> encrypt_flags() {
    std::vector<Flag> out = {{.name = "age", .kind = FlagKind::comma_list, .help = "age recipients", .value = "recipients"},
                             {.name = "pgp", .kind = FlagKind::comma_list, .help = "fingerprints of OpenPGP keys given by --pgp-key-file", .value = "fingerprints"},
                             {.name = "encrypted-regex", .help = "encrypt values under keys that match"},
                             {.name = "unencrypted-regex", .help = "leave values under keys that match"},
                             {.name = "encrypted-suffix", .help = "encrypt values under keys that end so"},
                             {.name = "unencrypted-suffix", .help = "leave values under keys that end so"},
                             {.name = "encrypted-comment-regex", .help = "encrypt values below comments that match"},
                             {.name = "unencrypted-comment-regex", .help = "leave values below comments that match"},
                             {.name = "mac-only-encrypted", .kind = FlagKind::boolean, .help = "the MAC covers encrypted values only"}};
    return with_common(std::move(out));
}

constexpr Flag kIgnoreMacOfSops = {.name = "ignore-mac", .kind = FlagKind::boolean, .help = "the same, as sops has it", .hidden = true};

std::vector<Flag> rotate_flags() {
    return with_common({ignore_mac_flag(), kIgnoreMacOfSops,
                        {.name = "add-age", .kind = FlagKind::comma_list, .help = "age recipients who may read the file from now on", .value = "recipients"},
                        {.name = "rm-age", .kind = FlagKind::comma_list, .help = "age recipients who may not any more", .value = "recipients"},
                        {.name = "add-pgp", .kind = FlagKind::comma_list, .help = "the same by fingerprints of OpenPGP keys given by --pgp-key-file", .value = "fingerprints"},
                        {.name = "rm-pgp", .kind = FlagKind::comma_list, .help = "the same by fingerprints of OpenPGP keys", .value = "fingerprints"}});
}

} // namespace

Command sops_command() {
    return {.name = "sops",
            .summary = "Encrypt and decrypt files as SOPS does, with age and OpenPGP keys",
            .about = "The files are those of the sops program, both ways. Kubernetes objects are encrypted below data and stringData unless a rule says\n"
                     "otherwise. Keys come from --age-key-file, --pgp-key-file, SOPS_AGE_KEY and SOPS_AGE_KEY_FILE. Without FILE, or with \"-\", the standard input is read.",
            .children = {{.name = "encrypt", .args = "[FILE]", .summary = "Encrypt a file", .flags = encrypt_flags(), .run = encrypt},
                         {.name = "decrypt",
                          .args = "[FILE]",
                          .summary = "Decrypt a file",
                          .flags = with_common({ignore_mac_flag(), kIgnoreMacOfSops, {.name = "output-type", .help = "format of the result", .value = "format"},
                                                {.name = "extract", .help = "only the value at that path, such as [\"stringData\"][\"password\"]", .value = "path"}}),
                          .run = decrypt},
                         {.name = "rotate", .args = "[FILE]", .summary = "Encrypt a file anew, with another data key, for the same or other recipients", .flags = rotate_flags(), .run = rotate},
                         {.name = "keygen",
                          .summary = "Make an age key",
                          .flags = {{.name = "output", .help = "write the key to this new file, its recipient to the standard output", .letter = 'o', .value = "file"}},
                          .run = keygen}}};
}

} // namespace weber::agent
