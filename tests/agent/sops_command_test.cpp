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

} // namespace
} // namespace weber::agent_test
