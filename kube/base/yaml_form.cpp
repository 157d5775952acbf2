// Comments of one YAML text, and the quotes of its keys, put into another that says the same, as go-yaml's node tree carries them along.
//
// libyaml drops comments, so they are found in the text itself: a '#' outside of all scalars. Which entry (key or list item) one belongs to, and where it is
// written, follows go-yaml v3 (scannerc.go yaml_parser_scan_comments, emitterc.go process_head/line/foot_comment).
#include <yaml.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "kube/base/yaml.h"

namespace weber::kube {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Mark {
    std::size_t line = 0, column = 0; // in characters, from 0
    friend auto operator<=>(const Mark&, const Mark&) = default;
};
Mark mark_of(const yaml_mark_t& m) { return {m.line, m.column}; }

struct Span {
    Mark begin, end;
};

// A list or map in brackets, and the entry whose value it is.
struct Brackets {
    Span span;
    std::size_t owner = kNone;
};

// A key or a list item.
struct Entry {
    std::string path;
    std::size_t parent = kNone;
    Mark begin;                  // of the key, of the dash
    std::size_t head_line = 0;   // in which its own text ends: the key's line, the last line of a scalar
    std::size_t last_line = 0;   // of all below it
    std::size_t content_line = 0;
    std::string key = {};        // as written, with its quotes
    bool folded = false;         // its value is a folded block that ends in a line break: go-yaml writes one more
    bool brackets = false;       // its value is a list or map in brackets

    [[nodiscard]] bool is_item() const { return path[path.find_last_of("\1\2")] == '\2'; }
};

// Where the entries and scalars of a text stand; the first document counts. All in the order of the text.
struct Layout {
    std::vector<std::string_view> lines;
    std::vector<Entry> entries;
    std::vector<Span> scalars;
    std::vector<Span> flows; // lists and maps in brackets, the outermost ones
    std::vector<Brackets> brackets;            // all of them, in the order of their ends
    std::vector<std::size_t> closing_quotes;   // lines that begin with the end of a text in single quotes

