// What the validate_*.cpp files share: the list of problems, and checks of single values. Not for other files.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::kube::server {

using Messages = std::vector<std::string>;

class Problems {
public:
    std::vector<ErrorDetail> list;

    void required(std::string path, std::string_view why = {});
    void invalid(std::string path, const Node& value, std::string_view why);
    void invalid(std::string path, std::string_view value, std::string_view why);
    void invalid_all(const std::string& path, std::string_view value, const Messages& why);
    void forbidden(std::string path, std::string_view why);
    void duplicate(std::string path, const Node& value);
    void not_supported(std::string path, const Node& value, std::initializer_list<std::string_view> supported);
    void not_found(std::string path, std::string_view value);
    void too_long(std::string path, std::size_t limit);

    // Frequent checks.
    void nonnegative(const std::string& path, const Node* value);
    void port(const std::string& path, const Node* value);
    void one_of(const std::string& path, std::string_view value, std::initializer_list<std::string_view> supported);
    void immutable(const std::string& path, const Node* now, const Node* before); // absent, null and empty are the same
};

// As apimachinery's util/validation: why the value is wrong; empty = right.
Messages dns_label(std::string_view value);
Messages dns_subdomain(std::string_view value);
Messages dns_1035_label(std::string_view value);
Messages qualified_name(std::string_view value);
Messages label_value(std::string_view value);
Messages config_key(std::string_view value);
Messages port_name(std::string_view value);
Messages env_name(std::string_view value);
Messages path_segment(std::string_view value);

bool same_meaning(const Node* a, const Node* b); // absent, null and empty are equal

// Of an object inside a custom resource.
void check_embedded_metadata(Problems& p, const std::string& path, const Node& metadata);
void check_labels(Problems& p, const std::string& path, const Node* labels);
void check_label_selector(Problems& p, const std::string& path, const Node* selector);
// False: such a selector cannot be used to match anything (the errors are check_label_selector's).
bool selector_readable(const Node* selector);
// Does a label selector (null selects nothing, empty everything) match labels?
bool selector_matches(const Node* selector, const Node* labels);

void check_pod_template(Problems& p, const std::string& path, const Node& tpl, const std::vector<std::string>& extra_volumes = {});
void check_pod_spec(Problems& p, const std::string& path, const Node& spec, const std::vector<std::string>& extra_volumes = {});
void check_claim_spec(Problems& p, const std::string& path, const Node& spec);
void check_int_or_percent(Problems& p, const std::string& path, const Node* n); // absent is fine
void check_at_most_100_percent(Problems& p, const std::string& path, const Node* n);

// One rule a kind; `live` null for a new object.
using KindRule = void (*)(Problems&, const Node& obj, const Node& live);
KindRule workload_rule(std::string_view id);
KindRule network_rule(std::string_view id); // Service, Ingress, NetworkPolicy
KindRule other_rule(std::string_view id);
void check_definition(Problems& p, const Node& obj, const Node& live); // a CustomResourceDefinition
void check_webhooks(Problems& p, const Node& obj, const Node& live);   // a configuration of admission webhooks
void check_webhook_client(Problems& p, const std::string& path, const Node& client);
void check_review_versions(Problems& p, const std::string& path, const Node& versions, std::string_view none = {}); // `none`: said of no versions
// An openAPIV3Schema of one. `has_status`: beside a status subresource.
void check_schema(Problems& p, const std::string& path, const Node& schema, bool has_status);
// The schema of the field at a path like ".spec.a" or (`brackets`) ".spec['a']"; null: there is none, `why` says so. `name`: the path as fields are named.
const Node* field_of(const Node& schema, std::string_view path, bool brackets, std::string* why = nullptr, std::string* name = nullptr);

inline const Node& child(const Node& n, std::string_view key) {
    static const Node none;
    const Node* v = n.find(key);
    return v ? *v : none;
}
inline bool yes(const Node& n, std::string_view key) { return child(n, key).as_bool(); }
inline std::string at(const std::string& path, std::size_t i) { return path + "[" + std::to_string(i) + "]"; }
std::string quoted(std::string_view text); // as JSON writes it
inline std::string key_of(const std::string& path, std::string_view key) { return path + "[" + std::string(key) + "]"; }

} // namespace weber::kube::server
