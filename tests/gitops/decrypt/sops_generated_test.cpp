// Random YAML files with comments in all places, encrypted and decrypted by the real sops and by us. (WEBER_SEED, WEBER_SEEDS: for a hunt.)
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "gitops/decrypt/file.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"
#include "tests/gitops/decrypt/vectors.h"
#include "tests/support/peers.h"
#include "tests/support/test_cluster.h"

namespace weber::gitops::sops {
namespace {

using testing::peer;
using testing::run;

constexpr std::string_view kNow = "2024-05-06T07:08:09Z";

// A file: maps and lists in block or flow style, scalars of all styles; each comment has a word of its own. No scalar holds a '#'.
class Generator {
public:
    explicit Generator(std::uint32_t seed) : engine_(seed) {}

    std::string file() {
        step_ = 2 + 2 * below(2);
        flush_lists_ = chance(3);
        if (chance(3)) comment(0);
        if (chance(6)) out_ += "\n";
        map(0, 0);
        if (chance(4)) comment(0);
        return std::move(out_);
    }
    [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }
    // The file has brackets, or lists in lists: sops moves comments near those, even behind the next key.
    [[nodiscard]] bool comments_wander() const { return comments_wander_; }

private:
    std::size_t below(std::size_t n) { return engine_() % n; }
    bool chance(std::size_t one_of) { return below(one_of) == 0; }
    std::string word() { return "c" + std::to_string(comments_.size()) + "c"; }
    void indent(std::size_t n) { out_.append(n, ' '); }

    void comment(std::size_t column) {
        indent(column);
        comments_.push_back(word());
        out_ += "# " + comments_.back() + "\n";
    }
    void maybe_comment(std::size_t column) {
        if (chance(5)) comment(column);
        if (chance(20)) comment(column);
    }
    void end_line() {
        if (chance(6)) {
            comments_.push_back(word());
            out_ += " # " + comments_.back();
        }
        out_ += "\n";
        if (chance(25)) out_ += "\n";
    }

    std::string scalar() {
        static constexpr std::string_view kScalars[] = {"x", "5", "1.5", "true", "\"q r\"", "'s'", "\"5\"", "null", "2024-01-02", "a b", "\"\"", "~", "-7", "y"};
        return std::string(kScalars[below(std::size(kScalars))]);
    }

    // After "key:" or "-".
    void value(std::size_t column, std::size_t child, std::size_t depth, bool in_list) {
        const std::size_t kind = below(10);
        if (kind >= 8 && depth < 4) {
            comments_wander_ = comments_wander_ || (in_list && kind == 9);
            end_line();
            return kind == 8 ? map(child, depth + 1) : list(in_list || !flush_lists_ ? child : column, depth + 1);
        }
        if (kind == 7) {
            comments_wander_ = true;
            if (chance(6)) {
                out_ += " [\n";
                comment(child);
                comment(child);
                indent(child);
                out_ += "]";
                return end_line();
            }
            static constexpr std::string_view kFlows[] = {"[]", "{}", "[a, 1]", "{k: v}", "{k: v, l: [w]}", "[{m: n}]"};
            out_ += " " + std::string(kFlows[below(std::size(kFlows))]);
            return end_line();
        }
        if (kind == 6) {
            out_ += chance(2) ? " |" : " >-";
            end_head();
            for (std::size_t n = 1 + below(2); n > 0; --n) {
                indent(child);
                out_ += "text " + std::to_string(n) + "\n";
            }
            return;
        }
        out_ += " " + scalar();
        end_line();
    }
    void end_head() {
        if (chance(8)) {
            comments_.push_back(word());
            out_ += " # " + comments_.back();
        }
        out_ += "\n";
    }

    void map(std::size_t column, std::size_t depth, bool behind_dash = false) {
        for (std::size_t n = 1 + below(3); n > 0; --n) {
            if (!behind_dash) {
                maybe_comment(column);
                indent(column);
            }
            behind_dash = false;
            out_ += "k" + std::to_string(keys_++) + ":";
            value(column, column + step_, depth, false);
        }
        if (chance(6)) comment(column);
    }

    void list(std::size_t column, std::size_t depth) {
        for (std::size_t n = 1 + below(3); n > 0; --n) {
            maybe_comment(column);
            indent(column);
            out_ += "-";
            if (chance(3) && depth < 4) {
                out_ += " ";
                map(column + 2, depth + 1, true);
                continue;
            }
            value(column, column + 2, depth, true);
        }
        if (chance(6)) comment(column);
    }

