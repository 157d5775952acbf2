#include "tests/support/objects.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kube/base/yaml.h"
#include "kube/watch.h"
#include "tests/support/test_cluster.h"

namespace weber::testing {

kube::Object await(kube::Client& client, const kube::ObjectRef& ref, const std::function<bool(const kube::Object&)>& wanted, std::chrono::seconds patience) {
    kube::Object last;
    const auto end = kube::wait_for(client, std::span(&ref, 1),
                                    [&](std::size_t, const kube::Observation& seen) {
                                        if (seen.state != kube::Observation::State::present) return false;
                                        last = seen.object;
                                        return wanted(last);
                                    },
                                    {.timeout = patience});
    EXPECT_TRUE(end && *end == kube::WaitEnd::satisfied) << ref.gvk.kind << "/" << ref.ns << "/" << ref.name << " never came to be as wanted; last:\n" << kube::write_yaml(last.root());
    return last;
}

void await_gone(kube::Client& client, const kube::ObjectRef& ref, std::chrono::seconds patience) {
    const auto end = kube::wait_for(client, std::span(&ref, 1), [](std::size_t, const kube::Observation& seen) { return seen.state == kube::Observation::State::absent; },
                                    {.timeout = patience});
    EXPECT_TRUE(end && *end == kube::WaitEnd::satisfied) << ref.gvk.kind << "/" << ref.ns << "/" << ref.name << " never went away";
}

bool has_condition(const kube::Object& o, std::string_view type, std::string_view status) {
    const Node* conditions = o.at({"status", "conditions"});
    return conditions != nullptr && std::ranges::any_of(conditions->items(), [&](const Node& c) { return c.text_at("type") == type && c.text_at("status") == status; });
}

void define(kube::Client& client, std::string_view definition) {
    const kube::Object crd = object_of(definition);
    const auto made = client.create(crd);
    ASSERT_TRUE(made.has_value() || made.error().code == ErrorCode::already_exists) << made.error().to_string();
    await(client, kube::ref_of(crd), [](const kube::Object& o) { return has_condition(o, "Established", "True"); });
    client.discovery().invalidate();
}

void drop_finalizers(kube::Client& client, std::span<const kube::GroupVersionKind> kinds, const std::string& ns) {
    for (const kube::GroupVersionKind& gvk : kinds) {
        const auto listed = client.list(gvk, {.ns = ns});
        if (!listed) continue;
        for (const kube::Object& o : listed->items)
            (void)client.patch(kube::ref_of(o), kube::PatchType::merge, object_of("metadata: {finalizers: null}\n").root());
    }
}

} // namespace weber::testing
