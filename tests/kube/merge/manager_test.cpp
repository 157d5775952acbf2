// Ownership of fields as operations go by. The cases follow structured-merge-diff's merge tests and spec apply.md section 11.
#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "tests/kube/merge/state.h"

namespace weber::testing {
namespace {

struct Case {
    const char* name;
    const char* schema;
    std::vector<Operation> operations;
    const char* object; // YAML
    Owners owners;
};

constexpr const char* kSet = "{type: object, properties: {list: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}";
constexpr const char* kMapList = R"({type: object, properties: {list: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name],
  items: {type: object, properties: {name: {type: string}, value: {type: string}, other: {type: string}}}}}})";
constexpr const char* kKeyed = R"({type: object, properties: {ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port, protocol],
  items: {type: object, properties: {port: {type: integer}, protocol: {type: string, default: TCP}, name: {type: string}}}}}})";
constexpr const char* kFields = R"({type: object, properties: {text: {type: string}, number: {type: integer}, flag: {type: boolean},
  labels: {type: object, additionalProperties: {type: string}}, inner: {type: object, properties: {a: {type: string}, b: {type: string}}},
  whole: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}, b: {type: string}}}, args: {type: array, items: {type: string}}}})";

const std::vector<Case> kCases{
    {"a set keeps what others added", kSet,
     {apply("one", "{list: [a, c]}"), update("two", "{list: [a, b, c, d]}"), apply("one", "{list: [a, c, e]}")},
     "{list: [a, b, c, d, e]}", {{"one", {R"(.list[="a"])", R"(.list[="c"])", R"(.list[="e"])"}}, {"two update", {R"(.list[="b"])", R"(.list[="d"])"}}}},
    {"a set loses what its applier drops", kSet, {apply("one", "{list: [a, b]}"), apply("one", "{list: [b]}")}, "{list: [b]}", {{"one", {R"(.list[="b"])"}}}},
    {"a set item of two appliers stays until both drop it", kSet,
     {apply("one", "{list: [a, b]}"), apply("two", "{list: [b]}"), apply("one", "{list: [a]}")}, "{list: [a, b]}",
     {{"one", {R"(.list[="a"])"}}, {"two", {R"(.list[="b"])"}}}},
    {"items are merged by key", kMapList,
     {apply("one", "{list: [{name: a, value: x}]}"), apply("two", "{list: [{name: a, other: y}, {name: b}]}")},
     "{list: [{name: a, value: x, other: y}, {name: b}]}",
     {{"one", {R"(.list[name="a"])", R"(.list[name="a"].name)", R"(.list[name="a"].value)"}},
      {"two", {R"(.list[name="a"])", R"(.list[name="b"])", R"(.list[name="a"].name)", R"(.list[name="a"].other)", R"(.list[name="b"].name)"}}}},
    {"a dropped item keeps what others own of it", kMapList,
     {apply("one", "{list: [{name: a, value: x}, {name: b}]}"), apply("two", "{list: [{name: a, other: y}]}"), apply("one", "{list: [{name: b}]}")},
     "{list: [{name: a, other: y}, {name: b}]}",
     {{"one", {R"(.list[name="b"])", R"(.list[name="b"].name)"}}, {"two", {R"(.list[name="a"])", R"(.list[name="a"].name)", R"(.list[name="a"].other)"}}}},
    {"the patch's order wins, the others keep their places", kSet,
     {apply("one", "{list: [a, b, c]}"), apply("two", "{list: [x, b]}")}, "{list: [a, x, b, c]}",
     {{"one", {R"(.list[="a"])", R"(.list[="b"])", R"(.list[="c"])"}}, {"two", {R"(.list[="b"])", R"(.list[="x"])"}}}},
    {"a reordered set", kSet, {apply("one", "{list: [a, b, c]}"), apply("two", "{list: [x, b]}"), apply("one", "{list: [c, d, a]}")}, "{list: [x, b, c, d, a]}",
     {{"one", {R"(.list[="a"])", R"(.list[="c"])", R"(.list[="d"])"}}, {"two", {R"(.list[="b"])", R"(.list[="x"])"}}}},
    {"keys have defaults", kKeyed, {apply("one", "{ports: [{port: 80}]}"), apply("two", "{ports: [{port: 80, protocol: TCP, name: n}, {port: 80, protocol: UDP}]}")},
     "{ports: [{port: 80, protocol: TCP, name: n}, {port: 80, protocol: UDP}]}",
     {{"one", {R"(.ports[port=80,protocol="TCP"])", R"(.ports[port=80,protocol="TCP"].port)"}},
      {"two",
       {R"(.ports[port=80,protocol="TCP"])", R"(.ports[port=80,protocol="UDP"])", R"(.ports[port=80,protocol="TCP"].name)",
        R"(.ports[port=80,protocol="TCP"].port)", R"(.ports[port=80,protocol="TCP"].protocol)", R"(.ports[port=80,protocol="UDP"].port)",
        R"(.ports[port=80,protocol="UDP"].protocol)"}}}},
    {"equal values are shared", kFields, {apply("one", "{text: a}"), apply("two", "{text: a}")}, "{text: a}", {{"one", {".text"}}, {"two", {".text"}}}},
    {"another value is a conflict", kFields,
     {apply("one", "{text: a}"), refused("two", "{text: b}", "Apply failed with 1 conflict: conflict with \"one\": .text")}, "{text: a}", {{"one", {".text"}}}},
    {"several conflicts, by manager", kFields,
     {apply("one", "{text: a}"), update("two", "{text: a, number: 1, flag: true}"),
      refused("three", "{text: b, number: 2, flag: false}",
              "Apply failed with 3 conflicts: conflicts with \"one\":\n- .text\nconflicts with \"two\" using v1:\n- .flag\n- .number")},
     "{text: a, number: 1, flag: true}", {{"one", {".text"}}, {"two update", {".flag", ".number"}}}},
    {"force takes the field over", kFields, {apply("one", "{text: a, number: 1}"), force("two", "{text: b}")}, "{text: b, number: 1}",
     {{"one", {".number"}}, {"two", {".text"}}}},
    {"an update takes over without asking", kFields, {apply("one", "{text: a}"), update("two", "{text: b}")}, "{text: b}", {{"two update", {".text"}}}},
    {"an unchanged update owns nothing", kFields, {apply("one", "{text: a}"), update("two", "{text: a}")}, "{text: a}", {{"one", {".text"}}}},
    {"an update that removes a field", kFields, {apply("one", "{text: a, number: 1}"), update("two", "{text: a}")}, "{text: a}", {{"one", {".text"}}}},
    {"a dropped field that an updater owns stays", kFields,
     {apply("one", "{text: a, number: 1}"), update("two", "{text: a, number: 2}"), apply("one", "{text: a}")}, "{text: a, number: 2}",
     {{"one", {".text"}}, {"two update", {".number"}}}},
    {"keys of a free-form map are owned one by one", kFields, {apply("one", "{labels: {a: x}}"), apply("two", "{labels: {b: y}}"), apply("one", "{labels: {}}")},
     "{labels: {b: y}}", {{"one", {".labels"}}, {"two", {".labels.b"}}}},
    {"an atomic map is owned as a whole", kFields,
     {apply("one", "{whole: {a: x}}"), refused("two", "{whole: {b: y}}", "Apply failed with 1 conflict: conflict with \"one\": .whole"), force("two", "{whole: {b: y}}")},
     "{whole: {b: y}}", {{"two", {".whole"}}}},
    {"an atomic list is replaced", kFields, {apply("one", "{args: [a, b]}"), apply("one", "{args: [c]}")}, "{args: [c]}", {{"one", {".args"}}}},
    {"inner fields belong to different owners", kFields, {apply("one", "{inner: {a: x}}"), apply("two", "{inner: {b: y}}")}, "{inner: {a: x, b: y}}",
     {{"one", {".inner.a"}}, {"two", {".inner.b"}}}},
    {"an unknown field", kFields,
     {apply("one", "{text: a}"),
      refused("one", "{text: a, nope: b}", "failed to create typed patch object (/; /v1, Kind=): .nope: field not declared in schema")},
     "{text: a}", {{"one", {".text"}}}},
    {"wrong types", kFields,
     {refused("one", "{number: five}", "failed to create typed patch object (/; /v1, Kind=): .number: expected numeric (int or float), got string"),
      refused("one", "{text: 5}", "failed to create typed patch object (/; /v1, Kind=): .text: expected string, got &value.valueUnstructured{Value:5}"),
      refused("one", "{args: x}", "failed to create typed patch object (/; /v1, Kind=): .args: expected list, got &{x}"), apply("one", "{text: a}")},
     "{text: a}", {{"one", {".text"}}}},
    {"repeated items", kSet,
     {refused("one", "{list: [a, a]}", "failed to create typed patch object (/; /v1, Kind=): .list: duplicate entries for key [=\"a\"]"), apply("one", "{list: [a]}")},
     "{list: [a]}", {{"one", {R"(.list[="a"])"}}}},
    {"items without their key", kMapList,
     {refused("one", "{list: [{value: x}]}",
              "failed to create typed patch object (/; /v1, Kind=): .list: element 0: associative list with keys has an element that omits all key fields "
              "[\"name\"] (and doesn't have default values for any key fields)"),
      apply("one", "{list: [{name: a}]}")},
     "{list: [{name: a}]}", {{"one", {R"(.list[name="a"])", R"(.list[name="a"].name)"}}}},
    {"repeated items of a live object are tolerated", kSet, {update("one", "{list: [a, a, b]}"), apply("two", "{list: [c]}")}, "{list: [a, a, b, c]}",
     {{"one update", {".list", R"(.list[="a"])", R"(.list[="b"])"}}, {"two", {R"(.list[="c"])"}}}},
    {"without a schema maps merge and lists are replaced", "",
     {apply("one", "{any: {a: [1, 2], b: x}}"), apply("two", "{any: {c: y}}"), force("two", "{any: {a: [3], c: y}}")}, "{any: {a: [3], b: x, c: y}}",
     {{"one", {".any", ".any.b"}}, {"two", {".any", ".any.a", ".any.c"}}}},
};

