// Artifacts: what we pack and unpack, what other tar programs make, and what must be refused.
#include "gitops/source/artifact.h"

#include "gitops/source/storage.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gitops/source/open.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops {
namespace {

std::string slurp(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

std::string run_tar(const testing::TempDir& dir, const std::string& arguments) {
    const std::string out = dir.path() + "/made.tar.gz";
    EXPECT_EQ(std::system(("cd " + dir.path() + " && tar -czf made.tar.gz " + arguments).c_str()), 0);
    return slurp(out);
}

TEST(Artifact, RoundTripIsByteStable) {
    const testing::TempDir dir;
    const std::string deep(60, 'd'), name(110, 'n');
    dir.write("a.yaml", "a: 1\n");
    dir.write("sub/" + deep + "/" + deep + "/b.yaml", std::string(1000, 'b'));
    dir.write("sub/" + name + ".yaml", "long: name\n");
    dir.write("empty.yaml", "");
    const auto tree = open_working_tree(dir.path());
    ASSERT_TRUE(tree.has_value());
    const std::string packed = pack_artifact(*tree).value();
    EXPECT_EQ(packed, pack_artifact(*tree).value());

    const auto back = unpack_artifact(packed, "main@sha1:1");
    ASSERT_TRUE(back.has_value()) << back.error().to_string();
    EXPECT_EQ(back->revision, "main@sha1:1");
    ASSERT_EQ(back->fs->files().size(), tree->fs->files().size());
    for (const auto& [path, file] : tree->fs->files()) EXPECT_EQ(back->fs->read("/source/" + path).value(), slurp(dir.path() + "/" + path)) << path;

    // The system's tar agrees.
    std::ofstream(dir.path() + "/ours.tar.gz", std::ios::binary) << packed;
    EXPECT_EQ(std::system(("cd " + dir.path() + " && mkdir out && tar -xzf ours.tar.gz -C out && cmp out/sub/" + name + ".yaml sub/" + name + ".yaml").c_str()), 0);
}

// sources.md 0.4: depth first, the names of each directory in byte order.
TEST(Artifact, IsInTheOrderOfAWalk) {
    const testing::TempDir dir;
    for (const char* file : {"a/x", "a/b/y", "a-b/z", "a.txt", "B/w"}) dir.write(std::string("in/") + file, "text\n");
    std::ofstream(dir.path() + "/ours.tar.gz", std::ios::binary) << pack_artifact(open_working_tree(dir.path() + "/in").value()).value();
    ASSERT_EQ(std::system(("cd " + dir.path() + " && tar -tzf ours.tar.gz | tr '\\n' ' ' > list").c_str()), 0);
    EXPECT_EQ(slurp(dir.path() + "/list"), ". B B/w a a/b a/b/y a/x a-b a-b/z a.txt ");
}

TEST(Artifact, ReadsWhatTarMakesAndSkipsLinks) {
    const testing::TempDir dir;
    const std::string name(180, 'x');
    dir.write("in/" + name, "long\n");
    dir.write("in/plain", "text\n");
    std::filesystem::create_symlink("/etc/passwd", dir.path() + "/in/link");
    for (const char* format : {"gnu", "pax", "ustar"}) {
        if (std::string_view(format) == "ustar") std::filesystem::remove(dir.path() + "/in/" + name);
        const auto got = unpack_artifact(run_tar(dir, std::string("--format=") + format + " -C in ."), "r");
        ASSERT_TRUE(got.has_value()) << format << ": " << got.error().to_string();
        EXPECT_EQ(got->fs->read("/source/plain").value(), "text\n");
        EXPECT_FALSE(got->fs->is_file("/source/link"));
        EXPECT_EQ(got->fs->is_file("/source/" + name), std::string_view(format) != "ustar");
    }
}

TEST(Artifact, RefusesWhatIsNoneOrWouldEscape) {
    EXPECT_EQ(unpack_artifact("no gzip", "r").error().code, ErrorCode::invalid);
    const testing::TempDir dir;
    dir.write("in/f", std::string(5000, 'f'));
    const std::string good = run_tar(dir, "-C in f");
    EXPECT_EQ(unpack_artifact(good.substr(0, good.size() / 2), "r").error().code, ErrorCode::invalid);
    EXPECT_EQ(unpack_artifact(good, "r", {.bytes = 1000}).error().code, ErrorCode::too_large);
    const auto escaping = unpack_artifact(run_tar(dir, "-P --transform 's,^,../,' -C in f"), "r");
    ASSERT_FALSE(escaping.has_value());
    EXPECT_EQ(escaping.error().message, "the artifact holds a path that leaves its root: '../f'");
}

TEST(Artifact, Digests) {
    EXPECT_TRUE(verify_artifact("abc", artifact_digest("abc")).has_value());
    EXPECT_TRUE(verify_artifact("abc", artifact_digest("abc").substr(7)).has_value());
    EXPECT_EQ(verify_artifact("abc", "").error().message, "failed to verify archive: empty digest");
    EXPECT_EQ(verify_artifact("abd", artifact_digest("abc")).error().message,
              "failed to verify archive: computed digest doesn't match provided '" + artifact_digest("abc") + "' (check whether file size exceeds max download size)");
    const Error unknown = verify_artifact("abc", "md5:900150983cd24fb0d6963f7d28e17f72").error();
    EXPECT_EQ(unknown.code, ErrorCode::unsupported);
    EXPECT_EQ(unknown.message, "failed to verify archive: failed to parse digest 'md5:900150983cd24fb0d6963f7d28e17f72': unsupported digest algorithm");
}

TEST(Artifact, DigestsByOtherAlgorithms) { // --artifact-digest-algo
    EXPECT_TRUE(artifact_digest("abc", "sha512").starts_with("sha512:ddaf35a193617aba"));
    EXPECT_TRUE(artifact_digest("abc", "sha384").starts_with("sha384:cb00753f45a35e8b"));
    for (const char* algorithm : {"sha256", "sha384", "sha512", "blake3"}) {
        EXPECT_TRUE(verify_artifact("abc", artifact_digest("abc", algorithm)).has_value()) << algorithm;
        EXPECT_FALSE(verify_artifact("abd", artifact_digest("abc", algorithm)).has_value()) << algorithm;
        const testing::TempDir dir;
        ArtifactStorage storage(dir.path(), "host", algorithm);
        const auto stored = storage.store("GitRepository", {"ns", "a"}, "x.tar.gz", "main@sha1:1", "abc", {});
        ASSERT_TRUE(stored.has_value());
        EXPECT_EQ(stored->digest, artifact_digest("abc", algorithm));
        EXPECT_EQ(ArtifactStorage(dir.path(), "host").check(*stored), ArtifactStorage::Check::good) << "whatever new ones get";
    }
}

// What github.com/zeebo/blake3 makes of the bytes 0, 1, … 250, 0, 1, …, as the algorithm's own vectors have them: lengths around those of blocks and chunks.
TEST(Artifact, DigestsByBlake3) {
    const std::pair<std::size_t, const char*> known[] = {
        {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
        {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
        {63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"},
        {64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"},
        {65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"},
        {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
        {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
        {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
        {2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"},
        {2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"},
        {3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"},
        {3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"},
        {4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"},
        {5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"},
        {31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
        {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
    };
    for (const auto& [length, hex] : known) {
        std::string bytes(length, '\0');
        for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i % 251);
        EXPECT_EQ(artifact_digest(bytes, "blake3"), std::string("blake3:") + hex) << length;
    }
}

} // namespace
} // namespace weber::gitops
