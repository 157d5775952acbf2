#include "agent/flux/table.h"

#include <algorithm>
#include <cctype>

#include "gitops/api/names.h"
#include "kube/base/ascii.h"

namespace weber::agent {

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

// Blocks whose characters take two columns: Hangul, CJK, full-width forms, emoji.
bool is_wide(char32_t c) {
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
           (c >= 0x20000 && c <= 0x3FFFD);
}

bool is_combining(char32_t c) { return (c >= 0x300 && c <= 0x36F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0x200B || c == 0x200D; }

std::string padded(std::string_view text, std::size_t width) {
    const std::size_t have = display_width(text);
    return std::string(text) + std::string(width > have ? width - have : 0, ' ');
}

void measure(const Row& row, std::vector<std::size_t>& widths) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
        for (std::string_view line : lines_of(row[i])) widths[i] = std::max(widths[i], display_width(line));
}

// Flux cuts hashes in what it says of sources and Kustomizations, of nothing else; of charts only in the message.
bool cuts_hashes(const Object& object) {
    const std::string_view group = object.group();
    return group == gitops::kSourceGroup || group == gitops::kKustomizeGroup;
}

} // namespace

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        char32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k) c = (c << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
        const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0); // a tab, too, as the table of flux counts
        if (!control && !is_combining(c)) columns += is_wide(c) ? 2 : 1;
        i += length;
    }
    return columns;
}

std::string format_table(const Row& header, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    measure(header, widths);
    for (const Row& row : rows) measure(row, widths);
    std::string out;
    for (std::size_t i = 0; i < header.size(); ++i) out += (i ? "\t" : "") + padded(kube::ascii_upper(header[i]), widths[i]);
    if (!header.empty()) out += " \n";
    for (const Row& row : rows) {
        std::vector<std::vector<std::string_view>> cells;
        std::size_t height = 1;
        for (const std::string& cell : row) {
            cells.push_back(lines_of(cell));
            height = std::max(height, cells.back().size());
        }
        for (std::size_t line = 0; line < height; ++line) { // cells that have no more lines hold two blanks, as the table of flux has it
            for (std::size_t i = 0; i < cells.size(); ++i) out += padded(line < cells[i].size() ? cells[i][line] : "  ", widths[i]) + "\t";
            out += '\n';
        }
    }
    return out;
}

std::string short_hashes(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end]))) ++end;
        const std::size_t run = end - i;
        if (run == 0) {
            out += text[i++];
            continue;
        }
        out += text.substr(i, run >= 40 && run <= 128 ? 8 : run);
        i = end;
    }
    return out;
}

const Node* condition_of(const Object& object, std::string_view type) {
    const Node* conditions = object.at({"status", "conditions"});
    if (!conditions) return nullptr;
    for (const Node& c : conditions->items())
        if (c.text_at("type") == type) return &c;
    return nullptr;
}

ReadyCells ready_cells(const Object& object) {
    const std::string_view kind = object.kind();
    if (kind == "Alert" || kind == "Provider") return {"True", std::string(kind) + " is Ready"};
    const Node* type = object.at({"spec", "type"});
    if (kind == "HelmRepository" && type && type->text() == "oci") return {"True", "Helm repository is Ready"};
    const Node* ready = condition_of(object, "Ready");
    if (!ready) return {"False", "waiting to be reconciled"};
    const std::string_view message = ready->text_at("message");
    return {std::string(ready->text_at("status")), cuts_hashes(object) ? short_hashes(message) : std::string(message)};
}

std::string suspended_cell(const Object& object) {
    const Node* suspend = object.at({"spec", "suspend"});
    return suspend && suspend->as_bool() ? "True" : "False";
}

std::string revision_of(const Object& object) {
    const auto text = [&](std::initializer_list<std::string_view> path) {
        const Node* node = object.at(path);
        return node ? std::string(node->text()) : std::string();
    };
    if (object.kind() == "Kustomization") return text({"status", "lastAppliedRevision"});
    if (object.kind() != "HelmRelease") return text({"status", "artifact", "revision"});
    const Node* history = object.at({"status", "history"});
    if (history && !history->empty()) return std::string(history->items().front().text_at("chartVersion"));
    return text({"status", "lastAttemptedRevision"});
}

std::string revision_cell(const Object& object) {
    const std::string revision = revision_of(object);
    return cuts_hashes(object) && object.kind() != "HelmChart" ? short_hashes(revision) : revision;
}

} // namespace weber::agent
