// What a client asked to see: the object itself, a table row, or metadata only; as JSON or YAML.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kube/server/api_error.h"
#include "kube/server/request.h"
#include "kube/server/store.h"

namespace weber::kube::server {

struct Presentation {
    enum class Form : std::uint8_t { object, table, metadata };
    Form form = Form::object;
    bool list = false; // asked for as a PartialObjectMetadataList
    bool yaml = false, pretty = false; // the encoding; `in_wanted_form` sees to it
    std::string_view meta_version = "meta.k8s.io/v1"; // of tables and metadata
    enum class Include : std::uint8_t { metadata, none, object };
    Include include = Include::metadata; // of table rows
};

// Reads the Accept header; 406 when nothing in it can be served.
Api<Presentation> negotiate(const Call& call);
// The same where there is no resource. `route_types`: what else than objects a route of go-restful's says it can send ("" when it sends
// nothing else); nullopt where no such route is, and the error has another text.
Api<Presentation> negotiate(const HttpRequest& http, std::optional<std::string_view> route_types);
// 406. `types` in the words of a route that knows none of the media types, or of a handler that cannot do what is asked for in one.
ApiError not_acceptable(std::string_view types, bool route);
inline constexpr std::string_view kMediaTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

// One object of the store in the request's version and form, as JSON.
std::string present(const Call& call, const Presentation& p, const StoredObject& o, bool table_headers = true);
std::string present(const Call& call, const Presentation& p, const Node& obj); // already in the request's version
// The JSON of a Status or an object as the response body of `status`, with the call's warnings.
HttpResponse respond_json(const Call& call, int status, std::string json);

// The call's warnings as headers of an answer (errors have them too).
void add_warnings(const Call& call, HttpResponse& response);

// The answer to a list; `items` are stored objects in order.
std::string present_list(const Call& call, const Presentation& p, const std::vector<ObjectPtr>& items, std::uint64_t rv,
                         const std::string& continue_token, std::size_t remaining);

} // namespace weber::kube::server
