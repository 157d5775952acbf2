// The tree of commands: one table says what there is, and dispatch, help, suggestions and completion are made of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/flags.h"
#include "agent/io.h"
#include "kube/base/error.h"

namespace weber::agent {

// Exit statuses (README, section "Exit status").
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

struct Command;

// One run of one command.
struct Invocation {
    const Io& io;
    Flags flags;
    std::vector<std::string> args;
    std::string program;             // "weber" or "flux"
    std::string path;                // "get kustomizations"
    const Command* root = nullptr;

    // Called under Flux's name: then also a wrong flag exits with 1.
    [[nodiscard]] bool as_flux() const { return program == "flux"; }
    // Says `text` and what to do about it; the exit status of a wrong command line.
    [[nodiscard]] int usage(std::string_view text) const;
    // The same for a word where none is expected, in the words of `flux`.
    [[nodiscard]] int unknown_word() const;
    // Prints the command's help; the exit status of that.
    [[nodiscard]] int help() const;
};

// The exit status; an error is printed and the status is kFailed.
using Run = std::function<Result<int>(Invocation&)>;

struct Command {
    std::string_view name;
    std::string_view args = {};      // "NAME..." in the help
    std::string_view summary = {};   // one line
    std::string_view about = {};     // paragraphs under it
    std::vector<std::string_view> aliases = {};
    std::vector<Flag> flags = {};    // of this command
    std::vector<Flag> inherited = {}; // of this command and all below
    std::vector<Command> children = {};
    Run run = {};                    // null: only a group
    bool hidden = false;
    bool raw = false;                // all words after its name are arguments

    [[nodiscard]] bool answers_to(std::string_view word) const;
    [[nodiscard]] const Command* child(std::string_view word) const;
};

// Finds the command that `words` (without the program's name) mean, parses its flags, runs it. Returns the exit status.
int dispatch(const Command& root, const std::string& program, const std::vector<std::string>& words, const Io& io);

} // namespace weber::agent
