// Objects of a test on an API server: waiting for them by watch, definitions that are served, finalizers that nobody else takes off.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string_view>

#include "kube/client.h"

namespace weber::testing {

inline constexpr std::chrono::seconds kPatience{120}; // for something that must happen, on a machine however busy

// Waits until the object is there and as wanted; the object then. A test failure that shows its last state when that never comes.
kube::Object await(kube::Client& client, const kube::ObjectRef& ref, const std::function<bool(const kube::Object&)>& wanted, std::chrono::seconds patience = kPatience);
void await_gone(kube::Client& client, const kube::ObjectRef& ref, std::chrono::seconds patience = kPatience);

bool has_condition(const kube::Object& o, std::string_view type, std::string_view status);

// Makes the CustomResourceDefinition unless it is there, and waits until its kind is served.
void define(kube::Client& client, std::string_view definition);

// Takes the finalizers off all objects of these kinds in a namespace whose controllers have gone.
void drop_finalizers(kube::Client& client, std::span<const kube::GroupVersionKind> kinds, const std::string& ns);

} // namespace weber::testing
