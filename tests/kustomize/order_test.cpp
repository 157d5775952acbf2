// sortOptions and the command line's order.
#include <gtest/gtest.h>

#include "kube/base/yaml.h"
#include "tests/kustomize/harness.h"

namespace weber::kustomize {
namespace {

constexpr std::string_view kObjects = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
---
apiVersion: v1
kind: Service
metadata: {name: b}
---
apiVersion: example.com/v1
kind: Other
metadata: {name: o}
---
apiVersion: v1
kind: Service
metadata: {name: a}
---
apiVersion: v1
kind: Namespace
metadata: {name: n}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: v}
)";

std::string order_of(std::string_view sort_options, Reorder reorder = Reorder::none) {
    Harness h;
    h.options.reorder = reorder;
    h.write_k("/app", "resources: [r.yaml]\n" + std::string(sort_options));
    h.write("/app/r.yaml", kObjects);
    auto output = h.build("/app");
    if (!output) return output.error().message;
    std::string names;
    for (const auto& r : output->resources.all()) names += std::string(r->name());
    return names;
}

TEST(Order, FifoLegacyAndCustom) {
    EXPECT_EQ(order_of(""), "dboanv");
    EXPECT_EQ(order_of("", Reorder::legacy), "nabdov");
    EXPECT_EQ(order_of("sortOptions: {order: legacy}\n"), "nabdov");
    EXPECT_EQ(order_of("sortOptions: {order: fifo}\n", Reorder::legacy), "dboanv");
    EXPECT_EQ(order_of("sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Other], orderLast: [Namespace]}}\n"), "ovdabn");
}

TEST(Order, BadOptionsAreRefused) {
    EXPECT_EQ(order_of("sortOptions: {order: random}\n"), "the field 'sortOptions.order' must be one of [fifo, legacy]");
    EXPECT_EQ(order_of("sortOptions: {}\n"), "the field 'sortOptions.order' must be one of [fifo, legacy]");
    EXPECT_EQ(order_of("sortOptions: {order: fifo, legacySortOptions: {orderFirst: [Other]}}\n"),
              "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'");
}

} // namespace
} // namespace weber::kustomize
