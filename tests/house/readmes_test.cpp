// Each folder that holds code says in a README what lives there.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace {

namespace stdfs = std::filesystem;

bool is_code(const stdfs::path& file) {
    static constexpr std::array<std::string_view, 7> kEndings = {".cpp", ".h", ".inc", ".py", ".sh", ".cmake", ".go"};
    return std::ranges::find(kEndings, file.extension().string()) != kEndings.end();
}

// Folders whose contents are described by the README above them, and those of a user's repository, which is laid out as the user has it.
bool described_above(const std::string& folder) {
    static constexpr std::array<std::string_view, 3> kInside = {"tests/cluster/tools", "deploy/fleet", "deploy/install/crds"};
    return std::ranges::any_of(kInside, [&](std::string_view inside) { return folder.starts_with(inside); });
}

TEST(Readmes, StandInEachFolderOfCode) {
    const stdfs::path root = WEBER_SOURCE_DIR;
    std::set<std::string> folders;
    for (const char* top : {"agent", "bench", "cmake", "deploy", "docs", "gitops", "kube", "kustomize", "tests"}) {
        folders.insert(top);
        for (const auto& entry : stdfs::recursive_directory_iterator(root / top)) {
            if (entry.is_regular_file() && is_code(entry.path())) folders.insert(entry.path().parent_path().lexically_relative(root).string());
        }
    }
    ASSERT_GT(folders.size(), 30U);
    for (const std::string& folder : folders) {
        if (described_above(folder)) continue;
        const stdfs::path readme = root / folder / "README.md";
        EXPECT_TRUE(stdfs::exists(readme)) << folder << " holds code and no README.md";
        if (stdfs::exists(readme)) EXPECT_GT(stdfs::file_size(readme), 60U) << readme;
    }
}

} // namespace
