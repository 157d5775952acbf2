// Runs the real binary and returns what a user sees.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace weber::agent_test {

struct Ran {
    int status = -1; // exit status; 128 + signal
    std::string out;
    std::string err;
};

struct RunOptions {
    std::string program = {}; // argv[0]; "" = weber
    std::string directory = {};
    std::string input = {};
    std::map<std::string, std::string> environment = {}; // added to a small fixed one (PATH, HOME)
};

Ran weber(const std::vector<std::string>& args, const RunOptions& options = {});

// A directory that goes away with the object.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    // Writes a file, folders on the way made; returns its path.
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::string path_;
};

std::string read_file(const std::string& path);

} // namespace weber::agent_test
