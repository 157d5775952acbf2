#include "agent/flags.h"

#include <gtest/gtest.h>

namespace weber::agent {
namespace {

std::vector<Flag> table() {
    return {{.name = "namespace", .help = "", .letter = 'n', .default_text = "flux-system"},
            {.name = "all", .kind = FlagKind::boolean, .help = "", .letter = 'A'},
            {.name = "watch", .kind = FlagKind::boolean, .help = "", .letter = 'w'},
            {.name = "timeout", .kind = FlagKind::duration, .help = "", .default_text = "5m0s"},
            {.name = "tail", .kind = FlagKind::integer, .help = "", .default_text = "-1"},
            {.name = "env", .kind = FlagKind::list, .help = "", .letter = 'e'},
            {.name = "components", .kind = FlagKind::comma_list, .help = "", .default_text = "a,b"}};
}

struct Parsed {
    Flags flags{table()};
    Result<std::vector<std::string>> args = std::vector<std::string>{};
};

Parsed parse(std::vector<std::string> words) {
    Parsed p;
    p.args = p.flags.parse(words);
    return p;
}

using Args = std::vector<std::string>;

TEST(Flags, FormsOfAValue) {
    for (const Args& words : {Args{"--namespace", "x"}, Args{"--namespace=x"}, Args{"-n", "x"}, Args{"-nx"}, Args{"-n=x"}, Args{"-An", "x"}}) {
        const Parsed p = parse(words);
        ASSERT_TRUE(p.args) << p.args.error().message;
        EXPECT_EQ(p.flags.text("namespace"), "x") << words.front();
        EXPECT_TRUE(p.args->empty());
    }
}

TEST(Flags, DefaultsUntilGiven) {
    const Parsed p = parse({});
    EXPECT_EQ(p.flags.text("namespace"), "flux-system");
    EXPECT_EQ(p.flags.duration("timeout"), std::chrono::minutes(5));
    EXPECT_EQ(p.flags.integer("tail"), -1);
    EXPECT_EQ(p.flags.list("components"), (Args{"a", "b"}));
    EXPECT_FALSE(p.flags.on("all"));
    EXPECT_FALSE(p.flags.given("namespace"));
}

TEST(Flags, ArgumentsAndFlagsMix) {
    const Parsed p = parse({"apps", "-A", "web", "--timeout", "3s", "--", "--not-a-flag", "-"});
    ASSERT_TRUE(p.args);
    EXPECT_EQ(*p.args, (Args{"apps", "web", "--not-a-flag", "-"}));
    EXPECT_TRUE(p.flags.on("all"));
    EXPECT_EQ(p.flags.duration("timeout"), std::chrono::seconds(3));
}

TEST(Flags, RepeatedAndCommaLists) {
    const Parsed p = parse({"-e", "A=1,2", "--env=B", "--components=x,y", "--components", "z", "--all=false", "-w"});
    EXPECT_EQ(p.flags.list("env"), (Args{"A=1,2", "B"}));
    EXPECT_EQ(p.flags.list("components"), (Args{"x", "y", "z"}));
    EXPECT_TRUE(p.flags.given("all"));
    EXPECT_FALSE(p.flags.on("all"));
    EXPECT_TRUE(p.flags.on("watch"));
}

// Worded as pflag words them.
TEST(Flags, Errors) {
    const std::vector<std::pair<Args, std::string>> cases = {
        {{"--nope"}, "unknown flag: --nope"},
        {{"-Ax"}, "unknown shorthand flag: 'x' in -x"},
        {{"--namespace"}, "flag needs an argument: --namespace"},
        {{"-n"}, "flag needs an argument: 'n' in -n"},
        {{"--timeout=soon"}, "invalid argument \"soon\" for \"--timeout\" flag: time: invalid duration \"soon\""},
        {{"--tail", "many"}, "invalid argument \"many\" for \"--tail\" flag: strconv.ParseInt: parsing \"many\": invalid syntax"},
        {{"-A=maybe"}, "invalid argument \"maybe\" for \"-A, --all\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        {{"--=x"}, "bad flag syntax: --=x"},
    };
    for (const auto& [words, message] : cases) {
        const Parsed p = parse(words);
        ASSERT_FALSE(p.args) << words.front();
        EXPECT_EQ(p.args.error().message, message);
    }
}

TEST(Flags, SuggestsTheNearestFlag) {
    EXPECT_EQ(parse({"--namespac"}).args.error().hint, "did you mean --namespace?");
    EXPECT_EQ(parse({"--tiemout=1s"}).args.error().hint, "did you mean --timeout?");
    EXPECT_EQ(parse({"--quite-different"}).args.error().hint, "");
}

} // namespace
} // namespace weber::agent
