// Whole builds compared with what kustomize v5.8.1 printed for them (golden/record.sh). One directory a case: in/,
// expected.yaml, and `target` when the build starts below in/.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kustomize/build.h"

namespace weber::kustomize {
namespace {

namespace stdfs = std::filesystem;

std::string read_file(const stdfs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    for (const auto& entry : stdfs::directory_iterator(stdfs::path(WEBER_SOURCE_DIR) / "tests/kustomize/golden"))
        if (entry.is_directory()) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, PrintsWhatKustomizePrints) {
    const stdfs::path dir = stdfs::path(WEBER_SOURCE_DIR) / "tests/kustomize/golden" / GetParam();
    std::string target = (dir / "in").string();
    if (stdfs::exists(dir / "target")) {
        std::string below = read_file(dir / "target");
        target += "/" + below.substr(0, below.find('\n'));
    }
    DiskFileSystem fs;
    auto output = build(fs, target, {.reorder = Reorder::legacy});
    ASSERT_TRUE(output) << output.error().to_string();
    EXPECT_EQ(to_yaml(output->resources), read_file(dir / "expected.yaml"));
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(cases()), [](const auto& info) {
    std::string name = info.param;
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

} // namespace
} // namespace weber::kustomize
