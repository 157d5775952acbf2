// `weber sops` as a user sees it, and `reconcile --once` of a fleet with an encrypted Secret and variables.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

constexpr const char* kSecret = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    pw: hunter2\n";

struct Workplace {
    TempDir dir;
    std::string key = dir / "age.key";
    std::string recipient;
    Workplace() {
        recipient = weber({"sops", "keygen", "-o", key}).out;
        recipient.pop_back();
    }
};

TEST(SopsCommand, KeysAreForTheirOwnerOnlyAndNeverOverwritten) {
    const Workplace w;
    struct stat status {};
    ASSERT_EQ(stat(w.key.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const std::string before = read_file(w.key);
    const Ran again = weber({"sops", "keygen", "-o", w.key});
    EXPECT_EQ(again.status, 1);
    EXPECT_EQ(read_file(w.key), before);
    EXPECT_TRUE(w.recipient.starts_with("age1"));
}

TEST(SopsCommand, EncryptsDecryptsAndRotatesInPlace) {
    const Workplace w;
    const std::string file = w.dir.write("secret.yaml", kSecret);
    ASSERT_EQ(weber({"sops", "encrypt", "-i", "--age", w.recipient, file}).status, 0);
    const std::string encrypted = read_file(file);
    EXPECT_EQ(encrypted.find("hunter2"), std::string::npos);
    EXPECT_NE(encrypted.find("kind: Secret"), std::string::npos); // an object stays one
    EXPECT_NE(encrypted.find("encrypted_regex: ^(data|stringData)$"), std::string::npos);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", w.key, file}).out, kSecret);
    EXPECT_EQ(weber({"sops", "decrypt", file}, {.environment = {{"SOPS_AGE_KEY_FILE", w.key}}}).out, kSecret);
    ASSERT_EQ(weber({"sops", "rotate", "-i", "--age-key-file", w.key, file}).status, 0);
    EXPECT_NE(read_file(file), encrypted);
    if (const auto sops = testing::peer("sops")) {
        EXPECT_EQ(testing::run(*sops + " -d " + file, w.dir.path(), {"SOPS_AGE_KEY_FILE=" + w.key}).out, kSecret);
    }
    ASSERT_EQ(weber({"sops", "decrypt", "-i", "--age-key-file", w.key, file}).status, 0);
    EXPECT_EQ(read_file(file), kSecret);
}

TEST(SopsCommand, RotatesForOtherRecipients) {
    const Workplace w, other;
    const std::string file = w.dir.write("secret.yaml", kSecret);
    ASSERT_EQ(weber({"sops", "encrypt", "-i", "--age", w.recipient, file}).status, 0);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", other.key, file}).status, 1);
    ASSERT_EQ(weber({"sops", "rotate", "-i", "--age-key-file", w.key, "--add-age", other.recipient, file}).status, 0);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", w.key, file}).out, kSecret);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", other.key, file}).out, kSecret);
    ASSERT_EQ(weber({"sops", "rotate", "-i", "--age-key-file", other.key, "--rm-age", w.recipient, file}).status, 0);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", w.key, file}).status, 1);
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", other.key, file}).out, kSecret);
    if (const auto sops = testing::peer("sops")) {
        EXPECT_EQ(testing::run(*sops + " -d " + file, w.dir.path(), {"SOPS_AGE_KEY_FILE=" + other.key}).out, kSecret);
    }
    const std::string before = read_file(file);
    const Ran stranger = weber({"sops", "rotate", "-i", "--age-key-file", other.key, "--rm-age", w.recipient, file});
    EXPECT_EQ(stranger.status, 1);
    EXPECT_NE(stranger.err.find(w.recipient + " is no recipient of the file"), std::string::npos) << stranger.err;
    EXPECT_EQ(weber({"sops", "rotate", "-i", "--age-key-file", other.key, "--rm-age", other.recipient, file}).status, 1);
    EXPECT_EQ(read_file(file), before);
}

