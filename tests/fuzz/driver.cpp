// Replays files through a fuzz target, for compilers without libFuzzer. Arguments: files and folders. Each input is also tried cut short and with bytes
// changed in fixed ways, so that a replay walks error paths, too.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& text) {
    const std::vector<std::uint8_t> exact(text.begin(), text.end()); // no byte after the end for a sanitizer to overlook
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_with_variants(const std::string& text) {
    run(text);
    const std::size_t step = text.size() / 16 + 1;
    for (std::size_t at = 0; at < text.size(); at += step) {
        run(text.substr(0, at));
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 0x15);
        run(changed);
        run(text.substr(0, at) + text.substr(at / 2));
    }
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) files.emplace_back(argv[i]);
        else
            for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i]))
                if (entry.is_regular_file()) files.push_back(entry.path());
    }
    if (files.empty()) {
        std::fprintf(stderr, "%s: no inputs\n", argv[0]);
        return 1;
    }
    for (const auto& file : files) {
        std::ostringstream text;
        text << std::ifstream(file, std::ios::binary).rdbuf();
        run_with_variants(text.str());
    }
    std::printf("%zu inputs and their variants\n", files.size());
    return 0;
}
