// An object and who owns its fields, changed by a list of operations: the form of structured-merge-diff's tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/node.h"
#include "kube/merge/manager.h"

namespace weber::testing {

struct Operation {
    enum class Kind { apply, force_apply, update } kind = Kind::apply;
    std::string manager;
    std::string object;   // YAML
    std::string error{};  // what the operation must be refused with; the state stays
    std::string version = "v1";
    std::string subresource{};
};

inline Operation apply(std::string manager, std::string object) { return {Operation::Kind::apply, std::move(manager), std::move(object)}; }
inline Operation force(std::string manager, std::string object) { return {Operation::Kind::force_apply, std::move(manager), std::move(object)}; }
inline Operation update(std::string manager, std::string object) { return {Operation::Kind::update, std::move(manager), std::move(object)}; }
inline Operation refused(std::string manager, std::string object, std::string error) {
    return {Operation::Kind::apply, std::move(manager), std::move(object), std::move(error)};
}

// Owners as "manager" (Apply) or "manager update" (Update) with the paths they own.
using Owners = std::map<std::string, std::vector<std::string>>;

class State {
public:
    // `schema`: openAPIV3Schema as YAML; "" = none.
    explicit State(std::string_view schema);
    // Fails the test when the operation ends otherwise than it says.
    void run(const Operation& operation);
    [[nodiscard]] const Node& live() const { return live_; }
    [[nodiscard]] Node object() const; // without managedFields
    [[nodiscard]] Owners owners() const;
    [[nodiscard]] std::string time_of(std::string_view manager) const;
    // Another version that objects can be converted to: fields of the object renamed.
    void add_version(const std::string& version, const std::map<std::string, std::string>& renamed);

private:
    std::shared_ptr<const kube::TypeSchema> schema_;
    std::map<std::string, std::map<std::string, std::string>> versions_; // name → v1 field → its field
    Node live_;
    int clock_ = 0;
};

Node yaml(std::string_view text);

} // namespace weber::testing