TEST(Manager, OwnersAreThoseOfTheReference) {
    for (const Case& c : kCases) {
        SCOPED_TRACE(c.name);
        State state(c.schema);
        for (const Operation& op : c.operations) state.run(op);
        EXPECT_EQ(state.object(), yaml(c.object)) << kube::write_json(state.object());
        Owners owners = state.owners();
        EXPECT_EQ(state.owners(), c.owners) << kube::write_json(state.live());
    }
}

TEST(Manager, ApplyingTwiceChangesNothing) {
    for (const Case& c : kCases) {
        SCOPED_TRACE(c.name);
        State state(c.schema);
        const Operation* last = nullptr;
        for (const Operation& op : c.operations) {
            state.run(op);
            if (op.error.empty()) last = &op;
        }
        if (!last || last->kind == Operation::Kind::update) continue;
        const Node before = state.live();
        state.run(*last);
        EXPECT_EQ(state.live(), before);
    }
}

TEST(Manager, TimeTellsWhenAnOwnerLastChangedTheObject) {
    State state(kFields);
    state.run(apply("one", "{text: a}"));
    state.run(apply("two", "{text: a}"));
    EXPECT_EQ(state.time_of("one"), "2026-01-01T00:00:01Z");
    EXPECT_EQ(state.time_of("two"), "") << "taking part in owning changes nothing";
    state.run(apply("two", "{text: a, number: 1}"));
    EXPECT_EQ(state.time_of("two"), "2026-01-01T00:00:03Z");
}

