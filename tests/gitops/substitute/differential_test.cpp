// Random expressions and objects, answered by fluxcd/pkg (flux-oracle) and by us; and the short way against the long way.
#include <gtest/gtest.h>

#include <random>

#include "gitops/substitute/substitute.h"
#include "kube/base/json.h"
#include "kube/base/utf8.h"
#include "tests/support/peers.h"

namespace weber::gitops {
namespace {

using testing::ask_flux;

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return engine_() % n; }
    template <class Array>
    std::string_view pick(const Array& from) { return from[below(std::size(from))]; }

private:
    std::mt19937 engine_;
};

const Variables& variables() {
    static const Variables all = {{"h", "hello"}, {"e", ""}, {"p", "/a/b.c/d.txt"}, {"two", "2"}, {"neg", "-2"}, {"v", "h\xC3\xA9llo \xC7\x85"}, {"b", "true"},
                                  {"o", "0755"}, {"y", "yes"}, {"f", "1.50"}, {"c", "a: b"}, {"i", "it's"}, {"s", "x  #y"}, {"m", "{a: 1}"}, {"u", "a_b-c d"}, {"t", "2024-01-01"},
                                  {"n", "null"}, {"x", "0x1F"}, {"big", "123456789012345678901"}, {"d", "- z"}, {"w", "x y"}, {"q", "\""}, {"g", "1e3"}, {"a", "*k"}, {"k", "-"}};
    return all;
}

Node as_node(const Variables& from) {
    Node out = Node::map();
    for (const auto& [name, value] : from) out.set(name, Node::string(value));
    return out;
}

constexpr std::string_view kTokens[] = {"${",  "${",  "${h", "${v", "${p", "${z", "${e", "}",  "}",  "}",  "h",  "l",  ":",   ":=", "=",  ":-", ":1", ":${two}", ":${neg}", "#",  "##",
                                        "%",   "%%",  "/",   "//",  "/#",  "/%",  "^",   "^^", ",",  ",,", "*",  "?",  "[a-h]", "[", "]", "\\", "$",  "$$",      "\\/",     " ",  "\xC3\xA9",
                                        ".",   "${#", "-",   "{",   "a",   "2",   "\xFF", "(",  "_"};

std::string random_text(Random& random) {
    std::string text;
    for (std::size_t n = 1 + random.below(9); n > 0; --n) text += random.pick(kTokens);
    return text;
}

TEST(SubstituteDifferential, ExpressionsAreExpandedAsByFlux) {
    const auto oracle = testing::peer("flux-oracle");
    if (!oracle) GTEST_SKIP() << "run tests/cluster/tools.sh flux-oracle";
    Random random(7);
    std::vector<Node> requests;
    std::vector<std::string> texts;
    for (int i = 0; i < 30'000; ++i) {
        std::string text = random_text(random);
        if (!kube::is_valid_utf8(text)) continue; // JSON cannot carry it to the oracle
        requests.push_back(Node::map({{"text", Node::string(text)}, {"vars", as_node(variables())}, {"strict", Node::boolean(i % 2 == 0)}}));
        texts.push_back(std::move(text));
    }
    const std::vector<Node> answers = ask_flux(*oracle, requests);
    std::size_t expanded = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto ours = expand(texts[i], variables(), requests[i].find("strict")->as_bool());
        const std::string_view error = answers[i].text_at("error");
        if (error.starts_with("panic:")) {
            EXPECT_FALSE(ours) << texts[i];
            continue;
        }
        ASSERT_EQ(ours ? "" : ours.error().message, error) << texts[i];
        if (!ours) continue;
        const Node as_json = kube::read_json(kube::write_json(Node::string(*ours))).value(); // half characters become U+FFFD
        EXPECT_EQ(as_json.text(), answers[i].text_at("out")) << texts[i];
        ++expanded;
    }
    EXPECT_GT(expanded, 3000u);
}

TEST(SubstituteDifferential, LettersHaveGosCase) {
    const auto oracle = testing::peer("flux-oracle");
    if (!oracle) GTEST_SKIP() << "run tests/cluster/tools.sh flux-oracle";
    std::string all;
    for (std::uint32_t c = 0x20; c < 0x1F000; ++c)
        if (c < 0xD800 || c > 0xDFFF) kube::append_utf8(all, c);
    const Variables letters = {{"a", all}};
    std::vector<Node> requests;
    for (const char* text : {"${a^^}", "${a,,}"}) requests.push_back(Node::map({{"text", Node::string(text)}, {"vars", as_node(letters)}}));
    const std::vector<Node> answers = ask_flux(*oracle, requests);
    for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(expand(requests[i].text_at("text"), letters).value(), answers[i].text_at("out"));
}

