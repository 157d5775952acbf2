#include "kube/transport.h"

#include <cctype>

#include "kube/base/ascii.h"

namespace weber::kube {

std::string_view HttpResponse::header(std::string_view name) const {
    for (const HttpHeader& h : headers)
        if (same_but_case(h.name, name)) return h.value;
    return {};
}

std::string url_escape(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const unsigned char c : text) {
        if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out += static_cast<char>(c);
        } else {
            out += '%';
            out += kHex[c >> 4];
            out += kHex[c & 15];
        }
    }
    return out;
}

} // namespace weber::kube
