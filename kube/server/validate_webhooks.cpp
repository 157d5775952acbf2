// What calls other servers: clients and versions of webhooks, admission webhooks (apiserver's util/webhook, apis/admissionregistration/validation).
#include <algorithm>
#include <set>

#include "kube/server/validate_rules.h"

namespace weber::kube::server {
namespace {

void check_webhook_url(Problems& p, const std::string& path, std::string_view url) {
    const auto colon = url.find("://");
    const auto scheme = colon == std::string_view::npos ? std::string_view() : url.substr(0, colon);
    std::string_view rest = colon == std::string_view::npos ? std::string_view() : url.substr(colon + 3);
    std::string_view fragment, query, user;
    const auto cut = [](std::string_view& from, char at) { // what follows `at`
        const auto i = from.find(at);
        const auto tail = i == std::string_view::npos ? std::string_view() : from.substr(i + 1);
        from = from.substr(0, i);
        return tail;
    };
    fragment = cut(rest, '#');
    query = cut(rest, '?');
    std::string_view host = rest.substr(0, rest.find('/'));
    if (const auto i = host.rfind('@'); i != std::string_view::npos) {
        user = host.substr(0, i);
        host.remove_prefix(i + 1);
    }
    constexpr const char* kForm = "; desired format: https://host[/path]";
    if (scheme != "https") p.invalid(path, scheme, "'https' is the only allowed URL scheme" + std::string(kForm));
    if (host.empty()) p.invalid(path, host, "host must be specified" + std::string(kForm));
    if (!user.empty()) p.invalid(path, user, "user information is not permitted in the URL");
    if (!fragment.empty()) p.invalid(path, fragment, "fragments are not permitted in the URL");
    if (!query.empty()) p.invalid(path, query, "query parameters are not permitted in the URL");
}

void check_webhook_path(Problems& p, const std::string& path, std::string_view value) {
    if (value.empty() || value == "/") return;
    if (value == "//") return p.invalid(path, value, "segment[0] may not be empty");
    if (!value.starts_with('/')) p.invalid(path, value, "must start with a '/'");
    std::string_view rest = value.substr(1);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    for (std::size_t i = 0;; ++i) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto step = rest.substr(0, end);
        if (step.empty()) p.invalid(path, value, "segment[" + std::to_string(i) + "] may not be empty");
        for (const auto& why : step.empty() ? Messages() : dns_subdomain(step)) p.invalid(path, value, "segment[" + std::to_string(i) + "]: " + why);
        if (end == rest.size()) return;
        rest.remove_prefix(end + 1);
    }
}

// Three labels and more, each of them right.
void check_qualified(Problems& p, const std::string& path, std::string_view name) {
    if (name.empty()) return p.required(path);
    if (const auto why = dns_subdomain(name); !why.empty()) return p.invalid_all(path, name, why);
    if (std::ranges::count(name, '.') < 2) p.invalid(path, name, "should be a domain with at least three segments separated by dots");
}

void check_operations(Problems& p, const std::string& path, const Node& rule) {
    const Node& operations = child(rule, "operations");
    if (operations.empty()) p.required(path + ".operations");
    if (operations.size() > 1 && std::ranges::any_of(operations.items(), [](const Node& o) { return o.text() == "*"; }))
        p.invalid(path + ".operations", operations, "if '*' is present, must not specify other operations");
    for (std::size_t i = 0; i < operations.size(); ++i)
        p.one_of(at(path + ".operations", i), operations.items()[i].text(), {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
    for (const auto field : {"apiGroups", "apiVersions", "resources"}) {
        const Node& list = child(rule, field);
        if (list.empty()) p.required(path + "." + field);
        if (std::string_view(field) != "resources" && list.size() > 1 && std::ranges::any_of(list.items(), [](const Node& o) { return o.text() == "*"; }))
            p.invalid(path + "." + field, list, "if '*' is present, must not specify other " + std::string(std::string_view(field) == "apiGroups" ? "API groups" : "API versions"));
    }
}

void check_webhook(Problems& p, const std::string& path, const Node& hook) {
    check_qualified(p, path + ".name", hook.text_at("name"));
    const Node& rules = child(hook, "rules");
    for (std::size_t i = 0; i < rules.size(); ++i) check_operations(p, at(path + ".rules", i), rules.items()[i]);
    if (const auto policy = hook.text_at("failurePolicy"); !policy.empty()) p.one_of(path + ".failurePolicy", policy, {"Fail", "Ignore"});
    if (const auto policy = hook.text_at("matchPolicy"); !policy.empty()) p.one_of(path + ".matchPolicy", policy, {"Equivalent", "Exact"});
    if (const auto effects = hook.text_at("sideEffects"); effects.empty())
        p.required(path + ".sideEffects", "must specify one of None, NoneOnDryRun");
    else
        p.one_of(path + ".sideEffects", effects, {"None", "NoneOnDryRun"});
    if (const auto seconds = child(hook, "timeoutSeconds").as_int(); seconds && (*seconds < 1 || *seconds > 30))
        p.invalid(path + ".timeoutSeconds", Node::integer(*seconds), "the timeout value must be between 1 and 30 seconds");
    for (const auto field : {"namespaceSelector", "objectSelector"}) check_label_selector(p, path + "." + field, hook.find(field));
    check_webhook_client(p, path + ".clientConfig", child(hook, "clientConfig"));
    if (const auto policy = hook.text_at("reinvocationPolicy"); !policy.empty()) p.one_of(path + ".reinvocationPolicy", policy, {"IfNeeded", "Never"});
}

} // namespace

void check_webhook_client(Problems& p, const std::string& path, const Node& client) {
    const Node& service = child(client, "service");
    if (client.contains("url") == service.is_map()) return p.required(path, "exactly one of url or service is required");
    if (client.contains("url")) return check_webhook_url(p, path + ".url", client.text_at("url"));
    if (service.text_at("namespace").empty()) p.required(path + ".service.name"); // the real server takes the one for the other, too
    if (service.text_at("name").empty()) p.required(path + ".service.namespace");
    if (const auto port = child(service, "port").as_int().value_or(443); port < 1 || port > 65535)
        p.invalid(path + ".service.port", Node::integer(port), "port is not valid: must be between 1 and 65535, inclusive");
    check_webhook_path(p, path + ".service.path", service.text_at("path"));
}

void check_review_versions(Problems& p, const std::string& path, const Node& versions, std::string_view none) {
    if (versions.empty()) return p.required(path, none);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < versions.size(); ++i) {
        const auto v = versions.items()[i].text();
        if (!seen.insert(v).second)
            p.invalid(at(path, i), v, "duplicate version");
        else
            for (const auto& why : dns_1035_label(v)) p.invalid(at(path, i), v, why);
    }
    if (!seen.contains("v1") && !seen.contains("v1beta1")) p.invalid(path, versions, "must include at least one of v1, v1beta1");
}

void check_webhooks(Problems& p, const Node& obj, const Node&) {
    std::set<std::string_view> names;
    const Node& hooks = child(obj, "webhooks");
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        const Node& hook = hooks.items()[i];
        const std::string here = at("webhooks", i);
        check_webhook(p, here, hook);
        check_review_versions(p, here + ".admissionReviewVersions", child(hook, "admissionReviewVersions"), "must specify one of v1, v1beta1");
        if (const auto name = hook.text_at("name"); !name.empty() && !names.insert(name).second) p.duplicate(here + ".name", Node::string(name));
    }
}

} // namespace weber::kube::server
