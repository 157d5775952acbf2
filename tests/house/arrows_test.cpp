// The layers of the house: who may include whom (README, section "How it is built").
#include <gtest/gtest.h>
#include <test_paths.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace stdfs = std::filesystem;

struct Layer {
    std::string_view folder;
    std::vector<std::string_view> may_include;
};

// The longest folder that a path begins with is its layer.
const std::vector<Layer>& layers() {
    static const std::vector<Layer> table = {
        {"kube/base", {"kube/base"}},
        {"kustomize", {"kustomize", "kube/base"}},
        {"kube", {"kube", "kube/merge", "kube/base"}},
        {"kube/merge", {"kube/merge", "kube/base"}},
        {"kube/server", {"kube/server", "kube/merge", "kube", "kube/base"}},
        {"gitops", {"gitops", "kustomize", "kube", "kube/merge", "kube/base"}},
        {"agent", {"agent", "gitops", "kustomize", "kube/server", "kube", "kube/merge", "kube/base"}},
        {"tests", {"tests", "agent", "gitops", "kustomize", "kube/server", "kube", "kube/merge", "kube/base"}},
        {"bench", {"bench", "agent", "gitops", "kustomize", "kube/server", "kube", "kube/merge", "kube/base"}},
    };
    return table;
}

const Layer* layer_of(std::string_view path) {
    const Layer* best = nullptr;
    for (const Layer& layer : layers()) {
        const bool inside = path.starts_with(layer.folder) && path.size() > layer.folder.size() && path[layer.folder.size()] == '/';
        if (inside && (!best || layer.folder.size() > best->folder.size())) best = &layer;
    }
    return best;
}

// Why `file` may not include `included`; nullopt when it may.
std::optional<std::string> objection(const std::string& file, const std::string& included) {
    const Layer* from = layer_of(file);
    const Layer* to = layer_of(included);
    if (!from) return "is in no layer";
    if (!to) return "includes \"" + included + "\", which is in no layer (paths begin at the root of the repository)";
    if (std::ranges::find(from->may_include, to->folder) != from->may_include.end()) return std::nullopt;
    return std::string(from->folder) + " may not include " + std::string(to->folder) + " (\"" + included + "\")";
}

std::vector<std::string> includes_of(const std::string& text) {
    static const std::regex line("(^|\n)[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"");
    std::vector<std::string> out;
    for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it) out.push_back((*it)[2]);
    return out;
}

std::string read(const stdfs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Arrows, NoIncludeGoesAgainstThem) {
    const stdfs::path root = WEBER_SOURCE_DIR;
    std::size_t files = 0;
    for (const char* folder : {"kube", "kustomize", "gitops", "agent", "tests", "bench"}) {
        if (!stdfs::exists(root / folder)) continue;
        for (const auto& entry : stdfs::recursive_directory_iterator(root / folder)) {
            const std::string extension = entry.path().extension();
            if (extension != ".cpp" && extension != ".h" && extension != ".inc") continue;
            const std::string file = entry.path().lexically_relative(root);
            ++files;
            for (const std::string& included : includes_of(read(entry.path())))
                if (const auto why = objection(file, included)) ADD_FAILURE() << file << ": " << *why;
        }
    }
    EXPECT_GT(files, 200u);
}

// The check itself: a wrong include of each sort is seen.
TEST(Arrows, WrongOnesAreSeen) {
    EXPECT_TRUE(objection("kube/base/error.h", "kube/client.h"));
    EXPECT_TRUE(objection("kustomize/build.cpp", "kube/client.h"));
    EXPECT_TRUE(objection("kube/client.cpp", "kustomize/build.h"));
    EXPECT_TRUE(objection("kube/client.cpp", "kube/server/server.h"));
    EXPECT_TRUE(objection("gitops/source/git.cpp", "agent/io.h"));
    EXPECT_TRUE(objection("gitops/source/git.cpp", "kube/server/server.h"));
    EXPECT_TRUE(objection("agent/main.cpp", "tests/support/test_cluster.h"));
    EXPECT_TRUE(objection("agent/main.cpp", "io.h"));
    EXPECT_FALSE(objection("agent/main.cpp", "kube/server/server.h"));
    EXPECT_EQ(includes_of("#include \"a.h\"\n  # include \"b.h\" // why\n// no #include \"c.h\"\n#include <d.h>\n"),
              (std::vector<std::string>{"a.h", "b.h"}));
}

} // namespace
