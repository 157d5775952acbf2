// What may be read: confinement, links, cycles, and that nothing is read or parsed twice.
#include "kustomize/loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "tests/kustomize/harness.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

// Counts reads of another file system and can tell identities.
class CountingFileSystem final : public FileSystem {
public:
    explicit CountingFileSystem(const FileSystem& inner) : inner_(inner) {}
    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override { return inner_.resolve(path); }
    [[nodiscard]] bool is_dir(std::string_view path) const override { return inner_.is_dir(path); }
    [[nodiscard]] bool is_file(std::string_view path) const override { return inner_.is_file(path); }
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override { return inner_.list(dir); }
    [[nodiscard]] Result<std::string> read(std::string_view path) const override {
        ++reads;
        return inner_.read(path);
    }
    [[nodiscard]] std::string identity(std::string_view path) const override { return "blob of " + std::string(path); }
    mutable std::atomic<int> reads = 0;

private:
    const FileSystem& inner_;
};

class TempDir {
public:
    TempDir() : path_(std::filesystem::temp_directory_path() / ("weber-loader-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~TempDir() { std::filesystem::remove_all(path_); }
    void write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
    }
    [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

TEST(Loader, FilesOutsideTheRootAreRefusedUnlessAllowed) {
    Harness h;
    h.write_k("/app", "resources: [../other/cm.yaml]\n");
    h.write("/other/cm.yaml", kConfigMap);
    h.expect_error("/app", "security; file '/other/cm.yaml' is not in or below '/app'");
    h.options.load_restrictions = LoadRestrictions::none;
    h.expect_yaml("/app", kConfigMap);
}

TEST(Loader, LinksCannotLeaveTheRoot) {
    TempDir dir;
    dir.write("outside/cm.yaml", kConfigMap);
    dir.write("app/kustomization.yaml", "resources: [link.yaml]\n");
    std::filesystem::create_symlink(dir.at("outside/cm.yaml"), dir.at("app/link.yaml"));
    DiskFileSystem fs;
    auto output = build(fs, dir.at("app"));
    ASSERT_FALSE(output);
    EXPECT_NE(output.error().message.find("security; file"), std::string::npos) << output.error().message;
    EXPECT_EQ(output.error().code, ErrorCode::forbidden);
}

TEST(Loader, LinksWithinTheRootAreFollowed) {
    TempDir dir;
    dir.write("app/real.yaml", kConfigMap);
    dir.write("app/kustomization.yaml", "resources: [link.yaml]\n");
    std::filesystem::create_symlink("real.yaml", dir.at("app/link.yaml"));
    DiskFileSystem fs;
    auto output = build(fs, dir.at("app"));
    ASSERT_TRUE(output) << output.error().to_string();
    EXPECT_EQ(to_yaml(output->resources), kConfigMap);
}

TEST(Loader, CyclesAreSeen) {
    Harness h;
    h.write_k("/a", "resources: [../b]\n");
    h.write_k("/b", "resources: [../a]\n");
    h.expect_error("/a", "cycle detected: candidate root '/a' contains visited root '/a'");
    h.write_k("/c/d", "resources: [..]\n");
    h.write_k("/c", "resources: [d]\n");
    h.expect_error("/c", "cycle detected");
    h.write_k("/self", "resources: [.]\n");
    h.expect_error("/self", "cycle detected");
}

TEST(Loader, ErrorsNameFileAndLine) {
    struct Case {
        std::string_view name, kustomization, message;
    };
    for (const Case& c : {Case{"missing", "resources:\n- nope.yaml\n", "/app/kustomization.yaml:4: accumulating resources: "},
                          Case{"absolute", "resources:\n- /etc\n", "new root '/etc' cannot be absolute"},
                          Case{"remote", "resources:\n- https://example.com/x.yaml\n", "remote file 'https://example.com/x.yaml' is not fetched: remote bases are off (copy it into the source"},
                          Case{"git", "resources:\n- github.com/a/b?ref=v1\n", "remote resource 'github.com/a/b?ref=v1' is not fetched: remote bases are off"},
                          Case{"helm", "helmCharts:\n- name: x\n", "/app/kustomization.yaml:4: helmCharts are not inflated"},
                          Case{"component", "components:\n- nope\n", "must build at directory: not a valid directory"}}) {
        Harness h;
        h.write_k("/app", c.kustomization);
        SCOPED_TRACE(c.name);
        h.expect_error("/app", c.message);
    }
}

TEST(Loader, AFileIsReadOnceInABuild) {
    MemoryFileSystem memory;
    memory.write("/base/kustomization.yaml", "resources: [cm.yaml]\n");
    memory.write("/base/cm.yaml", kConfigMap);
    for (std::string_view side : {"left", "right"})
        memory.write("/" + std::string(side) + "/kustomization.yaml", "namePrefix: " + std::string(side) + "-\nresources: [../base]\n");
    memory.write("/top/kustomization.yaml", "resources: [../left, ../right]\n");
    CountingFileSystem fs(memory);
    auto output = build(fs, "/top");
    ASSERT_TRUE(output) << output.error().to_string();
    EXPECT_EQ(output->resources.size(), 2u);
    EXPECT_EQ(fs.reads, 5); // four kustomizations and one manifest
    EXPECT_EQ(output->files_read.size(), 5u);
}

TEST(Loader, ASecondBuildWithTheSameCacheReadsNothing) {
    MemoryFileSystem memory;
    memory.write("/app/kustomization.yaml", "resources: [cm.yaml]\n");
    memory.write("/app/cm.yaml", kConfigMap);
    CountingFileSystem fs(memory);
    ParseCache cache;
    BuildOptions options{.cache = &cache};
    ASSERT_TRUE(build(fs, "/app", options));
    int first = fs.reads;
    auto again = build(fs, "/app", options);
    ASSERT_TRUE(again);
    EXPECT_EQ(fs.reads, first);
    EXPECT_EQ(to_yaml(again->resources), kConfigMap);
    EXPECT_EQ(again->files_read.size(), 2u);
}

TEST(ParseCache, StaysWithinItsSize) {
    ParseCache cache(100);
    auto documents = std::make_shared<const std::vector<Node>>();
    Oddities oddities;
    cache.put("a", documents, {}, 60);
    cache.put("b", documents, {.dates = true}, 60); // pushes a out
    cache.put("huge", documents, {}, 101);
    EXPECT_EQ(cache.find("a", oddities), nullptr);
    EXPECT_EQ(cache.find("huge", oddities), nullptr);
    EXPECT_EQ(cache.find("b", oddities), documents);
    EXPECT_TRUE(oddities.dates);
    EXPECT_FALSE(oddities.infinities);
}

} // namespace
} // namespace weber::kustomize
