#include "gitops/decrypt/stores.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "kube/base/json.h"

namespace weber::gitops::sops {

namespace {

std::unexpected<Error> bad(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

Layout layout_of(Format format) { return format == Format::dotenv ? Layout::flat : format == Format::ini ? Layout::section : Layout::nested; }

Result<std::string> emit_binary(const Branches& branches) {
    if (branches.size() != 1) return bad("error emitting binary store: there must be exactly one tree branch");
    const Value* data = find(branches[0], "data");
    if (data == nullptr) return bad("error emitting binary store: no binary data found in tree");
    if (data->kind != Kind::text) return bad("error emitting binary store: 'data' key in tree does not have a string value");
    return data->text;
}

// ---- JSON ---------------------------------------------------------------------------------------------------------

class JsonWriter {
public:
    explicit JsonWriter(int indentation) : step_(indentation < 0 ? "\t" : std::string(static_cast<std::size_t>(indentation), ' ')) {}

    std::string write(const Branch& root) {
        branch(root, 0);
        return std::move(out_) + "\n";
    }

private:
    void line(std::size_t depth) {
        out_ += '\n';
        for (std::size_t i = 0; i < depth; ++i) out_ += step_;
    }
    void scalar(const Node& node) { kube::write_json(node, out_, kube::JsonEscape::html); }

    void value(const Value& v, std::size_t depth) {
        if (v.kind == Kind::branch) return branch(v.branch, depth);
        if (v.kind == Kind::list) return list(v.list, depth);
        scalar(node_of(v));
    }
    void branch(const Branch& items, std::size_t depth) {
        out_ += '{';
        bool empty = true;
        for (const Item& item : items) {
            if (item.is_comment()) continue;
            if (!empty) out_ += ',';
            empty = false;
            line(depth + 1);
            scalar(Node::string(item.key));
            out_ += ": ";
            value(item.value, depth + 1);
        }
        if (!empty) line(depth);
        out_ += '}';
    }
    void list(const std::vector<Value>& items, std::size_t depth) {
        out_ += '[';
        bool empty = true;
        for (const Value& item : items) {
            if (item.kind == Kind::comment) continue;
            if (!empty) out_ += ',';
            empty = false;
            line(depth + 1);
            value(item, depth + 1);
        }
        if (!empty) line(depth);
        out_ += ']';
    }

    std::string step_, out_;
};

// A number that JSON has no word for; nullptr when there is none.
const Value* not_finite(const Value& value);
const Value* not_finite(const Branch& branch) {
    for (const Item& item : branch)
        if (const Value* found = not_finite(item.value)) return found;
    return nullptr;
}
const Value* not_finite(const Value& value) {
    if (value.kind == Kind::floating && !std::isfinite(value.floating)) return &value;
    for (const Value& item : value.list)
        if (const Value* found = not_finite(item)) return found;
    return not_finite(value.branch);
}

} // namespace

std::string_view format_word(Format format) {
    switch (format) {
    case Format::binary: return "binary";
    case Format::dotenv: return "dotenv";
    case Format::ini: return "INI";
    case Format::json: return "JSON";
    case Format::yaml: return "YAML";
    }
    return "";
}

Format format_for_path(std::string_view path) {
    if (path.ends_with(".dockerconfigjson") || path.ends_with(".json")) return Format::json;
    if (path.ends_with(".yaml") || path.ends_with(".yml")) return Format::yaml;
    if (path.ends_with(".env")) return Format::dotenv;
    return path.ends_with(".ini") ? Format::ini : Format::binary;
}

std::optional<Format> format_from_word(std::string_view word) {
    for (const auto& [name, format] : {std::pair("binary", Format::binary), {"dotenv", Format::dotenv}, {"ini", Format::ini}, {"json", Format::json}, {"yaml", Format::yaml}})
        if (word == name) return format;
    return std::nullopt;
}

std::string_view marker(Format format) {
    switch (format) {
    case Format::dotenv: return "sops_mac=ENC[";
    case Format::ini: return "[sops]";
    case Format::yaml: return "mac: ENC[";
    default: return "\"mac\": \"ENC[";
    }
}

std::string leaf_text(const Value& leaf) {
    if (leaf.kind == Kind::boolean) return leaf.boolean ? "true" : "false";
    if (leaf.kind == Kind::null) return "<nil>";
    if (leaf.kind != Kind::floating) return leaf_bytes(leaf);
    // Go's 'G': shortest, an exponent below 1e-4 and from 21 digits on.
    std::array<char, 64> buffer{};
    const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), leaf.floating, std::chars_format::scientific);
    std::string text(buffer.data(), scientific.ptr);
    const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
    if (exponent < -4 || exponent >= 21) {
        std::ranges::replace(text, 'e', 'E');
        return text;
    }
    text = leaf_bytes(leaf);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

Result<Branches> load_json(std::string_view text) {
    auto root = kube::read_json(text);
    if (!root) return fail(std::move(root.error()).with_prefix("Could not unmarshal input data: "));
    if (!root->is_map())
        return bad("Could not unmarshal input data: SOPS only supports JSON files with a top-level object (starting with '{'), not arrays or other types");
    TRY(Value value, value_of(*root));
    return Branches{std::move(value.branch)};
}

Result<std::string> emit_json(const Branches& branches, int indentation) {
    if (indentation < -1) return bad("JSON Indentation parameter smaller than -1 is not accepted");
    if (branches.empty()) return JsonWriter(indentation).write({});
    if (const Value* number = not_finite(branches[0])) return bad("json: unsupported value: " + leaf_bytes(*number));
    return JsonWriter(indentation).write(branches[0]);
}

// ---- dotenv -------------------------------------------------------------------------------------------------------

Result<Branches> load_dotenv(std::string_view text) {
    Branch out;
    for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (line.empty()) continue;
        if (line[0] == '#') {
            out.push_back({"", Value::of_comment(std::string(line.substr(1)))});
            continue;
        }
        const std::size_t equal = line.find('=');
        if (equal == std::string_view::npos) return bad("invalid dotenv input line: line " + std::to_string(number) + " has no '='");
        std::string value;
        for (std::size_t i = equal + 1; i < line.size(); ++i) {
            const bool escaped = line[i] == '\\' && i + 1 < line.size() && line[i + 1] == 'n';
            value += escaped ? '\n' : line[i];
            i += escaped ? 1 : 0;
        }
        out.push_back({std::string(line.substr(0, equal)), Value::of_text(std::move(value))});
    }
    return Branches{std::move(out)};
}

