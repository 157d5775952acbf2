#include "tests/agent/run_binary.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <test_paths.h>
#include <unistd.h>

namespace weber::agent_test {

namespace {

struct Pipe {
    int read_end = -1, write_end = -1;
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        read_end = ends[0], write_end = ends[1];
    }
    ~Pipe() {
        close_end(read_end);
        close_end(write_end);
    }
    static void close_end(int& fd) {
        if (fd >= 0) close(fd);
        fd = -1;
    }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& t : texts) out.push_back(t.data());
    out.push_back(nullptr);
    return out;
}

void drain(Pipe& out, Pipe& err, Ran& ran) {
    pollfd fds[2] = {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}};
    std::string* texts[2] = {&ran.out, &ran.err};
    for (int open = 2; open > 0;) {
        poll(fds, 2, -1);
        for (int i = 0; i < 2; ++i) {
            if (fds[i].fd < 0 || fds[i].revents == 0) continue;
            char buffer[65536];
            const ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
            if (n > 0) texts[i]->append(buffer, static_cast<std::size_t>(n));
            else fds[i].fd = -1, --open;
        }
    }
}

} // namespace

Ran weber(const std::vector<std::string>& args, const RunOptions& options) {
    std::vector<std::string> words{options.program.empty() ? "weber" : options.program};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<std::string> variables;
    // No program can make that home, whoever runs the tests: a folder that one left would be another test's input.
    std::map<std::string, std::string> environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/dev/null/home"}, {"TZ", "UTC"}};
    for (const auto& [k, v] : options.environment) environment[k] = v;
    for (const auto& [k, v] : environment) variables.push_back(k + "=" + v);
    std::vector<char*> argv = pointers(words), envp = pointers(variables);

    Pipe in, out, err;
    const pid_t child = fork();
    if (child == 0) {
        if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
        dup2(in.read_end, STDIN_FILENO);
        dup2(out.write_end, STDOUT_FILENO);
        dup2(err.write_end, STDERR_FILENO);
        execve(WEBER_BINARY, argv.data(), envp.data());
        _exit(127);
    }
    Pipe::close_end(in.read_end);
    Pipe::close_end(out.write_end);
    Pipe::close_end(err.write_end);
    if (!options.input.empty() && write(in.write_end, options.input.data(), options.input.size()) < 0) throw std::runtime_error("write");
    Pipe::close_end(in.write_end);
    Ran ran;
    drain(out, err, ran);
    int status = 0;
    waitpid(child, &status, 0);
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

TempDir::TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weber-agent-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp");
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace weber::agent_test
