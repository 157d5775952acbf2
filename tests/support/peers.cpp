#include "tests/support/peers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kube/base/json.h"
#include "tests/support/test_cluster.h"

namespace weber::testing {

namespace fs = std::filesystem;

std::optional<std::string> peer(std::string_view name) {
    const auto environment = [](const char* variable) {
        const char* value = std::getenv(variable);
        return std::string(value != nullptr ? value : "");
    };
    fs::path cache = environment("WEBER_TOOLS_DIR");
    if (cache.empty()) {
        const std::string base = environment("XDG_CACHE_HOME");
        cache = fs::path(base.empty() ? environment("HOME") + "/.cache" : base) / "weber-tools";
    }
    std::optional<fs::path> newest;
    std::error_code ignored;
    for (const auto& version : fs::directory_iterator(cache / name, ignored)) {
        const fs::path program = version.path() / name;
        if (!fs::exists(program)) continue;
        if (!newest || fs::last_write_time(program) > fs::last_write_time(*newest)) newest = program;
    }
    return newest ? std::optional(newest->string()) : std::nullopt;
}

std::uint32_t setting(const char* name, std::uint32_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? static_cast<std::uint32_t>(std::stoul(text)) : otherwise;
}

std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

Ran run(const std::string& command, const std::string& home, const std::vector<std::string>& environment) {
    const TempDir dir;
    std::string line = "env -i PATH=\"$PATH\" HOME='" + home + "'";
    for (const std::string& e : environment) line += " '" + e + "'";
    dir.write("command", command);
    line += " sh '" + dir.path() + "/command" + "' >'" + dir.path() + "/out" + "' 2>'" + dir.path() + "/err" + "'";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(dir.path() + "/out"), read_file(dir.path() + "/err")};
}

Ran run_git(const std::string& dir, const std::string& command) {
    return run("cd '" + dir + "' && git " + command, dir,
               {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@t", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@t"});
}

std::vector<Node> ask_flux(const std::string& oracle, const std::vector<Node>& requests) {
    const TempDir dir;
    std::string text;
    for (const Node& r : requests) text += kube::write_json(r) + "\n";
    dir.write("requests", text);
    const Ran ran = run(oracle + " answer <'" + dir.path() + "/requests" + "'", dir.path());
    EXPECT_EQ(ran.status, 0) << ran.err;
    std::vector<Node> answers;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) answers.push_back(kube::read_json(line).value());
    EXPECT_EQ(answers.size(), requests.size());
    answers.resize(requests.size());
    return answers;
}

} // namespace weber::testing
