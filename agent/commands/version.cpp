#include <ostream>

#include "agent/commands/commands.h"

namespace weber::agent {

namespace {

Result<int> run(Invocation& in) {
    in.io.out << "weber: v" WEBER_VERSION "\n";
    return kOk;
}

} // namespace

Command version_command() {
    return {.name = "version", .summary = "Print the version", .run = run};
}

} // namespace weber::agent
