// INI as gopkg.in/ini.v1 reads and writes it with the options that SOPS sets.
#include <algorithm>

#include "gitops/decrypt/stores.h"
#include "kube/base/utf8.h"

namespace weber::gitops::sops {

namespace {

constexpr std::string_view kDefaultSection = "DEFAULT";

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::invalid, "Could not unmarshal input data: " + std::move(message)); }

struct Key {
    std::string name, value, comment;
};
struct Section {
    std::string name, comment;
    std::vector<Key> keys;
};

bool surrounded(std::string_view s, char quote) { return s.size() >= 2 && s[0] == quote && s.back() == quote && s.find(quote, 1) == s.size() - 1; }

class Parser {
public:
    explicit Parser(std::string_view text) : rest_(text) {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    }

    Result<std::vector<Section>> parse() {
        sections_.push_back({std::string(kDefaultSection), {}, {}});
        while (!rest_.empty()) {
            const std::string_view line = kube::without_leading_space(take_line());
            if (line.empty()) continue;
            if (line[0] == '#' || line[0] == ';') {
                comment_ += line;
                continue;
            }
            TRY_VOID(line[0] == '[' ? section(line) : key(line));
        }
        return std::move(sections_);
    }

private:
    // The next line with its "\n".
    std::string_view take_line() {
        const std::size_t end = std::min(rest_.find('\n'), rest_.size() - 1) + 1;
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end);
        ++line_;
        return line;
    }
    [[nodiscard]] std::string here() const { return " (line " + std::to_string(line_) + ")"; }

    std::string take_comment() {
        std::string out(kube::without_outer_space(comment_));
        comment_.clear();
        return out;
    }

    Result<void> section(std::string_view line) {
        const std::size_t close = line.rfind(']');
        if (close == std::string_view::npos) return bad("unclosed section" + here());
        if (close == 1) return bad("empty section name" + here());
        const std::string_view after = line.substr(close + 1);
        if (const std::size_t at = after.find_first_of("#;"); at != std::string_view::npos) comment_ += after.substr(at);
        std::string name(line.substr(1, close - 1));
        sections_.push_back({std::move(name), take_comment(), {}});
        current_ = sections_.size() - 1;
        return {};
    }

    Result<void> key(std::string_view line) {
        std::size_t value_at = 0;
        Key key;
        TRY_VOID(key_name(line, value_at, key.name));
        if (key.name == "-") key.name.assign("#").append(std::to_string(++counter_));
        TRY(key.value, read_value(line.substr(value_at)));
        key.comment = take_comment();
        auto& keys = sections_[current_].keys;
        const auto it = std::ranges::find(keys, key.name, &Key::name);
        if (it == keys.end()) keys.push_back(std::move(key));
        else *it = std::move(key);
        return {};
    }

    Result<void> key_name(std::string_view line, std::size_t& value_at, std::string& name) const {
        const std::string_view quote = line.size() > 6 && line.starts_with("\"\"\"") ? "\"\"\"" : line[0] == '"' ? "\"" : line[0] == '`' ? "`" : "";
        std::size_t name_end = line.find_first_of("=:"), name_from = 0, delimiter = name_end;
        if (!quote.empty()) {
            name_from = quote.size();
            name_end = line.find(quote, name_from);
            if (name_end == std::string_view::npos) return bad("missing closing key quote" + here());
            delimiter = line.find_first_of("=:", name_end + quote.size());
        }
        if (delimiter == std::string_view::npos) return bad("key-value delimiter not found" + here());
        if (delimiter == 0) return bad("empty key name" + here());
        value_at = delimiter + 1;
        name = kube::without_outer_space(line.substr(name_from, name_end - name_from));
        return {};
    }

    Result<std::string> read_value(std::string_view in) {
        std::string_view line = kube::without_leading_space(in);
        if (line.empty()) return std::string();
        const std::string_view quote = line.size() > 3 && line.starts_with("\"\"\"") ? "\"\"\"" : line[0] == '`' ? "`" : "";
        if (!quote.empty()) {
            const std::string_view body = line.substr(quote.size());
            const std::size_t end = body.rfind(quote);
            if (end != std::string_view::npos) return std::string(body.substr(0, end));
            return read_quoted(std::string(body), quote);
        }
        line = kube::without_outer_space(line);
        if (line.ends_with('\\')) return read_continued(std::string(line.substr(0, line.size() - 1)));
        if (const std::size_t at = line.find_first_of("#;"); at != std::string_view::npos) {
            comment_ += line.substr(at);
            line = kube::without_outer_space(line.substr(0, at));
        }
        if (surrounded(line, '\'') || surrounded(line, '"')) line = line.substr(1, line.size() - 2);
        return std::string(line);
    }

    Result<std::string> read_quoted(std::string value, std::string_view quote) {
        while (!rest_.empty()) {
            const std::string_view next = take_line();
            const std::size_t end = next.rfind(quote);
            if (end == std::string_view::npos || kube::without_outer_space(next.substr(end + quote.size())).ends_with('\\')) {
                value += next;
                continue;
            }
            value += next.substr(0, end);
            if (const std::size_t at = next.find_first_of("#;", end); at != std::string_view::npos) comment_ += kube::without_outer_space(next.substr(at));
            return value;
        }
        return bad("missing closing key quote" + here());
    }

    Result<std::string> read_continued(std::string value) {
        while (!rest_.empty()) {
            const std::string_view next = kube::without_outer_space(take_line());
            if (next.empty()) break;
            value += next;
            if (!value.ends_with('\\')) break;
            value.pop_back();
        }
        return value;
    }

    std::string_view rest_;
    std::string comment_;
    std::vector<Section> sections_;
    std::size_t current_ = 0, counter_ = 0, line_ = 0;
};

