// The streams of a command: data on `out`, progress and errors on `err`, each progress line with the mark that Flux's CLI uses.
//
// Not thread-safe: one thread writes.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::agent {

struct Io {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_terminal = false;
    bool out_terminal = false;
    bool err_terminal = false;
    bool api_hints = true; // errors of the API server come with a next step; under Flux's name they do not

    void action(std::string_view text) const;     // ►
    void generating(std::string_view text) const; // ✚
    void waiting(std::string_view text) const;    // ◎
    void success(std::string_view text) const;    // ✔
    void warning(std::string_view text) const;    // ⚠️
    void failure(std::string_view text) const;    // ✗
    // The error for people: what and where on the first line, the next step on a second.
    void failure(const Error& error) const;

    // Asks on err, reads a line from in. Only y, Y, yes count as yes.
    [[nodiscard]] bool confirm(std::string_view question) const;
};

// A variable of the environment; nullopt when unset or empty.
std::optional<std::string> environment(const char* name);

} // namespace weber::agent