    std::mt19937 engine_;
    std::string out_;
    std::vector<std::string> comments_;
    std::size_t step_ = 2, keys_ = 0;
    bool flush_lists_ = false, comments_wander_ = false;
};

// What a YAML reader sees.
std::string values_of(const std::string& yaml) {
    const auto node = kube::read_yaml_one(yaml);
    return node ? kube::write_json(*node) : node.error().message + "\n" + yaml;
}

// Where a comment belongs is seen differently: how far its line is indented does not count.
std::string with_comments_to_the_left(const std::string& text) {
    std::string out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find_first_not_of(' ');
        if (first != std::string::npos && line[first] == '#') line.erase(0, first);
        out += line + "\n";
    }
    return out;
}

// How often `word` stands in `text`.
std::size_t times(const std::string& text, const std::string& word) {
    std::size_t n = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
    return n;
}

struct Case {
    std::string text, theirs, ours;        // plain, encrypted by sops, encrypted by us
    std::string theirs_back, ours_back;    // decrypted by sops
    std::vector<std::string> comments;
    bool comments_wander = false;
};

TEST(SopsGenerated, YamlFilesAreThoseOfSops) {
    const auto sops = peer("sops");
    if (!sops) GTEST_SKIP() << "run tests/cluster/tools.sh sops";
    const KeyRing keys = {.age = parse_age_identities(test::kAgeSecret).value()};
    const Metadata settings{.groups = {{{.provider = Provider::age, .name = keys.age[0].recipient}}}};
    const testing::TempDir dir;
    const std::uint32_t seed = testing::setting("WEBER_SEED", 1);
    const std::size_t count = testing::setting("WEBER_SEEDS", 40);
    std::vector<Case> cases(count);
    for (std::size_t i = 0; i < count; ++i) {
        Generator generator(seed + static_cast<std::uint32_t>(i));
        cases[i].text = generator.file();
        cases[i].comments = generator.comments();
        cases[i].comments_wander = generator.comments_wander();
        const auto encrypted = encrypt_file(cases[i].text, Format::yaml, settings, {}, std::string(kNow));
        ASSERT_TRUE(encrypted) << encrypted.error().message << "\n" << cases[i].text;
        cases[i].ours = *encrypted;
        dir.write("plain/" + std::to_string(i) + ".yaml", cases[i].text);
        dir.write("ours/" + std::to_string(i) + ".yaml", cases[i].ours);
    }
    const auto ran = run("cd " + dir.path() + " && mkdir theirs theirs_back ours_back && for f in $(ls plain); do " + *sops + " -e --age " + keys.age[0].recipient +
                             " plain/$f >theirs/$f; " + *sops + " -d --ignore-mac theirs/$f >theirs_back/$f; " + *sops + " -d ours/$f >ours_back/$f; done",
                         dir.path(), {"SOPS_AGE_KEY=" + std::string(test::kAgeSecret)});
    std::size_t compared = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Case& c = cases[i];
        const auto in = [&](const char* folder) { return testing::read_file(dir.path() + "/" + folder + "/" + std::to_string(i) + ".yaml"); };
        c.theirs = in("theirs");
        c.theirs_back = in("theirs_back");
        c.ours_back = in("ours_back");
        const std::string about = "seed " + std::to_string(seed + i) + "\n" + c.text;
        const std::string we_of_ours = decrypt_file(c.ours, Format::yaml, Format::yaml, keys).value();
        EXPECT_EQ(values_of(we_of_ours), values_of(c.ours_back)) << about;
        for (const std::string& word : c.comments) EXPECT_EQ(times(we_of_ours, word), 1u) << word << "\n" << about << "\nbecame\n" << we_of_ours;
        const auto we_of_theirs = decrypt_file(c.theirs, Format::yaml, Format::yaml, keys);
        ASSERT_TRUE(we_of_theirs) << we_of_theirs.error().message << "\n" << about;
        EXPECT_EQ(values_of(*we_of_theirs), values_of(c.theirs_back)) << about;
        EXPECT_EQ(times(c.ours_back, "ENC["), 0u) << "a comment that sops cannot decrypt\n" << about << "\nbecame\n" << c.ours;
        bool kept = true;
        for (const std::string& word : c.comments) kept = kept && times(c.theirs_back, word) == 1;
        if (!kept || c.comments_wander) continue;
        ++compared;
        EXPECT_EQ(with_comments_to_the_left(we_of_ours), with_comments_to_the_left(c.theirs_back)) << about;
    }
    EXPECT_GE(compared * 5, count) << "files whose comments sops keeps where they are";
}

} // namespace
} // namespace weber::gitops::sops