    [[nodiscard]] static bool within(const std::vector<Span>& spans, Mark at) {
        const auto behind = std::ranges::upper_bound(spans, at, {}, &Span::begin);
        return behind != spans.begin() && at < std::prev(behind)->end;
    }
    [[nodiscard]] bool in_scalar(Mark at) const { return within(scalars, at); }
    // The outermost brackets around a place; null: none.
    [[nodiscard]] const Span* flow_at(Mark at) const {
        const auto behind = std::ranges::upper_bound(flows, at, {}, &Span::begin);
        return behind != flows.begin() && at < std::prev(behind)->end ? &*std::prev(behind) : nullptr;
    }
    [[nodiscard]] bool begins_in_flow(std::size_t entry) const {
        const Span* flow = flow_at(entries[entry].begin);
        return flow != nullptr && flow->begin < entries[entry].begin;
    }
    // The first brackets to close behind a place, those that end at one; null: none.
    [[nodiscard]] const Brackets* next_to_close(Mark at) const {
        const auto it = std::ranges::upper_bound(brackets, at, {}, [](const Brackets& b) { return b.span.end; });
        return it == brackets.end() ? nullptr : &*it;
    }
    [[nodiscard]] const Brackets* ending_at(Mark at) const {
        const auto it = std::ranges::lower_bound(brackets, at, {}, [](const Brackets& b) { return b.span.end; });
        return it == brackets.end() || it->span.end != at ? nullptr : &*it;
    }
    // The outermost entry that begins in the line of this one: `- - a: b` is three.
    [[nodiscard]] std::size_t outermost(std::size_t entry) const {
        while (entries[entry].parent != kNone && entries[entries[entry].parent].begin.line == entries[entry].begin.line) entry = entries[entry].parent;
        return entry;
    }
    // The first entry that begins below a line.
    [[nodiscard]] std::size_t below(std::size_t line) const {
        const std::size_t n = up_to(line);
        return n == entries.size() ? kNone : n;
    }
    // How many entries begin in this line or above.
    [[nodiscard]] std::size_t up_to(std::size_t line) const {
        const auto it = std::ranges::upper_bound(entries, line, {}, [](const Entry& e) { return e.begin.line; });
        return static_cast<std::size_t>(it - entries.begin());
    }
};

class LayoutReader {
public:
    explicit LayoutReader(std::string_view text) {
        yaml_parser_initialize(&parser_);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            std::string_view line = rest.substr(0, end);
            if (line.ends_with('\r')) line.remove_suffix(1);
            layout_.lines.push_back(line);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    LayoutReader(const LayoutReader&) = delete;
    LayoutReader& operator=(const LayoutReader&) = delete;
    ~LayoutReader() { yaml_parser_delete(&parser_); }

    // Both texts were read or written by this library: a failure only means no comments.
    bool read() {
        for (;;) {
            yaml_event_t event;
            if (yaml_parser_parse(&parser_, &event) != 1) return false;
            const auto cleanup = std::unique_ptr<yaml_event_t, void (*)(yaml_event_t*)>(&event, yaml_event_delete);
            if (event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT) return true;
            take(event);
        }
    }
    Layout result() && { return std::move(layout_); }

private:
    struct Frame {
        std::size_t owner = kNone; // entry whose value this is
        bool list = false, flow = false, key_next = true;
        Mark begin = {};
        std::size_t count = 0;
    };

    void take(const yaml_event_t& event) {
        switch (event.type) {
        case YAML_SCALAR_EVENT: scalar(event); break;
        case YAML_ALIAS_EVENT: value(event, event.end_mark.line, event.end_mark.line); break;
        case YAML_SEQUENCE_START_EVENT: open(event, true, event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE); break;
        case YAML_MAPPING_START_EVENT: open(event, false, event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE); break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT: close(event); break;
        default: break;
        }
    }

    void scalar(const yaml_event_t& event) {
        const auto style = event.data.scalar.style;
        const bool block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
        const Mark begin = mark_of(event.start_mark);
        const Span span{block ? Mark{begin.line + 1, 0} : begin, mark_of(event.end_mark)}; // a block's first line may have a comment
        if (span.begin < span.end) layout_.scalars.push_back(span);
        if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE && span.end.line > begin.line && layout_.lines[span.end.line].find_first_not_of(' ') + 1 == span.end.column)
            layout_.closing_quotes.push_back(span.end.line);
        if (!frames_.empty() && !frames_.back().list && frames_.back().key_next) return key(event);
        const std::string_view header = block ? layout_.lines[begin.line].substr(0, layout_.lines[begin.line].find('#')) : std::string_view();
        const bool keeps = header.find('+') != std::string_view::npos;
        std::size_t last = event.end_mark.line;
        if (block && last > begin.line) --last; // the mark is at the line below
        while (block && !keeps && last > begin.line && blank_line(last)) --last;
        const std::size_t owner = value(event, block ? begin.line : event.end_mark.line, last);
        if (owner != kNone) layout_.entries[owner].folded = style == YAML_FOLDED_SCALAR_STYLE && header.find('-', event.start_mark.column) == std::string_view::npos;
    }

    [[nodiscard]] bool blank_line(std::size_t line) const {
        return line >= layout_.lines.size() || layout_.lines[line].find_first_not_of(" \t") == std::string_view::npos;
    }

    void key(const yaml_event_t& event) {
        Frame& frame = frames_.back();
        const std::string_view text(reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length);
        frame.key_next = false;
        add(path_of(frame.owner) + '\1' + std::string(text), frame.owner, mark_of(event.start_mark), event.end_mark.line);
        current_.back() = layout_.entries.size() - 1;
        if (event.start_mark.line == event.end_mark.line) layout_.entries.back().key = raw(event.start_mark.line, event.start_mark.column, event.end_mark.column);
    }
    // Part of a line, by characters.
    [[nodiscard]] std::string raw(std::size_t line, std::size_t from, std::size_t to) const {
        std::string out;
        std::size_t column = kNone;
        for (const char c : layout_.lines[line]) {
            if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++column;
            if (column >= from && column < to) out.push_back(c);
        }
        return out;
    }

    [[nodiscard]] std::string path_of(std::size_t entry) const { return entry == kNone ? std::string() : layout_.entries[entry].path; }

