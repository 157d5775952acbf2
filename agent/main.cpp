#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "agent/command.h"
#include "agent/commands/commands.h"

int main(int argc, char** argv) {
    using namespace weber::agent;
    std::signal(SIGPIPE, SIG_IGN);
    setenv("RNP_LOG_CONSOLE", "0", 0); // librnp would write its findings to the standard error
    std::ios::sync_with_stdio(false);
    const std::string_view self = argc > 0 ? argv[0] : "weber";
    const std::string program = self.substr(self.rfind('/') + 1) == "flux" ? "flux" : "weber";
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    const Io io{.in = std::cin,
                .out = std::cout,
                .err = std::cerr,
                .in_terminal = isatty(STDIN_FILENO) == 1,
                .out_terminal = isatty(STDOUT_FILENO) == 1,
                .err_terminal = isatty(STDERR_FILENO) == 1};
    const int status = dispatch(root_command(program, words.empty() ? "" : words.front()), program, words, io);
    std::cout.flush();
    return std::cout.good() || status != kOk ? status : kFailed;
}
