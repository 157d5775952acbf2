// Where keys lie in memory: looked up in the process itself, as somebody with a core dump or the swap partition would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include "gitops/decrypt/file.h"

namespace weber::gitops {
namespace {

struct Mapping {
    std::uintptr_t from = 0, to = 0;
    bool readable = false, writable = false, locked = false, dumped = true;
    std::string name;
};

std::vector<Mapping> mappings() {
    std::vector<Mapping> out;
    std::ifstream smaps("/proc/self/smaps");
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        Mapping m;
        char dash = 0;
        std::string rights, offset, device, inode;
        if (words >> std::hex >> m.from >> dash >> m.to >> rights >> offset >> device >> inode && dash == '-') {
            words >> m.name;
            m.readable = rights[0] == 'r';
            m.writable = rights[1] == 'w';
            out.push_back(std::move(m));
        } else if (line.starts_with("VmFlags:") && !out.empty()) {
            out.back().locked = line.find(" lo") != std::string::npos;
            out.back().dumped = line.find(" dd") == std::string::npos;
        }
    }
    return out;
}

const Mapping* mapping_of(const std::vector<Mapping>& all, std::uintptr_t address) {
    for (const Mapping& m : all)
        if (m.from <= address && address < m.to) return &m;
    return nullptr;
}

// Addresses of a pattern in all memory that can be written. The pattern is given with every byte flipped, so that it does not find itself.
std::vector<std::uintptr_t> find_in_memory(const std::vector<Mapping>& all, const std::vector<unsigned char>& flipped) {
    std::vector<unsigned char> buffer(64 * 1024);
    const auto own = reinterpret_cast<std::uintptr_t>(buffer.data());
    std::vector<std::uintptr_t> out;
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    for (const Mapping& m : all) {
        if (!m.readable || !m.writable || m.name == "[vvar]") continue;
        for (std::uintptr_t at = m.from; at < m.to; at += buffer.size() - flipped.size()) {
            const ssize_t n = pread(memory, buffer.data(), std::min<std::size_t>(buffer.size(), m.to - at), static_cast<off_t>(at));
            for (ssize_t i = 0; i + static_cast<ssize_t>(flipped.size()) <= n; ++i) {
                std::size_t k = 0;
                while (k < flipped.size() && (buffer[static_cast<std::size_t>(i) + k] ^ 0xFF) == flipped[k]) ++k;
                const std::uintptr_t where = at + static_cast<std::uintptr_t>(i);
                if (k == flipped.size() && (where + flipped.size() <= own || where >= own + buffer.size())) out.push_back(where);
            }
        }
    }
    close(memory);
    return out;
}

std::vector<unsigned char> flipped(const SecretBytes& secret) {
    std::vector<unsigned char> out;
    for (const char c : secret.view()) out.push_back(static_cast<unsigned char>(c) ^ 0xFF);
    return out;
}

// Why memory cannot be locked here (a container's limit), or "".
std::string no_locks() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return geteuid() == 0 || limit.rlim_cur >= (1u << 20) ? "" : "RLIMIT_MEMLOCK is " + std::to_string(limit.rlim_cur) + " bytes";
}

TEST(KeyMemory, IsLockedAndLeftOutOfCoreDumps) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take mlock away from the program";
#endif
    if (const std::string why = no_locks(); !why.empty()) GTEST_SKIP() << why;
    const SecretBytes small(32), large(100'000);
    const auto all = mappings();
    for (const SecretBytes* s : {&small, &large}) {
        const Mapping* m = mapping_of(all, reinterpret_cast<std::uintptr_t>(s->data()));
        ASSERT_NE(m, nullptr);
        EXPECT_TRUE(m->locked);
        EXPECT_FALSE(m->dumped);
    }
}

// An identity that was read, used, and one that was given up.
TEST(KeyMemory, PrivateKeysAreNowhereElse) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's shadow memory is too large to look through";
#endif
    if (const std::string why = no_locks(); !why.empty()) GTEST_SKIP() << why;
    std::vector<unsigned char> kept, given_up;
    KeyRing ring;
    {
        AgeIdentity other = make_age_identity().value();
        given_up = flipped(other.secret);
        const AgeIdentity made = make_age_identity().value();
        std::string text = age_identity_text(made);
        const WipedAtEnd guard(text);
        ring.age = parse_age_identities(text).value();
    }
    kept = flipped(ring.age[0].secret);
    const sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = ring.age[0].recipient}}}};
    const std::string file = sops::encrypt_file("a: b\n", sops::Format::yaml, settings, {}, "2026-01-02T03:04:05Z").value();
    ASSERT_TRUE(sops::decrypt_file(file, sops::Format::yaml, sops::Format::yaml, ring));
    const auto all = mappings();
    const auto found = find_in_memory(all, kept);
    EXPECT_GE(found.size(), 1u) << "the search must find what is there";
    for (const std::uintptr_t at : found) {
        const Mapping* m = mapping_of(all, at);
        ASSERT_NE(m, nullptr);
        EXPECT_TRUE(m->locked) << std::hex << at << " " << m->name;
        EXPECT_FALSE(m->dumped) << std::hex << at << " " << m->name;
    }
    EXPECT_TRUE(find_in_memory(all, given_up).empty()) << "wiped";
}

// Of files that were encrypted, checked, decrypted and rotated: while a value is at work its key is in OpenSSL's hands, afterwards in none but ours.
TEST(KeyMemory, DataKeysAreNowhereElseAfterUse) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's shadow memory is too large to look through";
#endif
    if (const std::string why = no_locks(); !why.empty()) GTEST_SKIP() << why;
    KeyRing ring;
    ring.age.push_back(make_age_identity().value());
    const sops::Metadata settings{.groups = {{{.provider = sops::Provider::age, .name = ring.age[0].recipient}}}};
    const std::string file = sops::encrypt_file("a: b\nc: d\n", sops::Format::yaml, settings, {}, "2026-01-02T03:04:05Z").value();
    const SecretBytes key = sops::unwrap_data_key(sops::load_encrypted(sops::Format::yaml, file).value().metadata, ring).value();
    ASSERT_TRUE(sops::verify_mac(file, sops::Format::yaml, ring));
    ASSERT_TRUE(sops::decrypt_file(file, sops::Format::yaml, sops::Format::yaml, ring));
    ASSERT_TRUE(sops::rotate_file(file, sops::Format::yaml, ring, "2026-01-02T03:04:05Z"));
    const auto all = mappings();
    const auto found = find_in_memory(all, flipped(key));
    EXPECT_GE(found.size(), 2u) << "ours, and the one that the ring keeps";
    for (const std::uintptr_t at : found) {
        const Mapping* m = mapping_of(all, at);
        ASSERT_NE(m, nullptr);
        EXPECT_TRUE(m->locked) << std::hex << at << " " << m->name;
        EXPECT_FALSE(m->dumped) << std::hex << at << " " << m->name;
    }
    ring.opened.reset();
    EXPECT_EQ(find_in_memory(mappings(), flipped(key)).size(), found.size() - 1) << "wiped with the ring";
}

} // namespace
} // namespace weber::gitops