TEST(Manager, AnObjectThatNobodyTrackedBelongsToBeforeFirstApply) {
    State state(kFields);
    state.run(update("one", "{text: a, number: 1, metadata: {managedFields: []}}"));
    EXPECT_TRUE(state.owners().empty());
    state.run(apply("two", "{text: a}"));
    EXPECT_EQ(state.owners(), (Owners{{"before-first-apply update", {".number", ".text"}}, {"two", {".text"}}}));
}

TEST(Manager, OwnershipIsResetByAnEmptyEntry) {
    State state(kFields);
    state.run(apply("one", "{text: a}"));
    state.run(update("two", "{text: a, metadata: {managedFields: [{}]}}"));
    EXPECT_TRUE(state.owners().empty());
}

TEST(Manager, OldUpdatersAreMergedWhenThereAreTooMany) {
    State state(kFields);
    std::string labels;
    for (int i = 0; i < 14; ++i) {
        labels += (labels.empty() ? "" : ", ") + ("l" + std::to_string(10 + i)) + ": x";
        state.run(update("m" + std::to_string(10 + i), "{labels: {" + labels + "}}"));
    }
    const Owners owners = state.owners();
    EXPECT_EQ(owners.size(), 10U);
    EXPECT_TRUE(owners.contains("ancient-changes update"));
    EXPECT_EQ(owners.at("m23 update"), std::vector<std::string>{".labels.l23"});
}

TEST(Manager, OwnersOfOtherVersionsAreComparedInTheirOwn) {
    State state(kFields);
    state.add_version("v2", {{"text", "number"}, {"number", "text"}}); // the two fields change places
    state.run(apply("one", "{text: a}"));
    Operation other = apply("two", "{flag: true}");
    other.version = "v2";
    state.run(other);
    EXPECT_EQ(state.owners(), (Owners{{"one", {".text"}}, {"two", {".flag"}}}));
}

TEST(Manager, OwnersOfUnknownVersionsAreDropped) {
    State state(kFields);
    state.run(update("one", R"({text: a, metadata: {managedFields: [{manager: gone, operation: Update, apiVersion: v0, fieldsType: FieldsV1, fieldsV1: {"f:text": {}}}]}})"));
    state.run(force("two", "{text: b}"));
    EXPECT_EQ(state.owners(), (Owners{{"two", {".text"}}}));
}

TEST(Manager, SubresourcesAreOwnersOfTheirOwn) {
    State state(kFields);
    Operation status = update("one", "{text: a}");
    status.subresource = "status";
    state.run(status);
    state.run(update("one", "{text: a, number: 1}"));
    EXPECT_EQ(state.owners(), (Owners{{"one update status", {".text"}}, {"one update", {".number"}}}));
}

} // namespace
} // namespace weber::testing
