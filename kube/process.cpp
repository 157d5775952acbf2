#include "kube/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern "C" { // glibc 2.36's header forgets to say so
#include <sys/pidfd.h>
}

extern char** environ;

namespace weber::kube {

namespace {

using std::chrono::steady_clock;

class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
    Fd& operator=(Fd&& o) noexcept {
        std::swap(fd_, o.fd_);
        return *this;
    }
    ~Fd() { close(); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

struct Pipe {
    Fd read, write;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::internal, std::string("pipe: ") + std::strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<std::string> environment(const std::vector<std::pair<std::string, std::string>>& extra) {
    std::vector<std::string> out;
    const auto replaced = [&](std::string_view entry) {
        for (const auto& [name, value] : extra)
            if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') return true;
        return false;
    };
    for (char** e = environ; e && *e; ++e)
        if (!replaced(*e)) out.emplace_back(*e);
    for (const auto& [name, value] : extra) out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

Result<pid_t> spawn(const ProcessOptions& options, const Pipe& out, const Pipe& err) {
    std::vector<std::string> args{options.program};
    args.insert(args.end(), options.args.begin(), options.args.end());
    std::vector<std::string> env = environment(options.env);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = 0;
    const int rc = posix_spawnp(&pid, options.program.c_str(), &actions, &attributes, pointers(args).data(), pointers(env).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0) return fail(rc == ENOENT ? ErrorCode::not_found : ErrorCode::internal, options.program + ": " + std::strerror(rc));
    return pid;
}

// Appends what can be read now. False at the end of the stream, or when it is too much.
bool drain(int fd, std::string& text, std::size_t limit) {
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        if (n == 0) return false;
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > limit) return false;
    }
}

int reap(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Result<ProcessResult> run_process(const ProcessOptions& options, std::stop_token stop) {
    TRY(Pipe out, make_pipe());
    TRY(Pipe err, make_pipe());
    const Fd stopped(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    TRY(const pid_t pid, spawn(options, out, err));
    out.write.close();
    err.write.close();
    const Fd exited(pidfd_open(pid, 0));
    const auto kill_all = [&](ErrorCode code, std::string_view why) {
        ::kill(-pid, SIGKILL);
        reap(pid);
        return fail(code, options.program + ": " + std::string(why));
    };
    const std::stop_callback on_stop(stop, [&] {
        const std::uint64_t one = 1;
        (void)!::write(stopped.get(), &one, sizeof one);
    });

    ProcessResult result;
    const auto deadline = steady_clock::now() + options.timeout;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
        if (left <= 0) return kill_all(ErrorCode::timeout, "it did not end in time");
        std::array<pollfd, 4> fds{{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}, {exited.get(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), static_cast<int>(std::min<long>(left, 60'000))) < 0 && errno != EINTR)
            return kill_all(ErrorCode::internal, std::strerror(errno));
        if (fds[2].revents != 0) return kill_all(ErrorCode::cancelled, "cancelled");
        if (out.read.get() >= 0 && !drain(out.read.get(), result.out, options.max_output)) out.read.close();
        if (err.read.get() >= 0 && !drain(err.read.get(), result.err, options.max_output)) err.read.close();
        if (result.out.size() > options.max_output || result.err.size() > options.max_output)
            return kill_all(ErrorCode::too_large, "it printed too much");
        if (fds[3].revents != 0) break; // ended, and what it wrote before that is read
    }
    result.exit_code = reap(pid);
    return result;
}

} // namespace weber::kube
