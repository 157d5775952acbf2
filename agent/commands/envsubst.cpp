// `envsubst`: stdin with `${NAME}` replaced by the environment's values, line by line, in the dialect of postBuild (cli.md 2).
#include <unistd.h>

#include <istream>
#include <ostream>
#include <string>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "gitops/substitute/expand.h"

namespace weber::agent {

namespace {

gitops::Variables environment_variables() {
    gitops::Variables out;
    for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
        const std::string_view entry(*e);
        if (const std::size_t at = entry.find('='); at != std::string_view::npos) out.emplace(entry.substr(0, at), entry.substr(at + 1));
    }
    return out;
}

Result<int> run(const Invocation& in) {
    if (!in.args.empty()) return in.usage("unknown command \"" + in.args.front() + "\" for \"" + in.program + " envsubst\"");
    const gitops::Variables variables = environment_variables();
    const bool strict = in.flags.on("strict");
    std::string line;
    for (std::int32_t number = 1; std::getline(in.io.in, line); ++number) {
        const auto out = gitops::expand(line, variables, strict);
        if (!out) {
            in.io.out.flush();
            return fail(in.as_flux() ? out.error() : Error(out.error()).with_prefix("line " + std::to_string(number) + ": "));
        }
        in.io.out << *out << '\n';
    }
    return kOk;
}

} // namespace

Command envsubst_command() {
    Command c{.name = "envsubst",
            .summary = "Replace ${NAME} in stdin by the environment's values",
            .about = "Line by line, with the expressions that spec.postBuild knows: ${NAME:=default}, ${NAME/a/b} and so on.",
            .flags = {{.name = "strict", .kind = FlagKind::boolean, .help = "fail when a variable has no value and no default"}},
            .run = [](Invocation& in) { return run(in); }};
    for (Flag flag : session_flags()) { // flux takes them everywhere
        flag.hidden = true;
        c.flags.push_back(flag);
    }
    return c;
}

} // namespace weber::agent