Result<std::string> emit_dotenv(const Branches& branches) {
    std::string out;
    if (branches.empty()) return out;
    for (const Item& item : branches[0]) {
        if (item.value.kind == Kind::branch || item.value.kind == Kind::list) return bad("cannot use complex value in dotenv file; offending key " + item.key);
        if (item.is_comment()) {
            out.append("#").append(item.value.text).append("\n");
            continue;
        }
        out.append(item.key).append("=");
        for (const char c : leaf_text(item.value)) {
            if (c == '\n' && item.value.kind == Kind::text) out += "\\n";
            else out += c;
        }
        out += '\n';
    }
    return out;
}

// ---- all of them --------------------------------------------------------------------------------------------------

Result<Branches> load_plain(Format format, std::string_view text) {
    switch (format) {
    case Format::binary: return Branches{{{"data", Value::of_text(std::string(text))}}};
    case Format::dotenv: return load_dotenv(text);
    case Format::ini: return load_ini(text);
    case Format::json: return load_json(text);
    case Format::yaml: return load_yaml(text);
    }
    return Branches();
}

Result<Encrypted> load_encrypted(Format format, std::string_view text) {
    TRY(Branches branches, load_plain(format == Format::binary ? Format::json : format, text));
    TRY(Metadata metadata, take_metadata(branches, layout_of(format)));
    return Encrypted{std::move(branches), std::move(metadata)};
}

Result<std::string> emit_plain(Format format, const Branches& branches, const Indentation& indentation) {
    switch (format) {
    case Format::binary: return emit_binary(branches);
    case Format::dotenv: return emit_dotenv(branches);
    case Format::ini: return emit_ini(branches);
    case Format::json: return emit_json(branches, indentation.json);
    case Format::yaml: return emit_yaml(branches, indentation.yaml);
    }
    return std::string();
}

Result<std::string> emit_encrypted(Format format, Branches branches, const Metadata& metadata, const Indentation& indentation) {
    TRY_VOID(add_metadata(branches, metadata, layout_of(format)));
    return format == Format::binary ? emit_json(branches, indentation.binary) : emit_plain(format, branches, indentation);
}

} // namespace weber::gitops::sops
