// What a request asks for: its URL and options taken apart, as kube-apiserver's RequestInfo.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kube/server/api_error.h"
#include "kube/server/http_types.h"
#include "kube/server/registry.h"

namespace weber::kube::server {

// Where a path points to. `resource` empty: not a resource path (discovery, health …).
struct RequestPath {
    bool api = false;      // under /api or /apis
    std::string group, version, ns, resource, name, subresource;
    bool namespaces_path = false; // …/namespaces/NS/RESOURCE…
    std::vector<std::string> extra; // segments after the subresource
};
RequestPath parse_path(std::string_view path);

enum class FieldValidation : std::uint8_t { ignore, warn, strict };

struct User {
    std::string name, uid;
    std::vector<std::string> groups;
    std::map<std::string, std::vector<std::string>> extra = {};
};
// {"key": ["value", …]}.
Node extra_node(const User& user);

// One resource request on its way through the handlers.
struct Call {
    const HttpRequest* http = nullptr;
    RequestPath path;
    RegistryPtr registry;
    ResourcePtr resource;
    const VersionInfo* version = nullptr; // of `resource`
    User user;
    bool dry_run = false;
    FieldValidation validation = FieldValidation::warn;
    std::string manager; // fieldManager, else the User-Agent up to the first "/"
    std::vector<std::string> warnings;
    std::vector<std::string> repeated; // what the body's reader has to say about keys that come again: `duplicate field "a.b"`

    [[nodiscard]] const std::string& group() const { return resource->group; }
    [[nodiscard]] const std::string& plural() const { return resource->plural; }
    [[nodiscard]] const std::string& api_version() const { return version->api_version; }
    [[nodiscard]] std::string id() const { return resource->id(); }
    // metav1 "Kind" in messages: "Deployment" with group "apps".
    [[nodiscard]] ApiError not_found() const { return server::not_found(plural(), group(), path.name); }
};

// dryRun, fieldValidation, fieldManager: read and checked (spec apply.md 11.1; apimachinery's ValidatePatchOptions …).
// `options_kind`: "CreateOptions", "UpdateOptions", "PatchOptions".
Api<void> read_write_options(Call& call, std::string_view options_kind, bool apply_patch);

// A number of the query, 0 when it is not there; 400 in Go's words when it is none.
Api<std::int64_t> number_param(const HttpRequest& http, std::string_view name);

// Adds the cause of values that dryRun may not have.
void check_dry_run(const std::vector<std::string>& values, std::vector<ErrorDetail>& causes);

// Seconds since the epoch "now" as the API prints times.
std::string now_text();

} // namespace weber::kube::server
