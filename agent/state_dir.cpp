#include "agent/state_dir.h"

#include <algorithm>
#include <filesystem>

#include "agent/io.h"
#include "kube/base/digest.h"

namespace weber::agent {

namespace stdfs = std::filesystem;

namespace {

std::string last_part(std::string_view source) {
    while (source.size() > 1 && source.back() == '/') source.remove_suffix(1);
    std::string part(source.substr(source.find_last_of("/:") + 1));
    if (part.ends_with(".git")) part.resize(part.size() - 4);
    std::erase_if(part, [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '_' && c != '.'; });
    return part.empty() || part.front() == '.' ? "source" : part;
}

} // namespace

std::string state_root() {
    if (const auto state = environment("XDG_STATE_HOME")) return *state + "/weber";
    return environment("HOME").value_or("/tmp") + "/.local/state/weber";
}

std::string state_dir_of(std::string_view source, std::string_view cluster) {
    std::error_code error;
    const stdfs::path canonical = stdfs::canonical(source, error);
    const std::string name = error ? std::string(source) : canonical.string();
    return state_root() + "/" + last_part(name) + "-" + std::string(cluster) + "-" +
           kube::sha256_hex(name + '\n' + std::string(cluster)).substr(0, 8);
}

std::vector<std::string> state_dirs() {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : stdfs::directory_iterator(state_root(), error))
        if (entry.is_directory(error)) out.push_back(entry.path().string());
    std::ranges::sort(out);
    return out;
}

Result<std::string> only_state_dir() {
    const std::vector<std::string> dirs = state_dirs();
    if (dirs.size() == 1) return dirs.front();
    if (dirs.empty())
        return fail(Error{.code = ErrorCode::not_found, .message = "there is no embedded cluster in " + state_root(),
                          .hint = "`weber reconcile --once --path DIR` makes one"});
    std::string names;
    for (const std::string& dir : dirs) names += "\n  --state " + dir;
    return fail(Error{.code = ErrorCode::not_found, .message = "there are several embedded clusters, name one:" + names});
}

} // namespace weber::agent
