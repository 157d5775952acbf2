#include "kube/base/yaml_plain_scalars.h"

#include "kube/base/utf8.h"

namespace weber::kube {
namespace {

// Line breaks and the blanks around them, within a scalar: one becomes a blank, more lose one. At the break; on return at the next content.
bool fold(std::string_view text, std::size_t& at, std::uint32_t& line, std::string& out) {
    std::size_t breaks = 0;
    for (; at < text.size() && (text[at] == '\n' || text[at] == ' '); ++at) {
        if (text[at] != '\n') continue;
        ++breaks;
        ++line;
        if (at_document_mark(text, at + 1)) return false;
    }
    if (breaks == 1) out.push_back(' ');
    else out.append(breaks - 1, '\n');
    return at < text.size();
}

bool hex_escape(std::string_view text, std::size_t& at, std::size_t digits, std::string& out) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at) {
        const char c = at < text.size() ? text[at] : '\0';
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return false;
        value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    if ((value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF) return false;
    append_utf8(out, value);
    return true;
}

// Behind a backslash.
bool escape(std::string_view text, std::size_t& at, std::uint32_t& line, std::string& out) {
    const char c = text[at++];
    switch (c) {
    case 'n': out.push_back('\n'); return true;
    case 't': out.push_back('\t'); return true;
    case 'r': out.push_back('\r'); return true;
    case 'b': out.push_back('\b'); return true;
    case 'f': out.push_back('\f'); return true;
    case 'e': out.push_back('\x1b'); return true;
    case '0': out.push_back('\0'); return true;
    case '"': case '\\': case '\'': case ' ': out.push_back(c); return true;
    case 'x': return hex_escape(text, at, 2, out);
    case 'u': return hex_escape(text, at, 4, out);
    case 'U': return hex_escape(text, at, 8, out);
    case '\n': { // goes on in the next line
        ++line;
        if (at_document_mark(text, at)) return false;
        while (at < text.size() && text[at] == ' ') ++at;
        return at < text.size() && text[at] != '\n';
    }
    default: return false;
    }
}

void drop_blanks(std::string& out, std::size_t from) {
    while (out.size() > from && out.back() == ' ') out.pop_back();
}

// A line that holds a colon before a blank, or a comment: no part of a plain scalar.
bool is_plain_line(std::string_view line) {
    for (std::size_t i = line.find_first_of(":#\t"); i != std::string_view::npos; i = line.find_first_of(":#\t", i + 1)) {
        if (line[i] == '\t') return false;
        if (line[i] == ':' && (i + 1 == line.size() || line[i + 1] == ' ')) return false;
        if (line[i] == '#' && (i == 0 || line[i - 1] == ' ')) return false;
    }
    return true;
}

} // namespace

bool at_document_mark(std::string_view text, std::size_t line_start) {
    const std::string_view rest = text.substr(line_start);
    return rest.starts_with("---") || rest.starts_with("...");
}

bool read_quoted(std::string_view text, std::size_t& at, std::uint32_t& line, std::string& out) {
    const char quote = text[at++];
    const std::string_view stops = quote == '"' ? "\"\\\n\t" : "'\n\t";
    std::size_t kept = 0; // up to here blanks stay before a line break: they were escaped
    for (;;) {
        const std::size_t stop = text.find_first_of(stops, at);
        if (stop == std::string_view::npos) return false;
        out.append(text.substr(at, stop - at));
        at = stop;
        if (text[at] == '\t') return false;
        if (text[at] == '\n') {
            drop_blanks(out, kept);
            if (!fold(text, at, line, out)) return false;
        } else if (text[at] == '\\') {
            if (!escape(text, ++at, line, out)) return false;
            kept = out.size();
        } else {
            ++at;
            if (quote == '"' || text[at] != '\'') return true;
            out.push_back('\'');
            ++at;
        }
    }
}

bool read_block_scalar(std::string_view text, std::size_t& at, std::uint32_t& line, std::size_t column, std::string& out) {
    const bool folds = text[at++] == '>';
    const char chomp = text[at] == '-' || text[at] == '+' ? text[at++] : ' ';
    if (text[at] != '\n') return false;
    ++at;
    ++line;
    std::size_t width = 0, breaks = 0; // empty lines not yet written
    bool pending = false, was_deeper = false; // the break of the line before; did that line start with a blank?
    while (at < text.size()) {
        std::size_t begin = at;
        const std::size_t end = text.find('\n', at);
        while (text[begin] == ' ') ++begin;
        const std::size_t blanks = begin - at;
        if (begin == end) {
            if (width == 0 ? blanks != 0 : blanks > width) return false;
            ++breaks;
        } else {
            const bool tab = text[begin] == '\t';
            if (width == 0 && (blanks <= column || tab)) return false; // an empty block
            if (width == 0) width = blanks;
            if (blanks < width && tab) return false;
            if (blanks < width) break;
            const bool deeper = blanks > width || tab;
            if (pending && folds && !was_deeper && !deeper) {
                if (breaks == 0) out.push_back(' ');
            } else if (pending) {
                out.push_back('\n');
            }
            out.append(breaks, '\n');
            breaks = 0;
            out.append(text.substr(at + width, end - at - width));
            pending = true;
            was_deeper = deeper;
        }
        at = end + 1;
        ++line;
    }
    if (!pending) return false;
    if (chomp != '-') out.push_back('\n');
    if (chomp == '+') out.append(breaks, '\n');
    return true;
}

bool read_more_plain_lines(std::string_view text, std::size_t& at, std::uint32_t& line, std::size_t column, std::string& out) {
    for (;;) {
        std::size_t begin = at, breaks = 0, indent = 0;
        for (; begin < text.size() && (text[begin] == '\n' || text[begin] == ' '); ++begin) {
            if (text[begin] == '\n') ++breaks, indent = 0;
            else ++indent;
        }
        if (begin == text.size() || indent <= column || text[begin] == '#') return true;
        const std::size_t end = text.find('\n', begin);
        std::string_view more = text.substr(begin, end - begin);
        if (!is_plain_line(more)) return false;
        while (more.ends_with(' ')) more.remove_suffix(1);
        if (breaks == 1) out.push_back(' ');
        else out.append(breaks - 1, '\n');
        out.append(more);
        at = end;
        line += static_cast<std::uint32_t>(breaks);
    }
}

} // namespace weber::kube
