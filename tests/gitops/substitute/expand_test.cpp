// build.md 5.2, 5.3 and the checklist of section 8, items 21 to 34: one row a case.
#include "gitops/substitute/expand.h"

#include <gtest/gtest.h>

namespace weber::gitops {
namespace {

const Variables& variables() {
    static const Variables all = {{"h", "hello"},       {"e", ""},       {"f", "bash.string.txt"}, {"p", "/home/bozo/ideas.txt"}, {"s", "abcABC123ABCabc"},
                                  {"d", "a-b-c"},       {"two", "2"},    {"neg", "-2"},            {"v", "h\xC3\xA9llo"}, {"q", "\""}, {"none", "x"}};
    return all;
}

struct Case {
    std::string_view input, output;
};

class Expand : public testing::TestWithParam<Case> {};

TEST_P(Expand, GivesTheReferencesResult) {
    const auto out = expand(GetParam().input, variables());
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(*out, GetParam().output);
}

INSTANTIATE_TEST_SUITE_P(Item21Escapes, Expand,
                         testing::Values(Case{"$h", "$h"}, Case{"$${h}", "${h}"}, Case{"$$h", "$h"}, Case{"$$$${h}", "$${h}"}, Case{"$$${h}", "$hello"},
                                         Case{"\\${h}", "\\hello"}, Case{"", ""}, Case{"$", "$"}, Case{"a$", "a$"}, Case{"$(h) $", "$(h) $"}));
INSTANTIATE_TEST_SUITE_P(Item22Defaults, Expand,
                         testing::Values(Case{"${z}", ""}, Case{"${z:=x}", "x"}, Case{"${z=x}", "x"}, Case{"${e=x}", "x"}, Case{"${z:-x}", "x"},
                                         Case{"${z:?x}", "x"}, Case{"${z:+x}", "x"}, Case{"${h:+x}", "hello"}, Case{"${h:=x}", "hello"}, Case{"${z:=}", ""}));
INSTANTIATE_TEST_SUITE_P(Item23Words, Expand,
                         testing::Values(Case{"${z:={j}}", "{j}"}, Case{"${z:=a}b}", "ab}"}, Case{"${z:=a b}", "a b"}, Case{"${z:=$$h}", "$$h"},
                                         Case{"${z:=\"q\"}", "\"q\""}));
INSTANTIATE_TEST_SUITE_P(Item24Nested, Expand,
                         testing::Values(Case{"${z:=x${h}-y}", "xhello-y"}, Case{"${z:=${z:-q}}", "q"}, Case{"${z:=${h^^}}", "HELLO"}));
INSTANTIATE_TEST_SUITE_P(Item25LengthAndCase, Expand,
                         testing::Values(Case{"${#h}", "5"}, Case{"${#v}", "6"}, Case{"${#z}", "0"}, Case{"${h^}", "Hello"}, Case{"${v^^}", "H\xC3\x89LLO"},
                                         Case{"${h,^}", "hello"}, Case{"${h^,}", "hello"}, Case{"${s,,}", "abcabc123abcabc"}, Case{"${s,}", "abcABC123ABCabc"}));
INSTANTIATE_TEST_SUITE_P(Item26Substrings, Expand,
                         testing::Values(Case{"${p:11}", "ideas.txt"}, Case{"${p:11:5}", "ideas"}, Case{"${h:10}", ""}, Case{"${h:3:10}", "lo"},
                                         Case{"${h:${two}}", "llo"}, Case{"${h:+1}", "hello"}));
INSTANTIATE_TEST_SUITE_P(Item27Offsets, Expand,
                         testing::Values(Case{"${h:-1}", "hello"}, Case{"${h: -1}", "hello"}, Case{"${h:x}", "hello"}, Case{"${h:${neg}}", "lo"}));
INSTANTIATE_TEST_SUITE_P(Item28Suffixes, Expand,
                         testing::Values(Case{"${f#*.}", "string.txt"}, Case{"${f##*.}", "txt"}, Case{"${f%.*}", "bash.string"}, Case{"${f%%.*}", "bash"}));
INSTANTIATE_TEST_SUITE_P(Item29Paths, Expand,
                         testing::Values(Case{"${p##*/}", "ideas.txt"}, Case{"${p%/*}", "/home/bozo"}, Case{"${p#*/}", "home/bozo/ideas.txt"}));
INSTANTIATE_TEST_SUITE_P(Item30Globs, Expand,
                         testing::Values(Case{"${h#h*}", "ello"}, Case{"${h##h*}", ""}, Case{"${h#*}", "ello"}, Case{"${h%[n-p]}", "hello"},
                                         Case{"${h#[a-h]}", "ello"}, Case{"${h#[}", "hello"}, Case{"${h#\\h}", "ello"}, Case{"${h#?}", "ello"}));
INSTANTIATE_TEST_SUITE_P(Item31Replacements, Expand,
                         testing::Values(Case{"${s/abc/x}", "xABC123ABCabc"}, Case{"${s//abc/x}", "xABC123ABCx"}, Case{"${s/#abc/X}", "XABC123ABCabc"},
                                         Case{"${s/%abc/X}", "abcABC123ABCX"}));
INSTANTIATE_TEST_SUITE_P(Item32Escapes, Expand,
                         testing::Values(Case{"${p//\\//-}", "-home-bozo-ideas.txt"}, Case{"${d//-/_}", "a_b_c"}, Case{"${h/l/}", "helo"},
                                         Case{"${h/#h/}", "hello"}, Case{"${h/*/X}", "hello"}));
INSTANTIATE_TEST_SUITE_P(Item33Mixes, Expand,
                         testing::Values(Case{"${h/l/${two}}", "he2lo"}, Case{"${h/l/x/y}", "hex/ylo"}, Case{"${h/l} and /x}", "hello"}));

class ExpandFails : public testing::TestWithParam<Case> {};

TEST_P(ExpandFails, WithTheReferencesWords) {
    const auto out = expand(GetParam().input, variables());
    ASSERT_FALSE(out) << *out;
    EXPECT_EQ(out.error().message, GetParam().output);
    EXPECT_EQ(out.error().code, ErrorCode::invalid);
}

constexpr std::string_view kName = "unable to parse variable name", kBrace = "missing closing brace",
                           kArgument = "unable to parse substitution within function", kBad = "bad substitution";

INSTANTIATE_TEST_SUITE_P(Item34Errors, ExpandFails,
                         testing::Values(Case{"${}", kName}, Case{"${ a}", kName}, Case{"${!a}", kName}, Case{"${@}", kName}, Case{"${${a}}", kName},
                                         Case{"${", kName}, Case{"${a", kBrace}, Case{"${a }", kBrace}, Case{"${a.b}", kBrace}, Case{"${a[0]}", kBrace},
                                         Case{"${a-b}", kBrace}, Case{"${a?}", kBrace}, Case{"${a~}", kBrace}, Case{"${a:}", kArgument},
                                         Case{"${a::2}", kArgument}, Case{"${a:1:}", kArgument}, Case{"${a#}", kArgument}, Case{"${a/#/x}", kArgument},
                                         Case{"${a:=${b}", kArgument}, Case{"${#}", kBad}, Case{"${##a}", kBad}, Case{"${a^^^}", kBad}, Case{"${a/l}", kBad},
                                         Case{"${a//}", kBad}, Case{"${a#x${b}}", kBad}, Case{"${h/l/x${two}}", kBad}, Case{"${h:", kBad}, Case{"${h:\xC3\xA9}", kBad}));

TEST(ExpandLimits, Item27ANegativeLengthIsAnError) {
    const auto out = expand("${h:0:${neg}}", variables());
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().message, "the length of a substring must not be negative");
}

TEST(ExpandLimits, Item48ShellScriptsLoseTheirOwnVariables) {
    EXPECT_EQ(expand("cd ${HOME} && echo ${1}", variables()).value(), "cd  && echo ");
    EXPECT_EQ(expand("${arr[0]}", variables()).error().message, kBrace);
    EXPECT_EQ(expand("${x-y}", variables()).error().message, kBrace);
}

TEST(ExpandStrict, Item47UnsetIsAnErrorButForDefaults) {
    const auto strict = [](std::string_view text) { return expand(text, variables(), true); };
    EXPECT_EQ(strict("${z}").error().message, "variable not set (strict mode): \"z\"");
    EXPECT_EQ(strict("${e}").value(), "");
    EXPECT_EQ(strict("${h:-${z}}").error().message, "variable not set (strict mode): \"z\"");
    for (const std::string_view text : {"${z^^}", "${z,}", "${#z}", "${z:1}", "${z:0:1}", "${z#a}", "${z%%a}", "${z/a/b}", "${z//a}${z}"}) // all but the defaults
        EXPECT_EQ(strict(text).error().message, text.ends_with("${z}") ? std::string(kBad) : "variable not set (strict mode): \"z\"") << text;
    for (const std::string_view text : {"${z:=x}", "${z=x}", "${z:-x}", "${z:?x}", "${z:+x}"}) EXPECT_EQ(strict(text).value(), "x");
}

TEST(ExpandLimits, DeepNestingAndHugeOutputEndInAnError) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "${z:=";
    EXPECT_EQ(expand(deep, variables()).error().code, ErrorCode::too_large);
    const Variables big = {{"a", std::string(1 << 20, 'x')}, {"b", std::string(1 << 20, 'y')}};
    EXPECT_EQ(expand("${a//x/${b}}", big).error().code, ErrorCode::too_large);
    EXPECT_EQ(expand("${a##*y*y*y}", big).error().code, ErrorCode::too_large);
}

} // namespace
} // namespace weber::gitops
