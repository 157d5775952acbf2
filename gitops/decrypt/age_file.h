// The outer form of an age file: armour, header, stanzas. Used by age.cpp only.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::gitops {

struct AgeStanza {
    std::string type;
    std::vector<std::string> arguments;
    std::string body;
};

struct AgeHeader {
    std::vector<AgeStanza> stanzas;
    std::string mac;
    std::string_view signed_text; // of the file: up to and with "---"
    std::string_view payload;
};

// Base64 without padding, canonical. Error invalid.
Result<std::string> decode_raw_base64(std::string_view text);
std::string encode_raw_base64(std::string_view bytes);

// Binary text of an armoured file; a file that is not armoured comes back as it is.
Result<std::string> remove_armor(std::string_view file);
std::string add_armor(std::string_view file);

// `file` must outlive the header.
Result<AgeHeader> parse_age_header(std::string_view file);
// A stanza's lines, each ended by "\n".
std::string stanza_text(const AgeStanza& stanza);

} // namespace weber::gitops
