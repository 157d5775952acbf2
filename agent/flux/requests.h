// Asking a controller for a reconcile, and waiting until it is done (cli.md 2.2, 2.3).
#pragma once

#include <string>

#include "agent/flux/session.h"

namespace weber::agent {

// RFC 3339 with nanoseconds in the local zone: the value of the reconcile annotation.
std::string request_time();

// Sets annotations or spec.suspend by a merge patch.
Result<Object> merge_patch(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name, const Node& patch);

// "Kustomization reconciliation failed: …" when Ready is False.
Result<void> check_ready(const FluxKind& kind, const Object& object);

// Until status.lastHandledReconcileAt is another than `before` and the object is ready, failed or stalled. The object as it was then. Errors: timeout
// (`context deadline exceeded`), invalid with the message of Stalled, or of Ready when it is False.
Result<Object> wait_handled(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name, const std::string& before);

// Until the object is reconciled at its present generation; errors as above.
Result<Object> wait_reconciled(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name);

// Nothing reconciles it and says so in its status: Alerts, Providers, HelmRepositories of OCI registries.
bool is_static(const Object& object);

// "applied revision main@sha1:…", "fetched revision …".
std::string done_text(const FluxKind& kind, const Object& object);

} // namespace weber::agent