constexpr std::string_view kPieces[] = {"${h}", "${o}", "${b}", "${y}", "${f}", "${c}", "${i}", "${s}", "${m}", "${u}", "${t}", "${n}", "${x}", "${big}", "${d}", "${w}", "${q}", "${g}",
                                        "${z:=d e}", "${e}", "${k}", "$${h}", "$", "a", "b c", " ", ": ", "#", "'", "\"", "@", "-", "1", "/", "\n", "true", "${h^^}", "${u/ /_}", "${a}",
                                        "some words that make the line long enough to be folded by the writer "};

Node random_object(Random& random) {
    const auto value = [&] {
        std::string text;
        for (std::size_t n = random.below(5); n > 0; --n) text += random.pick(kPieces);
        return Node::string(text);
    };
    Node data = Node::map(), list = Node::list();
    for (std::size_t n = 1 + random.below(3); n > 0; --n) data.set(random.below(12) == 0 ? "${u}" + std::to_string(n) : "key" + std::to_string(n), value());
    for (std::size_t n = random.below(3); n > 0; --n) list.push_back(value());
    data.set("list", list);
    if (random.below(4) == 0) data.set("number", Node::scalar(NodeKind::floating, kube::Text("1.50")));
    return Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("Thing")}, {"metadata", Node::map({{"name", Node::string("a")}})}, {"spec", data}});
}

TEST(SubstituteDifferential, ObjectsBecomeWhatFluxMakesOfThem) {
    const auto oracle = testing::peer("flux-oracle");
    if (!oracle) GTEST_SKIP() << "run tests/cluster/tools.sh flux-oracle";
    Random random(11);
    std::vector<Node> requests, objects;
    for (int i = 0; i < 4000; ++i) {
        objects.push_back(random_object(random));
        requests.push_back(Node::map({{"object", Node::string(kube::write_json(objects.back()))}, {"vars", as_node(variables())}}));
    }
    const std::vector<Node> answers = ask_flux(*oracle, requests);
    const Substitution substitution(variables(), {});
    std::size_t good = 0;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const auto ours = substitution.apply(Object(objects[i]));
        const std::string_view error = answers[i].text_at("error");
        const std::string input = kube::write_json(objects[i]);
        ASSERT_EQ(ours.has_value(), error.empty()) << input << "\nFlux: " << error << "\nwe: " << (ours ? "" : ours.error().message);
        if (!ours) {
            // Anchors' names are redacted; a key that is no scalar is told before the syntax errors behind it.
            if (error.find("anchor") == std::string_view::npos && ours.error().message.find("a map key must be a scalar") == std::string::npos) { EXPECT_EQ(ours.error().message, error) << input; }
            continue;
        }
        ++good;
        ASSERT_EQ(ours->root(), kube::read_json(answers[i].text_at("out")).value()) << input << "\nwe: " << kube::write_json(ours->root()) << "\nFlux: " << answers[i].text_at("out");
    }
    EXPECT_GT(good, 1000u);
}

TEST(SubstituteInPlace, GivesWhatTheLongWayGives) {
    Random random(13);
    const Substitution substitution(variables(), {});
    std::size_t short_ways = 0;
    for (int i = 0; i < 60'000; ++i) {
        const Node object = random_object(random);
        Node quick = object;
        if (!substitute_in_place(quick, variables(), false)) continue;
        ++short_ways;
        const auto slow = substitution.by_text(object);
        ASSERT_TRUE(slow) << kube::write_json(object) << slow.error().message;
        ASSERT_EQ(quick, *slow) << kube::write_json(object);
    }
    EXPECT_GT(short_ways, 5000u);
}

// A literal block has one newline at its end, however many empty lines follow (found by fuzz.substitute).
TEST(SubstituteInPlace, LastLinesThatBecomeEmptyAreGone) {
    for (const char* text : {"a\n${unset}\n", "a\nb ${unset}\n${unset}${unset}\n"}) {
        const Node object = Node::map({{"apiVersion", Node::string("v1")}, {"kind", Node::string("ConfigMap")}, {"data", Node::map({{"k", Node::string(text)}})}});
        const Substitution substitution(variables(), {});
        const auto out = substitution.apply(Object(object)), slow = Result<Object>(Object(substitution.by_text(object).value()));
        ASSERT_TRUE(out) << out.error().message;
        EXPECT_EQ(kube::write_json(out->root()), kube::write_json(slow->root()));
        EXPECT_FALSE(out->at({"data", "k"})->text().ends_with("\n\n")) << text;
    }
}

} // namespace
} // namespace weber::gitops
