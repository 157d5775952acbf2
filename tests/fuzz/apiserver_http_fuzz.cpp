// Bytes on a connection of the HTTP front.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kube/server/http_front.h"

namespace {

using namespace weber::kube::server;

std::string start() {
    const std::string path = "/tmp/weber-http-fuzz-" + std::to_string(::getpid()) + ".sock";
    HttpFrontOptions options;
    options.unix_path = path;
    options.max_body = 64u << 10;
    static auto front = HttpFront::start(options, [](HttpRequest&& request, const std::shared_ptr<Exchange>& exchange) {
        HttpResponse r;
        r.body = request.method + " " + request.path + " " + std::to_string(request.body.size());
        exchange->respond(std::move(r));
    });
    if (!front) std::abort();
    return path;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string path = start();
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
    (void)::send(fd, data, size, MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    char buffer[4096];
    while (::recv(fd, buffer, sizeof buffer, 0) > 0) { // the server answers or hangs up, it does not wait for more
    }
    ::close(fd);
    return 0;
}
