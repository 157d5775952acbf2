#include "gitops/api/git_repository.h"

#include "gitops/api/field_reader.h"
#include "gitops/api/names.h"

namespace weber::gitops {

bool is_git_repository(const Object& object) { return object.kind() == "GitRepository" && object.group() == kSourceGroup; }

Result<GitRepository> parse_git_repository(const Object& object) {
    TRY_VOID(object.check_identity());
    GitRepository g;
    g.name = {std::string(object.ns()), std::string(object.name())};
    std::optional<Error> error;
    FieldReader spec(object.root().find("spec"), "spec", error);
    g.url = spec.text("url", true);
    g.interval = spec.duration("interval", true).value_or(g.interval);
    g.timeout = spec.duration("timeout").value_or(g.timeout);
    g.suspend = spec.boolean("suspend");
    g.has_ignore = spec.raw("ignore") != nullptr;
    g.ignore = spec.text("ignore");
    FieldReader ref = spec.object("ref");
    g.ref = {ref.text("branch"), ref.text("tag"), ref.text("semver"), ref.text("name"), ref.text("commit")};
    ref.finish();
    if (const std::string provider = spec.choice("provider", {"generic", "azure", "github"}); !provider.empty() && provider != "generic")
        spec.unsupported("provider", provider + " credentials");
    spec.unsupported("include");
    spec.unsupported("verify", "signature verification");
    spec.unsupported("sparseCheckout");
    spec.unsupported("serviceAccountName");
    if (spec.boolean("recurseSubmodules")) spec.unsupported("recurseSubmodules");
    const auto secret = [&](std::string_view field) {
        FieldReader r = spec.object(field);
        std::string name = r.text("name", r.present());
        r.finish();
        return name;
    };
    g.secret_name = secret("secretRef"); // the agent's; a one-shot run uses the user's own git credentials
    g.proxy_secret = secret("proxySecretRef");
    spec.finish();
    if (error) return fail(std::move(*error).on(object.subject()));
    return g;
}

} // namespace weber::gitops
