// The embedded CustomResourceDefinitions are Flux's, field by field, in our own words.
#include "gitops/api/definitions.h"

#include <gtest/gtest.h>
#include <test_paths.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kube/base/yaml.h"

namespace weber::gitops {
namespace {

std::filesystem::path contract_path(const std::string& name) { return std::filesystem::path(WEBER_SHARED_DIR) / "data" / "crds" / name; }

Result<Node> contract(const std::string& name) {
    std::ifstream in(contract_path(name));
    std::ostringstream text;
    text << in.rdbuf();
    return kube::read_yaml_one(text.str());
}

// Descriptions of schemas (a property that is called "description" is a map and stays).
void drop_words(Node& n) {
    if (n.is_map()) {
        if (const Node* words = n.find("description"); words != nullptr && words->is_string()) n.erase("description");
        for (auto& [key, value] : n.entries_mut()) drop_words(value);
    } else if (n.is_list()) {
        for (Node& item : n.items_mut()) drop_words(item);
    }
}

std::size_t count_words(const Node& n) {
    std::size_t count = n.is_map() && n.find("description") != nullptr && n.find("description")->is_string() ? 1 : 0;
    for (const auto& [key, value] : n.entries()) count += count_words(value);
    for (const Node& item : n.items()) count += count_words(item);
    return count;
}

void expect_equal(std::string_view ours, const std::string& name) {
    if (!std::filesystem::exists(contract_path(name))) GTEST_SKIP() << "no " << name << " below " << WEBER_SHARED_DIR;
    auto theirs = contract(name);
    auto mine = kube::read_yaml_one(ours);
    ASSERT_TRUE(theirs && mine);
    EXPECT_GT(count_words(*mine), 50u) << "explained";
    drop_words(*theirs);
    drop_words(*mine);
    EXPECT_EQ(kube::write_yaml(*mine->find("spec")), kube::write_yaml(*theirs->find("spec")));
    EXPECT_EQ(mine->find_path({"metadata", "name"})->text(), theirs->find_path({"metadata", "name"})->text());
    EXPECT_EQ(mine->find_path({"metadata", "annotations", "kustomize.toolkit.fluxcd.io/substitute"})->text(), "disabled");
}

TEST(Definitions, KustomizationIsFluxs) { expect_equal(kustomization_definition(), "kustomize.toolkit.fluxcd.io_kustomizations.yaml"); }
TEST(Definitions, GitRepositoryIsFluxs) { expect_equal(git_repository_definition(), "source.toolkit.fluxcd.io_gitrepositories.yaml"); }

} // namespace
} // namespace weber::gitops
