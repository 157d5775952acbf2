// SHA-256, of short texts and long ones; Base64 as Go reads it.
#include "kube/base/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace weber::kube {
namespace {

std::string openssl_sha256(std::string_view data) {
    std::string out(32, '\0');
    EXPECT_EQ(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_sha256(), nullptr), 1);
    return hex_encode(out);
}

// FIPS 180-4's examples.
TEST(Sha256, KnownTexts) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// Every length around the blocks, and around the length from which OpenSSL does the work.
TEST(Sha256, AsOpenSsl) {
    std::string data;
    for (int length = 0; length < 300; ++length) {
        EXPECT_EQ(sha256_hex(data), openssl_sha256(data)) << length;
        data += static_cast<char>(length * 37 + 11);
    }
    for (const std::size_t length : {std::size_t{4095}, std::size_t{4096}, std::size_t{4097}, std::size_t{100'000}}) {
        data.resize(length, 'x');
        EXPECT_EQ(sha256_hex(data), openssl_sha256(data)) << length;
    }
}

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
