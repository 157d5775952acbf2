// `completion`: scripts for shells, and the hidden command that they ask.
#include <algorithm>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"

namespace weber::agent {

namespace {

constexpr std::chrono::seconds kPatience{2}; // somebody waits at a prompt

std::string script(const std::string& shell, const std::string& name) {
    if (shell == "bash")
        return "_" + name + "() {\n  local IFS=$'\\n'\n  COMPREPLY=($(compgen -W \"$(" + name +
               " __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _" + name + " " + name + "\n";
    if (shell == "zsh")
        return "#compdef " + name + "\n_" + name + "() {\n  local -a found\n  found=(${(f)\"$(" + name +
               " __complete \"${(@)words[2,$CURRENT]}\" 2>/dev/null)\"})\n  compadd -a found\n}\ncompdef _" + name + " " + name + "\n";
    if (shell == "powershell")
        return "Register-ArgumentCompleter -Native -CommandName " + name + " -ScriptBlock {\n  param($word, $line, $at)\n"
               "  $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { \"$_\" })\n  if ($word -eq '') { $words += '' }\n  & " + name +
               " __complete @words 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }\n}\n";
    return "complete -c " + name + " -f -a '(" + name + " __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'\n";
}

Result<int> run_script(Invocation& in) {
    const std::string shell = in.path.substr(in.path.rfind(' ') + 1);
    in.io.out << script(shell, in.program);
    return kOk;
}

// Names of objects of the kind that the command is about, of the cluster that the words mean.
void add_names(const Command& command, const std::vector<std::string>& words, const Invocation& in, std::vector<std::string>& out) {
    const auto kind = std::ranges::find_if(flux_kinds(), [&](const FluxKind& k) { return std::ranges::find(k.words, command.name) != k.words.end(); });
    if (kind == flux_kinds().end()) return;
    Invocation asked{.io = in.io, .flags = Flags(session_flags()), .args = {}, .program = in.program, .path = in.path, .root = in.root};
    std::vector<std::string> known;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!asked.flags.takes_next(words[i]) || i + 1 >= words.size()) continue;
        known.insert(known.end(), {words[i], words[i + 1]});
    }
    known.insert(known.end(), {"--timeout", std::to_string(kPatience.count()) + "s"});
    if (!asked.flags.parse(known)) return;
    const auto session = open_session(asked);
    if (!session) return;
    kube::ListOptions options;
    options.ns = session->ns;
    options.metadata_only = true;
    if (const auto found = session->client().list(kind->gvk(), options, session->call()))
        for (const Object& o : found->items) out.emplace_back(o.name());
}

Result<int> complete(Invocation& in) {
    const Command* command = in.root;
    std::vector<Flag> flags = command->inherited;
    const std::string last = in.args.empty() ? "" : in.args.back();
    for (std::size_t i = 0; i + 1 < in.args.size(); ++i) {
        const Command* child = command->child(in.args[i]);
        if (!child) continue;
        command = child;
        flags.insert(flags.end(), child->inherited.begin(), child->inherited.end());
    }
    flags.insert(flags.end(), command->flags.begin(), command->flags.end());
    std::vector<std::string> out;
    if (last.starts_with("-")) {
        for (const Flag& f : flags)
            if (!f.hidden) out.push_back("--" + std::string(f.name));
    } else {
        for (const Command& child : command->children)
            if (!child.hidden) out.emplace_back(child.name);
        if (command->children.empty()) add_names(*command, in.args, in, out);
    }
    std::erase_if(out, [&](const std::string& word) { return !word.starts_with(last); });
    std::ranges::sort(out);
    for (const std::string& word : out) in.io.out << word << '\n';
    return kOk;
}

} // namespace

Command completion_command() {
    Command c{.name = "completion", .summary = "Print a script that makes a shell complete commands, flags and names"};
    for (const char* shell : {"bash", "zsh", "fish", "powershell"}) c.children.push_back({.name = shell, .summary = "For this shell", .run = run_script});
    return c;
}

Command complete_command() {
    return {.name = "__complete", .summary = "What may stand at the end of these words", .run = complete, .hidden = true, .raw = true};
}

} // namespace weber::agent
