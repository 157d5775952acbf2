// Runs every case of ../shared/conformance/kustomize. Cases that may fail are listed, with the reason, in
// conformance-expected-failures.txt; a case that passes must not stand there.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>

#include "kube/base/json.h"
#include "kube/base/yaml.h"
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

void load_tree(MemoryFileSystem& fs, const stdfs::path& root) {
    if (!stdfs::exists(root)) return;
    for (const auto& entry : stdfs::recursive_directory_iterator(root))
        if (entry.is_regular_file()) fs.write("/" + stdfs::relative(entry.path(), root).string(), read_file(entry.path()));
}

bool satisfies(const std::string& message, const Node& wanted) {
    std::string text(wanted.text_at("text"));
    std::string_view match = wanted.text_at("match");
    if (match == "equals") return message == text;
    if (match == "contains") return message.find(text) != std::string::npos;
    return std::regex_search(message, std::regex(text));
}

bool same_documents(const std::string& a, const std::string& b) {
    auto x = kube::read_yaml(a), y = kube::read_yaml(b);
    return x && y && *x == *y;
}

// "" when the case passes, else what differs.
std::string run_case(const stdfs::path& dir) {
    auto description = kube::read_json(read_file(dir / "case.json"));
    if (!description) return "case.json: " + description.error().to_string();
    const Node& c = *description;
    MemoryFileSystem fs;
    load_tree(fs, dir / "in");
    BuildOptions options;
    const Node& given = *c.find("options");
    if (given.text_at("load_restrictor") == "none") options.load_restrictions = LoadRestrictions::none;
    options.reorder = given.text_at("reorder") == "none" ? Reorder::none : Reorder::legacy;
    auto output = build(fs, "/" + std::string(c.text_at("dir")), options);
    if (c.text_at("expect") == "error") {
        if (output) return "built, but must fail; output:\n" + to_yaml(output->resources);
        for (const Node& wanted : c.find("error")->items())
            if (!satisfies(output.error().message, wanted)) return "message: " + output.error().message + "\nmust satisfy: " + std::string(wanted.text_at("text"));
        return "";
    }
    if (!output) return "error: " + output.error().to_string();
    std::string expected = read_file(dir / "expected.yaml"), got = to_yaml(output->resources);
    if (got == expected) return "";
    if (c.text_at("compare") == "semantic" && same_documents(got, expected)) return "";
    return "expected:\n" + expected + "\ngot:\n" + got;
}

std::map<std::string, std::string> expected_failures() {
    std::map<std::string, std::string> list;
    std::istringstream in(read_file(stdfs::path(WEBER_SOURCE_DIR) / "tests/kustomize/conformance-expected-failures.txt"));
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::size_t colon = line.find(": ");
        list[line.substr(0, colon)] = colon == std::string::npos ? "" : line.substr(colon + 2);
    }
    return list;
}

TEST(Conformance, AllCases) {
    const stdfs::path root = stdfs::path(WEBER_SHARED_DIR) / "conformance" / "kustomize";
    if (!stdfs::exists(root)) GTEST_SKIP() << root << " is not there";
    const char* only = std::getenv("WEBER_CASE"); // run and show one case
    auto listed = expected_failures();
    std::size_t passed = 0, all = 0;
    std::vector<std::string> failing;
    for (const auto& entry : stdfs::directory_iterator(root)) {
        std::string name = entry.path().filename().string();
        if (!entry.is_directory() || (only && name != only)) continue;
        ++all;
        std::string difference = run_case(entry.path());
        bool may_fail = listed.contains(name);
        if (difference.empty()) {
            ++passed;
            EXPECT_FALSE(may_fail) << name << " passes: take it out of conformance-expected-failures.txt";
        } else {
            failing.push_back(name);
            EXPECT_TRUE(may_fail && !only) << name << "\n" << difference;
        }
    }
    std::ranges::sort(failing);
    for (const std::string& name : failing) std::cout << "fails: " << name << (listed.contains(name) ? " (listed: " + listed[name] + ")" : "") << "\n";
    std::cout << "kustomize conformance: " << passed << " of " << all << " cases pass" << std::endl;
    for (const auto& [name, reason] : listed) {
        EXPECT_FALSE(reason.empty()) << name << " is listed without a reason";
        EXPECT_TRUE(only || std::ranges::binary_search(failing, name)) << name << " is listed but is no failing case";
    }
}

} // namespace
} // namespace weber::kustomize
