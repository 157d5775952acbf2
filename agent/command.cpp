#include "agent/command.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace weber::agent {

namespace {

constexpr Flag kVersion{.name = "version", .kind = FlagKind::boolean, .help = "print the version", .letter = 'v'};
constexpr Flag kHelp{.name = "help", .kind = FlagKind::boolean, .help = "show this help", .letter = 'h'};

// A command with the names on the way to it and the flags it knows.
struct Found {
    const Command* command;
    std::string path;           // "get kustomizations"
    std::vector<Flag> flags;    // its own, then those inherited
    std::vector<std::string> rest; // the words that are not names of commands
};

std::vector<Flag> flags_below(std::vector<Flag> inherited, const Command& command) {
    inherited.insert(inherited.begin(), command.inherited.begin(), command.inherited.end());
    return inherited;
}

Found find(const Command& root, const std::vector<std::string>& words) {
    Found found{.command = &root, .path = {}, .flags = {}, .rest = {}};
    std::vector<Flag> inherited = flags_below({kHelp}, root);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--") {
            found.rest.insert(found.rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
            break;
        }
        const Command* child = word.starts_with("-") ? nullptr : found.command->child(word);
        if (child) {
            found.command = child;
            found.path += (found.path.empty() ? "" : " ") + std::string(child->name);
            inherited = flags_below(std::move(inherited), *child);
            if (!child->raw) continue;
            found.rest.assign(1, "--");
            found.rest.insert(found.rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
            break;
        }
        found.rest.push_back(word);
        std::vector<Flag> known = found.command->flags;
        known.insert(known.end(), inherited.begin(), inherited.end());
        for (const Command& below : found.command->children) // `flux -n x get`: a flag may stand before the command that knows it
            known.insert(known.end(), below.inherited.begin(), below.inherited.end());
        if (Flags(std::move(known)).takes_next(word) && i + 1 < words.size()) found.rest.push_back(words[++i]);
    }
    found.flags = found.command->flags;
    if (found.command == &root) found.flags.push_back(kVersion);
    found.flags.insert(found.flags.end(), inherited.begin(), inherited.end());
    return found;
}

void help(const Found& found, const std::string& program, std::ostream& out) {
    const Command& c = *found.command;
    const std::string line = program + (found.path.empty() ? "" : " " + found.path);
    out << c.summary << "\n";
    if (!c.about.empty()) out << "\n" << c.about << "\n";
    out << "\nUsage:\n";
    if (c.run) out << "  " << line << (c.args.empty() ? "" : " ") << c.args << " [flags]\n";
    if (!c.children.empty()) out << "  " << line << " COMMAND\n";
    if (!c.aliases.empty()) {
        out << "\nAliases:\n  " << c.name;
        for (std::string_view alias : c.aliases) out << ", " << alias;
        out << "\n";
    }
    if (!c.children.empty()) {
        std::size_t width = 0;
        for (const Command& child : c.children) width = std::max(width, child.name.size());
        out << "\nCommands:\n";
        for (const Command& child : c.children)
            if (!child.hidden) out << "  " << child.name << std::string(width - child.name.size() + 3, ' ') << child.summary << "\n";
    }
    out << "\nFlags:\n" << describe(found.flags);
    if (!c.children.empty()) out << "\n`" << line << " COMMAND --help` tells more about a command.\n";
}

// Flux answers words that it does not know within a group by the group's help and success. Commands that it does have must not seem to have succeeded.
bool is_only_fluxs(std::string_view word) {
    static constexpr std::array kNames{"alert",  "alert-provider", "artifact", "artifacts", "bucket", "chart", "githubapp", "helm",   "helmrelease", "hr",     "image",
                                       "list",   "migrate",        "notation", "oci",       "plugin", "proxy", "pull",      "push",   "receiver",    "tag",    "tenant",
                                       "tls",    "trigger"};
    return std::ranges::find(kNames, word) != kNames.end();
}

Error unknown_command(const Command& parent, const std::string& line, const std::string& word) {
    std::vector<std::string> names;
    for (const Command& child : parent.children) {
        if (!child.hidden) names.emplace_back(child.name);
    }
    const std::string near = nearest(word, names);
    if (is_only_fluxs(word)) return Error{.code = ErrorCode::unsupported, .message = "weber has no `" + line + " " + word + "`"};
    if (line == "flux") return Error{.code = ErrorCode::invalid, .message = "unknown command \"" + word + "\" for \"flux\""}; // Flux says no more
    return Error{.code = ErrorCode::invalid, .message = "unknown command \"" + word + "\" for \"" + line + "\"",
                 .hint = near.empty() ? "`" + line + " --help` lists the commands" : "did you mean `" + line + " " + near + "`?"};
}

} // namespace

int Invocation::usage(std::string_view text) const {
    io.failure(Error{.code = ErrorCode::invalid, .message = std::string(text), .hint = as_flux() ? "" : "see `" + program + " " + path + " --help`"});
    return as_flux() ? kFailed : kUsage;
}

int Invocation::unknown_word() const { return usage("unknown command \"" + args.front() + "\" for \"" + program + " " + path + "\""); }

int Invocation::help() const {
    std::vector<std::string> words;
    std::istringstream names(path);
    for (std::string word; names >> word;) words.push_back(word);
    agent::help(find(*root, words), program, io.out);
    return kOk;
}

bool Command::answers_to(std::string_view word) const { return name == word || std::ranges::find(aliases, word) != aliases.end(); }

const Command* Command::child(std::string_view word) const {
    for (const Command& c : children)
        if (c.answers_to(word)) return &c;
    return nullptr;
}

int dispatch(const Command& root, const std::string& program, const std::vector<std::string>& words, const Io& streams) {
    Io io = streams;
    io.api_hints = program != "flux"; // there the API server's words stand alone
    const bool asks_help = !words.empty() && words.front() == "help";
    Found found = find(root, asks_help ? std::vector<std::string>(words.begin() + 1, words.end()) : words);
    const std::string line = program + (found.path.empty() ? "" : " " + found.path);
    const int usage = program == "flux" ? kFailed : kUsage;

    Flags flags(found.flags);
    auto args = flags.parse(found.rest);
    const bool help_given = asks_help || flags.given("help");
    const bool as_flux = program == "flux";
    if (!args && !help_given) {
        if (as_flux) args.error().hint.clear();
        io.failure(args.error());
        if (args.error().hint.empty() && !as_flux) io.err << "  see `" << line << " --help`\n";
        return usage;
    }
    if (args && !args->empty() && !found.command->run && !(as_flux && found.command != &root && !is_only_fluxs(args->front()))) {
        io.failure(unknown_command(*found.command, line, args->front()));
        return usage;
    }
    if (found.command == &root && flags.given("version")) {
        io.out << program << " version " WEBER_VERSION "\n";
        return kOk;
    }
    if (help_given || (!found.command->run && (found.command == &root || as_flux))) {
        help(found, program, io.out);
        return kOk;
    }
    if (!found.command->run) {
        help(found, program, io.err);
        return usage;
    }
    Invocation invocation{.io = io, .flags = std::move(flags), .args = std::move(*args), .program = program, .path = found.path, .root = &root};
    auto status = found.command->run(invocation);
    if (status) return *status;
    io.failure(status.error());
    return kFailed;
}

} // namespace weber::agent
