// URLs of GitRepositories and of notification services, read as Flux's net/url reads them.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace weber::gitops {

// User and password of a URL, decoded; "" where it has none.
struct UrlUser {
    std::string name, password;
};
UrlUser user_of(std::string_view url);
bool has_host(std::string_view url);

// Why Go's url.Parse refuses a URL that begins with a scheme and "://": `invalid port ":org" after host`; "" when it does not.
std::string url_objection(std::string_view url);

} // namespace weber::gitops
