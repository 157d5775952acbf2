#include "tests/support/background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <test_paths.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "tests/support/peers.h"

namespace weber::testing {

void Background::start(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment, const std::string& log) {
    int in[2];
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    std::vector<std::string> copy = words, variables{"PATH=/usr/local/bin:/usr/bin:/bin"};
    for (const auto& [k, v] : environment) variables.push_back(k + "=" + v);
    std::vector<char*> argv, envp;
    for (std::string& w : copy) argv.push_back(w.data());
    for (std::string& v : variables) envp.push_back(v.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvpe(argv[0], argv.data(), envp.data());
        _exit(127);
    }
    close(in[0]);
    close(out);
    input_ = in[1];
}

void Background::stop(int signal) {
    if (pid_ <= 0) return;
    kill(pid_, signal);
    close(input_);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

std::string await_line(const std::string& file, const std::string& prefix) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < limit) {
        std::istringstream lines(read_file(file));
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with(prefix) && !lines.eof()) return line.substr(prefix.size());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
}

std::string GitServers::start(const std::string& root, const std::string& folder) {
    root_ = root;
    folder_ = folder;
    const std::string log = folder + ".log";
    process_.start({"python3", WEBER_SOURCE_DIR "/tests/support/git_servers.py", root, folder}, {}, log);
    std::istringstream ports(await_line(log, "ports "));
    if (ports >> https_port_ >> ssh_port_ && https_port_ != "no") return {};
    return "no git servers: " + read_file(log);
}

std::string GitServers::https(const std::string& repository) const { return "https://127.0.0.1:" + https_port_ + repository; }
std::string GitServers::ssh(const std::string& repository) const {
    return std::string("ssh://") + getpwuid(getuid())->pw_name + "@127.0.0.1:" + ssh_port_ + root_ + repository;
}
std::string GitServers::file(const std::string& name) const { return read_file(folder_ + "/" + name); }
std::string GitServers::known_host(const std::string& type) const {
    const std::string key = file("host_key_" + type + ".pub");
    return "[127.0.0.1]:" + ssh_port_ + " " + key.substr(0, key.rfind(' ')) + "\n";
}

} // namespace weber::testing
