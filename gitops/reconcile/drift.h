// Does the cluster differ from what an apply would make of it (apply.md 3.3)? And how, for people.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "kube/base/object.h"

namespace weber::gitops {

// `live` against the answer of the dry-run apply: labels, annotations, and everything but metadata and status.
bool has_drifted(const Object& live, const Object& dry_run);

// The difference as a unified list of lines, "- path: value" and "+ path: value", values of several lines as YAML blocks. Values of Secrets
// are masked (`*** (before)`, `*** (after)`, `***`), also where kubectl keeps them in an annotation, and so is every text of any object that holds one of
// `secret_values` (variables from Secrets, decrypted fields), with what it replaces.
std::string diff_text(const Object* before, const Object* after, const std::vector<std::string>& secret_values = {});

// Masks `data`, `stringData` and kubectl's annotation of both when they are Secrets: equal values and keys of one side only become `***`, others `*** (before)` and `*** (after)`.
// `secret_values` as in diff_text.
void mask_secrets(Object& before, Object& after, const std::vector<std::string>& secret_values = {});

// Masks, in both, texts that hold one of `secret_values`, and what stands in their place in the other one.
void veil_values(Object& before, Object& after, const std::vector<std::string>& secret_values);

// What has_drifted compares beside labels and annotations: without metadata and status, and with the metrics of old servers' HorizontalPodAutoscalers put right.
Node compared_body(const Object& object);

// Paths of the fields that differ, in order ("spec.replicas"); no values.
std::vector<std::string> changed_paths(const Object& before, const Object& after);

} // namespace weber::gitops
