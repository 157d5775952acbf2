// OpenPGP: files written by the real sops with gpg (2.2.40), kept in data/ with keys made for these tests; and gpg reads ours.
#include "gitops/decrypt/pgp.h"

#include <gtest/gtest.h>
#include <test_paths.h>

#include "gitops/decrypt/file.h"
#include "tests/support/peers.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

struct Key {
    const char* name;
    const char* fingerprint;
};
constexpr Key kKeys[] = {{"rsa", "838F4A7C7E324EF99745FAA4C0BDD49644C4663C"}, {"ecc", "D0C77C8EA4A44361818A6BCE0162AA625AB66DFF"},
                           {"p256", "934A9067BB8D95503C349A13D9E1131D64D523DF"}};

std::string data(const std::string& name) { return testing::read_file(std::string(WEBER_SOURCE_DIR) + "/tests/gitops/decrypt/data/" + name); }

KeyRing ring_of(const Key& key) {
    KeyRing ring;
    EXPECT_TRUE(ring.pgp.import(data(std::string("pgp-") + key.name + "-test-key.asc")));
    return ring;
}

class Pgp : public ::testing::TestWithParam<Key> {};

TEST_P(Pgp, FilesOfSopsAndGpgAreDecrypted) {
    const auto out = sops::decrypt_file(data(std::string("pgp-") + GetParam().name + ".sops.yaml"), sops::Format::yaml, sops::Format::yaml, ring_of(GetParam()));
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(*out, "a: secret\nb: 5\n");
}

TEST_P(Pgp, OursAreReadByUsAndByGpg) {
    const KeyRing ring = ring_of(GetParam());
    const sops::Metadata settings{.groups = {{{.provider = sops::Provider::pgp, .name = GetParam().fingerprint}}}};
    const auto file = sops::encrypt_file("a: secret\n", sops::Format::yaml, settings, ring, "2024-05-06T07:08:09Z");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(sops::decrypt_file(*file, sops::Format::yaml, sops::Format::yaml, ring).value(), "a: secret\n");

    const auto peer = testing::peer("sops");
    if (!peer || testing::run("command -v gpg", "/").status != 0) GTEST_SKIP() << "run tests/cluster/tools.sh sops, install gnupg";
    const testing::TempDir dir;
    const std::string key = dir.write("key.asc", data(std::string("pgp-") + GetParam().name + "-test-key.asc"));
    const std::string path = dir.write("f.yaml", *file);
    const auto out = testing::run("chmod 700 . ; gpg --batch --quiet --import " + key + " && " + *peer + " -d " + path + "; status=$?; gpgconf --kill gpg-agent; exit $status", dir.path(),
                                  {"GNUPGHOME=" + dir.path()});
    EXPECT_EQ(out.out, "a: secret\n") << out.err;
}

INSTANTIATE_TEST_SUITE_P(All, Pgp, ::testing::ValuesIn(kKeys), [](const auto& info) { return std::string(info.param.name); });

TEST(PgpErrors, SayWhatIsMissing) {
    ::testing::internal::CaptureStderr(); // librnp's own notes are kept from it
    const std::string file = data("pgp-rsa.sops.yaml");
    const auto none = sops::decrypt_file(file, sops::Format::yaml, sops::Format::yaml, {});
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("could not decrypt data key with PGP key"), std::string::npos) << none.error().message;
    EXPECT_FALSE(sops::decrypt_file(file, sops::Format::yaml, sops::Format::yaml, ring_of(kKeys[1])));
    EXPECT_EQ(ring_of(kKeys[0]).pgp.encrypt("x", "0000000000000000000000000000000000000000").error().code, ErrorCode::not_found);
    EXPECT_FALSE(PgpKeys().import("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\ngarbage\n-----END PGP PRIVATE KEY BLOCK-----\n"));
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(PgpErrors, KeysWithAPassphraseAreRefused) {
    KeyRing ring;
    ASSERT_TRUE(ring.pgp.import(data("pgp-passphrase-test-key.asc")));
    const auto out = sops::decrypt_file(data("pgp-passphrase.sops.yaml"), sops::Format::yaml, sops::Format::yaml, ring);
    ASSERT_FALSE(out);
    EXPECT_NE(out.error().message.find("could not decrypt data key with PGP key: it has a passphrase"), std::string::npos) << out.error().message;
}

TEST(PgpErrors, Item60AnotherKeyListMayFit) {
    KeyRing both = ring_of(kKeys[0]);
    AgeIdentity lost = make_age_identity().value();
    const sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = lost.recipient}, {.provider = sops::Provider::pgp, .name = kKeys[0].fingerprint}}}};
    const std::string file = sops::encrypt_file("a: secret\n", sops::Format::yaml, settings, both, "2024-05-06T07:08:09Z").value();
    both.age.push_back(make_age_identity().value());
    EXPECT_EQ(sops::decrypt_file(file, sops::Format::yaml, sops::Format::yaml, both).value(), "a: secret\n");
}

} // namespace
} // namespace weber::gitops
