#include "kube/server/request.h"

#include <algorithm>
#include <charconv>

#include "kube/base/clock.h"
#include "kube/base/digest.h"
#include "kube/base/json.h"

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

bool unprintable(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

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
        else if (unprintable(c))
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

void check_dry_run(const std::vector<std::string>& values, std::vector<ErrorDetail>& causes) {
    if (std::ranges::all_of(values, [](const std::string& v) { return v == "All"; })) return;
    Node all = Node::list();
    for (const auto& v : values) all.push_back(Node::string(v));
    causes.push_back({"FieldValueNotSupported", "Unsupported value: " + write_json(all) + ": supported values: \"All\"", "dryRun"});
}

Api<void> read_write_options(Call& call, std::string_view options_kind, bool apply_patch) {
    const HttpRequest& http = *call.http;
    std::vector<ErrorDetail> causes;
    const auto manager = http.param("fieldManager");
    if (options_kind == "PatchOptions") {
        if (apply_patch && manager.empty()) causes.push_back({"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"});
        if (!apply_patch && http.has_param("force")) causes.push_back({"FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force"});
    }
    if (manager.size() > 128) causes.push_back({"FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager"});
    for (std::size_t at = 0; at < manager.size(); ++at)
        if (unprintable(manager[at]))
            causes.push_back({"FieldValueInvalid", "Invalid value: " + go_quoted(manager) + ": invalid character U+00" + hex_byte(manager[at]) + " (at position " + std::to_string(at) + ")",
                              "fieldManager"});
    const std::vector<std::string> dry = http.params("dryRun");
    check_dry_run(dry, causes);
    const auto validation = http.param("fieldValidation");
    if (!validation.empty() && validation != "Warn" && validation != "Strict" && validation != "Ignore")
        causes.push_back({"FieldValueNotSupported",
                          "Unsupported value: " + write_json(Node::string(validation)) + ": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", "fieldValidation"});
    if (!causes.empty()) return refuse(invalid(options_kind, "meta.k8s.io", "", std::move(causes)));
    call.dry_run = !dry.empty();
    call.validation = validation == "Strict" ? FieldValidation::strict : validation == "Ignore" ? FieldValidation::ignore : FieldValidation::warn;
    call.manager = manager;
    if (call.manager.empty()) {
        call.manager = http.user_agent.substr(0, http.user_agent.find('/'));
        if (call.manager.size() > 128) call.manager.resize(128);
    }
    return {};
}

Api<std::int64_t> number_param(const HttpRequest& http, std::string_view name) {
    const std::string text(http.param(name));
    if (!http.has_param(name)) return 0;
    std::int64_t n = 0;
    const char* digits = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
    const auto [end, ec] = std::from_chars(digits, text.data() + text.size(), n);
    if (ec == std::errc::result_out_of_range) return refuse(bad_request("strconv.ParseInt: parsing " + write_json(Node::string(text)) + ": value out of range"));
    if (ec != std::errc() || end != text.data() + text.size())
        return refuse(bad_request("strconv.ParseInt: parsing " + write_json(Node::string(text)) + ": invalid syntax"));
    return n;
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
