// What may be read: confinement, links, cycles, and that nothing is read or parsed twice.
#include "kustomize/loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

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

// The directory that a build starts from gives its files away to be changed in place: the one place that lists a file twice gets it whole both times.
TEST(Loader, AFileListedAtTheTopAndBelowIsWholeBothTimes) {
    MemoryFileSystem memory;
    memory.write("/top/kustomization.yaml", "resources: [base/cm.yaml, base]\nnamePrefix: p-\n");
    memory.write("/top/base/kustomization.yaml", "resources: [cm.yaml]\nnameSuffix: -b\n");
    memory.write("/top/base/cm.yaml", kConfigMap);
    const auto output = build(memory, "/top");
    ASSERT_TRUE(output) << output.error().to_string();
    ASSERT_EQ(output->resources.size(), 2u);
    EXPECT_EQ(output->resources.all()[0]->name(), "p-a");
    EXPECT_EQ(output->resources.all()[1]->name(), "p-a-b");
    EXPECT_EQ(output->files_read, (std::vector<std::string>{"/top/kustomization.yaml", "/top/base/cm.yaml", "/top/base/kustomization.yaml"}));
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

// Counts the reads of each file, and holds whoever reads `meeting` until all builders have come for it.
class MeetingFileSystem final : public FileSystem {
public:
    MeetingFileSystem(const FileSystem& inner, std::string meeting, std::size_t builders)
        : inner_(inner), meeting_(std::move(meeting)), builders_(builders) {}
    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override { return inner_.resolve(path); }
    [[nodiscard]] bool is_dir(std::string_view path) const override { return inner_.is_dir(path); }
    [[nodiscard]] bool is_file(std::string_view path) const override { return inner_.is_file(path); }
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override { return inner_.list(dir); }
    [[nodiscard]] std::string identity(std::string_view path) const override {
        std::lock_guard lock(mutex_);
        if (path == meeting_) arrived_.insert(std::this_thread::get_id());
        all_here_.notify_all();
        return "unchanged";
    }
    [[nodiscard]] Result<std::string> read(std::string_view path) const override {
        std::unique_lock lock(mutex_);
        ++reads[std::string(path)];
        if (path == meeting_ && !all_here_.wait_for(lock, std::chrono::seconds(120), [&] { return arrived_.size() == builders_; }))
            return fail(ErrorCode::timeout, "some builders never came");
        return inner_.read(path);
    }
    mutable std::map<std::string, int> reads;

private:
    const FileSystem& inner_;
    std::string meeting_;
    std::size_t builders_;
    mutable std::mutex mutex_;
    mutable std::condition_variable all_here_;
    mutable std::set<std::thread::id> arrived_;
};

TEST(ParseCache, BuildsAtTheSameTimeReadACommonBaseOnce) {
    constexpr std::size_t kBuilders = 4;
    MemoryFileSystem memory;
    memory.write("/base/kustomization.yaml", "resources: [cm.yaml]\npatches: [{path: patch.yaml}]\nconfigMapGenerator: [{name: g, files: [f.txt]}]\n");
    memory.write("/base/cm.yaml", kConfigMap);
    memory.write("/base/patch.yaml", std::string(kConfigMap) + "data: {patched: x}\n");
    memory.write("/base/f.txt", "text");
    for (std::size_t i = 0; i < kBuilders; ++i)
        memory.write("/" + std::to_string(i) + "/kustomization.yaml", "namePrefix: n" + std::to_string(i) + "-\nresources: [../base]\n");

    const MeetingFileSystem fs(memory, "/base/cm.yaml", kBuilders);
    ParseCache cache;
    std::vector<std::string> built(kBuilders);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kBuilders; ++i) {
        threads.emplace_back([&, i] {
            const auto output = build(fs, "/" + std::to_string(i), {.cache = &cache});
            built[i] = output ? to_yaml(output->resources) : output.error().to_string();
        });
    }
    for (std::thread& thread : threads) thread.join();

    for (std::size_t i = 0; i < kBuilders; ++i) {
        const auto alone = build(memory, "/" + std::to_string(i));
        ASSERT_TRUE(alone) << alone.error().to_string();
        EXPECT_EQ(built[i], to_yaml(alone->resources));
    }
    for (std::string_view file : {"kustomization.yaml", "cm.yaml", "patch.yaml", "f.txt"}) EXPECT_EQ(fs.reads["/base/" + std::string(file)], 1) << file;
}

Result<SharedFile> file_of(std::size_t bytes, Oddities oddities = {}) {
    return SharedFile{.documents = std::make_shared<const std::vector<Node>>(), .text = nullptr, .oddities = oddities, .bytes = bytes};
}

TEST(ParseCache, StaysWithinItsSize) {
    ParseCache cache(100);
    int made = 0;
    const auto get = [&](const std::string& key, std::size_t bytes, Oddities oddities = {}) {
        return cache.get(key, [&] { return ++made, file_of(bytes, oddities); });
    };
    ASSERT_TRUE(get("a", 60));
    ASSERT_TRUE(get("b", 60, {.dates = true})); // pushes a out
    ASSERT_TRUE(get("huge", 101));
    EXPECT_EQ(made, 3);
    const auto known = get("b", 0);
    EXPECT_EQ(made, 3);
    EXPECT_TRUE(known->oddities.dates);
    EXPECT_FALSE(known->oddities.infinities);
    ASSERT_TRUE(get("huge", 101)); // never kept
    ASSERT_TRUE(get("a", 60));
    EXPECT_EQ(made, 5);
}

TEST(ParseCache, AFailureIsNotKept) {
    ParseCache cache;
    EXPECT_FALSE(cache.get("a", [] { return Result<SharedFile>(fail(ErrorCode::not_found, "gone")); }));
    EXPECT_TRUE(cache.get("a", [] { return file_of(1); }));
}

} // namespace
} // namespace weber::kustomize
