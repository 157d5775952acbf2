#include "agent/flux/upsert.h"

namespace weber::agent {

namespace {

constexpr int kTries = 5;

Object merged(Object live, const Object& wanted, std::string_view field, bool all_labels) {
    if (const Node* value = wanted.at({field})) live.root().set(field, *value);
    const Node* labels = wanted.at({"metadata", "labels"});
    Node& metadata = *live.root().find_mut("metadata");
    if (labels != nullptr) metadata.set("labels", *labels);
    else if (all_labels) metadata.erase("labels");
    return live;
}

} // namespace

Result<bool> upsert(const Session& s, const Object& object, std::string_view field, bool all_labels) {
    kube::WriteOptions options;
    options.field_manager = "flux";
    for (int i = 0;; ++i) {
        TRY(const std::optional<Object> live, s.client().find(kube::ref_of(object), {}, s.call()));
        const auto written = live ? s.client().update(merged(*live, object, field, all_labels), options, s.call()) : s.client().create(object, options, s.call());
        if (written) return !live;
        const ErrorCode code = written.error().code;
        if (i + 1 == kTries || (code != ErrorCode::conflict && code != ErrorCode::already_exists)) return fail(written.error());
    }
}

} // namespace weber::agent
