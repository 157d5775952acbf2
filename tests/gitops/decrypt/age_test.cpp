// age files and keys: the vector of build.md 7, the real `age`, malformed input.
#include "gitops/decrypt/age.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "gitops/decrypt/age_file.h"
#include "gitops/decrypt/bech32.h"
#include "gitops/decrypt/crypto.h"
#include "tests/gitops/decrypt/vectors.h"
#include "tests/support/peers.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

using testing::peer;
using testing::run;

TEST(Age, Item49TheDataKeyOfTheVectorIsUnwrapped) {
    const auto identities = parse_age_identities(test::kAgeSecret);
    ASSERT_TRUE(identities) << identities.error().message;
    const auto key = age_decrypt(test::age_vector(), *identities);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->view(), test::data_key().view());
}

TEST(Age, KeysAreParsedLineByLine) {
    const std::string text = "# created\n\n" + std::string(test::kAgeSecret) + "\r\n" + std::string(test::kAgeSecret);
    EXPECT_EQ(parse_age_identities(text)->size(), 2u);
    EXPECT_EQ(parse_age_identities("AGE-SECRET-KEY-2XX").error().message, "unknown identity type");
    EXPECT_EQ(parse_age_identities("a passphrase").error().message, "unknown identity type");
    EXPECT_EQ(parse_age_identities("AGE-SECRET-KEY-PQ-1XX").error().code, ErrorCode::unsupported);
    EXPECT_EQ(parse_age_identities("AGE-PLUGIN-YUBIKEY-1XX").error().code, ErrorCode::unsupported);
    std::string wrong(test::kAgeSecret);
    wrong[30] = wrong[30] == 'Q' ? 'P' : 'Q';
    const auto out = parse_age_identities(wrong);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "malformed secret key: invalid checksum");
}

TEST(Age, RoundTrip) {
    const auto identity = make_age_identity();
    ASSERT_TRUE(identity);
    EXPECT_TRUE(identity->recipient.starts_with("age1"));
    EXPECT_TRUE(check_age_recipient(" " + identity->recipient + "\n"));
    const std::string file = age_encrypt("secret text", identity->recipient).value();
    std::vector<AgeIdentity> keys = parse_age_identities(age_identity_text(*identity)).value();
    EXPECT_EQ(keys[0].recipient, identity->recipient);
    EXPECT_EQ(age_decrypt(file, keys)->view(), "secret text");
    const auto other = parse_age_identities(test::kAgeSecret);
    EXPECT_EQ(age_decrypt(file, *other).error().message, "identity did not match any of the recipients: incorrect identity for recipient block");
    std::string twice(test::kAgeSecret);
    twice.append("\n").append(test::kAgeSecret);
    keys = parse_age_identities(twice).value();
    EXPECT_EQ(age_decrypt(file, keys).error().message, "no identity matched any of the recipients");
}

TEST(Age, EveryChangedByteIsNoticed) {
    const auto identity = make_age_identity();
    const std::string file = remove_armor(age_encrypt("secret", identity->recipient).value()).value();
    std::vector<AgeIdentity> keys = parse_age_identities(age_identity_text(*identity)).value();
    for (std::size_t i = 0; i < file.size(); ++i) {
        std::string changed = file;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(age_decrypt(changed, keys)) << i;
        EXPECT_FALSE(age_decrypt(file.substr(0, i), keys)) << i;
    }
}

TEST(Age, RecipientsThatAreNone) {
    for (const char* recipient : {"", "age1", "ssh-ed25519 AAAA", "AGE1XX", "age1zoec"}) EXPECT_FALSE(age_encrypt("x", recipient)) << recipient;
}

