// `weber sops` as a user sees it, and `reconcile --once` of a fleet with an encrypted Secret and variables.
#include <gtest/gtest.h>
#include <sys/stat.h>

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
