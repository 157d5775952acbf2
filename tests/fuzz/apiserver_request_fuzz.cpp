// Whole requests, past the socket. Input: `METHOD TARGET CONTENT-TYPE`, a line break, the body.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "kube/server/bootstrap.h"
#include "kube/server/controllers.h"
#include "kube/server/core.h"
#include "kube/server/object_meta.h"
#include "kube/server/routes.h"

namespace {

using namespace weber::kube::server;

class Sink final : public Exchange {
public:
    void respond(HttpResponse response) override {
        if (response.status < 200 || response.status > 599) std::abort();
    }
    void stream(HttpResponse, std::shared_ptr<StreamSource> source) override {
        std::string out;
        (void)source->next(out);
        source->closed();
    }
};

struct World {
    std::unique_ptr<Store> store = [] {
        Store::set_decoder(&decode_stored);
        auto opened = Store::open({});
        if (!opened) std::abort();
        return std::move(*opened);
    }();
    Core core{*store, false};
    Access access{*store, {"", "key", true}};
    Router router{core, access};
    World() { bootstrap(core); }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World* world = nullptr;
    static int uses = 0;
    if (!world || ++uses % 2000 == 0) { // what earlier inputs made is forgotten now and then
        delete world;
        world = new World;
    }
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = text.find('\n');
    const std::string_view head = text.substr(0, line);
    const auto first = head.find(' '), second = head.find(' ', first == std::string_view::npos ? first : first + 1);
    if (line == std::string_view::npos || second == std::string_view::npos) return 0;
    HttpRequest request;
    request.method = head.substr(0, first);
    request.content_type = head.substr(second + 1);
    request.user_agent = "fuzz/1";
    request.body = text.substr(line + 1);
    if (!parse_target(head.substr(first + 1, second - first - 1), request)) return 0;
    world->router.handle(std::move(request), std::make_shared<Sink>());
    return 0;
}
