// Words that are contracts with Flux: groups, labels, annotations, managers, finalizers (kustomization.md section 0).
#pragma once

#include <string_view>

namespace weber::gitops {

inline constexpr std::string_view kKustomizeGroup = "kustomize.toolkit.fluxcd.io";
inline constexpr std::string_view kKustomizeApiVersion = "kustomize.toolkit.fluxcd.io/v1";
inline constexpr std::string_view kSourceGroup = "source.toolkit.fluxcd.io";
inline constexpr std::string_view kSourceApiVersion = "source.toolkit.fluxcd.io/v1";
inline constexpr std::string_view kFieldManager = "kustomize-controller";
inline constexpr std::string_view kStatusManager = "gotk-kustomize-controller";
inline constexpr std::string_view kFinalizer = "finalizers.fluxcd.io";
inline constexpr std::string_view kOwnerName = "kustomize.toolkit.fluxcd.io/name";
inline constexpr std::string_view kOwnerNamespace = "kustomize.toolkit.fluxcd.io/namespace";
inline constexpr std::string_view kReconcileKey = "kustomize.toolkit.fluxcd.io/reconcile";
inline constexpr std::string_view kSsaKey = "kustomize.toolkit.fluxcd.io/ssa";
inline constexpr std::string_view kForceKey = "kustomize.toolkit.fluxcd.io/force";
inline constexpr std::string_view kPruneKey = "kustomize.toolkit.fluxcd.io/prune";
inline constexpr std::string_view kDecryptKey = "kustomize.toolkit.fluxcd.io/decrypt";
// Ours: allows a deletion that the prune guard stopped; the value is the guard's token, or "always".
inline constexpr std::string_view kAllowPrune = "weber.dev/allow-prune";
inline constexpr std::string_view kRequestedAt = "reconcile.fluxcd.io/requestedAt";

} // namespace weber::gitops
