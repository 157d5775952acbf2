// A git http-backend for tests.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <test_paths.h>
#include <vector>

namespace weber::gitops {

// git_http_server.py for the life of a test.
class GitServer {
public:
    ~GitServer() {
        if (pid_ <= 0) return;
        ::close(input_);
        ::waitpid(pid_, nullptr, 0);
    }
    bool start(const std::string& root, const std::vector<std::string>& more) {
        int in[2], out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) return false;
        std::vector<std::string> words{"python3", WEBER_SOURCE_DIR "/tests/gitops/source/git_http_server.py", root};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<char*> argv;
        for (std::string& w : words) argv.push_back(w.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            ::close(in[1]);
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        FILE* lines = ::fdopen(out[0], "r");
        const bool ok = std::fscanf(lines, "port %d", &port) == 1;
        std::fclose(lines);
        return ok;
    }
    int port = 0;

private:
    pid_t pid_ = 0;
    int input_ = -1;
};

} // namespace weber::gitops
