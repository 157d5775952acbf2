#include "kustomize/path.h"

#include <vector>

namespace weber::kustomize {

bool is_surely_clean(std::string_view path) {
    return path.size() > 1 && is_absolute(path) && path.back() != '/' && path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos;
}

std::string clean_path(std::string_view path) {
    if (path.empty()) return ".";
    if (is_surely_clean(path)) return std::string(path);
    bool rooted = is_absolute(path);
    std::vector<std::string_view> parts;
    for (std::size_t i = 0; i <= path.size();) {
        std::size_t end = path.find('/', i);
        if (end == std::string_view::npos) end = path.size();
        std::string_view part = path.substr(i, end - i);
        i = end + 1;
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(part);
        } else if (!parts.empty() && parts.back() != "..") {
            parts.pop_back();
        } else if (!rooted) {
            parts.push_back(part);
        }
    }
    std::string out = rooted ? "/" : "";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += '/';
        out += parts[i];
    }
    return out.empty() ? "." : out;
}

std::string join_path(std::string_view dir, std::string_view path) {
    if (dir.empty()) return path.empty() ? std::string() : clean_path(path);
    std::string joined(dir);
    if (!path.empty()) joined.append("/").append(path);
    return clean_path(joined);
}

std::string dir_of(std::string_view path) {
    std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return clean_path(slash == 0 ? "/" : path.substr(0, slash));
}

std::string base_of(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return ".";
    if (path == "/") return "/";
    std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

bool is_in_or_below(std::string_view dir, std::string_view root) {
    if (root == "/" || dir == root) return true;
    return dir.size() > root.size() && dir.starts_with(root) && dir[root.size()] == '/';
}

} // namespace weber::kustomize
