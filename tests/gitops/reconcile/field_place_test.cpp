// Which line of a manifest an API server speaks of.
#include <gtest/gtest.h>

#include "gitops/reconcile/field_place.h"
#include "kube/base/yaml.h"

namespace weber::gitops {
namespace {

constexpr const char* kText = R"(kind: Deployment
metadata:
  name: web
  annotations:
    example.org/a.b: x
spec:
  containers:
  - name: one
    image: a
  - name: two
    ports:
    - containerPort: 80
      protocol: TCP
    - protocol: UDP
      containerPort: 80
)";

Object object() { return Object(kube::read_yaml_one(kText, {.file = "web.yaml"}).value()); }

TEST(FieldPlace, OfPathsAsServersWriteThem) {
    struct Case {
        const char* path;
        std::uint32_t line;
    };
    for (const Case& c : {Case{"spec.containers[0].image", 9}, {".spec.containers[name=\"two\"].ports[containerPort=80,protocol=\"UDP\"].protocol", 14},
                          {"metadata.annotations.example.org/a.b", 5}, {".metadata.annotations.example.org/a.b", 5}, {"spec.containers[1].nothing", 10}, {"spec.containers[7].image", 8},
                          {"spec.nothing.below", 7}, {"", 1}, {"nothing", 1}, {"..", 1}, {"[", 1}, {"spec[", 7}, {"spec[name=\"x\"", 7}}) {
        const Where where = field_place(object(), c.path);
        EXPECT_EQ(where.file, "web.yaml") << c.path;
        EXPECT_EQ(where.line, c.line) << c.path;
    }
}

TEST(FieldPlace, OfARefusal) {
    Error e{.message = "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): .spec.containers[name=\"one\"].image: expected map"};
    EXPECT_EQ(refused_place(object(), e).line, 9);
    e.message = "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): errors:\n  .metadata.name: field not declared in schema\n  .spec.x: y";
    EXPECT_EQ(refused_place(object(), e).line, 3);
    e.details = {{.reason = "FieldValueInvalid", .message = "m", .field = "spec.containers[1].name"}};
    EXPECT_EQ(refused_place(object(), e).line, 10);
    EXPECT_EQ(refused_place(object(), Error{.message = "no path here"}).line, 1);
}

} // namespace
} // namespace weber::gitops
