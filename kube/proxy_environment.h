// Which proxy the environment names for a server. Pure but for `from_environment`.
#pragma once

#include <string>
#include <string_view>

namespace weber::kube {

// The rules of Go's net/http (golang.org/x/net/http/httpproxy), by which client-go and so kubectl go; libcurl's own differ. Loopback addresses and "localhost"
// are never asked for through a proxy.
struct ProxyEnvironment {
    std::string http = {};  // HTTP_PROXY, else http_proxy: for http:// servers
    std::string https = {}; // HTTPS_PROXY, else https_proxy
    std::string no_proxy = {}; // NO_PROXY, else no_proxy: names (with subdomains; ".x" and "*.x" are subdomains only), addresses, ranges (10.0.0.0/8), each but
                          // ranges with ":port" if need be, divided by commas; "*" is everything

    static ProxyEnvironment from_environment();
    // URL of the proxy, or "" for none. `host` without brackets.
    [[nodiscard]] std::string proxy_for(bool is_https, std::string_view host, std::string_view port) const;
};

} // namespace weber::kube
