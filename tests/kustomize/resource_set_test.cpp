// Ids: found by any id they had, kept current through changes, unique.
#include "kustomize/resource_set.h"

#include <gtest/gtest.h>

#include "kube/base/yaml.h"

namespace weber::kustomize {
namespace {

std::unique_ptr<Resource> make(std::string_view kind, std::string_view name, std::string_view ns = "", std::string_view api_version = "v1") {
    Node metadata = Node::map({{"name", Node::string(name)}});
    if (!ns.empty()) metadata.set("namespace", Node::string(ns));
    return std::make_unique<Resource>(Node::map({{"apiVersion", Node::string(api_version)}, {"kind", Node::string(kind)}, {"metadata", metadata}}));
}

ResId id(std::string_view kind, std::string_view name, std::string_view ns = "", std::string_view api_version = "v1") {
    return make(kind, name, ns, api_version)->cur_id();
}

std::vector<std::string> names(const std::vector<Resource*>& list) {
    std::vector<std::string> out;
    for (const Resource* r : list) out.emplace_back(r->name());
    return out;
}

TEST(ResId, EqualityIsByEffectiveNamespace) {
    EXPECT_EQ(id("ConfigMap", "a"), id("ConfigMap", "a", "default"));
    EXPECT_FALSE(id("ConfigMap", "a") == id("ConfigMap", "a", "x"));
    EXPECT_EQ(id("Namespace", "a", "x"), id("Namespace", "a", "y")); // cluster scoped
    EXPECT_FALSE(id("Deployment", "a", "", "apps/v1") == id("Deployment", "a", "", "apps/v1beta1"));
    EXPECT_EQ(id("ConfigMap", "a").to_string(), "ConfigMap.v1.[noGrp]/a.[noNs]");
    EXPECT_EQ(id("Deployment", "d", "n", "apps/v1").to_string(), "Deployment.v1.apps/d.n");
    EXPECT_EQ(id("ConfigMap", "a").hash(), id("ConfigMap", "a", "default").hash());
}

TEST(ResourceSet, RefusesASecondObjectWithOneId) {
    ResourceSet set;
    ASSERT_TRUE(set.append(make("ConfigMap", "a")));
    auto again = set.append(make("ConfigMap", "a", "default"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, "may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.default");
    EXPECT_TRUE(set.append(make("Secret", "a")));
}

TEST(ResourceSet, FindsByCurrentAndEarlierIdsAfterChanges) {
    ResourceSet set;
    ASSERT_TRUE(set.append(make("ConfigMap", "a")));
    Resource& r = *set.all().front();
    r.store_previous_id();
    r.set_name("x-a");
    r.store_previous_id();
    r.set_namespace("ns");
    EXPECT_EQ(set.matching_current(id("ConfigMap", "x-a", "ns")).size(), 1u);
    EXPECT_TRUE(set.matching_current(id("ConfigMap", "a")).empty());
    for (const ResId& any : {id("ConfigMap", "a"), id("ConfigMap", "x-a"), id("ConfigMap", "x-a", "ns")}) EXPECT_EQ(set.matching_any(any).size(), 1u) << any.to_string();
    EXPECT_EQ(r.org_id(), id("ConfigMap", "a"));
    EXPECT_EQ(set.with_name("a").size(), 1u);
    EXPECT_EQ(set.with_name("x-a").size(), 1u);
    r.set_gvk(Gvk::of("v2", "ConfigMap")); // earlier ids follow the version
    EXPECT_EQ(set.matching_any(id("ConfigMap", "a", "", "v2")).size(), 1u);
    EXPECT_TRUE(set.matching_any(id("ConfigMap", "a")).empty());
}

TEST(ResourceSet, GetByIdWantsExactlyOne) {
    ResourceSet set;
    set.append_unchecked(make("ConfigMap", "a"));
    EXPECT_TRUE(set.get_by_id(id("ConfigMap", "a")));
    auto none = set.get_by_id(id("ConfigMap", "b"));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message, "no matches for Id ConfigMap.v1.[noGrp]/b.[noNs]; failed to find unique target for patch ConfigMap.v1.[noGrp]/b.[noNs]");
    Resource& other = set.append_unchecked(make("ConfigMap", "b"));
    other.add_previous_id("default", "a", "ConfigMap");
    auto several = set.get_by_id(id("ConfigMap", "a"));
    ASSERT_FALSE(several);
    EXPECT_TRUE(several.error().message.starts_with("multiple matches for Id ConfigMap.v1.[noGrp]/a.[noNs]"));
}

TEST(ResourceSet, SelectsInOrderByRegexAndLabels) {
    ResourceSet set;
    for (std::string_view name : {"web-2", "db", "web-1"}) {
        auto r = make("ConfigMap", name);
        r->edit().find_mut("metadata")->set("labels", Node::map({{"app", Node::string(name == "db" ? "db" : "web")}}));
        ASSERT_TRUE(set.append(std::move(r)));
    }
    const auto selected = [&](const Selector& s) {
        auto found = set.select(s);
        return found ? names(*found) : std::vector<std::string>{found.error().message};
    };
    EXPECT_EQ(selected({.name = "web-.*"}), (std::vector<std::string>{"web-2", "web-1"}));
    EXPECT_EQ(selected({.name = "web"}), (std::vector<std::string>{}));
    EXPECT_EQ(selected({.name = "db"}), (std::vector<std::string>{"db"}));
    EXPECT_EQ(selected({.label_selector = "app in (web)"}), (std::vector<std::string>{"web-2", "web-1"}));
    EXPECT_EQ(selected({.kind = "Secret|ConfigMap", .name = "db"}), (std::vector<std::string>{"db"}));
    EXPECT_EQ(selected({.ns = "default"}).size(), 3u);
    EXPECT_TRUE(selected({.name = "("}).front().starts_with("error parsing regexp"));
}

TEST(ResourceSet, DropsWhatWasEmptied) {
    ResourceSet set;
    for (std::string_view name : {"a", "b", "c"}) ASSERT_TRUE(set.append(make("ConfigMap", name)));
    set.all()[1]->make_empty();
    EXPECT_TRUE(set.matching_any(id("ConfigMap", "b")).empty());
    set.drop_empties();
    EXPECT_EQ(set.size(), 2u);
    EXPECT_TRUE(set.append(make("ConfigMap", "b")));
    EXPECT_EQ(set.all().back()->name(), "b");
}

TEST(Resource, PrefixesAreComparedFromTheEnd) {
    auto a = make("ConfigMap", "a"), b = make("ConfigMap", "b");
    a->add_prefix("x-");
    EXPECT_TRUE(a->prefixes_suffixes_equal(*b, true));
    EXPECT_FALSE(a->prefixes_suffixes_equal(*b, false));
    b->add_prefix("y-");
    b->add_prefix("x-");
    EXPECT_TRUE(a->prefixes_suffixes_equal(*b, false));
    a->add_suffix("");
    EXPECT_TRUE(a->suffixes().empty());
}

} // namespace
} // namespace weber::kustomize
