#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/base/json.h"
#include "kube/base/json_plain.h"
#include "kube/base/text_pool.h"

namespace weber::kube {

namespace {

// Builds the tree from nlohmann's events; no intermediate document.
class Builder {
public:
    explicit Builder(const JsonReadOptions& options) : options_(options), file_(intern_file(options.file)) {}

    bool null() { return put(Node()); }
    bool boolean(bool v) { return put(Node::boolean(v)); }
    bool number_integer(std::int64_t v) { return put(Node::integer(v)); }
    bool number_unsigned(std::uint64_t v) {
        return put(Node::scalar(NodeKind::integer, Text(std::to_string(v))));
    }
    bool number_float(double, const std::string& text) {
        // nlohmann hands integers over 64 bits to this event too: they stay integers by their look.
        const bool whole = text.find_first_of(".eE") == std::string::npos;
        return put(Node::scalar(whole ? NodeKind::integer : NodeKind::floating, Text(text)));
    }
    bool string(std::string& v) { return put(Node::string(v, NodeStyle::double_quoted)); }
    bool binary(nlohmann::json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(Node::map()); }
    bool key(std::string& v) {
        Frame& top = stack_.back();
        top.key = pool_.get(v);
        if (options_.repeated != nullptr && top.node.find(top.key) != nullptr) note_repeated();
        return true;
    }
    bool end_object() { return close(); }
    bool start_array(std::size_t) { return open(Node::list()); }
    bool end_array() { return close(); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& e) {
        if (error_.message.empty()) {
            std::string_view what = e.what(); // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
            if (const auto at = what.find("] "); at != std::string_view::npos) what.remove_prefix(at + 2);
            // The last token read may be a part of a secret: it is cut off.
            if (const auto at = what.find("; last read:"); at != std::string_view::npos) {
                what = what.substr(0, at);
            } else if (const auto tail = what.find(" - "); tail != std::string_view::npos) {
                what = what.substr(0, tail);
            }
            error_ = Error{.code = ErrorCode::invalid, .message = "invalid JSON at byte " + std::to_string(position) + ": " + std::string(what),
                           .where = {std::string(options_.file), 0, 0}};
        }
        return false;
    }

    Node result = Node();
    Error error_ = {};

private:
    struct Frame {
        Node node;
        Text key; // of the member being read
    };

    void note_repeated() {
        std::string path;
        for (const Frame& f : stack_) {
            if (f.node.is_list()) {
                path += '[';
                path += std::to_string(f.node.size());
                path += ']';
            } else {
                if (!path.empty()) path += '.';
                path += f.key.view();
            }
        }
        auto& all = *options_.repeated;
        if (std::find(all.begin(), all.end(), path) == all.end()) all.push_back(std::move(path));
    }

    bool open(Node node) {
        if (stack_.size() >= options_.depth) {
            error_ = Error{.code = ErrorCode::too_large, .message = "JSON has more than " + std::to_string(options_.depth) + " nested levels",
                           .where = {std::string(options_.file), 0, 0}};
            return false;
        }
        node.set_position(file_, 0);
        stack_.push_back({std::move(node), {}});
        return true;
    }
    bool close() {
        Node done = std::move(stack_.back().node);
        stack_.pop_back();
        return put(std::move(done));
    }
    bool put(Node node) {
        if (stack_.empty()) {
            result = std::move(node);
            return true;
        }
        Frame& top = stack_.back();
        if (top.node.is_list()) top.node.push_back(std::move(node));
        else if (top.node.find(top.key) == nullptr) top.node.append_unchecked(std::move(top.key), std::move(node));
        else top.node.set(top.key, std::move(node));
        return true;
    }

    const JsonReadOptions& options_;
    std::uint32_t file_;
    std::vector<Frame> stack_;
    TextPool<509> pool_;
};

} // namespace

Result<Node> read_json(std::string_view text, const JsonReadOptions& options) {
    if (text.size() > options.bytes)
        return fail(ErrorCode::too_large, "JSON text of " + std::to_string(text.size()) + " bytes exceeds the limit of " + std::to_string(options.bytes),
                    {std::string(options.file), 0, 0});
    // The parser takes a zero byte for the end and would not look at what follows; no JSON holds one.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)
        return fail(ErrorCode::invalid, "invalid JSON at byte " + std::to_string(zero + 1) + ": a zero byte", {std::string(options.file), 0, 0});
    if (auto plain = read_plain_json(text, options)) return std::move(*plain);
    Builder builder(options);
    if (nlohmann::json::sax_parse(text, &builder)) return std::move(builder.result);
    if (builder.error_.message.empty()) return fail(ErrorCode::invalid, "invalid JSON", {std::string(options.file), 0, 0});
    return std::unexpected(std::move(builder.error_));
}

} // namespace weber::kube
