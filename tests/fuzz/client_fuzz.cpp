// What the client reads from servers and from other people's kubeconfigs. The first byte chooses the reader.
#include <cstddef>
#include <cstdint>
#include <string>

#include "kube/kubeconfig.h"
#include "kube/retry.h"
#include "kube/watch.h"
#include "tests/kube/scripted_transport.h"

using namespace weber;
using namespace weber::kube;
using weber::testing::ScriptedTransport;

namespace {

void read_kubeconfig(const std::string& text) {
    (void)parse_foreign_kubeconfig(text, "fuzz");
    (void)parse_kubeconfig(text, "fuzz");
}

// Every document is the same text: aggregated, legacy, OpenAPI index and document.
void read_discovery(const std::string& text) {
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest&, int) { return weber::testing::json_answer(200, text); });
    Client client(transport);
    (void)client.discovery().all();
    (void)client.discovery().preferred({"apps", "Deployment"});
    (void)client.discovery().find({"", "v1", "ConfigMap"});
    (void)client.open_api().schema({"apps", "v1", "Deployment"});
}

void read_watch(const std::string& text) {
    auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
        return r.target.find("watch=") != std::string::npos ? Result<HttpResponse>(weber::testing::json_answer(200, text)) : weber::testing::small_discovery(r);
    });
    Client client(transport);
    (void)watch(client, {.gvk = {"", "v1", "ConfigMap"}, .ns = "ns", .metadata_only = true}, [](const WatchEvent& e) { return e.kind != WatchEventKind::trouble; });
}

void read_answers(const std::string& text) {
    for (const int status : {200, 201, 404, 409, 500}) {
        auto transport = std::make_shared<ScriptedTransport>([&](const HttpRequest& r, int) -> Result<HttpResponse> {
            if (r.target.find("configmaps") == std::string::npos) return weber::testing::small_discovery(r);
            return HttpResponse{.status = status, .headers = {{"Warning", text}, {"Retry-After", text}}, .body = text};
        });
        Client client(transport);
        const ObjectRef ref{.gvk = {"", "v1", "ConfigMap"}, .ns = "ns", .name = "a"};
        if (const auto got = client.get(ref); !got) (void)conflicts_of(got.error());
        (void)client.remove(ref);
        (void)client.list_pages(ref.gvk, {}, [](const std::vector<Object>&, bool) {}, {.timeout = std::chrono::milliseconds(1)});
    }
    (void)parse_retry_after(text, SystemTime{});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
    case 0: read_kubeconfig(text); break;
    case 1: read_discovery(text); break;
    case 2: read_watch(text); break;
    default: read_answers(text); break;
    }
    return 0;
}
