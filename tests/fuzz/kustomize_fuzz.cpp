// A whole build on files in memory. Input: texts of files, each after a line "=== PATH"; the directory /top is built.
#include <cstdint>
#include <string_view>

#include "kustomize/build.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weber::kustomize;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    constexpr std::string_view kMark = "=== ";
    MemoryFileSystem files;
    while (text.starts_with(kMark)) {
        text.remove_prefix(kMark.size());
        const std::size_t line = text.find('\n');
        if (line == std::string_view::npos) break;
        const std::string path = "/" + std::string(text.substr(0, line));
        text.remove_prefix(line + 1);
        const std::size_t next = text.starts_with(kMark) ? 0 : text.find("\n=== ");
        files.write(path, text.substr(0, next == std::string_view::npos ? next : next + (next != 0)));
        text = next == std::string_view::npos ? std::string_view() : text.substr(next == 0 ? 0 : next + 1);
    }
    BuildOptions options;
    options.max_directories = 200;
    options.max_objects = 2000;
    for (const Reorder reorder : {Reorder::none, Reorder::legacy}) {
        options.reorder = reorder;
        const auto output = build(files, "/top", options);
        if (output) (void)to_yaml(output->resources);
    }
    return 0;
}
