#include "agent/write_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace weber::agent {

namespace fs = std::filesystem;

Result<void> write_file(const std::string& path, std::string_view text, fs::perms mode) {
    const std::string temporary = path + ".weber-" + std::to_string(getpid());
    std::error_code error;
    if (fs::exists(path, error)) mode = fs::status(path, error).permissions();
    const mode_t mask = umask(077);
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    umask(mask);
    out << text;
    out.close();
    if (out) fs::permissions(temporary, mode, error);
    if (out && !error) fs::rename(temporary, path, error);
    if (out && !error) return {};
    std::error_code ignored;
    fs::remove(temporary, ignored);
    return fail(ErrorCode::unavailable, "cannot write the file" + (error ? ": " + error.message() : std::string()), {path, 0, 0});
}

} // namespace weber::agent
