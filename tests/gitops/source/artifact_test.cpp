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
    EXPECT_EQ(verify_artifact("abc", "blake3:00").error().code, ErrorCode::unsupported);
}

TEST(Artifact, DigestsByOtherAlgorithms) { // --artifact-digest-algo
    EXPECT_TRUE(artifact_digest("abc", "sha512").starts_with("sha512:ddaf35a193617aba"));
    EXPECT_TRUE(artifact_digest("abc", "sha384").starts_with("sha384:cb00753f45a35e8b"));
    for (const char* algorithm : {"sha256", "sha384", "sha512"}) {
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

} // namespace
} // namespace weber::gitops
