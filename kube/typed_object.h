// Objects as lists and metadata-only answers carry them, made whole. Internal to the client.
#pragma once

#include "kube/base/object.h"

namespace weber::kube {

// `node` with the type `gvk` (items of a list come without one, metadata-only answers with another), and, if asked for, only its metadata.
Object typed_object(const Node& node, const GroupVersionKind& gvk, bool metadata_only);

// Accept headers. The last alternative is for servers that cannot leave the rest out.
inline constexpr std::string_view kAcceptJson = "application/json";
inline constexpr std::string_view kAcceptMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
inline constexpr std::string_view kAcceptMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

// Appends "key=value" to a target, escaped; nothing when the value is empty.
void add_query(std::string& target, std::string_view key, std::string_view value);

} // namespace weber::kube
