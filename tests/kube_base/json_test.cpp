#include "kube/base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace weber::kube {
namespace {

TEST(Json, AZeroByteIsNoEnd) {
    for (const std::string_view text : {std::string_view("{}\0", 3), std::string_view("{}\0 x", 5), std::string_view("\0", 1)})
        EXPECT_FALSE(read_json(text)) << text.size();
    EXPECT_TRUE(read_json(R"({"a":"\u0000"})"));
}

// nlohmann's reader as the judge, which ours falls back on; so what the quick one takes must be the same.
void expect_as_judged(const std::string& text) {
    const auto read = read_json(text);
    const bool right = nlohmann::json::accept(text);
    ASSERT_EQ(read.has_value(), right) << text << (read ? "" : read.error().message);
    if (!right || text.find_first_of(".eE") != std::string::npos) return; // numbers keep their text with us
    const auto judged = nlohmann::ordered_json::parse(text).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::strict);
    ASSERT_EQ(write_json(*read), judged) << text;
}

TEST(Json, IsReadAsTheGeneralReaderDoes) {
    for (const char* text :
         {"{}", "[]", " [ ] ", "{\"a\":1}", "{\"a\" : [1 , 2,\t3\r\n] }", "null", "true", "false", "\"x\"", "1", "-1", "0", "-0", "01", "-", "--1", "+1", "1.", ".5", "1.5", "-0.5", "0.5", "1e3", "1E+3", "1e", "1e999",
          "123456789012345678", "1234567890123456789", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1a", "nul", "nulll", "truefalse", "[1,]", "[,1]", "[1 2]", "{,}",
          "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2,\"b\":3,\"a\":4}", "[[[[]]]]", "[[[", "]]", "", " ", "{} {}", "[]x", "\"", "\"\\\"", "\"\\\\\"", "\"a\\nb\\t\\r\\b\\f\\/\\\"\"",
          "\"\\u00e4\\u20AC\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\x\"", "\"\\", "\"a\nb\"", "\"\x7f\"", "\"ä€😀\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"",
          "\"\xc0\x80\"", "{\"ä\":\"ö\"}", "\xef\xbb\xbf{}", "{\"k:{\\\"name\\\":\\\"a\\\"}\":{\".\":{}}}", "/* */ 1", "'a'", "NaN", "[1]\n"})
        expect_as_judged(text);
    std::string many = "{";
    for (int i = 0; i < 300; ++i) many += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
    expect_as_judged(many + "}");
    expect_as_judged(many + ",\"k7\":\"again\"}");
    EXPECT_EQ(read_json(many + "}")->find("k299")->text(), "299");
    const auto number = read_json("[1.50, 1.5e3, -0, 00000000000000000000]");
    EXPECT_FALSE(number);
    EXPECT_EQ(write_json(*read_json("[1.50,1.5e3,18446744073709551616]")), "[1.50,1.5e3,18446744073709551616]");
    EXPECT_EQ(read_json("[1.50]")->items()[0].kind(), NodeKind::floating);
    EXPECT_EQ(read_json("{\"a\":\"1\"}", {.file = "f"})->where().file, "f");
    EXPECT_EQ(read_json("{\"a\":\"1\"}")->find("a")->style(), NodeStyle::double_quoted);
}

TEST(Json, DamagedTextsAreReadAsTheGeneralReaderDoes) {
    const std::string sample = R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a\u00e4b","managedFields":[{"f:data":{".":{},"k:{\"n\":\"x\"}":null}}],"n":[-12,0,true,false]},"data":{"k":"ä\n€"}})";
    std::minstd_rand random(7);
    const std::string_view bytes = "{}[],:\"\\ 0-9au\x80\xc3\n";
    for (int i = 0; i < 30'000; ++i) {
        std::string text = sample;
        for (int n = 1 + static_cast<int>(random() % 3); n > 0; --n) {
            const std::size_t at = random() % text.size();
            const char c = bytes[random() % bytes.size()];
            switch (random() % 3) {
            case 0: text[at] = c; break;
            case 1: text.insert(at, 1, c); break;
            default: text.erase(at, 1 + random() % 3);
            }
        }
        expect_as_judged(text);
        if (HasFatalFailure()) return;
    }
}

} // namespace
} // namespace weber::kube
