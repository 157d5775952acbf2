// `completion`: scripts for shells, and the hidden commands that they ask. Those speak as the ones of Flux's library do (cobra): a candidate a line, then
// ":" and what the shell is to do, so that scripts made for `flux` go on working when that name is ours.
#include <algorithm>
#include <ostream>
#include <set>

#include "agent/commands/commands.h"
#include "agent/commands/completion_scripts.h"
#include "agent/flux/session.h"
#include "agent/post_build_flags.h"
#include "kube/base/yaml.h"

namespace weber::agent {

namespace {

constexpr std::chrono::seconds kPatience{2}; // somebody waits at a prompt

// What the shell does when no candidate fits.
enum class Directive : std::uint8_t { files = 0, error = 1, nothing = 4 };

struct Candidate {
    std::string word;
    std::string about = {};
};

struct Answer {
    std::vector<Candidate> candidates = {};
    Directive directive = Directive::files;
};

Result<int> run_script(Invocation& in) {
    const std::string shell = in.path.substr(in.path.rfind(' ') + 1);
    in.io.out << completion_script(shell, in.program);
    return kOk;
}

// The words before the last one, understood as far as they can be.
struct Line {
    const Command* command;
    std::vector<Flag> flags;
    const Flag* wants = nullptr; // the last word is its value
    std::set<std::string, std::less<>> given = {};
    std::vector<std::string> connection = {}; // flags of the connection with their values, the namespace included
    bool only_words = false; // after "--"
    std::size_t arguments = 0;
    std::string_view verb = {};
};

const Flag* flag_of(const Line& line, std::string_view word) {
    const std::string_view name = word.starts_with("--") ? word.substr(2, word.find('=') == std::string_view::npos ? word.npos : word.find('=') - 2) : "";
    for (const Flag& f : line.flags)
        if (name.empty() ? word.size() == 2 && f.letter == word[1] && f.letter != 0 : f.name == name) return &f;
    return nullptr;
}

bool is_of_connection(const Flag& flag) {
    static const std::vector<Flag> flags = session_flags();
    return std::ranges::any_of(flags, [&](const Flag& f) { return f.name == flag.name; });
}

void read_flag(Line& line, std::span<const std::string> words, std::size_t& i) {
    const Flag* flag = flag_of(line, words[i]);
    if (flag == nullptr) return;
    line.given.emplace(flag->name);
    const bool whole = flag->kind == FlagKind::boolean || words[i].find('=') != std::string::npos;
    if (!whole && i + 1 >= words.size()) line.wants = flag;
    else if (is_of_connection(*flag)) line.connection.insert(line.connection.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i) + (whole ? 1 : 2));
    if (!whole) ++i;
}

Line read_line(const Command& root, std::span<const std::string> words) {
    Line line{.command = &root, .flags = {}};
    std::vector<Flag> inherited = root.inherited;
    const auto settle = [&] {
        line.flags = line.command->flags;
        line.flags.insert(line.flags.end(), inherited.begin(), inherited.end());
        line.flags.push_back({.name = "help", .kind = FlagKind::boolean, .help = "show this help", .letter = 'h'});
        if (!line.command->children.empty()) // a flag may stand before the command that knows it
            for (const Flag& f : session_flags()) line.flags.push_back(f);
    };
    settle();
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (line.only_words) ++line.arguments;
        else if (words[i] == "--") line.only_words = true;
        else if (words[i].starts_with("-") && words[i].size() > 1) read_flag(line, words, i);
        else if (const Command* child = line.command->child(words[i]); child != nullptr && line.arguments == 0) {
            if (line.command == &root) line.verb = child->name;
            line.command = child;
            inherited.insert(inherited.end(), child->inherited.begin(), child->inherited.end());
            settle();
        } else if (!(line.command == &root && words[i] == "help")) ++line.arguments;
    }
    return line;
}

// A connection by the flags on the line; nothing when there is none.
Result<Session> session_of(const Line& line, const Invocation& in) {
    Invocation asked{.io = in.io, .flags = Flags(session_flags()), .args = {}, .program = in.program, .path = in.path, .root = in.root};
    std::vector<std::string> words = line.connection;
    words.insert(words.end(), {"--timeout", std::to_string(kPatience.count()) + "s"});
    TRY_VOID(asked.flags.parse(words));
    return open_session(asked);
}

Answer names_of(const Line& line, const Invocation& in, const kube::GroupVersionKind& gvk, bool namespaced) {
    const auto session = session_of(line, in);
    if (!session) return {.directive = Directive::error};
    kube::ListOptions options;
    if (namespaced) options.ns = session->ns;
    options.metadata_only = true;
    const auto found = session->client().list(gvk, options, session->call());
    if (!found) return {.directive = Directive::error};
    Answer out{.directive = Directive::nothing};
    for (const Object& o : found->items) out.candidates.push_back({std::string(o.name())});
    return out;
}