std::string without_sign(const std::string& comment) {
    const char sign = comment.empty() ? ' ' : comment[0];
    if (sign != ';' && sign != '#') return comment;
    const std::size_t from = comment.find_first_not_of(sign == ';' ? "; " : "# ");
    return from == std::string::npos ? "" : comment.substr(from);
}

void append_comment(const std::string& comment, std::string& out) {
    for (std::size_t at = 0; at <= comment.size() && !comment.empty();) {
        const std::size_t end = std::min(comment.find('\n', at), comment.size());
        const std::string_view line = std::string_view(comment).substr(at, end - at);
        if (line.starts_with('#') || line.starts_with(';')) out.append(line.substr(0, 1)).append(" ").append(kube::without_outer_space(line.substr(1)));
        else out.append("; ").append(kube::without_outer_space(line));
        out += '\n';
        at = end + 1;
    }
}

std::string written_name(const std::string& name) {
    if (name.find_first_of("\"=:") != std::string::npos) return "`" + name + "`";
    return name.find('`') != std::string::npos ? "\"\"\"" + name + "\"\"\"" : name;
}

std::string written_value(const std::string& value) {
    if (value.find_first_of("\n`") != std::string::npos) return "\"\"\"" + value + "\"\"\"";
    if (value.find_first_of("#;") != std::string::npos) return "`" + value + "`";
    return kube::without_outer_space(value).size() != value.size() ? "\"" + value + "\"" : value;
}

void append_section(const Section& section, bool first, std::string& out) {
    append_comment(section.comment, out);
    if (!first || section.name != kDefaultSection) out.append("[").append(section.name).append("]\n");
    std::size_t width = 0;
    for (const Key& key : section.keys) width = std::max(width, written_name(key.name).size());
    for (const Key& key : section.keys) {
        append_comment(key.comment, out);
        const std::string name = written_name(key.name);
        out.append(name).append(width - name.size(), ' ').append(" = ").append(written_value(key.value)).append("\n");
    }
}

Result<Section> section_of(const Item& item) {
    if (item.value.kind != Kind::branch)
        return fail(ErrorCode::invalid, "Error marshaling to INI: Error encoding section: Section values should always be TreeBranches");
    if (item.key.empty()) return fail(ErrorCode::invalid, "Error marshaling to INI: Error encoding section : empty section name");
    Section section{item.key, {}, {}};
    for (std::size_t i = 0; i < item.value.branch.size(); ++i) {
        const Item& entry = item.value.branch[i];
        if (!entry.is_comment()) section.keys.push_back({entry.key, leaf_text(entry.value), {}});
        else if (i == 0) section.comment = entry.value.text;
        else if (!section.keys.empty()) section.keys.back().comment = entry.value.text;
    }
    return section;
}

} // namespace

Result<Branches> load_ini(std::string_view text) {
    TRY(const std::vector<Section> sections, Parser(text).parse());
    Branch out;
    for (const Section& section : sections) {
        Branch keys;
        if (!section.comment.empty()) keys.push_back({"", Value::of_comment(without_sign(section.comment))});
        for (const Key& key : section.keys) {
            keys.push_back({key.name, Value::of_text(key.value)});
            if (!key.comment.empty()) keys.push_back({"", Value::of_comment(without_sign(key.comment))});
        }
        out.push_back({section.name, Value::of_branch(std::move(keys))});
    }
    return Branches{std::move(out)};
}

Result<std::string> emit_ini(const Branches& branches) {
    std::vector<Section> sections;
    for (const Branch& branch : branches)
        for (const Item& item : branch) {
            if (item.is_comment()) continue;
            TRY(Section section, section_of(item));
            sections.push_back(std::move(section));
        }
    std::string out;
    for (std::size_t i = 0; i < sections.size(); ++i) {
        if (i == 0 && sections[0].name == kDefaultSection && sections[0].keys.empty()) continue;
        append_section(sections[i], i == 0, out);
        if (i + 1 < sections.size()) out += '\n';
    }
    return out;
}

} // namespace weber::gitops::sops
