#include "agent/io.h"

#include <cstdlib>
#include <istream>
#include <ostream>

namespace weber::agent {

namespace {

void line(std::ostream& stream, std::string_view mark, std::string_view text) {
    stream << mark << ' ' << text << '\n';
    stream.flush();
}

} // namespace

void Io::action(std::string_view text) const { line(err, "►", text); }
void Io::generating(std::string_view text) const { line(err, "✚", text); }
void Io::waiting(std::string_view text) const { line(err, "◎", text); }
void Io::success(std::string_view text) const { line(err, "✔", text); }
void Io::warning(std::string_view text) const { line(err, "⚠️", text); }
void Io::failure(std::string_view text) const { line(err, "✗", text); }

void Io::failure(const Error& error) const {
    Error bare = error;
    bare.hint.clear();
    line(err, "✗", bare.to_string());
    if (!error.hint.empty() && (api_hints || error.http_status == 0)) line(err, " ", error.hint);
}

bool Io::confirm(std::string_view question) const {
    err << question << " [y/N] ";
    err.flush();
    std::string answer;
    std::getline(in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value) return std::nullopt;
    return std::string(value);
}

} // namespace weber::agent