    void add(std::string path, std::size_t parent, Mark begin, std::size_t line) {
        layout_.entries.push_back({.path = std::move(path), .parent = parent, .begin = begin, .head_line = line, .last_line = line, .content_line = line});
    }

    // The entry whose value begins here; makes that of a list item.
    std::size_t owner_of_value(const yaml_event_t& event) {
        if (frames_.empty()) return kNone;
        Frame& frame = frames_.back();
        if (!frame.list) {
            frame.key_next = true;
            return current_.back();
        }
        Mark dash{event.start_mark.line, frame.flow ? event.start_mark.column : frame.begin.column};
        while (!frame.flow && dash.line > 0 && !dash_at(dash)) --dash.line;
        add(path_of(frame.owner) + "\2" + std::to_string(frame.count++), frame.owner, dash, dash.line);
        layout_.entries.back().content_line = event.start_mark.line;
        current_.back() = layout_.entries.size() - 1;
        return current_.back();
    }
    [[nodiscard]] bool dash_at(Mark at) const {
        return at.line < layout_.lines.size() && at.column < layout_.lines[at.line].size() && layout_.lines[at.line][at.column] == '-';
    }

    // The entry whose value it is.
    std::size_t value(const yaml_event_t& event, std::size_t line, std::size_t last) {
        const std::size_t owner = owner_of_value(event);
        if (owner == kNone) return owner;
        layout_.entries[owner].head_line = std::max(layout_.entries[owner].head_line, line);
        extend(owner, last);
        return owner;
    }
    void extend(std::size_t entry, std::size_t line) {
        for (; entry != kNone; entry = layout_.entries[entry].parent) layout_.entries[entry].last_line = std::max(layout_.entries[entry].last_line, line);
    }

    void open(const yaml_event_t& event, bool list, bool flow) {
        const std::size_t owner = owner_of_value(event);
        if (owner != kNone) layout_.entries[owner].brackets = flow;
        frames_.push_back({.owner = owner, .list = list, .flow = flow, .key_next = true, .begin = mark_of(event.start_mark), .count = 0});
        current_.push_back(kNone);
    }
    void close(const yaml_event_t& event) {
        const Frame frame = frames_.back();
        frames_.pop_back();
        current_.pop_back();
        if (frame.flow) layout_.brackets.push_back({{frame.begin, mark_of(event.end_mark)}, frame.owner});
        if (frame.flow && (frames_.empty() || !frames_.back().flow)) layout_.flows.push_back({frame.begin, mark_of(event.end_mark)});
        if (!frame.flow || frame.owner == kNone) return;
        layout_.entries[frame.owner].head_line = std::max(layout_.entries[frame.owner].head_line, event.end_mark.line);
        extend(frame.owner, event.end_mark.line);
    }

    yaml_parser_t parser_ = {};
    Layout layout_;
    std::vector<Frame> frames_;
    std::vector<std::size_t> current_; // by frame: the entry being read
};

// Consecutive lines of comments alone, in one column.
struct Block {
    std::size_t first = 0, last = 0, column = 0;
    std::string text; // lines, each without indentation, joined by line breaks
};

struct Comments {
    std::map<std::string, std::string> line;                 // by path; "# …"
    std::map<std::string, std::string> dash;                 // of a dash alone in its line
    std::map<std::string, std::vector<std::string>> head, foot;
    std::map<std::string, std::string> flow_line;            // behind an entry in brackets
    std::map<std::string, std::string> flow_after;           // behind the brackets that are an entry's value, inside of others
    std::map<std::string, std::vector<std::string>> flow_head; // above one
    std::map<std::string, std::vector<std::string>> flow_foot; // below the last one, before the closing bracket
    bool gap_after_head = false;                             // of the whole text
    std::vector<std::string> end;
};

class CommentReader {
public:
    explicit CommentReader(const Layout& layout) : layout_(layout), entry_of_line_(layout.lines.size(), kNone) {
        for (std::size_t i = 0; i < layout.entries.size(); ++i)
            for (const std::size_t line : {layout.entries[i].begin.line, layout.entries[i].head_line})
                if (line < entry_of_line_.size()) entry_of_line_[line] = i;
    }

