// What a build remembers of its files is what the disk says.
#include "kustomize/seen_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace weber::kustomize {
namespace {

namespace stdfs = std::filesystem;

class Tree {
public:
    Tree() : path_(stdfs::canonical(stdfs::temp_directory_path()) / ("weber-seen-" + std::to_string(::getpid()))) {
        stdfs::remove_all(path_);
        stdfs::create_directories(path_ / "real/below");
        stdfs::create_directories(path_ / "outside");
        std::ofstream(path_ / "real/below/file.yaml") << "a: 1\n";
        std::ofstream(path_ / "outside/secret.yaml") << "b: 1\n";
        stdfs::create_directory_symlink("real", path_ / "linked");
        stdfs::create_symlink("../../outside/secret.yaml", path_ / "real/below/leads-out.yaml");
        stdfs::create_directory_symlink("../../outside", path_ / "real/below/dir-out");
        stdfs::create_symlink("nowhere", path_ / "real/dangling");
        stdfs::create_symlink("loop", path_ / "real/loop");
    }
    ~Tree() { stdfs::remove_all(path_); }
    [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }

private:
    stdfs::path path_;
};

// Counts the looks that reach the disk.
class Counting final : public FileSystem {
public:
    [[nodiscard]] Result<std::string> resolve(std::string_view path) const override { return ++looks, disk_.resolve(path); }
    [[nodiscard]] bool is_dir(std::string_view path) const override { return ++looks, disk_.is_dir(path); }
    [[nodiscard]] bool is_file(std::string_view path) const override { return ++looks, disk_.is_file(path); }
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view dir) const override { return disk_.list(dir); }
    [[nodiscard]] Result<std::string> read(std::string_view path) const override { return disk_.read(path); }
    [[nodiscard]] std::string identity(std::string_view path) const override { return disk_.identity(path); }
    [[nodiscard]] FileEntry entry(std::string_view path) const override { return ++looks, disk_.entry(path); }
    mutable int looks = 0;

private:
    DiskFileSystem disk_;
};

TEST(SeenFiles, SaysWhatTheDiskSays) {
    const Tree tree;
    const DiskFileSystem disk;
    const SeenFiles seen(disk);
    const char* names[] = {"real",        "real/below",         "real/below/file.yaml",   "real/missing",           "real/below/file.yaml/x", "linked",       "linked/below",
                           "linked/below/file.yaml", "real/below/leads-out.yaml", "real/below/dir-out", "real/below/dir-out/secret.yaml", "real/dangling", "real/loop", "real/loop/x",
                           "real/../outside", "linked/../outside/secret.yaml", "real//below", "real/below/", "real/./below", "linked/missing", "real/.hidden"};
    for (int round = 0; round < 2; ++round) { // the second from memory
        for (const std::string name : names) {
            const std::string path = tree.at("") + name;
            EXPECT_EQ(seen.is_dir(path), disk.is_dir(path)) << name;
            EXPECT_EQ(seen.is_file(path), disk.is_file(path)) << name;
            const auto expected = disk.resolve(path), found = seen.resolve(path);
            ASSERT_EQ(found.has_value(), expected.has_value()) << name;
            if (expected) EXPECT_EQ(*found, *expected) << name;
            else EXPECT_EQ(found.error().message, expected.error().message) << name;
        }
    }
    for (const std::string& path : {std::string("/"), std::string(), std::string("."), std::string(1 << 20, '/'), "/" + std::string(5000, 'a') + "/b"}) {
        EXPECT_EQ(seen.is_dir(path), disk.is_dir(path));
        EXPECT_EQ(seen.resolve(path).has_value(), disk.resolve(path).has_value());
    }
}

TEST(SeenFiles, AsksOnce) {
    const Tree tree;
    const Counting disk;
    const SeenFiles seen(disk);
    const auto look = [&] {
        EXPECT_TRUE(seen.is_dir(tree.at("real/below")));
        EXPECT_EQ(seen.resolve(tree.at("real/below/file.yaml")).value(), tree.at("real/below/file.yaml"));
        EXPECT_TRUE(seen.is_file(tree.at("real/below/file.yaml")));
        EXPECT_FALSE(seen.is_file(tree.at("real/below/missing")));
    };
    look();
    const int once = disk.looks;
    look();
    EXPECT_EQ(disk.looks, once);
}

} // namespace
} // namespace weber::kustomize