TEST(SopsCommand, RulesOfTheNearestConfigApply) {
    const Workplace w;
    w.dir.write(".sops.yaml", "creation_rules:\n- path_regex: ^apps/.*\\.env$\n  age: " + w.recipient + "\n");
    const std::string file = w.dir.write("apps/db/a.env", "PW=x\n");
    const Ran ran = weber({"sops", "encrypt", file});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_NE(ran.out.find("sops_mac=ENC["), std::string::npos);
    const Ran none = weber({"sops", "encrypt", w.dir.write("other.env", "A=b\n")});
    EXPECT_EQ(none.status, 1);
    EXPECT_NE(none.err.find("no creation rule fits other.env"), std::string::npos) << none.err;
}

struct IndentCase {
    const char* name;
    const char* config;
    const char* flag = ""; // before the file
};

class SopsIndentation : public ::testing::TestWithParam<IndentCase> {};

// `stores` of .sops.yaml and --indent, beside the real sops: plain text byte for byte, encrypted text by its shape; each reads the other's.
TEST_P(SopsIndentation, IsThatOfSops) {
    const auto sops = testing::peer("sops");
    if (!sops) GTEST_SKIP() << "run tests/cluster/tools.sh sops";
    const Workplace w;
    w.dir.write(".sops.yaml", std::string(GetParam().config) + "creation_rules: [{age: " + w.recipient + "}]\n");
    for (const auto& [file, text] : {std::pair("f.yaml", "a:\n    b:\n        - c: |\n            x\n             y\n          d: [1, {e: f}]\n        - - g\n    # note\n    h: i\n"),
                                     std::pair("f.json", R"({"a": {"b": [1, {"c": []}, {}]}, "d": null})"), std::pair("f.bin", "bytes\n")}) {
        SCOPED_TRACE(file);
        const std::string path = w.dir.write(file, text), flag = GetParam().flag;
        const std::string in = "cd " + w.dir.path() + " && " + *sops + " " + flag;
        const auto lines = [](const std::string& encrypted) { // the margin of each line
            std::string out;
            std::istringstream text(encrypted);
            for (std::string line; std::getline(text, line);) out += line.substr(0, line.find_first_not_of(" \t")) + "|\n";
            return out;
        };
        const auto by_sops = testing::run(in + " -e " + file, w.dir.path());
        std::vector<std::string> words = {"sops", "encrypt"};
        if (!flag.empty()) words.push_back(flag);
        words.push_back(path);
        const Ran by_us = weber(words);
        ASSERT_EQ(by_us.status == 0, by_sops.status == 0) << by_us.err << by_sops.err;
        if (by_us.status != 0) continue;
        EXPECT_EQ(lines(by_us.out), lines(by_sops.out)) << by_us.out << by_sops.out;
        w.dir.write(file, by_us.out);
        const auto theirs = testing::run(in + " -d " + file, w.dir.path(), {"SOPS_AGE_KEY_FILE=" + w.key});
        w.dir.write(file, by_sops.out);
        words[1] = "decrypt";
        words.insert(words.begin() + 2, {"--age-key-file", w.key});
        EXPECT_EQ(weber(words).out, theirs.out) << theirs.err;
    }
}

INSTANTIATE_TEST_SUITE_P(All, SopsIndentation,
                         ::testing::Values(IndentCase{"default", ""}, IndentCase{"two", "stores: {yaml: {indent: 2}, json: {indent: 2}, json_binary: {indent: 1}}\n"},
                                           IndentCase{"three_and_none", "stores: {yaml: {indent: 3}, json: {indent: 0}}\n"}, IndentCase{"eight", "stores: {yaml: {indent: 8}, json: {indent: -1}}\n"},
                                           IndentCase{"too_far", "stores: {yaml: {indent: 11}, json_binary: {indent: 4}}\n"}, IndentCase{"one", "stores: {yaml: {indent: 1}}\n"},
                                           IndentCase{"negative", "stores: {yaml: {indent: -1}, json: {indent: -2}}\n"}, IndentCase{"flag", "stores: {yaml: {indent: 2}}\n", "--indent=5"}),
                         [](const auto& info) { return info.param.name; });

// Which lines of a file are encrypted, and what its `sops` section says, without what is new in each file.
std::string shape_of(const std::string& file) {
    std::string out;
    std::istringstream in(file);
    bool wrapped = false; // a data key
    for (std::string line; std::getline(in, line);) {
        if (line.ends_with("enc: |")) wrapped = true;
        if (!wrapped && line.find(" lastmodified:") == std::string::npos) out += line.substr(0, line.find("ENC[")) + (line.find("ENC[") != std::string::npos ? "ENC" : "") + "\n";
        if (line.ends_with("-----END AGE ENCRYPTED FILE-----")) wrapped = false;
    }
    return out;
}

