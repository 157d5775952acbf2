// docs/conformance.md names tests: each must exist, and each item of the checklists must be named.
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace stdfs = std::filesystem;

struct Name {
    std::string suite, test;
};

std::string text_of(const stdfs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
}

// Of all TEST macros.
std::vector<Name> tests_of_the_house() {
    static const std::regex macro(R"(\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\))");
    std::vector<Name> out;
    for (const auto& entry : stdfs::recursive_directory_iterator(stdfs::path(WEBER_SOURCE_DIR) / "tests")) {
        if (entry.path().extension() != ".cpp") continue;
        const std::string text = text_of(entry.path());
        for (std::sregex_iterator it(text.begin(), text.end(), macro), end; it != end; ++it) out.push_back({(*it)[1], (*it)[2]});
    }
    return out;
}

// A suite may be named by its end ("Runs" for KustomizationRuns), a test by its beginning and an ellipsis; "*" stands for all of a suite.
bool exists(const std::vector<Name>& tests, const std::string& suite, const std::string& test, bool begins) {
    return std::ranges::any_of(tests, [&](const Name& n) { return n.suite.ends_with(suite) && (test.empty() || (begins ? n.test.starts_with(test) : n.test == test)); });
}

std::vector<std::string> rows() {
    std::istringstream in(text_of(stdfs::path(WEBER_SOURCE_DIR) / "docs/conformance.md"));
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

TEST(Conformance, EveryNamedTestExists) {
    const std::vector<Name> tests = tests_of_the_house();
    ASSERT_GT(tests.size(), 500u);
    static const std::regex named(R"((\w+)\.(\*|[A-Z]\w*)(…|\*)?)");
    std::size_t line = 0, count = 0;
    for (const std::string& row : rows()) {
        ++line;
        if (!row.starts_with("| ")) continue;
        for (std::sregex_iterator it(row.begin(), row.end(), named), end; it != end; ++it) {
            const std::string suite = (*it)[1], test = (*it)[2];
            if (std::islower(static_cast<unsigned char>(suite[0])) != 0) continue; // a file or a folder
            ++count;
            EXPECT_TRUE(exists(tests, suite, test == "*" ? "" : test, (*it)[3].matched)) << "docs/conformance.md:" << line << ": there is no test " << (*it)[0];
        }
    }
    EXPECT_GT(count, 250u);
}

// The numbers in the first column ("1 to 4, 7") of the rows from the one that begins with `from` to the one that begins with `to`; `only`: of rows that begin so.
std::set<int> items(const std::string& from, const std::string& to, const std::string& only = "| ") {
    static const std::regex range(R"((\d+)(?:\s*(?:to|–)\s*(\d+))?)"), noise(R"(`[^`]*`( \d+( rows)?)?:?|section \d+|:.*)");
    std::set<int> out;
    bool inside = false;
    for (const std::string& row : rows()) {
        if (row.starts_with(from)) inside = true;
        else if (inside && row.starts_with(to)) break;
        if (!inside || !row.starts_with(only)) continue;
        const std::string cell = std::regex_replace(row.substr(1, row.find('|', 1) - 1), noise, "");
        for (std::sregex_iterator it(cell.begin(), cell.end(), range), end; it != end; ++it)
            for (int n = std::stoi((*it)[1]); n <= std::stoi((*it)[2].matched ? (*it)[2] : (*it)[1]); ++n) out.insert(n);
    }
    return out;
}

void expect_all(const std::set<int>& items, int first, int last, const char* list) {
    for (int n = first; n <= last; ++n) EXPECT_TRUE(items.contains(n)) << "docs/conformance.md names no test for item " << n << " of " << list;
}

TEST(Conformance, EveryItemOfTheChecklistsIsNamed) {
    expect_all(items("| `build.md` 8: ", "| bad input"), 1, 20, "build.md");
    expect_all(items("## Variable substitution", "## "), 21, 48, "build.md");
    expect_all(items("## SOPS", "## "), 49, 64, "build.md");
    expect_all(items("## Kustomizations in the agent", "## "), 1, 92, "kustomization.md");
    expect_all(items("## Client", "## Pipeline", "| `readiness.md` 7 "), 1, 42, "readiness.md");
}

} // namespace
