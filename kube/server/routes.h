// From an HTTP request to the handler that answers it.
//
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kube/server/access.h"
#include "kube/server/core.h"
#include "kube/server/http_types.h"

namespace weber::kube::server {

class Router {
public:
    Router(Core& core, const Access& access) : core_(core), access_(access) {}
    void handle(HttpRequest&& request, const std::shared_ptr<Exchange>& exchange);

private:
    struct Holder; // a request and its call, alive until the answer (or the watch) ends
    Api<void> may_ask(const Holder& holder) const;
    Api<void> resolve(Holder& holder) const;
    void run(const std::shared_ptr<Holder>& holder, const std::shared_ptr<Exchange>& exchange);
    std::optional<HttpResponse> simple_path(const HttpRequest& http) const;

    Core& core_;
    const Access& access_;
};

} // namespace weber::kube::server
