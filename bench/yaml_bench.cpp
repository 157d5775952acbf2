// How fast manifests are read and written, in CPU time of one thread, for bench/yaml.sh: "read MB/s, write MB/s, both MB/s" a round.
//
//   yaml_bench ROUNDS MEGABYTES FILE...   the files, one after another, repeated until there are that many megabytes
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

#include "kube/base/yaml.h"

namespace {

using namespace weber;

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "yaml_bench: %s\n", why.c_str());
    std::exit(1);
}

double cpu_seconds() {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string manifests(std::size_t bytes, char** first, char** last) {
    std::string once;
    for (char** file = first; file != last; ++file) {
        std::ifstream in(*file, std::ios::binary);
        if (!in) die(std::string("cannot read ") + *file);
        once.append(std::istreambuf_iterator<char>(in), {});
        if (!once.ends_with('\n')) once += '\n';
        once += "---\n";
    }
    std::string text;
    while (text.size() < bytes) text += once;
    return text;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) die("usage: yaml_bench ROUNDS MEGABYTES FILE...");
    const std::string text = manifests(static_cast<std::size_t>(std::atoi(argv[2])) * 1'000'000, argv + 3, argv + argc);
    for (int round = std::atoi(argv[1]); round > 0; --round) {
        const double start = cpu_seconds();
        auto documents = kube::read_yaml(text);
        if (!documents) die(documents.error().to_string());
        const double between = cpu_seconds();
        std::string out;
        for (const Node& document : *documents) {
            if (document.is_null()) continue;
            if (!out.empty()) out += "---\n";
            kube::write_yaml(document, out);
        }
        const double end = cpu_seconds();
        const double megabytes = static_cast<double>(text.size()) * 1e-6;
        std::printf("%.1f %.1f %.1f\n", megabytes / (between - start), static_cast<double>(out.size()) * 1e-6 / (end - between), megabytes / (end - start));
        std::fflush(stdout);
    }
}
