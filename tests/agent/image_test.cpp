// The OCI image layout that deploy/image/layout.py writes, and the program in its root file system.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "agent/cluster.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "tests/agent/run_binary.h"
#include "tests/support/peers.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
namespace stdfs = std::filesystem;

[[maybe_unused]] constexpr std::uintmax_t kLargest = 40'000'000; // bytes, packed

// As a container engine would: a namespace of its own, with devices (librnp wants random numbers), without being root.
std::string in_root(const std::string& root, const std::string& command) {
    const std::string unshare = geteuid() == 0 ? "unshare -m" : "unshare -rm";
    return unshare + " sh -c 'mount --rbind /dev " + root + "/dev && exec chroot " + root + " /weber \"$@\"' sh " + command;
}

class Image : public ::testing::Test {
protected:
    // Made once: packing takes seconds.
    static void SetUpTestSuite() {
        dir = new TempDir;
        ran = testing_run(std::string(WEBER_SOURCE_DIR) + "/deploy/image/layout.py " + WEBER_BINARY + " " + *dir / "layout v1");
    }
    static void TearDownTestSuite() {
        delete dir;
        dir = nullptr;
    }
    void SetUp() override { ASSERT_EQ(ran.status, 0) << ran.err; }

    static weber::testing::Ran testing_run(const std::string& command) { return weber::testing::run(command, dir->path(), {"PATH=" + std::string(std::getenv("PATH"))}); }

    // Content of a descriptor; its digest and size must be right.
    static std::string blob(const Node& descriptor) {
        const std::string digest(descriptor.text_at("digest"));
        EXPECT_THAT(digest, ::testing::StartsWith("sha256:"));
        const std::string content = read_file(*dir / ("layout/blobs/sha256/" + digest.substr(7)));
        EXPECT_EQ("sha256:" + kube::sha256_hex(content), digest);
        EXPECT_EQ(std::to_string(content.size()), descriptor.find("size")->text());
        return content;
    }
    static Node manifest() {
        const Node index = kube::read_json(read_file(*dir / "layout/index.json")).value();
        return kube::read_json(blob(index.find("manifests")->items().front())).value();
    }

    static TempDir* dir;
    static weber::testing::Ran ran;
};
TempDir* Image::dir = nullptr;
weber::testing::Ran Image::ran;

TEST_F(Image, TheLayoutIsValid) {
    EXPECT_EQ(kube::read_json(read_file(*dir / "layout/oci-layout")).value().text_at("imageLayoutVersion"), "1.0.0");
    const Node index = kube::read_json(read_file(*dir / "layout/index.json")).value();
    ASSERT_EQ(index.find("manifests")->size(), 1u);
    EXPECT_EQ(index.find("manifests")->items().front().find_path({"annotations", "org.opencontainers.image.ref.name"})->text(), "v1");
    const Node image = manifest();
    EXPECT_EQ(image.text_at("mediaType"), "application/vnd.oci.image.manifest.v1+json");
    const Node config = kube::read_json(blob(*image.find("config"))).value();
    EXPECT_EQ(config.text_at("os"), "linux");
    EXPECT_EQ(config.find_path({"config", "Entrypoint"})->items().front().text(), "/weber");
    EXPECT_EQ(config.find_path({"config", "Cmd"})->items().front().text(), "agent");
    EXPECT_EQ(config.find_path({"config", "User"})->text(), "65532:65532");
    ASSERT_EQ(image.find("layers")->size(), 1u);
    const Node& layer = image.find("layers")->items().front();
    const std::string packed = blob(layer);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // what is shipped is not sanitized
    EXPECT_LT(packed.size(), kLargest);
#endif
    // The digest of the unpacked layer.
    const auto unpacked = testing_run("gzip -dc " + *dir / ("layout/blobs/sha256/" + std::string(layer.text_at("digest")).substr(7)) + " | sha256sum");
    EXPECT_EQ("sha256:" + unpacked.out.substr(0, 64), config.find_path({"rootfs", "diff_ids"})->items().front().text());
}

TEST_F(Image, TheProgramRunsFromItsRoot) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitized program wants /proc";
#endif
    const std::string root = *dir / "root", digest(manifest().find("layers")->items().front().text_at("digest"));
    stdfs::create_directories(root);
    ASSERT_EQ(testing_run("tar -xzf " + *dir / ("layout/blobs/sha256/" + digest.substr(7)) + " --no-same-owner -C " + root).status, 0);
    stdfs::create_directories(root + "/dev");
    if (const auto first = testing_run(in_root(root, "version")); first.status != 0 && (first.err.find("unshare: ") != first.err.npos || first.err.find("mount: ") != first.err.npos))
        GTEST_SKIP() << "no namespaces of our own are allowed here: " << first.err;

    EXPECT_EQ(testing_run(in_root(root, "version")).out, "weber: v" WEBER_VERSION "\n");
    EXPECT_THAT(testing_run(in_root(root, "agent --help")).out, HasSubstr("--storage-path"));
    stdfs::copy(WEBER_SOURCE_DIR "/deploy/fleet", root + "/tmp/fleet", stdfs::copy_options::recursive);
    const auto built = testing_run(in_root(root, "kustomize /tmp/fleet/apps"));
    EXPECT_EQ(built.out, weber({"kustomize", WEBER_SOURCE_DIR "/deploy/fleet/apps"}).out) << built.err;

    // librnp is loaded with the first PGP key.
    for (const char* file : {"pgp-rsa-test-key.asc", "pgp-rsa.sops.yaml"}) stdfs::copy(std::string(WEBER_SOURCE_DIR "/tests/gitops/decrypt/data/") + file, root + "/tmp/" + file);
    const auto decrypted = testing_run(in_root(root, "sops decrypt --pgp-key-file /tmp/pgp-rsa-test-key.asc /tmp/pgp-rsa.sops.yaml"));
    EXPECT_EQ(decrypted.status, 0) << decrypted.err;

    // TLS to a server whose authority is in the root's bundle; without it, a refusal.
    kube::ServerOptions options;
    const auto server = kube::Server::start(std::move(options));
    ASSERT_TRUE(server);
    const std::string ask = "get ks --timeout 60s --server " + (*server)->url() + " --token " + (*server)->token();
    EXPECT_THAT(testing_run(in_root(root, ask)).err, HasSubstr("certificate"));
    testing_run("cat >> " + root + "/etc/ssl/certs/ca-certificates.crt <<'PEM'\n" + (*server)->ca_certificate() + "\nPEM");
    const auto asked = testing_run(in_root(root, ask));
    EXPECT_THAT(asked.err, ::testing::Not(HasSubstr("certificate"))) << "there are no such kinds, but it could ask";
    EXPECT_EQ(asked.status, 1);
}

} // namespace
} // namespace weber::agent_test