    Comments read() {
        std::vector<Block> blocks;
        comment_only_.assign(layout_.lines.size(), false);
        for (std::size_t i = 0; i < layout_.lines.size(); ++i) {
            Mark mark{i, 0};
            const std::size_t at = comment_in(i, mark.column);
            if (at == std::string_view::npos) continue;
            if (const Span* flow = layout_.flow_at(mark)) {
                in_flow(*flow, mark, layout_.lines[i], at);
                continue;
            }
            const std::string_view text = layout_.lines[i].substr(at);
            comment_only_[i] = layout_.lines[i].find_first_not_of(" \t") == at;
            if (!comment_only_[i]) {
                beside(i, text);
            } else if (!blocks.empty() && blocks.back().last + 1 == i && blocks.back().column <= at) {
                blocks.back().last = i;
                blocks.back().text.append("\n").append(text);
            } else {
                blocks.push_back({.first = i, .last = i, .column = at, .text = std::string(text)});
            }
        }
        for (const Block& block : blocks) place(block);
        for (const auto& [entry, text] : late_feet_) out_.foot[layout_.entries[entry].path].push_back(text);
        return std::move(out_);
    }

private:
    // Byte and column of the line at which a comment begins, npos when there is none.
    [[nodiscard]] std::size_t comment_in(std::size_t line, std::size_t& column) const {
        const std::string_view text = layout_.lines[line];
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool spaced = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t';
            if (text[i] == '#' && spaced && !layout_.in_scalar({line, column})) return i;
            if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++column;
        }
        return std::string_view::npos;
    }

    [[nodiscard]] bool blank(std::size_t line) const {
        return line < layout_.lines.size() && layout_.lines[line].find_first_not_of(" \t") == std::string_view::npos;
    }

    // A comment in brackets: above an entry or below the last one, behind an entry of its line or behind inner brackets.
    void in_flow(const Span& flow, Mark mark, std::string_view line, std::size_t at) {
        const std::string_view text = line.substr(at);
        const auto behind = std::ranges::upper_bound(layout_.entries, mark, {}, &Entry::begin);
        if (line.find_first_not_of(" \t") == at) {
            const Brackets* closing = layout_.next_to_close(mark); // others that open first are an entry's, too
            if (closing == nullptr) return;
            if (behind != layout_.entries.end() && behind->begin < closing->span.end) out_.flow_head[behind->path].emplace_back(text);
            else if (behind != layout_.entries.begin()) below_last(*closing, static_cast<std::size_t>(behind - layout_.entries.begin()) - 1, text);
            return;
        }
        const std::string_view before = line.substr(0, at);
        const std::size_t last = before.find_last_not_of(" \t,");
        if (last == std::string_view::npos) return;
        if (before[last] == ']' || before[last] == '}') {
            const Brackets* ended = layout_.ending_at({mark.line, characters(before.substr(0, last + 1))});
            if (ended != nullptr && ended->owner != kNone) out_.flow_after[layout_.entries[ended->owner].path] = text;
            return;
        }
        if (behind == layout_.entries.begin()) return;
        const Entry& entry = *std::prev(behind);
        if (flow.begin < entry.begin && entry.begin < flow.end && entry.begin.line == mark.line) out_.flow_line[entry.path] = text;
    }

    void below_last(const Brackets& around, std::size_t entry, std::string_view text) {
        const auto inside = [&](std::size_t e) { return around.span.begin < layout_.entries[e].begin; };
        if (!inside(entry)) return; // nothing in these brackets
        while (layout_.entries[entry].parent != kNone && inside(layout_.entries[entry].parent)) entry = layout_.entries[entry].parent;
        const std::string& path = layout_.entries[entry].path;
        out_.flow_foot[path].emplace_back(text);
    }

    static std::size_t characters(std::string_view text) {
        return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    }

    void beside(std::size_t line, std::string_view text) {
        if (entry_of_line_[line] == kNone) return;
        const Entry& last = layout_.entries[entry_of_line_[line]];
        const bool only_dash = last.begin.line == line && last.content_line > line;
        (only_dash ? out_.dash : out_.line)[last.path] = text;
    }

