#include "kube/server/request.h"

#include "kube/base/clock.h"
#include "kube/base/digest.h"

namespace weber::kube::server {
namespace {

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> out;
    while (!path.empty()) {
        if (path.front() == '/') {
            path.remove_prefix(1);
            continue;
        }
        const auto slash = path.find('/');
        out.emplace_back(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
    }
    return out;
}

// Place of the first character that cannot be printed; npos: none.
std::size_t unprintable(std::string_view s) {
    for (std::size_t i = 0; i < s.size(); ++i)
        if (static_cast<unsigned char>(s[i]) < 0x20 || s[i] == 0x7f) return i;
    return std::string_view::npos;
}

std::string hex_byte(char c) {
    std::string out = hex_encode(std::string_view(&c, 1));
    for (char& digit : out)
        if (digit >= 'a') digit = static_cast<char>(digit - 'a' + 'A');
    return out;
}

// As Go's %q, for texts that may hold control characters.
std::string go_quoted(std::string_view s) {
    std::string out = "\"";
    for (const char c : s) {
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += "\\x" + hex_encode(std::string_view(&c, 1));
        else
            out += c;
    }
    return out + "\"";
}

} // namespace

RequestPath parse_path(std::string_view text) {
    RequestPath p;
    auto parts = split(text);
    std::size_t i = 0;
    if (parts.size() < 3) return p;
    if (parts[0] == "api") {
        p.version = parts[1];
        i = 2;
    } else if (parts[0] == "apis" && parts.size() >= 4) {
        p.group = parts[1];
        p.version = parts[2];
        i = 3;
    } else {
        return p;
    }
    p.api = true;
    if (parts[i] == "namespaces" && parts.size() > i + 1) {
        p.ns = parts[i + 1];
        const bool sub_of_namespace = parts.size() == i + 3 && (parts[i + 2] == "status" || parts[i + 2] == "finalize");
        if (parts.size() > i + 2 && !sub_of_namespace) {
            p.namespaces_path = true;
            i += 2;
        }
    }
    p.resource = parts[i++];
    if (i < parts.size()) p.name = parts[i++];
    if (i < parts.size()) p.subresource = parts[i++];
    for (; i < parts.size(); ++i) p.extra.push_back(parts[i]);
    return p;
}

Api<void> read_write_options(Call& call, std::string_view options_kind, bool apply_patch) {
    const HttpRequest& http = *call.http;
    std::vector<ErrorDetail> causes;
    for (const auto& [k, v] : http.query) {
        if (k != "dryRun") continue;
        if (v != "All")
            causes.push_back({"FieldValueNotSupported", "Unsupported value: [\"" + v + "\"]: supported values: \"All\"", "dryRun"});
        else
            call.dry_run = true;
    }
    const auto validation = http.param("fieldValidation");
    if (validation == "Strict")
        call.validation = FieldValidation::strict;
    else if (validation == "Ignore")
        call.validation = FieldValidation::ignore;
    else if (!validation.empty() && validation != "Warn")
        causes.push_back({"FieldValueNotSupported",
                          "Unsupported value: \"" + std::string(validation) +
                              "\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                          "fieldValidation"});
    const auto manager = http.param("fieldManager");
    if (manager.size() > 128)
        causes.push_back({"FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager"});
    else if (const auto at = unprintable(manager); at != std::string_view::npos)
        causes.push_back({"FieldValueInvalid", "Invalid value: " + go_quoted(manager) + ": invalid character U+00" + hex_byte(manager[at]) +
                                                   " (at position " + std::to_string(at) + ")",
                          "fieldManager"});
    if (options_kind == "PatchOptions") {
        if (apply_patch && manager.empty())
            causes.push_back({"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"});
        if (!apply_patch && http.has_param("force"))
            causes.push_back({"FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force"});
    }
    if (!causes.empty()) return refuse(invalid(options_kind, "meta.k8s.io", "", std::move(causes)));
    call.manager = manager;
    if (call.manager.empty()) {
        call.manager = http.user_agent.substr(0, http.user_agent.find('/'));
        if (call.manager.size() > 128) call.manager.resize(128);
    }
    return {};
}

std::string now_text() { return format_rfc3339(system_clock().now()); }

Node extra_node(const User& user) {
    Node out = Node::map();
    for (const auto& [key, values] : user.extra) {
        Node list = Node::list();
        for (const auto& v : values) list.push_back(Node::string(v));
        out.set(key, std::move(list));
    }
    return out;
}

} // namespace weber::kube::server
