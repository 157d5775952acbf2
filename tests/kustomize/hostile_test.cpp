// Trees that mean harm end in clear errors, in bounded time and memory: one test a cap.
#include "tests/kustomize/harness.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace weber::kustomize {
namespace {

const std::string kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";

void expect_refused(std::string_view manifest, std::string_view part) {
    Harness h;
    h.write("/app/m.yaml", manifest);
    h.write_k("/app", "resources:\n- m.yaml\n");
    h.expect_error("/app", part);
}

TEST(Hostile, AliasesThatMultiply) {
    std::string bomb = kConfigMap + "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 30; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int k = 0; k < 8; ++k) bomb += ", " + before;
        bomb += "]\n";
    }
    expect_refused(bomb, "/app/m.yaml:9: accumulating resources: accumulating resources from 'm.yaml': YAML has aliases that stand for more than");
}

TEST(Hostile, Depth) {
    expect_refused(kConfigMap + "deep: " + std::string(200'000, '['), "nested levels");
    expect_refused(kConfigMap + "deep: " + std::string(100'000, '[') + std::string(100'000, ']') + "\n", "/app/m.yaml:4: accumulating resources: accumulating resources from 'm.yaml': YAML has more than 512 nested levels");
}

TEST(Hostile, BinaryJunk) {
    std::string junk;
    for (int i = 0; i < 4096; ++i) junk += static_cast<char>((i * 7919) % 251);
    expect_refused(junk, "/app/m.yaml");
    expect_refused(kConfigMap + std::string("x: \xff\xfe\x00\x01\n", 8), "/app/m.yaml");
}

TEST(Hostile, Size) {
    const auto dir = std::filesystem::temp_directory_path() / ("weber-hostile-" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir);
    std::ofstream(dir / "kustomization.yaml") << "resources: [m.yaml]\n";
    std::ofstream(dir / "m.yaml") << kConfigMap << "# " << std::string(2000, 'x') << "\n";
    const auto output = build(DiskFileSystem(1000), dir.string());
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ErrorCode::too_large);
    EXPECT_NE(output.error().to_string().find("more than 1000"), std::string::npos) << output.error().to_string();
    std::filesystem::remove_all(dir);
}

TEST(Hostile, Counts) {
    Harness h;
    h.write("/base/m.yaml", kConfigMap);
    h.write_k("/base", "resources: [m.yaml]\n");
    h.write("/app/m.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
    h.write_k("/app", "resources: [m.yaml, ../base]\n");
    h.options.max_objects = 1;
    h.expect_error("/app", "more than 1 objects");
    h.options.max_objects = 10;
    h.options.max_directories = 0;
    h.expect_error("/app", "more than 0 directories");
    h.options.max_directories = 10;
    h.options.max_documents = 4; // two kustomizations and two objects: the third is one too many
    h.expect_error("/app", "/base/m.yaml");
    h.expect_error("/app", "more than 0 documents");
    h.options.max_documents = 5;
    EXPECT_TRUE(h.build("/app"));
}

// Documents that are no objects count as well, before they are made.
TEST(Hostile, EmptyDocuments) {
    Harness h;
    std::string empties;
    for (int i = 0; i < 1000; ++i) empties += "---\n# nothing\n";
    h.write("/app/m.yaml", empties + kConfigMap);
    h.write_k("/app", "resources: [m.yaml]\n");
    ASSERT_TRUE(h.build("/app"));
    h.options.max_documents = 100;
    h.expect_error("/app", "/app/m.yaml");
    h.expect_error("/app", "more than 99 documents");
}

// RE2 takes linear time, whatever the expression; what it cannot compile is an error.
TEST(Hostile, RegularExpressions) {
    Harness h;
    h.write("/app/m.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + std::string(60, 'a') + "}\n");
    const auto began = std::chrono::steady_clock::now();
    h.write_k("/app", "resources: [m.yaml]\npatches:\n- target: {name: '(a+)+$x|(a|aa)+b'}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data\"}]'\n");
    ASSERT_TRUE(h.build("/app"));
    h.write_k("/app", "resources: [m.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {name: '(a*)*(a*)*(a*)*b'}\n    fieldPaths: [data.x]\n");
    ASSERT_TRUE(h.build("/app"));
    h.write_k("/app", "resources: [m.yaml]\nimages: [{name: '(a+)+(a+)+b', newTag: x}]\n");
    ASSERT_TRUE(h.build("/app"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
    h.write_k("/app", "resources: [m.yaml]\npatches:\n- target: {name: '((a{1,1000}){1,1000}){1,1000}'}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data\"}]'\n");
    h.expect_error("/app", "/app/kustomization.yaml:5");
}

TEST(Hostile, LinksOutOfTheRoot) {
    const auto dir = std::filesystem::temp_directory_path() / ("weber-links-" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir / "app");
    std::ofstream(dir / "secret.yaml") << kConfigMap;
    for (const char* entry : {"link.yaml", "../secret.yaml", "sub/../../secret.yaml"}) {
        std::ofstream(dir / "app/kustomization.yaml") << "resources:\n- " << entry << "\n";
        std::error_code ignored;
        std::filesystem::create_symlink(dir / "secret.yaml", dir / "app/link.yaml", ignored);
        const auto output = build(DiskFileSystem(), (dir / "app").string());
        ASSERT_FALSE(output) << entry;
        EXPECT_NE(output.error().to_string().find("is not in or below"), std::string::npos) << output.error().to_string();
    }
    std::filesystem::remove_all(dir);
}

} // namespace
} // namespace weber::kustomize