    void place(const Block& block) {
        const std::size_t next = layout_.below(block.last);
        const bool follows_content = block.first > 0 && !blank(block.first - 1) && !comment_only_[block.first - 1];
        if (next == kNone) {
            const bool below_root_list = block.column == 0 && !layout_.entries.empty() && layout_.entries.front().is_item() && ends_item_of(kNone, block);
            if (!layout_.entries.empty() && (follows_content || block.column > 0) && !below_root_list) add_foot(block);
            else out_.end.push_back(block.text);
            return;
        }
        const Entry& below = layout_.entries[next];
        if (next == 0) out_.gap_after_head = blank(block.last + 1);
        const bool opens = next > 0 && below.parent == next - 1; // between a key and the map or list that is its value
        if (!opens && follows_content && blank(block.last + 1) && below.is_item() && ends_item_of(below.parent, block)) return add_late_foot(next, block);
        const bool is_foot = block.column > below.begin.column || (follows_content && blank(block.last + 1));
        if (is_foot && !opens && next > 0 && !(below.parent == kNone && block.first == 1 && begins_quoted())) add_foot(block);
        else out_.head[below.path].push_back(block.text);
    }

    // Does the block stand below a map or list that is an item of `list`'s value, further left than what is in it?
    [[nodiscard]] bool ends_item_of(std::size_t list, const Block& block) const {
        std::size_t entry = block.first == 0 ? 0 : layout_.up_to(block.first - 1);
        if (entry-- == 0) return false;
        std::size_t inner = kNone; // the entry below the item on the way up
        for (; layout_.entries[entry].parent != list; entry = layout_.entries[entry].parent) {
            if (layout_.entries[entry].parent == kNone) return false;
            inner = entry;
        }
        return inner != kNone && !layout_.begins_in_flow(inner) && layout_.entries[inner].begin.column > block.column;
    }

    // go-yaml gives such a comment to the next item: to its first key, or to itself when it is a scalar; one in brackets loses it.
    void add_late_foot(std::size_t entry, const Block& block) {
        const std::vector<Entry>& all = layout_.entries;
        while (all[entry].is_item() && !all[entry].brackets && entry + 1 < all.size() && all[entry + 1].parent == entry) ++entry;
        if (!all[entry].is_item() || !all[entry].brackets) late_feet_.emplace_back(entry, block.text);
    }

    // Is the first line of the text an entry with quotes or brackets as its value? go-yaml takes what stands below it for the next entry's.
    [[nodiscard]] bool begins_quoted() const {
        const Entry& first = layout_.entries.front();
        if (first.begin != Mark{} || first.last_line != 0) return false;
        const std::string_view line = layout_.lines.front();
        const std::size_t value = line.find_first_not_of(' ', first.key.size() + 1);
        return value != std::string_view::npos && std::string_view("\"'[{").find(line[value]) != std::string_view::npos;
    }

    // Of the innermost entry above that begins no further right.
    void add_foot(const Block& block) {
        std::size_t entry = block.first == 0 ? 0 : layout_.up_to(block.first - 1);
        if (entry-- == 0) return;
        while (layout_.entries[entry].parent != kNone && (layout_.entries[entry].begin.column > block.column || out_.foot.contains(layout_.entries[entry].path)))
            entry = layout_.entries[entry].parent;
        out_.foot[layout_.entries[entry].path].push_back(block.text);
    }

    const Layout& layout_;
    std::vector<std::size_t> entry_of_line_; // the last one that begins or whose own text ends there
    std::vector<bool> comment_only_;
    std::vector<std::pair<std::size_t, std::string>> late_feet_; // by entry, written below its other feet
    Comments out_;
};

class Writer {
public:
    Writer(const Layout& layout, const Comments& comments) : layout_(layout), comments_(comments), before_(layout.lines.size()), feet_(layout.lines.size()),
          ends_folded_(layout.lines.size()) {
        lines_.assign(layout.lines.begin(), layout.lines.end());
        for (const Entry& e : layout.entries)
            if (e.folded && e.last_line < ends_folded_.size()) ends_folded_[e.last_line] = true;
    }

