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
    Random random(testing::setting("WEBER_SEED", 7));
    std::vector<Node> requests;
    std::vector<std::string> texts;
    for (int i = 0; i < static_cast<int>(testing::setting("WEBER_SEEDS", 30'000)); ++i) {
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
                                        "\t", "\r", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x99\x82", "\xC2\xA0", "\xEF\xBB\xBF", "%", "`", "|", ">", "!", "&", "*", "?", "~", "null", "yes",
                                        "0x1", "1_000", "12:30:45", "2001-01-01", "\\", "---", "...", "<<", "=", ".5", "+1", "{", "}", "[", "]", ",", "${v}", "${p##*/}", "${#v}", "${two}", "${neg}",
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
    Random random(testing::setting("WEBER_SEED", 11));
    std::vector<Node> requests, objects;
    for (int i = 0; i < static_cast<int>(testing::setting("WEBER_SEEDS", 4000)); ++i) {
        objects.push_back(random_object(random));
        requests.push_back(Node::map({{"object", Node::string(kube::write_json(objects.back()))}, {"vars", as_node(variables())}}));
    }
    const std::vector<Node> answers = ask_flux(*oracle, requests);
    const Substitution substitution(variables(), {});
    std::size_t good = 0;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const auto ours = substitution.apply(Object(objects[i]));
        const std::string_view error = answers[i].text_at("error");
        if (error.starts_with("UnmarshalJSON: ")) continue; // kustomize cannot read what it writes itself (lines that begin with tabs)
        const std::string input = kube::write_json(objects[i]);
        EXPECT_EQ(ours.has_value(), error.empty()) << input << "\nFlux: " << error << "\nwe: " << (ours ? "" : ours.error().message);
        if (ours.has_value() != error.empty()) continue;
        if (!ours) {
            // Anchors' names are redacted; a key that is no scalar is told before the syntax errors behind it.
            if (error.find("anchor") == std::string_view::npos && error.find("unsupported map key") == std::string_view::npos && ours.error().message.find("map key") == std::string::npos) { EXPECT_EQ(ours.error().message, error) << input; }
            continue;
        }
        ++good;
        EXPECT_EQ(ours->root(), kube::read_json(answers[i].text_at("out")).value()) << input << "\nwe: " << kube::write_json(ours->root()) << "\nFlux: " << answers[i].text_at("out");
    }
    EXPECT_GT(good, 1000u);
}

// Values that YAML takes for something, where each may stand. None with two keys that become one as text: which of the two stays is up to Go's map order.
constexpr std::string_view kOddValues[] = {
    "?", "~: x", "? ~", "null: x", "{null: 1}", "1: x", "1.5: x", "0x10: x", "0755: y", "1e3: x", ".inf: x", "true: x", "yes: x", "2024-01-01: x",
    "<<: {a: b}", "<<: [{a: b},{c: d}]", "{a: 1, a: 2}", "\"a\": 1", "{~: s3cret}", "? {a: b}: c", "? [x]: y", "{[a]: b}",
    "!!str 1: x", "&a x: *a", "{a: *b}", "&a [*a]", "123456789012345678901: x", "-0: x", "+1: x", "1_000: x", "12:30: x", "<<: x",
    "{<<: {b: 1}, b: 2}", "!!int \"5\"", "!!float 1", "!!bool yes", "!foo bar", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2024-01-01",
    "!foo", "!0755", "!foo 5", "!foo true", "!foo ~", "!foo null", "!foo 1.5", "!foo \"5\"", "!foo [a]", "!foo {a: b}", "!foo 0x1F", "!foo yes", "!<tag:x.org,2000:y> 5", "!!foo 5", "!!foo", "! 5", "!", "!!str yes",
    "!x] v", "![ 5", "!,", "!!int] 5", "[!x, y]", "[!x]", "{a: !x, b}", "\"a\\/",
    "\"a\\/b\"", "\"a\\'b\"", "\"\\'\"", "\"\\y\"", "\"\\_\\N\\L\\P\\e\"",
    "%x", "@x", "`x", "- a- b", "| a", "a  b", "\"a\\x41\\u00e9\"", "\"\\q\"", "'a''b'", "[a,,b]", "{a,b}", "{a: }",
    "[a: b, c]", "a: b: c", "- - x", "? a", "\"a\" b", "#c", "a #c", "a#c", "*x", "&x", "&x y", "... ", "---", "--- a", "{}", "[]", "\"\"", "''", "0b11",
    "0o17", "08", "09.5", "1__0", "_1", "1_", "0x", "0xg", ".5", "5.", "1e", "1e+3", "+.inf", ".NaN", "nan", "=", "y", "n", "Y", "on", "OFF", "~", "NULL",
    "Null", "nUll", "true ", "\ttrue", "2001-12-14t21:59:43.10-05:00", "190:20:30", "1:60", "685_230.15", "-0x1F", "0b", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "1e400", "-1e400", "4.9e-324", "0.1e1", "1.7976931348623157e309"};

TEST(SubstituteDifferential, OddValuesWhereverTheyStand) {
    const auto oracle = testing::peer("flux-oracle");
    if (!oracle) GTEST_SKIP() << "run tests/cluster/tools.sh flux-oracle";
    std::vector<Node> requests;
    std::vector<std::pair<std::string, Variables>> cases;
    for (const std::string_view value : kOddValues)
        for (const char* spec : {R"({"k":["${v}"]})", R"({"k":"${v}"})", R"({"${v}":"z"})", R"({"k":"p ${v} q"})", R"({"a":"x","k":"${v}","z":["w"]})"}) {
            cases.emplace_back(R"({"apiVersion":"v1","kind":"T","metadata":{"name":"a"},"spec":)" + std::string(spec) + "}", Variables{{"v", std::string(value)}});
            requests.push_back(Node::map({{"object", Node::string(cases.back().first)}, {"vars", as_node(cases.back().second)}}));
        }
    const std::vector<Node> answers = ask_flux(*oracle, requests);
    ASSERT_EQ(answers.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& [object, vars] = cases[i];
        const auto ours = Substitution(vars, {}).apply(Object(kube::read_json(object).value()));
        const std::string where = object + " with v = " + vars.begin()->second, error(answers[i].text_at("error"));
        if (ours) {
            EXPECT_EQ(error, "") << where << "\nwe: " << kube::write_json(ours->root());
            EXPECT_EQ(kube::write_json(ours->root()), kube::write_json(kube::read_json(answers[i].text_at("out")).value_or(Node()))) << where;
        } else {
            // Names of anchors and values of keys that are none may be secret; keys that are none are told where they stand, before syntax errors behind them.
            bool of_keys = false;
            for (const std::string_view text : {"a map key must be a scalar", "unsupported map key", "map merge requires"}) of_keys = of_keys || ours.error().message.find(text) != std::string::npos;
            if (of_keys && error.find("unsupported map key") == std::string::npos) {
                EXPECT_NE(error, "") << where;
                continue;
            }
            const std::string shown = error.find("anchor '") != std::string::npos ? error.substr(0, error.find("anchor '")) : error.substr(0, error.find(", key: "));
            EXPECT_TRUE(!error.empty() && ours.error().message.starts_with(shown)) << where << "\nFlux: " << error << "\nwe:   " << ours.error().message;
        }
    }
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
