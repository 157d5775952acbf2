#include "kube/server/patch_text.h"

#include <algorithm>
#include <vector>

#include "kube/base/json.h"
#include "kube/server/go_forms.h"

namespace weber::kube::server {
namespace {

using Entry = std::pair<std::string_view, const Node*>;

// Which maps the patch looked into: those on the way to where it changes something.
class Touched {
public:
    // A merge patch reaches what it has keys for; a JSON patch the parents of its paths.
    static Touched merge(const Node* patch) {
        Touched t;
        t.patch_ = patch;
        return t;
    }
    static Touched json(std::vector<std::string> paths) {
        Touched t;
        t.paths_ = std::move(paths);
        return t;
    }
    [[nodiscard]] bool here() const { return all_ || (patch_ ? patch_->is_map() : !paths_.empty()); }
    [[nodiscard]] bool sent() const { return sent_; } // a JSON patch brought this very value
    [[nodiscard]] Touched below(std::string_view key) const {
        Touched t;
        t.all_ = all_;
        if (patch_ && !all_) {
            t.patch_ = patch_->find(key);
            t.all_ = t.patch_ && !t.patch_->is_map(); // json-patch looks for nulls in it
        }
        for (const auto& path : paths_) {
            const auto end = std::min(path.find('/', 1), path.size());
            if (path.substr(1, end - 1) != key) continue;
            if (end == path.size())
                t.sent_ = true;
            else
                t.paths_.push_back(path.substr(end));
        }
        return t;
    }

private:
    const Node* patch_ = nullptr;
    std::vector<std::string> paths_;
    bool sent_ = false, all_ = false;
};

void write(const Node& n, const Touched& touched, const TypeSchema* type, std::string& out);

void write_map(const Node& n, const Touched& touched, const TypeSchema* type, std::string& out) {
    std::vector<Entry> entries;
    for (const auto& e : n.entries()) entries.emplace_back(e.key.view(), &e.value);
    const bool of_struct = type && type->kind == TypeKind::object && !touched.here();
    const auto place = [&](std::string_view key) {
        const FieldSchema* f = of_struct ? type->field(key) : nullptr;
        return f ? static_cast<int>(go_place(*f)) : 256;
    };
    std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return std::pair(place(a.first), a.first) < std::pair(place(b.first), b.first); });
    out += '{';
    for (const auto& [key, value] : entries) {
        if (out.back() != '{') out += ',';
        write_json(Node::string(key), out, JsonEscape::html);
        out += ':';
        const FieldSchema* f = type && type->kind == TypeKind::object ? type->field(key) : nullptr;
        write(*value, touched.below(key), f ? f->type : type && type->kind == TypeKind::map ? type->element : nullptr, out);
    }
    out += '}';
}

void write(const Node& n, const Touched& touched, const TypeSchema* type, std::string& out) {
    if (touched.sent()) return write_json(n, out, JsonEscape::html);
    if (n.is_map()) return write_map(n, touched, type, out);
    if (!n.is_list()) return write_json(n, out, JsonEscape::html);
    out += '[';
    for (std::size_t i = 0; i < n.size(); ++i) {
        if (i > 0) out += ',';
        write(n.items()[i], touched.below(std::to_string(i)), type ? type->element : nullptr, out);
    }
    out += ']';
}

} // namespace

std::string patched_text(const Node& next, PatchType type, const Node& patch, const TypeSchema* schema) {
    std::vector<std::string> paths;
    if (type == PatchType::json)
        for (const Node& operation : patch.items())
            for (const auto key : {"path", "from"})
                if (const auto path = operation.text_at(key); path.starts_with('/')) paths.emplace_back(path);
    std::string out;
    write(next, type == PatchType::json ? Touched::json(std::move(paths)) : Touched::merge(&patch), schema, out);
    return out;
}

} // namespace weber::kube::server