    // Keys in the quotes that they have in the other text.
    void quote_keys(const Layout& source) {
        std::map<std::string_view, std::string_view> keys;
        for (const Entry& e : source.entries)
            if (e.key.starts_with('"') || e.key.starts_with('\'')) keys.emplace(e.path, e.key);
        for (const Entry& e : layout_.entries) {
            const auto it = keys.find(e.path);
            if (it == keys.end() || e.key.empty() || e.key == it->second) continue;
            if (const std::size_t at = lines_[e.begin.line].find(e.key); at != std::string::npos) lines_[e.begin.line].replace(at, e.key.size(), it->second);
        }
    }

    // Lists and maps in brackets with the line breaks that their comments need.
    void lay_flows_out() {
        for (std::size_t i = layout_.entries.size(); i-- > 0;) { // from behind: what stands before in a line keeps its place
            const Entry& e = layout_.entries[i];
            if (!layout_.begins_in_flow(i)) continue;
            const Span* flow = layout_.flow_at(e.begin);
            std::size_t owner = e.parent, depth = 1;
            while (owner != kNone && flow->begin < layout_.entries[owner].begin) owner = layout_.entries[owner].parent, ++depth;
            const std::size_t base = owner == kNone ? 0 : layout_.entries[owner].begin.column;
            std::string& line = lines_[e.begin.line];
            const std::size_t at = byte_of(line, e.begin.column);
            const std::size_t column = base + 2 * depth;
            std::string foot;
            if (const auto it = comments_.flow_foot.find(e.path); it != comments_.flow_foot.end())
                for (const std::string& text : it->second) foot.append("\n").append(column, ' ').append(text);
            // What stands behind the entry, up to `next`: its feet and the line break; none when the next entry's comment brings it.
            const auto below = [&](char next, std::size_t next_column) {
                if (next == '\n') return foot;
                return foot + "\n" + std::string(next == ',' ? next_column : next == ']' ? column - 2 : 0, ' ');
            };
            if (const auto it = comments_.flow_line.find(e.path); it != comments_.flow_line.end())
                behind_in_flow(line, at, [&](char next) { return ", " + it->second + below(next, column); }, true);
            else if (const auto after = comments_.flow_after.find(e.path); after != comments_.flow_after.end())
                behind_in_flow(line, at, [&](char next) { return " " + after->second + below(next, 0); }, false);
            else if (!foot.empty())
                behind_in_flow(line, at, [&](char next) { return (e.is_item() && e.brackets ? "" : ",") + below(next, 0); }, false);
            if (const auto it = comments_.flow_head.find(e.path); it != comments_.flow_head.end()) {
                std::string above;
                for (const std::string& text : it->second) above.append("\n").append(column, ' ').append(text);
                above.append("\n").append(column, ' ');
                const std::size_t blank = at > 0 && line[at - 1] == ' ' ? 1 : 0;
                line.replace(at - blank, blank, above);
            }
        }
    }

    std::string write() {
        end_maps_above_feet();
        lay_flows_out();
        for (std::size_t i = layout_.entries.size(); i-- > 0;) { // the innermost feet first
            const Entry& e = layout_.entries[i];
            if (const auto it = comments_.foot.find(e.path); it != comments_.foot.end())
                for (const std::string& block : it->second) feet_[e.last_line].push_back({block, e.begin.column});
            if (const auto it = comments_.dash.find(e.path); it != comments_.dash.end()) dash(e, it->second);
        }
        for (std::size_t i = 0; i < layout_.entries.size(); ++i) {
            const Entry& e = layout_.entries[i];
            if (const auto it = comments_.head.find(e.path); it != comments_.head.end()) head(layout_.outermost(i), it->second);
            if (const auto it = comments_.line.find(e.path); it != comments_.line.end()) lines_[e.head_line].append(" ").append(it->second);
        }
        for (const std::size_t line : layout_.closing_quotes) lines_[line].erase(0, lines_[line].find('\'')); // go-yaml indents what follows a break, but no quote
        std::string out;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            out.append(before_[i]).append(lines_[i]).append(ends_folded_[i] ? "\n\n" : "\n");
            feet(i, out);
        }
        for (const std::string& block : comments_.end) out.append("\n").append(block).append("\n");
        return out;
    }

