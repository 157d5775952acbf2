// Base64 as Go reads it.
#include "kube/base/digest.h"

#include <gtest/gtest.h>

namespace weber::kube {
namespace {

TEST(Base64, KnownTexts) {
    const std::pair<const char*, const char*> cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};
    for (const auto& [plain, encoded] : cases) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded).value(), plain);
    }
}

TEST(Base64, LineBreaksAnywhere) {
    for (const char* text : {"Zm9v\nYmFy", "Z\r\nm9vYmFy\n", "Zm9vYmF\ny", "\nZm9vYmFy"}) EXPECT_EQ(base64_decode(text).value(), "foobar") << text;
    EXPECT_EQ(base64_decode("Zm9vYg=\n=").value(), "foob");
}

TEST(Base64, WhatIsNone) {
    for (const char* text : {"Zg", "Zg=", "Zg===", "=Zg=", "Zm9v!mFy", "Zm9vYg==Zm9v", "Zm9v Zm9v", "Zg==\x80", "Z=g=", "Zm9vZ", "Zm9_"}) {
        const auto bytes = base64_decode(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_TRUE(bytes.error().message.starts_with("illegal base64 data at input byte ")) << bytes.error().message;
    }
}

TEST(Base64, EveryByteComesBack) {
    std::string bytes;
    for (int length = 0; length < 300; ++length) {
        EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
        bytes += static_cast<char>(length * 7);
    }
}

} // namespace
} // namespace weber::kube