struct ConfigCase {
    const char* name;
    const char* config; // R1 to R3: recipients
    std::vector<std::string> flags = {};
};

class SopsConfigs : public ::testing::TestWithParam<ConfigCase> {};

// The rules of a `.sops.yaml` beside the real sops: who may read, what is encrypted, how many groups are needed; or both refuse.
TEST_P(SopsConfigs, AreThoseOfSops) {
    const auto sops = testing::peer("sops");
    if (!sops) GTEST_SKIP() << "run tests/cluster/tools.sh sops";
    const Workplace w[3];
    const auto with_recipients = [&](std::string text) {
        for (int i = 0; i < 3; ++i)
            for (std::size_t at = 0; (at = text.find("R" + std::to_string(i + 1))) != std::string::npos;) text.replace(at, 2, w[i].recipient);
        return text;
    };
    w[0].dir.write(".sops.yaml", with_recipients(GetParam().config));
    const std::string file = w[0].dir.write("apps/db/f.yaml", "metadata:\n    name: a\n    data: b\ndata:\n    x: v\n    p_secret: q\n    # enc: below\n    last: one\n    # other\n    free: two\nlist:\n    - a\n");
    std::vector<std::string> ours = {"sops", "encrypt", file};
    std::string theirs = *sops + " -e", keys;
    for (const std::string& flag : GetParam().flags) {
        ours.push_back(with_recipients(flag));
        theirs += " " + ours.back();
    }
    for (const Workplace& place : w) keys += read_file(place.key);
    const std::string all_keys = w[0].dir.write("keys", keys);
    const auto by_sops = testing::run("cd " + w[0].dir.path() + " && " + theirs + " apps/db/f.yaml", w[0].dir.path());
    const Ran by_us = weber(ours);
    ASSERT_EQ(by_us.status == 0, by_sops.status == 0) << by_us.err << by_sops.err;
    if (by_us.status != 0) return;
    EXPECT_EQ(shape_of(by_us.out), shape_of(by_sops.out));
    const auto plain_of_ours = testing::run(*sops + " -d " + w[0].dir.write("o.yaml", by_us.out), w[0].dir.path(), {"SOPS_AGE_KEY_FILE=" + all_keys});
    EXPECT_EQ(plain_of_ours.out, read_file(file)) << plain_of_ours.err;
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", all_keys, w[0].dir.write("t.yaml", by_sops.out)}).out, read_file(file));
}