private:
    struct Foot {
        std::string block;
        std::size_t column;
    };

    static std::size_t byte_of(std::string_view line, std::size_t column) {
        std::size_t at = 0;
        for (; at < line.size(); ++at)
            if ((static_cast<unsigned char>(line[at]) & 0xC0) != 0x80 && column-- == 0) break;
        return at;
    }

    // Puts `text`, made for what follows there, behind the entry that begins at `at`; in place of the comma that follows it if so asked.
    static void behind_in_flow(std::string& line, std::size_t at, const std::function<std::string(char)>& text, bool replaces_comma) {
        char quote = '\0';
        for (std::size_t open = 0; at < line.size(); ++at) {
            const char c = line[at];
            if (quote != '\0') {
                if (c == '\\' && quote == '"') ++at;
                else if (c == quote) quote = '\0';
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '[' || c == '{') {
                ++open;
            } else if (open > 0 && (c == ']' || c == '}')) {
                --open;
            } else if (open == 0 && (c == ',' || c == ']' || c == '}')) {
                const std::size_t drop = c != ',' || !replaces_comma ? 0 : line.compare(at, 2, ", ") == 0 ? 2 : 1;
                const bool breaks = drop == 1 && line.compare(at + 1, 1, "\n") == 0;
                line.replace(at, drop, text(breaks ? '\n' : c));
                return;
            }
        }
    }

    // go-yaml writes a comma before the end of a map in brackets that is a list item with a comment below it.
    void end_maps_above_feet() {
        for (const Brackets& b : layout_.brackets) {
            if (b.owner == kNone || !layout_.entries[b.owner].is_item()) continue;
            const std::string& path = layout_.entries[b.owner].path;
            if (!comments_.foot.contains(path) && !comments_.flow_foot.contains(path)) continue;
            std::string& line = lines_[b.span.end.line];
            if (const std::size_t at = byte_of(line, b.span.end.column) - 1; at > 0 && line[at] == '}' && line[at - 1] != '{') line.insert(at, ",");
        }
    }

    static std::string indented(const std::string& block, std::size_t column) {
        std::string out(column, ' ');
        for (const char c : block) {
            out.push_back(c);
            if (c == '\n') out.append(column, ' ');
        }
        return out + "\n";
    }

    void head(std::size_t entry, const std::vector<std::string>& blocks) {
        const Mark at = layout_.entries[entry].begin;
        for (std::size_t i = 0; i < blocks.size(); ++i) before_[at.line].append(i == 0 ? "" : "\n").append(indented(blocks[i], at.column));
        if (entry == 0 && comments_.gap_after_head) before_[at.line].append("\n");
    }

    // A blank line between a foot and what follows in the same column.
    void feet(std::size_t line, std::string& out) const {
        const std::vector<Foot>& all = feet_[line];
        if (all.empty()) return;
        for (std::size_t i = 0; i < all.size(); ++i) out.append(i > 0 && all[i - 1].column == all[i].column ? "\n" : "").append(indented(all[i].block, all[i].column));
        const std::size_t next = layout_.below(line);
        if (next != kNone && layout_.entries[layout_.outermost(next)].begin.column == all.back().column) out.append("\n");
    }

    // `- k: v` becomes `-` with the comment, and `k: v` below.
    void dash(const Entry& entry, const std::string& comment) {
        std::string& line = lines_[entry.begin.line];
        const std::size_t content = line.find_first_not_of(' ', entry.begin.column + 1);
        if (content == std::string::npos) return;
        const std::string rest = line.substr(content);
        line = line.substr(0, entry.begin.column + 1) + " " + comment + "\n" + std::string(content, ' ') + rest;
    }

    const Layout& layout_;
    const Comments& comments_;
    std::vector<std::string> lines_, before_;
    std::vector<std::vector<Foot>> feet_; // by the line they stand below
    std::vector<bool> ends_folded_;       // by line: the last of a folded value
};

} // namespace

std::string with_yaml_form(std::string written, std::string_view original) {
    if (original.find_first_of("#\"'>") == std::string_view::npos) return written; // no comments, quoted keys or folded blocks
    LayoutReader from(original), to(written);
    if (!from.read() || !to.read()) return written;
    const Layout source = std::move(from).result(), target = std::move(to).result();
    const Comments comments = CommentReader(source).read();
    Writer writer(target, comments);
    writer.quote_keys(source);
    return writer.write();
}

} // namespace weber::kube