TEST(AgeDifferential, TheRealAgeReadsOursAndWeReadItsFiles) {
    const auto age = peer("age"), keygen = peer("age-keygen");
    if (!age || !keygen) GTEST_SKIP() << "run tests/cluster/tools.sh age age-keygen";
    const testing::TempDir dir;
    const std::string key = run(*keygen + " 2>/dev/null", dir.path()).out;
    const auto identities = parse_age_identities(key);
    ASSERT_TRUE(identities) << identities.error().message;
    const std::string recipient = identities->front().recipient;
    EXPECT_NE(key.find(recipient), std::string::npos);
    const std::string key_file = dir.write("key", key);
    for (const std::size_t size : {0u, 1u, 32u, 65536u}) {
        const std::string text(size, 'x');
        const std::string ours = dir.write("ours", age_encrypt(text, recipient).value());
        EXPECT_EQ(run(*age + " -d -i " + key_file + " " + ours, dir.path()).out, text);
    }
    for (const std::size_t size : {0u, 1u, 32u, 65535u, 65536u, 65537u, 200000u})
        for (const char* armor : {"", " -a"}) {
            const std::string text(size, 'y');
            const std::string plain = dir.write("plain", text);
            const auto out = age_decrypt(run(*age + armor + " -r " + recipient + " " + plain, dir.path()).out, *identities);
            ASSERT_TRUE(out) << size << out.error().message;
            EXPECT_EQ(out->view(), text);
        }
}

TEST(Crypto, KnownAnswers) {
    // RFC 7748, 6.1
    const X25519Key alice = X25519Key::from(SecretBytes::copy_of(test::unhex("77076d0a7318a57d3c16c17251b26645df4c1d6c1e6bd8c4e1d4a9c7b2f1f2a0"))).value();
    const X25519Key bob = X25519Key::from(SecretBytes::copy_of(test::unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))).value();
    EXPECT_EQ(bob.point(), test::unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    EXPECT_EQ(alice.shared_with(bob.point())->view(), bob.shared_with(alice.point())->view());
    // RFC 5869, case 1 is not 32 bytes long; HMAC, RFC 4231 case 2:
    EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?").view(), test::unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    EXPECT_FALSE(alice.shared_with(std::string(32, '\0'))); // a point of low order
    EXPECT_FALSE(alice.shared_with("short"));
    EXPECT_EQ(alice.shared_with(bob.point())->view(), bob.shared_with(alice.point())->view()) << "nothing of the failures stays";
}

// As age has it: a file for a passphrase and for somebody else is none.
TEST(Age, APassphraseIsTheOnlyRecipient) {
    const std::string stanza = "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" + std::string(43, 'A') + "\n", other = "-> X25519 " + std::string(43, 'A') + "\n" + std::string(43, 'A') + "\n";
    const std::string end = "--- " + std::string(43, 'A') + "\n" + std::string(32, 'x');
    const auto identities = parse_age_identities(test::kAgeSecret).value();
    EXPECT_EQ(age_decrypt("age-encryption.org/v1\n" + stanza + other + end, identities).error().message, "an scrypt recipient must be the only one");
    EXPECT_EQ(age_decrypt("age-encryption.org/v1\n" + stanza + end, identities).error().message, "identity did not match any of the recipients: incorrect identity for recipient block");
}

TEST(SecretBytes, AreWipedAndMoved) {
    SecretBytes a = SecretBytes::copy_of("hunter2");
    const unsigned char* memory = a.data();
    SecretBytes b = std::move(a);
    EXPECT_TRUE(a.empty()); // NOLINT: moved from on purpose
    EXPECT_EQ(b.view(), "hunter2");
    b = SecretBytes();
    SecretBytes next(7); // takes the slot that was given back last
    EXPECT_EQ(next.data(), memory);
    EXPECT_EQ(next.view(), std::string_view("\0\0\0\0\0\0\0", 7));
    SecretBytes large(100'000);
    EXPECT_EQ(large.size(), 100'000u);
}

// Threads keep a few slots; what they kept is there for others when they end, also when a buffer goes on elsewhere.
TEST(SecretBytes, ThreadsThatEndKeepNoSlots) {
    std::set<const unsigned char*> seen;
    for (int i = 0; i < 100; ++i) {
        SecretBytes outlives;
        std::thread([&] {
            std::vector<SecretBytes> some;
            for (int k = 0; k < 20; ++k) seen.insert(some.emplace_back(32).data());
            outlives = SecretBytes::copy_of("hunter2");
        }).join();
        EXPECT_EQ(outlives.view(), "hunter2");
    }
    EXPECT_LE(seen.size(), 100u);
}

} // namespace
} // namespace weber::gitops