INSTANTIATE_TEST_SUITE_P(
    All, SopsConfigs,
    ::testing::Values(ConfigCase{"TheFirstThatFits", "creation_rules:\n- path_regex: nope\n  age: R1\n- path_regex: apps/.*\n  age: R2\n- age: R3\n"},
                      ConfigCase{"PathsFromTheConfigsFolder", "creation_rules:\n- path_regex: ^apps/db/f\\.ya?ml$\n  age: R1\n"},
                      ConfigCase{"PathsAreNotAbsolute", "creation_rules:\n- path_regex: ^/\n  age: R1\n"}, ConfigCase{"NoneFits", "creation_rules:\n- path_regex: nope\n  age: R1\n"},
                      ConfigCase{"PerlClasses", "creation_rules:\n- path_regex: '(?i)APPS/\\w+/'\n  age: R1\n"}, ConfigCase{"NoLookahead", "creation_rules:\n- path_regex: '(?!x)'\n  age: R1\n"},
                      ConfigCase{"Empty", ""}, ConfigCase{"NoRules", "stores: {}\n"}, ConfigCase{"NoKeys", "creation_rules:\n- path_regex: apps\n"},
                      ConfigCase{"EncryptedRegex", "creation_rules:\n- encrypted_regex: ^data$\n  age: R1\n"}, ConfigCase{"UnencryptedRegex", "creation_rules:\n- unencrypted_regex: ^metadata$\n  age: R1\n"},
                      ConfigCase{"EncryptedSuffix", "creation_rules:\n- encrypted_suffix: _secret\n  age: R1\n"}, ConfigCase{"UnencryptedSuffix", "creation_rules:\n- unencrypted_suffix: ame\n  age: R1\n"},
                      ConfigCase{"EncryptedComment", "creation_rules:\n- encrypted_comment_regex: 'enc:'\n  age: R1\n"},
                      ConfigCase{"UnencryptedComment", "creation_rules:\n- unencrypted_comment_regex: other\n  age: R1\n"},
                      ConfigCase{"TwoRules", "creation_rules:\n- encrypted_regex: a\n  encrypted_suffix: b\n  age: R1\n"},
                      ConfigCase{"MacOnlyEncrypted", "creation_rules:\n- encrypted_regex: ^data$\n  mac_only_encrypted: true\n  age: R1\n"},
                      ConfigCase{"MacOnlyEncryptedIsNoText", "creation_rules:\n- mac_only_encrypted: 'true'\n  age: R1\n"},
                      ConfigCase{"Groups", "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - age: [R1]\n  - age: [R2, R3]\n  - age: [R3]\n"},
                      ConfigCase{"AllGroups", "creation_rules:\n- key_groups:\n  - age: [R1]\n  - age: [R2]\n"},
                      ConfigCase{"ThresholdOfOne", "creation_rules:\n- shamir_threshold: 1\n  key_groups:\n  - age: [R1]\n  - age: [R2]\n"},
                      ConfigCase{"ThresholdBeyondTheGroups", "creation_rules:\n- shamir_threshold: 4\n  key_groups:\n  - age: [R1]\n  - age: [R2]\n"},
                      ConfigCase{"ThresholdOfOneGroup", "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - age: [R1, R2]\n"},
                      ConfigCase{"ThresholdIsNoText", "creation_rules:\n- shamir_threshold: '2'\n  key_groups:\n  - age: [R1]\n  - age: [R2]\n"},
                      ConfigCase{"GroupsBeforeKeys", "creation_rules:\n- age: R3\n  key_groups:\n  - age: [R1]\n"},
                      ConfigCase{"Merge", "creation_rules:\n- key_groups:\n  - merge: [{age: [R1]}, {age: [R2, R1]}]\n    age: [R2]\n"},
                      ConfigCase{"Lists", "creation_rules:\n- age: [R1, R2]\n"}, ConfigCase{"Commas", "creation_rules:\n- age: 'R1, R2,'\n"},
                      ConfigCase{"Lines", "creation_rules:\n- age: >-\n    R1,\n    R2\n"}, ConfigCase{"NoRecipient", "creation_rules:\n- age: age1xyz\n"},
                      ConfigCase{"NoKeyText", "creation_rules:\n- age: 5\n"}, ConfigCase{"UnknownFields", "foo: 1\ncreation_rules:\n- age: R1\n  foo: bar\n"},
                      ConfigCase{"BrokenYaml", "creation_rules: [\n"}, ConfigCase{"TwiceAKey", "creation_rules:\n- age: R1\n  age: R2\n"},
                      ConfigCase{"OtherRecipientsSameRule", "creation_rules:\n- age: R1\n  encrypted_regex: ^data$\n  mac_only_encrypted: true\n", {"--age", "R2"}},
                      ConfigCase{"NoConfigNeeded", "stores: {}\n", {"--age", "R2"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SopsCommand, MistakesAreExplained) {
    const Workplace w;
    const std::string file = w.dir.write("a.yaml", "a: hunter2\n");
    EXPECT_EQ(weber({"sops", "encrypt"}).status, 2);
    EXPECT_EQ(weber({"sops", "encrypt", "--input-type", "toml", file}).status, 2);
    for (const Ran& ran : {weber({"sops", "encrypt", file}), weber({"sops", "encrypt", "--age", "age1wrong", file}), weber({"sops", "decrypt", file}),
                           weber({"sops", "decrypt", w.dir / "missing.yaml"})}) {
        EXPECT_EQ(ran.status, 1);
        EXPECT_FALSE(ran.err.empty());
        EXPECT_EQ(ran.err.find("hunter2"), std::string::npos);
    }
}

TEST(SopsCommand, ReadsTheStandardInput) {
    const Workplace w;
    w.dir.write(".sops.yaml", "creation_rules:\n- path_regex: \\.yaml$\n  age: " + w.recipient + "\n");
    for (const std::vector<std::string>& how : {std::vector<std::string>{"--filename-override", w.dir / "a.yaml"}, {"--input-type", "yaml", "--age", w.recipient}, {"--input-type", "yaml", "--age", w.recipient, "-"}}) {
        std::vector<std::string> words{"sops", "encrypt"};
        words.insert(words.end(), how.begin(), how.end());
        const Ran encrypted = weber(words, {.input = kSecret});
        ASSERT_EQ(encrypted.status, 0) << encrypted.err;
        EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", w.key, "--input-type", "yaml"}, {.input = encrypted.out}).out, kSecret);
    }
    const Ran unnamed = weber({"sops", "encrypt", "--age", w.recipient, "-"}, {.input = kSecret});
    EXPECT_EQ(unnamed.status, 2);
    EXPECT_NE(unnamed.err.find("--input-type"), std::string::npos) << unnamed.err;
    EXPECT_EQ(weber({"sops", "encrypt", "--age", w.recipient, "--input-type", "yaml", "-i"}, {.input = kSecret}).status, 2);
    const Ran broken = weber({"sops", "decrypt", "--input-type", "yaml", "-"}, {.input = "a: hunter2\n"});
    EXPECT_EQ(broken.err, "\u2717 standard input: failed to load encrypted YAML data: sops metadata not found\n");
}

TEST(SopsCommand, ExtractsOneValue) {
    const Workplace w;
    const std::string file = w.dir.write("a.yaml", "s:\n    pw: hunter2\n    n: 5\n    none: null\nl:\n    # about\n    - one\n    - \"]\": two\n");
    ASSERT_EQ(weber({"sops", "encrypt", "-i", "--age", w.recipient, file}).status, 0);
    const auto extract = [&](const std::string& path) { return weber({"sops", "decrypt", "--age-key-file", w.key, "--extract", path, file}); };
    for (const auto& [path, value] : {std::pair("[\"s\"][\"pw\"]", "hunter2"), {"['s']['n']", "5"}, {"[\"s\"][\"none\"]", ""}, {"[\"s\"]", "pw: hunter2\n\"n\": 5\nnone: null\n"}, {"[\"l\"][0]", "one"},
                                      {"[\"l\"][1][\"]\"]", "two"}})
        EXPECT_EQ(extract(path).out, value) << path;
    for (const auto& [path, problem] : {std::pair("[\"s\"][\"x\"]", "component [\"x\"] not found"), {"[\"l\"][2]", "component [2] not found"}, {"[\"s\"][\"pw\"][\"x\"]", "component [\"x\"] not found"},
                                        {"[\"l\"]", "[\"l\"] is a list"}, {"s", "\"s\" is no path"}, {"", "\"\" is no path"}, {"[\"s\"", "is no path"}, {"[x]", "is no path"}, {"[-1]", "is no path"}}) {
        const Ran ran = extract(path);
        EXPECT_EQ(ran.status, 1) << path;
        EXPECT_EQ(ran.out, "");
        EXPECT_NE(ran.err.find(problem), std::string::npos) << path << ": " << ran.err;
    }
    std::string changed = read_file(file);
    changed.replace(changed.find("none:"), 5, "nune:");
    w.dir.write("a.yaml", changed);
    EXPECT_EQ(extract("[\"s\"][\"pw\"]").status, 0) << "keys are not in the MAC";
    changed.replace(changed.find("null"), 4, "\"\"  ");
    w.dir.write("b.yaml", changed + "x_unencrypted: y\n");
    const Ran ran = weber({"sops", "decrypt", "--age-key-file", w.key, "--extract", "[\"s\"][\"pw\"]", w.dir / "b.yaml"});
    EXPECT_NE(ran.err.find("failed to verify sops data integrity"), std::string::npos) << ran.err;
    EXPECT_EQ(weber({"sops", "decrypt", "--age-key-file", w.key, "--ignore-mac", "--extract", "[\"s\"][\"pw\"]", w.dir / "b.yaml"}).out, "hunter2");
}

// Files that are broken in some way, one a store: what is in them is not shown.
TEST(SopsCommand, ErrorsQuoteNoValue) {
    const Workplace w;
    const std::pair<const char*, std::string> files[] = {{"a.json", "{\"data\": hunter2"}, {"b.json", "{\"a\": \"hunter2\x01\"}"}, {"c.json", "[\"hunter2\"]"}, {"d.yaml", "a: hunter2: x\n"}, {"e.yaml", "a: *hunter2\n"},
                                                         {"f.yaml", "a: \"hunter2\\q\"\n"}, {"g.yaml", "a: hunter2\xFF\n"}, {"h.env", "hunter2\n"}, {"i.ini", "[a\nhunter2\n"}, {"j.bin", "hunter2"}};
    for (const auto& [name, text] : files)
        for (const std::vector<std::string>& words : {std::vector<std::string>{"sops", "decrypt"}, {"sops", "encrypt", "--age", w.recipient}}) {
            std::vector<std::string> all = words;
            all.push_back(w.dir.write(name, text));
            const Ran ran = weber(all);
            if (words[1] == "decrypt" || std::string_view(name) != "j.bin") {
                EXPECT_EQ(ran.status, 1) << name; // any bytes can be encrypted
            }
            EXPECT_EQ((ran.out + ran.err).find("hunter2"), std::string::npos) << ran.err;
        }
    EXPECT_NE(weber({"sops", "decrypt", w.dir.path()}).err.find("Is a directory"), std::string::npos);
    EXPECT_NE(weber({"sops", "decrypt", w.dir / "nope"}).err.find("No such file or directory"), std::string::npos);
}

// A file that was changed after its encryption, also where it is in plain text.
TEST(SopsCommand, BuildsRefuseChangedFilesUnlessToldOtherwise) {
    const Workplace w;
    const std::string file = w.dir.write("apps/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\n    namespace: default\nstringData:\n    pw: hunter2\n");
    ASSERT_EQ(weber({"sops", "encrypt", "-i", "--age", w.recipient, file}).status, 0);
    const std::string kustomization = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME, namespace: flux-system}\n"
                                      "spec: {interval: 1m, prune: true, path: PATH, sourceRef: {kind: GitRepository, name: flux-system}, "
                                      "decryption: {provider: sops}}\n";
    const auto named = [&](std::string name, std::string path) {
        std::string text = kustomization;
        text.replace(text.find("NAME"), 4, name);
        return text.replace(text.find("PATH"), 4, path);
    };
    const std::string apps = w.dir.write("clusters/c/apps.yaml", named("apps", "./apps"));
    w.dir.write("clusters/c/flux-system.yaml", named("flux-system", "./clusters/c") + "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
                "metadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 1m, url: https://example.com/fleet.git, ref: {branch: main}}\n");
    const std::vector<std::vector<std::string>> commands = {
        {"build", "kustomization", "apps", "--path", w.dir / "apps", "--dry-run", "--kustomization-file", apps, "--age-key-file", w.key},
        {"reconcile", "--once", "--path", w.dir.path(), "--state", w.dir / "state", "--age-key-file", w.key},
        {"diff", "kustomization", "apps", "--path", w.dir / "apps", "--state", w.dir / "state", "--kustomization-file", apps, "--age-key-file", w.key}};
    for (const std::vector<std::string>& words : commands) {
        const Ran good = weber(words);
        EXPECT_EQ(good.status, 0) << good.out << good.err;
    }
    std::string changed = read_file(file);
    changed.replace(changed.find("name: a"), 7, "name: b");
    w.dir.write("apps/secret.yaml", changed);
    for (std::vector<std::string> words : commands) {
        const Ran refused = weber(words);
        EXPECT_NE(refused.status, 0) << words[0];
        EXPECT_NE((refused.out + refused.err).find("failed to verify sops data integrity: the MAC does not fit the values"), std::string::npos) << refused.out << refused.err;
        words.push_back("--sops-ignore-mac");
        const Ran as_flux = weber(words);
        EXPECT_EQ(as_flux.status, 0) << as_flux.err;
        EXPECT_EQ((refused.out + refused.err + as_flux.err).find("hunter2"), std::string::npos);
    }
}

} // namespace
} // namespace weber::agent_test
