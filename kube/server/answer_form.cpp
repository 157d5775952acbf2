#include "kube/server/answer_form.h"

#include <algorithm>
#include <array>

#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "kube/server/present.h"

namespace weber::kube::server {
namespace {

bool wants_indented(const HttpRequest& http) {
    constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "TRUE", "true", "True"}; // strconv.ParseBool
    if (const auto asked = http.param("pretty"); !asked.empty()) return std::ranges::find(kTrue, asked) != kTrue.end();
    const std::string_view agent = http.user_agent;
    return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

enum class Form : std::uint8_t { compact, indented, yaml };

Form wanted_form(const HttpRequest& http) {
    const bool plain_json = http.accept == "application/json" || http.accept == "*/*";
    const auto form = plain_json ? Api<Presentation>() : negotiate(http, {});
    if (form && form->yaml) return Form::yaml;
    return !form || form->pretty || wants_indented(http) ? Form::indented : Form::compact; // who asks for what there is not gets the errors for people
}

class Rewriting final : public Exchange {
public:
    Rewriting(std::shared_ptr<Exchange> to, Form form) : to_(std::move(to)), form_(form) {}
    void respond(HttpResponse r) override {
        if (r.content_type.starts_with("application/json")) rewrite(r);
        to_->respond(std::move(r));
    }
    void stream(HttpResponse head, std::shared_ptr<StreamSource> source) override { to_->stream(std::move(head), std::move(source)); }

private:
    void rewrite(HttpResponse& r) const {
        if (form_ == Form::indented) {
            r.body = indented_json(r.body);
            return;
        }
        const auto node = read_json(r.body);
        if (!node) return;
        r.body = write_yaml(*node);
        r.content_type = "application/yaml";
    }

    std::shared_ptr<Exchange> to_;
    Form form_;
};

} // namespace

std::string indented_json(std::string_view json) {
    std::string out;
    out.reserve(json.size() * 2);
    std::size_t depth = 0;
    const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
    bool text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (text) {
            out += c;
            if (c == '\\' && i + 1 < json.size()) out += json[++i];
            if (c == '"') text = false;
        } else if (c == '{' || c == '[') {
            out += c;
            const auto next = json.find_first_not_of(" \t\r\n", i + 1);
            if (next != std::string_view::npos && (json[next] == '}' || json[next] == ']')) {
                out += json[i = next];
            } else {
                ++depth;
                new_line();
            }
        } else if (c == '}' || c == ']') {
            depth -= depth > 0 ? 1 : 0;
            new_line();
            out += c;
        } else if (c == ',') {
            out += c;
            new_line();
        } else if (c == ':') {
            out += ": ";
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            out += c;
            text = c == '"';
        }
    }
    return out;
}

std::shared_ptr<Exchange> in_wanted_form(const HttpRequest& http, std::shared_ptr<Exchange> exchange) {
    if (http.path.starts_with("/openapi/")) return exchange;
    const Form form = wanted_form(http);
    return form == Form::compact ? exchange : std::make_shared<Rewriting>(std::move(exchange), form);
}

} // namespace weber::kube::server