Answer contexts(const Line& line) {
    Answer out{.directive = Directive::nothing};
    Flags flags{session_flags()};
    if (!flags.parse(line.connection)) return {.directive = Directive::error};
    for (const std::string& file : kubeconfig_files(flags)) {
        const auto text = read_file(file);
        if (!text) continue;
        const auto document = kube::read_yaml_one(*text, {.file = file});
        const Node* list = document ? document->find("contexts") : nullptr;
        if (list == nullptr) continue;
        for (const Node& context : list->items()) out.candidates.push_back({std::string(context.text_at("name"))});
    }
    return out;
}

Answer values_of(const Line& line, const Flag& flag, const Invocation& in) {
    if (flag.name == "namespace") return names_of(line, in, {"", "v1", "Namespace"}, false);
    if (flag.name == "context") return contexts(line);
    return {};
}

Answer flags_of(const Line& line) {
    Answer out{.directive = Directive::nothing};
    std::set<std::string_view> seen;
    for (const Flag& f : line.flags) {
        const bool repeats = f.kind == FlagKind::list || f.kind == FlagKind::comma_list;
        if (f.hidden || !seen.insert(f.name).second || (line.given.contains(f.name) && !repeats)) continue;
        out.candidates.push_back({"--" + std::string(f.name), std::string(f.help)});
        if (f.letter != 0) out.candidates.push_back({std::string("-") + f.letter, std::string(f.help)});
    }
    return out;
}

Answer words_of(const Line& line, const Invocation& in) {
    Answer out;
    if (!line.command->children.empty()) {
        out.directive = Directive::nothing;
        for (const Command& child : line.command->children)
            if (!child.hidden && line.arguments == 0) out.candidates.push_back({std::string(child.name), std::string(child.summary)});
        if (line.command == in.root) out.candidates.push_back({"help", "Help about a command"});
        return out;
    }
    if (line.verb == "create") return out; // a name that is not there yet
    const auto kind = std::ranges::find_if(flux_kinds(), [&](const FluxKind& k) { return std::ranges::find(k.words, line.command->name) != k.words.end(); });
    return kind == flux_kinds().end() ? out : names_of(line, in, kind->gvk(), true);
}

Answer answer(const Line& line, const std::string& last, const Invocation& in) {
    if (line.wants != nullptr) return values_of(line, *line.wants, in);
    if (line.only_words || !last.starts_with("-")) return words_of(line, in);
    if (last.find('=') == std::string::npos) return flags_of(line);
    const Flag* flag = flag_of(line, last);
    return flag != nullptr ? values_of(line, *flag, in) : Answer{};
}

Result<int> complete(Invocation& in, bool described) {
    const std::string last = in.args.empty() ? "" : in.args.back();
    const std::span<const std::string> before(in.args.data(), in.args.empty() ? 0 : in.args.size() - 1);
    const Line line = read_line(*in.root, before);
    Answer found = answer(line, last, in);
    const bool after_equals = line.wants == nullptr && !line.only_words && last.starts_with("-") && last.find('=') != std::string::npos;
    const std::string begun = after_equals ? last.substr(last.find('=') + 1) : last;
    std::erase_if(found.candidates, [&](const Candidate& c) { return !c.word.starts_with(begun); });
    std::ranges::sort(found.candidates, {}, &Candidate::word);
    for (const Candidate& c : found.candidates) in.io.out << c.word << (described && !c.about.empty() ? "\t" + c.about : "") << '\n';
    in.io.out << ':' << static_cast<int>(found.directive) << '\n';
    return kOk;
}

} // namespace

Command completion_command() {
    Command c{.name = "completion", .summary = "Print a script that makes a shell complete commands, flags and names"};
    c.inherited = session_flags(); // flux takes them everywhere
    for (Flag& flag : c.inherited) flag.hidden = true;
    for (const char* shell : {"bash", "zsh", "fish", "powershell"}) c.children.push_back({.name = shell, .summary = "For this shell", .run = run_script});
    return c;
}

std::vector<Command> complete_commands() {
    return {{.name = "__complete", .summary = "What may stand at the end of these words, and why", .run = [](Invocation& in) { return complete(in, true); }, .hidden = true, .raw = true},
            {.name = "__completeNoDesc", .summary = "What may stand at the end of these words", .run = [](Invocation& in) { return complete(in, false); }, .hidden = true, .raw = true}};
}

} // namespace weber::agent
