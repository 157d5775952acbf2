#include "gitops/decrypt/age_file.h"

#include <algorithm>

#include "kube/base/digest.h"
#include "kube/base/trim.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kIntro = "age-encryption.org/v1\n";
constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----", kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kMaxStanzas = 1000;

std::unexpected<Error> malformed(const char* what) { return fail(ErrorCode::invalid, std::string("failed to read header: parsing age header: ") + what); }

// The next line without its "\n"; false when there is none.
bool take_line(std::string_view& rest, std::string_view& line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        out.emplace_back(line.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

int value_of_base64(char c) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return static_cast<int>(kAlphabet.find(c));
}

// Of padded text that a decoder took: no line breaks, and the bits of the last character that say nothing are zero.
bool canonical(std::string_view text) {
    if (text.find('\n') != std::string_view::npos || text.find('\r') != std::string_view::npos) return false;
    if (text.ends_with("==")) return value_of_base64(text[text.size() - 3]) % 16 == 0;
    return !text.ends_with('=') || value_of_base64(text[text.size() - 2]) % 4 == 0;
}

bool printable(std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= 33 && c <= 126; });
}

Result<AgeStanza> parse_stanza(std::string_view line, std::string_view& rest) {
    std::vector<std::string> arguments = words(line.substr(3));
    if (!std::ranges::all_of(arguments, printable)) return malformed("malformed stanza opening line");
    AgeStanza stanza{arguments.front(), {arguments.begin() + 1, arguments.end()}, {}};
    for (std::string_view body; take_line(rest, body);) {
        if (body.size() > kColumns) return malformed("malformed body line: too long");
        auto bytes = decode_raw_base64(body);
        if (!bytes) return malformed("malformed body line: not canonical base64");
        stanza.body += *bytes;
        if (body.size() < kColumns) return stanza;
    }
    return malformed("unexpected end of a stanza");
}

} // namespace

Result<std::string> decode_raw_base64(std::string_view text) {
    if (text.find_first_of("=\r\n") != std::string_view::npos) return fail(ErrorCode::invalid, "not unpadded base64");
    std::string padded;
    padded.reserve(text.size() + 3);
    padded.append(text).append((4 - text.size() % 4) % 4, '=');
    TRY(std::string bytes, kube::base64_decode(padded));
    if (!canonical(padded)) return fail(ErrorCode::invalid, "not canonical base64");
    return bytes;
}

std::string encode_raw_base64(std::string_view bytes) {
    std::string out = kube::base64_encode(bytes);
    out.erase(out.find_last_not_of('=') + 1);
    return out;
}

Result<std::string> remove_armor(std::string_view file) {
    std::string_view text = kube::trimmed(file, " \t\r\n");
    if (!text.starts_with(kBegin)) return std::string(file);
    const auto bad = [](const char* what) { return fail(ErrorCode::invalid, std::string("failed to read header: parsing age header: invalid armor: ") + what); };
    if (!text.ends_with(kEnd)) return bad("invalid closing line");
    text = text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size());
    std::string joined;
    std::size_t lines = 0, last = kColumns;
    for (std::string_view line; take_line(text, line); ++lines) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (lines == 0 && line.empty()) continue; // the rest of the opening line
        if (line.size() > kColumns || line.empty() || last < kColumns) return bad("a line of a wrong length");
        last = line.size();
        joined += line;
    }
    if (!text.empty()) return bad("invalid closing line");
    auto bytes = kube::base64_decode(joined);
    if (!bytes || !canonical(joined)) return bad("not canonical base64");
    return std::move(*bytes);
}

std::string add_armor(std::string_view file) {
    std::string out(kBegin);
    out += '\n';
    const std::string text = kube::base64_encode(file);
    for (std::size_t at = 0; at < text.size(); at += kColumns) out.append(text.substr(at, kColumns)).append("\n");
    return out.append(kEnd).append("\n");
}

Result<AgeHeader> parse_age_header(std::string_view file) {
    if (!file.starts_with(kIntro)) return malformed("unexpected intro: this is not an age file of version 1");
    std::string_view rest = file.substr(kIntro.size());
    AgeHeader header;
    for (std::string_view line; take_line(rest, line);) {
        if (line.starts_with("--- ")) {
            auto mac = decode_raw_base64(line.substr(4));
            if (!mac || mac->size() != 32) return malformed("malformed closing line");
            header.mac = std::move(*mac);
            header.signed_text = file.substr(0, static_cast<std::size_t>(line.data() - file.data()) + 3);
            header.payload = rest;
            return header;
        }
        if (!line.starts_with("-> ") || header.stanzas.size() == kMaxStanzas) return malformed("malformed stanza");
        TRY(AgeStanza stanza, parse_stanza(line, rest));
        header.stanzas.push_back(std::move(stanza));
    }
    return malformed("unexpected end");
}

std::string stanza_text(const AgeStanza& stanza) {
    std::string out = "-> " + stanza.type;
    for (const std::string& a : stanza.arguments) out += " " + a;
    out += '\n';
    const std::string body = encode_raw_base64(stanza.body);
    for (std::size_t at = 0; at <= body.size(); at += kColumns) out.append(body.substr(at, kColumns)).append("\n"); // a full last line needs an empty one
    return out;
}

} // namespace weber::gitops
