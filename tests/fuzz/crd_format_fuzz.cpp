// `format` of strings in definitions: the first line is the format, the rest the text.
#include <cstdint>
#include <string_view>

#include "kube/server/crd_formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kube::server;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto line = input.find('\n');
    const std::string_view format = input.substr(0, line), text = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
    (void)known_format("string", format);
    (void)has_format(format, text);
    // Every format reads every text.
    for (const std::string_view f : {"bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn",
                                     "hexcolor", "rgbcolor", "byte", "password", "date", "duration", "datetime", "k8s-short-name", "k8s-long-name"})
        (void)has_format(f, text);
    return 0;
}
